//! Times as a decimal number of units since the epoch, exact to the nanosecond.

use tidal_db::Timestamp;

use crate::output::excerpt;

/// Whether the text is digits, with a sign perhaps.
pub(super) fn is_integer(text: &str) -> bool {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// Reads a number of units of `unit_nanos` nanoseconds each. What is finer than
/// a nanosecond is cut off.
pub(super) fn read(text: &str, unit_nanos: u64) -> Result<Timestamp, String> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    if !is_integer(whole)
        || fraction.is_empty()
        || !fraction.bytes().all(|byte| byte.is_ascii_digit())
    {
        return Err(format!("time {} is not a number", excerpt(text.as_bytes())));
    }
    if whole.starts_with('-') {
        return Err(format!("time {} is before 1970", excerpt(text.as_bytes())));
    }
    nanos(whole.trim_start_matches('+'), fraction, unit_nanos)
        .map(Timestamp::from_nanos)
        .ok_or_else(|| {
            format!(
                "time {} is after 2554; is it in another unit? see --time-format",
                excerpt(text.as_bytes())
            )
        })
}

fn nanos(whole: &str, fraction: &str, unit_nanos: u64) -> Option<u64> {
    let mut nanos = whole.parse::<u64>().ok()?.checked_mul(unit_nanos)?;
    let mut place_nanos = unit_nanos;
    for digit in fraction.bytes() {
        place_nanos /= 10;
        nanos = nanos.checked_add(u64::from(digit - b'0') * place_nanos)?;
    }
    Some(nanos)
}

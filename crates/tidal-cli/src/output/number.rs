//! Numbers for people. JSON has them in full.

use std::time::Duration;

/// The size from which a number is shown without decimals.
const WHOLE_FROM: f64 = 1e9;

/// A whole number with a comma between thousands.
pub(crate) fn count(number: u64) -> String {
    grouped(&number.to_string())
}

/// A number with a few decimals: two behind the point, or three significant
/// digits when it is below one. From [`WHOLE_FROM`] on it has none, and is written
/// out however large it is, so that a column has one style.
pub(crate) fn decimal(number: f64) -> String {
    let size = number.abs();
    if size == 0.0 {
        return "0".into();
    }
    if size < 1e-6 || !size.is_finite() {
        return format!("{number:.2e}");
    }
    let text = format!("{number:.places$}", places = places(size));
    let (whole, fraction) = text.find('.').map_or((text.as_str(), ""), |dot| text.split_at(dot));
    let (sign, digits) = whole.strip_prefix('-').map_or(("", whole), |digits| ("-", digits));
    format!("{sign}{}{fraction}", grouped(digits))
}

/// How many digits behind the point show three significant ones, and at least
/// two; none where they would be noise.
fn places(size: f64) -> usize {
    if size >= WHOLE_FROM {
        return 0;
    }
    let (mut places, mut size) = (2, size);
    while size < 1.0 {
        places += 1;
        size *= 10.0;
    }
    places
}

/// A size in bytes, with a unit of 1,000 or a power of it.
pub(crate) fn bytes(size: u64) -> String {
    const UNITS: [(&str, u64); 3] = [("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1_000)];
    for (unit, unit_bytes) in UNITS {
        if size >= unit_bytes {
            return format!("{}.{} {unit}", size / unit_bytes, size % unit_bytes * 10 / unit_bytes);
        }
    }
    format!("{size} B")
}

/// A short span in the unit that suits it.
pub(crate) fn seconds(span: Duration) -> String {
    let secs = span.as_secs_f64();
    if secs >= 1.0 {
        format!("{secs:.2} s")
    } else if secs >= 1e-3 {
        format!("{:.1} ms", secs * 1e3)
    } else if secs >= 1e-6 {
        format!("{:.1} \u{b5}s", secs * 1e6)
    } else {
        format!("{} ns", span.as_nanos())
    }
}

fn grouped(digits: &str) -> String {
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_separated() {
        let cases = [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (541_909, "541,909"),
            (u64::MAX, "18,446,744,073,709,551,615"),
        ];
        for (number, text) in cases {
            assert_eq!(count(number), text);
        }
    }

    #[test]
    fn decimals_keep_what_a_reader_needs() {
        let cases = [
            (0.0, "0"),
            (1234.567, "1,234.57"),
            (-1234.5, "-1,234.50"),
            (-123.5, "-123.50"),
            (0.12345, "0.123"),
            (0.000_463, "0.000463"),
            (-0.05, "-0.0500"),
            (1.5e-9, "1.50e-9"),
            (999_999_999.5, "999,999,999.50"),
            (1_234_567_890.12, "1,234,567,890"),
            (999_999_946_317_744.1, "999,999,946,317,744"),
            (1e15, "1,000,000,000,000,000"),
            (-2e15, "-2,000,000,000,000,000"),
            (3e18, "3,000,000,000,000,000,000"),
        ];
        for (number, text) in cases {
            assert_eq!(decimal(number), text);
        }
    }

    #[test]
    fn sizes_and_spans_have_a_unit() {
        assert_eq!(bytes(999), "999 B");
        assert_eq!(bytes(48_039_726), "48.0 MB");
        assert_eq!(seconds(Duration::from_nanos(420)), "420 ns");
        assert_eq!(seconds(Duration::from_micros(1500)), "1.5 ms");
        assert_eq!(seconds(Duration::from_millis(2340)), "2.34 s");
    }
}

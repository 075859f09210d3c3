//! Spans of time in a schema: a whole number and a unit.

use std::time::Duration;

/// Units with their length in seconds, longest first.
const UNITS: [(char, u64); 5] = [('w', 604_800), ('d', 86_400), ('h', 3_600), ('m', 60), ('s', 1)];

/// Reads a span such as `7d`.
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    let refused = || {
        format!(
            "span \"{text}\" is not a whole number with a unit (s, m, h, d or w), such as \"7d\""
        )
    };
    let unit = text.chars().next_back().ok_or_else(refused)?;
    let (_, unit_secs) = UNITS.into_iter().find(|(name, _)| *name == unit).ok_or_else(refused)?;
    let digits =
        text.strip_suffix(unit).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
    let number: u64 = digits.and_then(|digits| digits.parse().ok()).ok_or_else(refused)?;
    number
        .checked_mul(unit_secs)
        .map(Duration::from_secs)
        .ok_or_else(|| format!("span \"{text}\" is too long"))
}

/// The span in the largest unit up to days that divides it.
pub(crate) fn describe(span: Duration) -> String {
    let secs = span.as_secs();
    let fits = |(unit, unit_secs): &(char, u64)| {
        *unit != 'w' && secs.is_multiple_of(*unit_secs) && secs >= *unit_secs
    };
    match UNITS.into_iter().find(fits) {
        Some((unit, unit_secs)) if span.subsec_nanos() == 0 => {
            format!("{}{unit}", secs / unit_secs)
        }
        _ => format!("{}s", span.as_secs_f64()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_unit_is_read() {
        for (text, secs) in [
            ("90s", 90),
            ("2m", 120),
            ("36h", 129_600),
            ("7d", 604_800),
            ("2w", 1_209_600),
            ("0s", 0),
        ] {
            assert_eq!(parse(text), Ok(Duration::from_secs(secs)), "{text}");
        }
    }

    #[test]
    fn what_is_no_span_is_refused() {
        for text in [
            "",
            "7",
            "d",
            "7 d",
            "-7d",
            "+7d",
            "7.5d",
            "7days",
            "7D",
            "99999999999999999999s",
            "99999999999999999w",
            "7\u{e9}",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_span_is_described_as_it_was_written() {
        for text in ["90s", "2m", "36h", "7d"] {
            assert_eq!(describe(parse(text).unwrap()), text);
        }
        assert_eq!(describe(Duration::from_millis(1500)), "1.5s");
    }
}

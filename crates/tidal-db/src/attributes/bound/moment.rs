//! Times as text: RFC 3339, or a date, which is its first moment in UTC.
//!
//! ```text
//! 2026-01-31
//! 2026-01-31T09:30:00Z
//! 2026-01-31 09:30:00.250+01:00
//! ```

/// The moment that a text names, in nanoseconds since the Unix epoch; `None` when it names
/// none. Years have four digits, a second is below 60, and of a fraction up to nine digits
/// count.
pub(super) fn parse(text: &str) -> Option<i128> {
    let mut rest = Rest(text.as_bytes());
    let year = rest.number(4)?;
    rest.one_of(b"-")?;
    let month = rest.number(2).filter(|month| (1..=12).contains(month))?;
    rest.one_of(b"-")?;
    let day = rest.number(2).filter(|day| (1..=days_in(year, month)).contains(day))?;
    let days = days_since_epoch(year, month, day);
    if rest.0.is_empty() {
        return Some(nanos(days * 86_400, 0));
    }
    rest.one_of(b"Tt ")?;
    let hour = rest.number(2).filter(|hour| *hour < 24)?;
    rest.one_of(b":")?;
    let minute = rest.number(2).filter(|minute| *minute < 60)?;
    rest.one_of(b":")?;
    let second = rest.number(2).filter(|second| *second < 60)?;
    let fraction = if rest.one_of(b".").is_some() { rest.fraction()? } else { 0 };
    let offset = rest.offset()?;
    let seconds = days * 86_400 + hour * 3600 + minute * 60 + second - offset;
    rest.0.is_empty().then(|| nanos(seconds, fraction))
}

fn nanos(seconds: i64, fraction: i64) -> i128 {
    i128::from(seconds) * 1_000_000_000 + i128::from(fraction)
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn days_since_epoch(year: i64, month: i64, day: i64) -> i64 {
    // Leap days before the year, from year 0 on.
    let leaps = |year: i64| (year + 3) / 4 - (year + 99) / 100 + (year + 399) / 400;
    let years = 365 * (year - 1970) + leaps(year) - leaps(1970);
    years + (1..month).map(|month| days_in(year, month)).sum::<i64>() + day - 1
}

/// What of a text was not read yet.
struct Rest<'a>(&'a [u8]);

impl Rest<'_> {
    fn one_of(&mut self, bytes: &[u8]) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        bytes.contains(first).then(|| {
            self.0 = rest;
            *first
        })
    }

    fn digit(&mut self) -> Option<i64> {
        self.one_of(b"0123456789").map(|digit| i64::from(digit - b'0'))
    }

    fn number(&mut self, digits: usize) -> Option<i64> {
        (0..digits).try_fold(0, |number, _| Some(number * 10 + self.digit()?))
    }

    /// Nanoseconds; at least one digit and at most nine.
    fn fraction(&mut self) -> Option<i64> {
        let mut unit = 100_000_000;
        let mut nanos = unit * self.digit()?;
        while unit > 1
            && let Some(digit) = self.digit()
        {
            unit /= 10;
            nanos += unit * digit;
        }
        Some(nanos)
    }

    /// How far the clock that was read is ahead of UTC, in seconds.
    fn offset(&mut self) -> Option<i64> {
        let sign = match self.one_of(b"Zz+-")? {
            b'+' => 1,
            b'-' => -1,
            _ => return Some(0),
        };
        let hours = self.number(2).filter(|hours| *hours < 24)?;
        self.one_of(b":")?;
        let minutes = self.number(2).filter(|minutes| *minutes < 60)?;
        Some(sign * (hours * 3600 + minutes * 60))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn times_and_dates_are_read() {
        let second = 1_000_000_000;
        for (text, expected) in [
            ("1970-01-01", 0),
            ("2026-01-31", 1_769_817_600 * second),
            ("2024-02-29T12:34:56Z", 1_709_210_096 * second),
            ("2024-02-29t12:34:56.5z", 1_709_210_096 * second + 500_000_000),
            ("2024-02-29 12:34:56.000000001+01:00", 1_709_206_496 * second + 1),
            ("1969-12-31T23:59:59-00:30", 1799 * second),
            ("1969-12-31T23:59:59Z", -second),
            ("0000-01-01", -62_167_219_200 * second),
            ("9999-12-31T23:59:59.999999999Z", 253_402_300_799 * second + 999_999_999),
        ] {
            assert_eq!(parse(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "",
            "2026",
            "2026-1-31",
            "2026-02-30",
            "2025-02-29",
            "1900-02-29",
            "2026-13-01",
            "2026-00-01",
            "2026-01-00",
            "2026-01-31T",
            "2026-01-31T24:00:00Z",
            "2026-01-31T00:60:00Z",
            "2026-01-31T00:00:60Z",
            "2026-01-31T00:00:00",
            "2026-01-31T00:00:00.Z",
            "2026-01-31T00:00:00.1234567890Z",
            "2026-01-31T00:00:00+1:00",
            "2026-01-31T00:00:00+24:00",
            "2026-01-31T00:00:00Z ",
            "2026-01-31x00:00:00Z",
            "+026-01-31",
            "tomorrow",
        ] {
            assert_eq!(parse(text), None, "{text:?}");
        }
    }

    proptest! {
        /// The crate that the program reads times with is another opinion.
        #[test]
        fn times_are_those_of_another_library(
            seconds in -62_167_219_200_i64..253_402_207_200,
            nanos in 0..1_000_000_000_i32,
        ) {
            let time = jiff::Timestamp::new(seconds.max(-377_705_023_201), nanos);
            let time = time.unwrap();
            let expected = time.as_nanosecond();
            prop_assert_eq!(parse(&time.to_string()), Some(expected));
        }

        #[test]
        fn any_text_is_read_or_refused(text in "[0-9TZ:+. -]{0,30}") {
            if let Some(nanos) = parse(&text) {
                prop_assert!(nanos.unsigned_abs() < 1 << 80);
            }
        }
    }
}

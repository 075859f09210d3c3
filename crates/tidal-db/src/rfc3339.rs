//! Times as text: RFC 3339, or a date, which is its first moment in UTC.
//!
//! ```text
//! 2026-01-31
//! 2026-01-31T09:30:00Z
//! 2026-01-31 09:30:00.250+01:00
//! ```
//!
//! They are shown in UTC. A `Timestamp` begins in 1970 and ends in 2554.

use tidal_types::Timestamp;

const DAY_SECS: u64 = 86_400;
const NANOS_PER_SEC: u64 = 1_000_000_000;

/// The days of 400 years, after which the calendar repeats.
const ERA_DAYS: u64 = 146_097;

/// The days from 0000-03-01 to 1970-01-01.
const EPOCH_DAYS: u64 = 719_468;

/// A time to the nanosecond, without zeros at the end of its fraction.
pub(crate) fn show(time: Timestamp) -> String {
    let secs = time.as_secs();
    let (year, month, day) = civil(secs / DAY_SECS);
    let (hour, minute, second) = (secs / 3600 % 24, secs / 60 % 60, secs % 60);
    let fraction = format!(".{:09}", time.as_nanos() % NANOS_PER_SEC);
    let fraction = fraction.trim_end_matches('0').trim_end_matches('.');
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}Z")
}

/// A time, or the beginning of a date, that a `Timestamp` can be.
pub(crate) fn read(text: &str) -> Option<Timestamp> {
    parse(text).and_then(|nanos| u64::try_from(nanos).ok()).map(Timestamp::from_nanos)
}

/// The moment that a text names, in nanoseconds since the Unix epoch; `None` when it names
/// none. Years have four digits, a second is below 60, and of a fraction up to nine digits
/// count.
pub(crate) fn parse(text: &str) -> Option<i128> {
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

/// The year, month and day of a day since the epoch. Years begin in March, so
/// that the leap day is their last (Hinnant, "chrono-compatible low-level date algorithms").
const fn civil(days: u64) -> (u64, u64, u64) {
    let days = days + EPOCH_DAYS;
    let (era, day) = (days / ERA_DAYS, days % ERA_DAYS);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let of_year = day - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let year = era * 400 + year;
    if month < 10 { (year, month + 3, day) } else { (year + 1, month - 9, day) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn times_are_read_and_shown() {
        for (text, nanos) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2026-01-31T08:15:00Z", 1_769_847_300_000_000_000),
            ("2026-01-31T08:15:00.25Z", 1_769_847_300_250_000_000),
            ("2024-02-29T23:59:59.999999999Z", 1_709_251_199_999_999_999),
            ("2554-07-21T23:34:33.709551615Z", u64::MAX),
        ] {
            assert_eq!(read(text), Some(Timestamp::from_nanos(nanos)), "{text}");
            assert_eq!(show(Timestamp::from_nanos(nanos)), text);
        }
        for (text, same) in [
            ("2026-01-31", "2026-01-31T00:00:00Z"),
            ("2026-01-31t08:15:00+02:30", "2026-01-31T05:45:00Z"),
            ("2026-01-31 23:15:00-01:00", "2026-02-01T00:15:00Z"),
        ] {
            assert_eq!(show(read(text).unwrap()), same);
        }
    }

    #[test]
    fn what_no_timestamp_can_be_is_not_read() {
        for text in [
            "",
            "2026",
            "2026-02-30",
            "2100-02-29",
            "1969-12-31",
            "2026-13-01",
            "2026-1-1",
            "2026-01-31T08:15Z",
            "2026-01-31T08:15:00",
            "2026-01-31T24:00:00Z",
            "2026-01-31T08:15:60Z",
            "2026-01-31T08:15:00.Z",
            "2026-01-31T08:15:00.1234567890Z",
            "2026-01-31T08:15:00Z ",
            "2026-01-31T08:15:00+2:00",
            "1970-01-01T00:00:00+00:01",
            "2554-07-21T23:34:33.709551616Z",
            "20\u{e9}6-01-31",
            "+026-01-31",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_time_comes_back(nanos in any::<u64>()) {
            let time = Timestamp::from_nanos(nanos);
            prop_assert_eq!(read(&show(time)), Some(time));
        }

        #[test]
        fn dates_are_those_of_another_calendar(secs in 0..=u64::MAX / NANOS_PER_SEC) {
            let other = jiff::Timestamp::from_second(i64::try_from(secs).unwrap()).unwrap();
            prop_assert_eq!(show(Timestamp::from_secs(secs)), other.to_string());
        }
    }

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

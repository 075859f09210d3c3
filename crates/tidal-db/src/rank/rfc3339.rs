//! Times as text: RFC 3339, in UTC where they are shown.
//!
//! Read are `2026-01-31T08:15:00Z`, with up to nine digits of a fraction and any offset,
//! and a date alone, which is its beginning in UTC. A `Timestamp` begins in 1970 and ends
//! in 2554; times outside of it are not read, nor is a second 60.

use tidal_types::Timestamp;

const DAY_SECS: u64 = 86_400;
const NANOS_PER_SEC: u64 = 1_000_000_000;

/// The days of 400 years, after which the calendar repeats.
const ERA_DAYS: u64 = 146_097;

/// The days from 0000-03-01 to 1970-01-01.
const EPOCH_DAYS: u64 = 719_468;

/// A time to the nanosecond, without zeros at the end of its fraction.
pub(super) fn show(time: Timestamp) -> String {
    let secs = time.as_secs();
    let (year, month, day) = civil(secs / DAY_SECS);
    let (hour, minute, second) = (secs / 3600 % 24, secs / 60 % 60, secs % 60);
    let fraction = format!(".{:09}", time.as_nanos() % NANOS_PER_SEC);
    let fraction = fraction.trim_end_matches('0').trim_end_matches('.');
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}Z")
}

/// A time, or the beginning of a date.
pub(super) fn read(text: &str) -> Option<Timestamp> {
    let mut rest = text;
    let date = date(&mut rest)?;
    if rest.is_empty() {
        return Some(Timestamp::from_secs(date * DAY_SECS));
    }
    rest = rest.strip_prefix(['T', 't', ' '])?;
    let hour = digits(&mut rest, 2, 0..=23)?;
    rest = rest.strip_prefix(':')?;
    let minute = digits(&mut rest, 2, 0..=59)?;
    rest = rest.strip_prefix(':')?;
    let second = digits(&mut rest, 2, 0..=59)?;
    let nanos = fraction(&mut rest)?;
    let east = offset(rest)?;
    let secs = (date * DAY_SECS + hour * 3600 + minute * 60 + second).checked_add_signed(-east)?;
    Some(Timestamp::from_nanos(secs.checked_mul(NANOS_PER_SEC)?.checked_add(nanos)?))
}

/// The days since the epoch of the date in front.
fn date(rest: &mut &str) -> Option<u64> {
    let year = digits(rest, 4, 1970..=2554)?;
    *rest = rest.strip_prefix('-')?;
    let month = digits(rest, 2, 1..=12)?;
    *rest = rest.strip_prefix('-')?;
    let day = digits(rest, 2, 1..=31)?;
    let days = days(year, month, day);
    // The day is one of that month if it comes back.
    (civil(days) == (year, month, day)).then_some(days)
}

/// So many digits in front, in that range.
fn digits(rest: &mut &str, count: usize, range: std::ops::RangeInclusive<u64>) -> Option<u64> {
    let (number, behind) = rest.split_at_checked(count)?;
    if !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    *rest = behind;
    number.parse().ok().filter(|number| range.contains(number))
}

/// The nanoseconds of the fraction in front, if there is one.
fn fraction(rest: &mut &str) -> Option<u64> {
    let Some(behind) = rest.strip_prefix('.') else {
        return Some(0);
    };
    let end = behind.find(|c: char| !c.is_ascii_digit()).unwrap_or(behind.len());
    let (digits, behind) = behind.split_at_checked(end)?;
    *rest = behind;
    ((1..=9).contains(&digits.len())).then(|| format!("{digits:0<9}").parse().ok())?
}

/// How many seconds the offset, which is all that is left, is east of UTC.
fn offset(rest: &str) -> Option<i64> {
    if rest.eq_ignore_ascii_case("z") {
        return Some(0);
    }
    let sign = if rest.starts_with('-') { -1 } else { 1 };
    let mut rest = rest.strip_prefix(['+', '-'])?;
    let hours = digits(&mut rest, 2, 0..=23)?;
    rest = rest.strip_prefix(':')?;
    let minutes = digits(&mut rest, 2, 0..=59)?;
    let secs = i64::try_from(hours * 3600 + minutes * 60).ok()?;
    rest.is_empty().then_some(sign * secs)
}

/// The days since the epoch of a date from 1970 on. Years begin in March, so that the
/// leap day is their last (Hinnant, "chrono-compatible low-level date algorithms").
const fn days(year: u64, month: u64, day: u64) -> u64 {
    let year = if month <= 2 { year - 1 } else { year };
    let month = (month + 9) % 12;
    let (era, year) = (year / 400, year % 400);
    let of_year = (153 * month + 2) / 5 + day - 1;
    era * ERA_DAYS + year * 365 + year / 4 - year / 100 + of_year - EPOCH_DAYS
}

/// The year, month and day of a day since the epoch: the other way round.
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
    use super::*;
    use proptest::prelude::*;

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
    fn what_is_no_time_is_not_read() {
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
}

//! Times by a pattern of `%` directives, as in strptime.

use jiff::fmt::strtime::{self, BrokenDownTime};
use jiff::tz::TimeZone;

use super::utc;

/// A pattern that is known to give a point in time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pattern(String);

impl Pattern {
    /// Takes a pattern, if a time written by it can be read back.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let pattern = Self(text.to_owned());
        // 2001-02-03 04:05:06, a time whose parts all differ.
        let sample =
            jiff::Timestamp::from_second(981_173_106).map_err(|error| error.to_string())?;
        let sample = sample.to_zoned(TimeZone::UTC);
        let written = strtime::format(text, &sample)
            .map_err(|error| format!("the time format {text:?} is wrong: {error}"))?;
        match pattern.read(&written) {
            Some(_) => Ok(pattern),
            None => Err(format!("the time format {text:?} does not give a date and time")),
        }
    }

    /// The pattern itself.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Reads a time written by this pattern.
    pub(super) fn read(&self, text: &str) -> Option<jiff::Timestamp> {
        let time = BrokenDownTime::parse(&self.0, text).ok()?;
        if time.timestamp().is_some() || time.offset().is_some() {
            time.to_timestamp().ok()
        } else if time.iana_time_zone().is_some() {
            time.to_zoned().ok().map(|time| time.timestamp())
        } else {
            utc(time.to_datetime().ok()?)
        }
    }
}

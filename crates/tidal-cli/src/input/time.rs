//! How times are written in a file or on the command line.

mod decimal;
mod pattern;

use jiff::civil::DateTime;
use jiff::fmt::temporal::DateTimeParser;
use jiff::tz::TimeZone;
use tidal_db::Timestamp;

use crate::output::excerpt;

pub(crate) use pattern::Pattern;

static PARSER: DateTimeParser = DateTimeParser::new();

/// A way to write a time. A time without zone is UTC, one without a time of day
/// is midnight.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TimeFormat {
    /// Unix seconds if it is an integer, else RFC 3339.
    SecondsOrRfc3339,
    /// A decimal number of units since the epoch, each of this many
    /// nanoseconds.
    Unix {
        /// The length of a unit.
        unit_nanos: u64,
    },
    /// RFC 3339; a blank may stand for the `T`, and the zone may be missing.
    Rfc3339,
    /// A pattern of `%` directives.
    Pattern(Pattern),
}

impl TimeFormat {
    /// Seconds since the epoch, with decimals if there are any.
    pub(crate) const SECONDS: Self = Self::Unix { unit_nanos: 1_000_000_000 };

    /// Reads the name of a format, or a pattern.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        match text {
            "unix" => Ok(Self::SECONDS),
            "unix-ms" => Ok(Self::Unix { unit_nanos: 1_000_000 }),
            "unix-ns" => Ok(Self::Unix { unit_nanos: 1 }),
            "rfc3339" => Ok(Self::Rfc3339),
            _ if text.contains('%') => Pattern::parse(text).map(Self::Pattern),
            _ => Err("a time format is unix, unix-ms, unix-ns, rfc3339 or a pattern such as \"%d.%m.%Y %H:%M\"".into()),
        }
    }

    /// Reads a time, or says why it is none.
    pub(crate) fn read(&self, text: &str) -> Result<Timestamp, String> {
        let time = match self {
            Self::SecondsOrRfc3339 if decimal::is_integer(text) => return Self::SECONDS.read(text),
            Self::SecondsOrRfc3339 | Self::Rfc3339 => rfc3339(text),
            Self::Unix { unit_nanos } => return decimal::read(text, *unit_nanos),
            Self::Pattern(pattern) => pattern.read(text),
        };
        let time = time.ok_or_else(|| {
            format!("time {} is not {}", excerpt(text.as_bytes()), self.describe())
        })?;
        u64::try_from(time.as_nanosecond())
            .map(Timestamp::from_nanos)
            .map_err(|_| format!("time {} is outside 1970 to 2554", excerpt(text.as_bytes())))
    }

    /// A text that says the same as this format and no other, whatever was typed.
    pub(crate) fn canonical(&self) -> String {
        match self {
            Self::SecondsOrRfc3339 => "unix or rfc3339".into(),
            Self::Unix { unit_nanos } => format!("unix, units of {unit_nanos} ns"),
            Self::Rfc3339 => "rfc3339".into(),
            Self::Pattern(pattern) => pattern.as_str().into(),
        }
    }

    fn describe(&self) -> String {
        match self {
            Self::SecondsOrRfc3339 => {
                "an integer of Unix seconds or RFC 3339; other formats need --time-format".into()
            }
            Self::Unix { .. } => "a number".into(),
            Self::Rfc3339 => "RFC 3339, such as 2011-12-09T12:50:00Z".into(),
            Self::Pattern(pattern) => format!("of the form {:?}", pattern.as_str()),
        }
    }
}

/// Reads times, and remembers the last, since neighbours in a file are often
/// equal.
#[derive(Debug)]
pub(crate) struct TimeParser {
    format: TimeFormat,
    last_text: Vec<u8>,
    last: Timestamp,
}

impl TimeParser {
    pub(crate) const fn new(format: TimeFormat) -> Self {
        Self { format, last_text: Vec::new(), last: Timestamp::MIN }
    }

    /// Reads a time; blanks around it do not count.
    pub(crate) fn read(&mut self, text: &[u8]) -> Result<Timestamp, String> {
        if !text.is_empty() && text == self.last_text {
            return Ok(self.last);
        }
        let trimmed = text.trim_ascii();
        if trimmed.is_empty() {
            return Err("no time".into());
        }
        let utf8 = std::str::from_utf8(trimmed)
            .map_err(|_| format!("time {} is not text", excerpt(text)))?;
        self.last = self.format.read(utf8)?;
        self.last_text.clear();
        self.last_text.extend_from_slice(text);
        Ok(self.last)
    }
}

fn rfc3339(text: &str) -> Option<jiff::Timestamp> {
    // A date has ten characters; a sign or a Z behind it is a zone. Without
    // this look a date and time would be taken for UTC in spite of its zone.
    let behind_date = text.as_bytes().get(10..).unwrap_or_default();
    if behind_date.iter().any(|byte| matches!(byte, b'Z' | b'z' | b'+' | b'-')) {
        return PARSER.parse_timestamp(text).ok();
    }
    utc(PARSER.parse_datetime(text).ok()?)
}

fn utc(time: DateTime) -> Option<jiff::Timestamp> {
    TimeZone::UTC.to_timestamp(time).ok()
}

#[cfg(test)]
mod tests;

//! A point in time on the command line: a time, `now` or `last`.

use tidal_db::{DEFAULT_MAX_FUTURE_SKEW, TidalDB, Timestamp};

use crate::failure::Failure;
use crate::input::TimeFormat;

/// The latest time that an event may have now. The database refuses later ones;
/// the program does so first, before it takes up the names of such an event.
pub(crate) fn horizon() -> Timestamp {
    Timestamp::now().saturating_add(DEFAULT_MAX_FUTURE_SKEW)
}

/// The time that a person means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    /// The clock's now.
    Now,
    /// The newest event in the database.
    Last,
    /// This very time.
    At(Timestamp),
}

impl Moment {
    /// Reads `now`, `last`, Unix seconds (with decimals, if any) or RFC 3339.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        match text {
            "now" => Ok(Self::Now),
            "last" => Ok(Self::Last),
            _ if text.starts_with(|first: char| first.is_ascii_digit() || first == '-')
                && !text.contains(':') =>
            {
                TimeFormat::SECONDS
                    .read(text)
                    .or_else(|problem| TimeFormat::Rfc3339.read(text).map_err(|_| problem))
                    .map(Self::At)
            }
            _ => TimeFormat::Rfc3339
                .read(text)
                .map(Self::At)
                .map_err(|problem| format!("{problem}; it may also be Unix seconds, now or last")),
        }
    }

    /// The time of a read: `now` is never before the newest event.
    pub(crate) fn of_read(self, db: &TidalDB) -> Result<Timestamp, Failure> {
        match self {
            Self::Now => Ok(db.now()),
            Self::Last => newest(db),
            Self::At(time) => Ok(time),
        }
    }

    /// The time of a new event: `now` is what the clock says.
    pub(crate) fn of_event(self, db: &TidalDB) -> Result<Timestamp, Failure> {
        match self {
            Self::Now => Ok(Timestamp::now()),
            Self::Last => newest(db),
            Self::At(time) => Ok(time),
        }
    }
}

fn newest(db: &TidalDB) -> Result<Timestamp, Failure> {
    db.newest_event().ok_or_else(|| {
        Failure::failed(
            "`last` is the time of the newest event, and there is none yet; import some",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_say_a_time() {
        let at = |nanos| Ok(Moment::At(Timestamp::from_nanos(nanos)));
        assert_eq!(Moment::parse("now"), Ok(Moment::Now));
        assert_eq!(Moment::parse("last"), Ok(Moment::Last));
        assert_eq!(Moment::parse("60"), at(60_000_000_000));
        assert_eq!(Moment::parse("60.25"), at(60_250_000_000));
        assert_eq!(Moment::parse("1970-01-01T00:01:00Z"), at(60_000_000_000));
        assert_eq!(Moment::parse("1970-01-01T01:01:00+01:00"), at(60_000_000_000));
        assert_eq!(Moment::parse("1970-01-01 00:01:00"), at(60_000_000_000));
        assert_eq!(Moment::parse("1970-01-02"), at(86_400_000_000_000));
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in
            ["", "soon", "-5", "1e9", "1969-12-31T23:59:59Z", "99999999999999", "2011-13-01"]
        {
            assert!(Moment::parse(text).is_err(), "{text}");
        }
    }
}

//! Times as RFC 3339 in UTC, with as many decimals as they have.

use tidal_db::Timestamp;

/// The time as RFC 3339: `2011-12-09T12:50:00Z`.
pub(crate) fn rfc3339(time: Timestamp) -> String {
    // Every Timestamp ends before 2555, and jiff reaches to 9999.
    match jiff::Timestamp::from_nanosecond(i128::from(time.as_nanos())) {
        Ok(time) => time.to_string(),
        Err(_) => time.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_appear_when_they_are_needed() {
        assert_eq!(rfc3339(Timestamp::MIN), "1970-01-01T00:00:00Z");
        assert_eq!(rfc3339(Timestamp::from_secs(1_323_435_000)), "2011-12-09T12:50:00Z");
        assert_eq!(rfc3339(Timestamp::from_nanos(1)), "1970-01-01T00:00:00.000000001Z");
        assert_eq!(rfc3339(Timestamp::MAX), "2554-07-21T23:34:33.709551615Z");
    }
}

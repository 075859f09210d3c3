//! Whether now is so far from the newest event that nothing is left to see.
//!
//! Someone who imports last year's data and asks for the hottest items gets
//! scores next to zero. One line tells them of `--at last`.

use std::time::Duration;

use tidal_db::{DecaySpec, TidalDB, Timestamp};

use crate::moment::Moment;
use crate::output::{note, rfc3339};

/// Beyond this age of the newest event the line is always said.
const STALE_AFTER: Duration = Duration::from_secs(30 * 86_400);

/// After this many half-lives a thousandth of a score is left.
const HALF_LIVES_FADED: u32 = 10;

/// Says that `--at last` exists, if the read is at `now` and the newest event is
/// long gone for all of `decays`.
pub(super) fn hint(db: &TidalDB, moment: Moment, at: Timestamp, decays: &[DecaySpec]) {
    let Some(newest) = db.newest_event() else {
        return;
    };
    if moment == Moment::Now && is_stale(at.saturating_since(newest), decays) {
        note(&format!(
            "the newest event is of {}, so little is left now; `--at last` reads at that time",
            rfc3339(newest)
        ));
    }
}

fn is_stale(age: Duration, decays: &[DecaySpec]) -> bool {
    let faded = |decay: &DecaySpec| match decay {
        DecaySpec::Exponential { half_life } => age > half_life.saturating_mul(HALF_LIVES_FADED),
        DecaySpec::Linear { lifetime } => age > *lifetime,
        DecaySpec::Permanent => false,
    };
    age > STALE_AFTER || (!decays.is_empty() && decays.iter().all(faded))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stale_is_a_month_or_when_every_score_has_faded() {
        let hour = Duration::from_secs(3600);
        let hourly = DecaySpec::Exponential { half_life: hour };
        assert!(!is_stale(Duration::ZERO, &[hourly]));
        assert!(!is_stale(hour * 10, &[hourly]));
        assert!(is_stale(hour * 11, &[hourly]));
        assert!(!is_stale(hour * 11, &[hourly, DecaySpec::Permanent]));
        assert!(is_stale(hour * 2, &[DecaySpec::Linear { lifetime: hour }]));
        assert!(!is_stale(hour * 24 * 30, &[DecaySpec::Permanent]));
        assert!(is_stale(hour * 24 * 31, &[DecaySpec::Permanent]));
        assert!(!is_stale(hour, &[]));
    }
}

//! How writing to storage goes, and when to try again what has failed.
//!
//! H1. A failure is logged once, however often it comes again, until it is over.
//! H2. Cells are not written back again before a pause is over, which doubles with each
//!     failure in a row: while storage refuses everything, a commit costs no attempt.

use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use tidal_types::{TidalError, Timestamp};

/// How long write-back waits after its first failure.
const PAUSE_MIN: Duration = Duration::from_secs(1);

/// How long it waits at most.
const PAUSE_MAX: Duration = Duration::from_secs(60);

/// Why storage does not have what was to be written to it. Nothing is lost, the log has
/// everything; but what has changed stays in memory until it can be written, also over the
/// memory budget, and the log is not cut.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckpointFailure {
    /// What went wrong last, as the error says it.
    pub problem: String,
    /// When that was, by the clock of the database.
    pub at: Timestamp,
    /// How many attempts have failed in a row.
    pub in_a_row: u64,
}

/// What is tried.
#[derive(Debug, Clone, Copy)]
pub(super) enum Attempt {
    Checkpoint,
    WriteBack,
}

/// What has failed and has not succeeded since.
#[derive(Debug, Default)]
pub(super) struct Health(Mutex<Failures>);

#[derive(Debug, Default)]
struct Failures {
    checkpoint: Option<CheckpointFailure>,
    write_back: Option<CheckpointFailure>,
}

impl Health {
    fn failures(&self) -> MutexGuard<'_, Failures> {
        self.0.lock().expect("no thread panics while it notes a failure")
    }

    /// Notes a failure, and says whether it is the first of a streak.
    pub(super) fn failed(&self, attempt: Attempt, error: &TidalError, at: Timestamp) -> bool {
        let mut failures = self.failures();
        let failure = match attempt {
            Attempt::Checkpoint => &mut failures.checkpoint,
            Attempt::WriteBack => &mut failures.write_back,
        };
        let before = failure.as_ref().map_or(0, |failure| failure.in_a_row);
        *failure = Some(CheckpointFailure { problem: error.to_string(), at, in_a_row: before + 1 });
        before == 0
    }

    /// Notes a success, and says whether it ends a streak. A checkpoint has written the
    /// cells too.
    pub(super) fn succeeded(&self, attempt: Attempt) -> bool {
        let mut failures = self.failures();
        let written = failures.write_back.take().is_some();
        match attempt {
            Attempt::Checkpoint => failures.checkpoint.take().is_some() || written,
            Attempt::WriteBack => written,
        }
    }

    /// Whether cells may be written back at this time. A clock that went back ends the pause.
    pub(super) fn may_write_back(&self, now: Timestamp) -> bool {
        self.failures().write_back.as_ref().is_none_or(|failure| {
            let passed = now.as_nanos().checked_sub(failure.at.as_nanos());
            passed.is_none_or(|passed| Duration::from_nanos(passed) >= pause(failure.in_a_row))
        })
    }

    /// What failed last, and has not succeeded since.
    pub(super) fn failure(&self) -> Option<CheckpointFailure> {
        let failures = self.failures();
        let both = failures.checkpoint.iter().chain(&failures.write_back);
        both.max_by_key(|failure| failure.at).cloned()
    }
}

fn pause(in_a_row: u64) -> Duration {
    let doublings = u32::try_from(in_a_row.saturating_sub(1)).unwrap_or(u32::MAX);
    PAUSE_MIN.saturating_mul(2_u32.saturating_pow(doublings)).min(PAUSE_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn write_back_waits_longer_after_each_failure_h2() {
        let (health, error) = (Health::default(), TidalError::Closed);
        let mut now = 1000;
        for pause in [1, 2, 4, 8, 16, 32, 60, 60] {
            assert!(health.may_write_back(Timestamp::from_secs(now)));
            health.failed(Attempt::WriteBack, &error, Timestamp::from_secs(now));
            assert!(!health.may_write_back(Timestamp::from_secs(now + pause - 1)), "{pause}");
            now += pause;
        }
        health.failed(Attempt::WriteBack, &error, Timestamp::from_secs(now));
        assert!(health.may_write_back(Timestamp::from_secs(now - 1)), "the clock went back");
        assert!(health.succeeded(Attempt::WriteBack));
        assert!(health.may_write_back(Timestamp::from_secs(now)));
    }

    #[test]
    fn a_failure_is_told_once_until_it_is_over_h1() {
        let (health, error) = (Health::default(), TidalError::Closed);
        let at = Timestamp::from_secs;
        assert!(health.failed(Attempt::Checkpoint, &error, at(1)));
        assert!(!health.failed(Attempt::Checkpoint, &error, at(2)));
        assert!(health.failed(Attempt::WriteBack, &error, at(1)));
        let seen = health.failure().unwrap();
        assert_eq!((seen.at, seen.in_a_row, seen.problem), (at(2), 2, error.to_string()));
        assert!(health.succeeded(Attempt::WriteBack));
        assert!(!health.succeeded(Attempt::WriteBack));
        assert_eq!(health.failure().unwrap().in_a_row, 2, "the checkpoint has not succeeded");
        assert!(health.succeeded(Attempt::Checkpoint));
        assert_eq!(health.failure(), None);
        assert!(health.failed(Attempt::Checkpoint, &error, at(3)));
    }
}

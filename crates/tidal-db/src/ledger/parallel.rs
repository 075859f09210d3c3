//! Folding a long run of events by several threads.
//!
//! Y1. A shard belongs to one thread for the whole run, which folds its events in their
//!     order: each cell sees what it would have seen, bit for bit.

use std::num::NonZeroUsize;
use std::thread;

use tidal_types::{AcceptedEvent, Seq, TidalError};

use super::SignalLedger;
use super::shards::SHARDS;
use crate::Result;

/// A run has at least so many events for each thread: starting one takes as long as
/// folding a few hundred.
const EVENTS_PER_THREAD: usize = 4096;

/// More threads than this mostly wait for memory, and take cores from the application.
const THREADS_MAX: usize = 4;

impl SignalLedger {
    /// Folds a run of events, each as [`SignalLedger::apply`] does, a long run by several
    /// threads. While it goes on, a reader may see a later event of one entity and not yet
    /// an earlier one of another.
    ///
    /// # Errors
    /// The first failure in the order of the run that was found. Some events before and
    /// behind it may be folded then, and the same run can be folded again.
    pub fn apply_all(&self, run: &[(Seq, AcceptedEvent)]) -> Result<()> {
        self.apply_run(run).map_err(|(_, error)| error)
    }

    /// The same; a failure says of which record it is.
    pub(crate) fn apply_run(&self, run: &[(Seq, AcceptedEvent)]) -> Result<(), (Seq, TidalError)> {
        let cores = thread::available_parallelism().map_or(1, NonZeroUsize::get);
        self.apply_by(run, cores.min(THREADS_MAX).min(run.len() / EVENTS_PER_THREAD))
    }

    /// The same, by so many threads, this one included.
    pub(super) fn apply_by(
        &self,
        run: &[(Seq, AcceptedEvent)],
        threads: usize,
    ) -> Result<(), (Seq, TidalError)> {
        if threads < 2 {
            return self.apply_together(run);
        }
        let events = self.by_shard(run);
        let part = |number: usize| {
            let mut shards = (number..SHARDS).step_by(threads);
            shards.try_for_each(|shard| self.apply_shard(shard, &events))
        };
        let outcomes: Vec<_> = thread::scope(|scope| {
            let others: Vec<_> =
                (1..threads).map(|number| scope.spawn(move || part(number))).collect();
            let own = part(0);
            let joined =
                others.into_iter().map(|other| other.join().expect("a fold does not panic"));
            std::iter::once(own).chain(joined).collect()
        });
        let failures = outcomes.into_iter().filter_map(Result::err);
        failures.min_by_key(|(seq, _)| *seq).map_or(Ok(()), Err)
    }
}

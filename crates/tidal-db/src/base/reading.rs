//! The base as reads of the past see it: scores, counts and sums as of its last record.

use std::sync::Arc;

use tidal_types::{Clock, EntityId, Seq, SignalTypeDefinition, TidalError, Timestamp};

use super::{KeptBase, fold, reaches};
use crate::as_of::{AsOfClock, Base, FeatureValue, Measure};
use crate::log::RecordLog;
use crate::state::State;
use crate::{Result, checkpoint};

/// How many bytes of memory the cells of a base that is read may take.
const MEMORY_BUDGET: u64 = 64 << 20;

/// Keeps the base as it is, and the log from being cut by age, until it is dropped (A4).
#[derive(Debug)]
pub(crate) struct BaseHold<'a> {
    base: &'a KeptBase,
}

impl KeptBase {
    /// Holds the base. It waits while the base is brought forward.
    pub(crate) fn hold(&self) -> BaseHold<'_> {
        self.readers().count += 1;
        BaseHold { base: self }
    }
}

impl BaseHold<'_> {
    /// The base of a log that was cut; `None` when there is none that joins it.
    ///
    /// # Errors
    /// What the log and storage say.
    pub(crate) fn open(&self, log: &dyn RecordLog, clock: &dyn Clock) -> Result<Option<BaseState>> {
        let mut readers = self.base.readers();
        let (log_id, first) = (log.head().log_id, log.first_seq());
        let storage = match &readers.storage {
            Some(storage) => Arc::clone(storage),
            None => {
                let Some(storage) = self.base.place.open()? else {
                    return Ok(None);
                };
                if reaches(&*storage, log_id, first)?.is_none() {
                    storage.close()?;
                    return Ok(None);
                }
                let head = checkpoint::load_head(&*storage)?;
                if head.is_some_and(|(head, reach)| reach > head.position.seq) {
                    fold(&storage, log, Seq::ZERO)?;
                }
                readers.storage = Some(Arc::clone(&storage));
                storage
            }
        };
        drop(readers);
        let Some(loaded) = checkpoint::load(&*storage)? else {
            return Ok(None);
        };
        let last = loaded.head.position.seq;
        let state = loaded.into_state(&storage, Some(MEMORY_BUDGET))?;
        let logged_by = logged_by(log, last.next())?.unwrap_or_else(|| clock.now());
        Ok(Some(BaseState { state, last, logged_by }))
    }
}

impl Drop for BaseHold<'_> {
    fn drop(&mut self) {
        let mut readers = self.base.readers();
        readers.count -= 1;
        if readers.count == 0
            && let Some(storage) = readers.storage.take()
            && let Err(error) = storage.close()
        {
            tracing::warn!(%error, "the base was read and did not close well");
        }
    }
}

/// When a record was logged, if it is there. Log times never go back, so everything
/// before it was logged by then.
fn logged_by(log: &dyn RecordLog, seq: Seq) -> Result<Option<Timestamp>> {
    let mut logged_by = None;
    log.read_through(seq, seq, &mut |record| {
        logged_by = Some(record.log_time);
        Ok(())
    })?;
    Ok(logged_by)
}

/// The state as of the last record that the base holds.
#[derive(Debug)]
pub(crate) struct BaseState {
    state: State,
    last: Seq,
    /// Its last record was logged then or before.
    logged_by: Timestamp,
}

impl Base for BaseState {
    fn next_seq(&self) -> Seq {
        self.last.next()
    }

    fn answers_from(&self, clock: AsOfClock) -> Timestamp {
        let newest = self.state.ledger.newest_event().unwrap_or(Timestamp::MIN);
        match clock {
            AsOfClock::Event => newest,
            AsOfClock::Known => newest.max(self.logged_by),
        }
    }

    fn value(
        &self,
        signal: &SignalTypeDefinition,
        id: EntityId,
        measure: Measure,
        at: Timestamp,
    ) -> Result<FeatureValue, TidalError> {
        let ledger = &self.state.ledger;
        // A signal type that came after the base has no cells in it.
        let is_known = ledger.schema().signal_by_id(signal.id()).is_some();
        Ok(match measure {
            Measure::Count(_) | Measure::Velocity(_) if !is_known => FeatureValue::Whole(0),
            Measure::Score | Measure::Sum(_) if !is_known => FeatureValue::Real(0.0),
            Measure::Score => FeatureValue::Real(ledger.score(signal, id, at)?),
            Measure::Sum(window) => FeatureValue::Real(ledger.sum(signal, id, window, at)?),
            Measure::Count(window) | Measure::Velocity(window) => {
                FeatureValue::Whole(ledger.count(signal, id, window, at)?)
            }
        })
    }
}

//! Producers whose events were appended and did not come to be in the log.
//!
//! S1. From a failed commit on, nothing of its producer is taken until the
//!     producer goes back to the first event that failed: else a later event would
//!     make the earlier ones look like repeats when they are sent again.
//!     Each epoch has its own: a newer one that fails as well takes nothing back.
//! S2. The applier notes a failure before it counts the commit out, so whoever
//!     finds nothing on its way finds every failure noted.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard};

use tidal_types::{Producer, ProducerId, TidalError};

use crate::Result;
use crate::change::Entry;
use crate::producers::Last;

/// The first seq of each epoch that failed.
type Epochs = BTreeMap<u32, u64>;

/// The first event of each producer and epoch that failed.
#[derive(Debug, Default)]
pub(crate) struct Setbacks(Mutex<HashMap<ProducerId, Epochs>>);

impl Setbacks {
    fn lock(&self) -> MutexGuard<'_, HashMap<ProducerId, Epochs>> {
        self.0.lock().expect("no thread panics while it holds the setbacks")
    }

    /// Notes that none of these is in the log.
    pub(super) fn note(&self, entries: &[Entry]) {
        let producers = entries.iter().filter_map(|entry| entry.producer);
        let mut setbacks = self.lock();
        for producer in producers {
            let epochs = setbacks.entry(producer.id).or_default();
            let first = epochs.entry(producer.epoch).or_insert(producer.seq);
            *first = (*first).min(producer.seq);
        }
    }

    /// Whether one of these has a producer that had a setback.
    pub(super) fn concern(&self, entries: &[Entry]) -> bool {
        let setbacks = self.lock();
        let mut producers = entries.iter().filter_map(|entry| entry.producer);
        !setbacks.is_empty() && producers.any(|producer| setbacks.contains_key(&producer.id))
    }

    /// Refuses an event, the first new one of its producer in a commit, that comes
    /// behind one that failed.
    pub(super) fn check(&self, first_new: Producer) -> Result<()> {
        let Producer { id, epoch, seq: new } = first_new;
        let failed = self.lock().get(&id).and_then(|epochs| epochs.get(&epoch)).copied();
        match failed {
            Some(seq) if new > seq => Err(TidalError::ProducerBehind { producer: id, epoch, seq }),
            _ => Ok(()),
        }
    }

    /// Forgets the failures that these new events, on their way now, make good. If
    /// they fail too, they are noted again.
    pub(super) fn forget(&self, fresh: &HashMap<ProducerId, Last>) {
        self.retain(|id, epoch, first| {
            fresh.get(id).is_none_or(|&(fresh_epoch, seq)| fresh_epoch != epoch || seq < first)
        });
    }

    /// Forgets the epochs that these events, which are in the log, have fenced off.
    pub(super) fn settle(&self, entries: &[Entry]) {
        if self.lock().is_empty() {
            return;
        }
        for producer in entries.iter().filter_map(|entry| entry.producer) {
            self.retain(|&id, epoch, _| id != producer.id || epoch >= producer.epoch);
        }
    }

    fn retain(&self, keep: impl Fn(&ProducerId, u32, u64) -> bool) {
        self.lock().retain(|id, epochs| {
            epochs.retain(|&epoch, first| keep(id, epoch, *first));
            !epochs.is_empty()
        });
    }
}

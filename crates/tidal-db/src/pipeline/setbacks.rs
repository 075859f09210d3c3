//! Producers whose events were appended and did not come to be in the log.
//!
//! S1. From a failed commit on, nothing of its producer is taken until the
//!     producer goes back to the first event that failed: else a later event would
//!     make the earlier ones look like repeats when they are sent again.
//! S2. The applier notes a failure before it counts the commit out, so whoever
//!     finds nothing on its way finds every failure noted.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard};

use tidal_types::{Producer, ProducerId, TidalError};

use crate::Result;
use crate::change::Entry;
use crate::producers::{Last, last_of};

/// The first event of each producer that failed.
#[derive(Debug, Default)]
pub(crate) struct Setbacks(Mutex<HashMap<ProducerId, Last>>);

impl Setbacks {
    fn lock(&self) -> MutexGuard<'_, HashMap<ProducerId, Last>> {
        self.0.lock().expect("no thread panics while it holds the setbacks")
    }

    /// Notes that none of these is in the log.
    pub(super) fn note(&self, entries: &[Entry]) {
        let producers = entries.iter().filter_map(|entry| entry.producer);
        let mut setbacks = self.lock();
        for producer in producers {
            let first = setbacks.entry(producer.id).or_insert(last_of(producer));
            *first = (*first).min(last_of(producer));
        }
    }

    /// Whether one of these has a producer that must go back.
    pub(super) fn concern(&self, entries: &[Entry]) -> bool {
        let setbacks = self.lock();
        let mut producers = entries.iter().filter_map(|entry| entry.producer);
        !setbacks.is_empty() && producers.any(|producer| setbacks.contains_key(&producer.id))
    }

    /// Refuses an event, the first new one of its producer in a commit, that comes
    /// behind one that failed.
    pub(super) fn check(&self, first_new: Producer) -> Result<()> {
        match self.lock().get(&first_new.id) {
            Some(&(epoch, seq)) if first_new.epoch == epoch && first_new.seq > seq => {
                Err(TidalError::ProducerBehind { producer: first_new.id, epoch, seq })
            }
            _ => Ok(()),
        }
    }

    /// Forgets the failures that these new events have made good.
    pub(super) fn forget(&self, fresh: &HashMap<ProducerId, Last>) {
        self.lock().retain(|id, first| fresh.get(id).is_none_or(|last| last < first));
    }
}

//! Numbers for records that are kept nowhere.

use std::sync::{Arc, Mutex};

use tidal_types::{Clock, LogId, Seq, WalError};

use crate::batch::Batch;
use crate::dedup::Dedup;
use crate::key::ContentHasher;
use crate::options::DedupOptions;
use crate::queue::Placed;
use crate::ticket::Appended;
use crate::window::Window;

/// Gives out the numbers that a log would, and knows repeats as a log does, but keeps
/// no record: for databases in memory. Nothing of it survives.
#[derive(Debug)]
pub struct Numbering {
    clock: Arc<dyn Clock>,
    hasher: ContentHasher,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    next: Seq,
    dedup: Dedup,
}

impl Numbering {
    /// Before the first record.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, options: DedupOptions) -> Self {
        let DedupOptions { window, max_keys } = options;
        let (window, now) = (Window::new(window), clock.now());
        let dedup = Dedup::new(Arc::clone(&clock), max_keys, window, Seq::FIRST, now);
        let state = Mutex::new(State { next: Seq::FIRST, dedup });
        Self { clock, hasher: ContentHasher::new(LogId::from_bytes([0; 16])), state }
    }

    /// Gives the new records of a batch their numbers.
    ///
    /// # Errors
    /// [`WalError::KeyReused`], [`WalError::WindowFull`]; nothing is given out then.
    pub fn append(&self, batch: &Batch) -> Result<Appended, WalError> {
        let stamps = batch.stamps(&self.hasher);
        let state = &mut *self.state.lock().expect("no thread panics while it counts");
        let first = state.next;
        let repeats = state.dedup.enter(&stamps, first)?;
        let repeat_count = u32::try_from(repeats.len()).unwrap_or(u32::MAX);
        let new_count = batch.record_count().saturating_sub(repeat_count);
        state.next = first.plus(u64::from(new_count));
        if !stamps.is_empty() {
            state.dedup.stamp(state.next, self.clock.now());
        }
        Ok(Appended::new(Placed { first, new_count, repeats }))
    }

    /// The number that the next record gets.
    #[must_use]
    pub fn next_seq(&self) -> Seq {
        self.state.lock().expect("no thread panics while it counts").next
    }
}

//! The applier: the one thread that folds.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Duration;

use tidal_storage::Storage;
use tidal_types::{Position, Seq, TidalError, WalError};

use super::{BYTES_IN_FLIGHT_MAX, COMMITS_IN_FLIGHT_MAX, PendingCommit, Repeat, Setbacks, Work};
use crate::Result;
use crate::batch::{Committed, Outcome};
use crate::change::Entry;
use crate::checkpoint;
use crate::config::Retention;
use crate::log::{Appending, RecordLog};
use crate::producers::last_of;
use crate::state::State;

/// A checkpoint is due once metadata that storage does not have takes this much
/// memory, in bytes.
const OVERLAY_BYTES_MAX: u64 = 64 << 20;

/// How far the applier is, for everyone to see.
#[derive(Debug)]
pub(crate) struct Progress {
    applied: AtomicU64,
    checkpointed: AtomicU64,
    in_flight: Mutex<InFlight>,
    landed: Condvar,
}

/// Commits that were appended and are not folded yet.
#[derive(Debug, Default)]
struct InFlight {
    commits: usize,
    bytes: usize,
    /// Nothing lands any more: the applier is gone.
    abandoned: bool,
    /// Nothing is begun any more: the log has failed.
    failure: Option<WalError>,
}

impl InFlight {
    /// Whether a commit of this length has to wait.
    const fn is_full(&self, bytes: usize) -> bool {
        let too_long = self.commits > 0 && self.bytes + bytes > BYTES_IN_FLIGHT_MAX;
        !self.abandoned && (too_long || self.commits >= COMMITS_IN_FLIGHT_MAX)
    }

    const fn add(&mut self, bytes: usize) {
        self.commits += 1;
        self.bytes += bytes;
    }
}

impl Progress {
    pub(crate) fn new(applied: Seq, checkpointed: Seq) -> Self {
        Self {
            applied: AtomicU64::new(applied.get()),
            checkpointed: AtomicU64::new(checkpointed.get()),
            in_flight: Mutex::default(),
            landed: Condvar::new(),
        }
    }

    /// The last record that was folded.
    pub(crate) fn applied(&self) -> Seq {
        Seq::new(self.applied.load(Ordering::Acquire))
    }

    /// The last record that a checkpoint covers.
    pub(crate) fn checkpointed(&self) -> Seq {
        Seq::new(self.checkpointed.load(Ordering::Acquire))
    }

    fn in_flight(&self) -> MutexGuard<'_, InFlight> {
        self.in_flight.lock().expect(UNPOISONED)
    }

    /// Whether every commit that was appended has been folded or has failed.
    pub(crate) fn is_idle(&self) -> bool {
        self.in_flight().commits == 0
    }

    /// Counts a commit in, once there is room for it.
    pub(super) fn begin(&self, bytes: usize) {
        let is_full = |state: &mut InFlight| state.is_full(bytes);
        let mut state = self.landed.wait_while(self.in_flight(), is_full).expect(UNPOISONED);
        state.add(bytes);
    }

    /// Counts a commit in, if there is room for it.
    pub(super) fn try_begin(&self, bytes: usize) -> bool {
        let mut state = self.in_flight();
        let has_room = !state.is_full(bytes);
        if has_room {
            state.add(bytes);
        }
        has_room
    }

    /// What is told to who does not want to wait for room.
    pub(super) fn would_block(&self) -> TidalError {
        WalError::WouldBlock { queued: self.in_flight().bytes, max: BYTES_IN_FLIGHT_MAX }.into()
    }

    /// Waits until record `seq` is folded, at most for `timeout`. What is folded is
    /// told under the lock, when its commit is counted out. After a failure of the log
    /// that is waited for, since the record may be among those that were answered before.
    pub(crate) fn wait_applied(&self, seq: Seq, timeout: Duration) -> Result<()> {
        let not_yet = |state: &mut InFlight| {
            let has_failed = state.failure.is_some() && state.commits == 0;
            self.applied() < seq && !state.abandoned && !has_failed
        };
        let state = self.landed.wait_timeout_while(self.in_flight(), timeout, not_yet);
        let state = state.expect(UNPOISONED).0;
        match (self.applied(), &state.failure) {
            (reached, _) if reached >= seq => Ok(()),
            (_, Some(failure)) => Err(failure.clone().into()),
            (_, None) if state.abandoned => Err(TidalError::Closed),
            (reached, None) => Err(WalError::TimedOut { wanted: seq, reached }.into()),
        }
    }

    /// Lets nobody wait for what a log that failed will never have.
    pub(crate) fn fail(&self, failure: &WalError) {
        self.in_flight().failure.get_or_insert_with(|| failure.clone());
        self.landed.notify_all();
    }

    /// Lets nobody wait for room that will not come.
    pub(crate) fn abandon(&self) {
        self.in_flight().abandoned = true;
        self.landed.notify_all();
    }

    pub(super) fn end(&self, bytes: usize) {
        let mut state = self.in_flight();
        state.commits -= 1;
        state.bytes -= bytes;
        drop(state);
        self.landed.notify_all();
    }
}

const UNPOISONED: &str = "no thread panics while it counts";

/// What the applier works on.
#[derive(Debug)]
pub(crate) struct Applier {
    pub(crate) state: Arc<State>,
    pub(crate) storage: Arc<dyn Storage>,
    pub(crate) log: Arc<dyn RecordLog>,
    pub(crate) progress: Arc<Progress>,
    pub(crate) setbacks: Arc<Setbacks>,
    pub(crate) retention: Retention,
    /// A checkpoint is due after this many records.
    pub(crate) checkpoint_every: u64,
    /// The record at which a failed checkpoint was last tried.
    pub(crate) last_attempt: Seq,
}

impl Applier {
    /// Works until nobody can send any more, and everything sent is done.
    pub(crate) fn run(mut self, queue: &Receiver<Work>) {
        while let Ok(work) = queue.recv() {
            match work {
                Work::Commit(commit) => {
                    self.commit(commit);
                    self.checkpoint_when_due();
                }
                Work::Inspect(inspect) => inspect(&mut self),
            }
        }
    }

    fn commit(&self, commit: PendingCommit) {
        let PendingCommit { appending, entries, repeats, bytes, answer } = commit;
        let answered = match appending {
            Some(appending) => self.fold(appending, &entries, &repeats),
            None => self.settled(&repeats),
        };
        match answered {
            Ok(_) => self.setbacks.settle(&entries),
            Err(_) => self.setbacks.note(&entries),
        }
        self.progress.end(bytes);
        answer.complete(answered);
    }

    fn fold(
        &self,
        mut appending: Appending,
        entries: &[Entry],
        repeats: &[Repeat],
    ) -> Result<Committed> {
        let (mut seq, new_count) = (appending.first, appending.new_count);
        let mut duplicates = appending.take_duplicates().into_iter().peekable();
        appending.wait()?;
        let mut outcomes = Vec::with_capacity(entries.len() + repeats.len());
        let mut repeats = repeats.iter().peekable();
        for (place, entry) in entries.iter().enumerate() {
            while repeats.next_if(|repeat| repeat.place == outcomes.len()).is_some() {
                outcomes.push(Outcome::Duplicate { seq: None });
            }
            if let Some((_, original)) = duplicates.next_if(|&(duplicate, _)| duplicate == place) {
                outcomes.push(Outcome::Duplicate { seq: Some(original) });
                continue;
            }
            self.state.apply(seq, &entry.change, entry.producer);
            outcomes.push(Outcome::Appended { seq });
            seq = seq.next();
        }
        outcomes.extend(repeats.map(|_| Outcome::Duplicate { seq: None }));
        if new_count > 0 {
            self.progress.applied.store(seq.previous().get(), Ordering::Release);
        }
        Ok(self.committed(outcomes))
    }

    /// Answers a commit of repeats only. Everything before it is folded or has
    /// failed, so what the table does not have is not in the log.
    fn settled(&self, repeats: &[Repeat]) -> Result<Committed> {
        let producers = self.state.producers();
        for producer in repeats.iter().filter_map(|repeat| repeat.producer) {
            if producers.last(producer.id) < Some(last_of(producer)) {
                let (epoch, seq) = last_of(producer);
                return Err(TidalError::ProducerBehind { producer: producer.id, epoch, seq });
            }
        }
        Ok(self.committed(vec![Outcome::Duplicate { seq: None }; repeats.len()]))
    }

    fn committed(&self, outcomes: Vec<Outcome>) -> Committed {
        let position = Position { log_id: self.log.head().log_id, seq: self.progress.applied() };
        Committed { position, outcomes }
    }

    fn checkpoint_when_due(&mut self) {
        let applied = self.progress.applied();
        let last = self.progress.checkpointed().max(self.last_attempt);
        let overlay_is_large = self.state.metadata.memory_bytes() >= OVERLAY_BYTES_MAX
            && self.progress.checkpointed() >= self.last_attempt;
        if applied.get() - last.get() < self.checkpoint_every && !overlay_is_large {
            return;
        }
        self.last_attempt = applied;
        if let Err(error) = self.checkpoint() {
            // The log has everything; the next one is tried as many records on.
            tracing::error!(%error, "a checkpoint failed; nothing is lost, the log keeps it all");
        }
    }

    /// Writes a checkpoint of the state as it is.
    pub(crate) fn checkpoint(&mut self) -> Result<Position> {
        let applied = self.progress.applied();
        self.log.sync()?;
        let position = Position { log_id: self.log.head().log_id, seq: applied };
        if applied != self.progress.checkpointed() {
            checkpoint::write(&*self.storage, &self.state, position)?;
            self.progress.checkpointed.store(applied.get(), Ordering::Release);
        }
        self.log.checkpoint(applied)?;
        let capabilities = self.storage.capabilities();
        let checkpoint_lasts = capabilities.persistent && capabilities.survives_power_cut;
        if self.retention == Retention::UntilCheckpoint && checkpoint_lasts {
            self.log.truncate_before(applied.next())?;
        }
        Ok(position)
    }
}

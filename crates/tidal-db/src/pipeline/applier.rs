//! The applier: the one thread that folds.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock};
use std::time::Duration;

use tidal_storage::Storage;
use tidal_types::{Position, Seq, TidalError, WalError};

use super::{
    BYTES_IN_FLIGHT_MAX, COMMITS_IN_FLIGHT_MAX, PendingCommit, Repeat, Setbacks, Triggers, Work,
};
use crate::Result;
use crate::batch::{Committed, Outcome};
use crate::change::Entry;
use crate::checkpointer::{Desk, what_panicked};
use crate::log::{Appending, RecordLog};
use crate::producers::last_of;
use crate::state::State;

/// How far the applier is, for everyone to see.
#[derive(Debug)]
pub(crate) struct Progress {
    applied: AtomicU64,
    checkpointed: AtomicU64,
    in_flight: Mutex<InFlight>,
    landed: Condvar,
    /// Why nothing is folded any more.
    stuck: OnceLock<TidalError>,
}

/// Commits that were appended and are not folded yet.
#[derive(Debug, Default)]
struct InFlight {
    commits: usize,
    bytes: usize,
    /// Nothing lands any more: the applier is gone.
    abandoned: bool,
    /// Nothing is begun any more: the log has failed.
    failure: Option<TidalError>,
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
            stuck: OnceLock::new(),
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

    pub(crate) fn checkpointed_up_to(&self, seq: Seq) {
        self.checkpointed.store(seq.get(), Ordering::Release);
    }

    /// Why nothing is folded any more: a record could not be, and none is passed over.
    pub(crate) fn stuck(&self) -> Option<&TidalError> {
        self.stuck.get()
    }

    /// Says that this record could not be folded, and what everyone is told from now on.
    pub(super) fn get_stuck(&self, seq: Seq, source: TidalError) -> TidalError {
        let stuck = TidalError::NotFolded { seq, source: Box::new(source) };
        tracing::error!(error = %stuck, "nothing is folded any more; the log has everything");
        let stuck = self.stuck.get_or_init(|| stuck).clone();
        self.fail(&stuck);
        stuck
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
            (_, Some(failure)) => Err(failure.clone()),
            (_, None) if state.abandoned => Err(TidalError::Closed),
            (reached, None) => Err(WalError::TimedOut { wanted: seq, reached }.into()),
        }
    }

    /// Lets nobody wait for what a log that failed will never have.
    pub(crate) fn fail(&self, failure: &TidalError) {
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
    pub(crate) desk: Arc<Desk>,
    pub(crate) triggers: Triggers,
    /// Whether the checkpointer is told when memory is short.
    pub(crate) writes_back: bool,
}

impl Applier {
    /// Works until nobody can send any more, and everything sent is done.
    pub(crate) fn run(mut self, queue: &Receiver<Work>) {
        while let Ok(work) = queue.recv() {
            match work {
                Work::Commit(commit) => self.commit(commit),
                Work::Inspect(inspect) => {
                    // It changes nothing; its answer is dropped, which tells who waits.
                    let inspect = AssertUnwindSafe(|| inspect(&mut self));
                    if let Err(panic) = catch_unwind(inspect) {
                        let problem = what_panicked(&*panic);
                        tracing::error!(problem, "looking at the state panicked");
                    }
                }
            }
            self.serve_checkpointer();
        }
    }

    fn commit(&mut self, commit: PendingCommit) {
        let PendingCommit { appending, entries, repeats, bytes, answer } = commit;
        let answered = match (self.progress.stuck(), appending) {
            (Some(stuck), _) => Err(stuck.clone()),
            (None, Some(appending)) => {
                let first = appending.first;
                // Else the log would go on to take what nobody folds (W5).
                let fold = AssertUnwindSafe(|| self.fold(appending, &entries, &repeats));
                catch_unwind(fold)
                    .unwrap_or_else(|panic| Err(self.progress.get_stuck(first, panicked(&*panic))))
            }
            (None, None) => self.settled(&repeats),
        };
        match answered {
            Ok(_) => self.setbacks.settle(&entries),
            Err(_) => self.setbacks.note(&entries),
        }
        self.triggers.count(bytes);
        self.progress.end(bytes);
        answer.complete(answered);
    }

    /// Hands out the frozen state if it is asked for, and says when it should be.
    fn serve_checkpointer(&mut self) {
        let applied = self.progress.applied();
        let frozen = self.desk.freeze_if_asked(|| match self.progress.stuck() {
            // A part of a commit may be folded.
            Some(stuck) => Err(stuck.clone()),
            None => {
                let log_id = self.log.head().log_id;
                Ok(self.state.freeze(Position { log_id, seq: applied }))
            }
        });
        if frozen {
            self.triggers.frozen_at(applied);
        }
        let overlay = self.state.overlay_bytes();
        if self.triggers.is_due(applied, self.progress.checkpointed(), overlay) {
            self.desk.is_due();
        }
        if self.writes_back && self.state.ledger.needs_write_back() {
            self.desk.needs_write_back();
        }
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
        self.state.ledger.log_goes_to(seq.plus(new_count).previous());
        self.state.ledger.wait_for_write_back();
        let mut outcomes = Vec::with_capacity(entries.len() + repeats.len());
        let mut new = Vec::with_capacity(entries.len());
        let mut repeats = repeats.iter().peekable();
        for (place, entry) in entries.iter().enumerate() {
            while repeats.next_if(|repeat| repeat.place == outcomes.len()).is_some() {
                outcomes.push(Outcome::Duplicate { seq: None });
            }
            if let Some((_, original)) = duplicates.next_if(|&(duplicate, _)| duplicate == place) {
                outcomes.push(Outcome::Duplicate { seq: Some(original) });
                continue;
            }
            new.push((seq, &entry.change, entry.producer));
            outcomes.push(Outcome::Appended { seq });
            seq = seq.next();
        }
        outcomes.extend(repeats.map(|_| Outcome::Duplicate { seq: None }));
        let folded = self.state.apply_commit(new.into_iter());
        folded.map_err(|(seq, error)| self.progress.get_stuck(seq, error))?;
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
}

/// Why a commit is not folded: an engine may panic when it reads a damaged file.
fn panicked(panic: &(dyn std::any::Any + Send)) -> TidalError {
    let problem = format!("it panicked ({}); report it", what_panicked(panic));
    TidalError::Damaged { location: "what the fold reads".into(), problem }
}

//! The gate: where commits get their place in the log.
//!
//! Under one lock a commit is checked against what is decided or about to be,
//! appended, and put into the applier's queue; so the queue has the order of the
//! log.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex, MutexGuard};

use tidal_types::{EntityId, EntityKind, TidalError};
use tidal_wal::{Batch, completion};

use super::applier::Progress;
use super::{PendingCommit, Ticket, Work};
use crate::Result;
use crate::change::Change;
use crate::kinds::IdMode;
use crate::log::RecordLog;
use crate::state::State;

/// Where commits get their place in the log.
#[derive(Debug)]
pub(crate) struct Gate {
    log: Arc<dyn RecordLog>,
    state: Arc<State>,
    progress: Arc<Progress>,
    /// Beside the lock, so that a read never waits behind a writer.
    closed: AtomicBool,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    /// `None` once the database is shut down.
    queue: Option<SyncSender<Work>>,
    pending: Pending,
}

/// What commits that are not folded yet will decide.
#[derive(Debug, Default)]
struct Pending {
    modes: [Option<IdMode>; EntityKind::ALL.len()],
    names: HashMap<(EntityKind, Vec<u8>), EntityId>,
    last_ids: [u64; EntityKind::ALL.len()],
}

/// The kinds whose entities a commit names by id.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct UsedIds([Option<UsedId>; EntityKind::ALL.len()]);

/// One of the ids that a commit uses of a kind, for the error.
#[derive(Debug, Clone, Copy)]
struct UsedId {
    id: EntityId,
    /// Whether every id of the kind was found to have a name.
    has_name: bool,
}

impl UsedIds {
    pub(crate) fn note(&mut self, kind: EntityKind, id: EntityId, has_name: bool) {
        if let Some(slot) = self.0.get_mut(kind.index()) {
            let used = slot.get_or_insert(UsedId { id, has_name });
            used.has_name &= has_name;
        }
    }

    fn iter(self) -> impl Iterator<Item = (EntityKind, UsedId)> {
        EntityKind::ALL.into_iter().zip(self.0).filter_map(|(kind, used)| Some((kind, used?)))
    }
}

impl Gate {
    pub(crate) fn new(
        log: Arc<dyn RecordLog>,
        state: Arc<State>,
        progress: Arc<Progress>,
        queue: SyncSender<Work>,
    ) -> Self {
        let inner = Mutex::new(Inner { queue: Some(queue), pending: Pending::default() });
        Self { log, state, progress, closed: AtomicBool::new(false), inner }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        let mut inner = self.inner.lock().expect("no thread panics in the gate");
        if self.progress.is_idle() {
            // Everything is folded or has failed: nothing is pending.
            inner.pending = Pending::default();
        }
        inner
    }

    /// Appends changes that use ids the application chose or was given before.
    pub(crate) fn commit(
        &self,
        batch: &Batch,
        changes: Vec<Change>,
        used: UsedIds,
    ) -> Result<Ticket> {
        let mut inner = self.lock();
        for (kind, UsedId { id, has_name }) in used.iter() {
            let mode = self.state.kinds.mode(kind).or_else(|| inner.pending.mode(kind));
            // The kind may have come to be named since the ids were looked at.
            if mode == Some(IdMode::Named) && !has_name {
                return Err(TidalError::KindIsNamed { kind, id });
            }
        }
        let ticket = self.append(&inner, batch, changes)?;
        for (kind, _) in used.iter() {
            if self.state.kinds.mode(kind).is_none() {
                inner.pending.set_mode(kind, IdMode::Numeric);
            }
        }
        Ok(ticket)
    }

    /// Appends the assignment of ids to those of `names` that have none, and
    /// returns what to wait for. When all of them have one, or are about to get
    /// one, there is nothing to append.
    pub(crate) fn assign(&self, kind: EntityKind, names: &[&[u8]]) -> Result<Option<Ticket>> {
        let mut inner = self.lock();
        let mode = self.state.kinds.mode(kind).or_else(|| inner.pending.mode(kind));
        if mode == Some(IdMode::Numeric) {
            return Err(TidalError::KindIsNumeric { kind });
        }
        let mut batch = Batch::new();
        let mut changes = Vec::new();
        let mut payload = Vec::new();
        let mut last_id = inner.pending.last_id(kind).max(self.state.names().last_id(kind));
        let mut assigned = HashMap::new();
        {
            let known = self.state.names();
            for &name in names {
                let key = (kind, name.to_vec());
                if known.find(kind, name).is_some()
                    || inner.pending.names.contains_key(&key)
                    || assigned.contains_key(&key)
                {
                    continue;
                }
                last_id += 1;
                let id = EntityId::new(last_id);
                let change = Change::AssignName { kind, id, name: name.to_vec() };
                payload.clear();
                let record_kind = crate::record::encode(&change, &mut payload);
                batch.push(record_kind, &payload)?;
                changes.push(change);
                assigned.insert(key, id);
            }
        }
        if changes.is_empty() {
            return Ok(None);
        }
        let ticket = self.append(&inner, &batch, changes)?;
        inner.pending.set_mode(kind, IdMode::Named);
        inner.pending.set_last_id(kind, last_id);
        inner.pending.names.extend(assigned);
        Ok(Some(ticket))
    }

    /// Forgets names whose assignment was waited for.
    pub(crate) fn forget(&self, kind: EntityKind, names: &[&[u8]]) {
        let mut inner = self.lock();
        for name in names {
            inner.pending.names.remove(&(kind, name.to_vec()));
        }
    }

    fn append(&self, inner: &Inner, batch: &Batch, changes: Vec<Change>) -> Result<Ticket> {
        let queue = inner.queue.as_ref().ok_or(TidalError::Closed)?;
        let (answer, pending) = completion();
        let bytes = batch.byte_len();
        self.progress.begin(bytes);
        let appending = self.log.append(batch).inspect_err(|_| self.progress.end(bytes))?;
        let commit = PendingCommit { appending, changes, bytes, answer };
        // The applier lives as long as this sender, unless it panicked; then the
        // commit comes back and its answer is dropped, which tells the caller.
        drop(queue.send(Work::Commit(commit)));
        Ok(Ticket::new(pending))
    }

    /// Has the applier do something while the state stands still, and returns
    /// what it came to.
    pub(crate) fn inspect<T: Send + 'static>(
        &self,
        inspect: impl FnOnce(&mut super::Applier) -> T + Send + 'static,
    ) -> Result<T> {
        let (answer, pending) = completion();
        {
            let inner = self.lock();
            let queue = inner.queue.as_ref().ok_or(TidalError::Closed)?;
            let work = Work::Inspect(Box::new(move |applier| answer.complete(inspect(applier))));
            drop(queue.send(work));
        }
        pending.wait().ok_or(TidalError::Closed)
    }

    /// Lets nothing more in; the applier ends once it has done what is queued.
    /// False when that had happened before.
    pub(crate) fn close(&self) -> bool {
        self.closed.store(true, Ordering::Release);
        self.lock().queue.take().is_some()
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }
}

impl Pending {
    fn mode(&self, kind: EntityKind) -> Option<IdMode> {
        self.modes.get(kind.index()).copied().flatten()
    }

    fn set_mode(&mut self, kind: EntityKind, mode: IdMode) {
        if let Some(pending) = self.modes.get_mut(kind.index()) {
            pending.get_or_insert(mode);
        }
    }

    fn last_id(&self, kind: EntityKind) -> u64 {
        self.last_ids.get(kind.index()).copied().unwrap_or_default()
    }

    fn set_last_id(&mut self, kind: EntityKind, last_id: u64) {
        if let Some(pending) = self.last_ids.get_mut(kind.index()) {
            *pending = last_id;
        }
    }
}

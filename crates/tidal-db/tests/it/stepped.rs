//! A storage in memory whose commits a test lets through one by one.

use std::sync::{Arc, Condvar, Mutex, MutexGuard};

use tidal_db::{MemoryStorage, Storage, StorageError};
use tidal_storage::{AtomicBatch, Durability, Result};

use crate::forwarding::forward_to_storage;

/// What becomes of a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Done,
    /// Nothing is written, and its caller is told.
    Failed,
}

/// A storage in memory that outlives the database, and whose commits may have to wait.
#[derive(Debug)]
pub(crate) struct Stepped {
    storage: Arc<MemoryStorage>,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    is_holding: bool,
    waiting: usize,
    verdicts: Vec<Verdict>,
    /// Commits that were durable, which the last one of a checkpoint is.
    synced: usize,
    /// Commits of any kind.
    commits: usize,
    /// Who does something beside the test is done.
    done: usize,
}

impl Stepped {
    pub(crate) fn over(storage: &Arc<MemoryStorage>) -> Arc<Self> {
        let storage = Arc::clone(storage);
        Arc::new(Self { storage, state: Mutex::default(), changed: Condvar::new() })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.lock());
        self.changed.notify_all();
    }

    /// From now on every commit waits for a step, until what is returned is dropped: a test
    /// that fails lets go, and so ends.
    pub(crate) fn hold(&self) -> Held<'_> {
        self.change(|state| state.is_holding = true);
        Held(self)
    }

    /// Lets everything through that waits, and from now on all.
    pub(crate) fn release(&self, verdict: Verdict) {
        self.change(|state| {
            state.is_holding = false;
            state.verdicts = vec![verdict; state.waiting];
        });
    }

    /// Says that whoever makes commits beside the test is done.
    pub(crate) fn done(&self) {
        self.change(|state| state.done += 1);
    }

    /// Waits until a commit waits, or `done` were done; says whether a commit waits.
    pub(crate) fn wait(&self, done: usize) -> bool {
        let none = |state: &mut State| state.waiting == 0 && state.done < done;
        self.changed.wait_while(self.lock(), none).unwrap().waiting > 0
    }

    /// Lets the commit that waits through.
    pub(crate) fn step(&self, verdict: Verdict) {
        let mut state = self.lock();
        assert!(state.waiting > 0, "no commit waits");
        state.waiting -= 1;
        state.verdicts.push(verdict);
        drop(state);
        self.changed.notify_all();
    }

    /// Waits until there were so many durable commits.
    pub(crate) fn wait_for_synced(&self, synced: usize) {
        let few = |state: &mut State| state.synced < synced;
        drop(self.changed.wait_while(self.lock(), few).unwrap());
    }

    pub(crate) fn commits(&self) -> usize {
        self.lock().commits
    }

    fn let_through(&self) -> Verdict {
        let mut state = self.lock();
        if !state.is_holding {
            return Verdict::Done;
        }
        state.waiting += 1;
        self.changed.notify_all();
        let none = |state: &mut State| state.verdicts.is_empty() && state.is_holding;
        let mut state = self.changed.wait_while(state, none).unwrap();
        if !state.is_holding {
            state.waiting = 0;
        }
        state.verdicts.pop().unwrap_or(Verdict::Done)
    }
}

impl Storage for Stepped {
    forward_to_storage!();

    fn commit(&self, batch: AtomicBatch, durability: Durability) -> Result<()> {
        if self.let_through() == Verdict::Failed {
            return Err(StorageError::Poisoned { path: "memory".into() });
        }
        self.storage.commit(batch, durability)?;
        self.change(|state| {
            state.commits += 1;
            state.synced += usize::from(durability == Durability::Sync);
        });
        Ok(())
    }

    /// The storage stays as it is, as a disk would.
    fn close(&self) -> Result<()> {
        Ok(())
    }
}

/// Lets everything through that waits, when it is dropped.
pub(crate) struct Held<'a>(&'a Stepped);

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.0.release(Verdict::Failed);
    }
}

/// A storage that does something before each commit.
pub(crate) struct Hooked {
    pub(crate) storage: Arc<Stepped>,
    pub(crate) before_commit: Box<dyn Fn() + Send + Sync>,
}

impl std::fmt::Debug for Hooked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.storage.fmt(f)
    }
}

impl Storage for Hooked {
    forward_to_storage!();

    fn commit(&self, batch: AtomicBatch, durability: Durability) -> Result<()> {
        (self.before_commit)();
        self.storage.commit(batch, durability)
    }

    fn close(&self) -> Result<()> {
        self.storage.close()
    }
}

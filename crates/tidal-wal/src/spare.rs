//! The spare: the next segment's file, filled with zeros and synced ahead of its
//! use, so that going on in a new segment costs a header and not its whole length.
//!
//! E1. A spare has a temporary name, so a crash leaves a file that the next opening
//!     removes.
//! E2. Failing to make one is no error: whoever needs the segment makes it then, and
//!     is told what is wrong.
//! E3. One is made at a time, and who wants it waits for it: nobody else writes to a
//!     file of its name. Once the handle is dropped, nothing touches the disk.

use std::path::PathBuf;
use std::sync::Arc;

use tidal_types::WalError;

use crate::disk::{Disk, DiskFile, failed};
use crate::format::SegmentNumber;
use crate::names;
use crate::sync::{Condvar, JoinHandle, Mutex, MutexGuard, spawn};

/// Which file is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Order {
    pub(crate) number: SegmentNumber,
    pub(crate) bytes: u64,
}

/// The handle of who orders spares and takes them.
#[derive(Debug)]
pub(crate) struct Spares {
    workshop: Arc<Workshop>,
    /// `None` when spares are made by [`Spares::make_ordered`] alone.
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Workshop {
    disk: Arc<dyn Disk>,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
enum State {
    Idle,
    Ordered(Order),
    Making,
    Made(Order, Arc<dyn DiskFile>),
    Closed,
}

const UNPOISONED: &str = "no thread panics while it holds the spare";

impl Spares {
    /// Without a thread that makes them.
    pub(crate) fn new(disk: &Arc<dyn Disk>) -> Self {
        let workshop = Workshop {
            disk: Arc::clone(disk),
            state: Mutex::new(State::Idle),
            changed: Condvar::new(),
        };
        Self { workshop: Arc::new(workshop), thread: None }
    }

    /// Starts a thread that makes what is ordered, for the log at `path`.
    pub(crate) fn start_thread(&mut self, path: PathBuf) -> Result<(), WalError> {
        let workshop = Arc::clone(&self.workshop);
        let make_ordered = move || {
            while let Some(order) = workshop.wait_for_order() {
                workshop.make(order);
            }
        };
        let thread = spawn("tidal-wal-spare", make_ordered);
        self.thread = Some(thread.map_err(failed("start a thread for", path))?);
        Ok(())
    }

    /// Makes what is ordered, on this thread.
    #[cfg(any(test, feature = "sim"))]
    pub(crate) fn make_ordered(&self) {
        let order = self.workshop.begin(&mut self.workshop.lock());
        if let Some(order) = order {
            self.workshop.make(order);
        }
    }

    /// Asks for a spare, unless another one is asked for or made.
    pub(crate) fn order(&self, order: Order) {
        let mut state = self.workshop.lock();
        if matches!(*state, State::Idle) {
            *state = State::Ordered(order);
            self.workshop.changed.notify_all();
        }
    }

    /// The file, if it was made. Otherwise it is no longer ordered, and its name is
    /// free to use.
    pub(crate) fn take(&self, order: Order) -> Option<Arc<dyn DiskFile>> {
        let state = self.workshop.lock();
        let mut state = self
            .workshop
            .changed
            .wait_while(state, |state| matches!(state, State::Making))
            .expect(UNPOISONED);
        match std::mem::replace(&mut *state, State::Idle) {
            State::Made(made, file) if made == order => Some(file),
            _ => None,
        }
    }
}

impl Drop for Spares {
    fn drop(&mut self) {
        let state = std::mem::replace(&mut *self.workshop.lock(), State::Closed);
        self.workshop.changed.notify_all();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread that makes segments ahead panicked");
        }
        if let State::Made(order, _) = state {
            self.workshop.discard(order);
        }
    }
}

impl Workshop {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect(UNPOISONED)
    }

    /// The next order, which is then being made; `None` when none will come.
    fn wait_for_order(&self) -> Option<Order> {
        let state = self.lock();
        let mut state = self
            .changed
            .wait_while(state, |state| !matches!(state, State::Ordered(_) | State::Closed))
            .expect(UNPOISONED);
        self.begin(&mut state)
    }

    fn begin(&self, state: &mut State) -> Option<Order> {
        let State::Ordered(order) = *state else {
            return None;
        };
        *state = State::Making;
        Some(order)
    }

    fn make(&self, order: Order) {
        let file = self.fill(order);
        if let Err(error) = &file {
            tracing::warn!(%error, "no segment could be made ahead");
        }
        let mut state = self.lock();
        let is_wanted = matches!(*state, State::Making);
        match file {
            Ok(file) if is_wanted => *state = State::Made(order, file),
            // Still being made for whoever waits, until it is out of the way.
            _ => {
                drop(state);
                self.discard(order);
                state = self.lock();
                if matches!(*state, State::Making) {
                    *state = State::Idle;
                }
            }
        }
        drop(state);
        self.changed.notify_all();
    }

    fn fill(&self, order: Order) -> Result<Arc<dyn DiskFile>, WalError> {
        let name = names::temporary(&names::segment(order.number));
        let path = || self.disk.path(&name);
        let file = self.disk.create(&name, order.bytes).map_err(failed("create", path()))?;
        file.sync().map_err(failed("sync", path()))?;
        Ok(file)
    }

    /// Removes a spare that nobody needs. If that fails, the next opening does it.
    fn discard(&self, order: Order) {
        let name = names::temporary(&names::segment(order.number));
        if let Err(error) = self.disk.remove(&name) {
            tracing::warn!(%error, "a spare segment stays for now");
        }
    }
}

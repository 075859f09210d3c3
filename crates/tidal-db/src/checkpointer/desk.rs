//! Where the checkpointer gets its orders, and the applier its own.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::SyncSender;
use std::sync::{Condvar, Mutex, MutexGuard};
use std::time::Duration;

use tidal_types::{Position, TidalError};
use tidal_wal::{Completer, completion};

use super::died;
use super::health::Health;
use crate::Result;
use crate::pipeline::Work;
use crate::state::FrozenState;

/// Where the checkpointer gets its orders.
#[derive(Debug)]
pub(crate) struct Desk {
    orders: Mutex<Orders>,
    changed: Condvar,
    /// The applier is to freeze the state; beside the lock, which it takes only then.
    wants_frozen: AtomicBool,
    /// A checkpoint is due.
    is_due: AtomicBool,
    /// Memory is short: cells are to be written.
    needs_write_back: AtomicBool,
    pub(super) health: Health,
}

struct Orders {
    /// Who waits for a checkpoint that is not frozen yet.
    asking: Vec<Completer<Result<Position>>>,
    frozen: Option<Order>,
    /// The applier was asked to freeze the state.
    is_asked: bool,
    /// Wakes the applier, which ends when nobody can.
    applier: Option<SyncSender<Work>>,
    is_applier_gone: bool,
    is_stopping: bool,
    problem: Option<String>,
}

/// A checkpoint to write, and who waits for it.
#[derive(Debug)]
pub(super) struct Order {
    /// An error where the state is not as of any record.
    pub(super) frozen: Result<FrozenState>,
    pub(super) asking: Vec<Completer<Result<Position>>>,
}

/// What the checkpointer does next.
#[derive(Debug)]
pub(super) enum Task {
    Checkpoint(Order),
    WriteBack,
    /// Nothing, for as long as was to be waited.
    Idle,
    End,
}

impl Orders {
    /// Tells everyone who waits that no checkpoint comes.
    fn refuse(&mut self) {
        let frozen = self.frozen.take().into_iter().flat_map(|order| order.asking);
        for asking in self.asking.drain(..).chain(frozen) {
            asking.complete(Err(TidalError::Closed));
        }
    }
}

impl std::fmt::Debug for Orders {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Orders").field("asking", &self.asking.len()).finish_non_exhaustive()
    }
}

const UNPOISONED: &str = "no thread panics at the desk";

impl Desk {
    pub(crate) fn new(applier: SyncSender<Work>) -> Self {
        let orders = Orders {
            asking: Vec::new(),
            frozen: None,
            is_asked: false,
            applier: Some(applier),
            is_applier_gone: false,
            is_stopping: false,
            problem: None,
        };
        Self {
            orders: Mutex::new(orders),
            changed: Condvar::new(),
            wants_frozen: AtomicBool::new(false),
            is_due: AtomicBool::new(false),
            needs_write_back: AtomicBool::new(false),
            health: Health::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Orders> {
        self.orders.lock().expect(UNPOISONED)
    }

    /// Changes the orders, and wakes who waits for them.
    fn change<T>(&self, change: impl FnOnce(&mut Orders) -> T) -> T {
        let changed = change(&mut self.lock());
        self.changed.notify_all();
        changed
    }

    /// Waits for a checkpoint that is frozen from now on (K2).
    pub(super) fn checkpoint(&self) -> Result<Position> {
        let (answer, pending) = completion();
        self.change(|orders| match &orders.problem {
            Some(problem) => Err(died(problem)),
            None if orders.is_stopping => Err(TidalError::Closed),
            None => {
                orders.asking.push(answer);
                Ok(())
            }
        })?;
        pending.wait().unwrap_or_else(|| {
            // Its answer was dropped by a panic, which is about to be told.
            let untold = |orders: &mut Orders| orders.problem.is_none();
            let orders = self.changed.wait_while(self.lock(), untold).expect(UNPOISONED);
            Err(died(orders.problem.as_deref().unwrap_or_default()))
        })
    }

    /// Says that a checkpoint is due, without waiting for it.
    pub(crate) fn is_due(&self) {
        if !self.is_due.swap(true, Ordering::AcqRel) {
            self.change(|_| ());
        }
    }

    /// Says that memory is short, without waiting for more.
    pub(crate) fn needs_write_back(&self) {
        if !self.needs_write_back.swap(true, Ordering::AcqRel) {
            self.change(|_| ());
        }
    }

    /// Freezes the state if the checkpointer asks for it, and says whether it did. For
    /// the applier, between two commits (K1).
    pub(crate) fn freeze_if_asked(&self, freeze: impl FnOnce() -> Result<FrozenState>) -> bool {
        if !self.wants_frozen.load(Ordering::Acquire) {
            return false;
        }
        self.change(|orders| {
            if !self.wants_frozen.swap(false, Ordering::AcqRel) {
                return false;
            }
            self.is_due.store(false, Ordering::Release);
            let asking = std::mem::take(&mut orders.asking);
            orders.frozen = Some(Order { frozen: freeze(), asking });
            true
        })
    }

    /// The applier freezes nothing any more.
    pub(crate) fn applier_is_gone(&self) {
        self.change(|orders| orders.is_applier_gone = true);
    }

    pub(super) fn let_go_of_applier(&self) {
        self.change(|orders| orders.applier = None);
    }

    pub(super) fn stop(&self) {
        self.change(|orders| orders.is_stopping = true);
    }

    pub(super) fn is_stopping(&self) -> bool {
        self.lock().is_stopping
    }

    /// Answers nobody any more but with what went wrong (K5).
    pub(super) fn die(&self, problem: &str) {
        self.change(|orders| {
            orders.problem = Some(problem.into());
            orders.asking.clear();
            orders.frozen = None;
        });
    }

    /// What to do next. When nothing is to be done for as long as `patience`, a checkpoint
    /// is, if there is `news`.
    pub(super) fn next(&self, patience: Duration, news: impl Fn() -> bool) -> Task {
        let mut orders = self.lock();
        loop {
            if orders.is_stopping {
                orders.refuse();
                return Task::End;
            }
            if let Some(order) = orders.frozen.take() {
                orders.is_asked = false;
                return Task::Checkpoint(order);
            }
            if self.needs_write_back.swap(false, Ordering::AcqRel) {
                return Task::WriteBack;
            }
            let is_wanted = !orders.asking.is_empty() || self.is_due.load(Ordering::Acquire);
            if is_wanted && orders.is_applier_gone {
                orders.refuse();
                orders.is_asked = false;
                self.is_due.store(false, Ordering::Release);
                self.wants_frozen.store(false, Ordering::Release);
            } else if is_wanted && !orders.is_asked {
                orders.is_asked = true;
                self.wants_frozen.store(true, Ordering::Release);
                if let Some(applier) = &orders.applier {
                    // A full queue keeps the applier awake, and it looks after each commit.
                    drop(applier.try_send(Work::Inspect(Box::new(|_| ()))));
                }
            } else if orders.is_asked || patience == Duration::MAX {
                orders = self.changed.wait(orders).expect(UNPOISONED);
            } else {
                let waited = self.changed.wait_timeout(orders, patience);
                let (woken, timeout) = waited.expect(UNPOISONED);
                orders = woken;
                if timeout.timed_out() {
                    if !news() {
                        return Task::Idle;
                    }
                    self.is_due.store(true, Ordering::Release);
                }
            }
        }
    }
}

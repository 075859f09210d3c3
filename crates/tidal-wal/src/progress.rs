//! How far the log is durable and where its cursors are, for everyone who waits for
//! either.
//!
//! H1. Whoever waits looks under the lock under which what it waits for is changed,
//!     so no wake-up is lost.
//! H2. The end of the log wakes everyone; what was reached before it stays reached.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tidal_types::{Seq, WalError};

use crate::shared::Durable;
use crate::sync::{Condvar, Mutex, MutexGuard};

/// How far everything is.
#[derive(Debug)]
pub(crate) struct Progress {
    state: Mutex<State>,
    durable_moved: Condvar,
    cursor_moved: Condvar,
}

#[derive(Debug)]
pub(crate) struct State {
    pub(crate) durable: Durable,
    pub(crate) cursors: BTreeMap<String, CursorState>,
    /// The first record that each hold keeps from truncation.
    pub(crate) holds: BTreeMap<u64, Seq>,
    end: Option<End>,
    listeners: Listeners,
}

/// Who is told when the log fails.
#[derive(Default)]
struct Listeners(Vec<Listener>);

/// What is called with the failure of the log.
pub(crate) type Listener = Box<dyn FnOnce(&WalError) + Send>;

impl fmt::Debug for Listeners {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} listeners", self.0.len())
    }
}

/// A cursor of an open log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CursorState {
    /// The last record that was committed.
    pub(crate) place: Seq,
    /// Whether there is a handle to it.
    pub(crate) in_use: bool,
}

/// Why nothing will move any more.
#[derive(Debug, Clone)]
enum End {
    Failed(Arc<WalError>),
    Closed(WalError),
}

impl State {
    fn check(&self) -> Result<(), WalError> {
        match &self.end {
            None => Ok(()),
            Some(End::Failed(cause)) => Err(WalError::Poisoned { cause: Arc::clone(cause) }),
            Some(End::Closed(error)) => Err(error.clone()),
        }
    }

    /// The last durable record.
    pub(crate) const fn head(&self) -> Seq {
        self.durable.next_seq.previous()
    }
}

impl Progress {
    pub(crate) fn new(durable: Durable, places: &BTreeMap<String, Seq>) -> Self {
        let unused = |(name, place): (&String, &Seq)| {
            (name.clone(), CursorState { place: *place, in_use: false })
        };
        let cursors = places.iter().map(unused).collect();
        Self {
            state: Mutex::new(State {
                durable,
                cursors,
                holds: BTreeMap::new(),
                end: None,
                listeners: Listeners::default(),
            }),
            durable_moved: Condvar::new(),
            cursor_moved: Condvar::new(),
        }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect(UNPOISONED)
    }

    pub(crate) fn set_durable(&self, durable: Durable) {
        self.lock().durable = durable;
        self.durable_moved.notify_all();
    }

    /// Changes the cursors and wakes who waits for one.
    pub(crate) fn change_cursors(&self, change: impl FnOnce(&mut BTreeMap<String, CursorState>)) {
        change(&mut self.lock().cursors);
        self.cursor_moved.notify_all();
    }

    /// The log failed.
    pub(crate) fn fail(&self, cause: &Arc<WalError>) {
        self.end(End::Failed(Arc::clone(cause)));
    }

    /// The log was closed.
    pub(crate) fn close(&self, error: WalError) {
        self.end(End::Closed(error));
    }

    fn end(&self, end: End) {
        let mut state = self.lock();
        state.end.get_or_insert(end);
        let failure =
            state.check().err().filter(|error| matches!(error, WalError::Poisoned { .. }));
        let listeners = std::mem::take(&mut state.listeners);
        drop(state);
        self.durable_moved.notify_all();
        self.cursor_moved.notify_all();
        if let Some(failure) = failure {
            listeners.0.into_iter().for_each(|tell| tell(&failure));
        }
    }

    /// Tells of the failure of the log, should there be one, not under this lock.
    pub(crate) fn on_failure(&self, tell: Listener) {
        let mut state = self.lock();
        match state.check() {
            Ok(()) => state.listeners.0.push(tell),
            Err(error) => {
                drop(state);
                if matches!(error, WalError::Poisoned { .. }) {
                    tell(&error);
                }
            }
        }
    }

    /// Fails once the log has failed or is closed.
    pub(crate) fn check(&self) -> Result<(), WalError> {
        self.lock().check()
    }

    /// Waits until record `seq` is durable, at most for `timeout` if there is one.
    pub(crate) fn wait_durable(&self, seq: Seq, timeout: Option<Duration>) -> Result<(), WalError> {
        let not_yet = |state: &mut State| state.head() < seq && state.end.is_none();
        let state = wait(self.lock(), &self.durable_moved, timeout, not_yet);
        if state.head() >= seq {
            return Ok(());
        }
        state.check()?;
        Err(WalError::TimedOut { wanted: seq, reached: state.head() })
    }

    /// Waits until a cursor has committed `seq`, at most for `timeout`.
    pub(crate) fn wait_for_cursor(
        &self,
        name: &str,
        seq: Seq,
        timeout: Duration,
    ) -> Result<(), WalError> {
        let place = |state: &State| state.cursors.get(name).map(|cursor| cursor.place);
        let not_yet =
            |state: &mut State| place(state).is_some_and(|at| at < seq) && state.end.is_none();
        let state = wait(self.lock(), &self.cursor_moved, Some(timeout), not_yet);
        match place(&state) {
            None => Err(WalError::NoSuchCursor { name: name.into() }),
            Some(reached) if reached >= seq => Ok(()),
            Some(reached) => {
                state.check()?;
                Err(WalError::TimedOut { wanted: seq, reached })
            }
        }
    }
}

fn wait<'a>(
    state: MutexGuard<'a, State>,
    moved: &Condvar,
    timeout: Option<Duration>,
    not_yet: impl FnMut(&mut State) -> bool,
) -> MutexGuard<'a, State> {
    match timeout {
        None => moved.wait_while(state, not_yet).expect(UNPOISONED),
        Some(timeout) => moved.wait_timeout_while(state, timeout, not_yet).expect(UNPOISONED).0,
    }
}

const UNPOISONED: &str = "no thread panics while it holds the log's progress";

//! Who is in a transaction, so that the map can be changed while nobody is.
//!
//! N1. Every call of LMDB is made with a [`Pass`] or an [`Idle`], and every
//!     transaction is dropped before its pass.
//! N2. Nobody waits for longer than the time-out that is given.
//! N3. While someone waits, the first half of the time new transactions still
//!     begin, so that a reader who holds one and wants another is not stopped.
//!     The second half they wait, so that a stream of short reads cannot starve
//!     who waits.
//! N4. Once it is closed no pass is given any more, and whoever was waiting for an
//!     [`Idle`] looks at [`Idle::is_closed`] first.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::sync::lock;

#[derive(Debug, Default)]
pub(super) struct Gate {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    passes: usize,
    /// Who waits for the last pass. To wake is a system call, which a read that wakes
    /// nobody need not pay for.
    waiting: usize,
    shut: bool,
    closed: bool,
}

/// The right to call LMDB, and to have one transaction open.
#[derive(Debug)]
pub(super) struct Pass {
    gate: Arc<Gate>,
}

/// Says that no pass is out, and that none is given while this lives.
#[derive(Debug)]
pub(super) struct Idle<'a> {
    state: MutexGuard<'a, State>,
}

impl Idle<'_> {
    /// Whether the gate is closed for ever, and LMDB must not be called (N4).
    pub(super) fn is_closed(&self) -> bool {
        self.state.closed
    }

    /// Closes the gate for ever (N4).
    pub(super) fn close(mut self) {
        self.state.closed = true;
    }
}

impl Gate {
    /// Takes a pass, unless the gate is closed.
    pub(super) fn enter(self: &Arc<Self>) -> Option<Pass> {
        let state = lock(&self.state);
        let mut state = self
            .changed
            .wait_while(state, |state| state.shut)
            .unwrap_or_else(PoisonError::into_inner);
        if state.closed {
            return None;
        }
        state.passes += 1;
        Some(Pass { gate: Arc::clone(self) })
    }

    /// Waits until no pass is out, but no longer than this.
    pub(super) fn idle_within(&self, timeout: Duration) -> Option<Idle<'_>> {
        let half = timeout / 2;
        let state = self.wait(lock(&self.state), half);
        if state.passes == 0 {
            return Some(Idle { state });
        }
        let mut state = state;
        state.shut = true;
        let mut state = self.wait(state, half);
        state.shut = false;
        self.changed.notify_all();
        (state.passes == 0).then_some(Idle { state })
    }

    /// Waits until no pass is out, for as long as it takes. For the end, when all
    /// that have one are giving it back.
    pub(super) fn idle(&self) -> Idle<'_> {
        let mut state = lock(&self.state);
        state.waiting += 1;
        let state = self.changed.wait_while(state, |state| state.passes > 0);
        let mut state = state.unwrap_or_else(PoisonError::into_inner);
        state.waiting -= 1;
        Idle { state }
    }

    fn wait<'a>(
        &self,
        mut state: MutexGuard<'a, State>,
        timeout: Duration,
    ) -> MutexGuard<'a, State> {
        state.waiting += 1;
        let waited = self.changed.wait_timeout_while(state, timeout, |state| state.passes > 0);
        let mut state = waited.unwrap_or_else(PoisonError::into_inner).0;
        state.waiting -= 1;
        state
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        let mut state = lock(&self.gate.state);
        state.passes -= 1;
        if state.passes == 0 && state.waiting > 0 {
            self.gate.changed.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn it_is_idle_when_every_pass_is_back() {
        let gate = Arc::new(Gate::default());
        drop(gate.idle_within(Duration::ZERO).unwrap());
        let passes = [gate.enter().unwrap(), gate.enter().unwrap()];
        assert!(gate.idle_within(Duration::ZERO).is_none());
        thread::scope(|scope| {
            let waiting = scope.spawn(|| gate.idle_within(LONG).is_some());
            drop(passes);
            assert!(waiting.join().unwrap());
        });
        // Whoever waited in vain has not left it shut.
        drop(gate.enter().unwrap());
        gate.idle().close();
        assert!(gate.enter().is_none());
    }

    #[test]
    fn the_last_pass_wakes_who_waits_for_it() {
        let gate = Arc::new(Gate::default());
        let passes = [gate.enter().unwrap(), gate.enter().unwrap()];
        thread::scope(|scope| {
            let waiting = scope.spawn(|| drop(gate.idle()));
            while lock(&gate.state).waiting == 0 {
                thread::yield_now();
            }
            // Whoever is not woken waits for ever.
            drop(passes);
            waiting.join().unwrap();
        });
        assert_eq!(lock(&gate.state).waiting, 0);
    }
}

//! The door of the gate: who is let in, and whether whoever is in is held up.
//!
//! D1. One at a time is in.
//! D2. Who does not want to wait for room waits for whoever is in only while that one
//!     does not wait for room either.

use std::sync::{Condvar, Mutex, MutexGuard};

/// Lets in one at a time.
#[derive(Debug, Default)]
pub(super) struct Door {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    is_taken: bool,
    /// Who is in waits for room, or for the applier.
    is_held_up: bool,
    waiting: usize,
}

impl Door {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect(UNPOISONED)
    }

    /// Goes in, as soon as nobody is.
    pub(super) fn enter(&self) -> Inside<'_> {
        let mut state = self.wait_while(|state| state.is_taken);
        state.is_taken = true;
        Inside { door: self }
    }

    /// Goes in, unless whoever is in is held up.
    pub(super) fn try_enter(&self) -> Option<Inside<'_>> {
        let mut state = self.wait_while(|state| state.is_taken && !state.is_held_up);
        if state.is_taken {
            return None;
        }
        state.is_taken = true;
        Some(Inside { door: self })
    }

    fn wait_while(&self, mut is_in_the_way: impl FnMut(&State) -> bool) -> MutexGuard<'_, State> {
        let mut state = self.lock();
        state.waiting += 1;
        state = self.changed.wait_while(state, |state| is_in_the_way(state)).expect(UNPOISONED);
        state.waiting -= 1;
        state
    }

    /// Does what may hold up whoever is in.
    pub(super) fn held_up<T>(&self, wait: impl FnOnce() -> T) -> T {
        self.set_held_up(true);
        let outcome = wait();
        self.set_held_up(false);
        outcome
    }

    fn set_held_up(&self, is_held_up: bool) {
        let mut state = self.lock();
        state.is_held_up = is_held_up;
        if is_held_up && state.waiting > 0 {
            self.changed.notify_all();
        }
    }
}

/// The right to be inside, until it is dropped.
#[derive(Debug)]
pub(super) struct Inside<'a> {
    door: &'a Door,
}

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        let mut state = self.door.lock();
        state.is_taken = false;
        state.is_held_up = false;
        if state.waiting > 0 {
            self.door.changed.notify_one();
        }
    }
}

const UNPOISONED: &str = "no thread panics at the door";

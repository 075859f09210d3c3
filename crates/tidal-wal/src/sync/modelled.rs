//! The model checkers' side of the facade, where it differs from the standard
//! library's.

use std::io;
use std::sync::LockResult;
use std::time::Duration;

#[cfg(loom)]
use loom as checker;
#[cfg(all(shuttle, not(loom)))]
use shuttle as checker;

pub(crate) use checker::sync::{Arc, Mutex, MutexGuard};
pub(crate) use checker::thread::JoinHandle;
use checker::thread::{self, ThreadId};

/// A checker's threads are small coroutines unless told otherwise, and recovery
/// holds whole pages on its stack.
const STACK_BYTES: usize = 1 << 20;

/// Starts a thread.
pub(crate) fn spawn<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<JoinHandle<T>> {
    thread::Builder::new().name(name.into()).stack_size(STACK_BYTES).spawn(work)
}

pub(crate) fn current_thread_id() -> ThreadId {
    thread::current().id()
}

/// A condition variable whose waits with a limit are as Z2 says.
#[derive(Debug)]
pub(crate) struct Condvar(checker::sync::Condvar);

/// Whether a wait ended by its limit.
#[derive(Debug)]
pub(crate) struct WaitTimeout(bool);

impl WaitTimeout {
    pub(crate) const fn timed_out(&self) -> bool {
        self.0
    }
}

impl Condvar {
    pub(crate) fn new() -> Self {
        Self(checker::sync::Condvar::new())
    }

    pub(crate) fn notify_one(&self) {
        self.0.notify_one();
    }

    pub(crate) fn notify_all(&self) {
        self.0.notify_all();
    }

    pub(crate) fn wait<'a, T>(&self, guard: MutexGuard<'a, T>) -> LockResult<MutexGuard<'a, T>> {
        self.0.wait(guard)
    }

    pub(crate) fn wait_while<'a, T>(
        &self,
        mut guard: MutexGuard<'a, T>,
        mut condition: impl FnMut(&mut T) -> bool,
    ) -> LockResult<MutexGuard<'a, T>> {
        while condition(&mut guard) {
            guard = self.wait(guard)?;
        }
        Ok(guard)
    }

    pub(crate) fn wait_timeout_while<'a, T>(
        &self,
        mut guard: MutexGuard<'a, T>,
        _limit: Duration,
        mut condition: impl FnMut(&mut T) -> bool,
    ) -> LockResult<(MutexGuard<'a, T>, WaitTimeout)> {
        while condition(&mut guard) {
            if is_over() {
                return Ok((guard, WaitTimeout(true)));
            }
            guard = self.wait(guard).expect("no thread panics under a checker and goes on");
        }
        Ok((guard, WaitTimeout(false)))
    }
}

#[cfg(loom)]
const fn is_over() -> bool {
    false
}

/// One time in four, with nobody coming in between.
#[cfg(all(shuttle, not(loom)))]
fn is_over() -> bool {
    use shuttle::rand::{Rng as _, thread_rng};
    thread_rng().gen_ratio(1, 4)
}

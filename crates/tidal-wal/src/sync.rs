//! What threads meet at: locks, condition variables, counts that are looked at, and
//! the threads themselves.
//!
//! Normally these are the standard library's. In tests under `--cfg loom` and
//! `--cfg shuttle` they are a model checker's, which decides who runs next and so
//! tries orders that no test run would come by (`cargo xtask models`). An [`Arc`]
//! whose count nobody asks for stays the standard library's everywhere: it orders
//! nothing, and those of the checkers cannot hold a `dyn Disk`.
//!
//! Z1. All waiting and locking of this crate goes through here, also that of the
//!     simulated disk: what a checker does not see, it does not reorder.
//! Z2. Under loom a wait with a time limit never ends by the limit, under shuttle it
//!     does at random. Else it is a wait without a limit, so a wake-up that is lost
//!     hangs there and is found, where in reality the limit would hide it.

#[cfg(not(all(test, any(loom, shuttle))))]
mod real {
    use std::io;
    pub(crate) use std::sync::{Arc, Condvar, Mutex, MutexGuard};
    pub(crate) use std::thread::JoinHandle;
    use std::thread::{self, ThreadId};

    /// Starts a thread.
    pub(crate) fn spawn<T: Send + 'static>(
        name: &str,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> io::Result<JoinHandle<T>> {
        thread::Builder::new().name(name.into()).spawn(work)
    }

    pub(crate) fn current_thread_id() -> ThreadId {
        thread::current().id()
    }
}

#[cfg(all(test, any(loom, shuttle)))]
mod modelled;

#[cfg(all(test, any(loom, shuttle)))]
pub(crate) use modelled::*;
#[cfg(not(all(test, any(loom, shuttle))))]
pub(crate) use real::*;

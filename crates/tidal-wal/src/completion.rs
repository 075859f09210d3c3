//! One value, handed from one thread to another, which waits or awaits it.
//!
//! Q1. Whoever waits is woken once the value is there, or once the other side
//!     is gone without giving one. No wake-up is lost: the value is given, and a
//!     waiter says that it waits, under the lock under which the waiter looks.
//! Q2. A waker runs on the thread that gives the value: it must not block. What it
//!     panics with stays with it.
//! Q3. A waiter may give up at any time by dropping its side.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use crate::sync::{Arc, Condvar, Mutex, MutexGuard};

/// The two sides of a value that is still to come.
pub fn completion<T>() -> (Completer<T>, Completion<T>) {
    let slot = Arc::new(Slot {
        state: Mutex::new(State { outcome: Outcome::Open, is_awaited: false, waker: None }),
        done: Condvar::new(),
    });
    (Completer { slot: Arc::clone(&slot) }, Completion { slot })
}

#[derive(Debug)]
enum Outcome<T> {
    Open,
    Given(T),
    /// Taken by the waiter, or never given.
    Gone,
}

#[derive(Debug)]
struct State<T> {
    outcome: Outcome<T>,
    /// Whether a thread waits, so that nobody else is paid for with a system call.
    is_awaited: bool,
    waker: Option<Waker>,
}

#[derive(Debug)]
struct Slot<T> {
    state: Mutex<State<T>>,
    done: Condvar,
}

impl<T> Slot<T> {
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().expect("no thread panics while it holds a completion")
    }

    fn finish(&self, outcome: Outcome<T>) {
        let (is_awaited, waker) = {
            let mut state = self.lock();
            if !matches!(state.outcome, Outcome::Open) {
                return;
            }
            state.outcome = outcome;
            (state.is_awaited, state.waker.take())
        };
        // After the lock is free, which is the first thing that the waiter takes.
        if is_awaited {
            self.done.notify_one();
        }
        if let Some(waker) = waker {
            // A waker is the caller's code, and runs on a thread that others need:
            // its panic is its own.
            let woken = catch_unwind(AssertUnwindSafe(|| waker.wake()));
            if woken.is_err() {
                tracing::error!("a waker panicked");
            }
        }
    }
}

/// The side that gives the value. Dropped without giving one, it tells the
/// waiter so.
#[derive(Debug)]
pub struct Completer<T> {
    slot: Arc<Slot<T>>,
}

impl<T> Completer<T> {
    /// Gives the value and wakes the waiter.
    pub fn complete(self, value: T) {
        self.slot.finish(Outcome::Given(value));
    }
}

impl<T> Completer<T> {
    /// Whether nobody waits any more, or can.
    #[must_use]
    pub fn is_unheard(&self) -> bool {
        Arc::strong_count(&self.slot) == 1
    }
}

impl<T> Drop for Completer<T> {
    fn drop(&mut self) {
        self.slot.finish(Outcome::Gone);
    }
}

/// The side that waits. As a [`Future`] it gives what [`Completion::wait`]
/// returns.
#[derive(Debug)]
#[must_use = "the value is lost unless someone waits for it"]
pub struct Completion<T> {
    slot: Arc<Slot<T>>,
}

impl<T> Completion<T> {
    /// Waits for the value; `None` when the other side is gone without giving
    /// one.
    pub fn wait(self) -> Option<T> {
        let mut state = self.slot.lock();
        state.is_awaited = true;
        let mut state = self
            .slot
            .done
            .wait_while(state, |state| matches!(state.outcome, Outcome::Open))
            .expect("no thread panics while it holds a completion");
        take(&mut state.outcome)
    }

    /// Whether waiting would return at once.
    #[must_use]
    pub fn is_done(&self) -> bool {
        !matches!(self.slot.lock().outcome, Outcome::Open)
    }
}

impl<T> Future for Completion<T> {
    type Output = Option<T>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<T>> {
        let mut state = self.slot.lock();
        if matches!(state.outcome, Outcome::Open) {
            state.waker = Some(context.waker().clone());
            return Poll::Pending;
        }
        Poll::Ready(take(&mut state.outcome))
    }
}

fn take<T>(outcome: &mut Outcome<T>) -> Option<T> {
    match std::mem::replace(outcome, Outcome::Gone) {
        Outcome::Given(value) => Some(value),
        Outcome::Open | Outcome::Gone => None,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;
    use std::thread;

    use super::*;

    #[derive(Default)]
    struct Counter(AtomicUsize);

    impl Wake for Counter {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    #[test]
    fn a_waiting_thread_gets_the_value() {
        let (completer, pending) = completion();
        let waiter = thread::spawn(move || pending.wait());
        completer.complete(7);
        assert_eq!(waiter.join().unwrap(), Some(7));
    }

    #[test]
    fn a_dropped_completer_releases_the_waiter() {
        let (completer, pending) = completion::<u8>();
        let waiter = thread::spawn(move || pending.wait());
        drop(completer);
        assert_eq!(waiter.join().unwrap(), None);
    }

    #[test]
    fn a_task_is_woken_once_and_then_ready() {
        let counter = Arc::new(Counter::default());
        let waker = Waker::from(Arc::clone(&counter));
        let mut context = Context::from_waker(&waker);
        let (completer, mut pending) = completion();
        assert_eq!(Pin::new(&mut pending).poll(&mut context), Poll::Pending);
        assert!(!pending.is_done());
        completer.complete(7);
        assert_eq!(counter.0.load(Ordering::SeqCst), 1);
        assert!(pending.is_done());
        assert_eq!(Pin::new(&mut pending).poll(&mut context), Poll::Ready(Some(7)));
    }

    #[test]
    fn nobody_has_to_wait() {
        let (completer, pending) = completion();
        drop(pending);
        completer.complete(7);
    }
}

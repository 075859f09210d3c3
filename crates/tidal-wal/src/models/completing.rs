//! The completion: giving a value, against waiting, polling and letting go.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Wake, Waker};

use super::start;
use crate::completion::{Completion, completion};
use crate::sync::{Condvar, Mutex};

/// A task that sleeps until its waker is called.
struct Task {
    is_woken: Mutex<bool>,
    woken: Condvar,
}

impl Task {
    fn new() -> std::sync::Arc<Self> {
        std::sync::Arc::new(Self { is_woken: Mutex::new(false), woken: Condvar::new() })
    }

    fn sleep(&self) {
        let is_woken = self.is_woken.lock().unwrap();
        let mut is_woken = self.woken.wait_while(is_woken, |is_woken| !*is_woken).unwrap();
        *is_woken = false;
    }
}

impl Wake for Task {
    fn wake(self: std::sync::Arc<Self>) {
        *self.is_woken.lock().unwrap() = true;
        self.woken.notify_one();
    }
}

fn poll(pending: &mut Completion<u8>, task: &std::sync::Arc<Task>) -> Poll<Option<u8>> {
    let waker = Waker::from(std::sync::Arc::clone(task));
    Pin::new(pending).poll(&mut Context::from_waker(&waker))
}

/// Q1, R18: whichever comes first, the value or who waits for it.
#[test]
fn a_waiter_gets_the_value() {
    loom::model(|| {
        let (completer, pending) = completion();
        let giver = start(move || completer.complete(7));
        assert_eq!(pending.wait(), Some(7));
        giver.join().unwrap();
    });
}

/// Q1, R18: nor does anyone wait for what never comes.
#[test]
fn a_waiter_is_told_that_nothing_comes() {
    loom::model(|| {
        let (completer, pending) = completion::<u8>();
        let giver = start(move || drop(completer));
        assert_eq!(pending.wait(), None);
        giver.join().unwrap();
    });
}

/// Q1, R18: a task that found nothing is woken once there is something.
#[test]
fn a_task_that_polled_in_vain_is_woken() {
    for is_given in [true, false] {
        loom::model(move || {
            let (completer, mut pending) = completion();
            let giver =
                start(move || if is_given { completer.complete(7) } else { drop(completer) });
            let task = Task::new();
            let value = loop {
                match poll(&mut pending, &task) {
                    Poll::Ready(value) => break value,
                    Poll::Pending => task.sleep(),
                }
            };
            assert_eq!(value, is_given.then_some(7));
            giver.join().unwrap();
        });
    }
}

/// A task that moves polls with another waker: the last one is the one that counts.
#[test]
fn the_last_waker_is_the_one_that_is_woken() {
    loom::model(|| {
        let (completer, mut pending) = completion();
        let giver = start(move || completer.complete(7));
        let first = Task::new();
        if poll(&mut pending, &first).is_pending() {
            let second = Task::new();
            while poll(&mut pending, &second).is_pending() {
                second.sleep();
            }
        }
        giver.join().unwrap();
    });
}

/// Q3, R18: a giver that says nobody listens is right, whenever the waiter lets go.
#[test]
fn who_gets_the_value_was_never_unheard() {
    loom::model(|| {
        let (completer, pending) = completion();
        let giver = start(move || {
            let was_unheard = completer.is_unheard();
            completer.complete(7);
            was_unheard
        });
        let has_let_go = !pending.is_done();
        if has_let_go {
            drop(pending);
        } else {
            assert_eq!(pending.wait(), Some(7));
        }
        let was_unheard = giver.join().unwrap();
        assert!(has_let_go || !was_unheard);
    });
}

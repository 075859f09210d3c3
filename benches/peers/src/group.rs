//! One piece of work for everybody who waits for it: a sync that was begun after several
//! clients had written is the sync of each.
//!
//! P1. Who is told that it is done asked before the work began that did it.
//! P2. What failed once fails for ever: a file whose sync failed may have lost what it
//!     was to keep.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use tidal_bench_measure::Result;

/// Takes turns.
#[derive(Debug, Default)]
pub(crate) struct Group {
    asked: AtomicU64,
    turn: Mutex<Turn>,
}

#[derive(Debug, Default)]
struct Turn {
    /// Those who asked up to this number have it done.
    done: u64,
    has_failed: bool,
}

impl Group {
    /// Does it, unless somebody has done it since this was called.
    ///
    /// # Errors
    ///
    /// That of the work, now or before.
    pub(crate) fn share(&self, work: impl FnOnce() -> Result<()>) -> Result<()> {
        let number = self.asked.fetch_add(1, Ordering::SeqCst) + 1;
        let mut turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        if turn.done >= number {
            return Ok(());
        }
        if turn.has_failed {
            return Err("an earlier write of the group has failed".into());
        }
        let asked = self.asked.load(Ordering::SeqCst);
        turn.has_failed = true;
        work()?;
        *turn = Turn { done: asked, has_failed: false };
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_asks_before_the_work_begins_shares_it() {
        let group = Group::default();
        std::thread::scope(|scope| {
            let turn = group.turn.lock().unwrap();
            let first = scope.spawn(|| group.share(|| Ok(())));
            while group.asked.load(Ordering::SeqCst) < 1 {
                std::thread::yield_now();
            }
            let second = scope.spawn(|| group.share(|| Ok(())));
            while group.asked.load(Ordering::SeqCst) < 2 {
                std::thread::yield_now();
            }
            // Two more ask, and come for it later.
            group.asked.fetch_add(2, Ordering::SeqCst);
            drop(turn);
            first.join().unwrap().unwrap();
            second.join().unwrap().unwrap();
        });
        assert_eq!(group.turn.lock().unwrap().done, 4);
    }

    #[test]
    fn who_asks_while_the_work_is_done_has_it_done_again() {
        let (group, works) = (Group::default(), AtomicU64::new(0));
        group
            .share(|| {
                group.asked.fetch_add(1, Ordering::SeqCst);
                works.fetch_add(1, Ordering::SeqCst);
                Ok(())
            })
            .unwrap();
        assert_eq!((works.load(Ordering::SeqCst), group.turn.lock().unwrap().done), (1, 1));
    }

    #[test]
    fn alone_each_is_done_and_a_failure_stays() {
        let (group, works) = (Group::default(), AtomicU64::new(0));
        for _ in 0..3 {
            group
                .share(|| {
                    works.fetch_add(1, Ordering::SeqCst);
                    Ok(())
                })
                .unwrap();
        }
        assert_eq!(works.load(Ordering::SeqCst), 3);
        assert!(group.share(|| Err("no".into())).is_err());
        assert!(group.share(|| Ok(())).is_err());
    }
}

//! What is kept of the users who acted on one entity by one signal type.
//!
//! K1. A sketch is a function of the set of its events (actor and time), whatever their
//!     order and however often each comes: of the set's newest time, and of those of its
//!     events that are in a bucket which a window touches then. So folding records again
//!     over a sketch that has them changes nothing.
//! K2. The registers are there if and only if [`Recent`] is full, and then they have every
//!     event of K1: also those of the actors who are kept by id.

use tidal_types::EntityId;

use super::estimate::estimate;
use super::recent::{Act, RECENT_MAX, Recent};
use super::registers::Registers;
use super::times::Times;
use crate::ledger::mix;

/// The users who acted on an entity.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Sketch {
    pub(super) recent: Recent,
    pub(super) registers: Registers,
}

impl Sketch {
    /// An actor acted.
    pub(super) fn add(&mut self, times: Times, actor: u64, time: u64) {
        let before = self.recent.newest();
        let oldest = times.oldest(before.map_or(time, |before| before.max(time)));
        let bucket = times.bucket(time);
        if bucket < oldest {
            return;
        }
        if before.is_some_and(|before| times.oldest(before) < oldest) {
            self.drop_before(oldest, times);
        }
        let was_full = self.recent.is_full();
        self.recent.add(Act { time, actor });
        if was_full {
            self.registers.add(hash(actor), bucket);
        } else if self.recent.is_full() {
            for act in self.recent.acts() {
                self.registers.add(hash(act.actor), times.bucket(act.time));
            }
        }
    }

    /// Drops what no window touches any more. When somebody who is kept by id goes, so did
    /// everybody who acted before, and who is left is all there is (R1, K2).
    fn drop_before(&mut self, oldest: u64, times: Times) {
        self.recent.drop_before(oldest, times);
        if self.recent.is_full() {
            self.registers.drop_before(oldest);
        } else {
            self.registers.clear();
        }
    }

    /// How many different users acted behind `cut`: exactly, if fewer than [`RECENT_MAX`];
    /// else estimated from all buckets that hold an instant behind it.
    pub(super) fn count(&self, times: Times, cut: Option<u64>) -> f64 {
        let recent = self.recent.behind(cut);
        if recent < RECENT_MAX {
            return recent as f64;
        }
        let ranks = self.registers.ranks(times.bucket_behind(cut));
        estimate(&ranks).round().max(recent as f64)
    }

    /// The bytes of memory that it takes.
    pub(super) const fn bytes(&self) -> usize {
        size_of::<Self>() + self.recent.bytes() + self.registers.bytes()
    }
}

/// The hash of an actor, as of an entity in the ledger: well mixed, and without a secret.
/// Who chooses the ids of actors can choose them so that a thousand of them count as any
/// number, or as one; never as more than there were events.
const fn hash(actor: u64) -> u64 {
    mix(EntityId::new(actor))
}

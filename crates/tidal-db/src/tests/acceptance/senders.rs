//! Who sends the events of the acceptance run, and how each is told from a repeat.
//!
//! [`Sender::event`] says what an event carries so that it counts once: the place that its
//! producer gives it, or a key. After a crash a producer asks what the database has
//! ([`Sender::resume`]); who uses keys sends again all that has no answer.

use std::ops::Range;
use std::time::Duration;

use tidal_types::{DedupKey, EntityId, Event, Producer, ProducerId};

use super::world::START;
use crate::TidalDB;

/// How many events a sender goes back after a crash, at most.
const BACK: u64 = 30;

/// One that sends events 1 to `total`, in batches.
pub(super) struct Sender {
    pub(super) name: &'static str,
    total: u64,
    batch: u64,
    /// The next one to be sent for the first time.
    next: u64,
    /// The last one that was answered.
    pub(super) answered: u64,
    pub(super) has_keys: bool,
}

/// 5,500 events of three senders: two producers, and one with keys.
pub(super) fn all() -> [Sender; 3] {
    let sender = |name, total, batch| Sender {
        name,
        total,
        batch,
        next: 1,
        answered: 0,
        has_keys: name == "partner",
    };
    [sender("web", 2000, 25), sender("phone", 2000, 40), sender("partner", 1500, 12)]
}

impl Sender {
    pub(super) fn id(&self) -> ProducerId {
        let mut id = [0; 16];
        id[..self.name.len()].copy_from_slice(self.name.as_bytes());
        ProducerId::from_bytes(id)
    }

    /// The event with this number.
    pub(super) fn event(&self, number: u64) -> Event<'static> {
        let mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (self.total << 20 | self.batch);
        let hash = mixed.wrapping_mul(0xd6e8_feb8_6659_fd93) >> 16;
        // Two days, with events that are up to an hour late, at times of their own.
        let after = Duration::from_secs(number * 172_800 / self.total);
        let late = Duration::from_secs(hash % 3600);
        let at = START.saturating_add(after).saturating_sub(late);
        let weight = [1.0, 1.0, 2.5, -1.0][(hash >> 12 & 3) as usize];
        let entity = EntityId::new(1 + (hash >> 14) % 40 * ((hash >> 20) % 3));
        let signal = ["view", "view", "view", "like", "follow"][(hash >> 24) as usize % 5];
        let event = Event::new(signal, entity, weight, at);
        if self.has_keys {
            let mut key = self.id().to_bytes();
            key[8..].copy_from_slice(&number.to_le_bytes());
            return event.key(DedupKey::Client(key));
        }
        event.from_producer(Producer { id: self.id(), epoch: 1, seq: number })
    }

    /// The numbers of the next batch, if it has any; each fifth begins with some that
    /// were sent before.
    pub(super) fn next_batch(&mut self, round: u64) -> Option<Range<u64>> {
        if self.next > self.total {
            return None;
        }
        let repeats = if round.is_multiple_of(5) { 7.min(self.next - 1) } else { 0 };
        let end = (self.next + self.batch).min(self.total + 1);
        let batch = self.next - repeats..end;
        self.next = end;
        Some(batch)
    }

    /// Learns what the database has, and goes on some way before that. Returns what it
    /// has and was not answered for.
    pub(super) fn resume(&mut self, db: &TidalDB) -> Range<u64> {
        let there = db.producer(self.id()).unwrap().map_or(0, |state| state.seq);
        assert!(there >= self.answered, "{}: {} answered, {there} there", self.name, self.answered);
        let unheard = self.answered + 1..there + 1;
        self.answered = there;
        self.next = 1 + there.saturating_sub(BACK);
        unheard
    }

    /// The numbers that were sent and have no answer: all that who uses keys knows after a
    /// crash, some before them included.
    pub(super) fn unanswered(&self) -> Range<u64> {
        self.answered.saturating_sub(BACK) + 1..self.next
    }

    pub(super) fn is_done(&self) -> bool {
        self.answered == self.total
    }
}

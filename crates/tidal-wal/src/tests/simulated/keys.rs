//! Keys in a run: which records must be taken for repeats, told by the model alone.

use tidal_types::{DedupKey, Seq};

use super::model::{Forgotten, Model, Sent};
use crate::Outcome;
use crate::sim::Rng;
use crate::testing::numbered;

/// The length of the window in seconds; the clock of a run goes up to 2,000.
pub(super) const WINDOW_SECS: u64 = 300;

/// So many keys of each kind are in use.
const KEYS: u64 = 12;

/// What a record is known by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Identity {
    Client([u8; 16]),
    Content(Vec<u8>),
}

impl Sent {
    /// A record with a key that comes up again and again, mostly with the same content.
    pub(super) fn keyed(rng: &mut Rng) -> Self {
        let number = rng.below(KEYS);
        let content = if rng.one_in(30) { number + KEYS } else { number };
        let payload = numbered(content as usize, (content * 150) as usize);
        let identity = if rng.one_in(2) {
            Identity::Client([number as u8; 16])
        } else {
            Identity::Content(payload.clone())
        };
        Self { payload, identity: Some(identity), log_time: None, forgotten: Forgotten::No }
    }

    pub(super) fn key(&self) -> Option<DedupKey> {
        self.identity.as_ref().map(|identity| match identity {
            Identity::Client(key) => DedupKey::Client(*key),
            Identity::Content(_) => DedupKey::Content,
        })
    }
}

/// What an append must come to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Expected {
    Outcomes(Vec<Outcome>),
    /// The key at this index is that of this record.
    Reused(usize, Seq),
}

impl Model {
    /// R20: a record whose key is that of another one in the window, or on its way
    /// there, is that one; with other content it is refused.
    pub(super) fn judge(&self, batch: &[Sent]) -> Expected {
        let mut outcomes = Vec::new();
        let mut new: Vec<(&Sent, Seq)> = Vec::new();
        for (index, record) in batch.iter().enumerate() {
            let same = |other: &Sent| other.identity == record.identity;
            let original = record.identity.as_ref().and_then(|_| {
                let here = new.iter().rev().find(|(other, _)| same(other)).copied();
                here.or_else(|| self.last_known().find(|(other, _)| same(other)))
            });
            outcomes.push(match original {
                Some((original, seq)) if original.payload == record.payload => {
                    Outcome::Duplicate { seq }
                }
                Some((_, seq)) => return Expected::Reused(index, seq),
                None => {
                    let seq = Seq::new((self.len() + new.len() + 1) as u64);
                    new.push((record, seq));
                    Outcome::Appended { seq }
                }
            });
        }
        Expected::Outcomes(outcomes)
    }

    /// The records that are known now, the last one first.
    fn last_known(&self) -> impl Iterator<Item = (&Sent, Seq)> {
        let epoch = |secs: u64| secs / WINDOW_SECS;
        let now = epoch(self.time());
        let numbered = (1..).map(Seq::new);
        let all: Vec<_> = self.sent().iter().zip(numbered).collect();
        all.into_iter()
            .rev()
            .filter(move |(sent, _)| sent.log_time.is_none_or(|time| now <= epoch(time) + 1))
    }
}

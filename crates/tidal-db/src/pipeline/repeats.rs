//! Which entries of a commit were sent before.
//!
//! Judged under the gate's lock, against what is folded and what is on its way
//! there: so a repeat never gets into the log, and two commits that hold the same
//! event cannot both be taken.

use std::collections::HashMap;

use tidal_types::{Producer, ProducerId};
use tidal_wal::Batch;

use super::setbacks::Setbacks;
use crate::Result;
use crate::change::{Change, Entry};
use crate::producers::{Last, Producers, is_new, last_of};
use crate::record;

/// A place in a batch where nothing is appended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Repeat {
    /// The place, from 0.
    pub(crate) place: usize,
    /// The event that was sent before; nothing for a note.
    pub(crate) producer: Option<Producer>,
}

/// What a commit comes to.
#[derive(Debug, Default)]
pub(super) struct Verdict {
    pub(super) repeats: Vec<Repeat>,
    /// The last event of each producer that has new ones.
    pub(super) fresh: HashMap<ProducerId, Last>,
}

/// What is known of producers before a commit.
pub(super) struct Known<'a> {
    pub(super) folded: &'a Producers,
    pub(super) pending: &'a HashMap<ProducerId, Last>,
    pub(super) setbacks: &'a Setbacks,
}

impl Known<'_> {
    /// Tells the new entries of a commit from the repeats.
    ///
    /// # Errors
    /// An event of an epoch that is over, or behind one that failed.
    pub(super) fn judge(&self, entries: &[Entry]) -> Result<Verdict> {
        let mut verdict = Verdict::default();
        // Neighbours mostly have the same producer: it is looked up once.
        let mut current: Option<(ProducerId, Option<Last>, bool)> = None;
        for (place, Entry { change, producer, .. }) in entries.iter().enumerate() {
            if let Change::ProducerNote { id, .. } = change {
                verdict.take_up(current.take());
                if !verdict.fresh.contains_key(id) {
                    verdict.repeats.push(Repeat { place, producer: None });
                }
                continue;
            }
            let Some(producer) = *producer else {
                continue;
            };
            let (last, has_new) = match current {
                Some((id, last, has_new)) if id == producer.id => (last, has_new),
                other => {
                    verdict.take_up(other);
                    let fresh = verdict.fresh.get(&producer.id).copied();
                    (fresh.or_else(|| self.last(producer.id)), fresh.is_some())
                }
            };
            current = Some(if is_new(producer, last)? {
                if !has_new {
                    self.setbacks.check(producer)?;
                }
                (producer.id, Some(last_of(producer)), true)
            } else {
                verdict.repeats.push(Repeat { place, producer: Some(producer) });
                (producer.id, last, has_new)
            });
        }
        verdict.take_up(current);
        Ok(verdict)
    }

    fn last(&self, id: ProducerId) -> Option<Last> {
        self.folded.last(id).max(self.pending.get(&id).copied())
    }
}

impl Verdict {
    fn take_up(&mut self, judged: Option<(ProducerId, Option<Last>, bool)>) {
        if let Some((id, Some(last), true)) = judged {
            self.fresh.insert(id, last);
        }
    }
}

/// The entries that are no repeats. They are encoded anew: a record may take its
/// producer from the one before it, which may be gone.
pub(super) fn without(entries: &[Entry], repeats: &[Repeat]) -> Result<(Batch, Vec<Entry>)> {
    let mut repeats = repeats.iter().peekable();
    let (mut batch, mut kept, mut payload) = (Batch::new(), Vec::new(), Vec::new());
    for (place, entry) in entries.iter().enumerate() {
        if repeats.next_if(|repeat| repeat.place == place).is_none() {
            record::push(&mut batch, entry, &mut payload)?;
            kept.push(entry.clone());
        }
    }
    Ok((batch, kept))
}

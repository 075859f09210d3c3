//! The rows between two commits, with what is needed to reject one of them
//! later: where it stood, and its bytes.

use std::ops::Range;

use tidal_db::{EntityId, EntityKind, Event, Producer, ProducerId};

use super::identities::Identity;
use super::interpreter::Reading;

/// Rows of one batch.
#[derive(Debug, Default)]
pub(super) struct Chunk<'s> {
    pub(super) rows: Vec<ChunkRow<'s>>,
    pub(super) rejected: Vec<Rejected>,
    /// The bytes of all rows, one behind the other.
    raw: Vec<u8>,
    /// What the producer notes once all rows are in.
    pub(super) note: Option<(ProducerId, Vec<u8>)>,
    /// The line of the last row, good or bad.
    pub(super) last_line: u64,
}

/// A row on its way into the database.
#[derive(Debug)]
pub(super) struct ChunkRow<'s> {
    /// The event; its entity and actor are not known before the names are.
    pub(super) event: Event<'s>,
    pub(super) kind: EntityKind,
    pub(super) entity: Identity,
    pub(super) actor: Option<Identity>,
    pub(super) line: u64,
    raw: Range<usize>,
}

/// A row that is not taken.
#[derive(Debug)]
pub(super) struct Rejected {
    pub(super) line: u64,
    pub(super) reason: String,
    raw: Range<usize>,
}

impl<'s> Chunk<'s> {
    /// How many rows there are, good or bad.
    pub(super) const fn len(&self) -> usize {
        self.rows.len() + self.rejected.len()
    }

    pub(super) fn push(
        &mut self,
        line: u64,
        raw: &[u8],
        reading: &Reading<'s, '_>,
        entity: Identity,
        actor: Option<Identity>,
        producer: Option<Producer>,
    ) {
        let event = Event {
            producer,
            ..Event::new(reading.signal.name(), EntityId::new(0), reading.weight, reading.at)
        };
        let raw = self.keep(line, raw);
        self.rows.push(ChunkRow { event, kind: reading.signal.kind(), entity, actor, line, raw });
    }

    pub(super) fn reject(&mut self, line: u64, raw: &[u8], reason: String) {
        let raw = self.keep(line, raw);
        self.rejected.push(Rejected { line, reason, raw });
    }

    /// Rejects a row that was thought to be good.
    pub(super) fn reject_row(&mut self, place: usize, reason: String) {
        if let Some(row) = self.rows.get(place) {
            self.rejected.push(Rejected { line: row.line, reason, raw: row.raw.clone() });
        }
    }

    /// The rejected rows in the order of their lines, each with its bytes.
    pub(super) fn rejected(&mut self) -> impl Iterator<Item = (&Rejected, &[u8])> {
        self.rejected.sort_by_key(|rejected| rejected.line);
        let raw = &self.raw;
        self.rejected
            .iter()
            .map(move |rejected| (rejected, raw.get(rejected.raw.clone()).unwrap_or_default()))
    }

    fn keep(&mut self, line: u64, raw: &[u8]) -> Range<usize> {
        self.last_line = line;
        let start = self.raw.len();
        self.raw.extend_from_slice(raw);
        start..self.raw.len()
    }
}

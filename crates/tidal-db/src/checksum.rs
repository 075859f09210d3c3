//! The checksum of the folded state.
//!
//! BLAKE3 under a key of its own over these parts, in this order. Every part
//! begins with its length or its number of entries, so that no two states have
//! the same bytes. Integers are little-endian.
//!
//! | part     | bytes                                                              |
//! |----------|--------------------------------------------------------------------|
//! | schema   | length 8, then the schema, see `record/schema.rs`                  |
//! | id modes | one byte a kind                                                    |
//! | names    | per kind: count 8, then by id: id 8, length 8, name                |
//! | cells    | count 8, then by signal type and entity: signal type 2, entity 8, length 8, canonical cell |
//! | metadata | by item: id 8, length 8, metadata; then count 8                    |
//!
//! When there are producers, the checksum is the digest, under another key, of
//! that digest and of these bytes: count 8, then by id: id 16, epoch 4, number of
//! the last event 8, length 8, note. A state without producers has the checksum it
//! had before there were any.
//!
//! When something was forgotten, the checksum is the digest, under a third key, of the
//! one so far and of these bytes: count 8, then by kind and id: kind 1, id 8. A state
//! that forgot nothing has the checksum it had before anything could be.
//!
//! When there are attributes, the checksum is the digest, under a fourth key, of the one so
//! far and of these bytes: by kind and id: kind 1, id 8, length 8, the row as it reads, see
//! `attributes/row.rs`; then count 8. A state without attributes has the checksum it had
//! before there were any.
//!
//! When there are histories, the checksum is the digest, under a fifth key, of the one so
//! far and of these bytes: by user and signal type: user 8, signal type 2, length 8,
//! canonical history, see `history/codec.rs`; then count 8. A state without histories has the checksum it had before
//! there were any.
//!
//! Nothing in it depends on engine, checkpoints, group boundaries, LogId, seqs or
//! log times.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use tidal_storage::{Direction, KeyspaceName, PrefixIterator, Storage};
use tidal_types::{EntityId, EntityKind};

use crate::Result;
use crate::attributes::Attributes;
use crate::checkpoint::{keyspace, metadata_id, named_id, names_range};
use crate::forgotten::Forgotten;
use crate::history;
use crate::kinds::IdMode;
use crate::producers::Producers;
use crate::record::{encode_schema, kind_byte};
use crate::state::State;

const CONTEXT: &str = "tidalDB v1 state checksum";
const PRODUCERS_CONTEXT: &str = "tidalDB v1 state checksum with producers";
const ATTRIBUTES_CONTEXT: &str = "tidalDB v1 state checksum with attributes";
const FORGOTTEN_CONTEXT: &str = "tidalDB v1 state checksum with forgotten";
const HISTORIES_CONTEXT: &str = "tidalDB v1 state checksum with histories";

/// A digest of the folded state; see [`TidalDB::checksum`](crate::TidalDB::checksum).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Checksum([u8; 32]);

impl Checksum {
    /// The bytes.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; 32] {
        self.0
    }
}

impl fmt::Display for Checksum {
    /// 64 hexadecimal digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Checksum({self})")
    }
}

/// The checksum of a state that nobody changes meanwhile.
pub(crate) fn of(state: &State, storage: &dyn Storage) -> Result<Checksum> {
    let mut hasher = Hasher(blake3::Hasher::new_derive_key(CONTEXT));
    let mut bytes = Vec::new();
    encode_schema(state.schema(), &mut bytes);
    hasher.sized(&bytes);
    for kind in EntityKind::ALL {
        hasher.raw(&[IdMode::to_byte(state.kinds.mode(kind))]);
    }
    for kind in EntityKind::ALL {
        hasher.number(names(state, storage, kind, &mut |_, _| ())?);
        names(state, storage, kind, &mut |id, name| {
            hasher.number(id.get());
            hasher.sized(name);
        })?;
    }
    hasher.number(state.ledger.cell_count());
    state.ledger.for_each_sorted(|signal, id, cell| {
        hasher.raw(&signal.get().to_le_bytes());
        hasher.number(id.get());
        bytes.clear();
        cell.encode_canonical(&mut bytes);
        hasher.sized(&bytes);
    })?;
    let count = metadata(state, storage, &mut |id, metadata| {
        hasher.number(id.get());
        hasher.sized(metadata);
    })?;
    hasher.number(count);
    let digest = with_producers(hasher.digest(), &state.producers());
    let digest = with_forgotten(digest, &state.forgotten);
    let digest = with_attributes(digest, &state.attributes)?;
    Ok(Checksum(with_histories(digest, state, storage)?))
}

fn with_attributes(others: [u8; 32], attributes: &Attributes) -> Result<[u8; 32]> {
    let mut hasher = Hasher(blake3::Hasher::new_derive_key(ATTRIBUTES_CONTEXT));
    hasher.raw(&others);
    let mut count = 0;
    for kind in EntityKind::ALL {
        count += attributes.for_each(kind, &mut |id, row| {
            hasher.raw(&[kind_byte(kind)]);
            hasher.number(id.get());
            hasher.sized(&row.encode());
        })?;
    }
    if count == 0 {
        return Ok(others);
    }
    hasher.number(count);
    Ok(hasher.digest())
}

fn with_histories(others: [u8; 32], state: &State, storage: &dyn Storage) -> Result<[u8; 32]> {
    let mut hasher = Hasher(blake3::Hasher::new_derive_key(HISTORIES_CONTEXT));
    hasher.raw(&others);
    let count = history::each(state, storage, &mut |(user, signal), bytes| {
        hasher.number(user.get());
        hasher.raw(&signal.get().to_le_bytes());
        hasher.sized(bytes);
    })?;
    if count == 0 {
        return Ok(others);
    }
    hasher.number(count);
    Ok(hasher.digest())
}

fn with_forgotten(others: [u8; 32], forgotten: &Forgotten) -> [u8; 32] {
    let forgotten = forgotten.sorted();
    if forgotten.is_empty() {
        return others;
    }
    let mut hasher = Hasher(blake3::Hasher::new_derive_key(FORGOTTEN_CONTEXT));
    hasher.raw(&others);
    hasher.number(forgotten.len() as u64);
    for (kind, id) in forgotten {
        hasher.raw(&[kind_byte(kind)]);
        hasher.number(id.get());
    }
    hasher.digest()
}

fn with_producers(others: [u8; 32], producers: &Producers) -> [u8; 32] {
    let producers = producers.sorted();
    if producers.is_empty() {
        return others;
    }
    let mut hasher = Hasher(blake3::Hasher::new_derive_key(PRODUCERS_CONTEXT));
    hasher.raw(&others);
    hasher.number(producers.len() as u64);
    for (id, producer) in producers {
        hasher.raw(&id.to_bytes());
        hasher.raw(&producer.epoch.to_le_bytes());
        hasher.number(producer.seq);
        hasher.sized(&producer.note);
    }
    hasher.digest()
}

struct Hasher(blake3::Hasher);

impl Hasher {
    fn digest(&self) -> [u8; 32] {
        *self.0.finalize().as_bytes()
    }

    fn raw(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn number(&mut self, number: u64) {
        self.raw(&number.to_le_bytes());
    }

    fn sized(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.raw(bytes);
    }
}

/// Shows the metadata of every item, by id, and returns how many items have any.
pub(crate) fn metadata(
    state: &State,
    storage: &dyn Storage,
    show: &mut dyn FnMut(EntityId, &[u8]),
) -> Result<u64> {
    // What is not in memory any more when this is taken is in the snapshot after it.
    let written = state.metadata.sorted();
    let snapshot = storage.snapshot()?;
    let stored = snapshot.scan_prefix(keyspace(EntityKind::Item), &[])?;
    merge(stored, |key| Ok(metadata_id(key)), written, show)
}

/// Shows every name of a kind, by id, and returns how many there are.
pub(crate) fn names(
    state: &State,
    storage: &dyn Storage,
    kind: EntityKind,
    show: &mut dyn FnMut(EntityId, &[u8]),
) -> Result<u64> {
    let assigned = state.names.unsettled(kind);
    let snapshot = storage.snapshot()?;
    let range = names_range(kind)?;
    let stored = snapshot.scan_range(KeyspaceName::SYSTEM, range, Direction::Forward)?;
    merge(stored, |key| named_id(key).map(|(_, id)| Some(id)), assigned, show)
}

/// Shows what storage has, by id, and in its place what was written since. Returns how
/// many entries are shown.
fn merge(
    stored: PrefixIterator<'_>,
    id_of: impl Fn(&[u8]) -> Result<Option<EntityId>>,
    written: BTreeMap<EntityId, Option<Arc<[u8]>>>,
    show: &mut dyn FnMut(EntityId, &[u8]),
) -> Result<u64> {
    let mut written = written.into_iter().peekable();
    let mut count = 0;
    let mut visit = |id, bytes: &[u8]| {
        count += 1;
        show(id, bytes);
    };
    for entry in stored {
        let (key, value) = entry?;
        let Some(id) = id_of(&key)? else {
            continue;
        };
        while let Some((newer, bytes)) = written.next_if(|&(newer, _)| newer < id) {
            bytes.iter().for_each(|bytes| visit(newer, bytes));
        }
        match written.next_if(|&(newer, _)| newer == id) {
            Some((_, bytes)) => bytes.iter().for_each(|bytes| visit(id, bytes)),
            None => visit(id, &value),
        }
    }
    for (newer, bytes) in written {
        bytes.iter().for_each(|bytes| visit(newer, bytes));
    }
    Ok(count)
}

//! Reading the last checkpoint.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use tidal_keys::prefix_range;
use tidal_storage::{KeyRange, KeyspaceName, Storage};
use tidal_types::{EntityId, EntityKind, ProducerId, Schema, Seq, TidalError};

use super::layout::{
    FORGOTTEN, Head, PRODUCER, cells_key, decode_cells, decode_producer, decode_seq, head_key,
    parse_forgotten_key, parse_name_key, parse_producer_key, purged_key, reach_key, schema_key,
};
use crate::Result;
use crate::forgotten::Forgotten;
use crate::ledger::StoredCounts;
use crate::producers::ProducerState;
use crate::record::decode_schema;
use crate::state::State;

/// A checkpoint as it was read: all that is small. Cells, names and metadata stay where
/// they are.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) head: Head,
    /// The last record that anything in storage may come from.
    pub(crate) reach: Seq,
    pub(crate) schema: Schema,
    producers: Vec<(ProducerId, ProducerState)>,
    forgotten: Forgotten,
}

impl Loaded {
    /// The state over a storage of today's version.
    pub(crate) fn into_state(
        self,
        storage: &Arc<dyn Storage>,
        memory_budget: Option<u64>,
    ) -> Result<State> {
        let stored = load_counts(&*storage.snapshot()?)?;
        let state = State::over(Arc::new(self.schema), storage, memory_budget, stored);
        let state = state.without(self.forgotten);
        if let Some(newest) = self.head.newest {
            state.ledger.restore_newest(newest);
        }
        for (kind, mode) in EntityKind::ALL.into_iter().zip(self.head.modes) {
            if let Some(mode) = mode {
                state.kinds.settle(kind, mode);
            }
        }
        for (kind, last_id) in EntityKind::ALL.into_iter().zip(self.head.last_ids) {
            state.names.restore_last_id(kind, last_id);
        }
        for (id, producer) in self.producers {
            state.with_producers(|producers| producers.restore(id, producer));
        }
        Ok(state)
    }
}

/// Reads which log storage belongs to and how far it is, and the last record that
/// anything in it may come from; `None` when it is not bound to a log yet.
///
/// # Errors
/// Those of [`load`].
pub(crate) fn load_head(storage: &dyn Storage) -> Result<Option<(Head, Seq)>> {
    read_head(&*storage.snapshot()?)
}

/// The same, of a snapshot.
pub(crate) fn read_head(snapshot: &dyn tidal_storage::Snapshot) -> Result<Option<(Head, Seq)>> {
    let Some(head) = snapshot.get(KeyspaceName::SYSTEM, &head_key()?)? else {
        return Ok(None);
    };
    let head = Head::decode(&head).ok_or_else(|| {
        damaged("the head of the checkpoint", "it is malformed or of another version")
    })?;
    let applied = head.position.seq;
    let reach = match snapshot.get(KeyspaceName::SYSTEM, &reach_key()?)? {
        Some(bytes) => decode_seq(&bytes)
            .ok_or_else(|| damaged("the reach of the checkpoint", "it is malformed"))?,
        None => applied,
    };
    Ok(Some((head, reach.max(applied))))
}

/// Reads the checkpoint in storage; `None` when it is not bound to a log yet.
///
/// # Errors
/// [`TidalError::Damaged`] when a value means nothing; what storage says.
pub(crate) fn load(storage: &dyn Storage) -> Result<Option<Loaded>> {
    let snapshot = storage.snapshot()?;
    let Some((head, reach)) = read_head(&*snapshot)? else {
        return Ok(None);
    };
    let schema = match stored_schema(&*snapshot)? {
        Some(schema) => schema,
        // A storage that is bound to its log and has no checkpoint yet.
        None if head.position.seq == Seq::ZERO => Schema::default(),
        None => return Err(damaged("the schema in storage", "it is missing")),
    };
    let producers = load_producers(&*snapshot)?;
    let forgotten = load_forgotten(&*snapshot)?;
    Ok(Some(Loaded { head, reach, schema, producers, forgotten }))
}

/// The schema in storage; one that declares nothing where there is none.
pub(super) fn load_schema(snapshot: &dyn tidal_storage::Snapshot) -> Result<Schema> {
    Ok(stored_schema(snapshot)?.unwrap_or_default())
}

fn stored_schema(snapshot: &dyn tidal_storage::Snapshot) -> Result<Option<Schema>> {
    let bytes = snapshot.get(KeyspaceName::SYSTEM, &schema_key()?)?;
    let schema = bytes.map(|bytes| decode_schema(&bytes)).transpose();
    schema.map_err(|problem| damaged("the schema in storage", problem))
}

/// How many cells a storage of today's version has.
pub(super) fn load_counts(snapshot: &dyn tidal_storage::Snapshot) -> Result<StoredCounts> {
    match snapshot.get(KeyspaceName::SYSTEM, &cells_key()?)? {
        Some(bytes) => decode_cells(&bytes)
            .ok_or_else(|| damaged("the number of cells in storage", "it is malformed")),
        None => Err(damaged("the number of cells in storage", "it is missing")),
    }
}

fn load_producers(
    snapshot: &dyn tidal_storage::Snapshot,
) -> Result<Vec<(ProducerId, ProducerState)>> {
    let (start, end) = prefix_range(&[PRODUCER])?;
    let range = KeyRange::new(Bound::Included(start), Bound::Excluded(end));
    let entries =
        snapshot.scan_range(KeyspaceName::SYSTEM, range, tidal_storage::Direction::Forward)?;
    let mut producers = Vec::new();
    for entry in entries {
        let (key, value) = entry?;
        let malformed = |what| damaged("a producer in storage", format!("its {what} is malformed"));
        let id = parse_producer_key(&key).ok_or_else(|| malformed("key"))?;
        producers.push((id, decode_producer(&value).ok_or_else(|| malformed("value"))?));
    }
    Ok(producers)
}

fn load_forgotten(snapshot: &dyn tidal_storage::Snapshot) -> Result<Forgotten> {
    let (start, end) = prefix_range(&[FORGOTTEN])?;
    let range = KeyRange::new(Bound::Included(start), Bound::Excluded(end));
    let malformed = |what| damaged(what, "it is malformed");
    let what = "a forgotten entity in storage";
    let mut stored = BTreeMap::new();
    for entry in
        snapshot.scan_range(KeyspaceName::SYSTEM, range, tidal_storage::Direction::Forward)?
    {
        let (key, value) = entry?;
        let entity = parse_forgotten_key(&key).ok_or_else(|| malformed(what))?;
        stored.insert(entity, decode_seq(&value).ok_or_else(|| malformed(what))?);
    }
    let purged = match snapshot.get(KeyspaceName::SYSTEM, &purged_key()?)? {
        Some(bytes) => {
            decode_seq(&bytes).ok_or_else(|| malformed("how far storage says it was purged"))?
        }
        None => Seq::ZERO,
    };
    Ok(Forgotten::stored(stored, purged))
}

/// The id of which a key in storage holds the name.
pub(crate) fn named_id(key: &[u8]) -> Result<(EntityKind, EntityId)> {
    parse_name_key(key)
        .ok_or_else(|| damaged("a name in storage", format!("its key {key:02x?} is malformed")))
}

pub(super) fn damaged(location: &str, problem: impl Into<String>) -> TidalError {
    TidalError::Damaged { location: location.into(), problem: problem.into() }
}

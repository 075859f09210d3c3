//! Reading the last checkpoint.

use std::ops::Bound;
use std::sync::Arc;

use tidal_keys::prefix_range;
use tidal_storage::{KeyRange, KeyspaceName, Storage};
use tidal_types::{EntityKind, Schema, Seq, TidalError};

use super::layout::{
    Head, NAME, PRODUCER, decode_producer, decode_reach, head_key, keyspace, parse_cell_key,
    parse_name_key, parse_producer_key, reach_key, schema_key,
};
use crate::Result;
use crate::record::decode_schema;
use crate::state::State;

/// A checkpoint as it was read.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) head: Head,
    /// The last record that anything in storage may come from.
    pub(crate) reach: Seq,
    pub(crate) state: State,
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
        Some(bytes) => decode_reach(&bytes)
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
    let schema = match snapshot.get(KeyspaceName::SYSTEM, &schema_key()?)? {
        Some(bytes) => {
            decode_schema(&bytes).map_err(|problem| damaged("the schema in storage", problem))?
        }
        // A storage that is bound to its log and has no checkpoint yet.
        None if head.position.seq == Seq::ZERO => Schema::default(),
        None => return Err(damaged("the schema in storage", "it is missing")),
    };
    let state = State::new(Arc::new(schema));
    if let Some(newest) = head.newest {
        state.ledger.restore_newest(newest);
    }
    for (kind, mode) in EntityKind::ALL.into_iter().zip(head.modes) {
        if let Some(mode) = mode {
            state.kinds.settle(kind, mode);
        }
    }
    load_names(&*snapshot, &state)?;
    load_producers(&*snapshot, &state)?;
    for (kind, last_id) in EntityKind::ALL.into_iter().zip(head.last_ids) {
        state.with_names(|names| names.restore_last_id(kind, last_id));
    }
    for kind in EntityKind::ALL {
        load_cells(&*snapshot, kind, &state)?;
    }
    Ok(Some(Loaded { head, reach, state }))
}

fn load_names(snapshot: &dyn tidal_storage::Snapshot, state: &State) -> Result<()> {
    let (start, end) = prefix_range(&[NAME])?;
    let range = KeyRange::new(Bound::Included(start), Bound::Excluded(end));
    for entry in
        snapshot.scan_range(KeyspaceName::SYSTEM, range, tidal_storage::Direction::Forward)?
    {
        let (key, name) = entry?;
        let (kind, id) = parse_name_key(&key).ok_or_else(|| {
            damaged("a name in storage", format!("its key {key:02x?} is malformed"))
        })?;
        if !state.with_names(|names| names.restore(kind, id, &name)) {
            return Err(damaged("a name in storage", format!("{kind} {id} has it twice")));
        }
    }
    Ok(())
}

fn load_producers(snapshot: &dyn tidal_storage::Snapshot, state: &State) -> Result<()> {
    let (start, end) = prefix_range(&[PRODUCER])?;
    let range = KeyRange::new(Bound::Included(start), Bound::Excluded(end));
    for entry in
        snapshot.scan_range(KeyspaceName::SYSTEM, range, tidal_storage::Direction::Forward)?
    {
        let (key, value) = entry?;
        let malformed = |what| damaged("a producer in storage", format!("its {what} is malformed"));
        let id = parse_producer_key(&key).ok_or_else(|| malformed("key"))?;
        let producer = decode_producer(&value).ok_or_else(|| malformed("value"))?;
        state.with_producers(|producers| producers.restore(id, producer));
    }
    Ok(())
}

fn load_cells(
    snapshot: &dyn tidal_storage::Snapshot,
    kind: EntityKind,
    state: &State,
) -> Result<()> {
    for entry in snapshot.scan_prefix(keyspace(kind), &[])? {
        let (key, value) = entry?;
        if let Some((id, signal)) = parse_cell_key(&key) {
            state.ledger.restore(signal, id, &value)?;
        }
    }
    Ok(())
}

fn damaged(location: &str, problem: impl Into<String>) -> TidalError {
    TidalError::Damaged { location: location.into(), problem: problem.into() }
}

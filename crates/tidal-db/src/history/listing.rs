//! Every history of a database, one after the other.

use tidal_storage::{Snapshot, Storage};
use tidal_types::EntityKind;

use super::{HistoryRows, Key, Row, codec};
use crate::Result;
use crate::checkpoint::{keyspace, parse_history_key};
use crate::overlay::Rows as _;
use crate::state::State;

/// Shows the canonical bytes of every history that is not empty, by user and signal type,
/// and returns how many there are. Nobody changes the state meanwhile.
pub(crate) fn each(
    state: &State,
    storage: &dyn Storage,
    show: &mut dyn FnMut(Key, &[u8]),
) -> Result<u64> {
    let mut count = 0;
    each_row(state, storage, &mut |key @ (_, signal), row| {
        let kind = state.schema().signal_by_id(signal).map(|signal| signal.kind());
        let is_forgotten = |id| kind.is_some_and(|kind| state.forgotten.contains(kind, id));
        if let Some(bytes) = codec::canonical(row, is_forgotten) {
            count += 1;
            show(key, &bytes);
        }
        Ok(())
    })?;
    Ok(count)
}

/// Shows every row, by user and signal type, as it is when its turn comes or was a little
/// before.
pub(super) fn each_row(
    state: &State,
    storage: &dyn Storage,
    show: &mut dyn FnMut(Key, &Row) -> Result<()>,
) -> Result<()> {
    if !state.schema().signals().iter().any(|signal| signal.history()) {
        return Ok(());
    }
    // What is not in memory any more when this is taken is in the snapshot after it.
    let mut fresh = state.histories.unsettled().into_iter().peekable();
    let snapshot = storage.snapshot()?;
    stored(&*snapshot, &mut |key, bytes| {
        while let Some((newer, row)) = fresh.next_if(|&(newer, _)| newer < key) {
            row.iter().try_for_each(|row| show(newer, row))?;
        }
        match fresh.next_if(|&(newer, _)| newer == key) {
            Some((_, row)) => row.iter().try_for_each(|row| show(key, row)),
            None => show(key, &HistoryRows::decode(&key, bytes)?),
        }
    })?;
    for (newer, row) in fresh {
        row.iter().try_for_each(|row| show(newer, row))?;
    }
    Ok(())
}

/// Shows the bytes of every row that a snapshot has, by user and signal type.
pub(super) fn stored(
    snapshot: &dyn Snapshot,
    show: &mut dyn FnMut(Key, &[u8]) -> Result<()>,
) -> Result<()> {
    for entry in snapshot.scan_prefix(keyspace(EntityKind::User), &[])? {
        let (key, bytes) = entry?;
        if let Some(key) = parse_history_key(&key) {
            show(key, &bytes)?;
        }
    }
    Ok(())
}

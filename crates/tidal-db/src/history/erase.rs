//! Entities are taken out of the histories of a checkpoint that is not written any more.

use std::collections::HashSet;

use tidal_storage::{AtomicBatch, Durability, Storage};
use tidal_types::{EntityId, EntityKind, Schema};

use super::{HistoryRows, listing};
use crate::Result;
use crate::checkpoint::keyspace;
use crate::overlay::Rows as _;

/// Takes entities out of the rows of a storage that nobody else writes, in commits of about
/// so many bytes. The rows of users who go are not looked for here; what takes them out is
/// committed before this begins or after it ends.
///
/// # Errors
/// [`TidalError::Damaged`](tidal_types::TidalError::Damaged) when a row means nothing; what
/// storage says. What was committed before stays so.
pub(crate) fn erase(
    storage: &dyn Storage,
    schema: &Schema,
    entities: &HashSet<(EntityKind, EntityId)>,
    commit_bytes: usize,
) -> Result<()> {
    if !schema.signals().iter().any(|signal| signal.history()) {
        return Ok(());
    }
    let snapshot = storage.snapshot()?;
    let (mut batch, mut bytes) = (AtomicBatch::new(), 0);
    listing::stored(&*snapshot, &mut |key, stored| {
        let mut row = HistoryRows::decode(&key, stored)?;
        let kind = schema.signal_by_id(key.1).map(|signal| signal.kind());
        let is_gone = |id| kind.is_some_and(|kind| entities.contains(&(kind, id)));
        let gone: Vec<_> = row.ids().filter(|&id| is_gone(id)).collect();
        if gone.is_empty() {
            return Ok(());
        }
        row.remove(&gone);
        let (kind, place) = HistoryRows::place(&key)?;
        if row.ids().next().is_none() {
            bytes += place.len();
            batch.delete(keyspace(kind), place);
        } else {
            let row = HistoryRows::encode(&row);
            bytes += row.len();
            batch.put(keyspace(kind), place, row);
        }
        if bytes >= commit_bytes {
            storage.commit(std::mem::take(&mut batch), Durability::Buffer)?;
            bytes = 0;
        }
        Ok(())
    })?;
    Ok(storage.commit(batch, Durability::Buffer)?)
}

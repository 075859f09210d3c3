//! Writing a checkpoint.

use tidal_storage::{AtomicBatch, Durability, KeyspaceName, Storage};
use tidal_types::{EntityId, EntityKind, Position, Schema, SignalTypeId};

use super::layout::{Head, cell_key, head_key, keyspace, metadata_key, name_key, schema_key};
use crate::Result;
use crate::ledger::Cell;
use crate::record::encode_schema;
use crate::state::State;

/// How many operations go into one commit before the last.
const COMMIT_OPERATIONS: usize = 10_000;

/// Writes everything that has changed since the last checkpoint, as of
/// `position`, which the log has proven. Nobody may change the state meanwhile.
/// When it returns, the checkpoint survives a power cut; when it fails, the one
/// before still holds.
pub(crate) fn write(storage: &dyn Storage, state: &State, position: Position) -> Result<()> {
    let mut commits = Commits { storage, batch: AtomicBatch::new() };
    // Ahead of any cell of a new signal type. A schema is only ever extended, so
    // one that comes early does no harm.
    put_schema(&mut commits.batch, state.schema())?;
    write_cells(&mut commits, state)?;
    for (id, written) in state.metadata.sorted() {
        let key = metadata_key(id)?;
        match written {
            Some(metadata) => commits.batch.put(keyspace(EntityKind::Item), key, &*metadata),
            None => commits.batch.delete(keyspace(EntityKind::Item), key),
        };
        commits.commit_when_large()?;
    }
    let mut last = commits.batch;
    put_exact(&mut last, state, position)?;
    storage.commit(last, Durability::Sync)?;
    state.ledger.mark_clean();
    state.metadata.clear();
    state.with_names(crate::names::Names::mark_clean);
    Ok(())
}

/// What must be as of exactly the position (C5).
fn put_exact(batch: &mut AtomicBatch, state: &State, position: Position) -> Result<()> {
    let names = state.names();
    for (kind, id, name) in names.dirty() {
        batch.put(KeyspaceName::SYSTEM, name_key(kind, id)?, name);
    }
    put_schema(batch, state.schema())?;
    let head = Head {
        position,
        newest: state.ledger.newest_event(),
        modes: EntityKind::ALL.map(|kind| state.kinds.mode(kind)),
        last_ids: EntityKind::ALL.map(|kind| names.last_id(kind)),
    };
    batch.put(KeyspaceName::SYSTEM, head_key()?, head.encode());
    Ok(())
}

fn put_schema(batch: &mut AtomicBatch, schema: &Schema) -> Result<()> {
    let mut bytes = Vec::new();
    encode_schema(schema, &mut bytes);
    batch.put(KeyspaceName::SYSTEM, schema_key()?, bytes);
    Ok(())
}

fn write_cells(commits: &mut Commits<'_>, state: &State) -> Result<()> {
    let mut outcome = Ok(());
    state.ledger.for_each_dirty(|signal, id, cell| {
        if outcome.is_ok() {
            outcome = write_cell(commits, state, signal, id, cell);
        }
    });
    outcome
}

fn write_cell(
    commits: &mut Commits<'_>,
    state: &State,
    signal: SignalTypeId,
    id: EntityId,
    cell: &Cell,
) -> Result<()> {
    let kind = state
        .schema()
        .signal_by_id(signal)
        .expect("a ledger has cells of its schema's signal types only")
        .kind();
    let mut value = Vec::new();
    cell.encode(&mut value);
    commits.batch.put(keyspace(kind), cell_key(id, signal)?, value);
    commits.commit_when_large()
}

/// Commits of a size that storage digests well.
struct Commits<'a> {
    storage: &'a dyn Storage,
    batch: AtomicBatch,
}

impl Commits<'_> {
    fn commit_when_large(&mut self) -> Result<()> {
        if self.batch.len() >= COMMIT_OPERATIONS {
            self.storage.commit(std::mem::take(&mut self.batch), Durability::Buffer)?;
        }
        Ok(())
    }
}

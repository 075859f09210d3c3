//! Writing a checkpoint.

use tidal_storage::{AtomicBatch, Durability, KeyspaceName, Storage};
use tidal_types::{EntityId, EntityKind, LogId, Position, Schema, Seq, SignalTypeId};

use super::layout::{
    Head, cell_key, encode_producer, encode_reach, head_key, keyspace, metadata_key, name_key,
    producer_key, reach_key, schema_key,
};
use crate::Result;
use crate::ledger::Cell;
use crate::record::encode_schema;
use crate::state::State;

/// Once a commit before the last has this many bytes of values, it is made.
const COMMIT_BYTES: usize = 4 << 20;

/// Writes everything that has changed since the last checkpoint, as of
/// `position`, which the log has proven. Nobody may change the state meanwhile.
/// When it returns, the checkpoint survives a power cut; when it fails, the one
/// before still holds.
pub(crate) fn write(storage: &dyn Storage, state: &State, position: Position) -> Result<()> {
    let mut commits = Commits { storage, batch: AtomicBatch::new(), bytes: 0 };
    // In the first commit: whatever of it stays without the last one is known to be there.
    commits.batch.put(KeyspaceName::SYSTEM, reach_key()?, encode_reach(position.seq));
    // Ahead of any cell of a new signal type. A schema is only ever extended, so
    // one that comes early does no harm.
    put_schema(&mut commits.batch, state.schema())?;
    write_cells(&mut commits, state)?;
    for (id, written) in state.metadata.sorted() {
        let key = metadata_key(id)?;
        let bytes = key.len() + written.as_ref().map_or(0, |metadata| metadata.len());
        match written {
            Some(metadata) => commits.batch.put(keyspace(EntityKind::Item), key, &*metadata),
            None => commits.batch.delete(keyspace(EntityKind::Item), key),
        };
        commits.commit_when_large(bytes)?;
    }
    let mut last = commits.batch;
    put_exact(&mut last, state, position)?;
    storage.commit(last, Durability::Sync)?;
    state.ledger.mark_clean();
    state.metadata.clear();
    state.with_names(crate::names::Names::mark_clean);
    state.with_producers(crate::producers::Producers::mark_clean);
    Ok(())
}

/// Binds a storage without a checkpoint to its log.
pub(crate) fn bind(storage: &dyn Storage, log_id: LogId) -> Result<()> {
    let head = Head {
        position: Position { log_id, seq: Seq::ZERO },
        newest: None,
        modes: Default::default(),
        last_ids: Default::default(),
    };
    put_head(storage, &head)
}

/// Binds a storage to the log that took over the records of its own.
pub(crate) fn rebind(storage: &dyn Storage, head: Head, log_id: LogId) -> Result<()> {
    let position = Position { log_id, ..head.position };
    put_head(storage, &Head { position, ..head })
}

fn put_head(storage: &dyn Storage, head: &Head) -> Result<()> {
    let mut batch = AtomicBatch::new();
    batch.put(KeyspaceName::SYSTEM, head_key()?, head.encode());
    Ok(storage.commit(batch, Durability::Sync)?)
}

/// What must be as of exactly the position (C5).
fn put_exact(batch: &mut AtomicBatch, state: &State, position: Position) -> Result<()> {
    let names = state.names();
    for (kind, id, name) in names.dirty() {
        batch.put(KeyspaceName::SYSTEM, name_key(kind, id)?, name);
    }
    for (id, producer) in state.producers().dirty() {
        batch.put(KeyspaceName::SYSTEM, producer_key(id)?, encode_producer(producer));
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
    let bytes = value.len();
    commits.batch.put(keyspace(kind), cell_key(id, signal)?, value);
    commits.commit_when_large(bytes)
}

/// Commits of a size that storage digests well.
struct Commits<'a> {
    storage: &'a dyn Storage,
    batch: AtomicBatch,
    bytes: usize,
}

impl Commits<'_> {
    /// Counts what was put into the batch.
    fn commit_when_large(&mut self, bytes: usize) -> Result<()> {
        self.bytes += bytes;
        if self.bytes >= COMMIT_BYTES {
            self.storage.commit(std::mem::take(&mut self.batch), Durability::Buffer)?;
            self.bytes = 0;
        }
        Ok(())
    }
}

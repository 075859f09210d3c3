//! Writing a checkpoint, step by step, while the state goes on.

use tidal_storage::{AtomicBatch, Durability, KeyspaceName, Storage};
use tidal_types::{EntityKind, LogId, Position, Schema, Seq, TidalError};

use super::layout::{
    HEAD_VERSION, Head, cell_key, cells_key, encode_cells, encode_named_id, encode_producer,
    encode_seq, forgotten_key, head_key, keyspace, metadata_key, name_key, named_id_key,
    producer_key, purged_key, reach_key, schema_key,
};
use crate::Result;
use crate::attributes::AttributeRows;
use crate::history::HistoryRows;
use crate::ledger::{DirtyChunk, StoredCounts, Which};
use crate::metadata::FrozenMetadata;
use crate::names::FrozenNames;
use crate::overlay::{FrozenRows, Rows};
use crate::record::encode_schema;
use crate::state::{FrozenState, State};
use crate::uniques::UniqueRows;

/// Once a commit before the last has this many bytes of values, it is made, unless a test
/// asks for fewer.
pub(crate) const COMMIT_BYTES: usize = 1 << 20;

/// Behind so many bytes of keys and values storage is asked to keep the next opening short:
/// what a process that is killed in a checkpoint leaves is not much more.
const SHORTEN_BYTES: usize = 4 << 20;

/// Writes to storage, in commits that each leave it as a crash may leave it.
pub(crate) struct Writer<'a> {
    storage: &'a dyn Storage,
    /// Syncs the log, and says how far it is durable (C2).
    sync: &'a dyn Fn() -> Result<Seq>,
    state: &'a State,
    /// Asked before each commit but the last.
    may_go_on: &'a dyn Fn() -> bool,
    /// How large a commit is, in bytes of values.
    commit_bytes: usize,
    /// The schema is in storage, ahead of any cell that needs it.
    has_schema: bool,
    /// What was committed since the next opening was kept short, in bytes.
    unshortened: usize,
}

impl<'a> Writer<'a> {
    pub(crate) const fn new(
        storage: &'a dyn Storage,
        sync: &'a dyn Fn() -> Result<Seq>,
        state: &'a State,
        may_go_on: &'a dyn Fn() -> bool,
        commit_bytes: usize,
    ) -> Self {
        Self { storage, sync, state, may_go_on, commit_bytes, has_schema: false, unshortened: 0 }
    }

    /// Writes the cells that are dirty now, as each of them is when its turn comes.
    ///
    /// # Errors
    /// What the log or storage say; [`TidalError::Closed`] when it may not go on. What
    /// was not written is dirty still.
    pub(crate) fn cells(&mut self, which: Which) -> Result<()> {
        let ledger = &self.state.ledger;
        let mut walk = ledger.walk_dirty(which);
        while let Some(chunk) = walk.next(self.commit_bytes) {
            match self.commit_cells(&chunk) {
                Ok(()) => ledger.written(chunk),
                Err(error) => {
                    ledger.not_written(&chunk);
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    /// Writes cells as long as too many are dirty for the memory budget, first those that
    /// nobody has asked for lately.
    ///
    /// # Errors
    /// Those of [`Writer::cells`].
    pub(crate) fn write_back(&mut self) -> Result<()> {
        for which in [Which::Cold, Which::All] {
            if self.state.ledger.needs_write_back() {
                self.cells(which)?;
            }
        }
        Ok(())
    }

    fn commit_cells(&mut self, chunk: &DirtyChunk) -> Result<()> {
        let mut batch = self.begin()?;
        let mut bytes = chunk.bytes;
        for cell in &chunk.cells {
            let key = cell_key(cell.id, cell.signal)?;
            bytes += key.len();
            match &cell.value {
                Some(value) => batch.put(keyspace(cell.kind), key, value.as_slice()),
                None => batch.delete(keyspace(cell.kind), key),
            };
        }
        batch.put(KeyspaceName::SYSTEM, cells_key()?, encode_cells(&chunk.stored));
        self.commit(batch, bytes)
    }

    /// Writes metadata and all kinds of rows.
    ///
    /// # Errors
    /// Those of [`Writer::cells`].
    pub(crate) fn all_rows(&mut self, frozen: &FrozenState) -> Result<()> {
        self.metadata(&frozen.metadata)?;
        self.rows::<AttributeRows>(&frozen.attributes)?;
        self.rows::<UniqueRows>(&frozen.uniques)?;
        self.rows::<HistoryRows>(&frozen.histories)
    }

    /// Writes metadata and all kinds of rows as they are now, ahead of any head, so that
    /// they can leave memory. Nothing is folded and no checkpoint is written meanwhile.
    ///
    /// # Errors
    /// Those of [`Writer::cells`]. What was frozen is so still then, and is read.
    pub(crate) fn early_rows(&mut self) -> Result<()> {
        let state = self.state;
        self.metadata(&state.metadata.freeze())?;
        state.metadata.settle();
        let attributes = state.attributes.freeze();
        self.rows::<AttributeRows>(&attributes)?;
        state.attributes.settle(&attributes);
        let uniques = state.uniques.freeze();
        self.rows::<UniqueRows>(&uniques)?;
        state.uniques.settle(&uniques);
        let histories = state.histories.freeze();
        self.rows::<HistoryRows>(&histories)?;
        state.histories.settle(&histories);
        Ok(())
    }

    /// Writes metadata, which may come early: it says what is, not what has changed.
    ///
    /// # Errors
    /// Those of [`Writer::cells`].
    fn metadata(&mut self, frozen: &FrozenMetadata) -> Result<()> {
        self.entries(frozen.keys().copied().collect(), |id| {
            let metadata = frozen.get(&id).and_then(Option::as_ref);
            Ok((EntityKind::Item, metadata_key(id)?, metadata.map(|metadata| metadata.to_vec())))
        })
    }

    /// Writes rows, which may come early too (V3 of the overlay).
    ///
    /// # Errors
    /// Those of [`Writer::cells`].
    pub(crate) fn rows<R: Rows>(&mut self, frozen: &FrozenRows<R>) -> Result<()> {
        self.entries(frozen.keys().copied().collect(), |key| {
            let (kind, place) = R::place(&key)?;
            let row = frozen.get(&key).and_then(Option::as_ref);
            Ok((kind, place, row.map(|row| R::encode(row))))
        })
    }

    /// Writes the entries of these keys in their order, in commits of bounded size: each
    /// with its keyspace and its key, and nothing where it is to be deleted.
    fn entries<K: Copy + Ord>(
        &mut self,
        mut keys: Vec<K>,
        entry: impl Fn(K) -> Result<(EntityKind, Vec<u8>, Option<Vec<u8>>)>,
    ) -> Result<()> {
        keys.sort_unstable();
        let mut keys = keys.into_iter().peekable();
        while keys.peek().is_some() {
            let mut batch = self.begin()?;
            let mut bytes = 0;
            while bytes < self.commit_bytes
                && let Some(key) = keys.next()
            {
                let (kind, place, value) = entry(key)?;
                bytes += place.len() + value.as_ref().map_or(0, Vec::len);
                match value {
                    Some(value) => batch.put(keyspace(kind), place, value),
                    None => batch.delete(keyspace(kind), place),
                };
            }
            self.commit(batch, bytes)?;
        }
        Ok(())
    }

    /// Writes what must be as of exactly one record, and the head that says which (C5).
    /// Everything that was written before is durable with it.
    ///
    /// # Errors
    /// What the log or storage say.
    pub(crate) fn exact(&mut self, frozen: &FrozenState) -> Result<()> {
        self.has_schema = false;
        let mut batch = self.begin()?;
        put_names(&mut batch, &frozen.names)?;
        for (&id, producer) in frozen.producers.iter() {
            batch.put(KeyspaceName::SYSTEM, producer_key(id)?, encode_producer(producer));
        }
        for (&(kind, id), &seq) in frozen.forgotten.iter() {
            batch.put(KeyspaceName::SYSTEM, forgotten_key(kind, id)?, encode_seq(seq));
        }
        let head = Head {
            version: HEAD_VERSION,
            position: frozen.position,
            newest: frozen.newest,
            modes: frozen.modes,
            last_ids: frozen.names.last_ids,
        };
        batch.put(KeyspaceName::SYSTEM, head_key()?, head.encode());
        self.storage.commit(batch, Durability::Sync)?;
        self.shorten_recovery();
        Ok(())
    }

    /// Commits a part before the last, of about so many bytes.
    fn commit(&mut self, batch: AtomicBatch, bytes: usize) -> Result<()> {
        self.storage.commit(batch, Durability::Buffer)?;
        self.has_schema = true;
        self.unshortened += bytes;
        if self.unshortened >= SHORTEN_BYTES {
            self.shorten_recovery();
        }
        Ok(())
    }

    /// Lets the next opening read less. Where that fails, all is as durable as before, and
    /// opening takes longer.
    fn shorten_recovery(&mut self) {
        self.unshortened = 0;
        if let Err(error) = self.storage.shorten_recovery() {
            tracing::warn!(%error, "the next opening reads more of storage than it need");
        }
    }

    /// The begin of a commit of what is taken from the state already (C2).
    fn begin(&self) -> Result<AtomicBatch> {
        if !(self.may_go_on)() {
            return Err(TidalError::Closed);
        }
        let reach = (self.sync)()?;
        let mut batch = AtomicBatch::new();
        batch.put(KeyspaceName::SYSTEM, reach_key()?, encode_seq(reach));
        if !self.has_schema {
            put_schema(&mut batch, self.state.schema())?;
        }
        Ok(batch)
    }
}

/// Binds a storage without a checkpoint to its log.
pub(crate) fn bind(storage: &dyn Storage, log_id: LogId) -> Result<()> {
    let head = Head {
        version: HEAD_VERSION,
        position: Position { log_id, seq: Seq::ZERO },
        newest: None,
        modes: Default::default(),
        last_ids: Default::default(),
    };
    let mut batch = AtomicBatch::new();
    batch.put(KeyspaceName::SYSTEM, cells_key()?, encode_cells(&StoredCounts::default()));
    batch.put(KeyspaceName::SYSTEM, head_key()?, head.encode());
    Ok(storage.commit(batch, Durability::Sync)?)
}

/// Binds a storage to the log that took over the records of its own.
pub(crate) fn rebind(storage: &dyn Storage, head: Head, log_id: LogId) -> Result<()> {
    let position = Position { log_id, ..head.position };
    let mut batch = AtomicBatch::new();
    batch.put(KeyspaceName::SYSTEM, head_key()?, Head { position, ..head }.encode());
    Ok(storage.commit(batch, Durability::Sync)?)
}

/// Notes that log and storage are rid of what was forgotten up to `through`.
pub(crate) fn note_purged(storage: &dyn Storage, through: Seq) -> Result<()> {
    let mut batch = AtomicBatch::new();
    batch.put(KeyspaceName::SYSTEM, purged_key()?, encode_seq(through));
    Ok(storage.commit(batch, Durability::Sync)?)
}

/// Puts names, and their removals, each under both of its keys.
pub(crate) fn put_names(batch: &mut AtomicBatch, names: &FrozenNames) -> Result<()> {
    for ((kind, by_name), by_id) in
        EntityKind::ALL.into_iter().zip(&names.by_name).zip(&names.by_id)
    {
        for (name, id) in by_name.iter() {
            let key = named_id_key(kind, name)?;
            match id {
                Some(id) => batch.put(KeyspaceName::SYSTEM, key, encode_named_id(*id)),
                None => batch.delete(KeyspaceName::SYSTEM, key),
            };
        }
        for (&id, name) in by_id.iter() {
            let key = name_key(kind, id)?;
            match name {
                Some(name) => batch.put(KeyspaceName::SYSTEM, key, &**name),
                None => batch.delete(KeyspaceName::SYSTEM, key),
            };
        }
    }
    Ok(())
}

fn put_schema(batch: &mut AtomicBatch, schema: &Schema) -> Result<()> {
    let mut bytes = Vec::new();
    encode_schema(schema, &mut bytes);
    batch.put(KeyspaceName::SYSTEM, schema_key()?, bytes);
    Ok(())
}

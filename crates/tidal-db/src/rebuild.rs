//! The state made of records in a storage of its own, beside the database: for its base,
//! for checking it, and for a copy under another schema.
//!
//! B1. It is the same fold as that of an open database, and what it writes is a
//!     checkpoint, so what was cut short goes on from the last one that was written.
//! B2. Records come in order, from the one behind [`Rebuild::applied`] on; those before
//!     it are passed over.
//! B3. Cells take [`MEMORY_BUDGET`] bytes of memory, about; what was folded is written
//!     when half of that has changed, and when metadata or records are many. So a state of
//!     any size is made in bounded memory.

use std::sync::Arc;

use tidal_storage::Storage;
use tidal_types::{LogId, Position, Producer, Schema, Seq, TidalError};
use tidal_wal::LogRecord;

use crate::change::Change;
use crate::checkpoint::{self, Writer};
use crate::checksum::{self, Checksum};
use crate::ledger::{StoredCounts, Which};
use crate::replay::take_up;
use crate::state::State;
use crate::{Result, record};

/// How many bytes of memory the cells of a state that is made again may take.
pub(crate) const MEMORY_BUDGET: u64 = 256 << 20;

/// What was folded is written to storage after this many records, so that names and
/// producers need not be in memory at once.
const RECORDS_BETWEEN_WRITES: u64 = 1_000_000;

/// The same, for bytes of metadata and rows.
const OVERLAY_BYTES_MAX: u64 = 64 << 20;

/// A state that is made again.
#[derive(Debug)]
pub(crate) struct Rebuild {
    storage: Arc<dyn Storage>,
    log_id: LogId,
    /// Taken out and put back, since another schema makes another state.
    state: Option<State>,
    applied: Seq,
    written: Seq,
}

impl Rebuild {
    /// Goes on from what a storage has, or from nothing when it has nothing.
    ///
    /// # Errors
    /// [`TidalError::LogMismatch`] when it is bound to another log; those of loading a
    /// checkpoint.
    pub(crate) fn open(storage: Arc<dyn Storage>, log_id: LogId) -> Result<Self> {
        Self::with_budget(storage, log_id, MEMORY_BUDGET)
    }

    /// The same, with so much memory for cells.
    pub(crate) fn with_budget(
        storage: Arc<dyn Storage>,
        log_id: LogId,
        memory_budget: u64,
    ) -> Result<Self> {
        let (applied, state) = match checkpoint::load(&*storage)? {
            Some(loaded) if loaded.head.position.log_id != log_id => {
                return Err(TidalError::LogMismatch {
                    path: storage.name().into(),
                    storage: loaded.head.position.log_id,
                    log: log_id,
                });
            }
            Some(loaded) => {
                checkpoint::upgrade(&storage, loaded.head)?;
                let applied = loaded.head.position.seq;
                (applied, loaded.into_state(&storage, Some(memory_budget))?)
            }
            None => {
                checkpoint::bind(&*storage, log_id)?;
                let none = StoredCounts::default();
                (Seq::ZERO, State::over(Arc::default(), &storage, Some(memory_budget), none))
            }
        };
        Ok(Self { storage, log_id, state: Some(state), applied, written: applied })
    }

    /// The last record that was folded.
    pub(crate) const fn applied(&self) -> Seq {
        self.applied
    }

    /// The state as of that record.
    pub(crate) fn state(&self) -> &State {
        self.state.as_ref().expect(PUT_BACK)
    }

    pub(crate) fn storage(&self) -> &dyn Storage {
        &*self.storage
    }

    /// Folds a record of the log, which has synced it, and writes what was folded when
    /// that is due.
    ///
    /// # Errors
    /// Those of reading the record, and what storage says; the rebuild is of no use then.
    pub(crate) fn fold(&mut self, record: &LogRecord<'_>) -> Result<()> {
        if record.seq <= self.applied {
            return Ok(());
        }
        match record::decode(record, self.state().schema())? {
            Change::Schema(schema) => {
                let state = self.state.take().expect(PUT_BACK);
                self.state = Some(take_up(state, *schema, record.seq)?);
            }
            change => self.state().apply(record.seq, &change, record.producer)?,
        }
        self.applied = record.seq;
        if self.is_due() { self.write() } else { Ok(()) }
    }

    /// Folds a change that record `seq` stands for; the schema is taken up by
    /// [`Rebuild::adopt`].
    pub(crate) fn apply(
        &mut self,
        seq: Seq,
        change: &Change,
        producer: Option<Producer>,
    ) -> Result<()> {
        self.state().apply(seq, change, producer)?;
        self.applied = seq;
        Ok(())
    }

    /// Takes up a schema that extends the one there is, by record `seq`.
    pub(crate) fn adopt(&mut self, seq: Seq, schema: Schema) {
        let state = self.state.take().expect(PUT_BACK);
        self.state = Some(state.extended(Arc::new(schema)));
        self.applied = seq;
    }

    /// Whether so much was folded that it should be written.
    pub(crate) fn is_due(&self) -> bool {
        self.applied.get() - self.written.get() >= RECORDS_BETWEEN_WRITES
            || self.state().ledger.needs_write_back()
            || self.state().overlay_bytes() >= OVERLAY_BYTES_MAX
    }

    /// Writes what was folded; it then survives a power cut. The log must have synced
    /// it (C2).
    pub(crate) fn write(&mut self) -> Result<()> {
        if self.applied == self.written {
            return Ok(());
        }
        let (state, applied) = (self.state(), self.applied);
        let frozen = state.freeze(Position { log_id: self.log_id, seq: applied });
        let sync = || Ok(applied);
        let commit_bytes = checkpoint::COMMIT_BYTES;
        let mut writer = Writer::new(&*self.storage, &sync, state, &|| true, commit_bytes);
        writer.cells(Which::All)?;
        writer.all_rows(&frozen)?;
        writer.exact(&frozen)?;
        state.settle(&frozen);
        self.written = applied;
        Ok(())
    }

    /// The checksum of the state as of the last record that was folded.
    pub(crate) fn checksum(&self) -> Result<Checksum> {
        checksum::of(self.state(), &*self.storage)
    }
}

const PUT_BACK: &str = "a state is put back after each record, unless that failed";

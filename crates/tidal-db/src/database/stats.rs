//! Figures about a database.

use tidal_types::{EntityKind, Position, Seq, Timestamp};
use tidal_wal::WalStats;

use super::TidalDB;
use crate::Result;
use crate::checkpointer::CheckpointFailure;
use crate::config::Retention;
use crate::ledger::SignalLedger;

/// Figures about a database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stats {
    /// Entities that have events, of all kinds.
    pub entities: u64,
    /// Cells: pairs of an entity and a signal type with events.
    pub cells: u64,
    /// Records in the log from the beginning on, whether or not they are kept.
    pub records: u64,
    /// Bytes that the log takes on disk.
    pub log_bytes: u64,
    /// About how many bytes of the log a million records take, as they are on disk now,
    /// sealed or not: what [`Retention::Forever`] costs. `None` while there are no
    /// records.
    pub log_bytes_per_million: Option<u64>,
    /// What becomes of the log behind a checkpoint.
    pub retention: Retention,
    /// Bytes that storage takes on disk.
    pub storage_bytes: u64,
    /// About how many bytes of memory the state takes.
    pub memory_bytes: u64,
    /// About how many of these the indexes of attributes take, which queries have made.
    pub attribute_index_bytes: u64,
    /// About how many of these bytes are sketches of unique actors that storage does not
    /// have yet.
    pub unique_actors_bytes: u64,
    /// How many cells are in memory, and how they come and go.
    pub resident: Resident,
    /// The indexes that rankings have asked for.
    pub indexes: Indexes,
    /// The time of the newest event.
    pub newest_event: Option<Timestamp>,
    /// The name of the storage engine.
    pub engine: String,
    /// The place in the log up to which the state is folded.
    pub position: Position,
    /// The last record that a checkpoint covers; opening replays from there.
    pub checkpointed: Seq,
    /// Why storage has not taken what was last to be written to it, as a checkpoint or to
    /// make room in memory; `None` once it has, or nothing has failed since the database was
    /// opened.
    pub checkpoint_failure: Option<CheckpointFailure>,
    /// Entities that were forgotten.
    pub forgotten: u64,
    /// Of these, how many there may still be something of in log and storage, until
    /// [`TidalDB::purge_forgotten`].
    pub unpurged: u64,
    /// The log: what it holds, what waits, and which cursor keeps it from being cut.
    pub log: WalStats,
}

/// The cells that are in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resident {
    /// How many there are.
    pub cells: u64,
    /// How many bytes they take, with their index.
    pub bytes: u64,
    /// How many bytes of them storage does not have yet.
    pub dirty_bytes: u64,
    /// How many bytes they may take before clean ones leave memory; see
    /// [`Builder::memory_budget`](crate::Builder::memory_budget).
    pub budget: Option<u64>,
    /// How many have left memory since the database was opened.
    pub evictions: u64,
    /// How many were read from storage since then, by reads and writes.
    pub loads: u64,
}

/// The indexes of rankings. They are made of the cells by the first query that needs one, are
/// never on disk, and are gone when the database is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Indexes {
    /// How many there are: one for each measure that was ranked by, of each signal type.
    pub lists: u64,
    /// About how many bytes of memory they take, beside what the cells' budget speaks of.
    pub bytes: u64,
}

impl Indexes {
    fn of(ledger: &SignalLedger) -> Self {
        let (lists, bytes) = ledger.index_size();
        Self { lists, bytes }
    }
}

impl Resident {
    fn of(ledger: &SignalLedger) -> Self {
        Self {
            cells: ledger.resident_cells(),
            bytes: ledger.resident_bytes(),
            dirty_bytes: ledger.dirty_bytes(),
            budget: ledger.memory_budget(),
            evictions: ledger.evictions(),
            loads: ledger.loads(),
        }
    }
}

impl TidalDB {
    /// Figures about the database. It looks at every cell, also at those in storage.
    ///
    /// # Errors
    /// What storage says; [`Closed`](crate::TidalError::Closed).
    pub fn stats(&self) -> Result<Stats> {
        let state = self.state()?;
        let mut entities = 0;
        for kind in EntityKind::ALL {
            state.ledger.for_each_entity(kind, |_| entities += 1)?;
        }
        let applied = self.parts.progress.applied();
        let log = self.parts.log.stats();
        Ok(Stats {
            entities,
            cells: state.ledger.cell_count(),
            records: applied.get(),
            log_bytes: log.bytes_on_disk,
            log_bytes_per_million: per_million(&log),
            retention: self.parts.retained.retention,
            storage_bytes: self.parts.storage.stats()?.disk_bytes,
            memory_bytes: state.memory_bytes(),
            attribute_index_bytes: state.attributes.index_bytes(),
            unique_actors_bytes: state.uniques.memory_bytes(),
            resident: Resident::of(&state.ledger),
            indexes: Indexes::of(&state.ledger),
            newest_event: state.ledger.newest_event(),
            engine: self.parts.storage.name().into(),
            position: Position { log_id: log.head.log_id, seq: applied },
            checkpointed: self.parts.progress.checkpointed(),
            checkpoint_failure: self.parts.checkpointer.failure(),
            forgotten: state.forgotten.len(),
            unpurged: state.forgotten.unpurged().0,
            log,
        })
    }
}

fn per_million(log: &WalStats) -> Option<u64> {
    let records = (log.head.seq.get() + 1).checked_sub(log.first_seq.get())?;
    let bytes = u128::from(log.used_bytes) * 1_000_000;
    u64::try_from(bytes.checked_div(u128::from(records))?).ok()
}

//! Figures about a database.

use tidal_types::{EntityKind, Position, Seq, Timestamp};
use tidal_wal::WalStats;

use super::TidalDB;
use crate::Result;

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
    /// Bytes that storage takes on disk.
    pub storage_bytes: u64,
    /// About how many bytes of memory the state takes.
    pub memory_bytes: u64,
    /// The time of the newest event.
    pub newest_event: Option<Timestamp>,
    /// The name of the storage engine.
    pub engine: String,
    /// The place in the log up to which the state is folded.
    pub position: Position,
    /// The last record that a checkpoint covers; opening replays from there.
    pub checkpointed: Seq,
    /// The log: what it holds, what waits, and which cursor keeps it from being cut.
    pub log: WalStats,
}

impl TidalDB {
    /// Figures about the database. It looks at every cell.
    ///
    /// # Errors
    /// What storage says; [`Closed`](crate::TidalError::Closed).
    pub fn stats(&self) -> Result<Stats> {
        let state = self.state()?;
        let entities = EntityKind::ALL.map(|kind| state.ledger.entities(kind).len() as u64);
        let applied = self.parts.progress.applied();
        let log = self.parts.log.stats();
        Ok(Stats {
            entities: entities.iter().sum(),
            cells: state.ledger.cell_count(),
            records: applied.get(),
            log_bytes: log.bytes_on_disk,
            storage_bytes: self.parts.storage.stats()?.disk_bytes,
            memory_bytes: state.memory_bytes(),
            newest_event: state.ledger.newest_event(),
            engine: self.parts.storage.name().into(),
            position: Position { log_id: log.head.log_id, seq: applied },
            checkpointed: self.parts.progress.checkpointed(),
            log,
        })
    }
}

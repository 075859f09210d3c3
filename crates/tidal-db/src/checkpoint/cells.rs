//! The cells that storage has.

use std::sync::Arc;

use tidal_storage::Storage;
use tidal_types::{EntityId, EntityKind, SignalTypeId};

use super::layout::{cell_key, keyspace, parse_cell_key};
use crate::Result;
use crate::ledger::{CellStore, CellVisitor};

/// Reads the cells that storage has.
#[derive(Debug)]
pub(crate) struct StoredCells {
    storage: Arc<dyn Storage>,
}

impl StoredCells {
    pub(crate) fn of(storage: Arc<dyn Storage>) -> Self {
        Self { storage }
    }
}

impl CellStore for StoredCells {
    fn get(&self, kind: EntityKind, id: EntityId, signal: SignalTypeId) -> Result<Option<Vec<u8>>> {
        Ok(self.storage.backend(kind).get(&cell_key(id, signal)?)?)
    }

    fn scan(&self, kind: EntityKind, visit: CellVisitor<'_>) -> Result<()> {
        let snapshot = self.storage.snapshot()?;
        for entry in snapshot.scan_prefix(keyspace(kind), &[])? {
            let (key, value) = entry?;
            if let Some((id, signal)) = parse_cell_key(&key) {
                visit(id, signal, &value)?;
            }
        }
        Ok(())
    }
}

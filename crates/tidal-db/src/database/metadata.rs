//! Reading the metadata of items.

use tidal_types::{EntityId, EntityKind, StorageError, TidalError};

use super::TidalDB;
use crate::Result;
use crate::checkpoint::metadata_key;

impl TidalDB {
    /// The metadata of an item.
    ///
    /// # Errors
    /// What storage says; [`Closed`](crate::TidalError::Closed).
    pub fn read_item(&self, id: EntityId) -> Result<Option<Vec<u8>>> {
        match self.state()?.metadata.get(id) {
            Some(written) => Ok(written.map(|metadata| metadata.to_vec())),
            None => {
                let items = self.parts.storage.backend(EntityKind::Item);
                items.get(&metadata_key(id)?).map_err(unless_closed)
            }
        }
    }

    /// Whether an item has metadata. It says nothing about its events.
    ///
    /// # Errors
    /// What storage says; [`Closed`](crate::TidalError::Closed).
    pub fn item_exists(&self, id: EntityId) -> Result<bool> {
        match self.state()?.metadata.get(id) {
            Some(written) => Ok(written.is_some()),
            None => {
                let items = self.parts.storage.backend(EntityKind::Item);
                items.contains(&metadata_key(id)?).map_err(unless_closed)
            }
        }
    }
}

/// A read that races a shutdown finds storage closed.
fn unless_closed(error: StorageError) -> TidalError {
    match error {
        StorageError::Closed { .. } => TidalError::Closed,
        other => other.into(),
    }
}

//! Reading the metadata of items.

use tidal_types::{EntityId, EntityKind};

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
            None => Ok(self.parts.storage.backend(EntityKind::Item).get(&metadata_key(id)?)?),
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
                Ok(self.parts.storage.backend(EntityKind::Item).contains(&metadata_key(id)?)?)
            }
        }
    }
}

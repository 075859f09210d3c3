//! The names that storage has.

use std::sync::{Arc, OnceLock};

use tidal_storage::{KeyspaceName, Storage, StorageEngine};
use tidal_types::{EntityId, EntityKind, StorageError, TidalError};

use crate::Result;
use crate::checkpoint::{decode_named_id, name_key, named_id_key};

/// Reads the names that storage has, where there is one.
#[derive(Debug, Default)]
pub(super) struct StoredNames {
    storage: Option<Arc<dyn Storage>>,
    system: OnceLock<Arc<dyn StorageEngine>>,
}

impl StoredNames {
    pub(super) fn of(storage: Arc<dyn Storage>) -> Self {
        Self { storage: Some(storage), system: OnceLock::new() }
    }

    pub(super) const fn is_some(&self) -> bool {
        self.storage.is_some()
    }

    pub(super) fn find(&self, kind: EntityKind, name: &[u8]) -> Result<Option<EntityId>> {
        let Some(bytes) = self.get(&named_id_key(kind, name)?)? else {
            return Ok(None);
        };
        let id = decode_named_id(&bytes).ok_or_else(|| TidalError::Damaged {
            location: format!("the id of {kind} {:?} in storage", name.escape_ascii().to_string()),
            problem: format!("{} bytes instead of 8", bytes.len()),
        })?;
        Ok(Some(id))
    }

    pub(super) fn name(&self, kind: EntityKind, id: EntityId) -> Result<Option<Arc<[u8]>>> {
        Ok(self.get(&name_key(kind, id)?)?.map(Arc::from))
    }

    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>> {
        let Some(storage) = &self.storage else {
            return Ok(None);
        };
        let system = match self.system.get() {
            Some(system) => system,
            None => {
                let opened = storage.keyspace(KeyspaceName::SYSTEM.as_str()).map_err(or_closed)?;
                self.system.get_or_init(|| opened)
            }
        };
        system.get(key).map_err(or_closed)
    }
}

/// Who races a shutdown finds storage closed.
fn or_closed(error: StorageError) -> TidalError {
    match error {
        StorageError::Closed { .. } => TidalError::Closed,
        other => other.into(),
    }
}

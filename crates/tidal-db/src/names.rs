//! Names and the ids that tidalDB gave them.
//!
//! M1. A name has one id in its kind and an id one name, until they are forgotten: the
//!     first assignment in the order of the log wins.
//! M2. Ids are given out from 1 and never twice, also when they were forgotten.
//! M3. What is not in memory is in storage: names that no checkpoint has yet lie in
//!     layers over it, and beside those is a bounded cache of what was read. No lock is
//!     held while storage is read.
//! M4. The cache holds what storage has. A checkpoint first moves on to another
//!     generation, so that nobody adds what was read before, then brings the cache up to
//!     date, and only then drops the layer that hides it.

mod stored;

use std::collections::BTreeMap;
use std::sync::{Arc, RwLock, RwLockReadGuard, RwLockWriteGuard};

use tidal_storage::Storage;
use tidal_types::{EntityId, EntityKind, TidalError};

use self::stored::StoredNames;
use crate::Result;
use crate::cache::Cache;
use crate::layered::{Frozen, Layered};

/// The longest name of an entity, in bytes.
pub const NAME_BYTES_MAX: usize = 255;

/// Checks the length of a name; every sequence of bytes of that length is one.
pub(crate) fn check_name(name: &[u8]) -> Result<()> {
    if name.is_empty() || name.len() > NAME_BYTES_MAX {
        return Err(TidalError::NameLength { bytes: name.len(), max: NAME_BYTES_MAX });
    }
    Ok(())
}

/// A name, or nothing where it was removed.
pub(crate) type Name = Option<Arc<[u8]>>;

const KINDS: usize = EntityKind::ALL.len();

/// The names of all kinds.
#[derive(Debug, Default)]
pub(crate) struct Names {
    layers: RwLock<Layers>,
    cached: [Cached; KINDS],
    stored: StoredNames,
}

#[derive(Debug, Default)]
struct Layers {
    kinds: [KindNames; KINDS],
    /// Grows when storage is about to have what it had not (M4).
    generation: u64,
}

#[derive(Debug, Default)]
struct KindNames {
    by_name: Layered<Arc<[u8]>, Option<EntityId>>,
    by_id: Layered<EntityId, Name>,
    last_id: u64,
}

/// What storage has, or has not.
#[derive(Debug, Default)]
struct Cached {
    by_name: Cache<Arc<[u8]>, Option<EntityId>>,
    by_id: Cache<EntityId, Name>,
}

/// Names that a checkpoint writes, by kind.
#[derive(Debug)]
pub(crate) struct FrozenNames {
    pub(crate) by_name: [Frozen<Arc<[u8]>, Option<EntityId>>; KINDS],
    pub(crate) by_id: [Frozen<EntityId, Name>; KINDS],
    pub(crate) last_ids: [u64; KINDS],
}

const UNPOISONED: &str = "no thread panics while it changes the names";

impl Layers {
    fn kind(&self, kind: EntityKind) -> &KindNames {
        let [item, user, creator] = &self.kinds;
        match kind {
            EntityKind::Item => item,
            EntityKind::User => user,
            EntityKind::Creator => creator,
        }
    }

    fn kind_mut(&mut self, kind: EntityKind) -> &mut KindNames {
        let [item, user, creator] = &mut self.kinds;
        match kind {
            EntityKind::Item => item,
            EntityKind::User => user,
            EntityKind::Creator => creator,
        }
    }
}

impl Names {
    /// Names over those that storage has.
    pub(crate) fn over(storage: Arc<dyn Storage>) -> Self {
        Self { stored: StoredNames::of(storage), ..Self::default() }
    }

    fn read(&self) -> RwLockReadGuard<'_, Layers> {
        self.layers.read().expect(UNPOISONED)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Layers> {
        self.layers.write().expect(UNPOISONED)
    }

    fn cached(&self, kind: EntityKind) -> &Cached {
        let [item, user, creator] = &self.cached;
        match kind {
            EntityKind::Item => item,
            EntityKind::User => user,
            EntityKind::Creator => creator,
        }
    }

    /// The id of a name.
    pub(crate) fn find(&self, kind: EntityKind, name: &[u8]) -> Result<Option<EntityId>> {
        self.look_up(
            |layers| layers.kind(kind).by_name.get(name).copied(),
            || self.cached(kind).by_name.get(name),
            || self.stored.find(kind, name),
            |found| self.cached(kind).by_name.insert(name.into(), *found),
        )
    }

    /// The name of an id.
    pub(crate) fn name(&self, kind: EntityKind, id: EntityId) -> Result<Name> {
        if id.get() > self.last_id(kind) {
            return Ok(None);
        }
        self.look_up(
            |layers| layers.kind(kind).by_id.get(&id).cloned(),
            || self.cached(kind).by_id.get(&id),
            || self.stored.name(kind, id),
            |found| self.cached(kind).by_id.insert(id, found.clone()),
        )
    }

    /// Looks into the layers, then into the cache, then into storage, and keeps what that
    /// has, unless a checkpoint has changed it meanwhile (M4).
    fn look_up<T>(
        &self,
        in_layers: impl FnOnce(&Layers) -> Option<T>,
        in_cache: impl FnOnce() -> Option<T>,
        in_storage: impl FnOnce() -> Result<T>,
        keep: impl FnOnce(&T),
    ) -> Result<T> {
        let generation = {
            let layers = self.read();
            if let Some(found) = in_layers(&layers) {
                return Ok(found);
            }
            layers.generation
        };
        if let Some(found) = in_cache() {
            return Ok(found);
        }
        let found = in_storage()?;
        if self.stored.is_some() {
            let layers = self.read();
            if layers.generation == generation {
                keep(&found);
            }
        }
        Ok(found)
    }

    /// The largest id ever given out; 0 when there was none.
    pub(crate) fn last_id(&self, kind: EntityKind) -> u64 {
        self.read().kind(kind).last_id
    }

    /// Folds an assignment. One that comes too late, of a name or an id that is
    /// taken, changes nothing (M1). One thread folds.
    ///
    /// # Errors
    /// What storage says.
    pub(crate) fn assign(&self, kind: EntityKind, id: EntityId, name: &[u8]) -> Result<()> {
        let is_taken = self.name(kind, id)?.is_some() || self.find(kind, name)?.is_some();
        let mut layers = self.write();
        let names = layers.kind_mut(kind);
        names.last_id = names.last_id.max(id.get());
        if !is_taken {
            let name: Arc<[u8]> = name.into();
            names.by_name.insert(Arc::clone(&name), Some(id));
            names.by_id.insert(id, Some(name));
        }
        Ok(())
    }

    /// Folds that an id was forgotten: neither it nor its name is found any more. The id
    /// counts as given out, also when the log has no record any more that gave it to a
    /// name. One thread folds.
    ///
    /// # Errors
    /// What storage says.
    pub(crate) fn forget(&self, kind: EntityKind, id: EntityId) -> Result<()> {
        let name = self.name(kind, id)?;
        let mut layers = self.write();
        let names = layers.kind_mut(kind);
        names.last_id = names.last_id.max(id.get());
        if let Some(name) = name {
            names.by_name.insert(name, None);
            names.by_id.insert(id, None);
        }
        Ok(())
    }

    /// Takes the largest id ever given out from storage.
    pub(crate) fn restore_last_id(&self, kind: EntityKind, last_id: u64) {
        let mut layers = self.write();
        let names = layers.kind_mut(kind);
        names.last_id = names.last_id.max(last_id);
    }

    /// What a checkpoint has to write: what was assigned or forgotten since the last one.
    pub(crate) fn freeze(&self) -> FrozenNames {
        let mut layers = self.write();
        FrozenNames {
            by_name: EntityKind::ALL.map(|kind| layers.kind_mut(kind).by_name.freeze()),
            by_id: EntityKind::ALL.map(|kind| layers.kind_mut(kind).by_id.freeze()),
            last_ids: EntityKind::ALL.map(|kind| layers.kind(kind).last_id),
        }
    }

    /// Storage has what was frozen (M4).
    pub(crate) fn settle(&self, frozen: &FrozenNames) {
        self.write().generation += 1;
        for ((cached, by_name), by_id) in self.cached.iter().zip(&frozen.by_name).zip(&frozen.by_id)
        {
            for (name, id) in by_name.iter() {
                cached.by_name.insert(Arc::clone(name), *id);
            }
            for (&id, name) in by_id.iter() {
                cached.by_id.insert(id, name.clone());
            }
        }
        for names in &mut self.write().kinds {
            names.by_name.settle();
            names.by_id.settle();
        }
    }

    /// Storage does not have what was frozen.
    pub(crate) fn thaw(&self) {
        for names in &mut self.write().kinds {
            names.by_name.thaw();
            names.by_id.thaw();
        }
    }

    /// What no checkpoint has yet, by id. The names of a kind are these over those in a
    /// snapshot of storage that is taken afterwards.
    pub(crate) fn unsettled(&self, kind: EntityKind) -> BTreeMap<EntityId, Name> {
        let layers = self.read();
        layers.kind(kind).by_id.entries().map(|(&id, name)| (id, name.clone())).collect()
    }

    /// About how much memory the names take, in bytes.
    pub(crate) fn memory_bytes(&self) -> u64 {
        // An entry of a map and its share of one allocation with two counters.
        const PER_NAME: u64 = 32 + 16;
        let layers = self.read();
        let unsettled: u64 = layers
            .kinds
            .iter()
            .flat_map(|kind| kind.by_id.entries())
            .map(|(_, name)| 2 * PER_NAME + name.as_ref().map_or(0, |name| name.len() as u64))
            .sum();
        let cached: usize =
            self.cached.iter().map(|cached| cached.by_name.len() + cached.by_id.len()).sum();
        unsettled + cached as u64 * PER_NAME
    }
}

#[cfg(test)]
mod tests;

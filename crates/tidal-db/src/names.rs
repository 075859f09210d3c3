//! Names and the ids that tidalDB gave them.
//!
//! M1. A name has one id in its kind and an id one name, for ever: the first
//!     assignment in the order of the log wins.
//! M2. Ids are given out from 1 and never twice.

use std::collections::HashMap;
use std::sync::Arc;

use tidal_types::{EntityId, EntityKind, TidalError};

use crate::Result;

/// The longest name of an entity, in bytes.
pub const NAME_BYTES_MAX: usize = 255;

/// Checks the length of a name; every sequence of bytes of that length is one.
pub(crate) fn check_name(name: &[u8]) -> Result<()> {
    if name.is_empty() || name.len() > NAME_BYTES_MAX {
        return Err(TidalError::NameLength { bytes: name.len(), max: NAME_BYTES_MAX });
    }
    Ok(())
}

/// The names of all kinds.
#[derive(Debug, Default)]
pub(crate) struct Names {
    kinds: [KindNames; EntityKind::ALL.len()],
    /// Assigned since the last checkpoint.
    dirty: Vec<(EntityKind, EntityId)>,
}

#[derive(Debug, Default)]
struct KindNames {
    by_name: HashMap<Arc<[u8]>, EntityId>,
    by_id: HashMap<EntityId, Arc<[u8]>>,
    last_id: u64,
}

impl Names {
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

    /// The id of a name.
    pub(crate) fn find(&self, kind: EntityKind, name: &[u8]) -> Option<EntityId> {
        self.kind(kind).by_name.get(name).copied()
    }

    /// The name of an id.
    pub(crate) fn name(&self, kind: EntityKind, id: EntityId) -> Option<&[u8]> {
        self.kind(kind).by_id.get(&id).map(|name| &**name)
    }

    /// The largest id ever given out; 0 when there was none.
    pub(crate) fn last_id(&self, kind: EntityKind) -> u64 {
        self.kind(kind).last_id
    }

    /// Folds an assignment. One that comes too late, of a name or an id that is
    /// taken, changes nothing (M1).
    pub(crate) fn assign(&mut self, kind: EntityKind, id: EntityId, name: &[u8]) {
        if self.restore(kind, id, name) {
            self.dirty.push((kind, id));
        }
    }

    /// Takes an assignment from storage; false when the name or the id is taken.
    pub(crate) fn restore(&mut self, kind: EntityKind, id: EntityId, name: &[u8]) -> bool {
        let names = self.kind_mut(kind);
        names.last_id = names.last_id.max(id.get());
        if names.by_name.contains_key(name) || names.by_id.contains_key(&id) {
            return false;
        }
        let name: Arc<[u8]> = name.into();
        names.by_name.insert(Arc::clone(&name), id);
        names.by_id.insert(id, name);
        true
    }

    /// Takes the largest id ever given out from storage.
    pub(crate) fn restore_last_id(&mut self, kind: EntityKind, last_id: u64) {
        let names = self.kind_mut(kind);
        names.last_id = names.last_id.max(last_id);
    }

    /// What was assigned since [`Names::mark_clean`].
    pub(crate) fn dirty(&self) -> impl Iterator<Item = (EntityKind, EntityId, &[u8])> {
        self.dirty.iter().filter_map(|&(kind, id)| self.name(kind, id).map(|name| (kind, id, name)))
    }

    pub(crate) fn mark_clean(&mut self) {
        self.dirty.clear();
    }

    /// Every name of a kind, by id.
    pub(crate) fn sorted(&self, kind: EntityKind) -> Vec<(EntityId, &[u8])> {
        let mut names: Vec<_> =
            self.kind(kind).by_id.iter().map(|(&id, name)| (id, &**name)).collect();
        names.sort_unstable_by_key(|&(id, _)| id);
        names
    }

    /// About how much memory the names take, in bytes.
    pub(crate) fn memory_bytes(&self) -> u64 {
        // Two entries of the maps and one allocation with its two counters.
        const PER_NAME: u64 = 2 * 32 + 16;
        let kinds = self.kinds.iter();
        kinds.flat_map(|kind| kind.by_id.values()).map(|name| PER_NAME + name.len() as u64).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_assignment_wins() {
        let mut names = Names::default();
        let (one, two) = (EntityId::new(1), EntityId::new(2));
        names.assign(EntityKind::Item, one, b"a");
        names.assign(EntityKind::Item, two, b"a");
        names.assign(EntityKind::Item, one, b"b");
        names.assign(EntityKind::User, one, b"b");
        assert_eq!(names.find(EntityKind::Item, b"a"), Some(one));
        assert_eq!(names.find(EntityKind::Item, b"b"), None);
        assert_eq!(names.find(EntityKind::User, b"b"), Some(one));
        assert_eq!(names.name(EntityKind::Item, one), Some(b"a".as_slice()));
        assert_eq!(names.last_id(EntityKind::Item), 2);
        assert_eq!(names.dirty().count(), 2);
    }

    #[test]
    fn names_are_exact_bytes() {
        let mut names = Names::default();
        for (id, name) in [b"a".as_slice(), b"A", b"a ", b"\xff\x00"].into_iter().enumerate() {
            names.assign(EntityKind::Item, EntityId::new(id as u64 + 1), name);
        }
        assert_eq!(names.sorted(EntityKind::Item).len(), 4);
        assert_eq!(names.find(EntityKind::Item, b"\xff\x00"), Some(EntityId::new(4)));
        assert!(check_name(&[b'x'; 255]).is_ok());
        assert!(check_name(&[b'x'; 256]).is_err());
        assert!(check_name(b"").is_err());
    }
}

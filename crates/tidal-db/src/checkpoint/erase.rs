//! Entities are taken out of a checkpoint that is not written any more: their cells,
//! metadata, attributes, unique actors, histories and names; and from others the attributes
//! that name them, the ids of users in unique actors, and their entries in histories. What was
//! forgotten of them in the head, id modes and the last ids
//! given out, stays.
//!
//! X1. How many cells there are is in the same commit as those that go (C6), so the
//!     storage counts right after any of the commits.

use std::collections::HashSet;

use tidal_keys::entity_prefix;
use tidal_storage::{AtomicBatch, Durability, KeyspaceName, Snapshot, Storage};
use tidal_types::{EntityId, EntityKind};

use super::layout::{
    attributes_id, cells_key, decode_named_id, encode_cells, keyspace, name_key, named_id_key,
    parse_cell_key,
};
use super::load::{load_counts, load_schema};
use crate::Result;
use crate::attributes::{AttributeRows, kinds_that_name, names};
use crate::history;
use crate::ledger::StoredCounts;
use crate::overlay::Rows as _;
use crate::uniques;

/// Takes entities out of a storage of today's version that nobody else writes, in commits
/// of about so many bytes of keys. When it returns, that survives a power cut.
///
/// # Errors
/// [`TidalError::Damaged`](tidal_types::TidalError::Damaged) when the number of cells means
/// nothing; what storage says. What was committed before stays so.
pub(crate) fn erase(
    storage: &dyn Storage,
    entities: &HashSet<(EntityKind, EntityId)>,
    commit_bytes: usize,
) -> Result<()> {
    let snapshot = storage.snapshot()?;
    let mut erased =
        Erased { counts: load_counts(&*snapshot)?, batch: AtomicBatch::new(), bytes: 0 };
    for &(kind, id) in entities {
        erased.entity(&*snapshot, kind, id)?;
        if erased.bytes >= commit_bytes {
            erased.commit(storage, Durability::Buffer)?;
        }
    }
    for kind in kinds_that_name(&load_schema(&*snapshot)?, entities) {
        for entry in snapshot.scan_prefix(keyspace(kind), &[])? {
            let (key, value) = entry?;
            erased.mentions(kind, &key, &value, entities)?;
            if erased.bytes >= commit_bytes {
                erased.commit(storage, Durability::Buffer)?;
            }
        }
    }
    erased.commit(storage, Durability::Buffer)?;
    // What was erased is not looked at.
    let users = entities.iter().filter(|(kind, _)| *kind == EntityKind::User);
    let users = users.map(|&(_, id)| id).collect();
    uniques::unname_stored(storage, &users, &mut |kind, key, value| {
        erased.bytes += key.len() + value.len();
        erased.batch.put(keyspace(kind), key, value);
        if erased.bytes >= commit_bytes {
            erased.commit(storage, Durability::Buffer)
        } else {
            Ok(())
        }
    })?;
    history::erase(storage, &load_schema(&*snapshot)?, entities, commit_bytes)?;
    erased.commit(storage, Durability::Sync)
}

/// What the next commit takes out, and writes anew.
struct Erased {
    /// How many cells there are then.
    counts: StoredCounts,
    batch: AtomicBatch,
    bytes: usize,
}

impl Erased {
    fn entity(&mut self, snapshot: &dyn Snapshot, kind: EntityKind, id: EntityId) -> Result<()> {
        for entry in snapshot.scan_prefix(keyspace(kind), &entity_prefix(id))? {
            let (key, _) = entry?;
            if let Some((_, signal)) = parse_cell_key(&key) {
                self.counts.take_one(signal);
            }
            self.delete(keyspace(kind), key.to_vec());
        }
        let by_id = name_key(kind, id)?;
        if let Some(name) = snapshot.get(KeyspaceName::SYSTEM, &by_id)? {
            let by_name = named_id_key(kind, &name)?;
            let found = snapshot.get(KeyspaceName::SYSTEM, &by_name)?;
            if found.and_then(|found| decode_named_id(&found)) == Some(id) {
                self.delete(KeyspaceName::SYSTEM, by_name);
            }
            self.delete(KeyspaceName::SYSTEM, by_id);
        }
        Ok(())
    }

    /// Takes these entities out of the attributes that a key has, if it has any.
    fn mentions(
        &mut self,
        kind: EntityKind,
        key: &[u8],
        value: &[u8],
        entities: &HashSet<(EntityKind, EntityId)>,
    ) -> Result<()> {
        let Some(id) = attributes_id(key).filter(|id| !entities.contains(&(kind, *id))) else {
            return Ok(());
        };
        let row = AttributeRows::decode(&(kind, id), value)?;
        if !row.iter().any(|(_, value)| names(value, entities)) {
            return Ok(());
        }
        match row.only(|value| !names(value, entities)) {
            Some(row) => {
                let row = row.encode();
                self.bytes += key.len() + row.len();
                self.batch.put(keyspace(kind), key.to_vec(), row);
            }
            None => self.delete(keyspace(kind), key.to_vec()),
        }
        Ok(())
    }

    fn delete(&mut self, keyspace: KeyspaceName<'static>, key: Vec<u8>) {
        self.bytes += key.len();
        self.batch.delete(keyspace, key);
    }

    /// X1.
    fn commit(&mut self, storage: &dyn Storage, durability: Durability) -> Result<()> {
        let mut batch = std::mem::take(&mut self.batch);
        self.bytes = 0;
        batch.put(KeyspaceName::SYSTEM, cells_key()?, encode_cells(&self.counts));
        Ok(storage.commit(batch, durability)?)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tidal_types::SignalTypeId;

    use super::*;
    use crate::checkpoint::layout::{cell_key, encode_named_id, metadata_key, uniques_key};
    use crate::tests::crash_storage::CrashStorage;

    const USER: EntityKind = EntityKind::User;

    fn fed() -> Arc<CrashStorage> {
        let storage = CrashStorage::new();
        let mut batch = AtomicBatch::new();
        for number in 1..=4 {
            let id = EntityId::new(number);
            for signal in 0..2 {
                let key = cell_key(id, SignalTypeId::new(signal)).unwrap();
                batch.put(keyspace(USER), key, b"cell".as_slice());
            }
            batch.put(keyspace(EntityKind::Item), metadata_key(id).unwrap(), b"m".as_slice());
            let name = format!("name {number}");
            let key = name_key(USER, id).unwrap();
            batch.put(KeyspaceName::SYSTEM, key, name.as_bytes());
            let key = named_id_key(USER, name.as_bytes()).unwrap();
            batch.put(KeyspaceName::SYSTEM, key, encode_named_id(id));
        }
        let counts = encode_cells(&StoredCounts::new(vec![4, 4]));
        batch.put(KeyspaceName::SYSTEM, cells_key().unwrap(), counts);
        storage.commit(batch, Durability::Sync).unwrap();
        storage
    }

    /// U2: what names a user who goes is written anew, in any number of commits, and all
    /// else stays.
    #[test]
    fn users_who_go_are_not_named_among_the_unique_actors_of_others() {
        // Version 1, two actors: at 9 user 3, and at 4 another one.
        let sketch = |other| vec![1, 2, 9, 3, 5, other];
        for commit_bytes in [1, usize::MAX] {
            let storage = fed();
            let mut batch = AtomicBatch::new();
            for item in 5..=8 {
                let key = uniques_key(EntityId::new(item), SignalTypeId::new(0)).unwrap();
                batch.put(keyspace(EntityKind::Item), key, sketch(item as u8 % 2 + 1));
            }
            storage.commit(batch, Durability::Sync).unwrap();
            let read = |storage: &dyn Storage| -> Vec<Vec<u8>> {
                let key = |item| uniques_key(EntityId::new(item), SignalTypeId::new(0)).unwrap();
                let items = storage.backend(EntityKind::Item);
                (5..=8).map(|item| items.get(&key(item)).unwrap().unwrap().to_vec()).collect()
            };
            let gone =
                HashSet::from([(USER, EntityId::new(1)), (EntityKind::Item, EntityId::new(2))]);
            erase(&*storage, &gone, commit_bytes).unwrap();
            let storage = storage.after_power_cut();
            let after = read(&*storage);
            assert_eq!((&after[0], &after[2]), (&sketch(2), &sketch(2)));
            for unnamed in [&after[1], &after[3]] {
                assert_eq!(unnamed[..5], sketch(1)[..5]);
                assert!(unnamed.len() > 10, "a number of 64 bits: {unnamed:?}");
            }
            erase(&*storage, &gone, commit_bytes).unwrap();
            assert_eq!(read(&*storage), after);
        }
    }

    fn keys(storage: &dyn Storage, keyspace: KeyspaceName<'_>) -> usize {
        storage.snapshot().unwrap().scan_prefix(keyspace, &[]).unwrap().count()
    }

    /// What is asked for goes, of that kind, under every key, and is counted no more; in
    /// one commit or in many, once more, and for good.
    #[test]
    fn entities_go_under_all_their_keys_and_are_counted_no_more() {
        for commit_bytes in [1, usize::MAX] {
            let storage = fed();
            let gone = [1, 3, 9].map(|number| (USER, EntityId::new(number)));
            for _ in 0..2 {
                erase(&*storage, &HashSet::from(gone), commit_bytes).unwrap();
                let storage = storage.after_power_cut();
                assert_eq!(keys(&*storage, keyspace(USER)), 4);
                assert_eq!(keys(&*storage, keyspace(EntityKind::Item)), 4);
                // Two names, each under two keys, and the number of cells.
                assert_eq!(keys(&*storage, KeyspaceName::SYSTEM), 5);
                let snapshot = storage.snapshot().unwrap();
                let counts = load_counts(&*snapshot).unwrap();
                assert_eq!(counts, StoredCounts::new(vec![2, 2]));
            }
            let item = HashSet::from([(EntityKind::Item, EntityId::new(2))]);
            erase(&*storage, &item, commit_bytes).unwrap();
            assert_eq!(keys(&*storage, keyspace(EntityKind::Item)), 3);
            assert_eq!(keys(&*storage, keyspace(USER)), 4);
        }
    }

    /// A name that another id has by now stays with that one.
    #[test]
    fn a_name_stays_with_who_has_it() {
        let storage = fed();
        let key = named_id_key(USER, b"name 1").unwrap();
        let mut batch = AtomicBatch::new();
        batch.put(KeyspaceName::SYSTEM, key.as_slice(), encode_named_id(EntityId::new(2)));
        storage.commit(batch, Durability::Sync).unwrap();
        erase(&*storage, &HashSet::from([(USER, EntityId::new(1))]), 1).unwrap();
        assert!(storage.snapshot().unwrap().get(KeyspaceName::SYSTEM, &key).unwrap().is_some());
    }
}

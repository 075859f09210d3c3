use std::collections::BTreeMap;

use tidal_storage::MemoryStorage;
use tidal_types::{EntityId, LogId, Position, Seq, SignalTypeId};

use super::*;
use crate::checkpoint::layout::{cell_key, decode_cells, keyspace, name_key};
use crate::checkpoint::load_head;

/// Everything in the keyspace of tidalDB.
fn system(storage: &dyn Storage) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let snapshot = storage.snapshot().unwrap();
    let entries = snapshot.scan_prefix(KeyspaceName::SYSTEM, &[]).unwrap();
    entries.map(|entry| entry.unwrap()).collect()
}

fn version_1() -> Arc<dyn Storage> {
    let storage = MemoryStorage::new();
    let mut batch = AtomicBatch::new();
    let head = Head {
        version: HEAD_VERSION_1,
        position: Position { log_id: LogId::from_bytes([7; 16]), seq: Seq::new(9) },
        newest: None,
        modes: Default::default(),
        last_ids: [2, 1, 0],
    };
    batch.put(KeyspaceName::SYSTEM, head_key().unwrap(), head.encode());
    for (kind, id, name) in
        [(EntityKind::Item, 1, "a"), (EntityKind::Item, 2, "b"), (EntityKind::User, 1, "a")]
    {
        let key = name_key(kind, EntityId::new(id)).unwrap();
        batch.put(KeyspaceName::SYSTEM, key, name);
    }
    for (id, signal) in [(1, 0), (1, 2), (2, 2)] {
        let key = cell_key(EntityId::new(id), SignalTypeId::new(signal)).unwrap();
        batch.put(keyspace(EntityKind::Item), key, "a cell");
    }
    storage.commit(batch, Durability::Sync).unwrap();
    Arc::new(storage)
}

/// R25: what version 1 wrote is read. The upgrade may be cut short before its last
/// commit (U1), which the first of the two calls is here.
#[test]
fn version_1_is_counted_and_its_names_are_found() {
    let storage = version_1();
    let (head, _) = load_head(&*storage).unwrap().unwrap();
    let before = system(&*storage);
    storage.commit(index_names(&*storage).unwrap(), Durability::Buffer).unwrap();
    assert_eq!(load_head(&*storage).unwrap().unwrap().0, head, "it is of version 1 still");

    let upgraded = upgrade(&storage, head).unwrap();
    assert_eq!(upgraded, Head { version: HEAD_VERSION, ..head });
    assert_eq!(load_head(&*storage).unwrap().unwrap().0, upgraded);
    let after = system(&*storage);
    for (kind, id, name) in
        [(EntityKind::Item, 1, "a"), (EntityKind::Item, 2, "b"), (EntityKind::User, 1, "a")]
    {
        let key = named_id_key(kind, name.as_bytes()).unwrap();
        assert_eq!(after.get(&key), Some(&encode_named_id(EntityId::new(id))));
    }
    let counts = decode_cells(&after[&cells_key().unwrap()]);
    assert_eq!(counts, Some(StoredCounts::new(vec![1, 0, 2])));
    assert_eq!(after.len(), before.len() + 3 + 1);
    assert_eq!(upgrade(&storage, upgraded).unwrap(), upgraded);
    assert_eq!(system(&*storage), after);
}

use std::collections::BTreeMap;

use tidal_storage::MemoryStorage;
use tidal_types::{EntityId, LogId, Position, Seq, SignalTypeId};

use super::*;
use crate::checkpoint::layout::{cell_key, decode_cells, keyspace, name_key};
use crate::checkpoint::load_head;
use crate::tests::crash_storage::CrashStorage;

/// Everything in the keyspace of tidalDB.
fn system(storage: &dyn Storage) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let snapshot = storage.snapshot().unwrap();
    let entries = snapshot.scan_prefix(KeyspaceName::SYSTEM, &[]).unwrap();
    entries.map(|entry| entry.unwrap()).collect()
}

fn version_1(storage: Arc<dyn Storage>) -> Arc<dyn Storage> {
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
    storage
}

/// R25: what version 1 wrote is read.
#[test]
fn version_1_is_counted_and_its_names_are_found() {
    let storage = version_1(Arc::new(MemoryStorage::new()));
    let (head, _) = load_head(&*storage).unwrap().unwrap();
    let before = system(&*storage);
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

/// U1: an upgrade that ends at any of its commits, whichever of those a power cut leaves, is
/// one that did not begin: the next one comes to the same.
#[test]
fn an_upgrade_can_end_at_any_commit() {
    // A name a commit.
    let commit_bytes = 1;
    let whole = version_1(Arc::new(MemoryStorage::new()));
    let (head, _) = load_head(&*whole).unwrap().unwrap();
    let upgraded = upgrade_by(&whole, head, commit_bytes).unwrap();
    let mut commits = 0;
    loop {
        let storage = CrashStorage::new();
        let dying = version_1(Arc::clone(&storage) as _);
        storage.die_after(commits);
        let outcome = upgrade_by(&dying, head, commit_bytes);
        let is_over = outcome.is_ok();
        for unsynced in 0..=commits {
            let left: Arc<dyn Storage> = storage.after_crash(usize::try_from(unsynced).unwrap());
            let (found, _) = load_head(&*left).unwrap().unwrap();
            assert_eq!(found, if is_over { upgraded } else { head }, "{commits}, {unsynced}");
            assert_eq!(upgrade(&left, found).unwrap(), upgraded);
            assert_eq!(system(&*left), system(&*whole), "{commits}, {unsynced}");
        }
        if is_over {
            break;
        }
        commits += 1;
    }
    assert_eq!(commits, 4, "three for the names, and the last");
}

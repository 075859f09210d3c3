use tidal_storage::{AtomicBatch, Durability, KeyspaceName, MemoryStorage};

use super::*;
use crate::checkpoint::put_names;

const ITEM: EntityKind = EntityKind::Item;

fn over_memory() -> (Arc<MemoryStorage>, Names) {
    let storage = Arc::new(MemoryStorage::new());
    (Arc::clone(&storage), Names::over(storage))
}

fn id(number: u64) -> EntityId {
    EntityId::new(number)
}

/// What a checkpoint does with names.
fn write(storage: &MemoryStorage, frozen: &FrozenNames) {
    let mut batch = AtomicBatch::new();
    put_names(&mut batch, frozen).unwrap();
    storage.commit(batch, Durability::Sync).unwrap();
}

#[test]
fn the_first_assignment_wins_in_memory_and_in_storage() {
    for checkpoints in [false, true] {
        let (storage, names) = over_memory();
        let (one, two) = (id(1), id(2));
        for (kind, id, name) in
            [(ITEM, one, b"a"), (ITEM, two, b"a"), (ITEM, one, b"b"), (EntityKind::User, one, b"b")]
        {
            names.assign(kind, id, name).unwrap();
            if checkpoints {
                let frozen = names.freeze();
                write(&storage, &frozen);
                names.settle(&frozen);
            }
        }
        assert_eq!(names.find(ITEM, b"a").unwrap(), Some(one));
        assert_eq!(names.find(ITEM, b"b").unwrap(), None);
        assert_eq!(names.find(EntityKind::User, b"b").unwrap(), Some(one));
        assert_eq!(names.name(ITEM, one).unwrap().as_deref(), Some(b"a".as_slice()));
        assert_eq!(names.name(ITEM, two).unwrap(), None);
        assert_eq!(names.last_id(ITEM), 2);
    }
}

#[test]
fn names_are_exact_bytes() {
    let (storage, names) = over_memory();
    // The last one is as long as a name can be, of bytes that other keys escape.
    let all = [b"a".as_slice(), b"A", b"a ", b"\xff\x00", &[0; NAME_BYTES_MAX]];
    for (number, name) in (1..).zip(all) {
        names.assign(ITEM, id(number), name).unwrap();
    }
    let frozen = names.freeze();
    write(&storage, &frozen);
    names.settle(&frozen);
    let reopened = Names::over(storage);
    reopened.restore_last_id(ITEM, 5);
    for (number, name) in (1..).zip(all) {
        assert_eq!(reopened.find(ITEM, name).unwrap(), Some(id(number)));
        assert_eq!(reopened.name(ITEM, id(number)).unwrap().as_deref(), Some(name));
        assert_eq!(reopened.find(EntityKind::User, name).unwrap(), None);
    }
    assert!(check_name(&[b'x'; NAME_BYTES_MAX]).is_ok());
    assert!(check_name(&[b'x'; NAME_BYTES_MAX + 1]).is_err());
    assert!(check_name(b"").is_err());
}

/// M4: what was not there is remembered, and forgotten when it comes.
#[test]
fn a_name_that_was_looked_for_before_it_came_is_found() {
    let (storage, names) = over_memory();
    assert_eq!(names.find(ITEM, b"a").unwrap(), None);
    names.assign(ITEM, id(1), b"a").unwrap();
    let found = || {
        assert_eq!(names.find(ITEM, b"a").unwrap(), Some(id(1)));
        assert_eq!(names.name(ITEM, id(1)).unwrap().as_deref(), Some(b"a".as_slice()));
    };
    found();
    let frozen = names.freeze();
    found();
    write(&storage, &frozen);
    found();
    names.settle(&frozen);
    found();
    assert!(names.unsettled(ITEM).is_empty());
}

/// M4: whoever read storage before a checkpoint wrote to it does not keep what it read.
#[test]
fn what_was_read_before_a_checkpoint_is_not_kept() {
    let (storage, names) = over_memory();
    let read = names.look_up(
        |layers| layers.kind(ITEM).by_name.get(b"a".as_slice()).copied(),
        || None,
        || {
            let read = names.stored.find(ITEM, b"a");
            names.assign(ITEM, id(1), b"a").unwrap();
            let frozen = names.freeze();
            write(&storage, &frozen);
            names.settle(&frozen);
            read
        },
        |found| names.cached(ITEM).by_name.insert(b"a".as_slice().into(), *found),
    );
    assert_eq!(read.unwrap(), None);
    assert_eq!(names.find(ITEM, b"a").unwrap(), Some(id(1)));
}

/// A checkpoint that fails takes nothing away, and the next one has all of it.
#[test]
fn names_that_could_not_be_written_are_written_next() {
    let (storage, names) = over_memory();
    names.assign(ITEM, id(1), b"a").unwrap();
    drop(names.freeze());
    names.assign(ITEM, id(2), b"b").unwrap();
    names.thaw();
    assert_eq!(names.find(ITEM, b"a").unwrap(), Some(id(1)));
    let frozen = names.freeze();
    assert_eq!(frozen.last_ids[ITEM.index()], 2);
    write(&storage, &frozen);
    names.settle(&frozen);
    for name in [b"a", b"b"] {
        assert!(names.find(ITEM, name).unwrap().is_some());
    }
}

/// Bytes in storage that are no id are told, with their place.
#[test]
fn a_damaged_id_is_an_error() {
    let (storage, names) = over_memory();
    let mut batch = AtomicBatch::new();
    let key = crate::checkpoint::named_id_key(ITEM, b"a").unwrap();
    batch.put(KeyspaceName::SYSTEM, key, b"short");
    storage.commit(batch, Durability::Sync).unwrap();
    let error = names.find(ITEM, b"a").unwrap_err();
    assert_eq!(error.kind(), tidal_types::ErrorKind::Damage);
    assert!(error.to_string().contains("the id of item \"a\""), "{error}");
}

/// What is forgotten is found neither by its name nor by its id, wherever it was, and its
/// id is not given out again; whoever has the name then has it.
#[test]
fn a_name_that_was_forgotten_is_free_and_its_id_is_not() {
    for is_stored in [false, true] {
        let (storage, names) = over_memory();
        names.assign(ITEM, id(3), b"a").unwrap();
        let frozen = names.freeze();
        if is_stored {
            write(&storage, &frozen);
            names.settle(&frozen);
        }
        names.forget(ITEM, id(3)).unwrap();
        assert_eq!(names.find(ITEM, b"a").unwrap(), None);
        assert_eq!(names.name(ITEM, id(3)).unwrap(), None);
        assert_eq!(names.last_id(ITEM), 3);
        if !is_stored {
            // The checkpoint before the one that forgets, which comes to its end.
            assert!(frozen.by_name[0].contains_key(b"a".as_slice()));
            write(&storage, &frozen);
            names.settle(&frozen);
            assert_eq!(names.find(ITEM, b"a").unwrap(), None);
        }
        names.assign(ITEM, id(4), b"a").unwrap();
        let frozen = names.freeze();
        write(&storage, &frozen);
        names.settle(&frozen);
        let reopened = Names::over(Arc::clone(&storage) as _);
        reopened.restore_last_id(ITEM, 4);
        for names in [&names, &reopened] {
            assert_eq!(names.find(ITEM, b"a").unwrap(), Some(id(4)));
            assert_eq!(names.name(ITEM, id(3)).unwrap(), None);
        }
        // The record that gave the id may be gone.
        let replayed = Names::default();
        replayed.forget(ITEM, id(9)).unwrap();
        assert_eq!(replayed.last_id(ITEM), 9);
    }
}

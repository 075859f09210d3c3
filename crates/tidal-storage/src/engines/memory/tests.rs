use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::{BatchOp, KeyValue, Storage};
use tidal_types::EntityKind;

#[derive(Debug, Clone)]
enum Step {
    Set(u8, Option<u8>),
    Pin,
    Unpin(usize),
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..5u8, any::<Option<u8>>()).prop_map(|(key, value)| Step::Set(key, value)),
        2 => Just(Step::Pin),
        2 => any::<usize>().prop_map(Step::Unpin),
    ]
}

type Model = BTreeMap<Vec<u8>, Vec<u8>>;

fn entries(pin: &Arc<Pin>, space: SpaceId, direction: Direction) -> Vec<KeyValue> {
    MemoryScan::new(Arc::clone(pin), space, KeyRange::all(), direction)
        .collect::<Result<_>>()
        .unwrap()
}

proptest! {
    #[test]
    fn every_pin_sees_its_moment_and_unpinned_versions_go(steps in vec(any_step(), 0..60)) {
        let mut memory = Memory::default();
        let space = memory.open_keyspace("items")?;
        let mut now = Model::new();
        let mut pins: Vec<(Arc<Pin>, Model)> = Vec::new();
        for step in steps {
            match step {
                Step::Set(key, Some(value)) => {
                    let op = BatchOp::Put { key: vec![key], value: vec![value] };
                    memory.commit(vec![SpaceOp { space, op }], Durability::Buffer)?;
                    now.insert(vec![key], vec![value]);
                }
                Step::Set(key, None) => {
                    let op = BatchOp::Delete { key: vec![key] };
                    memory.commit(vec![SpaceOp { space, op }], Durability::Buffer)?;
                    now.remove([key].as_slice());
                }
                Step::Pin => pins.push((memory.snapshot()?, now.clone())),
                Step::Unpin(which) if !pins.is_empty() => drop(pins.swap_remove(which % pins.len())),
                Step::Unpin(_) => {}
            }
            for (pin, model) in &pins {
                prop_assert_eq!(entries(pin, space, Direction::Forward), Vec::from_iter(model.clone()));
            }
            let bytes = now.iter().map(|(key, value)| key.len() + value.len()).sum::<usize>();
            prop_assert_eq!(memory.size(space)?, SpaceSize { keys: now.len() as u64, bytes: bytes as u64 });
        }
        pins.clear();
        prop_assert_eq!(read(&memory.state).versions(), now.len());
    }
}

#[test]
fn a_scan_over_many_chunks_sees_each_entry_once_in_either_direction() {
    let mut memory = Memory::default();
    let space = memory.open_keyspace("items").unwrap();
    let expected: Vec<KeyValue> =
        (0..5_000u16).map(|n| (format!("{n:05}").into(), vec![7])).collect();
    let put = |(key, value): KeyValue| SpaceOp { space, op: BatchOp::Put { key, value } };
    memory.commit(expected.iter().cloned().map(put).collect(), Durability::Buffer).unwrap();
    let pin = memory.snapshot().unwrap();
    assert_eq!(entries(&pin, space, Direction::Forward), expected);
    let mut backward = entries(&pin, space, Direction::Backward);
    backward.reverse();
    assert_eq!(backward, expected);
}

#[test]
fn beginning_a_scan_takes_no_entry_and_writing_during_it_copies_one_key() {
    let storage = MemoryStorage::open_temp().unwrap();
    let items = storage.backend(EntityKind::Item);
    for n in 0..2_000u16 {
        items.put(format!("{n:05}").as_bytes(), b"old").unwrap();
    }
    let mut scan = items.scan_prefix(b"").unwrap();
    items.put(b"01999", b"new").unwrap();
    let state = storage_state(&storage);
    assert_eq!(read(&state).versions(), 2_001);
    assert!(scan.all(|entry| entry.unwrap().1 == b"old"));
    drop(scan);
    assert_eq!(read(&state).versions(), 2_000);
}

fn storage_state(storage: &MemoryStorage) -> Arc<RwLock<State>> {
    storage.with_driver(|memory| Ok(Arc::clone(&memory.state))).unwrap()
}

/// M2: the pin that is left began after the second value was written, so nobody
/// sees the first one any longer.
#[test]
fn a_version_goes_with_the_last_pin_that_saw_it() {
    let storage = MemoryStorage::new();
    let items = storage.backend(EntityKind::Item);
    let state = storage_state(&storage);
    items.put(b"key", b"1").unwrap();
    let first = storage.snapshot().unwrap();
    items.put(b"key", b"2").unwrap();
    let second = storage.snapshot().unwrap();
    assert_eq!(read(&state).versions(), 2);
    drop(first);
    assert_eq!(read(&state).versions(), 1);
    items.delete(b"key").unwrap();
    assert_eq!(read(&state).versions(), 2);
    drop(second);
    assert_eq!(read(&state).versions(), 0);
}

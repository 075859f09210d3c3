//! One consistent moment.

use std::thread::{self, ScopedJoinHandle};

use tidal_storage::{
    AtomicBatch, Direction, Durability, KeyRange, KeyValue, Result, Storage, WriteBatch,
};
use tidal_types::EntityKind;

use super::{Fixture, entries, keys};

pub(crate) fn a_snapshot_stays_at_its_moment(fixture: Fixture) {
    let storage = fixture.storage();
    let mut batch = AtomicBatch::new();
    batch.put(EntityKind::Item, "changed", "1").put(EntityKind::Item, "deleted", "1").put(
        EntityKind::User,
        "u",
        "1",
    );
    storage.commit(batch, Durability::Buffer).unwrap();
    let snapshot = storage.snapshot().unwrap();
    let mut batch = AtomicBatch::new();
    batch.put(EntityKind::Item, "changed", "2").delete(EntityKind::Item, "deleted").put(
        EntityKind::Item,
        "new",
        "2",
    );
    batch.delete(EntityKind::User, "u");
    storage.commit(batch, Durability::Buffer).unwrap();
    storage.flush_all().unwrap();

    let items = EntityKind::Item.into();
    let before =
        [("changed", "1"), ("deleted", "1")].map(|(key, value)| (key.into(), value.into()));
    assert_eq!(entries(snapshot.scan_prefix(items, b"")), before);
    let backward = entries(snapshot.scan_range(items, KeyRange::all(), Direction::Backward));
    assert!(backward.iter().rev().eq(&before));
    assert_eq!(snapshot.get(items, b"changed").unwrap().as_deref(), Some(&b"1"[..]));
    assert!(!snapshot.contains(items, b"new").unwrap());
    assert!(snapshot.contains(EntityKind::User.into(), b"u").unwrap());
    let after = storage.snapshot().unwrap();
    assert_eq!(keys(after.scan_prefix(items, b"")), [&b"changed"[..], b"new"]);
    assert!(!after.contains(EntityKind::User.into(), b"u").unwrap());
}

pub(crate) fn a_scan_sees_the_moment_when_it_began(fixture: Fixture) {
    let items = fixture.items();
    let mut before = WriteBatch::new();
    for n in 0..1_000u32 {
        before.put(format!("{n:04}"), "before").delete(format!("{n:04}x"));
    }
    for direction in [Direction::Forward, Direction::Backward] {
        items.write_batch(before.clone()).unwrap();
        let mut scan = items.scan_range(KeyRange::all(), direction).unwrap();
        let mut seen: Vec<KeyValue> = scan.by_ref().take(10).collect::<Result<_>>().unwrap();
        for start in (0..1_000u32).step_by(20) {
            let mut batch = WriteBatch::new();
            for n in (start..start + 20).step_by(2) {
                batch.put(format!("{n:04}"), "after").put(format!("{n:04}x"), "new");
                batch.delete(format!("{:04}", n + 1));
            }
            items.write_batch(batch).unwrap();
            items.put(format!("{start:04}").as_bytes(), b"again").unwrap();
        }
        seen.extend(scan.collect::<Result<Vec<_>>>().unwrap());
        assert_eq!(seen.len(), 1_000);
        assert!(seen.iter().all(|(key, value)| key.len() == 4 && value == b"before"));
    }
}

pub(crate) fn a_keyspace_that_is_not_there_reads_as_empty(fixture: Fixture) {
    let snapshot = fixture.storage().snapshot().unwrap();
    assert_eq!(snapshot.get("nowhere".into(), b"key").unwrap(), None);
    assert!(!snapshot.contains("nowhere".into(), b"key").unwrap());
    assert!(keys(snapshot.scan_prefix("nowhere".into(), b"")).is_empty());
    assert!(!fixture.storage().stats().unwrap().keyspaces.contains_key("nowhere"));
}

pub(crate) fn a_keyspace_created_later_is_empty_in_a_snapshot(fixture: Fixture) {
    let snapshot = fixture.storage().snapshot().unwrap();
    fixture.storage().keyspace("later").unwrap().put(b"key", b"value").unwrap();
    assert!(!snapshot.contains("later".into(), b"key").unwrap());
    assert!(keys(snapshot.scan_prefix("later".into(), b"")).is_empty());
}

const BATCHES: u32 = 400;
const KEYS_IN_A_BATCH: u32 = 50;

/// Writes batches that set the same keys of two keyspaces to one number, ever
/// higher, and creates keyspaces in between, which must not show half a batch
/// either.
fn write_batches(storage: &dyn Storage) {
    for number in 1..=BATCHES {
        let mut batch = AtomicBatch::new();
        for key in 0..KEYS_IN_A_BATCH {
            batch.put(EntityKind::Item, format!("{key:02}"), number.to_le_bytes());
            batch.put(EntityKind::User, format!("{key:02}"), number.to_le_bytes());
        }
        storage.commit(batch, Durability::Buffer).unwrap();
    }
}

/// Runs two writers, one that creates keyspaces, and `read` until they are done
/// and once more.
fn beside_writers(storage: &dyn Storage, read: impl Fn()) {
    write_batches(storage);
    thread::scope(|scope| {
        let mut threads = Vec::from([(); 2].map(|()| scope.spawn(|| write_batches(storage))));
        threads.push(scope.spawn(|| {
            for number in 0..20 {
                storage.keyspace(&format!("extra_{number}")).unwrap();
            }
        }));
        while !threads.iter().all(ScopedJoinHandle::is_finished) {
            read();
        }
        read();
    });
}

/// The one number that all these values are.
fn number_of(values: &[KeyValue]) -> u32 {
    assert_eq!(values.len(), usize::try_from(KEYS_IN_A_BATCH).unwrap());
    let numbers: Vec<u32> = values.iter().map(|(_, value)| number(value)).collect();
    assert!(numbers.iter().all(|&number| number == numbers[0]), "a torn batch: {numbers:?}");
    numbers[0]
}

fn number(value: &[u8]) -> u32 {
    u32::from_le_bytes(value.try_into().unwrap())
}

pub(crate) fn scans_beside_writers_see_whole_batches(fixture: Fixture) {
    let storage = fixture.storage();
    beside_writers(storage, || {
        number_of(&entries(storage.backend(EntityKind::Item).scan_prefix(b"")));
        let snapshot = storage.snapshot().unwrap();
        let users = number_of(&entries(snapshot.scan_prefix(EntityKind::User.into(), b"")));
        let items = entries(snapshot.scan_range(
            EntityKind::Item.into(),
            KeyRange::all(),
            Direction::Backward,
        ));
        assert_eq!(number_of(&items), users, "a batch torn between keyspaces");
        let one = snapshot.get(EntityKind::Item.into(), b"07").unwrap().unwrap();
        assert_eq!(number(&one), users, "a batch torn between a scan and a read");
    });
}

/// With one writer whose numbers only grow, whoever has seen a number sees none
/// that is lower afterwards, whichever key it reads.
pub(crate) fn a_read_never_falls_back_behind_another(fixture: Fixture) {
    let storage = fixture.storage();
    let (items, users) = (storage.backend(EntityKind::Item), storage.backend(EntityKind::User));
    let mut batch = AtomicBatch::new();
    for key in 0..KEYS_IN_A_BATCH {
        batch.put(EntityKind::Item, format!("{key:02}"), 0u32.to_le_bytes());
        batch.put(EntityKind::User, format!("{key:02}"), 0u32.to_le_bytes());
    }
    storage.commit(batch, Durability::Buffer).unwrap();
    thread::scope(|scope| {
        let writer = scope.spawn(|| write_batches(storage));
        let mut last = 0;
        let mut finished = false;
        while !finished {
            // Looked at before the reads, so that the last ones see the end.
            finished = writer.is_finished();
            // The first key that a batch touches, then the last ones.
            for (engine, key) in [(items, &b"00"[..]), (items, b"49"), (users, b"49")] {
                let seen = number(&engine.get(key).unwrap().unwrap());
                assert!(seen >= last, "{seen} after {last}");
                last = seen;
            }
        }
        assert_eq!(last, BATCHES);
    });
}

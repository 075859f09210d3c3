//! How transactions read, write, roll back, conflict and end.

use std::thread;

use tidal_storage::{
    AtomicBatch, Direction, Durability, Isolation, KEY_BYTES_MAX, KeyRange, Result,
    StorageEngineExt, StorageError, StorageExt, Transaction, WriteBatch,
};
use tidal_types::{EntityKind, ErrorKind};

use super::{Fixture, entries, keys};

const ITEMS: EntityKind = EntityKind::Item;

fn is_conflict(result: Result<()>, keyspace: &str, key: &[u8]) -> bool {
    matches!(
        result,
        Err(StorageError::Conflict { keyspace: told, key: named }) if told == keyspace && named == key
    )
}

fn backward(tx: &Transaction<'_>, range: KeyRange) -> Vec<Vec<u8>> {
    keys(tx.scan_range(ITEMS, range, Direction::Backward))
}

pub(crate) fn reads_see_the_snapshot_and_own_writes(fixture: Fixture) {
    let items = fixture.items();
    for key in [b"b", b"d", b"f", b"h"] {
        items.put(key, b"before").unwrap();
    }
    let tx = fixture.storage().begin().unwrap();
    tx.put(ITEMS, b"a", b"own").unwrap();
    tx.put(ITEMS, b"d", b"own").unwrap();
    tx.put(ITEMS, b"e", b"own").unwrap();
    tx.delete(ITEMS, b"f").unwrap();
    tx.put(ITEMS, b"g", b"own").unwrap();
    tx.delete(ITEMS, b"g").unwrap();
    tx.put(EntityKind::User, b"a", b"another keyspace").unwrap();
    items.put(b"c", b"later").unwrap();
    items.delete(b"b").unwrap();

    let expected = [("a", "own"), ("b", "before"), ("d", "own"), ("e", "own"), ("h", "before")]
        .map(|(key, value)| (Vec::from(key), Vec::from(value)));
    assert_eq!(entries(tx.scan_prefix(ITEMS, b"")), expected);
    let all = tx.scan_range(ITEMS, KeyRange::all(), Direction::Backward);
    assert!(entries(all).iter().rev().eq(&expected));
    assert_eq!(backward(&tx, (b"b".as_slice()..b"e").into()), [b"d", b"b"]);
    assert_eq!(backward(&tx, (b"e".as_slice()..=b"g").into()), [b"e"]);
    assert!(backward(&tx, (b"z"..b"a").into()).is_empty());
    for (key, value) in &expected {
        assert_eq!(tx.get(ITEMS, key).unwrap().as_ref(), Some(value));
        assert!(tx.contains(ITEMS, key).unwrap());
    }
    for key in [b"c", b"f", b"g"] {
        assert_eq!(tx.get(ITEMS, key).unwrap(), None);
        assert!(!tx.contains(ITEMS, key).unwrap());
    }
    assert_eq!(keys(tx.scan_prefix(EntityKind::User, b"")), [b"a"]);
    assert!(keys(tx.scan_prefix("nowhere", b"")).is_empty());
}

pub(crate) fn a_scan_shows_the_transaction_as_it_was_when_it_began(fixture: Fixture) {
    for n in (0..100u8).step_by(2) {
        fixture.items().put(&[n], b"before").unwrap();
    }
    for direction in [Direction::Forward, Direction::Backward] {
        let tx = fixture.storage().begin().unwrap();
        let nothing = tx.savepoint();
        for n in (1..100u8).step_by(2) {
            tx.put(ITEMS, &[n], b"own").unwrap();
        }
        let expected = entries(tx.scan_range(ITEMS, KeyRange::all(), direction));
        assert_eq!(expected.len(), 100);
        let mut seen = Vec::new();
        for (index, entry) in tx.scan_range(ITEMS, KeyRange::all(), direction).unwrap().enumerate()
        {
            seen.push(entry.unwrap());
            match index {
                20 => (0..100u8).step_by(3).for_each(|n| tx.delete(ITEMS, &[n]).unwrap()),
                40 => tx.rollback_to(&nothing).unwrap(),
                60 => (0..100u8).for_each(|n| tx.put(ITEMS, &[n, 7], b"new").unwrap()),
                _ => {}
            }
        }
        assert_eq!(seen, expected);
        let after = keys(tx.scan_range(ITEMS, KeyRange::all(), direction));
        assert_eq!(after.len(), 150);
    }
}

pub(crate) fn savepoints_nest(fixture: Fixture) {
    let tx = fixture.storage().begin().unwrap();
    let put = |n: u8| tx.put(ITEMS, &[n], &[n]).unwrap();
    let own = || keys(tx.scan_prefix(ITEMS, b"")).concat();
    put(1);
    let outer = tx.savepoint();
    put(2);
    tx.delete(ITEMS, &[1]).unwrap();
    let middle = tx.savepoint();
    put(3);
    tx.put(ITEMS, &[2], b"changed").unwrap();
    let inner = tx.savepoint();
    put(4);
    assert_eq!(own(), [2, 3, 4]);
    tx.rollback_to(&inner).unwrap();
    assert_eq!(own(), [2, 3]);
    put(5);
    tx.rollback_to(&middle).unwrap();
    assert_eq!(own(), [2]);
    assert_eq!(tx.get(ITEMS, &[2]).unwrap().unwrap(), [2]);
    put(6);
    tx.rollback_to(&middle).unwrap();
    assert_eq!(own(), [2]);
    let again = tx.savepoint();
    put(7);
    tx.release(again).unwrap();
    assert_eq!(own(), [2, 7]);
    tx.rollback_to(&outer).unwrap();
    assert_eq!(own(), [1]);
    put(8);
    tx.commit(Durability::Sync).unwrap();
    assert_eq!(keys(fixture.items().scan_prefix(b"")).concat(), [1, 8]);
}

pub(crate) fn a_savepoint_that_is_gone_is_refused(fixture: Fixture) {
    let tx = fixture.storage().begin().unwrap();
    let outer = tx.savepoint();
    let inner = tx.savepoint();
    tx.put(ITEMS, b"key", b"value").unwrap();
    let other = fixture.storage().begin().unwrap();
    tx.rollback_to(&other.savepoint()).unwrap_err();
    assert!(tx.contains(ITEMS, b"key").unwrap());
    tx.rollback_to(&outer).unwrap();
    for refused in [tx.rollback_to(&inner), tx.release(inner)] {
        let error = refused.unwrap_err();
        assert!(matches!(error, StorageError::NoSavepoint), "{error}");
        assert_eq!(error.kind(), ErrorKind::Input);
    }
    let inside = tx.savepoint();
    tx.release(outer).unwrap();
    tx.rollback_to(&inside).unwrap_err();
}

pub(crate) fn a_conflict_writes_nothing(fixture: Fixture) {
    let storage = fixture.storage();
    let tx = storage.begin().unwrap();
    tx.put(ITEMS, b"item", b"1").unwrap();
    tx.put(EntityKind::User, b"user", b"1").unwrap();
    tx.put("fresh", b"key", b"1").unwrap();
    storage.backend(EntityKind::User).put(b"user", b"2").unwrap();
    let error = tx.commit(Durability::Buffer).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Retry);
    assert!(is_conflict(Err(error), "users", b"user"));
    assert!(!fixture.items().contains(b"item").unwrap());
    assert!(!storage.stats().unwrap().keyspaces.contains_key("fresh"));
    let user = storage.backend(EntityKind::User).get(b"user").unwrap();
    assert_eq!(user.as_deref(), Some(&b"2"[..]));
}

pub(crate) fn every_kind_of_write_conflicts(fixture: Fixture) {
    let (storage, items) = (fixture.storage(), fixture.items());
    items.put(b"key", &7u64.to_le_bytes()).unwrap();
    let mut batch = WriteBatch::new();
    batch.put("key", 0u64.to_le_bytes()).put("other", "1");
    let mut atomic = AtomicBatch::new();
    atomic.put(EntityKind::User, "key", "1").delete(ITEMS, "key");
    let writes: [(&str, &dyn Fn()); 8] = [
        ("put", &|| items.put(b"key", &7u64.to_le_bytes()).unwrap()),
        ("put of the same", &|| items.put(b"key", &7u64.to_le_bytes()).unwrap()),
        ("counter", &|| assert_eq!(items.fetch_and_add_u64(b"key", 1).unwrap(), 8)),
        ("delete", &|| items.delete(b"key").unwrap()),
        ("delete of nothing", &|| items.delete(b"key").unwrap()),
        ("batch", &|| items.write_batch(batch.clone()).unwrap()),
        ("commit", &|| storage.commit(atomic.clone(), Durability::Buffer).unwrap()),
        ("transaction", &|| storage.transact(0, |tx| tx.delete(ITEMS, b"key")).unwrap()),
    ];
    for (name, write) in writes {
        let tx = storage.begin().unwrap();
        tx.put(ITEMS, b"key", b"mine").unwrap();
        write();
        assert!(is_conflict(tx.commit(Durability::Buffer), "items", b"key"), "{name}");
    }
}

pub(crate) fn what_is_not_the_same_key_since_is_no_conflict(fixture: Fixture) {
    let storage = fixture.storage();
    for isolation in [Isolation::Snapshot, Isolation::Serializable] {
        // Another transaction that stays open keeps older writes in memory.
        let old = storage.begin().unwrap();
        fixture.items().put(b"key", b"before").unwrap();
        let tx = storage.begin_with(isolation).unwrap();
        assert_eq!(tx.get(ITEMS, b"key").unwrap().unwrap(), b"before");
        tx.put(ITEMS, b"key", b"mine").unwrap();
        fixture.items().put(b"ke", b"other").unwrap();
        fixture.items().put(b"key\0", b"other").unwrap();
        storage.backend(EntityKind::User).put(b"key", b"other").unwrap();
        let beside = storage.begin_with(isolation).unwrap();
        beside.put(ITEMS, b"mine alone", b"1").unwrap();
        tx.commit(Durability::Buffer).unwrap();
        beside.commit(Durability::Buffer).unwrap();
        drop(old);
        assert_eq!(fixture.items().get(b"key").unwrap().unwrap(), b"mine");
    }
}

/// A name, a read, the keys that change it, and keys that do not.
type Read<'a> = (&'a str, &'a dyn Fn(&Transaction<'_>), &'a [&'a [u8]], &'a [&'a [u8]]);

/// Serializable: what decides is where the reads have been, and no further.
pub(crate) fn a_serializable_read_conflicts_with_what_would_change_it(fixture: Fixture) {
    let storage = fixture.storage();
    let reads: [Read<'_>; 8] = [
        ("get", &|tx| drop(tx.get(ITEMS, b"d").unwrap()), &[b"d"], &[b"c", b"e"]),
        ("absent", &|tx| drop(tx.get(ITEMS, b"da").unwrap()), &[b"da"], &[b"d"]),
        ("contains", &|tx| assert!(tx.contains(ITEMS, b"d").unwrap()), &[b"d"], &[b"da"]),
        (
            "whole range",
            &|tx| {
                drop(keys(tx.scan_range(
                    ITEMS,
                    (b"c".as_slice()..b"e").into(),
                    Direction::Backward,
                )))
            },
            &[b"c", b"cc", b"dz"],
            &[b"e", b"b"],
        ),
        (
            "empty range",
            &|tx| drop(keys(tx.scan_prefix(ITEMS, b"dd"))),
            &[b"dd", b"ddd"],
            &[b"d", b"de"],
        ),
        (
            "first two",
            &|tx| assert_eq!(tx.scan_prefix(ITEMS, b"").unwrap().take(2).count(), 2),
            &[b"a", b"aa", b"b", b"0"],
            &[b"ba", b"c"],
        ),
        (
            "last two",
            &|tx| {
                let scan = tx.scan_range(ITEMS, KeyRange::all(), Direction::Backward);
                assert_eq!(scan.unwrap().take(2).count(), 2);
            },
            &[b"g", b"z", b"f", b"fa"],
            &[b"ez", b"a"],
        ),
        ("nothing of a scan", &|tx| drop(tx.scan_prefix(ITEMS, b"").unwrap()), &[], &[b"a"]),
    ];
    for (name, read, conflicting, harmless) in reads {
        for (key, conflicts) in
            conflicting.iter().map(|key| (key, true)).chain(harmless.iter().map(|key| (key, false)))
        {
            for key in keys(fixture.items().scan_prefix(b"")) {
                fixture.items().delete(&key).unwrap();
            }
            for key in b"abcdefg" {
                fixture.items().put(&[*key], b"value").unwrap();
            }
            let tx = storage.begin_with(Isolation::Serializable).unwrap();
            tx.put(EntityKind::User, b"unrelated", b"1").unwrap();
            read(&tx);
            fixture.items().put(key, b"new").unwrap();
            let result = tx.commit(Durability::Buffer);
            let told = is_conflict(result.clone(), "items", key);
            assert!(
                told == conflicts && result.is_err() == conflicts,
                "{name}, {key:?}: {result:?}"
            );
        }
    }
}

pub(crate) fn a_keyspace_that_was_not_there_is_read_too(fixture: Fixture) {
    let storage = fixture.storage();
    let reads: [&dyn Fn(&Transaction<'_>); 2] =
        [&|tx| assert!(keys(tx.scan_prefix("fresh", b"k")).is_empty()), &|tx| {
            assert!(!tx.contains("later", b"key").unwrap())
        }];
    for (keyspace, read) in ["fresh", "later"].into_iter().zip(reads) {
        let tx = storage.begin_with(Isolation::Serializable).unwrap();
        tx.put(ITEMS, b"key", b"mine").unwrap();
        read(&tx);
        storage.keyspace(keyspace).unwrap().put(b"key", b"theirs").unwrap();
        assert!(is_conflict(tx.commit(Durability::Buffer), keyspace, b"key"));
    }
}

pub(crate) fn own_writes_are_not_reads(fixture: Fixture) {
    let tx = fixture.storage().begin_with(Isolation::Serializable).unwrap();
    let savepoint = tx.savepoint();
    tx.put(ITEMS, b"key", b"mine").unwrap();
    assert!(tx.contains(ITEMS, b"key").unwrap());
    tx.rollback_to(&savepoint).unwrap();
    tx.put(ITEMS, b"other", b"mine").unwrap();
    fixture.items().put(b"key", b"theirs").unwrap();
    tx.commit(Durability::Buffer).unwrap();
}

pub(crate) fn what_was_rolled_back_does_not_conflict(fixture: Fixture) {
    let tx = fixture.storage().begin().unwrap();
    let savepoint = tx.savepoint();
    tx.put(ITEMS, b"key", b"mine").unwrap();
    tx.rollback_to(&savepoint).unwrap();
    tx.put(ITEMS, b"other", b"mine").unwrap();
    fixture.items().put(b"key", b"theirs").unwrap();
    tx.commit(Durability::Buffer).unwrap();
    assert_eq!(fixture.items().get(b"key").unwrap().unwrap(), b"theirs");
}

pub(crate) fn a_transaction_that_ends_otherwise_leaves_nothing(fixture: Fixture) {
    for end in [Transaction::rollback, |tx| drop(tx)] {
        let tx = fixture.storage().begin().unwrap();
        tx.put(ITEMS, b"key", b"value").unwrap();
        tx.put("fresh", b"key", b"value").unwrap();
        end(tx);
        assert!(keys(fixture.items().scan_prefix(b"")).is_empty());
        assert!(!fixture.storage().stats().unwrap().keyspaces.contains_key("fresh"));
    }
}

pub(crate) fn a_commit_crosses_keyspaces(fixture: Fixture) {
    let storage = fixture.storage();
    for durability in [Durability::Buffer, Durability::Sync] {
        let tx = storage.begin().unwrap();
        for kind in EntityKind::ALL {
            tx.put(kind, b"key", format!("{durability:?}").as_bytes()).unwrap();
        }
        tx.put("extra", b"key", b"value").unwrap();
        tx.commit(durability).unwrap();
        for kind in EntityKind::ALL {
            let value = storage.backend(kind).get(b"key").unwrap().unwrap();
            assert_eq!(value, format!("{durability:?}").as_bytes());
        }
        assert!(storage.keyspace("extra").unwrap().contains(b"key").unwrap());
    }
    // Nothing to write is fine too.
    storage.begin().unwrap().commit(Durability::Sync).unwrap();
}

pub(crate) fn a_transaction_may_move_to_another_thread(fixture: Fixture) {
    let storage = fixture.storage();
    let tx = storage.begin_with(Isolation::Serializable).unwrap();
    tx.put(ITEMS, b"key", b"here").unwrap();
    thread::scope(|scope| {
        scope.spawn(move || {
            assert_eq!(tx.get(ITEMS, b"key").unwrap().unwrap(), b"here");
            tx.put(ITEMS, b"key", b"there").unwrap();
            tx.commit(Durability::Buffer).unwrap();
        });
    });
    assert_eq!(fixture.items().get(b"key").unwrap().unwrap(), b"there");
}

pub(crate) fn a_bad_key_is_refused_and_the_rest_stays(fixture: Fixture) {
    let tx = fixture.storage().begin().unwrap();
    tx.put(ITEMS, b"good", b"value").unwrap();
    for key in [&[][..], &[7; KEY_BYTES_MAX + 1]] {
        for refused in [
            tx.put(ITEMS, key, b"value"),
            tx.delete(ITEMS, key),
            tx.get(ITEMS, key).map(drop),
            tx.contains(ITEMS, key).map(drop),
        ] {
            let error = refused.unwrap_err();
            assert!(matches!(error, StorageError::KeyLength { max: 511, .. }), "{error}");
        }
    }
    let error = tx.put("No Name", b"key", b"value").unwrap_err();
    assert!(matches!(error, StorageError::KeyspaceName { .. }), "{error}");
    tx.commit(Durability::Buffer).unwrap();
    assert_eq!(keys(fixture.items().scan_prefix(b"")), [b"good"]);
}

pub(crate) fn a_closed_storage_refuses_its_transactions(fixture: Fixture) {
    let storage = fixture.storage();
    fixture.items().put(b"key", b"value").unwrap();
    let tx = storage.begin().unwrap();
    tx.put(ITEMS, b"own", b"value").unwrap();
    let mut scan = tx.scan_prefix(ITEMS, b"").unwrap();
    storage.close().unwrap();
    let refusals = [
        scan.next().unwrap().map(drop),
        tx.get(ITEMS, b"key").map(drop),
        tx.get(ITEMS, b"own").map(drop),
        tx.contains(ITEMS, b"key").map(drop),
        tx.scan_prefix(ITEMS, b"").map(drop),
        tx.put(ITEMS, b"key", b"value"),
        tx.delete(ITEMS, b"key"),
        storage.begin().map(drop),
        storage.transact(7, |_| Ok(())),
    ];
    // The transaction's own writes do not come after an error either.
    assert!(scan.next().is_none());
    drop(scan);
    for refusal in refusals.into_iter().chain([tx.commit(Durability::Sync)]) {
        let error = refusal.unwrap_err();
        assert!(matches!(error, StorageError::Closed { .. }), "{error}");
    }
}

#[derive(Debug)]
enum Failure {
    Mine,
    Storage(StorageError),
}

impl From<StorageError> for Failure {
    fn from(error: StorageError) -> Self {
        Self::Storage(error)
    }
}

pub(crate) fn transact_retries_conflicts_and_nothing_else(fixture: Fixture) {
    let (storage, items) = (fixture.storage(), fixture.items());
    let mut runs = 0;
    let value = storage.transact(2, |tx| {
        runs += 1;
        tx.put(ITEMS, b"key", &[runs])?;
        if runs < 3 {
            items.put(b"key", b"meanwhile")?;
        }
        Ok::<_, StorageError>(runs)
    });
    assert_eq!((value.unwrap(), items.get(b"key").unwrap().unwrap()), (3, vec![3]));

    let mut runs = 0;
    let failed: Result<()> =
        storage.transact_with(Isolation::Serializable, Durability::Sync, 4, |tx| {
            runs += 1;
            tx.contains(ITEMS, b"key")?;
            tx.put(ITEMS, b"other", b"value")?;
            items.put(b"key", b"meanwhile")
        });
    assert!(is_conflict(failed, "items", b"key"));
    assert_eq!(runs, 5);

    let failed = storage.transact(9, |tx| {
        tx.put(ITEMS, b"third", b"value")?;
        Err::<(), _>(Failure::Mine)
    });
    assert!(matches!(failed.unwrap_err(), Failure::Mine));
    let failed = storage.transact(0, |tx| {
        items.put(b"key", b"meanwhile")?;
        Ok::<_, Failure>(tx.put(ITEMS, b"key", b"mine")?)
    });
    assert!(matches!(failed.unwrap_err(), Failure::Storage(StorageError::Conflict { .. })));
    assert_eq!(keys(items.scan_prefix(b"")), [b"key"]);
}

const ACCOUNTS: u8 = 6;

fn balance(value: Option<Vec<u8>>) -> i64 {
    value.map_or(0, |value| i64::from_le_bytes(value.try_into().unwrap()))
}

/// Threads move money between accounts, in two keyspaces: readers see the sum
/// unchanged at any time, and no transfer is lost.
pub(crate) fn transfers_between_threads_keep_the_sum(fixture: Fixture) {
    let storage = fixture.storage();
    let kind =
        |account: u8| if account.is_multiple_of(2) { EntityKind::Item } else { EntityKind::User };
    let sum_of = |tx: &Transaction<'_>| -> i64 {
        (0..ACCOUNTS).map(|account| balance(tx.get(kind(account), &[account]).unwrap())).sum()
    };
    thread::scope(|scope| {
        let transfers: Vec<_> = (1..=4u8)
            .map(|step| {
                scope.spawn(move || {
                    for n in 0..100u8 {
                        let (from, to) = (n % ACCOUNTS, n.wrapping_add(step) % ACCOUNTS);
                        let isolation =
                            [Isolation::Snapshot, Isolation::Serializable][usize::from(n % 2)];
                        let moved =
                            storage.transact_with(isolation, Durability::Buffer, u32::MAX, |tx| {
                                for (account, amount) in
                                    [(from, -i64::from(step)), (to, i64::from(step))]
                                {
                                    let now = balance(tx.get(kind(account), &[account])?);
                                    tx.put(
                                        kind(account),
                                        &[account],
                                        &(now + amount).to_le_bytes(),
                                    )?;
                                }
                                let count = balance(tx.get("system", &[step])?);
                                tx.put("system", &[step], &(count + 1).to_le_bytes())
                            });
                        moved.unwrap();
                    }
                })
            })
            .collect();
        while !transfers.iter().all(thread::ScopedJoinHandle::is_finished) {
            assert_eq!(sum_of(&storage.begin().unwrap()), 0);
        }
    });
    assert_eq!(sum_of(&storage.begin().unwrap()), 0);
    let system = storage.keyspace("system").unwrap();
    for step in 1..=4 {
        assert_eq!(balance(system.get(&[step]).unwrap()), 100);
    }
}

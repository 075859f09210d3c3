//! Ids that are never given twice. "G41" in `docs/guarantees.md`.

use std::collections::BTreeSet;
use std::num::NonZeroU64;
use std::thread;

use tidal_storage::{KEY_BYTES_MAX, Sequence, StorageError, StorageExt};

use super::Fixture;

fn block(ids: u64) -> NonZeroU64 {
    NonZeroU64::new(ids).unwrap()
}

fn take(sequence: &Sequence, ids: usize) -> Vec<u64> {
    (0..ids).map(|_| sequence.next().unwrap()).collect()
}

pub(crate) fn ids_begin_at_1_and_ascend(fixture: Fixture) {
    let orders = fixture.storage().sequence("orders").unwrap();
    let ids = take(&orders, 2_500);
    assert!(ids.into_iter().eq(1..=2_500));
    let users = fixture.storage().sequence("users").unwrap();
    assert_eq!(take(&users, 3), [1, 2, 3]);
    assert_eq!(orders.next().unwrap(), 2_501);
}

pub(crate) fn handles_take_turns_by_blocks(fixture: Fixture) {
    let first = fixture.storage().sequence_with("orders", block(3)).unwrap();
    let second = fixture.storage().sequence_with("orders", block(2)).unwrap();
    assert_eq!(take(&first, 2), [1, 2]);
    assert_eq!(take(&second, 3), [4, 5, 6]);
    assert_eq!(take(&first, 3), [3, 8, 9]);
    let third = fixture.storage().sequence_with("orders", block(1)).unwrap();
    assert_eq!(take(&third, 2), [11, 12]);
}

pub(crate) fn threads_and_handles_share_no_id(fixture: Fixture) {
    const IDS: usize = 100;
    let storage = fixture.storage();
    let shared = storage.sequence_with("orders", block(23)).unwrap();
    let given: Vec<u64> = thread::scope(|scope| {
        let threads: Vec<_> = (1..=4)
            .map(|ids| {
                let shared = &shared;
                scope.spawn(move || {
                    let own = storage.sequence_with("orders", block(ids * 13)).unwrap();
                    [take(shared, IDS), take(&own, IDS)].concat()
                })
            })
            .collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(given.len(), 8 * IDS);
    assert_eq!(given.iter().collect::<BTreeSet<_>>().len(), given.len());
    assert!(given.iter().min() == Some(&1));
}

pub(crate) fn the_last_id_is_the_highest_number(fixture: Fixture) {
    let keyspace = fixture.storage().keyspace("tidal_sequences").unwrap();
    let nearly_full = [&[1][..], &(u64::MAX - 3).to_le_bytes()].concat();
    keyspace.put(b"orders", &nearly_full).unwrap();
    let orders = fixture.storage().sequence_with("orders", block(2)).unwrap();
    assert_eq!(take(&orders, 3), [u64::MAX - 2, u64::MAX - 1, u64::MAX]);
    for _ in 0..2 {
        let error = orders.next().unwrap_err();
        assert!(
            matches!(&error, StorageError::Overflow { key, .. } if key == b"orders"),
            "{error}"
        );
    }
}

pub(crate) fn names_are_keys(fixture: Fixture) {
    let longest = "x".repeat(KEY_BYTES_MAX);
    for name in ["Orders of 2026", "ä", &longest] {
        assert_eq!(fixture.storage().sequence(name).unwrap().next().unwrap(), 1);
    }
    for name in ["", &(longest + "x")] {
        let error = fixture.storage().sequence(name).unwrap_err();
        assert!(matches!(error, StorageError::KeyLength { .. }), "{error}");
    }
}

pub(crate) fn a_handle_of_a_closed_storage_reserves_nothing(fixture: Fixture) {
    let orders = fixture.storage().sequence_with("orders", block(2)).unwrap();
    assert_eq!(orders.next().unwrap(), 1);
    fixture.storage().close().unwrap();
    assert_eq!(orders.next().unwrap(), 2);
    for _ in 0..2 {
        let error = orders.next().unwrap_err();
        assert!(matches!(error, StorageError::Closed { .. }), "{error}");
    }
}

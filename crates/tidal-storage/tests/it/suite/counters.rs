//! Atomic updates of one key. "G42" in `docs/guarantees.md`.

use std::thread;

use tidal_storage::{Durability, StorageEngineExt, StorageError, StorageExt};
use tidal_types::{EntityKind, ErrorKind};

use super::Fixture;

pub(crate) fn a_counter_begins_at_0_and_tells_the_sum(fixture: Fixture) {
    let items = fixture.items();
    assert_eq!(items.fetch_and_add_u64(b"views", 5).unwrap(), 5);
    assert_eq!(items.fetch_and_add_u64(b"views", 0).unwrap(), 5);
    assert_eq!(items.fetch_and_add_u64(b"views", 0x0102_0304).unwrap(), 0x0102_0309);
    assert_eq!(items.get(b"views").unwrap().unwrap(), [9, 3, 2, 1, 0, 0, 0, 0]);
    items.put(b"views", &41u64.to_le_bytes()).unwrap();
    assert_eq!(items.fetch_and_add_u64(b"views", 1).unwrap(), 42);
}

pub(crate) fn a_number_of_floats_begins_at_0(fixture: Fixture) {
    let items = fixture.items();
    assert_eq!(items.compare_and_swap_f32(b"score", |score| score + 1.5).unwrap(), 1.5);
    assert_eq!(items.compare_and_swap_f32(b"score", |score| score * 4.0).unwrap(), 6.0);
    assert_eq!(items.get(b"score").unwrap().unwrap(), 6.0f32.to_le_bytes());
    // NaN is a value like others, and compares by its bits.
    assert!(items.compare_and_swap_f32(b"score", |_| f32::NAN).unwrap().is_nan());
    assert!(items.compare_and_swap_f32(b"score", |score| score + 1.0).unwrap().is_nan());
    let mended = |score: f32| if score.is_nan() { 0.25 } else { score };
    assert_eq!(items.compare_and_swap_f32(b"score", mended).unwrap(), 0.25);
}

pub(crate) fn an_update_puts_and_deletes(fixture: Fixture) {
    let items = fixture.items();
    let put = items.fetch_update(b"key", |value| {
        assert_eq!(value, None);
        Some(b"1".to_vec())
    });
    assert_eq!(put.unwrap().as_deref(), Some(&b"1"[..]));
    let deleted = items.fetch_update(b"key", |value| {
        assert_eq!(value, Some(&b"1"[..]));
        None
    });
    assert_eq!(deleted.unwrap(), None);
    assert!(!items.contains(b"key").unwrap());
    let refused =
        items.try_fetch_update(b"key", Durability::Sync, |_| Err(StorageError::NoSavepoint));
    assert!(matches!(refused, Err(StorageError::NoSavepoint)));
    assert!(!items.contains(b"key").unwrap());
}

pub(crate) fn a_swap_needs_the_value_that_was_expected(fixture: Fixture) {
    let items = fixture.items();
    let swap = |expected: Option<&[u8]>, new: Option<&[u8]>| {
        items.compare_and_swap(b"key", expected, new, Durability::Sync).unwrap()
    };
    assert!(!swap(Some(b""), Some(b"1")));
    assert!(swap(None, Some(b"")));
    assert!(!swap(None, Some(b"1")));
    assert!(!swap(Some(b"0"), None));
    assert!(swap(Some(b""), Some(b"1")));
    assert_eq!(items.get(b"key").unwrap().unwrap(), b"1");
    assert!(swap(Some(b"1"), None));
    assert!(!items.contains(b"key").unwrap());
}

pub(crate) fn what_is_no_number_is_refused_and_stays(fixture: Fixture) {
    let items = fixture.items();
    for value in [&b""[..], b"1234567", b"123456789"] {
        items.put(b"key", value).unwrap();
        for error in [
            items.fetch_and_add_u64(b"key", 1).unwrap_err(),
            items.compare_and_swap_f32(b"key", |n| n).unwrap_err(),
        ] {
            let told = matches!(
                &error,
                StorageError::NotANumber { keyspace, key, .. } if keyspace == "items" && key == b"key"
            );
            assert!(told, "{error}");
            assert_eq!(error.kind(), ErrorKind::Input);
        }
        assert_eq!(items.get(b"key").unwrap().unwrap(), value);
    }
    items.put(b"full", &(u64::MAX - 1).to_le_bytes()).unwrap();
    let error = items.fetch_and_add_u64(b"full", 2).unwrap_err();
    assert!(matches!(&error, StorageError::Overflow { key, .. } if key == b"full"), "{error}");
    assert_eq!(items.fetch_and_add_u64(b"full", 1).unwrap(), u64::MAX);
    let error = items.fetch_and_add_u64(b"", 1).unwrap_err();
    assert!(matches!(error, StorageError::KeyLength { .. }), "{error}");
}

/// Every way to count, side by side, on the same keys.
pub(crate) fn threads_lose_no_count(fixture: Fixture) {
    const ROUNDS: u16 = 100;
    let (storage, items) = (fixture.storage(), fixture.items());
    thread::scope(|scope| {
        for thread in 0..4u64 {
            scope.spawn(move || {
                for round in 0..ROUNDS {
                    items.fetch_and_add_u64(b"u64", thread).unwrap();
                    items.compare_and_swap_f32(b"f32", |n| n + 1.0).unwrap();
                    let durability =
                        if round % 50 == 0 { Durability::Sync } else { Durability::Buffer };
                    let add = |value: Option<&[u8]>| {
                        let count =
                            value.map_or(0, |value| u16::from_le_bytes(value.try_into().unwrap()));
                        Ok::<_, StorageError>(Some((count + 1).to_le_bytes().to_vec()))
                    };
                    items.try_fetch_update(b"u16", durability, add).unwrap();
                    let added = storage.transact(u32::MAX, |tx| {
                        let value = tx.get(EntityKind::Item, b"u64")?;
                        let count =
                            value.map_or(0, |value| u64::from_le_bytes(value.try_into().unwrap()));
                        tx.put(EntityKind::Item, b"u64", &(count + 1000).to_le_bytes())
                    });
                    added.unwrap();
                }
            });
        }
    });
    let rounds = u64::from(ROUNDS);
    assert_eq!(
        items.fetch_and_add_u64(b"u64", 0).unwrap(),
        rounds * (1 + 2 + 3) + rounds * 4 * 1000
    );
    assert_eq!(items.compare_and_swap_f32(b"f32", |n| n).unwrap(), f32::from(ROUNDS) * 4.0);
    assert_eq!(items.get(b"u16").unwrap().unwrap(), (ROUNDS * 4).to_le_bytes());
}

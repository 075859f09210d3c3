//! One key at a time.

use tidal_storage::{EngineStats, KEY_BYTES_MAX, WriteBatch};
use tidal_types::EntityKind;

use super::{Fixture, keys};

pub(crate) fn a_value_is_there_once_it_is_put(fixture: Fixture) {
    let items = fixture.items();
    assert_eq!(items.get(b"key").unwrap(), None);
    assert!(!items.contains(b"key").unwrap());
    items.put(b"key", b"value").unwrap();
    assert_eq!(items.get(b"key").unwrap().as_deref(), Some(&b"value"[..]));
    assert!(items.contains(b"key").unwrap());
    assert!(!items.contains(b"ke").unwrap());
    assert!(!items.contains(b"key\0").unwrap());
}

pub(crate) fn putting_again_replaces(fixture: Fixture) {
    let items = fixture.items();
    items.put(b"key", b"a longer value").unwrap();
    items.put(b"key", b"short").unwrap();
    assert_eq!(items.get(b"key").unwrap().as_deref(), Some(&b"short"[..]));
    assert_eq!(keys(items.scan_prefix(b"")), [b"key"]);
}

pub(crate) fn deleting_removes(fixture: Fixture) {
    let items = fixture.items();
    items.put(b"a", b"1").unwrap();
    items.put(b"b", b"2").unwrap();
    items.delete(b"a").unwrap();
    items.delete(b"never there").unwrap();
    assert_eq!(items.get(b"a").unwrap(), None);
    assert!(!items.contains(b"a").unwrap());
    assert_eq!(keys(items.scan_prefix(b"")), [b"b"]);
    items.put(b"a", b"3").unwrap();
    assert_eq!(items.get(b"a").unwrap().as_deref(), Some(&b"3"[..]));
}

pub(crate) fn an_empty_value_is_a_value(fixture: Fixture) {
    let items = fixture.items();
    items.put(b"key", b"").unwrap();
    assert_eq!(items.get(b"key").unwrap().as_deref(), Some(&b""[..]));
    assert!(items.contains(b"key").unwrap());
}

pub(crate) fn any_bytes_are_a_key(fixture: Fixture) {
    let items = fixture.items();
    let mut expected: Vec<Vec<u8>> = (0..=u8::MAX).map(|byte| vec![byte]).collect();
    expected.extend([
        vec![0, 0],
        vec![0xff, 0xff],
        vec![0xff; KEY_BYTES_MAX],
        vec![0; KEY_BYTES_MAX],
    ]);
    for key in &expected {
        items.put(key, key).unwrap();
    }
    expected.sort();
    assert_eq!(keys(items.scan_prefix(b"")), expected);
    for key in &expected {
        assert_eq!(items.get(key).unwrap().as_ref(), Some(key));
    }
}

pub(crate) fn a_large_value_comes_back(fixture: Fixture) {
    let items = fixture.items();
    let value: Vec<u8> =
        (0..3_000_000u32).map(|n| n.to_le_bytes()[usize::from(n % 3 == 0)]).collect();
    items.put(b"large", &value).unwrap();
    assert!(items.get(b"large").unwrap().as_ref() == Some(&value));
}

pub(crate) fn keyspaces_do_not_share_keys(fixture: Fixture) {
    let storage = fixture.storage();
    let system = storage.keyspace("system").unwrap();
    for kind in EntityKind::ALL {
        storage.backend(kind).put(b"key", kind.as_str().as_bytes()).unwrap();
    }
    system.put(b"key", b"system").unwrap();
    for kind in EntityKind::ALL {
        assert_eq!(
            storage.backend(kind).get(b"key").unwrap().as_deref(),
            Some(kind.as_str().as_bytes())
        );
    }
    storage.backend(EntityKind::User).delete(b"key").unwrap();
    assert_eq!(system.get(b"key").unwrap().as_deref(), Some(&b"system"[..]));
    assert!(fixture.items().contains(b"key").unwrap());
}

pub(crate) fn a_name_always_means_the_same_keyspace(fixture: Fixture) {
    let storage = fixture.storage();
    storage.keyspace("extra").unwrap().put(b"key", b"value").unwrap();
    assert!(storage.keyspace("extra").unwrap().contains(b"key").unwrap());
    for (kind, name) in EntityKind::ALL.into_iter().zip(["items", "users", "creators"]) {
        storage.backend(kind).put(b"mine", b"value").unwrap();
        assert!(storage.keyspace(name).unwrap().contains(b"mine").unwrap());
    }
    let stats = storage.stats().unwrap();
    assert_eq!(stats.keyspaces.keys().collect::<Vec<_>>(), ["creators", "extra", "items", "users"]);
}

pub(crate) fn the_counters_count(fixture: Fixture) {
    let items = fixture.items();
    assert_eq!(items.stats().unwrap(), EngineStats::default());
    let mut batch = WriteBatch::new();
    batch.put("a", "1").put("b", "2").put("c", "3").delete("c").delete("d");
    items.write_batch(batch).unwrap();
    items.put(b"e", b"5").unwrap();
    items.delete(b"e").unwrap();
    assert_eq!(items.get(b"a").unwrap().as_deref(), Some(&b"1"[..]));
    assert!(!items.contains(b"nothing").unwrap());
    assert_eq!(keys(items.scan_prefix(b"")), [b"a", b"b"]);
    let stats = items.stats().unwrap();
    assert_eq!((stats.reads, stats.writes, stats.deletes), (4, 3, 3));
    if fixture.storage().capabilities().exact_key_count {
        assert_eq!(stats.keys, 2);
    } else {
        assert!(stats.keys >= 2, "{stats:?}");
    }
    assert_eq!(fixture.storage().stats().unwrap().keyspaces["items"], stats);
    assert_eq!(
        fixture.storage().backend(EntityKind::User).stats().unwrap(),
        EngineStats::default()
    );
}

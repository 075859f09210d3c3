//! What is refused, with which error, and that it leaves no trace.

use tidal_types::{EntityKind, ErrorKind};

use super::{Subject, Verdict, fails, holds, keys, same, value};
use crate::{
    AtomicBatch, Direction, Durability, KEY_BYTES_MAX, KeyRange, Result, StorageEngine,
    StorageEngineExt, StorageError, VALUE_BYTES_MAX, WriteBatch,
};

#[track_caller]
fn key_refused<T>(what: &str, result: Result<T>, key: &[u8]) -> Verdict {
    fails(what, result, |error| {
        error.kind() == ErrorKind::Input
            && matches!(error, StorageError::KeyLength { bytes, max: KEY_BYTES_MAX, .. } if *bytes == key.len())
    })
}

fn refuses_key(on: &Subject<'_>, key: &[u8]) -> Verdict {
    let items = on.items();
    key_refused("put", items.put(key, b"value"), key)?;
    key_refused("delete", items.delete(key), key)?;
    key_refused("get", items.get(key), key)?;
    key_refused("contains", items.contains(key), key)?;
    key_refused("counter", items.fetch_and_add_u64(key, 1), key)?;
    let swap = items.compare_and_swap(key, None, None, Durability::Buffer);
    key_refused("compare_and_swap", swap, key)?;
    let snapshot = on.storage().snapshot()?;
    key_refused("get of a snapshot", snapshot.get("items".into(), key), key)?;
    key_refused("contains of a snapshot", snapshot.contains("items".into(), key), key)?;
    let mut batch = AtomicBatch::new();
    batch.put(EntityKind::Item, key, "value");
    key_refused("commit", on.storage().commit(batch, Durability::Buffer), key)?;
    same("what is there", keys(items.scan_prefix(b""))?, "")
}

pub(super) fn an_empty_key_is_refused(on: Subject<'_>) -> Verdict {
    refuses_key(&on, b"")
}

pub(super) fn a_key_of_512_bytes_is_refused(on: Subject<'_>) -> Verdict {
    refuses_key(&on, &[7; KEY_BYTES_MAX + 1])
}

pub(super) fn a_huge_key_is_refused(on: Subject<'_>) -> Verdict {
    refuses_key(&on, &[7; 70_000])
}

pub(super) fn a_refused_key_harms_nothing(mut on: Subject<'_>) -> Verdict {
    on.items().put(b"key", b"value")?;
    key_refused("put", on.items().put(b"", b"value"), b"")?;
    on.items().put(b"later", b"value")?;
    on.reopen()?;
    same("what is there", keys(on.items().scan_prefix(b""))?, "key later")
}

pub(super) fn a_value_above_64_mebibytes_is_refused(on: Subject<'_>) -> Verdict {
    let refused = on.items().put(b"key", &vec![7; VALUE_BYTES_MAX + 1]);
    fails(
        "put",
        refused,
        |error| matches!(error, StorageError::ValueLength { bytes, max, .. } if *bytes == max + 1),
    )?;
    same("the key", value(on.items(), b"key")?, "-")
}

pub(super) fn a_bad_name_of_a_keyspace_is_refused(on: Subject<'_>) -> Verdict {
    let snapshot = on.storage().snapshot()?;
    let too_long = "a".repeat(65);
    for name in ["", "Items", "a b", "../up", "7up", "naïve", "a\0b", &too_long] {
        let mut batch = AtomicBatch::new();
        batch.put(name, "key", "value");
        for refused in [
            on.storage().keyspace(name).map(drop),
            snapshot.get(name.into(), b"key").map(drop),
            snapshot.scan_prefix(name.into(), b"key").map(drop),
            on.storage().commit(batch, Durability::Buffer),
        ] {
            fails(
                name,
                refused,
                |error| matches!(error, StorageError::KeyspaceName { name: told } if told == name),
            )?;
        }
    }
    Ok(())
}

pub(super) fn the_longest_name_of_a_keyspace_is_fine(on: Subject<'_>) -> Verdict {
    let space = on.storage().keyspace(&"a".repeat(64))?;
    space.put(b"key", b"value")?;
    same("its value", value(&*space, b"key")?, "value")
}

pub(super) fn refusals_are_not_counted(on: Subject<'_>) -> Verdict {
    holds("an empty key is refused by put", on.items().put(b"", b"value").is_err())?;
    holds("by delete", on.items().delete(b"").is_err())?;
    holds("by get", on.items().get(b"").is_err())?;
    let stats = on.items().stats()?;
    same("reads, writes, deletes", (stats.reads, stats.writes, stats.deletes), (0, 0, 0))
}

pub(super) fn what_is_no_number_is_refused_and_stays(on: Subject<'_>) -> Verdict {
    for bytes in [&b""[..], b"1234567", b"123456789"] {
        on.items().put(b"key", bytes)?;
        let is_right = |error: &StorageError| matches!(error, StorageError::NotANumber { keyspace, key, .. } if keyspace == "items" && key == b"key");
        fails("a counter", on.items().fetch_and_add_u64(b"key", 1), is_right)?;
        fails("a float", on.items().compare_and_swap_f32(b"key", |n| n), is_right)?;
        same("the value", on.items().get(b"key")?, Some(bytes.to_vec()))?;
    }
    Ok(())
}

pub(super) fn a_counter_that_would_overflow_is_refused_and_stays(on: Subject<'_>) -> Verdict {
    on.items().put(b"full", &(u64::MAX - 1).to_le_bytes())?;
    let refused = on.items().fetch_and_add_u64(b"full", 2);
    fails(
        "adding 2",
        refused,
        |error| matches!(error, StorageError::Overflow { key, .. } if key == b"full"),
    )?;
    same("adding 1", on.items().fetch_and_add_u64(b"full", 1)?, u64::MAX)
}

#[track_caller]
fn closed<T>(what: &str, result: Result<T>) -> Verdict {
    fails(what, result, |error| {
        matches!(error, StorageError::Closed { .. }) && error.kind() == ErrorKind::Reopen
    })
}

fn engine_is_closed(engine: &dyn StorageEngine) -> Verdict {
    closed("get", engine.get(b"key"))?;
    closed("contains", engine.contains(b"key"))?;
    closed("put", engine.put(b"key", b"value"))?;
    closed("delete", engine.delete(b"key"))?;
    closed("scan_prefix", engine.scan_prefix(b"key").map(drop))?;
    closed("scan_range", engine.scan_range(KeyRange::all(), Direction::Backward).map(drop))?;
    closed("write_batch", engine.write_batch(WriteBatch::new()))?;
    closed("flush", engine.flush())?;
    closed("compact", engine.compact())?;
    closed("stats", engine.stats())
}

pub(super) fn a_closed_storage_says_so_in_every_keyspace(on: Subject<'_>) -> Verdict {
    on.storage().close()?;
    EntityKind::ALL.into_iter().try_for_each(|kind| engine_is_closed(on.storage().backend(kind)))
}

pub(super) fn a_closed_storage_says_so_itself(on: Subject<'_>) -> Verdict {
    let storage = on.storage();
    storage.close()?;
    let mut batch = AtomicBatch::new();
    closed("an empty commit", storage.commit(batch.clone(), Durability::Sync))?;
    batch.put("fresh", "key", "value");
    closed("a commit", storage.commit(batch, Durability::Sync))?;
    closed("keyspace", storage.keyspace("fresh"))?;
    closed("snapshot", storage.snapshot().map(drop))?;
    closed("flush_all", storage.flush_all())?;
    closed("stats", storage.stats())
}

pub(super) fn closing_twice_is_fine(on: Subject<'_>) -> Verdict {
    on.storage().close()?;
    Ok(on.storage().close()?)
}

pub(super) fn what_outlives_a_closed_storage_says_so(on: Subject<'_>) -> Verdict {
    on.items().put(b"a", b"value")?;
    on.items().put(b"b", b"value")?;
    let engine = on.storage().keyspace("items")?;
    let snapshot = on.storage().snapshot()?;
    let mut begun = engine.scan_prefix(b"")?;
    let mut fresh = engine.scan_range(KeyRange::all(), Direction::Backward)?;
    holds("a scan has a first entry", begun.next().transpose()?.is_some())?;
    on.storage().close()?;
    closed("a scan that had begun", begun.next().transpose())?;
    holds("it has ended after the error", begun.next().is_none())?;
    closed("a scan that had not", fresh.next().transpose())?;
    closed("a snapshot", snapshot.get("items".into(), b"a"))?;
    closed("its scan", snapshot.scan_prefix("items".into(), b"").map(drop))?;
    engine_is_closed(&*engine)
}

pub(super) fn what_outlives_a_dropped_storage_says_so(mut on: Subject<'_>) -> Verdict {
    let storage = on.take();
    let engine = storage.keyspace("items")?;
    engine.put(b"key", b"value")?;
    let mut scan = engine.scan_prefix(b"")?;
    drop(storage);
    closed("a scan", scan.next().transpose())?;
    drop(scan);
    engine_is_closed(&*engine)
}

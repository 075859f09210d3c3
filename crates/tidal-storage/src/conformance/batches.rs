//! Batches: all or nothing, the last operation on a key wins.

use tidal_types::EntityKind;

use super::{Subject, Verdict, fails, holds, keys, same, shown, value};
use crate::{AtomicBatch, BatchOp, Durability, StorageError, WriteBatch};

pub(super) fn a_batch_puts_and_deletes(on: Subject<'_>) -> Verdict {
    on.items().put(b"old", b"1")?;
    let mut batch = WriteBatch::new();
    batch.put("a", "1").put("b", "2").delete("old");
    on.items().write_batch(batch)?;
    same("the entries", shown(on.items().scan_prefix(b""))?, "a=1 b=2")
}

pub(super) fn the_last_put_of_a_key_wins(on: Subject<'_>) -> Verdict {
    let mut batch = WriteBatch::new();
    batch.put("key", "1").put("other", "x").put("key", "2").put("key", "3");
    on.items().write_batch(batch)?;
    same("the entries", shown(on.items().scan_prefix(b""))?, "key=3 other=x")
}

pub(super) fn a_delete_after_a_put_wins(on: Subject<'_>) -> Verdict {
    on.items().put(b"key", b"before")?;
    let mut batch = WriteBatch::new();
    batch.put("key", "1").delete("key");
    on.items().write_batch(batch)?;
    same("the key", value(on.items(), b"key")?, "-")
}

pub(super) fn a_put_after_a_delete_wins(on: Subject<'_>) -> Verdict {
    on.items().put(b"key", b"before")?;
    let mut batch = WriteBatch::new();
    batch.delete("key").put("key", "after");
    on.items().write_batch(batch)?;
    same("the key", value(on.items(), b"key")?, "after")
}

pub(super) fn the_last_operation_wins_in_each_keyspace(on: Subject<'_>) -> Verdict {
    let mut batch = AtomicBatch::new();
    batch.put("items", "key", "1").put("users", "key", "u").delete("items", "key");
    on.storage().commit(batch, Durability::Buffer)?;
    same("the deleted one", value(on.items(), b"key")?, "-")?;
    same("the other keyspace", value(on.users(), b"key")?, "u")
}

pub(super) fn the_order_of_operations_does_not_matter_otherwise(on: Subject<'_>) -> Verdict {
    let mut batch = WriteBatch::new();
    for key in ["m", "z", "a", "q", "b"] {
        batch.put(key, key);
    }
    on.items().write_batch(batch)?;
    same("the keys", keys(on.items().scan_prefix(b""))?, "a b m q z")
}

pub(super) fn a_batch_crosses_the_entity_kinds(on: Subject<'_>) -> Verdict {
    for durability in [Durability::Buffer, Durability::Sync] {
        let written = format!("{durability:?}");
        let mut batch = AtomicBatch::new();
        for kind in EntityKind::ALL {
            batch.put(kind, "key", written.clone());
        }
        on.storage().commit(batch, durability)?;
        for kind in EntityKind::ALL {
            same("the value", value(on.storage().backend(kind), b"key")?, written.clone())?;
        }
    }
    Ok(())
}

pub(super) fn a_batch_creates_the_keyspaces_that_it_names(on: Subject<'_>) -> Verdict {
    let mut batch = AtomicBatch::new();
    batch.put("one", "key", "1").put("two", "key", "2").put("one", "other", "3");
    on.storage().commit(batch, Durability::Buffer)?;
    same("one", shown(on.storage().keyspace("one")?.scan_prefix(b""))?, "key=1 other=3")?;
    same("two", shown(on.storage().keyspace("two")?.scan_prefix(b""))?, "key=2")
}

pub(super) fn a_batch_may_only_delete(on: Subject<'_>) -> Verdict {
    for key in [b"a", b"b", b"c"] {
        on.items().put(key, b"value")?;
    }
    let mut batch = WriteBatch::new();
    batch.delete("a").delete("c").delete("absent");
    on.items().write_batch(batch)?;
    same("the keys", keys(on.items().scan_prefix(b""))?, "b")
}

pub(super) fn a_batch_without_operations_is_fine(on: Subject<'_>) -> Verdict {
    on.items().put(b"key", b"value")?;
    on.storage().commit(AtomicBatch::new(), Durability::Buffer)?;
    on.storage().commit(AtomicBatch::new(), Durability::Sync)?;
    on.items().write_batch(WriteBatch::new())?;
    same("what is there", shown(on.items().scan_prefix(b""))?, "key=value")
}

pub(super) fn a_batch_with_a_bad_key_changes_nothing(on: Subject<'_>) -> Verdict {
    let mut batch = AtomicBatch::new();
    batch.put("fresh", "key", "1").put("items", "key", "1").delete("users", "");
    let refused = on.storage().commit(batch, Durability::Sync);
    fails(
        "the commit",
        refused,
        |error| matches!(error, StorageError::KeyLength { keyspace, bytes: 0, .. } if keyspace == "users"),
    )?;
    same("what is there", keys(on.items().scan_prefix(b""))?, "")?;
    let stats = on.storage().stats()?;
    holds("no keyspace was created", !stats.keyspaces.contains_key("fresh"))
}

pub(super) fn a_batch_with_a_bad_name_changes_nothing(on: Subject<'_>) -> Verdict {
    let mut batch = AtomicBatch::new();
    batch.put("fresh", "key", "1").put("items", "key", "1").put("No Name", "key", "1");
    let refused = on.storage().commit(batch, Durability::Sync);
    fails("the commit", refused, |error| matches!(error, StorageError::KeyspaceName { .. }))?;
    same("what is there", keys(on.items().scan_prefix(b""))?, "")?;
    let stats = on.storage().stats()?;
    holds("no keyspace was created", !stats.keyspaces.contains_key("fresh"))
}

pub(super) fn a_batch_of_one_keyspace_with_a_bad_key_changes_nothing(on: Subject<'_>) -> Verdict {
    let mut batch = WriteBatch::new();
    batch.put("key", "1").put([7; 512], "2");
    fails(
        "the batch",
        on.items().write_batch(batch),
        |error| matches!(error, StorageError::KeyLength { keyspace, bytes: 512, .. } if keyspace == "items"),
    )?;
    same("what is there", keys(on.items().scan_prefix(b""))?, "")
}

pub(super) fn the_same_batch_twice_is_the_batch_once(on: Subject<'_>) -> Verdict {
    let mut batch = AtomicBatch::new();
    batch.put("items", "a", "1").delete("items", "b").put("users", "c", "2");
    on.storage().commit(batch.clone(), Durability::Buffer)?;
    on.storage().commit(batch, Durability::Buffer)?;
    same("items", shown(on.items().scan_prefix(b""))?, "a=1")?;
    same("users", shown(on.users().scan_prefix(b""))?, "c=2")
}

pub(super) fn a_later_batch_goes_over_an_earlier_one(on: Subject<'_>) -> Verdict {
    for round in 0..50u8 {
        let mut batch = WriteBatch::new();
        batch.put("a", [b'0' + round % 10]).put([b'k', b'0' + round % 10], "x");
        batch.delete([b'k', b'0' + (round + 1) % 10]);
        on.items().write_batch(batch)?;
    }
    same("the value", value(on.items(), b"a")?, "9")?;
    same("the keys", keys(on.items().scan_prefix(b"k"))?, "k1 k2 k3 k4 k5 k6 k7 k8 k9")
}

pub(super) fn operations_can_be_added_as_data(on: Subject<'_>) -> Verdict {
    let mut batch = AtomicBatch::new();
    for op in [
        BatchOp::Put { key: b"a".to_vec(), value: b"1".to_vec() },
        BatchOp::Put { key: b"b".to_vec(), value: b"2".to_vec() },
        BatchOp::Delete { key: b"a".to_vec() },
    ] {
        batch.push(EntityKind::Item, op);
    }
    on.storage().commit(batch, Durability::Buffer)?;
    same("the entries", shown(on.items().scan_prefix(b""))?, "b=2")
}

pub(super) fn a_batch_with_large_values(on: Subject<'_>) -> Verdict {
    let mut batch = WriteBatch::new();
    for n in 0..16u8 {
        batch.put([n], vec![n; 300_000]);
    }
    on.items().write_batch(batch)?;
    for n in 0..16u8 {
        let found = on.items().get(&[n])?.unwrap_or_default();
        let whole = found.len() == 300_000 && found.iter().all(|&byte| byte == n);
        holds("each of 16 values of 300 kB is whole", whole)?;
    }
    Ok(())
}

pub(super) fn a_batch_of_100_000_operations(on: Subject<'_>) -> Verdict {
    let mut batch = AtomicBatch::new();
    // Descending, so that the engine is not handed its order; a tenth deletes what the
    // batch itself has put.
    for n in (0..90_000u32).rev() {
        let keyspace = if n % 2 == 0 { "items" } else { "users" };
        batch.put(keyspace, format!("{n:05}"), n.to_le_bytes());
    }
    for n in (0..90_000u32).step_by(9) {
        batch.delete(if n % 2 == 0 { "items" } else { "users" }, format!("{n:05}"));
    }
    same("its length", batch.len(), 100_000)?;
    on.storage().commit(batch, Durability::Sync)?;
    for (odd, engine) in [(0, on.items()), (1, on.users())] {
        let mut left = (0..90_000u32).filter(|n| n % 2 == odd && n % 9 != 0);
        for entry in engine.scan_prefix(b"")? {
            let expected = left.next().map(|n| (format!("{n:05}").into(), n.to_le_bytes().into()));
            same("the next entry", Some(entry?), expected)?;
        }
        same("what the scan has not shown", left.next(), None)?;
    }
    Ok(())
}

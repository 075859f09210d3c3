//! Single keys, keyspaces, statistics and counters.

use tidal_types::EntityKind;

use super::{Subject, Verdict, fails, holds, keys, same, shown, text, value};
use crate::{
    Direction, Durability, EngineStats, KEY_BYTES_MAX, KeyRange, StorageEngineExt, StorageError,
    WriteBatch,
};

pub(super) fn a_new_storage_is_empty(on: Subject<'_>) -> Verdict {
    for kind in EntityKind::ALL {
        same("a new keyspace", shown(on.storage().backend(kind).scan_prefix(b""))?, "")?;
    }
    Ok(())
}

pub(super) fn a_value_is_there_once_it_is_put(on: Subject<'_>) -> Verdict {
    on.items().put(b"key", b"value")?;
    same("the value", value(on.items(), b"key")?, "value")
}

pub(super) fn a_key_that_was_never_put_is_absent(on: Subject<'_>) -> Verdict {
    on.items().put(b"key", b"value")?;
    same("the key before", value(on.items(), b"ke")?, "-")?;
    same("the key behind", value(on.items(), b"key\0")?, "-")
}

pub(super) fn contains_tells_what_is_there(on: Subject<'_>) -> Verdict {
    on.items().put(b"key", b"value")?;
    holds("a key that was put is contained", on.items().contains(b"key")?)?;
    holds("another is not", !on.items().contains(b"kez")?)
}

pub(super) fn putting_again_replaces(on: Subject<'_>) -> Verdict {
    on.items().put(b"key", b"first, and longer")?;
    on.items().put(b"key", b"second")?;
    same("all entries", shown(on.items().scan_prefix(b""))?, "key=second")?;
    same("the value", value(on.items(), b"key")?, "second")
}

pub(super) fn deleting_removes(on: Subject<'_>) -> Verdict {
    on.items().put(b"key", b"value")?;
    on.items().delete(b"key")?;
    same("a deleted key", value(on.items(), b"key")?, "-")
}

pub(super) fn a_deleted_key_is_not_contained(on: Subject<'_>) -> Verdict {
    on.items().put(b"key", b"value")?;
    on.items().delete(b"key")?;
    holds("a deleted key is not contained", !on.items().contains(b"key")?)
}

pub(super) fn a_deleted_key_is_in_no_scan(on: Subject<'_>) -> Verdict {
    for key in [b"a", b"b", b"c"] {
        on.items().put(key, b"value")?;
    }
    on.items().delete(b"b")?;
    same("the keys forward", keys(on.items().scan_prefix(b""))?, "a c")?;
    let backward = on.items().scan_range(KeyRange::all(), Direction::Backward);
    same("the keys backward", keys(backward)?, "c a")
}

pub(super) fn deleting_what_is_absent_is_fine(on: Subject<'_>) -> Verdict {
    on.items().put(b"b", b"value")?;
    on.items().delete(b"a")?;
    on.items().delete(b"c")?;
    same("the keys", keys(on.items().scan_prefix(b""))?, "b")
}

pub(super) fn a_deleted_key_can_be_put_again(on: Subject<'_>) -> Verdict {
    for round in [b"1", b"2", b"3"] {
        on.items().put(b"key", round)?;
        on.items().delete(b"key")?;
    }
    on.items().put(b"key", b"last")?;
    same("the value", value(on.items(), b"key")?, "last")
}

pub(super) fn deleting_leaves_the_neighbours(on: Subject<'_>) -> Verdict {
    for key in [&b"key"[..], b"key\0", b"kex", b"key0"] {
        on.items().put(key, b"value")?;
    }
    on.items().delete(b"key")?;
    same("the keys", keys(on.items().scan_prefix(b""))?, "kex key\\x00 key0")
}

pub(super) fn an_empty_value_is_a_value(on: Subject<'_>) -> Verdict {
    on.items().put(b"key", b"")?;
    same("an empty value", on.items().get(b"key")?, Some(Vec::new()))?;
    holds("its key is contained", on.items().contains(b"key")?)?;
    same("its entry", shown(on.items().scan_prefix(b""))?, "key=")
}

pub(super) fn every_byte_is_a_key(on: Subject<'_>) -> Verdict {
    let mut batch = WriteBatch::new();
    for byte in 0..=u8::MAX {
        batch.put([byte], [byte]);
    }
    on.items().write_batch(batch)?;
    for byte in 0..=u8::MAX {
        same("the value of a byte", on.items().get(&[byte])?, Some(vec![byte]))?;
    }
    Ok(())
}

pub(super) fn every_byte_is_a_value(on: Subject<'_>) -> Verdict {
    let all: Vec<u8> = (0..=u8::MAX).collect();
    on.items().put(b"key", &all)?;
    same("the value", on.items().get(b"key")?, Some(all))
}

pub(super) fn a_key_may_have_511_bytes(on: Subject<'_>) -> Verdict {
    for byte in [0, 7, 0xff] {
        on.items().put(&[byte; KEY_BYTES_MAX], &[byte])?;
        same("the value", on.items().get(&[byte; KEY_BYTES_MAX])?, Some(vec![byte]))?;
    }
    Ok(())
}

pub(super) fn long_keys_that_differ_at_the_end_are_two(on: Subject<'_>) -> Verdict {
    let mut keys = [[7; KEY_BYTES_MAX]; 2];
    for (key, last) in keys.iter_mut().zip([1, 2]) {
        if let Some(byte) = key.last_mut() {
            *byte = last;
        }
        on.items().put(key, &[last])?;
    }
    for (key, last) in keys.iter().zip([1, 2]) {
        same("the value", on.items().get(key)?, Some(vec![last]))?;
    }
    Ok(())
}

pub(super) fn a_large_value_comes_back(on: Subject<'_>) -> Verdict {
    let large: Vec<u8> =
        (0..1_000_000u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
    on.items().put(b"large", &large)?;
    let seen = on.items().get(b"large")?.unwrap_or_default();
    same("its length", seen.len(), large.len())?;
    holds("4 MB come back as they were", seen == large)
}

pub(super) fn a_value_may_shrink_and_grow(on: Subject<'_>) -> Verdict {
    for bytes in [10, 100_000, 1, 5_000, 0, 70_000] {
        on.items().put(b"key", &vec![7; bytes])?;
        same("its length", on.items().get(b"key")?.map(|value| value.len()), Some(bytes))?;
    }
    Ok(())
}

pub(super) fn entity_kinds_do_not_share_keys(on: Subject<'_>) -> Verdict {
    for kind in EntityKind::ALL {
        on.storage().backend(kind).put(b"key", kind.as_str().as_bytes())?;
    }
    for kind in EntityKind::ALL {
        same("the value", value(on.storage().backend(kind), b"key")?, kind.as_str())?;
    }
    on.users().delete(b"key")?;
    holds("a delete is of one keyspace", on.items().contains(b"key")?)
}

pub(super) fn keyspaces_do_not_share_keys(on: Subject<'_>) -> Verdict {
    let (one, two) = (on.storage().keyspace("one")?, on.storage().keyspace("two")?);
    one.put(b"key", b"1")?;
    same("another keyspace", value(&*two, b"key")?, "-")?;
    two.put(b"key", b"2")?;
    same("the first", value(&*one, b"key")?, "1")
}

pub(super) fn a_name_always_means_the_same_keyspace(on: Subject<'_>) -> Verdict {
    on.storage().keyspace("extra")?.put(b"key", b"value")?;
    same("by its name again", value(&*on.storage().keyspace("extra")?, b"key")?, "value")
}

pub(super) fn entity_kinds_are_keyspaces_of_a_name(on: Subject<'_>) -> Verdict {
    for (kind, name) in EntityKind::ALL.into_iter().zip(["items", "users", "creators"]) {
        on.storage().backend(kind).put(b"key", name.as_bytes())?;
        same("by the name", value(&*on.storage().keyspace(name)?, b"key")?, name)?;
    }
    Ok(())
}

pub(super) fn there_may_be_many_keyspaces(on: Subject<'_>) -> Verdict {
    for n in 0..40 {
        on.storage().keyspace(&format!("space_{n}"))?.put(b"key", format!("{n}").as_bytes())?;
    }
    for n in 0..40 {
        let space = on.storage().keyspace(&format!("space_{n}"))?;
        same("its value", value(&*space, b"key")?, n.to_string())?;
    }
    Ok(())
}

pub(super) fn statistics_name_every_keyspace(on: Subject<'_>) -> Verdict {
    on.storage().keyspace("extra")?;
    let names: Vec<String> = on.storage().stats()?.keyspaces.into_keys().collect();
    same("the names", names, ["creators", "extra", "items", "users"])
}

pub(super) fn reads_and_writes_are_counted(on: Subject<'_>) -> Verdict {
    same("at first", on.items().stats()?, EngineStats::default())?;
    let mut batch = WriteBatch::new();
    batch.put("a", "1").put("b", "2").put("c", "3").delete("c").delete("d");
    on.items().write_batch(batch)?;
    on.items().put(b"e", b"5")?;
    on.items().delete(b"e")?;
    on.items().get(b"a")?;
    on.items().contains(b"nothing")?;
    keys(on.items().scan_prefix(b""))?;
    let stats = on.items().stats()?;
    same("reads, writes, deletes", (stats.reads, stats.writes, stats.deletes), (4, 3, 3))?;
    same("another keyspace", on.users().stats()?, EngineStats::default())
}

pub(super) fn keys_are_counted(on: Subject<'_>) -> Verdict {
    for n in 0..10u8 {
        on.items().put(&[n], b"value")?;
    }
    on.items().put(&[0], b"again")?;
    on.items().delete(&[1])?;
    let counted = on.items().stats()?.keys;
    match on.storage().capabilities().exact_key_count {
        true => same("an exact count", counted, 9),
        false => holds("an estimate is not below what is there", counted >= 9),
    }
}

pub(super) fn compacting_changes_nothing_that_is_read(on: Subject<'_>) -> Verdict {
    for round in b'a'..=b'd' {
        let mut batch = WriteBatch::new();
        for n in 0..50u8 {
            batch.put([n], [round]);
        }
        on.items().write_batch(batch)?;
    }
    for n in 45..50 {
        on.items().delete(&[n])?;
    }
    let before = shown(on.items().scan_prefix(b""))?;
    on.storage().flush_all()?;
    on.items().compact()?;
    same("what is there", shown(on.items().scan_prefix(b""))?, before)?;
    on.items().put(b"later", b"1")?;
    same("a later write", value(on.items(), b"later")?, "1")
}

pub(super) fn a_counter_begins_at_0_and_tells_the_sum(on: Subject<'_>) -> Verdict {
    for (delta, sum) in [(5, 5), (0, 5), (0x0102_0304, 0x0102_0309)] {
        same("the sum", on.items().fetch_and_add_u64(b"views", delta)?, sum)?;
    }
    let bytes = vec![9, 3, 2, 1, 0, 0, 0, 0];
    same("its bytes", on.items().get(b"views")?, Some(bytes))
}

pub(super) fn a_number_of_floats_begins_at_0(on: Subject<'_>) -> Verdict {
    let items = on.items();
    same("the sum", items.compare_and_swap_f32(b"score", |score| score + 1.5)?, 1.5)?;
    same("the product", items.compare_and_swap_f32(b"score", |score| score * 4.0)?, 6.0)?;
    same("its bytes", items.get(b"score")?, Some(6.0f32.to_le_bytes().to_vec()))
}

/// NaN is a value like others, and compares by its bits.
pub(super) fn a_float_that_is_no_number_can_be_replaced(on: Subject<'_>) -> Verdict {
    let items = on.items();
    holds("NaN is kept", items.compare_and_swap_f32(b"score", |_| f32::NAN)?.is_nan())?;
    let mended = |score: f32| if score.is_nan() { 0.25 } else { score };
    same("the mended score", items.compare_and_swap_f32(b"score", mended)?, 0.25)
}

pub(super) fn an_update_puts_and_deletes(on: Subject<'_>) -> Verdict {
    let items = on.items();
    let mut seen = Vec::new();
    for new in [Some(b"1"), None, Some(b"2")] {
        items.fetch_update(b"key", |value| {
            seen.push(text(value.map(<[u8]>::to_vec)));
            new.map(|value| value.to_vec())
        })?;
    }
    same("what the updates were given", seen.join(" "), "- 1 -")?;
    same("what is left", value(items, b"key")?, "2")
}

pub(super) fn an_update_that_fails_writes_nothing(on: Subject<'_>) -> Verdict {
    let failing = |_: Option<&[u8]>| Err(StorageError::NoSavepoint);
    let refused = on.items().try_fetch_update(b"key", Durability::Sync, failing);
    fails("the update", refused, |error| matches!(error, StorageError::NoSavepoint))?;
    same("the key", value(on.items(), b"key")?, "-")
}

pub(super) fn a_swap_needs_the_value_that_was_expected(on: Subject<'_>) -> Verdict {
    let steps = [
        (Some(""), Some("1"), false, "-"),
        (None, Some(""), true, ""),
        (None, Some("1"), false, ""),
        (Some("0"), None, false, ""),
        (Some(""), Some("1"), true, "1"),
        (Some("1"), None, true, "-"),
    ];
    for (expected, new, swaps, left) in steps {
        let (expected, new) = (expected.map(str::as_bytes), new.map(str::as_bytes));
        let swapped = on.items().compare_and_swap(b"key", expected, new, Durability::Sync)?;
        same("whether it swapped", swapped, swaps)?;
        same("the value after", value(on.items(), b"key")?, left)?;
    }
    Ok(())
}

//! What conflicts, and what does not.

use tidal_types::EntityKind;

use super::{Failure, Subject, Verdict, conflicts, holds, keys, same, value};
use crate::{
    AtomicBatch, Direction, Durability, Isolation, KeyRange, Result, StorageEngineExt, StorageExt,
    Transaction, WriteBatch,
};

const ITEMS: EntityKind = EntityKind::Item;

pub(in super::super) fn a_conflict_writes_nothing(on: Subject<'_>) -> Verdict {
    let tx = on.storage().begin()?;
    tx.put(ITEMS, b"item", b"1")?;
    tx.put(EntityKind::User, b"user", b"1")?;
    tx.put("fresh", b"key", b"1")?;
    on.users().put(b"user", b"2")?;
    conflicts(tx.commit(Durability::Buffer), "users", b"user")?;
    same("its other key", value(on.items(), b"item")?, "-")?;
    same("the key", value(on.users(), b"user")?, "2")?;
    let stats = on.storage().stats()?;
    holds("no keyspace was created", !stats.keyspaces.contains_key("fresh"))
}

/// Begins a transaction that writes a key, has `write` write it too, and commits.
fn beside(on: &Subject<'_>, write: impl FnOnce() -> Verdict) -> Verdict {
    let tx = on.storage().begin()?;
    tx.put(ITEMS, b"key", b"mine")?;
    write()?;
    conflicts(tx.commit(Durability::Buffer), "items", b"key")
}

pub(in super::super) fn a_put_conflicts(on: Subject<'_>) -> Verdict {
    beside(&on, || Ok(on.items().put(b"key", b"theirs")?))?;
    // Also if it changes nothing.
    beside(&on, || Ok(on.items().put(b"key", b"theirs")?))
}

pub(in super::super) fn a_delete_conflicts(on: Subject<'_>) -> Verdict {
    on.items().put(b"key", b"before")?;
    beside(&on, || Ok(on.items().delete(b"key")?))?;
    beside(&on, || Ok(on.items().delete(b"key")?))
}

pub(in super::super) fn a_batch_conflicts(on: Subject<'_>) -> Verdict {
    let mut batch = WriteBatch::new();
    batch.put("another", "1").put("key", "1");
    beside(&on, || Ok(on.items().write_batch(batch)?))?;
    let mut batch = AtomicBatch::new();
    batch.put(EntityKind::User, "key", "1").delete(ITEMS, "key");
    beside(&on, || Ok(on.storage().commit(batch, Durability::Buffer)?))
}

pub(in super::super) fn a_counter_conflicts(on: Subject<'_>) -> Verdict {
    beside(&on, || same("the counter", on.items().fetch_and_add_u64(b"key", 1)?, 1))
}

pub(in super::super) fn a_transaction_conflicts(on: Subject<'_>) -> Verdict {
    beside(&on, || Ok(on.storage().transact(0, |tx| tx.delete(ITEMS, b"key"))?))
}

pub(in super::super) fn what_is_not_the_same_key_since_is_no_conflict(on: Subject<'_>) -> Verdict {
    for isolation in [Isolation::Snapshot, Isolation::Serializable] {
        // Another transaction that stays open keeps older writes in memory.
        let old = on.storage().begin()?;
        on.items().put(b"key", b"before")?;
        let tx = on.storage().begin_with(isolation)?;
        tx.get(ITEMS, b"key")?;
        tx.put(ITEMS, b"key", b"mine")?;
        on.items().put(b"ke", b"other")?;
        on.items().put(b"key\0", b"other")?;
        on.users().put(b"key", b"other")?;
        let second = on.storage().begin_with(isolation)?;
        second.put(ITEMS, b"mine alone", b"1")?;
        tx.commit(Durability::Buffer)?;
        second.commit(Durability::Buffer)?;
        drop(old);
        same("the value", value(on.items(), b"key")?, "mine")?;
    }
    Ok(())
}

/// Has a serializable transaction `read` over the keys a to g, has others write one key
/// at a time, and looks at which keys it conflicts with.
fn read_conflicts_with(
    on: &Subject<'_>,
    read: impl Fn(&Transaction<'_>) -> Result<()>,
    conflicting: &[&[u8]],
    harmless: &[&[u8]],
) -> Verdict {
    let conflicting = conflicting.iter().map(|key| (*key, true));
    for (key, is_conflict) in conflicting.chain(harmless.iter().map(|key| (*key, false))) {
        let mut again = WriteBatch::new();
        for entry in on.items().scan_prefix(b"")? {
            again.delete(entry?.0);
        }
        for letter in b'a'..=b'g' {
            again.put([letter], "value");
        }
        on.items().write_batch(again)?;
        let tx = on.storage().begin_with(Isolation::Serializable)?;
        tx.put(EntityKind::User, b"unrelated", b"1")?;
        read(&tx)?;
        on.items().put(key, b"new")?;
        match (tx.commit(Durability::Buffer), is_conflict) {
            (result, true) => conflicts(result, "items", key)?,
            (Ok(()), false) => {}
            (Err(error), false) => {
                return Err(Failure::new(format!("a write of {key:?} conflicts: {error}")));
            }
        }
    }
    Ok(())
}

pub(in super::super) fn a_serializable_get_conflicts_with_its_key(on: Subject<'_>) -> Verdict {
    read_conflicts_with(&on, |tx| tx.get(ITEMS, b"d").map(drop), &[b"d"], &[b"c", b"da"])?;
    read_conflicts_with(&on, |tx| tx.contains(ITEMS, b"d").map(drop), &[b"d"], &[b"c", b"da"])
}

pub(in super::super) fn a_serializable_read_of_nothing_conflicts(on: Subject<'_>) -> Verdict {
    read_conflicts_with(&on, |tx| tx.get(ITEMS, b"da").map(drop), &[b"da"], &[b"d"])?;
    let read = |tx: &Transaction<'_>| keys(tx.scan_prefix(ITEMS, b"dd")).map(drop);
    read_conflicts_with(&on, read, &[b"dd", b"ddd"], &[b"d", b"de"])
}

pub(in super::super) fn a_serializable_scan_conflicts_with_its_range(on: Subject<'_>) -> Verdict {
    let range = || (b"c".as_slice()..b"e").into();
    let read =
        |tx: &Transaction<'_>| keys(tx.scan_range(ITEMS, range(), Direction::Backward)).map(drop);
    read_conflicts_with(&on, read, &[b"c", b"cc", b"dz"], &[b"e", b"b"])
}

pub(in super::super) fn a_serializable_scan_conflicts_as_far_as_it_went(
    on: Subject<'_>,
) -> Verdict {
    let read = |tx: &Transaction<'_>| {
        tx.scan_prefix(ITEMS, b"")?.take(2).try_for_each(|entry| entry.map(drop))
    };
    read_conflicts_with(&on, read, &[b"a", b"aa", b"b", b"0"], &[b"ba", b"c"])?;
    let read = |tx: &Transaction<'_>| {
        let scan = tx.scan_range(ITEMS, KeyRange::all(), Direction::Backward)?;
        scan.take(2).try_for_each(|entry| entry.map(drop))
    };
    read_conflicts_with(&on, read, &[b"g", b"z", b"f", b"fa"], &[b"ez", b"a"])?;
    read_conflicts_with(&on, |tx| tx.scan_prefix(ITEMS, b"").map(drop), &[], &[b"a"])
}

pub(in super::super) fn a_keyspace_that_was_not_there_is_read_too(on: Subject<'_>) -> Verdict {
    let tx = on.storage().begin_with(Isolation::Serializable)?;
    tx.put(ITEMS, b"key", b"mine")?;
    same("a scan", keys(tx.scan_prefix("fresh", b"k"))?, "")?;
    on.storage().keyspace("fresh")?.put(b"key", b"theirs")?;
    conflicts(tx.commit(Durability::Buffer), "fresh", b"key")
}

pub(in super::super) fn own_writes_are_not_reads(on: Subject<'_>) -> Verdict {
    let tx = on.storage().begin_with(Isolation::Serializable)?;
    let savepoint = tx.savepoint();
    tx.put(ITEMS, b"key", b"mine")?;
    holds("its own key is contained", tx.contains(ITEMS, b"key")?)?;
    tx.rollback_to(&savepoint)?;
    tx.put(ITEMS, b"other", b"mine")?;
    on.items().put(b"key", b"theirs")?;
    Ok(tx.commit(Durability::Buffer)?)
}

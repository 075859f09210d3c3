//! What is there after reopening and after a kill, and who may open.

use std::fs;
use std::io;
use std::path::Path;

use tidal_types::{EntityKind, ErrorKind};

use super::{Failure, Subject, Verdict, fails, holds, keys, same, shown, value};
use crate::{
    AtomicBatch, Durability, SEQUENCE_BLOCK_IDS, StorageEngineExt, StorageError, StorageExt,
    WriteBatch,
};

pub(super) fn a_put_is_there_after_reopening(mut on: Subject<'_>) -> Verdict {
    on.items().put(b"key", b"value")?;
    on.reopen()?;
    same("the value", value(on.items(), b"key")?, "value")
}

pub(super) fn a_delete_stays_after_reopening(mut on: Subject<'_>) -> Verdict {
    on.items().put(b"gone", b"value")?;
    on.items().put(b"kept", b"value")?;
    on.reopen()?;
    on.items().delete(b"gone")?;
    on.reopen()?;
    same("the keys", keys(on.items().scan_prefix(b""))?, "kept")?;
    holds("the deleted key is not contained", !on.items().contains(b"gone")?)
}

pub(super) fn the_newest_value_is_there_after_reopening(mut on: Subject<'_>) -> Verdict {
    for round in 0..5u8 {
        on.items().put(b"key", &[b'0' + round])?;
        on.items().put(b"other", &[b'0' + round])?;
        on.reopen()?;
    }
    same("the entries", shown(on.items().scan_prefix(b""))?, "key=4 other=4")
}

pub(super) fn a_batch_is_there_after_reopening(mut on: Subject<'_>) -> Verdict {
    for (durability, name) in [(Durability::Buffer, "a"), (Durability::Sync, "b")] {
        let mut batch = AtomicBatch::new();
        for kind in EntityKind::ALL {
            batch.put(kind, name, "1");
        }
        on.storage().commit(batch, durability)?;
    }
    on.reopen()?;
    for kind in EntityKind::ALL {
        same("the keys", keys(on.storage().backend(kind).scan_prefix(b""))?, "a b")?;
    }
    Ok(())
}

pub(super) fn keyspaces_are_there_after_reopening(mut on: Subject<'_>) -> Verdict {
    on.storage().keyspace("extra")?.put(b"key", b"1")?;
    on.storage().keyspace("other")?.put(b"key", b"2")?;
    on.reopen()?;
    let snapshot = on.storage().snapshot()?;
    for (name, expected) in [("extra", "key=1"), ("other", "key=2")] {
        same(name, shown(snapshot.scan_prefix(name.into(), b""))?, expected)?;
    }
    let stats = on.storage().stats()?;
    holds("statistics name it", stats.keyspaces.contains_key("extra"))
}

pub(super) fn a_transaction_is_there_after_reopening(mut on: Subject<'_>) -> Verdict {
    let tx = on.storage().begin()?;
    tx.put("items", b"key", b"1")?;
    tx.put("users", b"key", b"2")?;
    tx.commit(Durability::Buffer)?;
    on.reopen()?;
    same("items", value(on.items(), b"key")?, "1")?;
    same("users", value(on.users(), b"key")?, "2")
}

pub(super) fn a_counter_goes_on_after_reopening(mut on: Subject<'_>) -> Verdict {
    for sum in 1..=5 {
        same("the sum", on.items().fetch_and_add_u64(b"views", 1)?, sum)?;
        on.reopen()?;
    }
    Ok(())
}

pub(super) fn a_sequence_goes_on_above_after_reopening(mut on: Subject<'_>) -> Verdict {
    let mut last = 0;
    for _ in 0..5 {
        let orders = on.storage().sequence("orders")?;
        for _ in 0..3 {
            let next = orders.next()?;
            let ahead = last < next && next <= last + SEQUENCE_BLOCK_IDS;
            holds("an id is above the last, by at most one block", ahead)?;
            last = next;
        }
        on.reopen()?;
    }
    Ok(())
}

pub(super) fn much_is_there_after_reopening(mut on: Subject<'_>) -> Verdict {
    let mut batch = WriteBatch::new();
    for n in 0..20_000u32 {
        batch.put(format!("{n:06}"), n.to_le_bytes());
    }
    on.items().write_batch(batch)?;
    on.reopen()?;
    for (n, entry) in (0u32..).zip(on.items().scan_prefix(b"")?) {
        same("the next entry", entry?, (format!("{n:06}").into(), n.to_le_bytes().into()))?;
    }
    same("how many there are", on.items().scan_prefix(b"")?.count(), 20_000)
}

pub(super) fn a_flush_loses_nothing(mut on: Subject<'_>) -> Verdict {
    on.items().put(b"a", b"1")?;
    on.items().flush()?;
    on.items().put(b"b", b"2")?;
    on.storage().flush_all()?;
    on.items().delete(b"a")?;
    on.storage().flush_all()?;
    same("the entries", shown(on.items().scan_prefix(b""))?, "b=2")?;
    on.reopen()?;
    same("the entries after reopening", shown(on.items().scan_prefix(b""))?, "b=2")
}

pub(super) fn an_unfinished_transaction_is_not_there_after_reopening(
    mut on: Subject<'_>,
) -> Verdict {
    on.items().put(b"key", b"before")?;
    let tx = on.storage().begin()?;
    tx.put("items", b"key", b"never")?;
    drop(tx);
    on.reopen()?;
    same("the entries", shown(on.items().scan_prefix(b""))?, "key=before")
}

/// What a killed process leaves is what its files hold at that moment.
pub(super) fn a_kill_takes_nothing_that_was_written(on: Subject<'_>) -> Verdict {
    for n in 0..100u8 {
        on.items().put(&[n], b"value")?;
    }
    let mut batch = AtomicBatch::new();
    batch.put("items", [100], "value").put("extra", "key", "value");
    on.storage().commit(batch, Durability::Buffer)?;
    copy(&on.path(), &on.beside())?;
    let left = on.open_at(&on.beside())?;
    same("how many keys there are", left.backend(EntityKind::Item).scan_prefix(b"")?.count(), 101)?;
    same("the other keyspace", value(&*left.keyspace("extra")?, b"key")?, "value")
}

pub(super) fn a_kill_leaves_transactions_whole(on: Subject<'_>) -> Verdict {
    let tx = on.storage().begin()?;
    tx.put("items", b"whole", b"1")?;
    tx.put("users", b"whole", b"1")?;
    tx.commit(Durability::Buffer)?;
    let open = on.storage().begin()?;
    open.put("items", b"open", b"1")?;
    copy(&on.path(), &on.beside())?;
    let left = on.open_at(&on.beside())?;
    for kind in [EntityKind::Item, EntityKind::User] {
        same("the keys", keys(left.backend(kind).scan_prefix(b""))?, "whole")?;
    }
    Ok(())
}

pub(super) fn a_kill_makes_no_sequence_repeat(on: Subject<'_>) -> Verdict {
    let orders = on.storage().sequence("orders")?;
    let mut last = 0;
    for _ in 0..1_500 {
        last = orders.next()?;
    }
    copy(&on.path(), &on.beside())?;
    let next = on.open_at(&on.beside())?.sequence("orders")?.next()?;
    let ahead = last < next && next <= last + SEQUENCE_BLOCK_IDS;
    holds("an id is above the last, by at most one block", ahead)
}

fn copy(from: &Path, to: &Path) -> Verdict {
    let copied = copy_files(from, to);
    copied.map_err(|error| Failure::new(format!("cannot copy {}: {error}", from.display())))
}

fn copy_files(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_files(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), &target)?;
        }
    }
    Ok(())
}

#[track_caller]
fn is_locked(on: &Subject<'_>) -> Verdict {
    let path = on.path();
    fails(
        "a second open",
        on.open_at(&path),
        |error| matches!(error, StorageError::Locked { path: told } if *told == path),
    )
}

pub(super) fn a_second_open_is_refused(on: Subject<'_>) -> Verdict {
    is_locked(&on)?;
    on.items().put(b"key", b"value")?;
    is_locked(&on)?;
    same("what the first wrote", value(on.items(), b"key")?, "value")
}

pub(super) fn an_open_after_reopening_is_refused_too(mut on: Subject<'_>) -> Verdict {
    on.reopen()?;
    is_locked(&on)
}

pub(super) fn closing_frees_the_directory_whoever_holds_on(mut on: Subject<'_>) -> Verdict {
    for round in 1..=10usize {
        on.items().put(round.to_string().as_bytes(), b"value")?;
        let storage = on.take();
        let engine = storage.keyspace("items")?;
        let snapshot = storage.snapshot()?;
        let mut scan = engine.scan_prefix(b"")?;
        same("a scan that is open", scan.next().transpose()?.is_some(), true)?;
        storage.close()?;
        on.open_again()?;
        same("what is there", on.items().scan_prefix(b"")?.count(), round)?;
        let is_closed = |error: &StorageError| matches!(error, StorageError::Closed { .. });
        fails("the old scan", scan.next().transpose(), is_closed)?;
        fails("the old snapshot", snapshot.get("items".into(), b"key"), is_closed)?;
        fails("the old keyspace", engine.put(b"key", b"value"), is_closed)?;
    }
    Ok(())
}

pub(super) fn dropping_frees_the_directory_whoever_holds_on(mut on: Subject<'_>) -> Verdict {
    for round in 1..=10usize {
        on.items().put(round.to_string().as_bytes(), b"value")?;
        let storage = on.take();
        let engine = storage.keyspace("items")?;
        let scan = engine.scan_prefix(b"")?;
        drop(storage);
        on.open_again()?;
        same("what is there", on.items().scan_prefix(b"")?.count(), round)?;
        drop(scan);
    }
    Ok(())
}

pub(super) fn a_file_is_refused_and_left_as_it_is(on: Subject<'_>) -> Verdict {
    let io_failed = |error: io::Error| Failure::new(error.to_string());
    fs::write(on.beside(), "text").map_err(io_failed)?;
    let refused = on.open_at(&on.beside());
    fails("opening a file", refused, |error| error.kind() == ErrorKind::Environment)?;
    same("the file", fs::read(on.beside()).map_err(io_failed)?, b"text")
}

pub(super) fn a_folder_of_something_else_is_refused_untouched(on: Subject<'_>) -> Verdict {
    let io_failed = |error: io::Error| Failure::new(error.to_string());
    fs::create_dir(on.beside()).map_err(io_failed)?;
    fs::write(on.beside().join("thesis.tex"), "text").map_err(io_failed)?;
    let refused = on.open_at(&on.beside());
    fails("opening a folder", refused, |error| matches!(error, StorageError::NotStorage { .. }))?;
    same("its files", fs::read_dir(on.beside()).map_err(io_failed)?.count(), 1)
}

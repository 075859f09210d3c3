//! What a transaction reads, and what its end leaves.

use std::thread;

use tidal_types::EntityKind;

use super::{Failure, Subject, Verdict, conflicts, fails, holds, keys, same, shown, text, value};
use crate::{
    Direction, Durability, Isolation, KEY_BYTES_MAX, KeyRange, Result, StorageError, StorageExt,
    Transaction,
};

const ITEMS: EntityKind = EntityKind::Item;

pub(in super::super) fn own_writes_are_read(on: Subject<'_>) -> Verdict {
    on.items().put(b"deleted", b"before")?;
    let tx = on.storage().begin()?;
    tx.put(ITEMS, b"key", b"own")?;
    tx.delete(ITEMS, b"deleted")?;
    same("an own value", text(tx.get(ITEMS, b"key")?), "own")?;
    holds("an own key is contained", tx.contains(ITEMS, b"key")?)?;
    same("an own delete", text(tx.get(ITEMS, b"deleted")?), "-")?;
    holds("what it deleted is not contained", !tx.contains(ITEMS, b"deleted")?)
}

pub(in super::super) fn nobody_else_sees_what_is_not_committed(on: Subject<'_>) -> Verdict {
    let tx = on.storage().begin()?;
    tx.put(ITEMS, b"key", b"own")?;
    same("from outside", value(on.items(), b"key")?, "-")?;
    same("from another transaction", text(on.storage().begin()?.get(ITEMS, b"key")?), "-")
}

pub(in super::super) fn a_commit_is_seen_by_everybody(on: Subject<'_>) -> Verdict {
    let tx = on.storage().begin()?;
    tx.put(ITEMS, b"key", b"own")?;
    tx.commit(Durability::Buffer)?;
    same("from outside", value(on.items(), b"key")?, "own")?;
    same("from another transaction", text(on.storage().begin()?.get(ITEMS, b"key")?), "own")
}

pub(in super::super) fn reads_stay_at_the_beginning(on: Subject<'_>) -> Verdict {
    on.items().put(b"a", b"before")?;
    on.items().put(b"b", b"before")?;
    let tx = on.storage().begin()?;
    on.items().put(b"a", b"later")?;
    on.items().delete(b"b")?;
    on.items().put(b"c", b"later")?;
    same("its entries", shown(tx.scan_prefix(ITEMS, b""))?, "a=before b=before")?;
    same("its value", text(tx.get(ITEMS, b"b")?), "before")
}

pub(in super::super) fn scans_merge_own_writes_in_order(on: Subject<'_>) -> Verdict {
    for key in [b"b", b"d", b"f", b"h"] {
        on.items().put(key, b"before")?;
    }
    let tx = on.storage().begin()?;
    for key in [b"a", b"d", b"e", b"i"] {
        tx.put(ITEMS, key, b"own")?;
    }
    tx.delete(ITEMS, b"f")?;
    tx.put("users", b"z", b"another keyspace")?;
    let forward = shown(tx.scan_prefix(ITEMS, b""))?;
    same("forward", forward, "a=own b=before d=own e=own h=before i=own")?;
    let backward = tx.scan_range(ITEMS, (b"b".as_slice()..b"i").into(), Direction::Backward);
    same("backward", keys(backward)?, "h e d b")?;
    let inverted = tx.scan_range(ITEMS, (b"z".as_slice()..b"a").into(), Direction::Forward);
    same("an inverted range", keys(inverted)?, "")
}

pub(in super::super) fn a_scan_shows_the_transaction_as_it_was(on: Subject<'_>) -> Verdict {
    for direction in [Direction::Forward, Direction::Backward] {
        let tx = on.storage().begin()?;
        for n in 0..10u8 {
            tx.put(ITEMS, &[b'a' + n], b"own")?;
        }
        let before = shown(tx.scan_range(ITEMS, KeyRange::all(), direction))?;
        let scan = tx.scan_range(ITEMS, KeyRange::all(), direction);
        for n in 0..10u8 {
            tx.delete(ITEMS, &[b'a' + n])?;
            tx.put(ITEMS, &[b'a' + n, b'x'], b"new")?;
        }
        same("a scan that was open", shown(scan)?, before)?;
    }
    Ok(())
}

pub(in super::super) fn a_commit_crosses_keyspaces(on: Subject<'_>) -> Verdict {
    for durability in [Durability::Buffer, Durability::Sync] {
        let written = format!("{durability:?}");
        let tx = on.storage().begin()?;
        for keyspace in ["items", "users", "creators", "extra"] {
            tx.put(keyspace, b"key", written.as_bytes())?;
        }
        tx.commit(durability)?;
        for keyspace in ["items", "users", "creators", "extra"] {
            let found = value(&*on.storage().keyspace(keyspace)?, b"key")?;
            same(keyspace, found, written.clone())?;
        }
    }
    Ok(())
}

pub(in super::super) fn a_transaction_without_writes_commits(on: Subject<'_>) -> Verdict {
    on.storage().begin()?.commit(Durability::Sync)?;
    let tx = on.storage().begin_with(Isolation::Serializable)?;
    tx.get(ITEMS, b"key")?;
    on.items().put(b"key", b"meanwhile")?;
    Ok(tx.commit(Durability::Buffer)?)
}

pub(in super::super) fn a_rollback_leaves_nothing(on: Subject<'_>) -> Verdict {
    for end in [Transaction::rollback, |tx| drop(tx)] {
        let tx = on.storage().begin()?;
        tx.put(ITEMS, b"key", b"value")?;
        tx.put("fresh", b"key", b"value")?;
        end(tx);
        same("what is there", keys(on.items().scan_prefix(b""))?, "")?;
        let stats = on.storage().stats()?;
        holds("no keyspace was created", !stats.keyspaces.contains_key("fresh"))?;
    }
    Ok(())
}

pub(in super::super) fn a_transaction_may_move_to_another_thread(on: Subject<'_>) -> Verdict {
    let tx = on.storage().begin_with(Isolation::Serializable)?;
    tx.put(ITEMS, b"key", b"here")?;
    thread::scope(|scope| {
        let moved = scope.spawn(move || {
            same("its own write", text(tx.get(ITEMS, b"key")?), "here")?;
            tx.put(ITEMS, b"key", b"there")?;
            Ok(tx.commit(Durability::Buffer)?)
        });
        super::super::joined(moved)
    })?;
    same("the value", value(on.items(), b"key")?, "there")
}

pub(in super::super) fn a_bad_key_is_refused_and_the_rest_stays(on: Subject<'_>) -> Verdict {
    let tx = on.storage().begin()?;
    tx.put(ITEMS, b"good", b"value")?;
    for key in [&[][..], &[7; KEY_BYTES_MAX + 1]] {
        for refused in [
            tx.put(ITEMS, key, b"value"),
            tx.delete(ITEMS, key),
            tx.get(ITEMS, key).map(drop),
            tx.contains(ITEMS, key).map(drop),
        ] {
            fails("a bad key", refused, |error| matches!(error, StorageError::KeyLength { .. }))?;
        }
    }
    let refused = tx.put("No Name", b"key", b"value");
    fails("a bad name", refused, |error| matches!(error, StorageError::KeyspaceName { .. }))?;
    tx.commit(Durability::Buffer)?;
    same("what was committed", keys(on.items().scan_prefix(b""))?, "good")
}

pub(in super::super) fn a_closed_storage_refuses_its_transactions(on: Subject<'_>) -> Verdict {
    let storage = on.storage();
    on.items().put(b"key", b"value")?;
    let tx = storage.begin()?;
    tx.put(ITEMS, b"own", b"value")?;
    let mut scan = tx.scan_prefix(ITEMS, b"")?;
    storage.close()?;
    let next = scan.next().transpose().map(drop);
    holds("a scan has ended after an error", scan.next().is_none())?;
    drop(scan);
    let refusals = [
        next,
        tx.get(ITEMS, b"key").map(drop),
        tx.get(ITEMS, b"own").map(drop),
        tx.contains(ITEMS, b"key").map(drop),
        tx.scan_prefix(ITEMS, b"").map(drop),
        tx.put(ITEMS, b"key", b"value"),
        tx.delete(ITEMS, b"key"),
        storage.begin().map(drop),
        storage.transact(7, |_| Ok(())),
        tx.commit(Durability::Sync),
    ];
    for refusal in refusals {
        fails("a call", refusal, |error| matches!(error, StorageError::Closed { .. }))?;
    }
    Ok(())
}

pub(in super::super) fn transact_runs_again_after_a_conflict(on: Subject<'_>) -> Verdict {
    let mut runs = 0;
    let last = on.storage().transact(2, |tx| {
        runs += 1;
        tx.put(ITEMS, b"key", &[b'0' + runs])?;
        if runs < 3 {
            on.items().put(b"key", b"meanwhile")?;
        }
        Ok::<_, StorageError>(runs)
    })?;
    same("the run that was committed", last, 3)?;
    same("the value", value(on.items(), b"key")?, "3")
}

pub(in super::super) fn transact_gives_up_after_its_retries(on: Subject<'_>) -> Verdict {
    let mut runs = 0;
    let failed: Result<()> =
        on.storage().transact_with(Isolation::Serializable, Durability::Sync, 4, |tx| {
            runs += 1;
            tx.contains(ITEMS, b"key")?;
            tx.put(ITEMS, b"other", b"value")?;
            on.items().put(b"key", b"meanwhile")
        });
    conflicts(failed, "items", b"key")?;
    same("how often it ran", runs, 5)?;
    same("what it would have written", value(on.items(), b"other")?, "-")
}

pub(in super::super) fn transact_does_not_retry_what_its_work_fails_with(
    on: Subject<'_>,
) -> Verdict {
    let mut runs = 0;
    let failed = on.storage().transact(9, |tx| {
        runs += 1;
        tx.put(ITEMS, b"key", b"value")?;
        Err::<(), _>(Failure::new("mine"))
    });
    same(
        "what it failed with",
        failed.err().map(|failure| failure.message().to_owned()),
        Some("mine".to_owned()),
    )?;
    same("how often it ran", runs, 1)?;
    same("what it would have written", value(on.items(), b"key")?, "-")
}

//! Threads that read and write side by side.

use std::collections::BTreeSet;
use std::num::NonZeroU64;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use super::{Failure, Subject, Verdict, holds, joined, same, shown, value};
use crate::{
    AtomicBatch, Direction, Durability, Isolation, KeyRange, KeyValue, PrefixIterator, Result,
    Storage, StorageEngineExt, StorageError, StorageExt, Transaction, WriteBatch,
};

const BATCHES: u32 = 100;
const KEYS_IN_A_BATCH: usize = 40;

/// More than any transaction here needs, and still an end for an engine that is wrong.
const RETRIES: u32 = 100_000;

/// Runs `work` in so many threads, each with its number.
fn in_threads(threads: u8, work: impl Fn(u8) -> Verdict + Sync) -> Verdict {
    thread::scope(|scope| {
        let work = &work;
        let running: Vec<_> = (0..threads).map(|n| scope.spawn(move || work(n))).collect();
        running.into_iter().try_for_each(joined)
    })
}

/// Runs `write` in two threads, and `read` beside them until they are done and once
/// more.
fn beside_writers(
    write: impl Fn() -> Verdict + Sync,
    mut read: impl FnMut() -> Verdict,
) -> Verdict {
    thread::scope(|scope| {
        let writers = [(); 2].map(|()| scope.spawn(&write));
        let mut verdict = Ok(());
        while verdict.is_ok() && !writers.iter().all(thread::ScopedJoinHandle::is_finished) {
            verdict = read();
        }
        writers.into_iter().try_for_each(joined)?;
        verdict.and_then(|()| read())
    })
}

/// Sets the same keys of two keyspaces to one number, ever higher.
fn write_batches(storage: &dyn Storage) -> Verdict {
    for number in 1..=BATCHES {
        let mut batch = AtomicBatch::new();
        for key in 0..KEYS_IN_A_BATCH {
            batch.put("items", format!("{key:02}"), number.to_le_bytes());
            batch.put("users", format!("{key:02}"), number.to_le_bytes());
        }
        storage.commit(batch, Durability::Buffer)?;
    }
    Ok(())
}

/// The one value that all these entries have.
fn one_value(scan: Result<PrefixIterator<'_>>) -> Verdict<Vec<u8>> {
    let entries: Vec<KeyValue> = scan?.collect::<Result<_>>()?;
    same("how many entries a scan has", entries.len(), KEYS_IN_A_BATCH)?;
    let values: BTreeSet<Vec<u8>> = entries.into_iter().map(|(_, value)| value).collect();
    same("the number of batches that a scan shows parts of", values.len(), 1)?;
    Ok(values.into_iter().next().unwrap_or_default())
}

pub(super) fn scans_beside_writers_see_whole_batches(on: Subject<'_>) -> Verdict {
    let storage = on.storage();
    write_batches(storage)?;
    beside_writers(
        || write_batches(storage),
        || {
            one_value(on.items().scan_prefix(b""))?;
            one_value(on.users().scan_range(KeyRange::all(), Direction::Backward)).map(drop)
        },
    )
}

pub(super) fn snapshots_beside_writers_see_whole_batches(on: Subject<'_>) -> Verdict {
    let storage = on.storage();
    write_batches(storage)?;
    beside_writers(
        || write_batches(storage),
        || {
            let snapshot = storage.snapshot()?;
            let users = one_value(snapshot.scan_prefix("users".into(), b""))?;
            let items = one_value(snapshot.scan_prefix("items".into(), b""))?;
            same("the batch in both keyspaces", items, users.clone())?;
            let one = snapshot.get("items".into(), b"07")?;
            same("a single read of the same moment", one, Some(users))
        },
    )
}

pub(super) fn new_keyspaces_do_not_disturb_readers(on: Subject<'_>) -> Verdict {
    let storage = on.storage();
    write_batches(storage)?;
    thread::scope(|scope| {
        let creator = scope.spawn(|| {
            for n in 0..30 {
                storage.keyspace(&format!("extra_{n}"))?.put(b"key", b"value")?;
            }
            Ok(())
        });
        while !creator.is_finished() {
            one_value(on.items().scan_prefix(b""))?;
        }
        joined(creator)
    })?;
    for n in 0..30 {
        let space = storage.keyspace(&format!("extra_{n}"))?;
        same("a new keyspace", shown(space.scan_prefix(b""))?, "key=value")?;
    }
    Ok(())
}

/// With one writer whose numbers only grow, whoever has seen a number sees none that is
/// lower afterwards, whichever key it reads.
pub(super) fn a_read_never_falls_back_behind_another(on: Subject<'_>) -> Verdict {
    let storage = on.storage();
    thread::scope(|scope| {
        let writer = scope.spawn(|| write_batches(storage));
        let mut last = 0;
        loop {
            // Looked at before the reads, so that the last ones see the end.
            let finished = writer.is_finished();
            for (engine, key) in [(on.items(), b"00"), (on.items(), b"39"), (on.users(), b"39")] {
                let bytes = engine.get(key)?.and_then(|value| value.try_into().ok());
                let seen = bytes.map_or(0, u32::from_le_bytes);
                holds("a later read sees nothing older", seen >= last)?;
                last = seen;
            }
            if finished {
                joined(writer)?;
                return same("the last number", last, BATCHES);
            }
        }
    })
}

pub(super) fn a_write_that_returned_is_read_by_every_thread(on: Subject<'_>) -> Verdict {
    for round in 0..20u8 {
        on.items().put(b"key", &[b'a' + round % 26])?;
        let expected = char::from(b'a' + round % 26).to_string();
        in_threads(2, |_| same("the value", value(on.items(), b"key")?, expected.clone()))?;
    }
    Ok(())
}

pub(super) fn threads_that_write_lose_nothing(on: Subject<'_>) -> Verdict {
    in_threads(4, |thread| {
        for n in 0..40u8 {
            on.items().put(&[b'a' + thread, n], &[n])?;
        }
        Ok(())
    })?;
    for thread in 0..4 {
        same("what a thread wrote", on.items().scan_prefix(&[b'a' + thread])?.count(), 40)?;
    }
    Ok(())
}

pub(super) fn threads_that_delete_leave_the_rest(on: Subject<'_>) -> Verdict {
    let mut batch = WriteBatch::new();
    for n in 0..100u8 {
        batch.put([n], "value");
    }
    on.items().write_batch(batch)?;
    in_threads(4, |thread| {
        (0..100u8).filter(|n| n % 5 == thread).try_for_each(|n| Ok(on.items().delete(&[n])?))
    })?;
    let mut left = on.items().scan_prefix(b"")?;
    left.try_for_each(|entry| {
        let fifth = entry?.0.first().is_some_and(|byte| byte % 5 == 4);
        holds("what nobody deleted is left", fifth)
    })?;
    same("how many keys are left", on.items().scan_prefix(b"")?.count(), 20)
}

pub(super) fn threads_lose_no_count(on: Subject<'_>) -> Verdict {
    in_threads(4, |thread| {
        for _ in 0..50 {
            on.items().fetch_and_add_u64(b"views", u64::from(thread))?;
        }
        Ok(())
    })?;
    same("the sum", on.items().fetch_and_add_u64(b"views", 0)?, 50 * (1 + 2 + 3))
}

/// Every way to count, side by side, on the same key.
pub(super) fn counters_and_transactions_lose_no_count(on: Subject<'_>) -> Verdict {
    let number = |value: Option<&[u8]>| {
        value.and_then(|value| value.try_into().ok()).map_or(0, u64::from_le_bytes)
    };
    in_threads(3, |thread| {
        for round in 0..30u64 {
            match (u64::from(thread) + round) % 3 {
                0 => on.items().fetch_and_add_u64(b"key", 1).map(drop)?,
                1 => {
                    let add =
                        |value: Option<&[u8]>| Some((number(value) + 1).to_le_bytes().to_vec());
                    on.items().fetch_update(b"key", add).map(drop)?;
                }
                _ => on.storage().transact(RETRIES, |tx| {
                    let count = number(tx.get("items", b"key")?.as_deref()) + 1;
                    tx.put("items", b"key", &count.to_le_bytes())
                })?,
            }
        }
        Ok(())
    })?;
    same("the count", on.items().fetch_and_add_u64(b"key", 0)?, 90)
}

pub(super) fn threads_lose_no_float(on: Subject<'_>) -> Verdict {
    in_threads(4, |_| {
        for _ in 0..50 {
            on.items().compare_and_swap_f32(b"score", |score| score + 1.0)?;
        }
        Ok(())
    })?;
    same("the sum", on.items().compare_and_swap_f32(b"score", |score| score)?, 200.0)
}

pub(super) fn threads_and_handles_share_no_id(on: Subject<'_>) -> Verdict {
    let shared = on.storage().sequence_with("orders", NonZeroU64::MIN.saturating_add(22))?;
    let given = thread::scope(|scope| {
        let threads: Vec<_> = (1..=4u64)
            .map(|n| {
                let (shared, storage) = (&shared, on.storage());
                scope.spawn(move || -> Verdict<Vec<u64>> {
                    let block = NonZeroU64::MIN.saturating_add(n * 13);
                    let own = storage.sequence_with("orders", block)?;
                    let ids = (0..200).map(|n| if n % 2 == 0 { own.next() } else { shared.next() });
                    Ok(ids.collect::<Result<_>>()?)
                })
            })
            .collect();
        threads.into_iter().map(joined).collect::<Verdict<Vec<Vec<u64>>>>()
    })?;
    let given = given.concat();
    same("how many ids are different", given.iter().collect::<BTreeSet<_>>().len(), given.len())
}

fn balance(value: Option<Vec<u8>>) -> i64 {
    value.and_then(|value| value.try_into().ok()).map_or(0, i64::from_le_bytes)
}

/// Threads move money between accounts in two keyspaces: readers see the sum unchanged
/// at any time.
pub(super) fn transfers_keep_the_sum(on: Subject<'_>) -> Verdict {
    const ACCOUNTS: u8 = 6;
    let space = |account: u8| if account.is_multiple_of(2) { "items" } else { "users" };
    let sum_of = |tx: &Transaction<'_>| -> Result<i64> {
        (0..ACCOUNTS).map(|account| tx.get(space(account), &[account]).map(balance)).sum()
    };
    let transfer = |tx: &Transaction<'_>, n: u8| -> Result<()> {
        for (account, amount) in [(n % ACCOUNTS, -1), ((n / 2 + 1) % ACCOUNTS, 1)] {
            let now = balance(tx.get(space(account), &[account])?);
            tx.put(space(account), &[account], &(now + amount).to_le_bytes())?;
        }
        Ok(())
    };
    beside_writers(
        || {
            (0..50u8).try_for_each(|n| {
                let isolation =
                    if n % 2 == 0 { Isolation::Snapshot } else { Isolation::Serializable };
                let work = |tx: &Transaction<'_>| transfer(tx, n);
                Ok(on.storage().transact_with(isolation, Durability::Buffer, RETRIES, work)?)
            })
        },
        || same("the sum", sum_of(&on.storage().begin()?)?, 0),
    )
}

/// Whoever is in the middle of something when the storage is closed is told so.
pub(super) fn closing_beside_readers_and_writers_tells_them(on: Subject<'_>) -> Verdict {
    let (storage, items) = (on.storage(), on.items());
    let is_closed = AtomicBool::new(false);
    let until_closed = |call: &dyn Fn() -> Result<()>| loop {
        let was_closed = is_closed.load(Ordering::Acquire);
        match call() {
            Ok(()) => holds("a call after closing fails", !was_closed)?,
            Err(StorageError::Closed { .. }) => return Ok(()),
            Err(error) => return Err(Failure::from(error)),
        }
    };
    thread::scope(|scope| {
        let threads = [
            scope.spawn(|| until_closed(&|| items.put(b"key", b"value"))),
            scope.spawn(|| until_closed(&|| storage.snapshot().map(drop))),
        ];
        let closed = storage.close();
        is_closed.store(true, Ordering::Release);
        closed?;
        threads.into_iter().try_for_each(joined)
    })
}

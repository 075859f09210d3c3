//! Ids that are never given twice.

use std::num::NonZeroU64;

use super::{Subject, Verdict, fails, same};
use crate::{KEY_BYTES_MAX, Result, Sequence, StorageError, StorageExt};

fn open(on: &Subject<'_>, block_ids: u64) -> Result<Sequence> {
    let block_ids = NonZeroU64::new(block_ids).unwrap_or(NonZeroU64::MIN);
    on.storage().sequence_with("orders", block_ids)
}

fn take(sequence: &Sequence, ids: usize) -> Result<Vec<u64>> {
    (0..ids).map(|_| sequence.next()).collect()
}

pub(in super::super) fn ids_begin_at_1_and_ascend(on: Subject<'_>) -> Verdict {
    let ids = take(&on.storage().sequence("orders")?, 2_500)?;
    same("the ids", ids, (1..=2_500).collect::<Vec<u64>>())
}

pub(in super::super) fn sequences_do_not_share_ids(on: Subject<'_>) -> Verdict {
    let (orders, users) = (on.storage().sequence("orders")?, on.storage().sequence("users")?);
    same("orders", take(&orders, 2)?, [1, 2])?;
    same("users", take(&users, 3)?, [1, 2, 3])?;
    same("orders", take(&orders, 1)?, [3])
}

pub(in super::super) fn handles_take_turns_by_blocks(on: Subject<'_>) -> Verdict {
    let (first, second) = (open(&on, 3)?, open(&on, 2)?);
    same("the first", take(&first, 2)?, [1, 2])?;
    same("the second", take(&second, 3)?, [4, 5, 6])?;
    same("the first again", take(&first, 3)?, [3, 8, 9])?;
    same("a third", take(&open(&on, 1)?, 2)?, [11, 12])
}

pub(in super::super) fn the_last_id_is_the_highest_number(on: Subject<'_>) -> Verdict {
    let nearly_full = [&[1][..], &(u64::MAX - 3).to_le_bytes()].concat();
    on.storage().keyspace("tidal_sequences")?.put(b"orders", &nearly_full)?;
    let orders = open(&on, 2)?;
    same("the last ids", take(&orders, 3)?, [u64::MAX - 2, u64::MAX - 1, u64::MAX])?;
    fails(
        "an id behind the last",
        orders.next(),
        |error| matches!(error, StorageError::Overflow { key, .. } if key == b"orders"),
    )
}

pub(in super::super) fn names_of_sequences_are_keys(on: Subject<'_>) -> Verdict {
    let longest = "x".repeat(KEY_BYTES_MAX);
    for name in ["Orders of 2026", "ä", &longest] {
        same(name, on.storage().sequence(name)?.next()?, 1)?;
    }
    for name in ["", &(longest.clone() + "x")] {
        let refused = on.storage().sequence(name);
        fails("a bad name", refused, |error| matches!(error, StorageError::KeyLength { .. }))?;
    }
    Ok(())
}

pub(in super::super) fn a_handle_of_a_closed_storage_reserves_nothing(on: Subject<'_>) -> Verdict {
    let orders = open(&on, 2)?;
    same("the first id", orders.next()?, 1)?;
    on.storage().close()?;
    same("what was reserved", orders.next()?, 2)?;
    fails("the next block", orders.next(), |error| matches!(error, StorageError::Closed { .. }))
}

//! Savepoints.

use tidal_types::EntityKind;

use super::{Subject, Verdict, fails, keys, same, value};
use crate::{Durability, StorageError};

const ITEMS: EntityKind = EntityKind::Item;

pub(in super::super) fn a_savepoint_takes_back_what_follows(on: Subject<'_>) -> Verdict {
    on.items().put(b"deleted", b"before")?;
    let tx = on.storage().begin()?;
    tx.put(ITEMS, b"a", b"1")?;
    let savepoint = tx.savepoint();
    tx.put(ITEMS, b"a", b"2")?;
    tx.put(ITEMS, b"b", b"2")?;
    tx.delete(ITEMS, b"deleted")?;
    tx.rollback_to(&savepoint)?;
    tx.commit(Durability::Buffer)?;
    same("a", value(on.items(), b"a")?, "1")?;
    same("the keys", keys(on.items().scan_prefix(b""))?, "a deleted")
}

pub(in super::super) fn a_savepoint_can_be_used_again(on: Subject<'_>) -> Verdict {
    let tx = on.storage().begin()?;
    let savepoint = tx.savepoint();
    for key in [b"a", b"b", b"c"] {
        tx.put(ITEMS, key, b"1")?;
        tx.rollback_to(&savepoint)?;
        same("what is left", keys(tx.scan_prefix(ITEMS, b""))?, "")?;
    }
    Ok(())
}

pub(in super::super) fn savepoints_nest(on: Subject<'_>) -> Verdict {
    let tx = on.storage().begin()?;
    let put = |key: &[u8]| tx.put(ITEMS, key, b"1");
    let own = || keys(tx.scan_prefix(ITEMS, b""));
    put(b"a")?;
    let outer = tx.savepoint();
    put(b"b")?;
    tx.delete(ITEMS, b"a")?;
    let middle = tx.savepoint();
    put(b"c")?;
    let inner = tx.savepoint();
    put(b"d")?;
    tx.rollback_to(&inner)?;
    same("after the inner", own()?, "b c")?;
    put(b"e")?;
    tx.rollback_to(&middle)?;
    same("after the middle", own()?, "b")?;
    put(b"f")?;
    tx.rollback_to(&outer)?;
    same("after the outer", own()?, "a")?;
    put(b"g")?;
    tx.commit(Durability::Sync)?;
    same("what was committed", keys(on.items().scan_prefix(b""))?, "a g")
}

pub(in super::super) fn releasing_keeps_what_was_written(on: Subject<'_>) -> Verdict {
    let tx = on.storage().begin()?;
    let outer = tx.savepoint();
    tx.put(ITEMS, b"a", b"1")?;
    let inner = tx.savepoint();
    tx.put(ITEMS, b"b", b"1")?;
    tx.release(inner)?;
    same("after releasing", keys(tx.scan_prefix(ITEMS, b""))?, "a b")?;
    tx.rollback_to(&outer)?;
    same("after the outer one", keys(tx.scan_prefix(ITEMS, b""))?, "")
}

pub(in super::super) fn a_savepoint_that_is_gone_is_refused(on: Subject<'_>) -> Verdict {
    let tx = on.storage().begin()?;
    let outer = tx.savepoint();
    let inner = tx.savepoint();
    tx.rollback_to(&outer)?;
    for refused in [tx.rollback_to(&inner), tx.release(inner)] {
        fails("a savepoint", refused, |error| matches!(error, StorageError::NoSavepoint))?;
    }
    Ok(())
}

pub(in super::super) fn a_savepoint_of_another_transaction_is_refused(on: Subject<'_>) -> Verdict {
    let (tx, other) = (on.storage().begin()?, on.storage().begin()?);
    tx.put(ITEMS, b"key", b"value")?;
    let refused = tx.rollback_to(&other.savepoint());
    fails("a savepoint", refused, |error| matches!(error, StorageError::NoSavepoint))?;
    same("what it wrote", keys(tx.scan_prefix(ITEMS, b""))?, "key")
}

pub(in super::super) fn what_was_rolled_back_does_not_conflict(on: Subject<'_>) -> Verdict {
    let tx = on.storage().begin()?;
    let savepoint = tx.savepoint();
    tx.put(ITEMS, b"key", b"mine")?;
    tx.rollback_to(&savepoint)?;
    tx.put(ITEMS, b"other", b"mine")?;
    on.items().put(b"key", b"theirs")?;
    tx.commit(Durability::Buffer)?;
    same("the key", value(on.items(), b"key")?, "theirs")
}

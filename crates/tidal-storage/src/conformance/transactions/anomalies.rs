//! What transactions are protected from: a case for each row of the table of
//! [`Isolation`].

use std::thread;

use tidal_types::EntityKind;

use super::super::joined;
use super::{Subject, Verdict, conflicts, keys, same, text, value};
use crate::{Durability, Isolation, Result, Transaction};

const ITEMS: EntityKind = EntityKind::Item;
const BOTH: [Isolation; 2] = [Isolation::Snapshot, Isolation::Serializable];

fn set(on: &Subject<'_>, key: &[u8], value: &str) -> Result<()> {
    on.items().put(key, value.as_bytes())
}

fn read(tx: &Transaction<'_>, key: &[u8]) -> Result<String> {
    tx.get(ITEMS, key).map(text)
}

fn write(tx: &Transaction<'_>, key: &[u8], value: &str) -> Result<()> {
    tx.put(ITEMS, key, value.as_bytes())
}

fn commit(tx: Transaction<'_>) -> Result<()> {
    tx.commit(Durability::Buffer)
}

pub(in super::super) fn dirty_write(on: Subject<'_>) -> Verdict {
    for isolation in BOTH {
        let first = on.storage().begin_with(isolation)?;
        let second = on.storage().begin_with(isolation)?;
        for (tx, name) in [(&first, "1"), (&second, "2")] {
            write(tx, b"x", name)?;
            write(tx, b"y", name)?;
        }
        commit(first)?;
        conflicts(commit(second), "items", b"x")?;
        same("x and y", value(on.items(), b"x")? + &value(on.items(), b"y")?, "11")?;
    }
    Ok(())
}

pub(in super::super) fn dirty_read(on: Subject<'_>) -> Verdict {
    for isolation in BOTH {
        set(&on, b"x", "old")?;
        let writer = on.storage().begin_with(isolation)?;
        write(&writer, b"x", "new")?;
        let reader = on.storage().begin_with(isolation)?;
        same("while it is open", read(&reader, b"x")?, "old")?;
        writer.rollback();
        same("once it is rolled back", read(&reader, b"x")?, "old")?;
        commit(reader)?;
    }
    Ok(())
}

pub(in super::super) fn intermediate_read(on: Subject<'_>) -> Verdict {
    for isolation in BOTH {
        set(&on, b"x", "before")?;
        let writer = on.storage().begin_with(isolation)?;
        write(&writer, b"x", "intermediate")?;
        same("a reader", read(&on.storage().begin_with(isolation)?, b"x")?, "before")?;
        write(&writer, b"x", "final")?;
        commit(writer)?;
        same("a later reader", read(&on.storage().begin_with(isolation)?, b"x")?, "final")?;
    }
    Ok(())
}

/// Commits of two keys side by side with readers: each reader finds both halves of one
/// commit, in two keyspaces.
pub(in super::super) fn torn_read(on: Subject<'_>) -> Verdict {
    let storage = on.storage();
    for isolation in BOTH {
        thread::scope(|scope| {
            let writer = scope.spawn(move || {
                for number in 0..100u32 {
                    let tx = storage.begin_with(isolation)?;
                    tx.put("items", b"x", &number.to_le_bytes())?;
                    tx.put("users", b"x", &number.to_le_bytes())?;
                    commit(tx)?;
                }
                Ok(())
            });
            while !writer.is_finished() {
                let tx = storage.begin_with(isolation)?;
                same("both halves", tx.get("items", b"x")?, tx.get("users", b"x")?)?;
            }
            joined(writer)
        })?;
    }
    Ok(())
}

pub(in super::super) fn non_repeatable_read(on: Subject<'_>) -> Verdict {
    for isolation in BOTH {
        set(&on, b"x", "old")?;
        let reader = on.storage().begin_with(isolation)?;
        same("first", read(&reader, b"x")?, "old")?;
        set(&on, b"x", "newer")?;
        let writer = on.storage().begin_with(isolation)?;
        write(&writer, b"x", "newest")?;
        commit(writer)?;
        same("again", read(&reader, b"x")?, "old")?;
        // Whoever only reads has read one moment, and conflicts with nobody.
        commit(reader)?;
    }
    Ok(())
}

pub(in super::super) fn phantom(on: Subject<'_>) -> Verdict {
    for isolation in BOTH {
        for key in [b"a1", b"a2", b"a3"] {
            set(&on, key, "there")?;
        }
        on.items().delete(b"a4")?;
        let reader = on.storage().begin_with(isolation)?;
        same("first", keys(reader.scan_prefix(ITEMS, b"a"))?, "a1 a2 a3")?;
        set(&on, b"a4", "phantom")?;
        on.items().delete(b"a2")?;
        same("again", keys(reader.scan_prefix(ITEMS, b"a"))?, "a1 a2 a3")?;
        commit(reader)?;
    }
    Ok(())
}

pub(in super::super) fn read_skew(on: Subject<'_>) -> Verdict {
    for isolation in BOTH {
        set(&on, b"x", "50")?;
        set(&on, b"y", "50")?;
        let reader = on.storage().begin_with(isolation)?;
        same("x", read(&reader, b"x")?, "50")?;
        let writer = on.storage().begin_with(isolation)?;
        write(&writer, b"x", "25")?;
        write(&writer, b"y", "75")?;
        commit(writer)?;
        same("y of the same moment", read(&reader, b"y")?, "50")?;
    }
    Ok(())
}

pub(in super::super) fn circular_information(on: Subject<'_>) -> Verdict {
    for isolation in BOTH {
        set(&on, b"x", "0")?;
        set(&on, b"y", "0")?;
        let first = on.storage().begin_with(isolation)?;
        let second = on.storage().begin_with(isolation)?;
        write(&first, b"x", "1")?;
        write(&second, b"y", "2")?;
        same("what they read", read(&first, b"y")? + &read(&second, b"x")?, "00")?;
        commit(first)?;
        // Two that read each other's old values cannot both be serialized.
        let both = isolation == Isolation::Snapshot;
        same("whether both commit", commit(second).is_ok(), both)?;
    }
    Ok(())
}

pub(in super::super) fn lost_update(on: Subject<'_>) -> Verdict {
    for isolation in BOTH {
        set(&on, b"x", "1")?;
        let first = on.storage().begin_with(isolation)?;
        let second = on.storage().begin_with(isolation)?;
        for tx in [&first, &second] {
            let longer = read(tx, b"x")? + "1";
            write(tx, b"x", &longer)?;
        }
        commit(second)?;
        conflicts(commit(first), "items", b"x")?;
        same("x", value(on.items(), b"x")?, "11")?;
    }
    Ok(())
}

/// At least one of two doctors has to be on call.
pub(in super::super) fn write_skew(on: Subject<'_>) -> Verdict {
    for isolation in BOTH {
        set(&on, b"alice", "on")?;
        set(&on, b"bob", "on")?;
        let first = on.storage().begin_with(isolation)?;
        let second = on.storage().begin_with(isolation)?;
        for (tx, own, other) in
            [(&first, b"alice".as_slice(), b"bob".as_slice()), (&second, b"bob", b"alice")]
        {
            same("the other", read(tx, other)?, "on")?;
            write(tx, own, "off")?;
        }
        commit(first)?;
        let bob = match isolation {
            Isolation::Snapshot => commit(second).map(|()| "off")?,
            Isolation::Serializable => {
                conflicts(commit(second), "items", b"alice").map(|()| "on")?
            }
        };
        same("bob", value(on.items(), b"bob")?, bob)?;
    }
    Ok(())
}

/// Two count what is booked and each books the last seat, under its own key.
pub(in super::super) fn phantom_write_skew(on: Subject<'_>) -> Verdict {
    for isolation in BOTH {
        on.items().delete(b"seat/1")?;
        on.items().delete(b"seat/2")?;
        let first = on.storage().begin_with(isolation)?;
        let second = on.storage().begin_with(isolation)?;
        for (tx, key) in [(&first, b"seat/1"), (&second, b"seat/2")] {
            same("what is booked", keys(tx.scan_prefix(ITEMS, b"seat/"))?, "")?;
            write(tx, key, "booked")?;
        }
        commit(second)?;
        let booked = match isolation {
            Isolation::Snapshot => commit(first).map(|()| "seat/1 seat/2")?,
            Isolation::Serializable => {
                conflicts(commit(first), "items", b"seat/2").map(|()| "seat/2")?
            }
        };
        same("what is booked", keys(on.items().scan_prefix(b"seat/"))?, booked)?;
    }
    Ok(())
}

/// A withdrawal that is charged a fee unless a deposit came first, the deposit, and a
/// report between their commits: the report has the deposit without the withdrawal, and
/// yet the fee was charged.
pub(in super::super) fn read_only_anomaly(on: Subject<'_>) -> Verdict {
    for isolation in BOTH {
        set(&on, b"checking", "0")?;
        set(&on, b"savings", "0")?;
        let withdrawal = on.storage().begin_with(isolation)?;
        let seen = read(&withdrawal, b"checking")? + &read(&withdrawal, b"savings")?;
        same("the accounts", seen, "00")?;
        let deposit = on.storage().begin_with(isolation)?;
        same("the savings", read(&deposit, b"savings")?, "0")?;
        write(&deposit, b"savings", "20")?;
        commit(deposit)?;
        let report = on.storage().begin_with(isolation)?;
        same("the report", read(&report, b"checking")? + &read(&report, b"savings")?, "020")?;
        commit(report)?;
        write(&withdrawal, b"checking", "-11")?;
        match isolation {
            Isolation::Snapshot => commit(withdrawal)?,
            Isolation::Serializable => conflicts(commit(withdrawal), "items", b"savings")?,
        }
    }
    Ok(())
}

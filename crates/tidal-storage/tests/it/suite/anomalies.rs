//! What transactions are protected from: a case for each row of the table of
//! [`Isolation`](tidal_storage::Isolation). "G40" in `docs/guarantees.md`.

use std::collections::BTreeSet;
use std::thread;

use tidal_storage::{Durability, Isolation, Result, StorageError, Transaction};
use tidal_types::{EntityKind, ErrorKind};

use super::{Fixture, keys};

const ITEMS: EntityKind = EntityKind::Item;
const BOTH: [Isolation; 2] = [Isolation::Snapshot, Isolation::Serializable];

/// Writes outside of transactions.
fn set(fixture: &Fixture, key: &[u8], value: &str) {
    fixture.items().put(key, value.as_bytes()).unwrap();
}

/// What is there now.
fn now(fixture: &Fixture, key: &[u8]) -> String {
    text(fixture.items().get(key).unwrap())
}

fn read(tx: &Transaction<'_>, key: &[u8]) -> String {
    text(tx.get(ITEMS, key).unwrap())
}

fn text(value: Option<Vec<u8>>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| String::from_utf8(value).unwrap())
}

fn write(tx: &Transaction<'_>, key: &[u8], value: &str) {
    tx.put(ITEMS, key, value.as_bytes()).unwrap();
}

fn begin(fixture: &Fixture, isolation: Isolation) -> Transaction<'_> {
    fixture.storage().begin_with(isolation).unwrap()
}

fn commit(tx: Transaction<'_>) -> Result<()> {
    tx.commit(Durability::Buffer)
}

fn assert_conflict(result: Result<()>, key: &[u8]) {
    let error = result.unwrap_err();
    let told = matches!(
        &error,
        StorageError::Conflict { keyspace, key: named } if keyspace == "items" && named == key
    );
    assert!(told, "{error}");
    assert_eq!(error.kind(), ErrorKind::Retry);
}

pub(crate) fn dirty_write(fixture: Fixture) {
    for isolation in BOTH {
        let (first, second) = (begin(&fixture, isolation), begin(&fixture, isolation));
        for (tx, name) in [(&first, "1"), (&second, "2")] {
            write(tx, b"x", name);
            write(tx, b"y", name);
        }
        commit(first).unwrap();
        assert_conflict(commit(second), b"x");
        assert_eq!(now(&fixture, b"x") + &now(&fixture, b"y"), "11");
    }
}

pub(crate) fn dirty_read(fixture: Fixture) {
    for isolation in BOTH {
        set(&fixture, b"x", "old");
        let writer = begin(&fixture, isolation);
        write(&writer, b"x", "new");
        let reader = begin(&fixture, isolation);
        assert_eq!(read(&reader, b"x"), "old");
        assert_eq!(now(&fixture, b"x"), "old");
        writer.rollback();
        assert_eq!(read(&reader, b"x"), "old");
        assert_eq!(read(&begin(&fixture, isolation), b"x"), "old");
        commit(reader).unwrap();
    }
}

pub(crate) fn intermediate_read(fixture: Fixture) {
    for isolation in BOTH {
        set(&fixture, b"x", "before");
        let writer = begin(&fixture, isolation);
        write(&writer, b"x", "intermediate");
        assert_eq!(read(&begin(&fixture, isolation), b"x"), "before");
        write(&writer, b"x", "final");
        assert_eq!(now(&fixture, b"x"), "before");
        commit(writer).unwrap();
        assert_eq!(read(&begin(&fixture, isolation), b"x"), "final");
    }
}

/// Commits of two keys side by side with readers: each reader finds both halves
/// of one commit, in two keyspaces.
pub(crate) fn torn_read(fixture: Fixture) {
    let storage = fixture.storage();
    for isolation in BOTH {
        thread::scope(|scope| {
            let writer = scope.spawn(|| {
                for number in 0..300u32 {
                    let tx = storage.begin_with(isolation).unwrap();
                    tx.put(EntityKind::Item, b"x", &number.to_le_bytes()).unwrap();
                    tx.put(EntityKind::User, b"x", &number.to_le_bytes()).unwrap();
                    commit(tx).unwrap();
                }
            });
            while !writer.is_finished() {
                let tx = storage.begin_with(isolation).unwrap();
                let item = tx.get(EntityKind::Item, b"x").unwrap();
                assert_eq!(item, tx.get(EntityKind::User, b"x").unwrap());
            }
        });
    }
}

pub(crate) fn non_repeatable_read(fixture: Fixture) {
    for isolation in BOTH {
        set(&fixture, b"x", "old");
        let reader = begin(&fixture, isolation);
        assert_eq!(read(&reader, b"x"), "old");
        set(&fixture, b"x", "newer");
        let writer = begin(&fixture, isolation);
        write(&writer, b"x", "newest");
        commit(writer).unwrap();
        assert_eq!(read(&reader, b"x"), "old");
        // Whoever only reads has read one moment, and conflicts with nobody.
        commit(reader).unwrap();
    }
}

pub(crate) fn phantom(fixture: Fixture) {
    for isolation in BOTH {
        for key in [&b"a1"[..], b"a2", b"a3"] {
            set(&fixture, key, "there");
        }
        fixture.items().delete(b"a4").unwrap();
        let reader = begin(&fixture, isolation);
        let first = keys(reader.scan_prefix(ITEMS, b"a"));
        assert_eq!(first, [b"a1", b"a2", b"a3"]);
        set(&fixture, b"a4", "phantom");
        fixture.items().delete(b"a2").unwrap();
        assert_eq!(keys(reader.scan_prefix(ITEMS, b"a")), first);
        commit(reader).unwrap();
    }
}

pub(crate) fn read_skew(fixture: Fixture) {
    for isolation in BOTH {
        set(&fixture, b"x", "50");
        set(&fixture, b"y", "50");
        let reader = begin(&fixture, isolation);
        assert_eq!(read(&reader, b"x"), "50");
        let writer = begin(&fixture, isolation);
        write(&writer, b"x", "25");
        write(&writer, b"y", "75");
        commit(writer).unwrap();
        assert_eq!(read(&reader, b"y"), "50");
    }
}

pub(crate) fn circular_information(fixture: Fixture) {
    for isolation in BOTH {
        set(&fixture, b"x", "0");
        set(&fixture, b"y", "0");
        let (first, second) = (begin(&fixture, isolation), begin(&fixture, isolation));
        write(&first, b"x", "1");
        write(&second, b"y", "2");
        assert_eq!(read(&first, b"y") + &read(&second, b"x"), "00");
        commit(first).unwrap();
        assert_eq!(read(&second, b"x"), "0");
        // Two that read each other's old values cannot both be serialized.
        assert_eq!(commit(second).is_ok(), isolation == Isolation::Snapshot);
    }
}

pub(crate) fn lost_update(fixture: Fixture) {
    for isolation in BOTH {
        set(&fixture, b"x", "10");
        let (first, second) = (begin(&fixture, isolation), begin(&fixture, isolation));
        for tx in [&first, &second] {
            let number: u32 = read(tx, b"x").parse().unwrap();
            write(tx, b"x", &(number + 1).to_string());
        }
        commit(second).unwrap();
        assert_conflict(commit(first), b"x");
        assert_eq!(now(&fixture, b"x"), "11");
    }
}

/// At least one of two doctors has to be on call.
pub(crate) fn write_skew(fixture: Fixture) {
    for isolation in BOTH {
        set(&fixture, b"alice", "on call");
        set(&fixture, b"bob", "on call");
        let (first, second) = (begin(&fixture, isolation), begin(&fixture, isolation));
        for (tx, own, other) in
            [(&first, b"alice".as_slice(), b"bob".as_slice()), (&second, b"bob", b"alice")]
        {
            assert_eq!(read(tx, other), "on call");
            write(tx, own, "off");
        }
        commit(first).unwrap();
        match isolation {
            Isolation::Snapshot => {
                commit(second).unwrap();
                assert_eq!(now(&fixture, b"alice") + &now(&fixture, b"bob"), "offoff");
            }
            Isolation::Serializable => {
                assert_conflict(commit(second), b"alice");
                assert_eq!(now(&fixture, b"bob"), "on call");
            }
        }
    }
}

/// Two count what is booked and each books the last seat, under its own key.
pub(crate) fn phantom_write_skew(fixture: Fixture) {
    for isolation in BOTH {
        for key in keys(fixture.items().scan_prefix(b"")) {
            fixture.items().delete(&key).unwrap();
        }
        let (first, second) = (begin(&fixture, isolation), begin(&fixture, isolation));
        for (tx, key) in [(&first, b"seat/1"), (&second, b"seat/2")] {
            assert_eq!(tx.scan_prefix(ITEMS, b"seat/").unwrap().count(), 0);
            write(tx, key, "booked");
        }
        commit(second).unwrap();
        let booked = match isolation {
            Isolation::Snapshot => {
                commit(first).unwrap();
                2
            }
            Isolation::Serializable => {
                assert_conflict(commit(first), b"seat/2");
                1
            }
        };
        assert_eq!(keys(fixture.items().scan_prefix(b"seat/")).len(), booked);
    }
}

/// A withdrawal that is charged a fee unless a deposit came first, the deposit,
/// and a report between their commits: the report has the deposit without the
/// withdrawal, and yet the fee was charged.
pub(crate) fn read_only_anomaly(fixture: Fixture) {
    for isolation in BOTH {
        set(&fixture, b"checking", "0");
        set(&fixture, b"savings", "0");
        let withdrawal = begin(&fixture, isolation);
        let seen = [read(&withdrawal, b"checking"), read(&withdrawal, b"savings")];
        assert_eq!(seen, ["0", "0"]);
        let deposit = begin(&fixture, isolation);
        assert_eq!(read(&deposit, b"savings"), "0");
        write(&deposit, b"savings", "20");
        commit(deposit).unwrap();
        let report = begin(&fixture, isolation);
        assert_eq!([read(&report, b"checking"), read(&report, b"savings")], ["0", "20"]);
        commit(report).unwrap();
        write(&withdrawal, b"checking", "-11");
        match isolation {
            Isolation::Snapshot => commit(withdrawal).unwrap(),
            Isolation::Serializable => assert_conflict(commit(withdrawal), b"savings"),
        }
    }
}

/// Every row of the table has a case of its name, and the other way round.
pub(crate) fn the_table_names_these_cases(_fixture: Fixture) {
    let source = include_str!("../../../src/transaction/isolation.rs");
    let rows = source.lines().filter_map(|line| line.strip_prefix("/// | "));
    let rows = rows.filter(|row| row.contains("prevented"));
    let named: BTreeSet<String> =
        rows.map(|row| row.split(" |").next().unwrap().trim().replace([' ', '-'], "_")).collect();
    let cases = include_str!("anomalies.rs").lines().filter_map(|line| {
        line.strip_prefix("pub(crate) fn ")?.strip_suffix("(fixture: Fixture) {")
    });
    assert_eq!(named, cases.map(str::to_owned).collect());
}

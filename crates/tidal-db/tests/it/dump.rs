//! Showing the log of a database, damaged or not, without changing anything.

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use tidal_db::{
    DumpReport, EntityKind, Event, Meaning, Producer, ProducerId, Seq, TidalError, WalError, dump,
    inspect_log, verify,
};

use crate::fixture::{NOW, id, open};

/// A database with a record of each kind.
fn fed() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let db = open(dir.path());
    let item = db.entity_id(EntityKind::Item, "85123A").unwrap();
    let user = db.entity_id(EntityKind::User, "anna").unwrap();
    db.write_item(item, "a title").unwrap();
    let producer = Producer { id: ProducerId::from_bytes([1; 16]), epoch: 2, seq: 3 };
    let event = Event::new("view", item, 2.5, NOW).by(user).from_producer(producer);
    db.signals(&[event]).unwrap();
    db.delete_item(item).unwrap();
    db.shutdown().unwrap();
    dir
}

fn dumped(dir: &Path, from: u64) -> (Vec<(u64, Meaning)>, DumpReport) {
    let mut records = Vec::new();
    let report = dump(dir, Seq::new(from), &mut |record| {
        records.push((record.seq.get(), record.meaning.clone()));
        ControlFlow::Continue(())
    });
    (records, report.unwrap())
}

fn snapshot(dir: &Path) -> Vec<(PathBuf, Vec<u8>, SystemTime)> {
    let mut files = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let modified = fs::metadata(&path).unwrap().modified().unwrap();
        let bytes = if path.is_dir() {
            files.extend(snapshot(&path));
            Vec::new()
        } else {
            fs::read(&path).unwrap()
        };
        files.push((path, bytes, modified));
    }
    files.sort();
    files
}

/// G19: looking changes no byte and no time of any file.
#[test]
fn records_are_shown_with_what_they_mean() {
    let dir = fed();
    let before = snapshot(dir.path());
    let (records, report) = dumped(dir.path(), 4);
    assert_eq!((report.records, report.problem), (3, None));
    let name = Some(b"85123A".to_vec());
    assert_eq!(records[0].0, 4);
    let written =
        Meaning::WriteItem { id: id(1), name: name.clone(), metadata: b"a title".to_vec() };
    assert_eq!(records[0].1, written);
    match &records[1].1 {
        Meaning::Event { declared, entity, name: found, weight, timestamp, actor_name, .. } => {
            assert_eq!(declared, &Some(("view".to_owned(), EntityKind::Item)));
            assert_eq!((entity, found, timestamp), (&id(1), &name, &NOW));
            assert_eq!(weight.to_bits(), 2.5_f64.to_bits());
            assert_eq!(actor_name.as_deref(), Some(b"anna".as_slice()));
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(records[2].1, Meaning::DeleteItem { id: id(1), name });
    let (all, _) = dumped(dir.path(), 0);
    assert!(matches!(&all[0].1, Meaning::Schema(schema) if schema.signal_count() == 3));
    let assigned =
        Meaning::AssignName { kind: EntityKind::User, id: id(1), name: b"anna".to_vec() };
    assert_eq!(all[2].1, assigned);

    // As a log alone, it says no more than it knows.
    let (alone, _) = dumped(&dir.path().join("log"), 6);
    assert!(matches!(&alone[0].1, Meaning::Opaque { kind: 4, problem: None, .. }), "{alone:?}");

    let stat = inspect_log(dir.path()).unwrap();
    assert_eq!(stat, inspect_log(dir.path().join("log")).unwrap());
    assert_eq!(stat.head, verify(dir.path()).unwrap().head);
    assert_eq!(snapshot(dir.path()), before);
}

#[test]
fn a_damaged_log_is_shown_up_to_the_damage() {
    let dir = fed();
    let path = inspect_log(dir.path()).unwrap().segments[0].path.clone();
    let mut bytes = fs::read(&path).unwrap();
    // The groups of the first three records are whole blocks.
    bytes[4096 + 3 * 512 + 90] ^= 1;
    fs::write(&path, bytes).unwrap();
    let before = snapshot(dir.path());
    let (records, report) = dumped(dir.path(), 0);
    assert_eq!(records.len(), 3);
    let problem = report.problem.unwrap();
    assert_eq!((problem.path, problem.offset), (path, 4096 + 3 * 512));
    assert!(inspect_log(dir.path()).unwrap().problem.is_some());
    assert_eq!(snapshot(dir.path()), before);
}

#[test]
fn there_must_be_a_log_and_nobody_may_have_it() {
    let dir = fed();
    let db = open(dir.path());
    let error = inspect_log(dir.path()).unwrap_err();
    assert!(matches!(error, TidalError::Locked { .. }), "{error}");
    drop(db);
    fs::rename(dir.path().join("log"), dir.path().join("gone")).unwrap();
    let error = inspect_log(dir.path()).unwrap_err();
    assert!(matches!(error, TidalError::Wal(WalError::Missing { .. })), "{error}");
    let empty = tempfile::tempdir().unwrap();
    for path in [empty.path(), &empty.path().join("absent")] {
        let error = inspect_log(path).unwrap_err();
        assert!(matches!(error, TidalError::NotFound { .. }), "{error}");
    }
    assert!(fs::read_dir(empty.path()).unwrap().next().is_none());
}

//! Deep verification: what is stored against what the log comes to.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use tidal_db::{
    Batch, DeepOptions, DeepReport, Differing, Engine, EntityKind, ErrorKind, Event, Seq, TidalDB,
    verify_deep,
};
use tidal_storage::{FjallStorage, Storage};

use crate::fixture::{ago, builder, event, id};

/// A database with names, metadata, producers and a tail behind its last checkpoint.
fn fed(dir: &Path, engine: Engine) -> tidal_db::Checksum {
    let db = builder(dir).engine(engine).checkpoint_every(90).open().unwrap();
    for index in 0..200 {
        db.commit(Batch::new().event(event(index)).write_item(id(index % 20), format!("{index}")))
            .unwrap();
    }
    let names: Vec<String> = (0..30).map(|number| format!("user {number}")).collect();
    if db.id_mode(EntityKind::Creator).is_none() {
        db.entity_ids(EntityKind::Creator, &names).unwrap();
    }
    let checksum = db.checksum().unwrap();
    // No shutdown: the tail is in the log alone.
    drop(db);
    checksum
}

fn deep(dir: &Path) -> DeepReport {
    let scratch = tempfile::tempdir().unwrap();
    verify_deep(dir, &DeepOptions::new(scratch.path().join("work"))).unwrap()
}

fn files(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.insert(path.display().to_string(), fs::read(&path).unwrap());
        }
    }
    found
}

/// G76: what is stored, with the tail of the log, is what the log comes to; and nothing
/// in the directory is written, whatever the engine.
#[test]
fn a_sound_database_is_told_so_and_left_as_it_is() {
    for &engine in Engine::ALL {
        let dir = tempfile::tempdir().unwrap();
        let checksum = fed(dir.path(), engine);
        let before = files(dir.path());
        let report = deep(dir.path());
        assert!(report.ok());
        let state = report.state.unwrap();
        assert_eq!((state.recomputed, state.stored), (checksum, Some(checksum)));
        assert_eq!((state.from, state.differences.count), (Seq::FIRST, 0));
        assert!(files(dir.path()) == before, "{engine:?}");
    }
}

/// G76: a database that never had a checkpoint is verified too.
#[test]
fn a_database_without_a_checkpoint_is_its_log() {
    let dir = tempfile::tempdir().unwrap();
    let db = builder(dir.path()).open().unwrap();
    db.signals(&[event(1), event(2)]).unwrap();
    drop(db);
    assert!(deep(dir.path()).ok());
}

/// Changes what is stored, behind the log's back.
fn tamper(dir: &Path, change: impl FnOnce(&dyn Storage)) {
    let storage = FjallStorage::open(dir.join("storage")).unwrap();
    change(&storage);
    storage.flush_all().unwrap();
    storage.close().unwrap();
}

/// The keys and values of items with a tag, see tidal-keys.
fn tagged(storage: &dyn Storage, tag: u8) -> Vec<(Vec<u8>, Vec<u8>)> {
    let entries = storage.backend(EntityKind::Item).scan_prefix(&[]).unwrap();
    let entries = entries.map(|entry| entry.unwrap());
    entries
        .filter(|(key, _)| key[9] == tag)
        .map(|(key, value)| (key.to_vec(), value.to_vec()))
        .collect()
}

const CELL: u8 = 2;
const METADATA: u8 = 3;

/// G76: each kind of difference is found, named, and told with both values.
#[test]
fn what_differs_is_named_with_both_values() {
    let dir = tempfile::tempdir().unwrap();
    let db = builder(dir.path()).open().unwrap();
    let at = ago(100);
    for number in 1..=9 {
        let event = Event::new("view", id(number), number as f64, at);
        db.commit(Batch::new().event(event).write_item(id(number), format!("item {number}")))
            .unwrap();
    }
    let ids = db.entity_ids(EntityKind::User, &["ann", "bob"]).unwrap();
    assert_eq!(ids, [id(1), id(2)]);
    db.shutdown().unwrap();
    tamper(dir.path(), |storage| {
        let items = storage.backend(EntityKind::Item);
        let cells = tagged(storage, CELL);
        // The second cell has the value of the first, and the third is gone.
        items.put(&cells[1].0, &cells[0].1).unwrap();
        items.delete(&cells[2].0).unwrap();
        let metadata = tagged(storage, METADATA);
        items.put(&metadata[4].0, b"changed").unwrap();
        let system = storage.keyspace("system").unwrap();
        let names = system.scan_prefix(&[]).unwrap().map(Result::unwrap);
        let bob = names.into_iter().find(|(_, value)| &**value == b"bob").unwrap();
        system.put(&bob.0, b"rob").unwrap();
    });
    let report = deep(dir.path());
    assert!(report.log.ok() && !report.ok());
    let differences = report.state.unwrap().differences;
    assert_eq!((differences.count, differences.is_exact), (4, true));
    let told = differences.first.iter();
    let told: Vec<_> = told.map(|one| (one.what.clone(), &one.recomputed, &one.stored)).collect();
    let what: Vec<&Differing> = told.iter().map(|(what, ..)| what).collect();
    let expected = [
        Differing::Name(EntityKind::User, id(2)),
        Differing::Cell("view".into(), id(2)),
        Differing::Cell("view".into(), id(3)),
        Differing::Metadata(id(5)),
    ];
    assert_eq!(what, expected.iter().collect::<Vec<_>>());
    let both = |index: usize| {
        let (_, recomputed, stored) = &told[index];
        (Option::clone(recomputed).unwrap_or_default(), Option::clone(stored).unwrap_or_default())
    };
    let (recomputed, stored) = both(0);
    assert!(recomputed.contains("bob") && stored.contains("rob"), "{told:?}");
    let (recomputed, stored) = both(1);
    assert!(recomputed.starts_with("score 1.99") || recomputed.starts_with("score 2 "), "{told:?}");
    assert!(stored.starts_with("score 0.99") || stored.starts_with("score 1 "), "{told:?}");
    assert_eq!(both(2).1, "");
    let (recomputed, stored) = both(3);
    assert!(recomputed.contains("item 5") && stored.contains("changed"), "{told:?}");
    // Only so many are told.
    let scratch = tempfile::tempdir().unwrap();
    let options = DeepOptions { differences_max: 1, ..DeepOptions::new(scratch.path()) };
    let differences = verify_deep(dir.path(), &options).unwrap().state.unwrap().differences;
    assert_eq!((differences.first.len(), differences.count), (1, 4));
    assert!(!scratch.path().exists());
}

/// G76: a damaged log is told as `verify` tells it, and nothing is made of it.
#[test]
fn a_damaged_log_is_not_folded() {
    let dir = tempfile::tempdir().unwrap();
    fed(dir.path(), Engine::Fjall);
    let stat = tidal_db::inspect_log(dir.path()).unwrap();
    let mut bytes = fs::read(&stat.segments[0].path).unwrap();
    // Amidst its groups, or its blocks where it was sealed.
    let used = match stat.segments[0].seal {
        Some(_) => bytes.len(),
        None => usize::try_from(stat.segments[0].content.unwrap().bytes).unwrap(),
    };
    bytes[4096 + (used - 4096) / 2] ^= 1;
    fs::write(&stat.segments[0].path, bytes).unwrap();
    let report = deep(dir.path());
    assert!(!report.ok() && !report.log.ok() && report.state.is_none());
}

#[test]
fn what_cannot_be_verified_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let db: TidalDB = builder(dir.path()).open().unwrap();
    db.signals(&[event(1)]).unwrap();
    let scratch = tempfile::tempdir().unwrap();
    let kind = |scratch: &Path| {
        verify_deep(dir.path(), &DeepOptions::new(scratch)).map(drop).map_err(|error| error.kind())
    };
    assert_eq!(kind(scratch.path()), Err(ErrorKind::Retry));
    db.shutdown().unwrap();
    fs::write(scratch.path().join("file"), "").unwrap();
    assert_eq!(kind(scratch.path()), Err(ErrorKind::Input));
    assert!(scratch.path().join("file").exists());
    let nothing = verify_deep(scratch.path().join("none"), &DeepOptions::new("x"));
    assert_eq!(nothing.map(drop).map_err(|error| error.kind()), Err(ErrorKind::Input));
}

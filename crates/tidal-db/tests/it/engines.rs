//! A database on each engine that this test was built with.

use std::path::Path;

use tidal_db::{Batch, Engine, TidalDB, TidalError};

use crate::fixture::{builder, event, id};

/// Feeds a new database on an engine, in two openings of which only the first
/// names it, and returns its checksum.
fn fed(dir: &Path, engine: Engine) -> tidal_db::Checksum {
    let feed = |db: &TidalDB, from: u64| {
        for index in from..from + 100 {
            let batch = Batch::new().event(event(index)).write_item(id(index), format!("{index}"));
            db.commit(batch).unwrap();
        }
    };
    let db = builder(dir).engine(engine).checkpoint_every(30).open().unwrap();
    assert_eq!(db.stats().unwrap().engine, engine.name());
    feed(&db, 0);
    db.shutdown().unwrap();
    let db = TidalDB::open_existing(dir).unwrap();
    assert_eq!(db.stats().unwrap().engine, engine.name());
    assert_eq!(db.read_item(id(7)).unwrap().as_deref(), Some(&b"7"[..]));
    feed(&db, 100);
    // Dropped without a shutdown: the log has what no checkpoint has.
    drop(db);
    let db = TidalDB::open_existing(dir).unwrap();
    assert_eq!(db.read_item(id(150)).unwrap().as_deref(), Some(&b"150"[..]));
    let checksum = db.checksum().unwrap();
    db.shutdown().unwrap();
    checksum
}

/// L2: the folded state does not depend on the engine. G18: another one is refused.
#[test]
fn a_database_is_the_same_on_every_engine_and_stays_on_its_own() {
    let mut checksums = Vec::new();
    for &engine in Engine::ALL {
        let dir = tempfile::tempdir().unwrap();
        checksums.push(fed(dir.path(), engine));
        for &other in Engine::ALL.iter().filter(|&&other| other != engine) {
            let error = builder(dir.path()).engine(other).open().unwrap_err();
            let told = matches!(&error, TidalError::EngineMismatch { found, requested, .. }
                if found == engine.name() && requested == other.name());
            assert!(told, "{error}");
        }
        builder(dir.path()).engine(engine).open().unwrap();
    }
    assert!(checksums.iter().all(|checksum| *checksum == checksums[0]));
}

/// G18
#[test]
fn an_engine_that_this_program_lacks_is_named() {
    let dir = tempfile::tempdir().unwrap();
    drop(builder(dir.path()).open().unwrap());
    std::fs::write(dir.path().join("TIDALDB"), "tidalDB format 1\nengine pebble\n").unwrap();
    let error = builder(dir.path()).open().unwrap_err();
    let told = matches!(&error, TidalError::EngineMismatch { found, .. } if found == "pebble");
    assert!(told, "{error}");
}

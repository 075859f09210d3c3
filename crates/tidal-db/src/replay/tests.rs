use std::path::Path;
use std::time::Duration;

use tidal_types::{
    AttributeType, AttributeValue, DecaySpec, EntityId, EntityKind, Event, SchemaBuilder,
    Timestamp, Window,
};
use tidal_wal::sim::SimDisk;

use super::*;
use crate::config::Builder;
use crate::log::SimulatedLog;
use crate::tests::crash_storage::CrashStorage;
use crate::{TidalDB, open};

fn schema() -> Schema {
    let mut builder = SchemaBuilder::new();
    let view = builder.signal("view", EntityKind::Item, DecaySpec::Permanent);
    view.windows(&[Window::AllTime]).uniques(true).history(true).add();
    builder.attribute("language", EntityKind::Item, AttributeType::Keyword);
    builder.build().unwrap()
}

fn opened(disk: &SimDisk, storage: &Arc<CrashStorage>) -> TidalDB {
    opened_with(disk, storage, schema())
}

fn opened_with(disk: &SimDisk, storage: &Arc<CrashStorage>, schema: Schema) -> TidalDB {
    let builder = Builder::new("simulated".into(), Some(schema))
        .checkpoint_every(u64::MAX)
        .checkpoint_log_bytes(u64::MAX)
        .checkpoint_interval(Duration::MAX);
    let open_log = |options| Ok(Arc::new(SimulatedLog::open(disk, options)?) as _);
    let storage = Arc::clone(storage) as _;
    open::assemble(builder, None, Path::new("simulated"), storage, open_log).unwrap()
}

/// R1: rows go to storage while the log is folded, ahead of any head, and folding them
/// again comes to the same state.
#[test]
fn rows_leave_memory_while_the_log_is_replayed() {
    let (disk, mut storage) = (SimDisk::new(1), CrashStorage::new());
    let db = opened(&disk, &storage);
    let id = EntityId::new;
    for number in 1..=100 {
        let view = Event::new("view", id(number), 1.0, Timestamp::from_secs(number));
        db.signals(&[view.by(id(number % 7))]).unwrap();
        let language = AttributeValue::Keyword("x".repeat(200));
        let language = [("language", Some(language))];
        db.put_attributes(EntityKind::Item, id(number), &language).unwrap();
        db.write_item(id(number), [7; 100]).unwrap();
    }
    for (kind, number) in [(EntityKind::Item, 5), (EntityKind::User, 3)] {
        db.forget(kind, id(number)).unwrap();
    }
    let of = |db: &TidalDB| {
        let unique = |number| db.unique_actors("view", id(number), Window::AllTime).unwrap();
        (db.checksum().unwrap(), (1..=100).map(unique).collect::<Vec<_>>())
    };
    let expected = of(&db);
    assert!(db.parts().state.overlay_bytes() >= ROW_BYTES_MAX);
    storage.die();
    drop(db);
    storage = storage.after_kill();
    for _ in 0..2 {
        let db = opened(&disk, &storage);
        assert_eq!(db.parts().state.overlay_bytes(), 0);
        assert_eq!(of(&db), expected);
        storage.die();
        drop(db);
        storage = storage.after_kill();
    }
}

/// R2: a long tail over many stored cells asks storage for those of its first run alone, and
/// comes to the same.
#[test]
fn a_long_tail_brings_all_cells_by_one_pass() {
    const CELLS: u64 = 2 * RUN as u64;
    let (disk, storage) = (SimDisk::new(2), CrashStorage::new());
    let mut builder = SchemaBuilder::new();
    let view = builder.signal("view", EntityKind::Item, DecaySpec::Permanent);
    view.windows(&[Window::AllTime]).add();
    let schema = builder.build().unwrap();
    let open = |storage: &Arc<CrashStorage>| opened_with(&disk, storage, schema.clone());
    let db = open(&storage);
    let view = |db: &TidalDB| {
        for first in (0..CELLS).step_by(RUN / 4) {
            let items = first..first + RUN as u64 / 4;
            let event =
                |item| Event::new("view", EntityId::new(item), 1.0, Timestamp::from_secs(9));
            db.signals(&items.map(event).collect::<Vec<_>>()).unwrap();
        }
    };
    view(&db);
    db.checkpoint().unwrap();
    view(&db);
    let checksum = db.checksum().unwrap();
    storage.die();
    drop(db);
    let db = open(&storage.after_kill());
    let resident = db.stats().unwrap().resident;
    assert_eq!((resident.loads, resident.cells), (RUN as u64, CELLS));
    assert_eq!(db.checksum().unwrap(), checksum);
}

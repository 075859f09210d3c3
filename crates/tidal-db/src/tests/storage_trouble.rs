//! A storage that refuses what is written to it, or that has what cannot be.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tidal_storage::{AtomicBatch, Durability, Storage};
use tidal_types::{
    DecaySpec, EntityId, EntityKind, ErrorKind, Event, ManualClock, Schema, SchemaBuilder, Seq,
    TidalError, Timestamp, Window,
};
use tidal_wal::sim::SimDisk;

use super::crash_storage::CrashStorage;
use crate::checkpoint::keyspace;
use crate::config::Builder;
use crate::ledger::{SignalLedger, Which};
use crate::log::SimulatedLog;
use crate::{TidalDB, open};

const NOW: Timestamp = Timestamp::from_secs(1_700_000_000);

fn schema() -> Schema {
    let mut builder = SchemaBuilder::new();
    let windows = &[Window::AllTime];
    builder.signal("view", EntityKind::Item, DecaySpec::Permanent).windows(windows).add();
    builder.build().unwrap()
}

fn view(id: u64) -> Event<'static> {
    Event::new("view", EntityId::new(id), 1.0, NOW)
}

fn opened(
    disk: &SimDisk,
    storage: &Arc<CrashStorage>,
    clock: &Arc<ManualClock>,
    budget: Option<u64>,
) -> TidalDB {
    let mut builder = Builder::new("simulated".into(), Some(schema()))
        .checkpoint_every(u64::MAX)
        .checkpoint_log_bytes(u64::MAX)
        .checkpoint_interval(Duration::MAX)
        .clock(Arc::<ManualClock>::clone(clock));
    builder.memory_budget = budget;
    let open_log = |options| Ok(Arc::new(SimulatedLog::open(disk, options)?) as _);
    let storage = Arc::clone(storage) as _;
    open::assemble(builder, None, Path::new("simulated"), storage, open_log).unwrap()
}

/// H1, H2: storage that refuses commits is asked again by the clock and not once a commit,
/// and the figures say what it said until it takes them again.
#[test]
fn a_storage_that_refuses_is_left_alone_for_a_while() {
    let clock = Arc::new(ManualClock::new(NOW));
    let storage = CrashStorage::new();
    let db = opened(&SimDisk::new(1), &storage, &clock, Some(1000));
    assert_eq!(db.stats().unwrap().checkpoint_failure, None);
    storage.die_after(0);
    let failure = || db.stats().unwrap().checkpoint_failure;
    let mut id = 0;
    let mut write = || {
        id += 1;
        db.signals(&[view(id)]).unwrap();
    };
    while failure().is_none() {
        write();
    }
    let first = failure().unwrap();
    assert_eq!((first.at, first.in_a_row), (NOW, 1));
    assert!(first.problem.contains("a crash storage"), "{first:?}");
    for _ in 0..300 {
        write();
        assert_eq!(failure(), Some(first.clone()));
    }
    clock.set(Timestamp::from_secs(1_700_000_001));
    while failure().unwrap().in_a_row == 1 {
        write();
    }
    assert_eq!(failure().unwrap().in_a_row, 2);
    let error = db.checkpoint().unwrap_err();
    clock.set(Timestamp::from_secs(1_700_000_002));
    db.checkpoint().unwrap_err();
    assert_eq!(failure().unwrap().problem, error.to_string());
}

/// A failure is over once a checkpoint is written.
#[test]
fn a_checkpoint_ends_what_failed_before() {
    let clock = Arc::new(ManualClock::new(NOW));
    let storage = CrashStorage::new();
    let db = opened(&SimDisk::new(1), &storage, &clock, None);
    db.signals(&[view(1)]).unwrap();
    storage.fail_commit(0);
    db.checkpoint().unwrap_err();
    assert_eq!(db.stats().unwrap().checkpoint_failure.map(|failure| failure.in_a_row), Some(1));
    db.checkpoint().unwrap();
    assert_eq!(db.stats().unwrap().checkpoint_failure, None);
}

/// A stored cell that has applied a record behind the end of the log would pass over the
/// events that are still to come, so it is refused, by reads and by the fold.
#[test]
fn a_cell_from_behind_the_end_of_the_log_is_damage() {
    let (disk, clock) = (SimDisk::new(1), Arc::new(ManualClock::new(NOW)));
    let storage = CrashStorage::new();
    let db = opened(&disk, &storage, &clock, None);
    db.signals(&[view(1), view(2)]).unwrap();
    db.shutdown().unwrap();
    let ledger = SignalLedger::new(Arc::new(schema()));
    ledger.apply(Seq::new(100), &ledger.schema().accept(&view(1)).unwrap()).unwrap();
    let chunk = ledger.walk_dirty(Which::All).next(1).unwrap();
    let cell = &chunk.cells[0];
    let mut batch = AtomicBatch::new();
    let snapshot = storage.snapshot().unwrap();
    let first = snapshot.scan_prefix(keyspace(cell.kind), &[]).unwrap().next();
    let (key, _) = first.unwrap().unwrap();
    batch.put(keyspace(cell.kind), key, cell.value.clone().unwrap());
    storage.commit(batch, Durability::Sync).unwrap();

    let db = opened(&disk, &storage.after_kill(), &clock, None);
    let count = |id| db.windowed_count("view", EntityId::new(id), Window::AllTime);
    assert_eq!(count(1).unwrap_err().kind(), ErrorKind::Damage);
    assert_eq!(count(2).unwrap(), 1);
    assert!(db.top("view", crate::By::Score, 1).is_err());
    // The record is named that could not be folded, wherever in a commit it is.
    let before = db.signals(&[view(2)]).unwrap().position.seq;
    let events: Vec<_> = (0..40).map(|place| view(if place == 30 { 1 } else { 2 })).collect();
    let error = db.signals(&events).unwrap_err();
    assert!(
        matches!(error, TidalError::NotFolded { seq, .. } if seq == before.plus(31)),
        "{error}"
    );
    assert!(db.signals(&[view(2)]).is_err());
}

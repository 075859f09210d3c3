//! The base through power cuts at every write, of storage and of the log.

mod fused;
mod purging;

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tidal_storage::Storage;
use tidal_types::{DecaySpec, EntityId, EntityKind, Event, ManualClock, Schema, SchemaBuilder};
use tidal_types::{Seq, Timestamp, Window};
use tidal_wal::sim::{Fault, SimDisk};

use self::fused::{Fuse, Fused};
use super::{Advanced, BasePlace, reaches};
use crate::as_of::Base;
use crate::checkpoint::{COMMIT_BYTES, Writer};
use crate::config::Builder;
use crate::ledger::Which;
use crate::log::{RecordLog, SimulatedLog};
use crate::rebuild::Rebuild;
use crate::{Batch, Result, Retention, TidalDB, open};

const START: Timestamp = Timestamp::from_secs(1_700_000_000);
const ROUND: Duration = Duration::from_secs(1_000);
/// The rounds of a life. Each fills about one segment of the log.
const ROUNDS: u64 = 7;
const COMMITS_A_ROUND: u64 = 8;

/// A shelf in memory for one storage. What is put on it or taken away is durable at
/// once; what is written to the storage is when that is synced.
#[derive(Debug)]
struct Shelf {
    storage: Mutex<Option<Arc<Fused>>>,
    fuse: Fuse,
}

impl BasePlace for Shelf {
    fn is_taken(&self) -> bool {
        self.storage.lock().unwrap().is_some()
    }

    fn open(&self) -> Result<Option<Arc<dyn Storage>>> {
        Ok(self.storage.lock().unwrap().clone().map(|storage| storage as _))
    }

    fn create(&self) -> Result<Option<Arc<dyn Storage>>> {
        let mut storage = self.storage.lock().unwrap();
        if storage.is_none() {
            self.fuse.burn()?;
            *storage = Some(Fused::new(self.fuse.clone()));
        }
        Ok(storage.clone().map(|storage| storage as _))
    }

    fn remove(&self) -> Result<()> {
        self.fuse.burn()?;
        self.storage.lock().unwrap().take();
        Ok(())
    }
}

/// What is left when a process ends.
struct Machine {
    disk: SimDisk,
    clock: Arc<ManualClock>,
    storage: Arc<Fused>,
    shelf: Arc<Shelf>,
    fuse: Fuse,
}

impl Machine {
    fn new(writes: u64) -> Self {
        let fuse = Fuse::new(writes);
        Self {
            disk: SimDisk::new(7),
            clock: Arc::new(ManualClock::new(START)),
            storage: Fused::new(fuse.clone()),
            shelf: Arc::new(Shelf { storage: Mutex::default(), fuse: fuse.clone() }),
            fuse,
        }
    }

    fn open(&self, retention: Retention) -> Result<(TidalDB, Arc<SimulatedLog>)> {
        let path = Path::new("simulated");
        let mut builder = Builder::new(path.into(), Some(schema()))
            .segment_bytes(16 << 10)
            .retain(retention)
            .checkpoint_every(u64::MAX)
            .checkpoint_interval(Duration::MAX);
        builder.clock = Arc::<ManualClock>::clone(&self.clock);
        builder.base = Some(Arc::<Shelf>::clone(&self.shelf));
        let mut opened = None;
        let db =
            open::assemble(builder, None, path, Arc::<Fused>::clone(&self.storage), |options| {
                let log = Arc::new(SimulatedLog::open(&self.disk, options)?);
                opened = Some(Arc::clone(&log));
                Ok(log)
            })?;
        Ok((db, opened.unwrap()))
    }

    /// The power is cut, and back.
    fn restart(&mut self) {
        self.disk.die();
        self.disk.power_cut();
        let fuse = Fuse::new(u64::MAX);
        self.storage = self.storage.restarted(fuse.clone());
        let base =
            self.shelf.storage.lock().unwrap().as_ref().map(|base| base.restarted(fuse.clone()));
        self.shelf = Arc::new(Shelf { storage: Mutex::new(base), fuse: fuse.clone() });
        self.fuse = fuse;
    }

    /// Writes for some rounds, each with a checkpoint at its end; until something fails.
    fn live(&self, db: &TidalDB, rounds: std::ops::Range<u64>) -> Result<()> {
        for round in rounds {
            self.clock.set(START.saturating_add(ROUND * u32::try_from(round).unwrap()));
            for number in 0..COMMITS_A_ROUND {
                db.commit(batch(round * COMMITS_A_ROUND + number))?;
            }
            db.checkpoint()?;
            // What follows is not folded when the machine is dead.
            if self.fuse.is_blown() {
                self.disk.die();
            }
        }
        Ok(())
    }

    /// What is promised of base and log, whatever was cut short: the log begins at its
    /// beginning or behind the base, and both come to the state there is.
    fn expect_whole(&self, db: &TidalDB, log: &SimulatedLog) -> Seq {
        let first = self.expect_joined(db, log);
        assert_eq!(db.checksum().unwrap(), expected(db.stats().unwrap().records));
        first
    }

    /// The same of a database that was fed otherwise.
    fn expect_joined(&self, db: &TidalDB, log: &SimulatedLog) -> Seq {
        let first = log.first_seq();
        let base = self.shelf.open().unwrap();
        let log_id = RecordLog::head(log).log_id;
        let reached = base.as_ref().and_then(|base| reaches(&**base, log_id, first).unwrap());
        assert!(first == Seq::FIRST || reached.is_some(), "{first} {reached:?}");
        let storage = match (&base, reached) {
            (Some(_), Some(_)) => {
                self.shelf.storage.lock().unwrap().as_ref().unwrap().restarted(Fuse::new(u64::MAX))
            }
            _ => Fused::new(Fuse::new(u64::MAX)),
        };
        let mut rebuild = Rebuild::open(storage, log_id).unwrap();
        assert!(reached.is_none() || reached == Some(rebuild.applied()));
        log.read_from(rebuild.applied().next(), &mut |record| rebuild.fold(record)).unwrap();
        assert_eq!(rebuild.checksum().unwrap(), db.checksum().unwrap());
        first
    }
}

fn schema() -> Schema {
    let half_life = Duration::from_secs(600);
    let mut builder = SchemaBuilder::new();
    builder
        .signal("view", EntityKind::Creator, DecaySpec::Exponential { half_life })
        .windows(&[Window::OneHour, Window::AllTime])
        .add();
    builder.build().unwrap()
}

/// Two records: an event, and metadata that fills the log.
fn batch(number: u64) -> Batch<'static> {
    let at = START.saturating_add(Duration::from_secs(number * 100));
    Batch::new()
        .signal("view", EntityId::new(number % 5), 1.0, at)
        .write_item(EntityId::new(number % 7), vec![b'x'; 1300])
}

/// The checksum of a database that was fed so many records.
fn expected(records: u64) -> crate::Checksum {
    let db = TidalDB::in_memory(schema()).unwrap();
    // Events may be of the simulated future of the real clock's past: it is far behind.
    for number in 0..(records - 1) / 2 {
        db.commit(batch(number)).unwrap();
    }
    db.checksum().unwrap()
}

/// A life under [`Retention::For`], its end by a power cut, and what is left. Returns
/// where the log begins.
fn life_and_death(mut machine: Machine) -> Seq {
    let retention = Retention::For(ROUND * 2);
    // What it was answered does not matter here, only what is left.
    drop(machine.open(retention).and_then(|(db, _)| machine.live(&db, 0..ROUNDS)));
    machine.restart();
    let (db, log) = machine.open(retention).unwrap();
    let first = machine.expect_whole(&db, &log);
    let records = db.stats().unwrap().records;
    let next = records.saturating_sub(1) / 2;
    machine.clock.set(START.saturating_add(ROUND * 20));
    db.commit(batch(next)).unwrap();
    for _ in 0..2 {
        db.checkpoint().unwrap();
    }
    let after = machine.expect_whole(&db, &log);
    assert!(after >= first);
    first
}

/// G73: a power cut at any write of storage, base or log leaves a base that joins the
/// log.
#[test]
fn the_base_joins_the_log_whenever_the_power_is_cut() {
    let mut cut = 0;
    let mut writes = 1;
    loop {
        let machine = Machine::new(writes);
        let fuse = machine.fuse.clone();
        cut += u64::from(life_and_death(machine) > Seq::FIRST);
        if !fuse.is_blown() {
            break;
        }
        writes += 1;
    }
    assert!(writes > 20 && cut > 5, "{writes} writes, the log was cut in {cut}");
    let mut operation = 0;
    loop {
        let machine = Machine::new(u64::MAX);
        machine.disk.arm(operation, Fault::Die);
        let disk = machine.disk.clone();
        let faults = disk.faults();
        life_and_death(machine);
        // The death that ends each life is one more.
        if disk.faults() <= faults + 1 {
            break;
        }
        operation += 3;
    }
    assert!(operation > 100, "{operation}");
}

/// G74: what was cut under another choice has no base, and none is made up.
#[test]
fn a_log_that_was_cut_without_a_base_gets_none() {
    let machine = Machine::new(u64::MAX);
    let (db, log) = machine.open(Retention::UntilCheckpoint).unwrap();
    machine.live(&db, 0..3).unwrap();
    db.checkpoint().unwrap();
    assert!(log.first_seq() > Seq::FIRST);
    drop((db, log));
    let (db, log) = machine.open(Retention::For(ROUND)).unwrap();
    let before = log.first_seq();
    machine.live(&db, 3..7).unwrap();
    assert!(log.first_seq() > before);
    assert!(machine.shelf.open().unwrap().is_none());
}

/// G74: a base that the log was cut beyond is none.
#[test]
fn a_base_behind_the_log_is_not_used() {
    let machine = Machine::new(u64::MAX);
    let (db, log) = machine.open(Retention::For(ROUND)).unwrap();
    machine.live(&db, 0..4).unwrap();
    machine.expect_whole(&db, &log);
    let log_id = RecordLog::head(&*log).log_id;
    drop((db, log));
    let base = machine.shelf.open().unwrap().unwrap();
    let (db, log) = machine.open(Retention::UntilCheckpoint).unwrap();
    let first = log.first_seq();
    let reached = reaches(&*base, log_id, first).unwrap();
    assert_eq!(reached, Some(first.previous()));
    machine.live(&db, 4..8).unwrap();
    db.checkpoint().unwrap();
    assert!(log.first_seq() > first);
    assert_eq!(reaches(&*base, log_id, log.first_seq()).unwrap(), None);
}

/// G73: what a cursor has to read is kept, and so is the base before it.
#[test]
fn a_base_waits_for_what_holds_the_log() {
    let machine = Machine::new(u64::MAX);
    let (db, log) = machine.open(Retention::For(ROUND)).unwrap();
    let cursor = log.cursor("feed");
    machine.live(&db, 0..5).unwrap();
    assert_eq!(log.first_seq(), Seq::FIRST);
    assert!(machine.shelf.open().unwrap().is_none());
    cursor.commit(RecordLog::head(&*log).seq).unwrap();
    db.checkpoint().unwrap();
    let first = machine.expect_whole(&db, &log);
    assert!(first > Seq::FIRST);
    let base = machine.shelf.open().unwrap().unwrap();
    let log_id = RecordLog::head(&*log).log_id;
    assert_eq!(reaches(&*base, log_id, first).unwrap(), Some(first.previous()));
}

/// G68: while the base is read it stays as it is, and so does the log's beginning; the
/// next checkpoint cuts.
#[test]
fn nothing_is_cut_while_the_base_is_read() {
    let machine = Machine::new(u64::MAX);
    let (db, log) = machine.open(Retention::For(ROUND)).unwrap();
    machine.live(&db, 0..4).unwrap();
    let first = machine.expect_whole(&db, &log);
    assert!(first > Seq::FIRST);
    let base = &db.parts.retained.base;
    let (hold, other) = (base.hold(), base.hold());
    let state = hold.open(&*log, &*machine.clock).unwrap().unwrap();
    assert_eq!(state.next_seq(), first);
    machine.live(&db, 4..6).unwrap();
    drop(hold);
    machine.live(&db, 6..7).unwrap();
    assert_eq!(log.first_seq(), first);
    drop((state, other));
    machine.live(&db, 7..8).unwrap();
    assert!(machine.expect_whole(&db, &log) > first);
}

/// G68: a base that was cut short while it was written has newer cells than it says; it
/// is brought as far as these before it is read.
#[test]
fn a_base_that_was_cut_short_is_finished_before_it_is_read() {
    let machine = Machine::new(u64::MAX);
    let (db, log) = machine.open(Retention::For(ROUND)).unwrap();
    machine.live(&db, 0..4).unwrap();
    let first = log.first_seq();
    let storage = machine.shelf.open().unwrap().unwrap();
    let log_id = RecordLog::head(&*log).log_id;
    let mut rebuild = Rebuild::open(Arc::clone(&storage), log_id).unwrap();
    let through = Seq::new(first.get() + 5);
    log.read_through(first, through, &mut |record| rebuild.fold(record)).unwrap();
    let sync = || Ok(through);
    let mut writer = Writer::new(&*storage, &sync, rebuild.state(), &|| true, COMMIT_BYTES);
    writer.cells(Which::All).unwrap();
    drop(rebuild);
    assert_eq!(reaches(&*storage, log_id, first).unwrap(), Some(first.previous()));
    let hold = db.parts.retained.base.hold();
    let state = hold.open(&*log, &*machine.clock).unwrap().unwrap();
    assert_eq!(state.next_seq(), through.next());
    drop((hold, state));
    // So it is when it is brought forward by less.
    let advanced = db.parts.retained.base.advance(&*log, first).unwrap();
    assert_eq!(advanced, Advanced::Reached);
    assert_eq!(reaches(&*storage, log_id, first).unwrap(), Some(through));
    machine.expect_whole(&db, &log);
}

/// B3: what is made again with little memory is the same, and takes no more.
#[test]
fn a_state_is_made_again_in_bounded_memory() {
    let machine = Machine::new(u64::MAX);
    let (db, log) = machine.open(Retention::Forever).unwrap();
    let at = |number: u64| START.saturating_add(Duration::from_secs(number / 50));
    machine.clock.set(at(20_000));
    for first in (0..20_000).step_by(1000) {
        let events = (first..first + 1000)
            .map(|number| Event::new("view", EntityId::new(number * 7919 % 5000), 1.0, at(number)));
        db.signals(&events.collect::<Vec<_>>()).unwrap();
    }
    let log_id = RecordLog::head(&*log).log_id;
    const BUDGET: u64 = 64 << 10;
    let mut rebuild =
        Rebuild::with_budget(Fused::new(Fuse::new(u64::MAX)), log_id, BUDGET).unwrap();
    let mut most = 0;
    log.read_from(Seq::FIRST, &mut |record| {
        rebuild.fold(record)?;
        most = most.max(rebuild.state().ledger.resident_bytes());
        Ok(())
    })
    .unwrap();
    assert_eq!(rebuild.checksum().unwrap(), db.checksum().unwrap());
    assert!(most < 2 * BUDGET && db.stats().unwrap().memory_bytes > 4 * BUDGET, "{most}");
}

//! The base is purged of what was forgotten behind it, and the power is cut meanwhile.

use tidal_keys::entity_prefix;
use tidal_storage::KeyspaceName;

use super::*;
use crate::checkpoint::{self, StoredCells, keyspace, name_key, named_id_key};
use crate::ledger::CellStore as _;

const ADA: &[u8] = b"ada";

/// A creator with events, an item with metadata, and a user with a name.
fn gone() -> [(EntityKind, EntityId); 3] {
    [(EntityKind::Creator, 3), (EntityKind::Item, 4), (EntityKind::User, 1)]
        .map(|(kind, number)| (kind, EntityId::new(number)))
}

/// How many keys tell of them.
fn left(storage: &dyn Storage) -> usize {
    let snapshot = storage.snapshot().unwrap();
    let system =
        |key: Vec<u8>| usize::from(snapshot.get(KeyspaceName::SYSTEM, &key).unwrap().is_some());
    let of_entities = gone().map(|(kind, id)| {
        let keys = snapshot.scan_prefix(keyspace(kind), &entity_prefix(id)).unwrap();
        keys.count() + system(name_key(kind, id).unwrap())
    });
    of_entities.iter().sum::<usize>() + system(named_id_key(EntityKind::User, ADA).unwrap())
}

impl Machine {
    /// A base that is behind what was forgotten, and holds all of it still.
    fn forgetful(&self) -> (TidalDB, Arc<SimulatedLog>) {
        let (db, log) = self.open(Retention::For(ROUND)).unwrap();
        db.entity_ids(EntityKind::User, &[ADA, b"bob"]).unwrap();
        self.live(&db, 0..4).unwrap();
        assert!(log.first_seq() > Seq::FIRST);
        for (kind, id) in gone() {
            db.forget(kind, id).unwrap();
        }
        assert_eq!(left(&*self.base()), 4);
        (db, log)
    }

    fn base(&self) -> Arc<dyn Storage> {
        self.shelf.open().unwrap().unwrap()
    }

    /// What is promised of base and log; and that the base counts its cells right.
    fn expect_sound(&self, db: &TidalDB, log: &SimulatedLog) {
        self.expect_joined(db, log);
        let base = self.base();
        let mut cells = 0;
        for kind in EntityKind::ALL {
            let stored = StoredCells::of(Arc::clone(&base));
            let mut count = |_, _, _: &[u8]| {
                cells += 1;
                Ok(())
            };
            stored.scan(kind, &mut count).unwrap();
        }
        let state = checkpoint::load(&*base).unwrap().unwrap().into_state(&base, None).unwrap();
        assert_eq!(state.ledger.cell_count(), cells);
    }

    /// Goes on until the base is past the records that forget.
    fn go_on(&self, db: &TidalDB, log: &SimulatedLog) {
        let forgot = db.forget(gone()[2].0, gone()[2].1).unwrap();
        for round in 10..14_u32 {
            self.clock.set(START.saturating_add(ROUND * round));
            for number in 0..COMMITS_A_ROUND {
                let at = START.saturating_add(ROUND * round);
                let creator = EntityId::new(number % 3);
                let batch = Batch::new().signal("view", creator, 1.0, at);
                db.commit(batch.write_item(creator, vec![b'y'; 1300])).unwrap();
            }
            db.checkpoint().unwrap();
        }
        assert!(log.first_seq() > forgot);
        self.expect_sound(db, log);
        assert_eq!(left(&*self.base()), 0);
    }
}

/// G82: nothing of what was forgotten is left in the base, which joins the log as before,
/// and goes on past the records that forget.
#[test]
fn the_base_is_purged_of_what_was_forgotten_behind_it() {
    let machine = Machine::new(u64::MAX);
    let (db, log) = machine.forgetful();
    let (first, checksum) = (log.first_seq(), db.checksum().unwrap());
    machine.expect_sound(&db, &log);
    let purged = db.purge_forgotten().unwrap();
    assert!(purged.is_complete && purged.entities == 3, "{purged:?}");
    assert_eq!(left(&*machine.base()), 0);
    machine.expect_sound(&db, &log);
    assert_eq!((log.first_seq(), db.checksum().unwrap()), (first, checksum));
    let log_id = RecordLog::head(&*log).log_id;
    let reached = reaches(&*machine.base(), log_id, first).unwrap();
    assert_eq!(reached, Some(first.previous()), "the past is answered from where it was");
    machine.go_on(&db, &log);
}

/// G82: while the base is read it stays as it is, and the purge is not complete; the next
/// one finishes it.
#[test]
fn a_base_that_is_read_is_purged_another_time() {
    let machine = Machine::new(u64::MAX);
    let (db, log) = machine.forgetful();
    let base = &db.parts.retained.base;
    let hold = base.hold();
    let state = hold.open(&*log, &*machine.clock).unwrap().unwrap();
    let purged = db.purge_forgotten().unwrap();
    assert!(!purged.is_complete && purged.tombstones > 0, "{purged:?}");
    assert_eq!(left(&*machine.base()), 4);
    assert_eq!(db.stats().unwrap().unpurged, 3);
    machine.expect_sound(&db, &log);
    drop((state, hold));
    let purged = db.purge_forgotten().unwrap();
    assert!(purged.is_complete && purged.entities == 3, "{purged:?}");
    assert_eq!((left(&*machine.base()), db.stats().unwrap().unpurged), (0, 0));
    machine.expect_sound(&db, &log);
}

/// G82: a base that was cut short while it was brought forward holds newer cells of what
/// was forgotten, of records that the log has no more.
#[test]
fn a_base_that_was_cut_short_is_purged_too() {
    let machine = Machine::new(u64::MAX);
    let (db, log) = machine.forgetful();
    let (first, storage) = (log.first_seq(), machine.base());
    let mut rebuild = Rebuild::open(Arc::clone(&storage), RecordLog::head(&*log).log_id).unwrap();
    let through = Seq::new(first.get() + 9);
    log.read_through(first, through, &mut |record| rebuild.fold(record)).unwrap();
    let sync = || Ok(through);
    let mut writer = Writer::new(&*storage, &sync, rebuild.state(), &|| true, COMMIT_BYTES);
    writer.cells(Which::All).unwrap();
    drop(rebuild);
    assert!(db.purge_forgotten().unwrap().is_complete);
    assert_eq!(left(&*storage), 0);
    machine.expect_sound(&db, &log);
    machine.go_on(&db, &log);
}

/// G82: a base that joins the log no more goes as a whole.
#[test]
fn a_base_that_joins_no_log_is_removed() {
    let machine = Machine::new(u64::MAX);
    let (db, log) = machine.forgetful();
    let head = checkpoint::load_head(&*machine.base()).unwrap().unwrap().0;
    checkpoint::rebind(&*machine.base(), head, tidal_types::LogId::from_bytes([9; 16])).unwrap();
    assert!(db.purge_forgotten().unwrap().is_complete);
    assert!(machine.shelf.open().unwrap().is_none() && log.first_seq() > Seq::FIRST);
}

/// G82: the power is cut at any write of storage or base, or at any operation on the log,
/// while a purge goes on. What is left joins, counts right, and comes to the same state;
/// the next purge finishes it.
#[test]
fn a_purge_that_loses_power_leaves_a_sound_base() {
    let mut cut_short = 0;
    for is_disk in [false, true] {
        for step in 0.. {
            let mut machine = Machine::new(u64::MAX);
            let (db, log) = machine.forgetful();
            let checksum = db.checksum().unwrap();
            if is_disk {
                machine.disk.arm(step * 5, Fault::Die);
            } else {
                machine.fuse.set(step + 1);
            }
            let is_complete = db.purge_forgotten().is_ok_and(|purged| purged.is_complete);
            cut_short += u64::from(!is_complete);
            machine.disk.die();
            drop((db, log));
            machine.restart();
            let (db, log) = machine.open(Retention::For(ROUND)).unwrap();
            assert_eq!(db.checksum().unwrap(), checksum);
            machine.expect_sound(&db, &log);
            assert_eq!(db.stats().unwrap().unpurged == 0, is_complete, "{is_disk} {step}");
            assert!(db.purge_forgotten().unwrap().is_complete);
            assert_eq!(left(&*machine.base()), 0, "{is_disk} {step}");
            machine.expect_sound(&db, &log);
            if is_complete {
                machine.go_on(&db, &log);
                break;
            }
        }
    }
    assert!(cut_short > 6, "{cut_short}");
}

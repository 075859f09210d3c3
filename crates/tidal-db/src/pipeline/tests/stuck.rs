//! A record that cannot be folded, since storage cannot be read.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use tidal_storage::{
    AtomicBatch, Capabilities, Durability, Isolation, KeyspaceName, MemoryStorage, Snapshot,
    Storage, StorageEngine, StorageStats, Transaction,
};
use tidal_wal::sim::SimDisk;

use super::*;
use crate::change::{Change, Entry};
use crate::checkpoint::named_id_key;
use crate::config::Builder;
use crate::log::SimulatedLog;
use crate::pipeline::{UsedIds, WhenFull};
use crate::record;

fn open(disk: &SimDisk, storage: Arc<dyn Storage>) -> TidalDB {
    let path = Path::new("simulated");
    let builder = Builder::new(path.into(), Some(schema())).checkpoint_interval(Duration::MAX);
    let open_log = |options| Ok(Arc::new(SimulatedLog::open(disk, options)?) as _);
    open::assemble(builder, None, path, storage, open_log).unwrap()
}

/// Has the log take a name that is not looked up before.
fn assign(db: &TidalDB, name: &[u8]) -> Result<Ticket> {
    let (kind, id) = (EntityKind::User, EntityId::new(1));
    let entry = Entry::from(Change::AssignName { kind, id, name: name.to_vec() });
    let mut batch = tidal_wal::Batch::new();
    record::push(&mut batch, &entry, &mut Vec::new()).unwrap();
    db.parts().gate.commit(batch, vec![entry], UsedIds::default(), WhenFull::Wait)
}

#[track_caller]
fn is_not_folded<T: std::fmt::Debug>(answer: Result<T>) {
    let error = answer.unwrap_err();
    assert!(
        matches!(&error, TidalError::NotFolded { seq, source }
            if seq.get() == 3 && source.kind() == ErrorKind::Damage),
        "{error:?}"
    );
    assert_eq!(error.kind(), ErrorKind::Reopen);
}

/// G85: nothing is folded or written behind the record, and opening folds it all.
#[test]
fn nothing_is_passed_over() {
    let disk = SimDisk::new(1);
    let storage: Arc<dyn Storage> = Arc::new(MemoryStorage::new());
    let db = open(&disk, Arc::clone(&storage));
    submit(&db, 1, [1]).unwrap().wait().unwrap();
    let mut damage = AtomicBatch::new();
    let key = named_id_key(EntityKind::User, b"name").unwrap();
    damage.put(KeyspaceName::SYSTEM, key, "no id");
    storage.commit(damage, Durability::Sync).unwrap();

    let not_folded = assign(&db, b"name").unwrap();
    is_not_folded(not_folded.wait());
    is_not_folded(submit(&db, 1, [2]).and_then(Ticket::wait));
    is_not_folded(db.checkpoint());
    is_not_folded(db.checksum());
    let position =
        tidal_types::Position { seq: tidal_types::Seq::new(3), ..db.stats().unwrap().position };
    is_not_folded(db.wait_applied(position, Duration::MAX));
    // Reads go on, as of the record before.
    assert_eq!(counted(&db), 1);
    is_not_folded(db.shutdown());

    let db = open(&disk, Arc::new(MemoryStorage::new()));
    assert_eq!(db.stats().unwrap().records, 3);
    assert_eq!(db.find_entity(EntityKind::User, "name").unwrap(), Some(EntityId::new(1)));
    submit(&db, 1, [2]).unwrap().wait().unwrap();
    assert_eq!(counted(&db), 2);
    db.shutdown().unwrap();
}

/// A storage in memory that panics while it is asked for a keyspace or a snapshot, when it
/// is armed.
#[derive(Debug, Default)]
struct Panicking {
    storage: MemoryStorage,
    is_armed: AtomicBool,
    /// Told once that it is asked for a keyspace, and waited for then.
    meanwhile: Mutex<Option<(Sender<()>, Receiver<()>)>>,
}

impl Panicking {
    fn pass(&self) -> &MemoryStorage {
        assert!(!self.is_armed.load(Ordering::Relaxed), "a page is damaged");
        &self.storage
    }
}

impl Storage for Panicking {
    fn name(&self) -> &'static str {
        self.storage.name()
    }

    fn capabilities(&self) -> Capabilities {
        self.storage.capabilities()
    }

    fn backend(&self, kind: EntityKind) -> &dyn StorageEngine {
        self.storage.backend(kind)
    }

    fn keyspace(&self, name: &str) -> tidal_storage::Result<Arc<dyn StorageEngine>> {
        let meanwhile = self.meanwhile.lock().unwrap().take();
        if let Some((begun, go_on)) = meanwhile {
            begun.send(()).unwrap();
            go_on.recv().unwrap();
        }
        self.pass().keyspace(name)
    }

    fn commit(&self, batch: AtomicBatch, durability: Durability) -> tidal_storage::Result<()> {
        self.storage.commit(batch, durability)
    }

    fn snapshot(&self) -> tidal_storage::Result<Box<dyn Snapshot + '_>> {
        self.pass().snapshot()
    }

    fn begin_with(&self, isolation: Isolation) -> tidal_storage::Result<Transaction<'_>> {
        self.storage.begin_with(isolation)
    }

    fn flush_all(&self) -> tidal_storage::Result<()> {
        self.storage.flush_all()
    }

    fn stats(&self) -> tidal_storage::Result<StorageStats> {
        self.storage.stats()
    }

    fn close(&self) -> tidal_storage::Result<()> {
        Ok(())
    }
}

/// G85: an engine that panics while a record is folded is one that cannot be read. The log
/// takes nothing more, whoever asks is told, and dropping the database panics nowhere.
#[test]
fn a_panic_of_storage_passes_over_nothing() {
    let disk = SimDisk::new(1);
    let storage = Arc::new(Panicking::default());
    let db = open(&disk, Arc::<Panicking>::clone(&storage) as _);
    submit(&db, 1, [1]).unwrap().wait().unwrap();
    storage.is_armed.store(true, Ordering::Relaxed);
    // Looking at the state costs the writers nothing.
    assert!(matches!(db.checksum(), Err(TidalError::Closed)));
    let not_folded = assign(&db, b"name").unwrap();
    is_not_folded(not_folded.wait());
    is_not_folded(submit(&db, 1, [2]).and_then(Ticket::wait));
    is_not_folded(db.checkpoint());
    assert_eq!((db.parts().log.head().seq.get(), counted(&db)), (3, 1));
    is_not_folded(db.shutdown());
    drop(db);

    storage.is_armed.store(false, Ordering::Relaxed);
    let db = open(&disk, storage);
    assert_eq!(db.find_entity(EntityKind::User, "name").unwrap(), Some(EntityId::new(1)));
    submit(&db, 1, [2]).unwrap().wait().unwrap();
    assert_eq!(counted(&db), 2);
}

/// A panic of storage while a name is looked for is the caller's alone: commits go on, and
/// the database ends without one.
#[test]
fn a_panic_of_storage_leaves_the_gate_whole() {
    let storage = Arc::new(Panicking::default());
    let db = open(&SimDisk::new(1), Arc::clone(&storage) as _);
    storage.is_armed.store(true, Ordering::Relaxed);
    let assign = || db.parts().gate.assign(EntityKind::User, &[b"name"]);
    assert!(catch_unwind(AssertUnwindSafe(assign)).is_err());
    storage.is_armed.store(false, Ordering::Relaxed);
    submit(&db, 1, [1]).unwrap().wait().unwrap();
    assert_eq!(db.entity_id(EntityKind::User, "name").unwrap(), EntityId::new(1));
    drop(db);
}

/// While one looks for a name in storage, nobody waits for it; and when another has given
/// the name its id meanwhile, it gets no second one.
#[test]
fn a_name_that_was_assigned_meanwhile_gets_no_second_id() {
    let storage = Arc::new(Panicking::default());
    let db = open(&SimDisk::new(1), Arc::clone(&storage) as _);
    let kind = EntityKind::User;
    let ((begun, begins), (goes_on, go_on)) = (channel(), channel());
    *storage.meanwhile.lock().unwrap() = Some((begun, go_on));
    thread::scope(|scope| {
        let slow = scope.spawn(|| db.parts().gate.assign(kind, &[b"name", b"other"]));
        begins.recv().unwrap();
        assert_eq!(db.entity_id(kind, "name").unwrap(), EntityId::new(1));
        goes_on.send(()).unwrap();
        let ticket = slow.join().unwrap().unwrap().unwrap();
        assert_eq!(ticket.wait().unwrap().outcomes.len(), 1, "the name has its id");
    });
    let ids = db.entity_ids(kind, &["name", "other"]).unwrap();
    assert_eq!(ids, [EntityId::new(1), EntityId::new(2)]);
    db.shutdown().unwrap();
}

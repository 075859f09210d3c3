//! A record that cannot be folded, since storage cannot be read.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
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

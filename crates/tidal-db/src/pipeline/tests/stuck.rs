//! A record that cannot be folded, since storage cannot be read.

use std::path::Path;
use std::time::Duration;

use tidal_storage::{AtomicBatch, Durability, KeyspaceName, MemoryStorage, Storage};
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

use std::fs;
use std::io;
use std::sync::atomic::AtomicU32;

use ::redb::{Builder, StorageBackend, TableDefinition};
use tidal_types::EntityKind;

use super::*;
use crate::Storage;

/// A file in memory that fails to sync once it is told to.
#[derive(Debug, Default)]
struct Failing {
    memory: ::redb::backends::InMemoryBackend,
    syncs_left: Arc<AtomicU32>,
}

impl StorageBackend for Failing {
    fn len(&self) -> io::Result<u64> {
        self.memory.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.memory.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.memory.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        let left = self
            .syncs_left
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |left| left.checked_sub(1));
        left.map(drop).map_err(|_| io::Error::other("the disk is gone"))
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.memory.write(offset, data)
    }
}

/// S7, R4.
#[test]
fn after_a_failed_sync_writes_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let syncs_left = Arc::new(AtomicU32::new(u32::MAX));
    let backend = Failing { syncs_left: Arc::clone(&syncs_left), ..Failing::default() };
    let database = Builder::new().create_with_backend(backend).unwrap();
    let lock = DirectoryLock::acquire(directory.path()).unwrap();
    let file = File::Writable(RwLock::new(database));
    let driver = Redb::over(file, directory.path(), lock).unwrap();
    let storage = RedbStorage::over(driver, directory.path().into()).unwrap();
    let items = storage.backend(EntityKind::Item);
    items.put(b"key", b"value").unwrap();
    syncs_left.store(0, Ordering::Release);
    let error = items.put(b"key", b"other").unwrap_err();
    assert!(matches!(error, StorageError::Io { operation: "write", .. }), "{error}");
    syncs_left.store(u32::MAX, Ordering::Release);
    for refused in
        [items.put(b"key", b"other"), items.delete(b"key"), items.flush(), storage.flush_all()]
    {
        let error = refused.unwrap_err();
        assert!(matches!(error, StorageError::Poisoned { .. }), "{error}");
    }
    let error = storage.close().unwrap_err();
    assert!(matches!(error, StorageError::Poisoned { .. }), "{error}");
}

#[test]
fn compacting_gives_back_the_space_of_what_was_deleted_unless_someone_reads() {
    let storage = RedbStorage::open_temp().unwrap();
    let items = storage.backend(EntityKind::Item);
    for n in 0..200u8 {
        items.put(&[n], &[n; 20_000]).unwrap();
    }
    let full = storage.stats().unwrap().disk_bytes;
    for n in 0..200u8 {
        items.delete(&[n]).unwrap();
    }
    let snapshot = storage.snapshot().unwrap();
    items.compact().unwrap();
    assert!(storage.stats().unwrap().disk_bytes >= full);
    drop(snapshot);
    // The newest moment, which this read has made, is no hindrance.
    assert!(!items.contains(&[7]).unwrap());
    items.compact().unwrap();
    let empty = storage.stats().unwrap().disk_bytes;
    assert!(empty < full, "{empty} after {full}");
    items.put(b"key", b"value").unwrap();
}

#[test]
fn a_table_of_other_types_is_refused_by_its_name() {
    let directory = tempfile::tempdir().unwrap();
    let database = Database::create(directory.path().join(LAYOUT.data)).unwrap();
    let transaction = database.begin_write().unwrap();
    transaction.open_table(TableDefinition::<u64, u64>::new("items")).unwrap();
    transaction.commit().unwrap();
    drop(database);
    let error = RedbStorage::open(directory.path()).unwrap_err();
    assert!(
        matches!(&error, StorageError::NotStorage { problem, .. } if problem.contains("items")),
        "{error}"
    );
}

#[test]
fn a_file_that_was_cut_or_is_something_else_is_damage_and_stays_as_it_was() {
    let directory = tempfile::tempdir().unwrap();
    let storage = RedbStorage::open(directory.path()).unwrap();
    storage.backend(EntityKind::Item).put(b"key", b"value").unwrap();
    storage.close().unwrap();
    let data = LAYOUT.data_file(directory.path());
    let whole = fs::read(&data).unwrap();
    for bytes in [&b""[..], b"text", &whole[..100], &whole[..5000], &vec![7; 10_000]] {
        fs::write(&data, bytes).unwrap();
        let error = RedbStorage::open(directory.path()).unwrap_err();
        assert!(matches!(error, StorageError::Damaged { .. }), "{} bytes: {error}", bytes.len());
        assert!(fs::read(&data).unwrap() == bytes, "{} bytes were changed", bytes.len());
    }
    fs::write(&data, &whole).unwrap();
    let storage = RedbStorage::open(directory.path()).unwrap();
    assert!(storage.backend(EntityKind::Item).contains(b"key").unwrap());
}

/// redb looks at what is free when it is closed, and panics over what cannot be.
#[test]
fn a_damaged_page_ends_nothing_when_the_file_is_closed() {
    let directory = tempfile::tempdir().unwrap();
    let storage = RedbStorage::open(directory.path()).unwrap();
    storage.backend(EntityKind::Item).put(b"key", b"value").unwrap();
    storage.close().unwrap();
    let data = LAYOUT.data_file(directory.path());
    let whole = fs::read(&data).unwrap();
    let mut gave_up = 0;
    for at in (4096..whole.len()).step_by(4096).flat_map(|page| page..page + 4) {
        let mut bytes = whole.clone();
        bytes[at] = 0;
        fs::write(&data, &bytes).unwrap();
        // The damage shows when it is opened, when it is closed, or not at all.
        if let Ok(storage) = RedbStorage::open(directory.path())
            && let Err(error) = storage.close()
        {
            assert!(matches!(error, StorageError::Damaged { .. }), "byte {at}: {error}");
            gave_up += 1;
        }
    }
    assert!(gave_up > 0, "no page makes it panic");
}

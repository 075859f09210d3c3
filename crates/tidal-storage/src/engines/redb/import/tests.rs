use std::fs;
use std::path::PathBuf;

use ::redb::{Database, MultimapTableDefinition};
use tempfile::TempDir;
use tidal_types::{EntityKind, ErrorKind};

use super::*;
use crate::{KeyValue, MemoryStorage};

/// A file of another program, with a table of each kind.
fn foreign() -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("theirs.redb");
    let database = Database::create(&path).unwrap();
    let write = database.begin_write().unwrap();
    {
        let mut bytes = write.open_table(TableDefinition::<Bytes, Bytes>::new("bytes")).unwrap();
        for key in 0..40_000_u32 {
            bytes.insert(key.to_le_bytes().as_slice(), [7; 60].as_slice()).unwrap();
        }
        let mut texts = write.open_table(TableDefinition::<Text, Text>::new("texts")).unwrap();
        texts.insert("é", "So What").unwrap();
        let mut mixed = write.open_table(TableDefinition::<Text, Bytes>::new("mixed")).unwrap();
        mixed.insert("a", [0xff].as_slice()).unwrap();
        let mut other = write.open_table(TableDefinition::<Bytes, Text>::new("other")).unwrap();
        other.insert([0xff].as_slice(), "z").unwrap();
        let mut numbers = write.open_table(TableDefinition::<u64, Bytes>::new("numbers")).unwrap();
        numbers.insert(1, [1].as_slice()).unwrap();
        let several = MultimapTableDefinition::<Bytes, Bytes>::new("several");
        write.open_multimap_table(several).unwrap();
        let mut long = write.open_table(TableDefinition::<Bytes, Bytes>::new("long")).unwrap();
        long.insert([1].as_slice(), [].as_slice()).unwrap();
        long.insert([2; 512].as_slice(), [].as_slice()).unwrap();
        let mut empty = write.open_table(TableDefinition::<Bytes, Bytes>::new("empty")).unwrap();
        empty.insert([].as_slice(), [].as_slice()).unwrap();
        write.open_table(TableDefinition::<Bytes, Bytes>::new("nothing")).unwrap();
    }
    write.commit().unwrap();
    (dir, path)
}

fn entries(storage: &MemoryStorage, keyspace: &str) -> Vec<KeyValue> {
    let keyspace = storage.keyspace(keyspace).unwrap();
    keyspace.scan_prefix(&[]).unwrap().collect::<Result<_>>().unwrap()
}

/// G57: bytes and strings come over as they are, and the file stays as it was.
#[test]
fn tables_of_bytes_and_of_strings_are_read() {
    let (_dir, path) = foreign();
    let before = fs::read(&path).unwrap();
    let storage = MemoryStorage::new();
    let report = import_redb(&path, "bytes", &storage, "items").unwrap();
    assert_eq!(report, ImportReport { keys: 40_000, bytes: 40_000 * 64 });
    let items = storage.backend(EntityKind::Item);
    assert_eq!(items.stats().unwrap().keys, 40_000);
    assert_eq!(items.get(&39_999_u32.to_le_bytes()).unwrap(), Some(vec![7; 60]));
    for (table, key, value) in [
        ("texts", "é".as_bytes(), b"So What".as_slice()),
        ("mixed", b"a", &[0xff]),
        ("other", &[0xff], b"z"),
    ] {
        assert_eq!(import_redb(&path, table, &storage, table).unwrap().keys, 1);
        assert_eq!(entries(&storage, table), [(key.to_vec(), value.to_vec())]);
    }
    // What is there stays, unless the table has it too.
    let notes = storage.keyspace("texts").unwrap();
    notes.put("é".as_bytes(), b"mine").unwrap();
    notes.put(b"mine", b"mine").unwrap();
    import_redb(&path, "texts", &storage, "texts").unwrap();
    assert_eq!(entries(&storage, "texts").len(), 2);
    assert_eq!(notes.get("é".as_bytes()).unwrap().as_deref(), Some(&b"So What"[..]));
    assert_eq!(import_redb(&path, "nothing", &storage, "none").unwrap(), ImportReport::default());
    assert_eq!(fs::read(&path).unwrap(), before);
}

/// G57: what cannot be imported is told, and leaves nothing.
#[test]
fn what_cannot_be_imported_is_refused() {
    let (dir, path) = foreign();
    let before = fs::read(&path).unwrap();
    let storage = MemoryStorage::new();
    let refused = |table: &str| import_redb(&path, table, &storage, "items").unwrap_err();
    for (table, told) in
        [("numbers", "u64"), ("several", "several values"), ("absent", "\"texts\"")]
    {
        let error = refused(table);
        assert!(matches!(error, StorageError::Import { .. }), "{error}");
        assert!(error.to_string().contains(told), "{error}");
        assert_eq!(error.kind(), ErrorKind::Input);
    }
    for (table, length) in [("long", 512), ("empty", 0)] {
        let error = refused(table);
        assert!(
            matches!(error, StorageError::KeyLength { bytes, .. } if bytes == length),
            "{error}"
        );
    }
    let error = import_redb(&path, "bytes", &storage, "No Name").unwrap_err();
    assert!(matches!(error, StorageError::KeyspaceName { .. }), "{error}");
    assert!(entries(&storage, "items").is_empty());
    assert_eq!(fs::read(&path).unwrap(), before);
    let none = dir.path().join("none.redb");
    import_redb(&none, "bytes", &storage, "items").unwrap_err();
    assert!(!none.exists());
}

/// G57: a file that is open, was not closed, or is no redb file.
#[test]
fn a_file_that_cannot_be_read_is_refused_untouched() {
    let (dir, path) = foreign();
    let storage = MemoryStorage::new();
    let database = Database::open(&path).unwrap();
    let error = import_redb(&path, "bytes", &storage, "items").unwrap_err();
    assert!(matches!(error, StorageError::Locked { .. }), "{error}");
    // What a process that was killed leaves.
    let write = database.begin_write().unwrap();
    write.open_table(TableDefinition::<Text, Text>::new("texts")).unwrap();
    write.commit().unwrap();
    let torn = dir.path().join("torn.redb");
    fs::copy(&path, &torn).unwrap();
    drop(database);
    let before = fs::read(&torn).unwrap();
    let error = import_redb(&torn, "bytes", &storage, "items").unwrap_err();
    assert!(error.to_string().contains("not closed"), "{error}");
    assert_eq!(fs::read(&torn).unwrap(), before);
    let text = dir.path().join("text");
    fs::write(&text, "not a database").unwrap();
    import_redb(&text, "bytes", &storage, "items").unwrap_err();
    assert_eq!(fs::read(&text).unwrap(), b"not a database");
}

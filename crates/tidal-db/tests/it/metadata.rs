//! Metadata of items, before and after a checkpoint.

use tidal_db::{Batch, METADATA_BYTES_MAX, TidalDB, TidalError, Window};

use crate::fixture::{NOW, id, open, schema};

/// G17
#[test]
fn metadata_is_read_back_wherever_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let db = open(dir.path());
    let expect = |db: &TidalDB, context: &str| {
        assert_eq!(db.read_item(id(1)).unwrap().as_deref(), Some(b"two".as_slice()), "{context}");
        assert_eq!(db.read_item(id(2)).unwrap(), None, "{context}");
        assert!(!db.item_exists(id(2)).unwrap(), "{context}");
        assert_eq!(db.read_item(id(3)).unwrap(), Some(Vec::new()), "{context}");
        assert!(db.item_exists(id(3)).unwrap(), "{context}");
    };
    db.write_item(id(1), "one").unwrap();
    db.write_item(id(2), "gone").unwrap();
    db.checkpoint().unwrap();
    db.write_item(id(1), "two").unwrap();
    db.delete_item(id(2)).unwrap();
    db.write_item(id(3), "").unwrap();
    expect(&db, "over storage");
    let checksum = db.checksum().unwrap();
    db.checkpoint().unwrap();
    expect(&db, "in storage");
    assert_eq!(db.checksum().unwrap(), checksum);
    drop(db);
    let db = open(dir.path());
    expect(&db, "reopened");
    assert_eq!(db.checksum().unwrap(), checksum);
}

/// G17
#[test]
fn deleting_metadata_leaves_signals() {
    let db = TidalDB::in_memory(schema()).unwrap();
    db.signal("view", id(1), 1.0, NOW).unwrap();
    db.write_item(id(1), "title").unwrap();
    db.delete_item(id(1)).unwrap();
    assert!(!db.item_exists(id(1)).unwrap());
    assert_eq!(db.windowed_count("view", id(1), Window::AllTime).unwrap(), 1);
    db.delete_item(id(1)).unwrap();
}

#[test]
fn the_last_write_of_a_batch_wins() {
    let db = TidalDB::in_memory(schema()).unwrap();
    let batch = Batch::new()
        .write_item(id(1), "one")
        .delete_item(id(1))
        .write_item(id(1), "two")
        .write_item(id(2), "x")
        .delete_item(id(2));
    db.commit(batch).unwrap();
    assert_eq!(db.read_item(id(1)).unwrap().as_deref(), Some(b"two".as_slice()));
    assert_eq!(db.read_item(id(2)).unwrap(), None);
}

#[test]
fn metadata_has_a_limit() {
    let db = TidalDB::in_memory(schema()).unwrap();
    db.write_item(id(1), vec![b'x'; METADATA_BYTES_MAX]).unwrap();
    let outcome = db.write_item(id(1), vec![b'x'; METADATA_BYTES_MAX + 1]);
    assert!(matches!(outcome, Err(TidalError::MetadataLength { .. })), "{outcome:?}");
}

/// A checksum sees a change of metadata wherever it is kept.
#[test]
fn the_checksum_covers_metadata() {
    let checksum = |writes: &[(u64, &str)], checkpoint_after: usize| {
        let db = TidalDB::in_memory(schema()).unwrap();
        for (index, &(number, text)) in writes.iter().enumerate() {
            db.write_item(id(number), text).unwrap();
            if index + 1 == checkpoint_after {
                db.checkpoint().unwrap();
            }
        }
        db.checksum().unwrap()
    };
    let writes = [(5, "a"), (1, "b"), (9, "c"), (3, "d"), (5, "e")];
    let expected = checksum(&writes, 0);
    for checkpoint_after in 1..=writes.len() {
        assert_eq!(checksum(&writes, checkpoint_after), expected, "{checkpoint_after}");
    }
    assert_ne!(checksum(&writes[..4], 0), expected);
}

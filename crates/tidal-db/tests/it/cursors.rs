//! Cursors that another program has in the database's log.

use tidal_db::{EntityId, Retention};
use tidal_wal::{Wal, WalOptions};

use crate::fixture::{NOW, builder};

/// G29, G32: a checkpoint cuts the log only as far as its cursors have come, and the
/// statistics say which one that is.
#[test]
fn a_cursor_keeps_the_log_from_being_cut() {
    let dir = tempfile::tempdir().unwrap();
    let open = || builder(dir.path()).retain(Retention::UntilCheckpoint).open().unwrap();
    open().shutdown().unwrap();
    let with_log = |use_it: &dyn Fn(&Wal)| {
        let log = Wal::open(&dir.path().join("log"), WalOptions::default()).unwrap();
        use_it(&log);
        log.close().unwrap();
    };
    with_log(&|log| drop(log.cursor("search").unwrap()));
    let db = open();
    let metadata = vec![7; 50_000];
    for item in 1..=60 {
        db.write_item(EntityId::new(item), metadata.clone()).unwrap();
    }
    db.signal("view", EntityId::new(1), 1.0, NOW).unwrap();
    db.checkpoint().unwrap();
    let stats = db.stats().unwrap();
    assert_eq!(stats.log.held_by.as_deref(), Some("search"));
    assert_eq!(stats.log.first_seq, stats.log.cursors[0].place.next());
    assert_eq!(stats.log.cursors[0].records_behind, stats.records);
    assert_eq!(stats.log_bytes, stats.log.bytes_on_disk);
    assert_eq!(stats.log.head, stats.position);
    db.shutdown().unwrap();

    with_log(&|log| log.remove_cursor("search").unwrap());
    let db = open();
    db.checkpoint().unwrap();
    db.signal("view", EntityId::new(1), 1.0, NOW).unwrap();
    // The log is cut behind the checkpoint before this one.
    db.checkpoint().unwrap();
    let stats = db.stats().unwrap();
    assert_eq!((stats.log.held_by, stats.log.cursors.len()), (None, 0));
    assert!(stats.log.first_seq.get() > 50, "{}", stats.log.first_seq);
}

//! What opening has to read.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tidal_db::{
    Batch, Config, DecaySpec, EntityKind, Schema, SchemaBuilder, Storage, StorageError, TidalDB,
    Window,
};
use tidal_storage::{AtomicBatch, Durability, FjallStorage, Result};

use crate::fixture::{ago, id};
use crate::forwarding::forward_to_storage;

/// With four events each, some ten megabytes of fjall's journal in six commits.
const CELLS: u64 = 150_000;

/// A storage on disk that takes only so many commits, as if the process ended then.
#[derive(Debug)]
struct Killed {
    storage: FjallStorage,
    commits_left: AtomicUsize,
}

impl Storage for Killed {
    forward_to_storage!();

    fn commit(&self, batch: AtomicBatch, durability: Durability) -> Result<()> {
        let take = |left: usize| left.checked_sub(1);
        match self.commits_left.try_update(Ordering::SeqCst, Ordering::SeqCst, take) {
            Ok(_) => self.storage.commit(batch, durability),
            Err(_) => Err(StorageError::Poisoned { path: "killed".into() }),
        }
    }

    fn close(&self) -> Result<()> {
        self.storage.close()
    }
}

fn schema() -> Schema {
    let mut builder = SchemaBuilder::new();
    let view = builder.signal("view", EntityKind::Item, DecaySpec::Permanent);
    view.windows(&[Window::AllTime]).add();
    builder.build().unwrap()
}

/// Counts so many events of each item.
fn view(db: &TidalDB, events: u64) {
    for first in (0..CELLS).step_by(5_000) {
        let mut batch = Batch::new();
        for (item, event) in
            (first..first + 5_000).flat_map(|item| (0..events).map(move |event| (item, event)))
        {
            batch = batch.signal("view", id(item), 1.0, ago(7 * event));
        }
        db.commit(batch).unwrap();
    }
}

/// The bytes of fjall's journals, all of which it reads when it opens.
fn journal_bytes(storage: &Path) -> u64 {
    let files = fs::read_dir(storage).unwrap().map(|entry| entry.unwrap());
    let journals = files.filter(|file| file.path().extension().is_some_and(|is| is == "jnl"));
    journals.map(|file| file.metadata().unwrap().len()).sum()
}

/// G117: whether a checkpoint was finished or cut short.
#[test]
fn opening_reads_little_of_what_checkpoints_wrote() {
    let mut cut_short = 0;
    for commits in [usize::MAX, 2, 5] {
        let dir = tempfile::tempdir().unwrap();
        let parts = ["database", "storage"].map(|part| dir.path().join(part));
        let [data_dir, files] = &parts;
        let open = |commits| {
            let storage = FjallStorage::open(files).unwrap();
            // A journal that was cut, and not one that is kept larger than it is.
            let read = journal_bytes(files);
            let storage = Arc::new(Killed { storage, commits_left: AtomicUsize::new(commits) });
            let config = Config { data_dir: data_dir.clone(), schema: schema() };
            (TidalDB::builder(config).storage(storage).open().unwrap(), read)
        };
        let (db, _) = open(usize::MAX);
        view(&db, 1);
        db.checkpoint().unwrap();
        drop(db);
        let (db, read) = open(commits);
        assert!(read < 64 << 10, "{read} bytes behind a checkpoint");
        view(&db, 3);
        let checksum = db.checksum().unwrap();
        cut_short += usize::from(db.checkpoint().is_err());
        drop(db);
        let (db, read) = open(usize::MAX);
        assert!(read < 4 << 20, "{read} bytes behind {commits} commits");
        assert_eq!(db.checksum().unwrap(), checksum);
        assert_eq!(db.decay_score("view", id(CELLS / 2)).unwrap(), 4.0);
    }
    assert_eq!(cut_short, 2);
}

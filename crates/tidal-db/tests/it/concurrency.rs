//! Many threads, tickets, and reads beside writes.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

use tidal_db::{Batch, By, Durability, TidalDB, Window};

use crate::fixture::{NOW, builder, id, open, schema};

#[test]
fn the_database_is_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<TidalDB>();
}

/// W2 of the pipeline: whoever was answered reads its own write.
/// G1
#[test]
fn a_caller_reads_its_own_write() {
    let dir = tempfile::tempdir().unwrap();
    let db = Arc::new(open(dir.path()));
    let threads: Vec<_> = (0..8)
        .map(|thread| {
            let db = Arc::clone(&db);
            thread::spawn(move || {
                for count in 1..=30 {
                    db.signal("view", id(thread), 1.0, NOW).unwrap();
                    assert_eq!(
                        db.windowed_count("view", id(thread), Window::AllTime).unwrap(),
                        count
                    );
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    let ranked = db.top("view", By::Count(Window::AllTime), 10).unwrap();
    assert_eq!(ranked.len(), 8);
    assert!(ranked.iter().all(|ranked| ranked.value == 30.0));
}

/// G2
#[test]
fn one_thread_keeps_many_commits_in_flight() {
    for durability in [Durability::Durable, Durability::Written, Durability::Buffered] {
        let dir = tempfile::tempdir().unwrap();
        let db = builder(dir.path()).durability(durability).open().unwrap();
        let tickets: Vec<_> = (0..3000)
            .map(|_| db.submit(Batch::new().signal("view", id(1), 1.0, NOW)).unwrap())
            .collect();
        let seqs: Vec<_> =
            tickets.into_iter().map(|ticket| ticket.wait().unwrap().position.seq.get()).collect();
        assert!(seqs.is_sorted());
        assert_eq!(db.windowed_count("view", id(1), Window::AllTime).unwrap(), 3000);
        drop(db);
        let db = open(dir.path());
        assert_eq!(db.windowed_count("view", id(1), Window::AllTime).unwrap(), 3000);
    }
}

/// G3
#[test]
fn dropped_tickets_are_committed_all_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let db = open(dir.path());
    for _ in 0..100 {
        drop(db.submit(Batch::new().signal("view", id(1), 1.0, NOW)).unwrap());
    }
    drop(db);
    let db = open(dir.path());
    assert_eq!(db.windowed_count("view", id(1), Window::AllTime).unwrap(), 100);
}

struct Unpark(thread::Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

#[test]
fn a_commit_can_be_awaited() {
    let db = TidalDB::in_memory(schema()).unwrap();
    let mut ticket = pin!(db.submit(Batch::new().signal("view", id(1), 1.0, NOW)).unwrap());
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    let committed = loop {
        match ticket.as_mut().poll(&mut context) {
            Poll::Ready(committed) => break committed.unwrap(),
            Poll::Pending => thread::park(),
        }
    };
    assert_eq!(committed.outcomes.len(), 1);
}

/// Reads go on beside writes and checkpoints, and never see more than there is.
#[test]
fn reads_go_on_beside_writes_and_checkpoints() {
    let dir = tempfile::tempdir().unwrap();
    let db = Arc::new(builder(dir.path()).checkpoint_every(500).open().unwrap());
    let writer = {
        let db = Arc::clone(&db);
        thread::spawn(move || {
            for _ in 0..50 {
                let mut batch = Batch::new();
                for number in 0..100 {
                    batch = batch.signal("view", id(number), 1.0, NOW);
                }
                db.commit(batch).unwrap();
            }
        })
    };
    let mut last = 0;
    while !writer.is_finished() {
        let count = db.windowed_count("view", id(7), Window::AllTime).unwrap();
        assert!(count >= last && count <= 50);
        last = count;
        for ranked in db.top("view", By::Count(Window::AllTime), 10).unwrap() {
            assert!(ranked.value <= 50.0);
        }
    }
    writer.join().unwrap();
    assert_eq!(db.windowed_count("view", id(7), Window::AllTime).unwrap(), 50);
}

/// G13: a read without a time is never refused, whatever comes in meanwhile, and
/// one at a time is right or refused.
#[test]
fn implicit_reads_are_never_refused() {
    let db = Arc::new(TidalDB::in_memory(schema()).unwrap());
    let writer = {
        let db = Arc::clone(&db);
        thread::spawn(move || {
            let start = tidal_db::Timestamp::now().saturating_add(Duration::from_secs(60));
            for step in 0..20_000 {
                let at = start.saturating_add(Duration::from_millis(step));
                db.signal("view", id(1), 1.0, at).unwrap();
            }
        })
    };
    while !writer.is_finished() {
        db.decay_score("view", id(1)).unwrap();
        db.top("view", By::Score, 1).unwrap();
        db.windowed_count("view", id(1), Window::OneHour).unwrap();
    }
    writer.join().unwrap();
}

/// A waker may hold the last reference to the database.
#[test]
fn a_database_can_be_dropped_by_a_waker() {
    struct LastReference(std::sync::Mutex<Option<Arc<TidalDB>>>);
    impl Wake for LastReference {
        fn wake(self: Arc<Self>) {
            drop(self.0.lock().unwrap().take());
        }
    }
    let dir = tempfile::tempdir().unwrap();
    for _ in 0..20 {
        let db = Arc::new(open(dir.path()));
        let mut ticket = pin!(db.submit(Batch::new().signal("view", id(1), 1.0, NOW)).unwrap());
        let waker = Waker::from(Arc::new(LastReference(std::sync::Mutex::new(Some(db)))));
        let mut context = Context::from_waker(&waker);
        while ticket.as_mut().poll(&mut context).is_pending() {
            thread::yield_now();
        }
        drop(waker);
        // The directory is free once the applier has closed the database.
        while builder(dir.path()).open().is_err() {
            thread::yield_now();
        }
    }
}

/// G20: whoever shuts down second finds it done.
#[test]
fn shutdowns_can_race() {
    let dir = tempfile::tempdir().unwrap();
    for _ in 0..20 {
        let db = Arc::new(open(dir.path()));
        db.signal("view", id(1), 1.0, NOW).unwrap();
        let threads: Vec<_> = (0..4)
            .map(|_| {
                let (db, dir) = (Arc::clone(&db), dir.path().to_path_buf());
                thread::spawn(move || {
                    db.shutdown().unwrap();
                    // Another thread may have been faster to open it again.
                    match builder(&dir).open() {
                        Ok(_) | Err(tidal_db::TidalError::Locked { .. }) => {}
                        Err(error) => panic!("{error}"),
                    }
                })
            })
            .collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        drop(open(dir.path()));
    }
}

/// What is in flight is bounded: a writer that never waits for its tickets waits
/// for room.
#[test]
fn a_writer_that_never_waits_is_held_back() {
    let dir = tempfile::tempdir().unwrap();
    let db = open(dir.path());
    let metadata = vec![b'x'; 1 << 20];
    for _ in 0..10 {
        let mut batch = Batch::new();
        for number in 0..14 {
            batch = batch.write_item(id(number), metadata.clone());
        }
        drop(db.submit(batch).unwrap());
    }
    db.checksum().unwrap();
    drop(db);
    assert_eq!(open(dir.path()).read_item(id(13)).unwrap(), Some(metadata));
}

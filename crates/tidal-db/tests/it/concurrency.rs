//! Many threads, tickets, and reads beside writes.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread;

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

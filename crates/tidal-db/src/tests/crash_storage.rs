//! A storage in memory that outlives the database as a disk would, and crashes as one.
//!
//! S1. A power cut leaves the commits up to any of them at or after the last one that
//!     was synced ([`CrashStorage::after_crash`]), in their order, each whole. Nothing but
//!     [`Storage::commit`] writes: what goes around it is lost in a crash.
//! S2. A commit that fails does nothing ([`CrashStorage::fail_commit`]). After a death
//!     ([`CrashStorage::die`], [`CrashStorage::die_after`]) all of them fail, as those of a
//!     process that has ended, and closing syncs nothing; reads go on, since a test cannot
//!     end the threads of the database.
//! S3. Commits wait as long as the storage is [held](CrashStorage::hold).

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};

use tidal_storage::{
    AtomicBatch, BatchOp, Capabilities, Durability, Isolation, MemoryStorage, Result, Snapshot,
    Storage, StorageEngine, StorageError, StorageStats, Transaction,
};
use tidal_types::EntityKind;

/// A storage whose commits survive a power cut up to the last one that was synced.
#[derive(Debug)]
pub(crate) struct CrashStorage {
    memory: MemoryStorage,
    journal: Mutex<Journal>,
    changed: Condvar,
}

/// What a commit wrote, by keyspace and key; `None` where it deleted.
pub(crate) type Written = BTreeMap<(String, Vec<u8>), Option<Vec<u8>>>;

#[derive(Debug, Default)]
struct Journal {
    commits: Vec<AtomicBatch>,
    /// So many of them are synced.
    synced: usize,
    is_held: bool,
    /// How many commits wait to be let through.
    waiting: usize,
    /// What becomes of the commit after so many more.
    fault: Option<(u64, Fault)>,
    is_dead: bool,
    has_failed: bool,
}

#[derive(Debug, Clone, Copy)]
enum Fault {
    Fail,
    Die,
}

impl CrashStorage {
    pub(crate) fn new() -> Arc<Self> {
        Self::of(Vec::new())
    }

    fn of(commits: Vec<AtomicBatch>) -> Arc<Self> {
        let memory = MemoryStorage::new();
        for batch in &commits {
            memory.commit(batch.clone(), Durability::Sync).unwrap();
        }
        let synced = commits.len();
        let journal = Journal { commits, synced, ..Journal::default() };
        Arc::new(Self { memory, journal: Mutex::new(journal), changed: Condvar::new() })
    }

    /// What is there after a crash that left `unsynced` commits behind the last one that
    /// was synced, or all of them where there are fewer.
    pub(crate) fn after_crash(&self, unsynced: usize) -> Arc<Self> {
        let journal = self.journal();
        let left = journal.synced.saturating_add(unsynced).min(journal.commits.len());
        Self::of(journal.commits[..left].to_vec())
    }

    /// What a power cut leaves at least.
    pub(crate) fn after_power_cut(&self) -> Arc<Self> {
        self.after_crash(0)
    }

    /// What another process finds after the end of the one before.
    pub(crate) fn after_kill(&self) -> Arc<Self> {
        self.after_crash(usize::MAX)
    }

    /// What each commit wrote that was made and not lost, in their order. Within a commit
    /// there is none.
    pub(crate) fn commits(&self) -> Vec<Written> {
        let written = |batch: &AtomicBatch| {
            let parts = batch.parts();
            let ops = parts.flat_map(|(space, part)| {
                part.ops().iter().map(move |op| match op {
                    BatchOp::Put { key, value } => {
                        ((space.as_str().to_owned(), key.clone()), Some(value.clone()))
                    }
                    BatchOp::Delete { key } => ((space.as_str().to_owned(), key.clone()), None),
                })
            });
            ops.collect()
        };
        self.journal().commits.iter().map(written).collect()
    }

    /// The commit after the next `count` fails, and those behind it succeed.
    pub(crate) fn fail_commit(&self, count: u64) {
        self.journal().fault = Some((count, Fault::Fail));
    }

    /// After the next `count` commits every one fails.
    pub(crate) fn die_after(&self, count: u64) {
        self.journal().fault = Some((count, Fault::Die));
    }

    /// From now on every commit fails.
    pub(crate) fn die(&self) {
        self.journal().is_dead = true;
    }

    /// No commit fails any more that was to fail, and none has.
    pub(crate) fn disarm(&self) {
        let mut journal = self.journal();
        journal.fault = None;
        journal.has_failed = false;
    }

    /// Whether the fault that was asked for is still to come.
    pub(crate) fn is_armed(&self) -> bool {
        self.journal().fault.is_some()
    }

    /// Whether no commit has failed yet.
    pub(crate) fn is_well(&self) -> bool {
        !self.journal().has_failed
    }

    /// From now on commits wait.
    pub(crate) fn hold(&self) {
        self.journal().is_held = true;
    }

    /// Lets the commits through that wait, and all others.
    pub(crate) fn release(&self) {
        self.journal().is_held = false;
        self.changed.notify_all();
    }

    /// Waits until a commit waits.
    pub(crate) fn wait_until_blocked(&self) {
        let none = |journal: &mut Journal| journal.waiting == 0;
        drop(self.changed.wait_while(self.journal(), none).unwrap());
    }

    fn journal(&self) -> MutexGuard<'_, Journal> {
        self.journal.lock().unwrap()
    }

    /// The journal, once commits are let through.
    fn enter(&self) -> MutexGuard<'_, Journal> {
        let mut journal = self.journal();
        journal.waiting += 1;
        self.changed.notify_all();
        let mut journal = self.changed.wait_while(journal, |journal| journal.is_held).unwrap();
        journal.waiting -= 1;
        journal
    }
}

impl Journal {
    /// A commit is about to be made.
    fn pass(&mut self) -> Result<()> {
        let mut fails = self.is_dead;
        match self.fault {
            Some((0, fault)) => {
                self.fault = None;
                self.is_dead |= matches!(fault, Fault::Die);
                fails = true;
            }
            Some((count, fault)) => self.fault = Some((count - 1, fault)),
            None => {}
        }
        self.has_failed |= fails;
        if fails { Err(failure()) } else { Ok(()) }
    }
}

fn failure() -> StorageError {
    StorageError::Poisoned { path: "a crash storage".into() }
}

impl Storage for CrashStorage {
    fn name(&self) -> &'static str {
        "crash"
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities { persistent: true, survives_power_cut: true, ..self.memory.capabilities() }
    }

    fn backend(&self, kind: EntityKind) -> &dyn StorageEngine {
        self.memory.backend(kind)
    }

    fn keyspace(&self, name: &str) -> Result<Arc<dyn StorageEngine>> {
        self.memory.keyspace(name)
    }

    fn commit(&self, batch: AtomicBatch, durability: Durability) -> Result<()> {
        let mut journal = self.enter();
        journal.pass()?;
        self.memory.commit(batch.clone(), durability)?;
        journal.commits.push(batch);
        if durability == Durability::Sync {
            journal.synced = journal.commits.len();
        }
        Ok(())
    }

    fn snapshot(&self) -> Result<Box<dyn Snapshot + '_>> {
        self.memory.snapshot()
    }

    fn begin_with(&self, isolation: Isolation) -> Result<Transaction<'_>> {
        self.memory.begin_with(isolation)
    }

    fn flush_all(&self) -> Result<()> {
        let mut journal = self.enter();
        journal.pass()?;
        journal.synced = journal.commits.len();
        Ok(())
    }

    fn stats(&self) -> Result<StorageStats> {
        self.memory.stats()
    }

    /// What was committed stays, as on a disk.
    fn close(&self) -> Result<()> {
        let mut journal = self.journal();
        if !journal.is_dead {
            journal.synced = journal.commits.len();
        }
        Ok(())
    }
}

/// A commit that is begun in a held storage is made once it is released, and a crash
/// leaves a prefix that begins with what was synced.
#[test]
fn a_crash_leaves_a_prefix_of_the_commits_from_the_last_sync_on() {
    let storage = CrashStorage::new();
    let commit = |number: u8, durability| {
        let mut batch = AtomicBatch::new();
        batch.put("system", [number], [number]);
        storage.commit(batch, durability)
    };
    let there = |storage: &CrashStorage| {
        let space = storage.keyspace("system").unwrap();
        (0..9).filter(|&number| space.contains(&[number]).unwrap()).collect::<Vec<u8>>()
    };
    commit(0, Durability::Sync).unwrap();
    commit(1, Durability::Buffer).unwrap();
    storage.fail_commit(1);
    commit(2, Durability::Buffer).unwrap();
    commit(3, Durability::Sync).unwrap_err();
    storage.hold();
    std::thread::scope(|scope| {
        let blocked = scope.spawn(|| commit(4, Durability::Buffer));
        storage.wait_until_blocked();
        assert_eq!(there(&storage), [0, 1, 2]);
        storage.release();
        blocked.join().unwrap().unwrap();
    });
    storage.die_after(1);
    commit(5, Durability::Buffer).unwrap();
    commit(6, Durability::Buffer).unwrap_err();
    commit(7, Durability::Sync).unwrap_err();
    assert!(!storage.is_armed());
    assert_eq!(there(&storage.after_power_cut()), [0]);
    assert_eq!(there(&storage.after_crash(2)), [0, 1, 2]);
    let left = storage.after_kill();
    assert_eq!((there(&left), left.commits().len()), (vec![0, 1, 2, 4, 5], 5));
}

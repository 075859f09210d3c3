//! Storage on disk with two engines: fjall for what is written often, redb for what
//! is read often, and one storage to whoever uses it.
//!
//! | two engines side by side                                  | here                                            |
//! |-----------------------------------------------------------|-------------------------------------------------|
//! | a key could be in either                                  | [`route`]: the key alone says in which          |
//! | a batch in both may be cut in half by a crash             | H1: [`redo`]                                    |
//! | a power cut may take a write of one and leave a later one | H2                                              |
//! | two snapshots are two moments                             | H3: reads share a pair of them                  |
//! | one of them may lose what it had synced, without a word   | H4                                              |
//! | one fails and the other goes on                           | H5                                              |
//! | one folder may be missing                                 | [`marker`] looks before the engines do          |
//!
//! H1. A batch in both is written to fjall first, together with a redo record of
//!     redb's part, and synced; then to redb, with the number of the record. Opening
//!     does what redb has not done. The record is docs/adr/0010-redo-record.md.
//! H2. redb syncs each commit (its R1). Before one, fjall is synced if it has
//!     anything that is not. So what a power cut leaves is what was written up to
//!     some commit, in both.
//! H3. One commit at a time; when it is in every engine that it is for, the pair of
//!     snapshots that reads share is made anew. So nobody waits in order to read, and
//!     nobody sees a half.
//! H4. A redo record is never removed, only written over by the next. So one that is
//!     older than redb says was lost by fjall, and with it what came after: damage.
//!     And one that is newer by more than one says that redb lost the one between.
//! H5. Once a commit has failed no other is tried, and reads stay before it.

mod marker;
mod open;
mod options;
mod redo;
mod route;
mod scan;

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, RwLock};

use tidal_types::StorageError;

pub use options::HybridOptions;
use redo::REDO;
use route::Side;
use scan::HybridScan;

use super::fjall::Fjall;
use super::redb::Redb;
use crate::sync::{lock, read, write};
use crate::{
    BatchOp, Capabilities, Direction, DirectoryLock, Driver, DriverBackend, DriverStorage,
    Durability, KeyRange, Result, SpaceId, SpaceOp, SpaceSize, directory_bytes,
};

/// Storage on disk with fjall and redb.
pub type HybridStorage = DriverStorage<Hybrid>;

/// One keyspace of a [`HybridStorage`].
pub type HybridBackend = DriverBackend<Hybrid>;

/// The driver of [`HybridStorage`].
///
/// Fields are dropped in this order: the lock of the directory comes last but for
/// the directory itself.
pub struct Hybrid {
    /// The moment that reads share (H3). `None` only while it is made.
    newest: RwLock<Option<Arc<Moment>>>,
    fjall: Fjall,
    redb: Redb,
    /// The keyspaces, by their numbers.
    spaces: Vec<Space>,
    /// The keyspace of each engine that is the driver's own.
    own: Sides<SpaceId>,
    /// Taken before the lock of the newest moment.
    commits: Mutex<Commits>,
    path: PathBuf,
    _lock: DirectoryLock,
    #[cfg(any(test, feature = "testing"))]
    temporary: Option<tempfile::TempDir>,
    /// Called between the two commits of a batch in both.
    #[cfg(test)]
    between: Mutex<Option<Between>>,
}

/// What a test does between two commits.
#[cfg(test)]
type Between = Box<dyn Fn() -> Result<()> + Send>;

/// One of each engine.
#[derive(Debug, Clone, Copy)]
struct Sides<T> {
    fjall: T,
    redb: T,
}

/// One keyspace, which is a keyspace of both.
#[derive(Debug)]
struct Space {
    name: String,
    ids: Sides<SpaceId>,
}

/// A moment of both engines, between two commits.
pub struct Moment {
    fjall: <Fjall as Driver>::Snapshot,
    redb: <Redb as Driver>::Snapshot,
}

/// What whoever commits has to know.
#[derive(Debug, Default)]
struct Commits {
    /// The number of the redo record that is in fjall; 0 if there is none.
    redo_number: u64,
    /// How many chunks it has.
    redo_chunks: u32,
    /// Whether fjall may have commits that a power cut would take (H2).
    unsynced: bool,
    /// H5.
    failed: bool,
}

impl fmt::Debug for Hybrid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hybrid").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Hybrid {
    fn space(&self, space: SpaceId) -> &Space {
        self.spaces.get(space.index()).expect("a keyspace is opened before it is used")
    }

    fn ids(&self, space: SpaceId) -> Sides<SpaceId> {
        self.space(space).ids
    }

    /// The right to commit, unless a commit has failed (H5).
    fn enter(&self) -> Result<MutexGuard<'_, Commits>> {
        let commits = lock(&self.commits);
        if commits.failed {
            return Err(StorageError::Poisoned { path: self.path.clone() });
        }
        Ok(commits)
    }

    /// A moment of both, asked for by who has the right to commit.
    fn moment(&self, _commits: &Commits) -> Result<Arc<Moment>> {
        let (fjall, redb) = (self.fjall.snapshot()?, self.redb.snapshot()?);
        Ok(Arc::new(Moment { fjall, redb }))
    }

    /// Shows everyone what was committed (H3).
    fn publish(&self, commits: &Commits) {
        // When it cannot be made now, the next read tries again, and tells why not.
        let moment = self.moment(commits).ok();
        *write(&self.newest) = moment;
    }

    /// The moment as of the last commit that has returned, or a later one.
    fn now(&self) -> Result<Arc<Moment>> {
        if let Some(moment) = &*read(&self.newest) {
            return Ok(Arc::clone(moment));
        }
        // It is being made, or could not be.
        let commits = self.enter()?;
        if let Some(moment) = &*read(&self.newest) {
            return Ok(Arc::clone(moment));
        }
        let moment = self.moment(&commits)?;
        *write(&self.newest) = Some(Arc::clone(&moment));
        Ok(moment)
    }

    fn at(&self, at: Option<&Arc<Moment>>) -> Result<Arc<Moment>> {
        at.map_or_else(|| self.now(), |moment| Ok(Arc::clone(moment)))
    }

    /// The writes for each engine, with its own numbers of the keyspaces.
    fn divide(&self, ops: Vec<SpaceOp>) -> Sides<Vec<SpaceOp>> {
        let mut parts = Sides { fjall: Vec::new(), redb: Vec::new() };
        for SpaceOp { space, op } in ops {
            let ids = self.ids(space);
            match Side::of(op.key()) {
                Side::Fjall => parts.fjall.push(SpaceOp { space: ids.fjall, op }),
                Side::Redb => parts.redb.push(SpaceOp { space: ids.redb, op }),
            }
        }
        parts
    }

    /// The name of a keyspace by its number in redb.
    fn name_in_redb(&self, space: SpaceId) -> &str {
        let found = self.spaces.iter().find(|known| known.ids.redb == space);
        &found.expect("a keyspace is opened before it is used").name
    }

    /// Brings a part to each engine that there is one for.
    fn apply(
        &self,
        commits: &mut Commits,
        parts: Sides<Vec<SpaceOp>>,
        durability: Durability,
    ) -> Result<()> {
        match (parts.fjall.is_empty(), parts.redb.is_empty()) {
            (_, true) => {
                self.fjall.commit(parts.fjall, durability)?;
                commits.unsynced = match durability {
                    Durability::Buffer => true,
                    Durability::Sync => false,
                };
                Ok(())
            }
            (true, false) => {
                if commits.unsynced {
                    self.fjall.sync()?;
                    commits.unsynced = false;
                }
                self.redb.commit(parts.redb, durability)
            }
            (false, false) => self.apply_to_both(commits, parts),
        }
    }

    /// H1.
    fn apply_to_both(&self, commits: &mut Commits, parts: Sides<Vec<SpaceOp>>) -> Result<()> {
        let number = commits.redo_number.saturating_add(1);
        let redone = parts.redb.iter().map(|op| (self.name_in_redb(op.space), &op.op));
        let (mut first, chunks) = redo::record(self.own.fjall, number, redone);
        first.extend((chunks..commits.redo_chunks).map(|old| SpaceOp {
            space: self.own.fjall,
            op: BatchOp::Delete { key: redo::chunk_key(old) },
        }));
        first.extend(parts.fjall);
        self.fjall.commit(first, Durability::Sync)?;
        *commits = Commits { redo_number: number, redo_chunks: chunks, ..Commits::default() };
        #[cfg(test)]
        if let Some(between) = &*lock(&self.between) {
            between()?;
        }
        let mut second = vec![redo::done(self.own.redb, number)];
        second.extend(parts.redb);
        self.redb.commit(second, Durability::Sync)
    }
}

impl Driver for Hybrid {
    type Snapshot = Arc<Moment>;
    type Scan = HybridScan;

    const NAME: &'static str = "hybrid";
    const CAPABILITIES: Capabilities = Capabilities {
        persistent: true,
        exact_key_count: false,
        survives_power_cut: true,
        read_only: false,
        buffer_syncs: true,
    };

    fn keyspace_names(&self) -> Vec<String> {
        // A crash may have left a keyspace in one of them only.
        let mut names = [self.fjall.keyspace_names(), self.redb.keyspace_names()].concat();
        names.retain(|name| name != REDO);
        names.sort_unstable();
        names.dedup();
        names
    }

    fn open_keyspace(&mut self, name: &str) -> Result<SpaceId> {
        // Otherwise the half of a commit that failed would show.
        drop(self.enter()?);
        let fjall = self.fjall.open_keyspace(name)?;
        let redb = self.redb.open_keyspace(name)?;
        self.spaces.push(Space { name: name.to_owned(), ids: Sides { fjall, redb } });
        self.publish(&*self.enter()?);
        Ok(SpaceId::new(self.spaces.len() - 1))
    }

    fn get(
        &self,
        at: Option<&Self::Snapshot>,
        space: SpaceId,
        key: &[u8],
    ) -> Result<Option<Vec<u8>>> {
        let (moment, ids) = (self.at(at)?, self.ids(space));
        match Side::of(key) {
            Side::Fjall => self.fjall.get(Some(&moment.fjall), ids.fjall, key),
            Side::Redb => self.redb.get(Some(&moment.redb), ids.redb, key),
        }
    }

    fn contains(&self, at: Option<&Self::Snapshot>, space: SpaceId, key: &[u8]) -> Result<bool> {
        let (moment, ids) = (self.at(at)?, self.ids(space));
        match Side::of(key) {
            Side::Fjall => self.fjall.contains(Some(&moment.fjall), ids.fjall, key),
            Side::Redb => self.redb.contains(Some(&moment.redb), ids.redb, key),
        }
    }

    fn scan(
        &self,
        at: Option<&Self::Snapshot>,
        space: SpaceId,
        range: KeyRange,
        direction: Direction,
    ) -> Result<Self::Scan> {
        let (moment, ids, only) = (self.at(at)?, self.ids(space), Side::only_one_of(&range));
        let mut fjall = None;
        if only != Some(Side::Redb) {
            let range = range.clone();
            fjall = Some(self.fjall.scan(Some(&moment.fjall), ids.fjall, range, direction)?);
        }
        let mut redb = None;
        if only != Some(Side::Fjall) {
            redb = Some(self.redb.scan(Some(&moment.redb), ids.redb, range, direction)?);
        }
        Ok(HybridScan::new(fjall, redb, direction))
    }

    fn commit(&self, ops: Vec<SpaceOp>, durability: Durability) -> Result<()> {
        let parts = self.divide(ops);
        let mut commits = self.enter()?;
        let applied = self.apply(&mut commits, parts, durability);
        match &applied {
            Ok(()) => self.publish(&commits),
            Err(_) => commits.failed = true,
        }
        applied
    }

    fn snapshot(&self) -> Result<Self::Snapshot> {
        self.now()
    }

    fn sync(&self) -> Result<()> {
        let mut commits = self.enter()?;
        let synced = self.fjall.sync().and_then(|()| self.redb.sync());
        match &synced {
            Ok(()) => commits.unsynced = false,
            Err(_) => commits.failed = true,
        }
        synced
    }

    fn shorten_recovery(&self) -> Result<()> {
        drop(self.enter()?);
        self.fjall.shorten_recovery()
    }

    fn compact(&self, space: SpaceId) -> Result<()> {
        drop(self.enter()?);
        let ids = self.ids(space);
        self.fjall.compact(ids.fjall)?;
        // redb wants nobody in it.
        let mut commits = self.enter()?;
        *write(&self.newest) = None;
        let compacted = self.redb.compact(ids.redb);
        self.publish(&commits);
        commits.failed = compacted.is_err();
        compacted
    }

    fn size(&self, space: SpaceId) -> Result<SpaceSize> {
        let ids = self.ids(space);
        let (fjall, redb) = (self.fjall.size(ids.fjall)?, self.redb.size(ids.redb)?);
        Ok(SpaceSize {
            keys: fjall.keys.saturating_add(redb.keys),
            bytes: fjall.bytes.saturating_add(redb.bytes),
        })
    }

    fn disk_bytes(&self) -> Result<u64> {
        directory_bytes(&self.path)
    }
}

#[cfg(test)]
mod tests;

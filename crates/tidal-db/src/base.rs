//! The base: the state before the log's first record, when the log was cut.
//!
//! It is a second storage, in the directory `base` of the database and of the same
//! engine, that holds a checkpoint in the same layout as the first one. It makes the
//! records that are kept mean something: what asks about the past starts from it.
//!
//! A1. The base is of the record before the log's first one, or of a later one: it is
//!     brought forward, durably, before the log is cut, and by the records that are
//!     about to go. So a crash may leave it ahead of the log's beginning and never
//!     behind it.
//! A2. A base that does not join the log (it is of another log, or the log was cut
//!     beyond it under another choice of retention) is none. It is made anew, from
//!     nothing, only when the log begins with record 1.
//! A3. When a salvaged or copied log takes the place of its parent, the base is bound to
//!     it before storage is.
//! A4. While anyone reads the base it stays as it is, and so does the log's beginning.
//! A5. A base that was cut short while it was written has cells of records behind its own,
//!     up to its reach. It is brought there before it is read as of a record.
//! A6. What was forgotten behind the base may be gone from it early: no record behind
//!     the one that forgets is about it, and every read of the past asks the database what
//!     was forgotten. So the base joins the log wherever a purge of it is cut short.

mod reading;

use std::collections::HashSet;
use std::fmt::Debug;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tidal_storage::{KeyspaceName, Storage};
use tidal_types::{EntityId, EntityKind, LogId, Seq};
use tidal_wal::create_dir_durable;

use crate::directory::{self, failed, remove_if_there};
use crate::log::RecordLog;
use crate::rebuild::Rebuild;
use crate::{Engine, Result, checkpoint};

/// Where a base is kept.
pub(crate) trait BasePlace: Debug + Send + Sync {
    /// Whether anything is there.
    fn is_taken(&self) -> bool;
    /// Opens the storage that is there; `None` when there is none.
    fn open(&self) -> Result<Option<Arc<dyn Storage>>>;
    /// Opens the storage, which is made when it is not there; `None` when no base can
    /// be kept.
    fn create(&self) -> Result<Option<Arc<dyn Storage>>>;
    /// Removes what is there.
    fn remove(&self) -> Result<()>;
}

/// In the directory of a database.
#[derive(Debug)]
pub(crate) struct InDirectory {
    path: PathBuf,
    engine: Engine,
}

impl InDirectory {
    /// The place in the database at `data_dir`, whose storage is of this engine.
    pub(crate) fn new(data_dir: &Path, engine: Engine) -> Self {
        Self { path: directory::base_dir(data_dir), engine }
    }
}

impl BasePlace for InDirectory {
    fn is_taken(&self) -> bool {
        self.path.exists()
    }

    fn open(&self) -> Result<Option<Arc<dyn Storage>>> {
        if self.is_taken() { self.engine.open(&self.path).map(Some) } else { Ok(None) }
    }

    fn create(&self) -> Result<Option<Arc<dyn Storage>>> {
        create_dir_durable(&self.path).map_err(failed("create", &self.path))?;
        self.engine.open(&self.path).map(Some)
    }

    fn remove(&self) -> Result<()> {
        remove_if_there(&self.path)
    }
}

/// Nowhere: for databases in memory.
#[derive(Debug)]
pub(crate) struct Nowhere;

impl BasePlace for Nowhere {
    fn is_taken(&self) -> bool {
        false
    }

    fn open(&self) -> Result<Option<Arc<dyn Storage>>> {
        Ok(None)
    }

    fn create(&self) -> Result<Option<Arc<dyn Storage>>> {
        Ok(None)
    }

    fn remove(&self) -> Result<()> {
        Ok(())
    }
}

/// What has become of the base before the log is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Advanced {
    /// It is as of the record before the cut, or a later one, durably.
    Reached,
    /// There is none and there can be none, since the log does not begin at record 1.
    Absent,
    /// There is no place for one, so that nothing may be cut for its sake.
    Nowhere,
    /// It is being read, so that it stays as it is.
    IsRead,
}

/// The base of an open database: who reads it, and what brings it forward.
#[derive(Debug)]
pub(crate) struct KeptBase {
    place: Arc<dyn BasePlace>,
    /// Held while the base is brought forward.
    readers: Mutex<Readers>,
}

#[derive(Debug, Default)]
struct Readers {
    count: usize,
    /// Opened by the first of them that needs it, and closed by the last.
    storage: Option<Arc<dyn Storage>>,
}

impl KeptBase {
    pub(crate) fn new(place: Arc<dyn BasePlace>) -> Self {
        Self { place, readers: Mutex::default() }
    }

    /// Brings the base forward to record `to`, which the log has synced (A1), unless it
    /// is being read (A4). It waits for who is opening it.
    pub(crate) fn advance(&self, log: &dyn RecordLog, to: Seq) -> Result<Advanced> {
        let readers = self.readers();
        if readers.count > 0 {
            return Ok(Advanced::IsRead);
        }
        advance(&*self.place, log, to)
    }

    /// Takes entities that were forgotten out of the base, also ahead of the records that
    /// forget them (A6), which are durable and in the database's storage, and out of the
    /// engine's files as far as it compacts them. The log was purged of them before: else
    /// a base that is brought forward would hold them again. A base that does not join the
    /// log goes as a whole, since it never will again (A2). Returns whether it was done:
    /// it is not while the base is read (A4). Who reads it meanwhile waits.
    ///
    /// # Errors
    /// What the log and storage say; cut short, it can be done again.
    pub(crate) fn purge(
        &self,
        log: &dyn RecordLog,
        forgotten: &HashSet<(EntityKind, EntityId)>,
    ) -> Result<bool> {
        let readers = self.readers();
        if !self.place.is_taken() {
            return Ok(true);
        }
        if readers.count > 0 {
            return Ok(false);
        }
        let Some(storage) = self.place.open()? else {
            return Ok(true);
        };
        let joins = reaches(&*storage, log.head().log_id, log.first_seq())?.is_some();
        let purged = if joins { purge(&storage, forgotten) } else { Ok(()) };
        let closed = storage.close();
        purged?;
        closed?;
        drop(storage);
        if !joins {
            self.place.remove()?;
        }
        Ok(true)
    }

    /// Binds the base of one log to the one that took its records over (A3).
    pub(crate) fn rebind(&self, from: LogId, to: LogId) -> Result<()> {
        let _readers = self.readers();
        let Some(storage) = self.place.open()? else {
            return Ok(());
        };
        if let Some((head, _)) = checkpoint::load_head(&*storage)?
            && head.position.log_id == from
        {
            checkpoint::rebind(&*storage, head, to)?;
        }
        Ok(storage.close()?)
    }

    /// Whoever panicked while it held the lock was folding into the base, which a crash
    /// may interrupt too.
    fn readers(&self) -> MutexGuard<'_, Readers> {
        self.readers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The record that the base of a log is as of; `None` when there is none that joins the
/// log (A2).
pub(crate) fn reaches(storage: &dyn Storage, log_id: LogId, first: Seq) -> Result<Option<Seq>> {
    let head = checkpoint::load_head(storage)?.map(|(head, _)| head.position);
    Ok(head.filter(|at| at.log_id == log_id && at.seq.next() >= first).map(|at| at.seq))
}

fn advance(place: &dyn BasePlace, log: &dyn RecordLog, to: Seq) -> Result<Advanced> {
    let (log_id, first) = (log.head().log_id, log.first_seq());
    let mut base = place.open()?;
    if let Some(storage) = &base {
        let reached = reaches(&**storage, log_id, first)?;
        if reached.is_none_or(|reached| reached >= to) {
            storage.close()?;
            if reached.is_some() {
                return Ok(Advanced::Reached);
            }
            base = None;
        }
    }
    if base.is_none() {
        if first != Seq::FIRST {
            return Ok(Advanced::Absent);
        }
        place.remove()?;
        base = place.create()?;
    }
    let Some(storage) = base else {
        return Ok(Advanced::Nowhere);
    };
    let folded = fold(&storage, log, to);
    let closed = storage.close();
    folded?;
    closed?;
    Ok(Advanced::Reached)
}

/// Folds what the log has up to record `to`, and further if storage has anything of it
/// (A5).
fn fold(storage: &Arc<dyn Storage>, log: &dyn RecordLog, to: Seq) -> Result<()> {
    let reach = checkpoint::load_head(&**storage)?.map_or(Seq::ZERO, |(_, reach)| reach);
    let mut rebuild = Rebuild::open(Arc::clone(storage), log.head().log_id)?;
    let from = rebuild.applied().next();
    log.read_through(from, to.max(reach), &mut |record| rebuild.fold(record))?;
    rebuild.write()
}

/// Takes entities out of a base that joins the log. Cells of records behind its own, which
/// one that was cut short has (A5), go too, and nothing in the log makes them again.
fn purge(storage: &Arc<dyn Storage>, forgotten: &HashSet<(EntityKind, EntityId)>) -> Result<()> {
    let Some((head, _)) = checkpoint::load_head(&**storage)? else {
        return Ok(());
    };
    checkpoint::upgrade(storage, head)?;
    checkpoint::erase(&**storage, forgotten, checkpoint::COMMIT_BYTES)?;
    for kind in EntityKind::ALL {
        storage.backend(kind).compact()?;
    }
    Ok(storage.keyspace(KeyspaceName::SYSTEM.as_str())?.compact()?)
}

#[cfg(test)]
mod tests;

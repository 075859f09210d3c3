//! Deep verification: the state made again from the log, and compared with what is
//! stored.
//!
//! V1. Nothing in the directory of the database is written. Storage and base are copied
//!     file by file to a scratch directory before an engine opens them, since some
//!     engines recover when they open.
//! V2. The stored state is brought to the end of the log by the same fold, so both are
//!     of the same record.

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use tidal_types::{Position, Seq, TidalError, Timestamp, WalError};
use tidal_wal::VerifyReport;

use super::differences::{self, Differences};
use super::verify;
use crate::base;
use crate::checkpoint;
use crate::checksum::Checksum;
use crate::directory::{self, Directory, failed, remove_if_there};
use crate::rebuild::Rebuild;
use crate::{Engine, Result};

/// How [`verify_deep`] works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeepOptions {
    /// A new or empty directory to work in, outside of the database. It takes about
    /// twice the room of `storage` and `base`, and is removed at the end.
    pub scratch: PathBuf,
    /// How many differences are told one by one. Default: 20.
    pub differences_max: usize,
}

impl DeepOptions {
    /// The defaults, working in this directory.
    #[must_use]
    pub fn new(scratch: impl Into<PathBuf>) -> Self {
        Self { scratch: scratch.into(), differences_max: 20 }
    }
}

/// What a deep verification found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeepReport {
    /// What [`verify`] found in the log.
    pub log: VerifyReport,
    /// How the state compares; `None` when the log is damaged, so that nothing can be
    /// made of it.
    pub state: Option<DeepState>,
}

impl DeepReport {
    /// Whether nothing is wrong.
    #[must_use]
    pub fn ok(&self) -> bool {
        self.log.ok() && self.state.as_ref().is_some_and(DeepState::ok)
    }
}

/// How the state that is stored compares with the one that the log comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeepState {
    /// The first record that was folded: 1, or the one behind the base.
    pub from: Seq,
    /// The last one.
    pub through: Seq,
    /// The checksum of what they come to.
    pub recomputed: Checksum,
    /// The checksum of what is stored, brought to that record; `None` when nothing is
    /// stored, since the storage is in memory.
    pub stored: Option<Checksum>,
    /// In what they differ.
    pub differences: Differences,
}

impl DeepState {
    /// Whether they are the same. Unique actors are compared too, which no checksum covers,
    /// as long as no user was forgotten.
    #[must_use]
    pub fn ok(&self) -> bool {
        self.stored.is_none_or(|stored| stored == self.recomputed) && self.differences.count == 0
    }
}

/// Checks the log of the database in `data_dir` like [`verify`], then makes the state
/// again from it, from record 1 or from the base, and compares it with what is stored.
/// Nobody may have the database open. Nothing in `data_dir` is written; see
/// [`DeepOptions::scratch`].
///
/// # Errors
/// Those of [`verify`]; [`HistoryCut`](TidalError::HistoryCut) when the log was cut and
/// there is no base to begin from; [`StorageAhead`](TidalError::StorageAhead),
/// [`LogMismatch`](TidalError::LogMismatch) and [`LogTooShort`](TidalError::LogTooShort)
/// when storage does not belong to the log; [`EngineMissing`](TidalError::EngineMissing);
/// [`DestinationNotEmpty`](crate::StorageError::DestinationNotEmpty) of the scratch
/// directory; what storage and the operating system say. A difference is not an error
/// here but in the report.
pub fn verify_deep(data_dir: impl AsRef<Path>, options: &DeepOptions) -> Result<DeepReport> {
    let data_dir = data_dir.as_ref();
    directory::check_format(data_dir)?;
    let engine = directory::recorded_engine(data_dir)?.unwrap_or_default();
    let directory = Directory::open(data_dir, &engine)?;
    let log = verify(data_dir)?;
    let Some(head) = log.head.filter(|_| log.ok()) else {
        return Ok(DeepReport { log, state: None });
    };
    let scratch = Scratch::begin(&options.scratch)?;
    let source = Source { path: directory.path(), engine: &engine, head: head.position };
    let state = source.compare(&scratch, options.differences_max)?;
    drop(scratch);
    Ok(DeepReport { log, state: Some(state) })
}

/// A database that is only read.
struct Source<'a> {
    path: &'a Path,
    engine: &'a str,
    head: Position,
}

impl Source<'_> {
    fn compare(&self, scratch: &Scratch, differences_max: usize) -> Result<DeepState> {
        let (first, since) = beginning(self.path)?.unwrap_or((Seq::FIRST, Timestamp::MIN));
        let mut recomputed = self.recomputed(scratch, first)?;
        if recomputed.applied().next() < first {
            return Err(TidalError::HistoryCut { path: self.path.into(), first, since });
        }
        let from = recomputed.applied().next();
        let mut stored = self.stored(scratch, first)?;
        let begin = stored.as_ref().map_or(from, |stored| stored.applied().next().min(from));
        self.fold(begin, &mut |record| {
            recomputed.fold(record)?;
            stored.as_mut().map_or(Ok(()), |stored| stored.fold(record))
        })?;
        let through = recomputed.applied();
        let checksum = recomputed.checksum()?;
        let Some(stored) = stored else {
            let differences = Differences::default();
            return Ok(DeepState {
                from,
                through,
                recomputed: checksum,
                stored: None,
                differences,
            });
        };
        let of_stored = stored.checksum()?;
        let is_same = of_stored == checksum && differences::same_uniques(&recomputed, &stored)?;
        let differences = if is_same {
            Differences::default()
        } else {
            differences::between(&recomputed, &stored, differences_max)?
        };
        Ok(DeepState { from, through, recomputed: checksum, stored: Some(of_stored), differences })
    }

    /// A state that goes on from the base, or from nothing.
    fn recomputed(&self, scratch: &Scratch, first: Seq) -> Result<Rebuild> {
        let engine = Engine::from_name(self.engine).unwrap_or_default();
        let place = scratch.path.join("recomputed");
        let base = directory::base_dir(self.path);
        if base.exists() {
            copy_files(&base, &place)?;
            let storage = engine.open(&place)?;
            let joins = base::reaches(&*storage, self.head.log_id, first)?;
            if joins.is_some_and(|reached| reached <= self.head.seq) {
                return Rebuild::open(storage, self.head.log_id);
            }
            storage.close()?;
            drop(storage);
            remove_if_there(&place)?;
        }
        Rebuild::open(engine.open(&place)?, self.head.log_id)
    }

    /// The state that is stored, in a copy; `None` when nothing is on disk.
    fn stored(&self, scratch: &Scratch, first: Seq) -> Result<Option<Rebuild>> {
        let storage = directory::storage_dir(self.path);
        if !storage.exists() {
            return Ok(None);
        }
        let place = scratch.path.join("stored");
        copy_files(&storage, &place)?;
        let storage = Engine::require(self.engine)?.open(&place)?;
        if let Some((head, reach)) = checkpoint::load_head(&*storage)? {
            self.check_fit(head.position, reach, first)?;
            if head.position.log_id != self.head.log_id {
                // Since it was restored, copied or salvaged nobody has opened it.
                checkpoint::rebind(&*storage, head, self.head.log_id)?;
            }
        }
        Rebuild::open(storage, self.head.log_id).map(Some)
    }

    /// C2: refuses what opening would.
    fn check_fit(&self, at: Position, reach: Seq, first: Seq) -> Result<()> {
        let path = || self.path.to_path_buf();
        if at.log_id != self.head.log_id {
            let parent = tidal_wal::inspect_log(&directory::log_dir(self.path))?.parent;
            let parent = parent.map(|parent| parent.position);
            match parent {
                Some(parent) if parent.log_id == at.log_id && parent.seq >= reach => {}
                _ => {
                    let (storage, log) = (at.log_id, self.head.log_id);
                    return Err(TidalError::LogMismatch { path: path(), storage, log });
                }
            }
        }
        if reach > self.head.seq {
            let log_end = self.head.seq;
            return Err(TidalError::StorageAhead { path: path(), applied: reach, log_end });
        }
        if at.seq.next() < first {
            let (needed, log_start) = (at.seq.next(), first);
            return Err(TidalError::LogTooShort { path: path(), needed, log_start });
        }
        Ok(())
    }

    fn fold(
        &self,
        from: Seq,
        fold: &mut dyn FnMut(&tidal_wal::LogRecord<'_>) -> Result<()>,
    ) -> Result<()> {
        let mut outcome = Ok(());
        if from > self.head.seq {
            return Ok(());
        }
        let report = tidal_wal::dump(&directory::log_dir(self.path), from, &mut |record| {
            outcome = fold(record);
            if outcome.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })?;
        outcome?;
        match report.problem {
            None => Ok(()),
            Some(problem) => Err(TidalError::Damaged {
                location: format!("{} at byte {}", problem.path.display(), problem.offset),
                problem: problem.problem,
            }),
        }
    }
}

/// The first record of the log of the database at `path`, and when it was written;
/// `None` when it has none.
pub(crate) fn beginning(path: &Path) -> Result<Option<(Seq, Timestamp)>> {
    let mut first = None;
    let dumped = tidal_wal::dump(&directory::log_dir(path), Seq::ZERO, &mut |record| {
        first = Some((record.seq, record.log_time));
        ControlFlow::Break(())
    });
    match dumped {
        Ok(_) => Ok(first),
        Err(WalError::Locked { .. }) => Err(TidalError::Locked { path: path.into() }),
        Err(error) => Err(error.into()),
    }
}

/// A directory to work in, removed when it is dropped.
struct Scratch {
    path: PathBuf,
}

impl Scratch {
    fn begin(path: &Path) -> Result<Self> {
        fs::create_dir_all(path).map_err(failed("create", path))?;
        let mut entries = fs::read_dir(path).map_err(failed("list", path))?;
        if let Some(entry) = entries.next() {
            let found = entry.map_err(failed("list", path))?.file_name();
            let found = found.to_string_lossy().into_owned();
            let path = path.into();
            return Err(tidal_types::StorageError::DestinationNotEmpty { path, found }.into());
        }
        Ok(Self { path: path.into() })
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = remove_if_there(&self.path) {
            tracing::warn!(%error, "what a verification worked in is left");
        }
    }
}

/// Copies what is in a directory.
fn copy_files(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to).map_err(failed("create", to))?;
    for entry in fs::read_dir(from).map_err(failed("list", from))? {
        let entry = entry.map_err(failed("list", from))?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if entry.file_type().map_err(failed("look at", &source))?.is_dir() {
            copy_files(&source, &target)?;
        } else {
            fs::copy(&source, &target).map_err(failed("copy", &source))?;
        }
    }
    Ok(())
}

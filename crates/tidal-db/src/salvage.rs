//! Salvage: a database whose log is damaged, as far as the log is sound.
//!
//! X1. The damaged log and, where it is made again, storage are put aside under another
//!     name and never removed.
//! X2. The new log is whole before any name changes, and takes the place of the old one
//!     last. In between there is no log, and the database does not open; salvaging it
//!     once more finishes (Y2).
//! X3. Storage that holds anything of a record that was not taken over is not opened
//!     with the new log: what the log does not say cannot be told apart in it.

use std::path::{Path, PathBuf};

use tidal_storage::{Driver as _, Fjall, FjallStorage};
use tidal_types::{Position, Seq, TidalError, WalError};
use tidal_wal::SalvageReport;

use crate::Result;
use crate::checkpoint;
use crate::directory::{self, Directory};

/// How a database is salvaged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SalvageOptions {
    /// Where storage holds more than the log that is left, put it aside and have it made
    /// again from the log, by the next opening. Default: no.
    pub rebuild_storage: bool,
}

/// What salvaging a database takes over, and what it gives up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SalvagePlan {
    /// What becomes of the log.
    pub log: SalvageReport,
    /// The last record that storage may hold something of, and the log it belongs to;
    /// `None` when storage is empty, or not to be read.
    pub storage: Option<Position>,
    /// Whether storage goes with the log that is left.
    pub fit: StorageFit,
}

/// Whether storage goes with the log that is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StorageFit {
    /// It does.
    Fits,
    /// It holds more, and can be made again, since the log begins at record 1.
    MustBeRebuilt,
    /// It does not, and the log alone does not begin at record 1: restore from a backup.
    Unusable,
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Salvaged {
    /// What was taken over and given up.
    pub plan: SalvagePlan,
    /// Where the damaged log is now; `None` when nothing was changed, since storage does
    /// not go with the log that is left.
    pub log_aside: Option<PathBuf>,
    /// Where storage is now, if it was put aside.
    pub storage_aside: Option<PathBuf>,
}

/// Tells what [`salvage`] would do for the database in `data_dir`. Opening storage to
/// read how far it reaches may let its engine recover it; else nothing is changed.
///
/// # Errors
/// Those of [`salvage`].
pub fn survey(data_dir: impl AsRef<Path>) -> Result<SalvagePlan> {
    let directory = Directory::open(data_dir.as_ref(), Fjall::NAME)?;
    directory::refuse_interrupted_salvage(directory.path())?;
    plan(directory.path())
}

/// Puts a log in place of the damaged one of the database in `data_dir` that holds
/// everything before the damage. The damaged one is kept beside it. The database then
/// opens as of the last record before the damage.
///
/// Where storage holds more than that, nothing is changed unless
/// [`SalvageOptions::rebuild_storage`] asks for storage to be made again, and the report
/// says so: see [`SalvagePlan::fit`].
///
/// Cut short anywhere, a further call finishes. When it returns, it survives a power cut.
///
/// # Errors
/// [`WalError::Sound`] when the log is not damaged; what is wrong with it when nothing of
/// it can be taken over; [`TidalError::NotFound`], [`TidalError::NotADatabase`],
/// [`TidalError::Locked`]; [`TidalError::EngineMismatch`] when storage is not in the
/// directory; what the log, storage and the operating system say.
pub fn salvage(data_dir: impl AsRef<Path>, options: SalvageOptions) -> Result<Salvaged> {
    let directory = Directory::open(data_dir.as_ref(), Fjall::NAME)?;
    let path = directory.path();
    undo_interrupted(path)?;
    let mut plan = plan(path)?;
    let rebuilds = plan.fit == StorageFit::MustBeRebuilt && options.rebuild_storage;
    if plan.fit != StorageFit::Fits && !rebuilds {
        return Ok(Salvaged { plan, log_aside: None, storage_aside: None });
    }
    let (log, made) = (directory::log_dir(path), directory::salvaged_dir(path));
    directory::remove_if_there(&made)?;
    plan.log = tidal_wal::salvage(&log, &made, &tidal_wal::SalvageOptions::default())?;
    let log_aside = free(|n| directory::damaged_log_dir(path, n));
    directory::rename_durable(path, &log, &log_aside)?;
    let storage = directory::storage_dir(path);
    let storage_aside = if rebuilds && storage.exists() {
        let aside = free(|n| directory::aside_storage_dir(path, n));
        directory::rename_durable(path, &storage, &aside)?;
        Some(aside)
    } else {
        None
    };
    directory::rename_durable(path, &made, &log)?;
    tracing::warn!(aside = %log_aside.display(), "a salvaged log is in place of a damaged one");
    Ok(Salvaged { plan, log_aside: Some(log_aside), storage_aside })
}

/// Tells what [`salvage_log`] would take over of the log in `dir`, a database or a log
/// alone, and give up. Nothing is written.
///
/// # Errors
/// Those of [`salvage_log`] that are about `dir`.
pub fn survey_log(dir: impl AsRef<Path>) -> Result<SalvageReport> {
    Ok(tidal_wal::survey(directory::log_of(dir.as_ref())?.path())?)
}

/// Takes over what is sound of the damaged log in `dir`, a database or a log alone, into
/// a new log in the new or empty directory `to`. Nothing else is changed.
///
/// # Errors
/// [`WalError::Sound`], [`WalError::NotEmpty`], [`WalError::Locked`], what is wrong with
/// the log when nothing can be taken over, [`WalError::NoSpace`], [`WalError::Io`].
pub fn salvage_log(dir: impl AsRef<Path>, to: impl AsRef<Path>) -> Result<SalvageReport> {
    let place = directory::log_of(dir.as_ref())?;
    let options = tidal_wal::SalvageOptions::default();
    Ok(tidal_wal::salvage(place.path(), to.as_ref(), &options)?)
}

fn plan(path: &Path) -> Result<SalvagePlan> {
    let log = tidal_wal::survey(&directory::log_dir(path)).map_err(|error| match error {
        WalError::Locked { .. } => TidalError::Locked { path: path.into() },
        other => other.into(),
    })?;
    let (storage, fits) = match reach(path) {
        Ok(None) => (None, log.first_seq == Seq::FIRST),
        Ok(Some((applied, reach))) => {
            let taken_over = log.parent.position;
            let fits = reach.log_id == taken_over.log_id
                && reach.seq <= taken_over.seq
                && log.first_seq <= applied.next();
            (Some(reach), fits)
        }
        // It cannot be read, so it can only be made again.
        Err(error) => {
            tracing::warn!(%error, "storage cannot be read");
            (None, false)
        }
    };
    let fit = if fits {
        StorageFit::Fits
    } else if log.first_seq == Seq::FIRST {
        StorageFit::MustBeRebuilt
    } else {
        StorageFit::Unusable
    };
    Ok(SalvagePlan { log, storage, fit })
}

/// The record that storage is as of, and the last one it may hold something of.
fn reach(path: &Path) -> Result<Option<(Seq, Position)>> {
    let storage = directory::storage_dir(path);
    if !storage.exists() {
        return Ok(None);
    }
    let head = checkpoint::load_head(&FjallStorage::open(storage)?)?;
    Ok(head.map(|(head, reach)| (head.position.seq, Position { seq: reach, ..head.position })))
}

/// Goes back to the damaged log when an earlier salvage was cut short without one.
fn undo_interrupted(path: &Path) -> Result<()> {
    if directory::refuse_interrupted_salvage(path).is_ok() {
        return Ok(());
    }
    let free = (0..).find(|&n| !directory::damaged_log_dir(path, n).exists()).unwrap_or_default();
    match u64::checked_sub(free, 1) {
        Some(last) => {
            let aside = directory::damaged_log_dir(path, last);
            directory::rename_durable(path, &aside, &directory::log_dir(path))
        }
        None => Ok(()),
    }
}

/// The first of these names that nothing has.
fn free(name: impl Fn(u64) -> PathBuf) -> PathBuf {
    let mut names = (0..).map(name);
    names.find(|name| !name.exists()).expect("the numbers do not end")
}

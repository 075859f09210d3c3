//! Copying a database that nobody has open onto another engine.

use std::path::Path;

use tidal_storage::{Progress, copy_storage};
use tidal_types::{LogId, Position, Seq, TidalError};
use tidal_wal::{TakenOver, inspect_log};

use super::restore::take_log;
use crate::base::{BasePlace, InDirectory};
use crate::checkpoint::Head;
use crate::directory::{self, Directory};
use crate::settings::Settings;
use crate::{Engine, Result, checkpoint};

/// What was copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migrated {
    /// The engine it was copied from.
    pub from: Engine,
    /// The engine it was copied to.
    pub to: Engine,
    /// How many keys storage has.
    pub keys: u64,
    /// The new log, and what it took over of the other.
    pub log: TakenOver,
}

/// Copies the database in `from`, which nobody may have open, into the new or empty
/// directory `to`, on another engine, with its base and what was chosen for it. Both have the same checksum; `from` is left as it
/// is, and the new log has an identity of its own and names the other as its parent.
///
/// When the call returns, the copy survives a power cut; when it fails or is cut short,
/// `to` is refused as [`RestoreUnfinished`](crate::TidalError::RestoreUnfinished).
///
/// # Errors
/// [`Locked`](crate::TidalError::Locked), [`NotFound`](crate::TidalError::NotFound) and
/// all that opening `from` can say; those of [`restore`](crate::restore) about the
/// directory that is written; [`EngineMissing`](crate::TidalError::EngineMissing) when
/// this program lacks the engine of `from`.
pub fn migrate(from: impl AsRef<Path>, to: impl AsRef<Path>, engine: Engine) -> Result<Migrated> {
    migrate_with(from, to, engine, &mut |_| ())
}

/// The same as [`migrate`], telling how far storage is.
///
/// # Errors
/// Those of [`migrate`].
pub fn migrate_with(
    from: impl AsRef<Path>,
    to: impl AsRef<Path>,
    engine: Engine,
    progress: &mut dyn FnMut(Progress),
) -> Result<Migrated> {
    let from = from.as_ref();
    directory::check_format(from)?;
    let recorded = directory::recorded_engine(from)?.unwrap_or_default();
    let source_engine = Engine::require(&recorded)?;
    let source = Directory::open(from, source_engine.name())?;
    directory::refuse_interrupted_salvage(from)?;
    let storage = source_engine.open(&directory::storage_dir(from))?;
    let head = checkpoint::load_head(&*storage)?;
    let target = Directory::begin_restore(to.as_ref())?;
    let path = target.path();
    let reach = head.map_or(Seq::ZERO, |(_, reach)| reach);
    let log = take_log(&directory::log_dir(from), path, None, reach)?;
    check_fit(from, head, &log)?;
    let new_storage = engine.open(&directory::storage_dir(path))?;
    let copied: Progress = copy_storage(&*storage, &*new_storage, progress)?;
    if let Some((head, _)) = head {
        // What it was bound to may be a parent of the log that the new one names.
        checkpoint::rebind(&*new_storage, head, log.log_id)?;
    }
    new_storage.close()?;
    storage.close()?;
    migrate_base(from, source_engine, path, engine, log.log_id)?;
    Settings::read(from)?.write(path)?;
    target.finish_restore(engine.name())?;
    drop(source);
    Ok(Migrated { from: source_engine, to: engine, keys: copied.entries, log })
}

/// The log goes along as a whole, and so does the base that it joins.
fn migrate_base(
    from: &Path,
    source_engine: Engine,
    to: &Path,
    engine: Engine,
    log_id: LogId,
) -> Result<()> {
    let Some(base) = InDirectory::new(from, source_engine).open()? else {
        return Ok(());
    };
    if let Some(new_base) = InDirectory::new(to, engine).create()? {
        copy_storage(&*base, &*new_base, &mut |_| ())?;
        if let Some((head, _)) = checkpoint::load_head(&*new_base)? {
            checkpoint::rebind(&*new_base, head, log_id)?;
        }
        new_base.close()?;
    }
    Ok(base.close()?)
}

/// C2: refuses what opening `from` would. That the log reaches far enough, it was asked
/// before.
fn check_fit(from: &Path, head: Option<(Head, Seq)>, log: &TakenOver) -> Result<()> {
    let needed = head.map_or(Seq::FIRST, |(head, _)| head.position.seq.next());
    if log.first_seq > needed {
        let log_start = log.first_seq;
        return Err(TidalError::LogTooShort { path: from.into(), needed, log_start });
    }
    let Some((head, reach)) = head else { return Ok(()) };
    let (storage, found) = (head.position.log_id, log.parent.position.log_id);
    if storage == found {
        return Ok(());
    }
    // Since it was restored, copied or salvaged nobody has opened it.
    let parent = inspect_log(&directory::log_dir(from))?.parent;
    match parent.map(|parent| parent.position) {
        Some(Position { log_id, seq: taken_over }) if log_id == storage => {
            if taken_over >= reach {
                return Ok(());
            }
            Err(TidalError::SalvagedShort { path: from.into(), applied: reach, taken_over })
        }
        _ => Err(TidalError::LogMismatch { path: from.into(), storage, log: found }),
    }
}

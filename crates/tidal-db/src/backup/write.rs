//! Writing a backup of an open database.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

use tidal_storage::{BackupOptions, Compression, Progress, Snapshot, backup_snapshot};
use tidal_types::{Position, Seq, StorageError, TidalError};
use tidal_wal::{LogCopy, create_dir_durable};

use super::log_part::{LogFile, LogPart};
use super::{BackupInfo, log_dir, read, storage_dir};
use crate::database::TidalDB;
use crate::directory::{failed, remove_if_there};
use crate::{Result, checkpoint};

impl TidalDB {
    /// Writes a backup of everything that was answered before this call, and some of
    /// what is written meanwhile, to the new or empty directory `dest`. Reads and writes
    /// go on; the log is not cut while it is copied. When the call returns, the backup
    /// survives a power cut; when it fails or is cut short, what is there is no backup.
    ///
    /// What it is of is [`BackupInfo::head`]. The base of a log that was cut by age is not
    /// in it, nor how long the log is kept. It needs about the room that the
    /// checkpoint and the log behind it take.
    ///
    /// # Errors
    /// [`DestinationNotEmpty`](crate::StorageError::DestinationNotEmpty);
    /// [`InMemory`](crate::TidalError::InMemory); errors of kind
    /// [`Space`](crate::ErrorKind::Space); [`Closed`](crate::TidalError::Closed); what
    /// storage, the log and the operating system say.
    pub fn backup(&self, dest: impl AsRef<Path>) -> Result<BackupInfo> {
        self.backup_with(dest, Compression::default(), &mut |_| ())
    }

    /// The same as [`TidalDB::backup`], with storage compressed otherwise, telling how
    /// far storage is.
    ///
    /// # Errors
    /// Those of [`TidalDB::backup`].
    pub fn backup_with(
        &self,
        dest: impl AsRef<Path>,
        compression: Compression,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<BackupInfo> {
        // Asked for its error only: a database that is shut down has nothing to copy.
        self.state()?;
        let dest = dest.as_ref();
        prepare(dest)?;
        let written = self.write_backup(dest, compression, progress);
        if written.is_err() {
            // The caller gets the first error, and without its manifest it is no backup.
            for part in [storage_dir(dest), log_dir(dest)] {
                drop(remove_if_there(&part));
            }
        }
        written
    }

    fn write_backup(
        &self,
        dest: &Path,
        compression: Compression,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<BackupInfo> {
        let storage = &*self.parts().storage;
        let mut begun: Option<(Box<dyn Snapshot + '_>, Position, Seq)> = None;
        // Z1.
        let copy = self.parts().log.copy_to(&log_dir(dest), &mut || {
            let snapshot = storage.snapshot()?;
            let (head, reach) = checkpoint::read_head(&*snapshot)?.ok_or(TidalError::InMemory)?;
            begun = Some((snapshot, head.position, reach));
            Ok(head.position.seq.next())
        })?;
        let (Some(LogCopy { first_seq, head, .. }), Some((snapshot, applied, reach))) =
            (copy, begun)
        else {
            return Err(TidalError::InMemory);
        };
        let part = LogPart {
            reach,
            first_seq,
            last_seq: head.position.seq,
            digest: head.digest,
            files: log_files(&log_dir(dest))?,
        };
        let options = BackupOptions {
            compression,
            position: Some(applied),
            extras: part.encode(),
            clock: Arc::clone(&self.parts().clock),
        };
        backup_snapshot(storage, &*snapshot, &storage_dir(dest), &options, progress)?;
        read::read_backup(dest)
    }
}

/// Takes a new or empty directory. Of two backups that come at once, only one makes the
/// folder of the log; the other must not remove what is in it.
fn prepare(dest: &Path) -> Result<()> {
    let taken = |found| Err(StorageError::DestinationNotEmpty { path: dest.into(), found }.into());
    create_dir_durable(dest).map_err(failed("create", dest))?;
    if let Some(found) = read::list(dest)?.into_iter().next() {
        return taken(found);
    }
    let log = log_dir(dest);
    match fs::create_dir(&log) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => taken("log".into()),
        made => made.map_err(failed("create", &log)),
    }
}

/// The files of a log, with their digests.
pub(super) fn log_files(dir: &Path) -> Result<Vec<LogFile>> {
    let names = read::list(dir)?.into_iter();
    names
        .map(|name| {
            let path = dir.join(&name);
            let mut hasher = blake3::Hasher::new();
            let file = File::open(&path).map_err(failed("open", &path))?;
            hasher.update_reader(file).map_err(failed("read", &path))?;
            let bytes = fs::metadata(&path).map_err(failed("measure", &path))?.len();
            Ok(LogFile { name, bytes, digest: *hasher.finalize().as_bytes() })
        })
        .collect()
}

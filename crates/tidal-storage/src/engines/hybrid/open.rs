//! Opening: the directory, its lock, both engines, and what a crash left to do.

use std::path::Path;
use std::sync::{Mutex, RwLock};

use tidal_types::StorageError;

use super::redo::{APPLIED, Chunk, Problem, REDO, chunk_key, done};
use super::{Commits, Hybrid, HybridOptions, Sides, marker};
use crate::directory::refuse_other_engine;
use crate::engines::fjall::Fjall;
use crate::engines::opening::Verdict;
use crate::engines::redb::Redb;
use crate::{DirectoryLock, Driver, DriverStorage, Durability, Result, SpaceId, SpaceOp};

impl DriverStorage<Hybrid> {
    /// Opens the storage in a directory, which is created if it is not there.
    ///
    /// # Errors
    ///
    /// Nothing is changed in a directory that is refused:
    /// [`StorageError::Locked`] if it is open elsewhere,
    /// [`StorageError::OtherEngine`] if another engine wrote it,
    /// [`StorageError::NotStorage`] if it has other files,
    /// [`StorageError::UnsupportedVersion`] if another version of this program, of
    /// fjall or of redb wrote it, [`StorageError::Damaged`] if the files of either are
    /// not what was written, and what the operating system says.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Self::open_with(path, HybridOptions::default())
    }

    /// Opens the storage in a directory, tuned.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn open_with(path: impl AsRef<Path>, options: HybridOptions) -> Result<Self> {
        let path = path.as_ref();
        Self::over(Hybrid::open(path, options)?, path.to_path_buf())
    }

    /// Opens a storage in a new directory that is deleted when the storage is
    /// closed or dropped.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    #[cfg(any(test, feature = "testing"))]
    pub fn open_temp() -> Result<Self> {
        let directory = crate::directory::temporary()?;
        let mut driver = Hybrid::open(directory.path(), HybridOptions::default())?;
        let path = driver.path.clone();
        driver.temporary = Some(directory);
        Self::over(driver, path)
    }
}

impl Hybrid {
    fn open(path: &Path, options: HybridOptions) -> Result<Self> {
        refuse_other_engine(path, Self::NAME)?;
        // The first look changes nothing, so that not even a lock file appears in
        // a folder of something else; the second cannot be overtaken.
        marker::inspect(path)?;
        let lock = DirectoryLock::acquire(path)?;
        let is_new = marker::inspect(path)? == Verdict::Create;
        let mut fjall = Fjall::open(&marker::fjall_folder(path), options.fjall)?;
        let mut redb = open_redb(path, options)?;
        if is_new {
            marker::mark(path)?;
        }
        let mut own = Sides { fjall: fjall.open_keyspace(REDO)?, redb: redb.open_keyspace(REDO)? };
        let opened = Opened { path, fjall: &fjall, own: own.fjall };
        let (commits, applied) = (opened.redo()?, applied(path, &redb, own.redb)?);
        if applied > commits.redo_number {
            return Err(damaged(
                path,
                format!(
                    "fjall has lost what it had synced: batch {} is the last there, and redb has {applied}",
                    commits.redo_number,
                ),
            ));
        }
        // No batch is begun before redb has the one before it.
        if commits.redo_number - applied > 1 {
            return Err(damaged(
                path,
                format!(
                    "redb has lost what it had synced: batch {applied} is the last there, and fjall has {}",
                    commits.redo_number,
                ),
            ));
        }
        if applied < commits.redo_number {
            // Or a power cut might take from fjall what redb is about to have.
            fjall.sync()?;
            opened.replay(&commits, &mut redb, own.redb)?;
            // Opened again, since keyspaces have numbers by now.
            drop(redb);
            redb = open_redb(path, options)?;
            own.redb = redb.open_keyspace(REDO)?;
        }
        Ok(Self {
            newest: RwLock::new(None),
            fjall,
            redb,
            spaces: Vec::new(),
            own,
            commits: Mutex::new(commits),
            path: path.to_path_buf(),
            _lock: lock,
            #[cfg(any(test, feature = "testing"))]
            temporary: None,
            #[cfg(test)]
            between: Mutex::new(None),
        })
    }
}

fn open_redb(path: &Path, options: HybridOptions) -> Result<Redb> {
    Redb::open(&marker::redb_folder(path), options.redb)
}

fn damaged(path: &Path, problem: String) -> StorageError {
    StorageError::Damaged { path: path.to_path_buf(), problem }
}

/// The number of the last record that redb has; 0 if it had none.
fn applied(path: &Path, redb: &Redb, own: SpaceId) -> Result<u64> {
    let Some(bytes) = redb.get(None, own, APPLIED)? else { return Ok(0) };
    let number = <[u8; 8]>::try_from(bytes).map(u64::from_le_bytes);
    number.map_err(|bytes| {
        damaged(path, format!("the number of redb's last batch has {} bytes", bytes.len()))
    })
}

/// The engine that has the redo record.
struct Opened<'a> {
    path: &'a Path,
    fjall: &'a Fjall,
    own: SpaceId,
}

impl Opened<'_> {
    /// A chunk of the redo record, if there is one.
    fn chunk(&self, chunk: u32) -> Result<Option<Chunk>> {
        let Some(bytes) = self.fjall.get(None, self.own, &chunk_key(chunk))? else {
            return Ok(None);
        };
        let decoded = Chunk::decode(&bytes).map_err(|problem| match problem {
            Problem::Version(found) => StorageError::UnsupportedVersion {
                path: self.path.to_path_buf(),
                found,
                supported: 1,
            },
            Problem::Damaged(what, offset) => damaged(
                self.path,
                format!("chunk {chunk} of its redo record: {what}, byte {offset}"),
            ),
        });
        decoded.map(Some)
    }

    /// What the redo record says of itself.
    fn redo(&self) -> Result<Commits> {
        let first = self.chunk(0)?;
        Ok(Commits {
            redo_number: first.as_ref().map_or(0, |first| first.number),
            redo_chunks: first.as_ref().map_or(0, |first| first.chunks),
            // What a killed process has left may not be on the disk yet.
            unsynced: true,
            ..Commits::default()
        })
    }

    /// Does in redb what it has not done yet (H1).
    fn replay(&self, commits: &Commits, redb: &mut Redb, own: SpaceId) -> Result<()> {
        let mut ops = vec![done(own, commits.redo_number)];
        let mut spaces: Vec<(String, SpaceId)> = Vec::new();
        for number in 0..commits.redo_chunks {
            let chunk = self.chunk(number)?.filter(|chunk| {
                (chunk.number, chunk.chunks) == (commits.redo_number, commits.redo_chunks)
            });
            let chunk = chunk.ok_or_else(|| {
                damaged(self.path, format!("chunk {number} of its redo record is missing"))
            })?;
            for (name, op) in chunk.ops {
                let known = spaces.iter().find(|(known, _)| *known == name);
                let space = match known {
                    Some(&(_, space)) => space,
                    None => {
                        let space = redb.open_keyspace(&name)?;
                        spaces.push((name, space));
                        space
                    }
                };
                ops.push(SpaceOp { space, op });
            }
        }
        redb.commit(ops, Durability::Sync)
    }
}

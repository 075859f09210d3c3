//! Reading a backup, for checking it and for restoring it.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use tidal_types::StorageError;

use super::chunk::{self, Entries};
use super::folder::{MANIFEST, chunk_name, damaged, list, read_file};
use super::manifest::MANIFEST_BYTES_MAX;
use super::{BackupManifest, BackupReport, ChunkManifest, KeyspaceManifest, Progress, mark};
use crate::Result;
use crate::directory::io_error;

/// What the backup in `dest` holds. Its chunks are not looked at: that is what
/// [`verify_backup`] does.
///
/// # Errors
///
/// [`StorageError::NoBackup`] when there is no manifest, so also when the backup
/// was cut short; [`StorageError::BackupDamaged`];
/// [`StorageError::BackupVersion`]; what the operating system says.
pub fn read_manifest(dest: &Path) -> Result<BackupManifest> {
    Ok(Backup::open(dest)?.manifest)
}

/// Checks every byte of the backup in `dest`, and that nothing else is there.
/// Needs no storage, and writes nothing.
///
/// # Errors
///
/// Those of [`read_manifest`], and [`StorageError::CompressionMissing`].
pub fn verify_backup(dest: &Path) -> Result<BackupReport> {
    verify_backup_with(dest, &mut |_| ())
}

/// The same as [`verify_backup`], telling after each chunk how far it is.
///
/// # Errors
///
/// Those of [`verify_backup`].
pub fn verify_backup_with(dest: &Path, progress: &mut dyn FnMut(Progress)) -> Result<BackupReport> {
    let backup = Backup::open(dest)?;
    backup.walk(progress, &mut |_, _| Ok(()))?;
    Ok(backup.report())
}

/// A backup whose manifest is sound.
#[derive(Debug)]
pub(super) struct Backup {
    path: PathBuf,
    pub(super) manifest: BackupManifest,
    manifest_bytes: usize,
    digest: [u8; 32],
}

impl Backup {
    pub(super) fn open(dest: &Path) -> Result<Self> {
        let file = dest.join(MANIFEST);
        let length = match fs::metadata(&file) {
            Ok(metadata) if metadata.is_file() => metadata.len(),
            Ok(_) => return Err(damaged(&file, "it is not a file".to_owned())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let problem = "it has no manifest, which a backup gets last";
                return Err(StorageError::NoBackup { path: dest.to_path_buf(), problem });
            }
            Err(error) => return Err(io_error(&file, "read", error)),
        };
        if length > MANIFEST_BYTES_MAX as u64 {
            return Err(damaged(&file, "it is longer than a manifest can be".to_owned()));
        }
        let bytes = read_file(&file, length)?;
        let (manifest, digest) = BackupManifest::decode(&file, &bytes)?;
        Ok(Self { path: dest.to_path_buf(), manifest, manifest_bytes: bytes.len(), digest })
    }

    pub(super) fn report(&self) -> BackupReport {
        self.manifest.report(self.digest, self.manifest_bytes)
    }

    /// K4.
    pub(super) fn check_files(&self) -> Result<()> {
        let expected: BTreeSet<String> =
            (0..self.manifest.chunks.len()).map(chunk_name).chain([MANIFEST.to_owned()]).collect();
        let found: BTreeSet<String> = list(&self.path)?.into_iter().collect();
        if let Some(missing) = expected.difference(&found).next() {
            return Err(damaged(&self.path.join(missing), "the file is missing".to_owned()));
        }
        match found.difference(&expected).next() {
            Some(extra) => {
                let problem = "the manifest does not know this file".to_owned();
                Err(damaged(&self.path.join(extra), problem))
            }
            None => Ok(()),
        }
    }

    /// Shows the entries of each chunk with the name of its keyspace, once all of
    /// them have been checked.
    pub(super) fn walk(
        &self,
        progress: &mut dyn FnMut(Progress),
        visit: &mut dyn FnMut(&str, Entries<'_>) -> Result<()>,
    ) -> Result<()> {
        self.check_files()?;
        let mut done =
            Progress { entries_total: Some(self.manifest.keys()), ..Progress::default() };
        let mut chunks = self.manifest.chunks.iter().enumerate();
        for keyspace in &self.manifest.keyspaces {
            let mut last_key = Vec::new();
            for _ in 0..keyspace.chunks {
                let (index, chunk) = chunks.next().expect("the manifest's counts add up");
                let body = self.chunk(index, chunk)?;
                self.check_entries(index, keyspace, chunk, &body, &mut last_key)?;
                visit(&keyspace.name, Entries::new(&body))?;
                done.entries += u64::from(chunk.entries);
                done.bytes += chunk.bytes;
                progress(done);
            }
        }
        Ok(())
    }

    /// The body of a chunk (K3).
    fn chunk(&self, index: usize, chunk: &ChunkManifest) -> Result<Vec<u8>> {
        let path = self.path.join(chunk_name(index));
        let file = read_file(&path, u64::from(chunk.file_bytes))?;
        if blake3::hash(&file) != blake3::Hash::from_bytes(chunk.digest) {
            return Err(damaged(&path, "its checksum is wrong".to_owned()));
        }
        chunk::decode(&path, file)
    }

    fn check_entries(
        &self,
        index: usize,
        keyspace: &KeyspaceManifest,
        chunk: &ChunkManifest,
        body: &[u8],
        last_key: &mut Vec<u8>,
    ) -> Result<()> {
        let damaged =
            |problem: &str| Err(damaged(&self.path.join(chunk_name(index)), problem.to_owned()));
        let (mut entries, mut bytes) = (0_u64, 0_u64);
        for entry in Entries::new(body) {
            let Ok((key, value)) = entry else {
                return damaged("an entry cannot be read");
            };
            if key <= last_key.as_slice() {
                return damaged("its keys are not in order");
            }
            if mark::is_mark(&keyspace.name, key, value) {
                return damaged("it has the mark of a restore that did not finish");
            }
            last_key.clear();
            last_key.extend_from_slice(key);
            entries += 1;
            bytes += (key.len() + value.len()) as u64;
        }
        if (entries, bytes) != (u64::from(chunk.entries), chunk.bytes) {
            return damaged("it has other entries than the manifest says");
        }
        Ok(())
    }
}

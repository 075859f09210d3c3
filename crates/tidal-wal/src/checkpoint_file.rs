//! The files of checkpoints, written and read whole.
//!
//! A checkpoint is written under a temporary name and synced before it gets its own:
//! one that has its name was whole, so whatever is wrong with it later is damage and no
//! torn write.

use std::sync::Arc;

use tidal_types::WalError;

use crate::disk::{Disk, DiskFile, failed, read_all};
use crate::format::{
    CHECKPOINT_HEADER_BYTES, Checkpoint, CheckpointFlaw, CheckpointHeader, put_entry,
};
use crate::limits::DEDUP_KEYS_MAX;
use crate::names;
use crate::tail::TailError;
use crate::window::Entry;

/// So much is encoded at a time, in bytes.
const CHUNK_BYTES: usize = 1 << 20;

/// Writes a checkpoint and gives it its name, durably. Failing before it has its name
/// harms nothing, since nobody relies on it.
pub(crate) fn write<'a>(
    disk: &dyn Disk,
    header: &CheckpointHeader,
    entries: impl Iterator<Item = &'a Entry>,
    state: &[u8],
) -> Result<(), TailError> {
    let name = names::checkpoint(header.number);
    let temporary = names::temporary(&name);
    fill(disk, &temporary, header, entries, state).map_err(|error| {
        // If it cannot be removed now, the next opening does.
        if let Err(problem) = disk.remove(&temporary) {
            tracing::warn!(%problem, "an unfinished checkpoint stays for now");
        }
        TailError::NoRoom(error)
    })?;
    let path = || disk.path(&name);
    disk.rename(&temporary, &name).map_err(failed("rename", path())).map_err(TailError::Unsound)?;
    disk.sync_dir().map_err(failed("sync", disk.path(""))).map_err(TailError::Unsound)
}

fn fill<'a>(
    disk: &dyn Disk,
    temporary: &str,
    header: &CheckpointHeader,
    entries: impl Iterator<Item = &'a Entry>,
    state: &[u8],
) -> Result<(), WalError> {
    let path = || disk.path(temporary);
    let length = CheckpointHeader::file_bytes(header.entry_count, header.state_bytes)
        .ok_or(WalError::WindowFull { max: DEDUP_KEYS_MAX })?;
    let file = disk.create(temporary, length).map_err(failed("create", path()))?;
    let mut out = Out { file, offset: 0, chunk: header.encode(), hasher: blake3::Hasher::new() };
    for entry in entries {
        put_entry(&mut out.chunk, entry);
        if out.chunk.len() >= CHUNK_BYTES {
            out.write().map_err(failed("write", path()))?;
        }
    }
    out.write().map_err(failed("write", path()))?;
    for part in state.chunks(CHUNK_BYTES) {
        out.chunk.extend_from_slice(part);
        out.write().map_err(failed("write", path()))?;
    }
    let digest = out.hasher.finalize();
    out.file.write_all_at(digest.as_bytes(), out.offset).map_err(failed("write", path()))?;
    out.file.sync().map_err(failed("sync", path()))
}

/// A file that is written from front to back.
struct Out {
    file: Arc<dyn DiskFile>,
    offset: u64,
    chunk: Vec<u8>,
    hasher: blake3::Hasher,
}

impl Out {
    fn write(&mut self) -> std::io::Result<()> {
        self.hasher.update(&self.chunk);
        self.file.write_all_at(&self.chunk, self.offset)?;
        self.offset += self.chunk.len() as u64;
        self.chunk.clear();
        Ok(())
    }
}

/// Reads a checkpoint, or says what is wrong with it.
pub(crate) fn read(
    disk: &dyn Disk,
    number: u64,
) -> Result<Result<Checkpoint, CheckpointFlaw>, WalError> {
    let name = names::checkpoint(number);
    let path = || disk.path(&name);
    let file = disk.open_read(&name).map_err(failed("open", path()))?;
    let length = file.len().map_err(failed("measure", path()))?;
    if length < CHECKPOINT_HEADER_BYTES as u64 {
        return Ok(Err(CheckpointFlaw::Invalid("a checkpoint cut short")));
    }
    let mut header = [0; CHECKPOINT_HEADER_BYTES];
    file.read_exact_at(&mut header, 0).map_err(failed("read", path()))?;
    match CheckpointHeader::extent(&header) {
        Err(flaw) => return Ok(Err(flaw)),
        Ok(extent) if extent != length => {
            return Ok(Err(CheckpointFlaw::Invalid("a checkpoint of the wrong length")));
        }
        Ok(_) => {}
    }
    let bytes = read_all(&*file).map_err(failed("read", path()))?;
    Ok(Checkpoint::decode(&bytes).and_then(|checkpoint| {
        if checkpoint.header.number == number {
            Ok(checkpoint)
        } else {
            Err(CheckpointFlaw::Invalid("a checkpoint under the name of another"))
        }
    }))
}

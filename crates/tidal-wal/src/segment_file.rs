//! The file of a new segment, on its way to its name.
//!
//! Its length in zeros, its header, a sync, the name, a sync of the directory: a
//! segment that has its name is whole, whenever the power is cut.

use std::sync::Arc;

use tidal_types::WalError;

use crate::disk::{Disk, DiskFile, failed};
use crate::format::SegmentHeader;
use crate::names;
use crate::tail::TailError;

/// Makes a segment, of a spare of the right length when there is one.
pub(crate) fn create_segment(
    disk: &dyn Disk,
    spare: Option<Arc<dyn DiskFile>>,
    header: &SegmentHeader,
) -> Result<Arc<dyn DiskFile>, TailError> {
    let name = names::segment(header.number);
    let temporary = names::temporary(&name);
    let file = fill_segment(disk, spare, &temporary, header).map_err(|error| {
        if !matches!(error, WalError::NoSpace { .. }) {
            return TailError::Unsound(error);
        }
        // What was made takes room that others need. If it cannot be removed now,
        // the next opening does.
        match disk.remove(&temporary) {
            Ok(()) => {}
            Err(problem) => tracing::warn!(%problem, "an unfinished segment stays for now"),
        }
        TailError::NoRoom(error)
    })?;
    let path = || disk.path(&name);
    disk.rename(&temporary, &name).map_err(failed("rename", path())).map_err(TailError::Unsound)?;
    disk.sync_dir().map_err(failed("sync", disk.path(""))).map_err(TailError::Unsound)?;
    Ok(file)
}

fn fill_segment(
    disk: &dyn Disk,
    spare: Option<Arc<dyn DiskFile>>,
    temporary: &str,
    header: &SegmentHeader,
) -> Result<Arc<dyn DiskFile>, WalError> {
    let path = || disk.path(temporary);
    let file = match spare {
        Some(spare) => spare,
        None => disk.create(temporary, header.file_bytes).map_err(failed("create", path()))?,
    };
    file.write_all_at(&header.encode(), 0).map_err(failed("write", path()))?;
    file.sync().map_err(failed("sync", path()))?;
    Ok(file)
}

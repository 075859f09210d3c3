//! Carrying a decision out.
//!
//! The order is such that a crash after any step leaves a log for which
//! [`decide`](super::decide) finds the same records:
//! proving again rewrites the same bytes; the torn tail is copied aside before
//! it is cut; what is cut is synced before anything is written on.

use std::sync::Arc;

use tidal_types::WalError;

use super::{Inspection, Plan};
use crate::WalOptions;
use crate::disk::{Disk, DiskFile, failed};
use crate::format::SegmentHeader;
use crate::names;
use crate::tail::{Standing, Tail, TailError};

/// Brings the log into order and returns its end, all of it synced.
pub(crate) fn repair(
    disk: &Arc<dyn Disk>,
    options: &WalOptions,
    found: &Inspection,
    plan: &Plan,
) -> Result<Tail, WalError> {
    remove_leftovers(&**disk, found, plan)?;
    for header in &plan.kept {
        sync_segment(&**disk, header, plan)?;
    }
    let last = plan.kept.last().cloned().expect("a plan keeps at least one segment");
    let standing =
        Standing { next_seq: plan.next_seq, digest: plan.digest, log_time: plan.log_time };
    let torn = plan.torn_end.is_some();
    if let Some(torn_end) = plan.torn_end {
        cut_torn_tail(&**disk, &last, plan.end, torn_end)?;
    }
    let mut tail = Tail::resume(disk, options, last, plan.end, standing)?;
    if torn || tail.is_too_strict() {
        tail.rotate(0, options.clock.now()).map_err(TailError::into_inner)?;
    } else if plan.proven < plan.end && tail.room() > 0 {
        // A marker says that all before it is proven now.
        tail.write(0, &[], options.clock.now())?;
        tail.sync()?;
    }
    Ok(tail)
}

fn remove_leftovers(disk: &dyn Disk, found: &Inspection, plan: &Plan) -> Result<(), WalError> {
    let stale = plan.stale.iter().map(|&number| names::segment(number));
    for name in stale.chain(found.temporaries.iter().cloned()) {
        disk.remove(&name).map_err(failed("remove", disk.path(&name)))?;
    }
    disk.sync_dir().map_err(failed("sync", disk.path("")))
}

/// Syncs what an earlier process wrote and may not have synced. The last segment
/// is also written again from its proven floor on, since a failed sync leaves
/// pages that read well and are never written.
fn sync_segment(disk: &dyn Disk, header: &SegmentHeader, plan: &Plan) -> Result<(), WalError> {
    let name = names::segment(header.number);
    let path = || disk.path(&name);
    let file = disk.open_write(&name).map_err(failed("open", path()))?;
    let is_last = plan.kept.last().is_some_and(|last| last.number == header.number);
    if is_last && plan.proven < plan.end {
        let bytes = read_range(&*file, plan.proven, plan.end).map_err(failed("read", path()))?;
        file.write_all_at(&bytes, plan.proven).map_err(failed("write", path()))?;
    }
    file.sync().map_err(failed("sync", path()))
}

fn cut_torn_tail(
    disk: &dyn Disk,
    header: &SegmentHeader,
    torn: u64,
    torn_end: u64,
) -> Result<(), WalError> {
    let name = names::segment(header.number);
    let path = || disk.path(&name);
    let file = disk.open_write(&name).map_err(failed("open", path()))?;
    let torn_end = torn_end.min(header.file_bytes);
    let bytes = read_range(&*file, torn, torn_end).map_err(failed("read", path()))?;

    let aside_name = names::torn(header.number, torn);
    let aside_path = || disk.path(&aside_name);
    let aside = disk.create(&aside_name, 0).map_err(failed("create", aside_path()))?;
    aside.write_all_at(&bytes, 0).map_err(failed("write", aside_path()))?;
    aside.sync().map_err(failed("sync", aside_path()))?;
    disk.sync_dir().map_err(failed("sync", disk.path("")))?;

    file.write_all_at(&vec![0; bytes.len()], torn).map_err(failed("write", path()))?;
    file.sync().map_err(failed("sync", path()))?;
    tracing::warn!(
        segment = header.number.get(),
        offset = torn,
        bytes = bytes.len(),
        aside = %aside_path().display(),
        "cut a torn tail that was never acknowledged"
    );
    Ok(())
}

fn read_range(file: &dyn DiskFile, from: u64, to: u64) -> std::io::Result<Vec<u8>> {
    let length = usize::try_from(to.saturating_sub(from)).map_err(std::io::Error::other)?;
    let mut bytes = vec![0; length];
    file.read_exact_at(&mut bytes, from)?;
    Ok(bytes)
}

//! Carrying a decision out.
//!
//! The order is such that a crash after any step leaves a log for which
//! [`decide`](super::decide) finds the same records. Before it begins, the names of
//! the segments are made durable and the floor is proven again, since it acts on
//! both. Proving rewrites the very bytes that were looked at. The torn tail is copied
//! aside before it is cut, and no copy is ever written over. What is cut is synced
//! before anything is written on.

use std::sync::Arc;

use tidal_types::WalError;

use super::{Inspection, Plan};
use crate::WalOptions;
use crate::disk::{Disk, failed};
use crate::format::SegmentHeader;
use crate::names;
use crate::read_buffer::Kept;
use crate::tail::{Standing, Tail, TailError};

/// Brings the log into order and returns its end, all of it synced.
pub(crate) fn repair(
    disk: &Arc<dyn Disk>,
    options: &WalOptions,
    found: &Inspection,
    plan: &Plan,
) -> Result<Tail, WalError> {
    remove_stale(&**disk, plan)?;
    let last = plan.kept.last().cloned().expect("a plan keeps at least one segment");
    let nothing = Kept::default();
    let bytes = found.segments.last().map_or(&nothing, |segment| &segment.kept);
    for header in &plan.kept {
        let proven_again = (header.number == last.number).then_some((bytes, plan));
        sync_segment(&**disk, header, proven_again)?;
    }
    if let Some(torn_end) = plan.torn_end {
        let torn = bytes.between(plan.end, torn_end);
        cut_torn_tail(&**disk, &last, plan.end, torn)?;
    } else {
        finish_cut(&**disk, &last, plan.end)?;
    }
    let standing =
        Standing { next_seq: plan.next_seq, digest: plan.digest, log_time: plan.log_time };
    let mut tail = Tail::resume(disk, options, last, plan.end, standing)?;
    if tail.is_too_strict() {
        tail.rotate(0, options.clock.now()).map_err(TailError::into_inner)?;
    } else if plan.torn_end.is_some() {
        match tail.rotate(0, options.clock.now()) {
            // The torn bytes are zeros now, and synced: it can go on here, as it
            // would if opening had been cut short.
            Ok(()) | Err(TailError::NoRoom(_)) => {}
            Err(TailError::Unsound(error)) => return Err(error),
        }
    } else if plan.proven < plan.end && tail.room() > 0 {
        // A marker says that all before it is proven now.
        tail.write(0, &[], options.clock.now())?;
        tail.sync()?;
    }
    Ok(tail)
}

/// Finishes a truncation that was cut short.
fn remove_stale(disk: &dyn Disk, plan: &Plan) -> Result<(), WalError> {
    if plan.stale.is_empty() {
        return Ok(());
    }
    for &number in &plan.stale {
        let name = names::segment(number);
        disk.remove(&name).map_err(failed("remove", disk.path(&name)))?;
    }
    disk.sync_dir().map_err(failed("sync", disk.path("")))
}

/// Syncs what an earlier process wrote and may not have synced. The last segment
/// is also written again from its proven floor on, since a failed sync leaves
/// pages that read well and are never written.
fn sync_segment(
    disk: &dyn Disk,
    header: &SegmentHeader,
    proven_again: Option<(&Kept, &Plan)>,
) -> Result<(), WalError> {
    let name = names::segment(header.number);
    let path = || disk.path(&name);
    let file = disk.open_write(&name).map_err(failed("open", path()))?;
    if let Some((bytes, plan)) = proven_again
        && plan.proven < plan.end
    {
        let again = bytes.between(plan.proven, plan.end);
        file.write_all_at(again, plan.proven).map_err(failed("write", path()))?;
    }
    file.sync().map_err(failed("sync", path()))
}

fn cut_torn_tail(
    disk: &dyn Disk,
    header: &SegmentHeader,
    offset: u64,
    torn: &[u8],
) -> Result<(), WalError> {
    let aside_name = free_torn_name(disk, header, offset)?;
    let aside_path = || disk.path(&aside_name);
    let aside = disk.create(&aside_name, 0).map_err(failed("create", aside_path()))?;
    aside.write_all_at(torn, 0).map_err(failed("write", aside_path()))?;
    aside.sync().map_err(failed("sync", aside_path()))?;
    disk.sync_dir().map_err(failed("sync", disk.path("")))?;

    zero(disk, header, offset, torn.len())?;
    tracing::warn!(
        segment = header.number.get(),
        offset,
        bytes = torn.len(),
        aside = %aside_path().display(),
        "cut a torn tail that was never acknowledged"
    );
    Ok(())
}

/// Cuts again what an earlier recovery set aside here. If the sync of its cut failed,
/// the zeros are in the page cache only, and what they hide would come back.
fn finish_cut(disk: &dyn Disk, header: &SegmentHeader, offset: u64) -> Result<(), WalError> {
    let files = disk.list().map_err(failed("list", disk.path("")))?;
    let room = header.file_bytes.saturating_sub(offset);
    for aside in files.iter().filter(|name| names::is_torn(name, header.number, offset)) {
        let file = disk.open_read(aside).map_err(failed("open", disk.path(aside)))?;
        let length = file.len().map_err(failed("measure", disk.path(aside)))?.min(room);
        zero(disk, header, offset, usize::try_from(length).unwrap_or_default())?;
    }
    Ok(())
}

fn zero(
    disk: &dyn Disk,
    header: &SegmentHeader,
    offset: u64,
    length: usize,
) -> Result<(), WalError> {
    let name = names::segment(header.number);
    let path = || disk.path(&name);
    let file = disk.open_write(&name).map_err(failed("open", path()))?;
    file.write_all_at(&vec![0; length], offset).map_err(failed("write", path()))?;
    file.sync().map_err(failed("sync", path()))
}

/// A name that no earlier copy has: an earlier recovery may have been cut short
/// when it had zeroed a part.
fn free_torn_name(
    disk: &dyn Disk,
    header: &SegmentHeader,
    offset: u64,
) -> Result<String, WalError> {
    let files = disk.list().map_err(failed("list", disk.path("")))?;
    let mut names = (0_u64..).map(|attempt| names::torn(header.number, offset, attempt));
    Ok(names.find(|name| !files.contains(name)).unwrap_or_default())
}

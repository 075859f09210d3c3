//! What is judged beside the segments: checkpoints and cursors.
//!
//! They are the rows V to Z of [`decide`](super::decide). A pass comes to them when all
//! segments are sound.

use tidal_types::{LogId, WalError};

use super::checkpoints;
use super::inspect::{FoundCursors, FoundSegment, Inspection};
use crate::cursor_file::check_cursors;
use crate::disk::Disk;
use crate::names;

/// What forbids to open a log with these segments.
pub(crate) fn of_beside(
    disk: &dyn Disk,
    found: &Inspection,
    kept: &[FoundSegment],
    expected: Option<LogId>,
) -> Vec<WalError> {
    let mut findings = checkpoints::findings(disk, found, kept, expected);
    if kept.is_empty() {
        return findings;
    }
    findings.extend(missing(disk, found));
    match &found.cursors {
        FoundCursors::Absent => {}
        FoundCursors::Refused(error) => findings.push(error.clone()),
        FoundCursors::Sound(slot) => {
            let end = kept.last().and_then(|segment| segment.walk.as_ref());
            let log = expected.zip(end.map(|walk| walk.next_seq.previous()));
            findings
                .extend(log.and_then(|(log_id, end)| check_cursors(disk, slot, log_id, end).err()));
        }
    }
    findings
}

/// Row Y. A floor that lags says too little, and never too much.
fn missing(disk: &dyn Disk, found: &Inspection) -> Vec<WalError> {
    let Some(floor) = found.floor.sound() else {
        return Vec::new();
    };
    let mut missing = Vec::new();
    let newest = found.checkpoints.last().map(|checkpoint| checkpoint.number);
    if let Some(number) = floor.next_checkpoint.checked_sub(1)
        && newest.is_none_or(|newest| newest < number)
    {
        missing.push(WalError::Missing { path: disk.path(&names::checkpoint(number)) });
    }
    if floor.has_cursors && matches!(found.cursors, FoundCursors::Absent) {
        missing.push(WalError::Missing { path: disk.path(names::CURSORS) });
    }
    missing
}

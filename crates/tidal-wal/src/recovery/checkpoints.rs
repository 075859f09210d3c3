//! The checkpoints among the files of a log: which is used, and what forbids it.
//!
//! They are the rows V to X of [`decide`](super::decide).

use tidal_types::{LogId, WalError};

use super::Inspection;
use super::inspect::FoundSegment;
use crate::checkpoint_file;
use crate::disk::Disk;
use crate::format::{Checkpoint, CheckpointFlaw, CheckpointHeader, FORMAT_VERSION};
use crate::names;

/// The file of a checkpoint.
#[derive(Debug)]
pub(crate) struct FoundCheckpoint {
    /// From the name of the file.
    pub(crate) number: u64,
    pub(crate) header: Result<CheckpointHeader, CheckpointFlaw>,
}

/// Reads all of them, and returns the newest sound one whole.
pub(super) fn look_at(
    disk: &dyn Disk,
    files: &[String],
) -> Result<(Vec<FoundCheckpoint>, Option<Checkpoint>), WalError> {
    let mut numbers: Vec<_> =
        files.iter().filter_map(|name| names::parse_checkpoint(name)).collect();
    numbers.sort_unstable();
    let mut newest = None;
    let mut found = Vec::with_capacity(numbers.len());
    for number in numbers {
        let checkpoint = checkpoint_file::read(disk, number)?;
        let header = checkpoint.as_ref().map(|checkpoint| checkpoint.header).map_err(|flaw| *flaw);
        newest = checkpoint.ok().or(newest);
        found.push(FoundCheckpoint { number, header });
    }
    Ok((found, newest))
}

/// What forbids to open the log.
pub(crate) fn findings(
    disk: &dyn Disk,
    found: &Inspection,
    kept: &[FoundSegment],
    expected: Option<LogId>,
) -> Vec<WalError> {
    let mut findings = Vec::new();
    for FoundCheckpoint { number, header } in &found.checkpoints {
        let path = disk.path(&names::checkpoint(*number));
        match header {
            Err(CheckpointFlaw::Version(version)) => {
                let (found, supported) = (*version, FORMAT_VERSION);
                findings.push(WalError::UnsupportedVersion { path, found, supported });
            }
            Ok(header) => findings.extend(
                expected.filter(|id| *id != header.log_id).map(|id| WalError::Foreign {
                    path,
                    found: header.log_id,
                    expected: id,
                }),
            ),
            Err(CheckpointFlaw::Invalid(_)) => {}
        }
    }
    let first = kept.first().and_then(|segment| segment.header.as_ref().ok());
    let last = kept.last().and_then(|segment| segment.walk.as_ref());
    let (Some(first), Some(last)) = (first, last) else {
        return findings;
    };
    let newest = found.checkpoints.iter().rev().find_map(|checkpoint| checkpoint.header.ok());
    match newest {
        Some(newest) if newest.position > last.next_seq => {
            let (end, expected) = (last.next_seq.previous(), newest.position.previous());
            findings.push(WalError::EndsEarly { path: disk.path(""), end, expected });
        }
        Some(newest) if newest.needs() < first.first_seq => {
            let problem = format!(
                "it is the newest sound checkpoint, and the log begins behind it, with record {}",
                first.first_seq
            );
            let path = disk.path(&names::checkpoint(newest.number));
            findings.push(WalError::Damaged { path, offset: 0, problem });
        }
        None if first.first_seq > tidal_types::Seq::FIRST => findings.extend(damage(disk, found)),
        _ => {}
    }
    findings
}

/// The damaged ones. Another one, or the whole log, makes up for them.
pub(crate) fn damage(disk: &dyn Disk, found: &Inspection) -> Vec<WalError> {
    let damaged = found.checkpoints.iter().filter_map(|checkpoint| match checkpoint.header {
        Err(CheckpointFlaw::Invalid(problem)) => Some(WalError::Damaged {
            path: disk.path(&names::checkpoint(checkpoint.number)),
            offset: 0,
            problem: problem.into(),
        }),
        _ => None,
    });
    damaged.collect()
}

//! Taking over a sound log, up to its end or to a time, into a new one.
//!
//! The new log is made as a [salvage](crate::salvage) makes it (V1 to V3): it has an
//! identity of its own and names the other as its parent, with the last record that it
//! took over and the digest there. So two logs that go on differently from there are
//! never taken for one.

use std::path::Path;
use std::sync::Arc;

use tidal_types::{LogId, Position, Seq, Timestamp, WalError};

use crate::SalvageOptions;
use crate::disk::{Disk, RealDisk};
use crate::format::{Parent, SegmentHeader};
use crate::pass::Pass;
use crate::salvage::{Taken, look_beside, refuse_files, write_anew};
use crate::stat::open_to_read;

/// What a new log took over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TakenOver {
    /// The other log, the last record that was taken over, and the digest there.
    pub parent: Parent,
    /// The new log.
    pub log_id: LogId,
    /// The first record that was taken over, or the next one if there was none.
    pub first_seq: Seq,
    /// How many records were taken over.
    pub records: u64,
    /// The log time of the last of them.
    pub log_time: Option<Timestamp>,
}

/// Takes over the log in `from`, which nobody has open and opening would not refuse,
/// into the new or empty directory `to`: all of it, or with `until` what was written up
/// to that log time. Records keep their numbers, groups and log times.
///
/// `from` is left as it is. When the call returns, the new log survives a power cut;
/// when it fails or is cut short, `to` does not open as a log and can be removed.
///
/// # Errors
/// [`WalError::BeforeBackup`] when `until` would leave out record `at_least`;
/// what opening `from` would say; [`WalError::NotEmpty`]; [`WalError::Locked`];
/// [`WalError::InvalidOption`]; [`WalError::NoSpace`]; [`WalError::Io`].
pub fn take_over(
    from: &Path,
    to: &Path,
    until: Option<Timestamp>,
    at_least: Seq,
    options: &SalvageOptions,
) -> Result<TakenOver, WalError> {
    let (disk, lock) = open_to_read(from)?;
    let Cut { parent, first, records, log_time, taken } = cut(&disk, until, at_least)?;
    let target = RealDisk::create(to)?;
    refuse_files(&target)?;
    let target_lock = target.lock()?;
    let log_id = write_anew(&disk, Arc::new(target), parent, &first, taken, options)?;
    drop(target_lock);
    drop(lock);
    Ok(TakenOver { parent, log_id, first_seq: first.first_seq, records, log_time })
}

/// How far a log is to be taken over.
#[derive(Debug)]
struct Cut {
    parent: Parent,
    first: SegmentHeader,
    records: u64,
    log_time: Option<Timestamp>,
    /// What goes along beside the segments.
    taken: Taken,
}

/// Looks at all of the log, so that damage behind the cut is told too.
fn cut(from: &dyn Disk, until: Option<Timestamp>, at_least: Seq) -> Result<Cut, WalError> {
    let mut pass = Pass::begin(from, Seq::ZERO)?;
    let until = until.unwrap_or(Timestamp::MAX);
    let mut cut: Option<Cut> = None;
    let mut earliest = None;
    while let Some(mut walk) = pass.enter()? {
        let header = pass.header().cloned();
        if let (None, Some(first)) = (&cut, header) {
            let position = Position { log_id: first.log_id, seq: first.first_seq.previous() };
            let parent = Parent { position, digest: walk.digest, root: first.root() };
            cut = Some(Cut { parent, first, records: 0, log_time: None, taken: Taken::default() });
        }
        while let Some(group) = pass.group(&mut walk, &mut |_, _| ()) {
            let header = group.header;
            let last = header.next_seq().previous();
            if header.record_count > 0 && earliest.is_none() && last >= at_least {
                earliest = Some(header.log_time);
            }
            if let Some(cut) = &mut cut
                && header.record_count > 0
                && header.log_time <= until
            {
                cut.parent.position.seq = last;
                cut.parent.digest = walk.digest;
                cut.records += u64::from(header.record_count);
                cut.log_time = Some(header.log_time);
            }
        }
        pass.leave(walk);
    }
    if let Some(finding) = pass.finding() {
        return Err(finding.clone());
    }
    let mut cut = cut.ok_or_else(|| WalError::Missing { path: from.path("") })?;
    if cut.parent.position.seq >= at_least {
        cut.taken = look_beside(from, pass.found(), &cut.first, cut.parent.position.seq)?.1;
        return Ok(cut);
    }
    Err(match earliest {
        Some(earliest) => WalError::BeforeBackup { until, earliest },
        None => WalError::EndsEarly {
            path: from.path(""),
            end: cut.parent.position.seq,
            expected: at_least,
        },
    })
}

//! Salvage: what is left of a log that opening refuses, in a new log.
//!
//! V1. The damaged log is read under its lock, and never changed.
//! V2. Until everything is there, the new directory does not open. The first thing in
//!     it is an empty floor file, without which segments could pass for a log and
//!     nothing for a new one; a floor file without segments is refused. The segments
//!     get their names last, after a floor that speaks of all of them.
//! V3. Groups are taken over as they are: number, log time, and the bytes of their
//!     records, so also what this file knows nothing of: producers, and keys. Those of
//!     contents stay right, since they are made from the root of the line of logs
//!     (`format/parent.rs`).
//! V4. What is given up is reported, and nothing behind it is taken over: a log has no
//!     gaps.
//!
//! V5. Checkpoints and cursors, as far as they speak of what is taken over, go into the
//!     new directory between the segments and the floor. Whatever is wrong with them
//!     costs nothing else.

mod beside;
mod lost;
mod staged;

use std::path::Path;
use std::sync::Arc;

use tidal_types::{LogId, Position, Seq, Timestamp, WalError};

use crate::WalOptions;
use crate::disk::{Disk, RealDisk, failed};
use crate::floor_file::FloorFile;
use crate::format::{Digest, Parent, SegmentHeader, SegmentNumber};
use crate::key::ContentHasher;
use crate::names;
use crate::pass::Pass;
use crate::random;
use crate::stat::open_to_read;
use crate::tail::{Beginning, Tail, TailError};
use crate::verify::{Problem, describe};

pub use beside::{Beside, SalvagedCursor};
pub use lost::Lost;

use beside::reads_differently;
pub(crate) use beside::{Taken, look as look_beside};
use staged::Staged;

/// How the new log is made.
#[derive(Debug, Clone)]
pub struct SalvageOptions {
    /// The size of a segment, in bytes, as in
    /// [`WalOptions::segment_bytes`](crate::WalOptions::segment_bytes).
    pub segment_bytes: u64,
}

impl Default for SalvageOptions {
    fn default() -> Self {
        Self { segment_bytes: WalOptions::default().segment_bytes }
    }
}

/// What a salvage takes over, and what it gives up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SalvageReport {
    /// The damaged log, the last record that is taken over, and the digest there.
    pub parent: Parent,
    /// The new log; `None` from [`survey`], which makes none.
    pub log_id: Option<LogId>,
    /// The first record that is taken over, or would be: a truncated log does not begin
    /// at 1.
    pub first_seq: Seq,
    /// How many groups with records are taken over.
    pub groups: u64,
    /// How many records are in them.
    pub records: u64,
    /// The first damage.
    pub damage: Problem,
    /// What is given up: everything behind the damage.
    pub lost: Lost,
    /// What becomes of checkpoints and cursors.
    pub beside: Beside,
}

/// Looks at a damaged log and tells what [`salvage`] would take over and give up.
/// Nothing is written.
///
/// # Errors
/// Those of [`salvage`] that are about the damaged log.
pub fn survey(from: &Path) -> Result<SalvageReport, WalError> {
    let (disk, lock) = open_to_read(from)?;
    let survey = survey_on(&disk)?;
    drop(lock);
    Ok(survey.report)
}

/// Takes over what is sound of the log in `from`, which opening refuses, into a new log
/// in the new or empty directory `to`: the records from the first one up to the first
/// damage. They keep their numbers, groups and log times. The new log has an identity of
/// its own and names the damaged one as its parent.
///
/// What was a repeat of these records is a repeat in the new log. Cursors go along, and the
/// states in checkpoints as far as they take account of no more than is taken over; see
/// [`Beside`]. So a log that is refused only for its checkpoints or cursors keeps every
/// record.
///
/// `from` is left as it is. When the call returns, the new log survives a power cut;
/// when it fails or is cut short, `to` does not open as a log and can be removed.
///
/// # Errors
/// [`WalError::Sound`] when opening would not refuse; [`WalError::NotEmpty`];
/// [`WalError::Locked`]; what is wrong when there is nothing to begin with, since the
/// first segment is missing, foreign, of another version, or has a damaged header;
/// [`WalError::InvalidOption`]; [`WalError::NoSpace`]; [`WalError::Io`].
pub fn salvage(
    from: &Path,
    to: &Path,
    options: &SalvageOptions,
) -> Result<SalvageReport, WalError> {
    if to.starts_with(from) {
        let problem = format!("{} lies in the damaged log; name another place", to.display());
        return Err(WalError::InvalidOption { option: "to", problem });
    }
    let (disk, lock) = open_to_read(from)?;
    let survey = survey_on(&disk)?;
    let target = RealDisk::create(to)?;
    refuse_files(&target)?;
    let target_lock = target.lock()?;
    let report = copy(&disk, Arc::new(target), survey, options)?;
    drop(target_lock);
    drop(lock);
    Ok(report)
}

/// What was found, and the header that the log begins with.
#[derive(Debug)]
pub(crate) struct Survey {
    report: SalvageReport,
    first: SegmentHeader,
    taken: Taken,
}

pub(crate) fn survey_on(from: &dyn Disk) -> Result<Survey, WalError> {
    let mut pass = Pass::begin(from, Seq::ZERO)?;
    pass.finish()?;
    let Some(finding) = pass.finding().cloned() else {
        return Err(WalError::Sound { path: from.path("") });
    };
    let found = pass.found();
    let first = found.segments.first().and_then(|segment| segment.header.as_ref().ok());
    let (Some(walk), Some(log_id), Some(first)) = (pass.last_walk(), pass.log_id(), first) else {
        return Err(finding);
    };
    let walks = || found.segments.iter().filter_map(|segment| segment.walk.as_ref());
    let last = walk.next_seq.previous();
    let (beside, taken) = look_beside(from, found, first, last)?;
    let position = Position { log_id, seq: last };
    let report = SalvageReport {
        parent: Parent { position, digest: walk.digest, root: first.root() },
        log_id: None,
        first_seq: first.first_seq,
        groups: walks().map(|walk| walk.groups - walk.markers).sum(),
        records: walks().map(|walk| walk.records).sum(),
        damage: describe(&from.path(""), finding),
        lost: lost::behind(from, found, last)?,
        beside,
    };
    Ok(Survey { first: first.clone(), report, taken })
}

/// Writes the new log into a directory without files.
pub(crate) fn copy(
    from: &dyn Disk,
    to: Arc<dyn Disk>,
    survey: Survey,
    options: &SalvageOptions,
) -> Result<SalvageReport, WalError> {
    let Survey { mut report, first, taken } = survey;
    report.log_id = Some(write_anew(from, to, report.parent, &first, taken, options)?);
    Ok(report)
}

/// Writes a log anew into a directory without files: the groups of the log in `from`
/// that begins with `first`, up to where `parent` says, and beside them what is `taken`.
/// Returns its identity.
pub(crate) fn write_anew(
    from: &dyn Disk,
    to: Arc<dyn Disk>,
    parent: Parent,
    first: &SegmentHeader,
    mut taken: Taken,
    options: &SalvageOptions,
) -> Result<LogId, WalError> {
    let options = WalOptions {
        segment_bytes: options.segment_bytes,
        alignment: first.alignment,
        ..WalOptions::default()
    };
    options.check()?;
    let log_id = random::log_id(&*to)?;
    let beginning = Beginning {
        log_id,
        parent: Some(parent),
        first_seq: first.first_seq,
        created: first.created,
    };
    let mut floor_file = FloorFile::open(&to, None)?;
    let staged: Arc<dyn Disk> = Arc::new(Staged::new(&to));
    let tail = Tail::create(&staged, &options, beginning)?;
    let tail = copy_groups(from, tail, parent, &mut taken)?;
    let mut floor = tail.floor(SegmentNumber::FIRST);
    taken.write(&to, log_id, &mut floor)?;
    floor_file.write(floor)?;
    name_segments(&*to, tail.header().number)?;
    Ok(log_id)
}

/// Every sound group with records up to the end that `parent` names, synced in the
/// end. Markers speak of the file they are in and stay behind.
fn copy_groups(
    from: &dyn Disk,
    mut tail: Tail,
    parent: Parent,
    taken: &mut Taken,
) -> Result<Tail, WalError> {
    let hasher = ContentHasher::new(parent.root);
    let mut pass = Pass::begin(from, Seq::ZERO)?;
    let is_end = |tail: &Tail, digest| {
        digest == parent.digest && tail.standing().next_seq == parent.position.seq.next()
    };
    let mut digest = Digest::ZERO;
    while !is_end(&tail, digest)
        && let Some(mut walk) = pass.enter()?
    {
        digest = walk.digest;
        while !is_end(&tail, digest)
            && let Some(group) = pass.group(&mut walk, &mut |_, _| ())
        {
            group.show(&mut |record| taken.see(record, &hasher));
            let (header, body) = (group.header, group.body());
            if header.record_count > 0 {
                copy_group(&mut tail, header.record_count, body, header.log_time)?;
            }
            digest = walk.digest;
        }
        pass.leave(walk);
    }
    tail.sync()?;
    if is_end(&tail, digest) {
        return Ok(tail);
    }
    Err(reads_differently(&from.path("")))
}

fn copy_group(
    tail: &mut Tail,
    record_count: u32,
    body: &[u8],
    log_time: Timestamp,
) -> Result<(), WalError> {
    if body.len() > tail.room() {
        tail.rotate(body.len(), log_time).map_err(TailError::into_inner)?;
    }
    tail.write(record_count, body, log_time)
}

/// Makes a log of the directory (V2).
fn name_segments(to: &dyn Disk, last: SegmentNumber) -> Result<(), WalError> {
    let mut number = SegmentNumber::FIRST;
    loop {
        let name = names::segment(number);
        to.rename(&names::staged(&name), &name).map_err(failed("rename", to.path(&name)))?;
        if number == last {
            break;
        }
        number = number.next();
    }
    to.sync_dir().map_err(failed("sync", to.path("")))
}

pub(crate) fn refuse_files(to: &RealDisk) -> Result<(), WalError> {
    let files = to.list().map_err(failed("list", to.path("")))?;
    if files.is_empty() { Ok(()) } else { Err(WalError::NotEmpty { path: to.path("") }) }
}

#[cfg(test)]
mod tests;

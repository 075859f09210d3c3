//! What opening a log does, as a pure function of what lies on disk.
//!
//! F is the proven floor: the largest offset that the floor file or any group
//! with a sound checksum says was synced. P is where the sound groups of the
//! last segment end.
//!
//! | row | what is found                                            | what is done          |
//! |-----|----------------------------------------------------------|-----------------------|
//! | A   | no segment, no floor file, no checkpoint, no cursors     | create a log          |
//! | B   | no segment, but any of the others                        | refuse: missing       |
//! | C   | a segment older than the floor's oldest                  | finish the truncation |
//! | D   | the floor's oldest segment is not there                  | refuse: missing       |
//! | E   | a header or the floor is bad, of another version, or misnamed | refuse: damaged, unsupported |
//! | F   | a segment of another log                                 | refuse: foreign       |
//! | G   | a gap in the numbers                                     | refuse: missing       |
//! | H   | a file shorter or longer than its header says            | refuse: damaged       |
//! | I   | a segment does not continue the one before               | refuse: damaged       |
//! | J   | before the last segment, groups end too early or too late | refuse: damaged      |
//! | S   | the last segment is sealed                               | refuse: missing       |
//! | K   | P < F, or the chain differs from the floor's where they meet | refuse: damaged    |
//! | L   | at P a whole group that this program cannot read         | refuse: damaged       |
//! | M   | bytes behind P, more than can ever have been in flight   | refuse: damaged       |
//! | V   | a checkpoint of another version, or of another log       | refuse: unsupported, foreign |
//! | W   | the newest sound checkpoint speaks of records behind P   | refuse: ends early    |
//! | X   | the log begins behind the newest sound checkpoint, or there are only damaged ones and it does not begin with its first record | refuse: damaged |
//! | Y   | the floor speaks of a newer checkpoint than any, or of cursors that are not there | refuse: missing |
//! | Z   | the cursors are damaged, of another version, of another log, or behind P | refuse: damaged, unsupported, foreign, ends early |
//! | N   | bytes behind P, fewer                                    | torn: set aside, cut, go on in a new segment |
//! | O   | zeros behind P                                           | go on behind P        |
//!
//! In rows N and O everything from F to P is written and synced again before
//! anyone sees it: a failed sync may have left it in the page cache only. For the
//! same reason row O cuts again what an earlier opening has set aside at P.
//!
//! A damaged checkpoint that row X does not speak of is passed over: the one before,
//! or the log from its first record on, has all that was in it.
//!
//! The rows are tried from top to bottom, so a finding always has one answer.
//! [`findings`] lists every refusal, [`decide`] stops at the first.

use std::path::PathBuf;

use tidal_types::{LogId, Seq, Timestamp, WalError};

use super::beside::of_beside;
use super::inspect::{FoundCursors, FoundFloor, FoundSegment, Inspection};
use crate::disk::Disk;
use crate::format::{
    Digest, FORMAT_VERSION, Floor, GroupFlaw, HeaderFlaw, SEALED_VERSION, SEGMENT_HEADER_BYTES,
    SegmentHeader, SegmentNumber,
};
use crate::names;
use crate::walk::{Stop, Walk};

/// What opening does.
#[derive(Debug)]
pub(crate) enum Decision {
    Create,
    Open(Plan),
    Refuse(WalError),
}

/// How an existing log is brought into order.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    /// Segments whose truncation was cut short.
    pub(crate) stale: Vec<SegmentNumber>,
    /// The segments that stay, in order; the last is written on.
    pub(crate) kept: Vec<SegmentHeader>,
    /// Where the sound groups of the last segment end, in the file.
    pub(crate) end: u64,
    /// From here to `end` is proven again, in the file.
    pub(crate) proven: u64,
    /// The dirty bytes behind `end`, when there are any, reach to here.
    pub(crate) torn_end: Option<u64>,
    pub(crate) next_seq: Seq,
    pub(crate) digest: Digest,
    pub(crate) log_time: Timestamp,
}

/// Decides; `disk` only lends its paths to errors.
pub(crate) fn decide(disk: &dyn Disk, found: &Inspection) -> Decision {
    let nothing_else = found.floor == FoundFloor::Absent
        && found.checkpoints.is_empty()
        && matches!(found.cursors, FoundCursors::Absent);
    if found.segments.is_empty() && nothing_else {
        return Decision::Create;
    }
    match findings(disk, found).into_iter().next() {
        Some(refusal) => Decision::Refuse(refusal),
        None => {
            plan(found).map_or_else(|| Decision::Refuse(all_missing(disk, found)), Decision::Open)
        }
    }
}

/// Everything that forbids to open the log, first things first.
pub(crate) fn findings(disk: &dyn Disk, found: &Inspection) -> Vec<WalError> {
    let mut findings = Vec::new();
    let (_, kept) = split_stale(found);
    if let FoundFloor::Version(found) = found.floor {
        let path = disk.path(names::FLOOR);
        findings.push(WalError::UnsupportedVersion { path, found, supported: FORMAT_VERSION });
    }
    let floor = found.floor.sound();
    let first = kept.first().map(|segment| segment.number);
    if let Some(floor) = floor
        && first != Some(floor.oldest_segment)
    {
        findings.push(missing(disk, floor.oldest_segment));
    }
    let expected = floor.map(|floor| floor.log_id).or_else(|| log_id(kept));
    for segment in kept {
        findings.extend(of_segment(disk, segment, expected));
    }
    findings.extend(kept.iter().filter_map(|segment| of_floor(disk, segment, floor)));
    for pair in kept.windows(2) {
        if let [segment, next] = pair {
            findings.extend(of_link(disk, segment, next));
        }
    }
    if let Some(last) = kept.last() {
        findings.extend(of_tail(disk, last, found));
    }
    findings.extend(of_beside(disk, found, kept, expected));
    findings
}

/// Rows E, F and H.
pub(crate) fn of_segment(
    disk: &dyn Disk,
    segment: &FoundSegment,
    expected: Option<LogId>,
) -> Option<WalError> {
    let path = disk.path(&names::segment(segment.number));
    let header = match &segment.header {
        Ok(header) => header,
        Err(HeaderFlaw::Version(found)) => {
            let (found, supported) = (*found, SEALED_VERSION);
            return Some(WalError::UnsupportedVersion { path, found, supported });
        }
        Err(HeaderFlaw::Invalid(problem)) => return Some(damaged(path, 0, *problem)),
    };
    if let Some(expected) = expected
        && header.log_id != expected
    {
        return Some(WalError::Foreign { path, found: header.log_id, expected });
    }
    if header.number != segment.number {
        let problem = format!("the segment says it is number {}", header.number.get());
        return Some(damaged(path, 0, problem));
    }
    let expected = header.stored_bytes();
    (segment.file_bytes != expected).then(|| {
        let problem =
            format!("the file has {} bytes and should have {expected}", segment.file_bytes);
        damaged(path, segment.file_bytes.min(expected), problem)
    })
}

/// Rows G, I and J.
pub(crate) fn of_link(
    disk: &dyn Disk,
    segment: &FoundSegment,
    next: &FoundSegment,
) -> Option<WalError> {
    if segment.number.next() != next.number {
        return Some(missing(disk, segment.number.next()));
    }
    let (Ok(header), Ok(following)) = (&segment.header, &next.header) else {
        return None;
    };
    let path = || disk.path(&names::segment(segment.number));
    if header.base_offset.checked_add(header.file_bytes) != Some(following.base_offset)
        || header.first_seq > following.first_seq
        || header.parent != following.parent
    {
        let next_path = disk.path(&names::segment(next.number));
        return Some(damaged(next_path, 0, "the segment does not continue the one before it"));
    }
    let walk = segment.walk.as_ref()?;
    if walk.end < following.previous_end {
        return Some(damaged(path(), walk.end, stopped_by(walk)));
    }
    let continues = walk.end == following.previous_end
        && walk.next_seq == following.first_seq
        && walk.digest == following.previous_digest;
    (!continues).then(|| damaged(path(), walk.end, "the next segment does not continue this one"))
}

/// Row K, where the groups reach the floor: they must be those it speaks of.
pub(crate) fn of_floor(
    disk: &dyn Disk,
    segment: &FoundSegment,
    floor: Option<&Floor>,
) -> Option<WalError> {
    let (Ok(header), Some(walk), Some(floor)) = (&segment.header, &segment.walk, floor) else {
        return None;
    };
    let begin = header.base_offset + SEGMENT_HEADER_BYTES as u64;
    let end = header.base_offset + walk.end;
    // Of the groups within a rewritten segment none is what it was when it was synced.
    let is_known = header.seal.is_none_or(|seal| !seal.is_rewritten())
        || [begin, end].contains(&floor.synced_offset);
    let reaches = is_known && (begin..=end).contains(&floor.synced_offset);
    let agrees = walk.at_mark == Some((floor.digest, floor.next_seq));
    (reaches && !agrees).then(|| {
        let offset = floor.synced_offset - header.base_offset;
        let path = disk.path(&names::segment(segment.number));
        damaged(path, offset, "the groups up to here are not those that were synced")
    })
}

/// Rows S, K, L and M.
pub(crate) fn of_tail(
    disk: &dyn Disk,
    last: &FoundSegment,
    found: &Inspection,
) -> Option<WalError> {
    let (Ok(header), Some(walk)) = (&last.header, &last.walk) else {
        return None;
    };
    if header.seal.is_some() {
        // Only a segment is sealed that has another one behind it.
        return Some(missing(disk, last.number.next()));
    }
    let path = disk.path(&names::segment(last.number));
    let proven = proven_offset(walk, found);
    if header.base_offset.saturating_add(walk.end) < proven {
        let synced = proven.saturating_sub(header.base_offset);
        let problem = format!("{}, though synced up to byte {synced}", stopped_by(walk));
        return Some(damaged(path, walk.end, problem));
    }
    if let Stop::Broken { flaw, dirty_end } = walk.stop {
        if flaw == GroupFlaw::Fields {
            return Some(damaged(path, walk.end, flaw.as_str()));
        }
        let dirty = dirty_end - walk.end;
        if dirty > header.in_flight_bytes_max {
            let problem = format!(
                "{} and {dirty} bytes behind it, more than the {} that can be in flight",
                flaw.as_str(),
                header.in_flight_bytes_max
            );
            return Some(damaged(path, walk.end, problem));
        }
    }
    None
}

fn plan(found: &Inspection) -> Option<Plan> {
    let (stale, kept) = split_stale(found);
    let walk = kept.last()?.walk.as_ref()?;
    let kept: Vec<SegmentHeader> =
        kept.iter().map(|segment| segment.header.as_ref().ok().cloned()).collect::<Option<_>>()?;
    let base_offset = kept.last()?.base_offset;
    let torn_end = match walk.stop {
        Stop::Clean => None,
        Stop::Broken { dirty_end, .. } => Some(dirty_end),
    };
    Some(Plan {
        stale: stale.iter().map(|segment| segment.number).collect(),
        kept,
        end: walk.end,
        proven: proven_offset(walk, found)
            .saturating_sub(base_offset)
            .clamp(SEGMENT_HEADER_BYTES as u64, walk.end),
        torn_end,
        next_seq: walk.next_seq,
        digest: walk.digest,
        log_time: walk.log_time,
    })
}

pub(crate) fn split_stale(found: &Inspection) -> (&[FoundSegment], &[FoundSegment]) {
    let oldest = oldest(found);
    let stale = found.segments.partition_point(|segment| segment.number < oldest);
    found.segments.split_at(stale)
}

fn proven_offset(walk: &Walk, found: &Inspection) -> u64 {
    walk.promise.max(found.floor.sound().map_or(0, |floor| floor.synced_offset))
}

pub(crate) fn log_id(segments: &[FoundSegment]) -> Option<LogId> {
    segments.iter().find_map(|segment| segment.header.as_ref().ok()).map(|header| header.log_id)
}

fn stopped_by(walk: &Walk) -> &'static str {
    match walk.stop {
        Stop::Clean => "the groups end here",
        Stop::Broken { flaw, .. } => flaw.as_str(),
    }
}

fn damaged(path: PathBuf, offset: u64, problem: impl Into<String>) -> WalError {
    WalError::Damaged { path, offset, problem: problem.into() }
}

pub(crate) fn missing(disk: &dyn Disk, number: SegmentNumber) -> WalError {
    WalError::Missing { path: disk.path(&names::segment(number)) }
}

fn all_missing(disk: &dyn Disk, found: &Inspection) -> WalError {
    missing(disk, oldest(found))
}

pub(crate) fn oldest(found: &Inspection) -> SegmentNumber {
    found.floor.sound().map_or(SegmentNumber::FIRST, |floor| floor.oldest_segment)
}

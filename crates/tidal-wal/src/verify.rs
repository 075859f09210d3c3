//! Checking a log that nobody has open, without changing anything.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tidal_types::{Position, Seq, WalError};

use crate::LogRecord;
use crate::disk::{Disk, RealDisk};
use crate::names;
use crate::recovery::{checkpoint_damage, findings, inspect};
use crate::wal::Head;
use crate::walk::Stop;

/// What is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file.
    pub path: PathBuf,
    /// Where in it, in bytes.
    pub offset: u64,
    /// What was found there.
    pub problem: String,
}

/// A segment that records were taken out of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RewrittenSegment {
    /// The file.
    pub path: PathBuf,
    /// The first and the last record it has.
    pub records: (Seq, Seq),
    /// How many of its records are tombstones.
    pub tombstones: u64,
    /// How many times a record of it was replaced.
    pub replaced: u64,
}

/// What a check of a log found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct VerifyReport {
    /// How many segments there are.
    pub segments: u64,
    /// How many of them are sealed.
    pub sealed: u64,
    /// Those whose records are not all as they were written. Each lies between its
    /// neighbours as it did, by the digest that it ended with; its own groups have
    /// digests of their own, since those of what it was cannot be computed any more.
    pub rewritten: Vec<RewrittenSegment>,
    /// How many groups are sound.
    pub groups: u64,
    /// How many records are in them.
    pub records: u64,
    /// What is wrong. Opening the log would refuse with the first of them, unless that
    /// is a damaged checkpoint for which another one, or the log, makes up.
    pub problems: Vec<Problem>,
    /// What a crash left behind the last record. It was never acknowledged, and
    /// the next opening sets it aside.
    pub torn_tail: Option<Problem>,
    /// The last record and the digest of the chain behind it; `None` when something is
    /// wrong. Kept elsewhere, the digest later proves that the log still says the same.
    pub head: Option<Head>,
}

impl VerifyReport {
    /// Whether nothing is wrong.
    #[must_use]
    pub fn ok(&self) -> bool {
        self.problems.is_empty()
    }
}

/// Checks every group of the log in `dir` and shows every record to `check`,
/// which may say what is wrong with it.
///
/// # Errors
/// [`WalError::Locked`] while the log is open elsewhere; [`WalError::Io`]. Damage
/// is not an error here but a problem in the report.
pub fn verify(
    dir: &Path,
    check: &mut dyn FnMut(&LogRecord<'_>) -> Option<String>,
) -> Result<VerifyReport, WalError> {
    if !dir.is_dir() {
        return Ok(VerifyReport { problems: vec![no_log(dir)], ..VerifyReport::default() });
    }
    let real = RealDisk::existing(dir);
    let lock = real.lock_existing()?;
    let disk: Arc<dyn Disk> = Arc::new(real);
    let mut bad_records = Vec::new();
    let found = inspect(&*disk, Seq::ZERO, &mut |record, offset| {
        bad_records.extend(check(record).map(|problem| (record.seq, offset, problem)));
    })?;
    let refusals = findings(&*disk, &found).into_iter();
    let mut problems: Vec<_> = refusals.map(|finding| describe(dir, finding)).collect();
    let has_sound_tail = problems.is_empty();
    for damage in checkpoint_damage(&*disk, &found) {
        let problem = describe(dir, damage);
        if !problems.contains(&problem) {
            problems.push(problem);
        }
    }
    let segments = found.segments.len() as u64;
    let mut report = VerifyReport { segments, problems, ..VerifyReport::default() };
    if found.segments.is_empty() && report.problems.is_empty() {
        report.problems.push(no_log(dir));
    }
    for walk in found.segments.iter().filter_map(|segment| segment.walk.as_ref()) {
        report.groups += walk.groups;
        report.records += walk.records;
    }
    for segment in &found.segments {
        let Some((header, seal)) =
            segment.header.as_ref().ok().and_then(|header| Some((header, header.seal?)))
        else {
            continue;
        };
        report.sealed += 1;
        if seal.is_rewritten() {
            report.rewritten.push(RewrittenSegment {
                path: disk.path(&names::segment(segment.number)),
                records: (header.first_seq, seal.next_seq.previous()),
                tombstones: seal.tombstones,
                replaced: seal.replaced,
            });
        }
    }
    let has_sound_tail = has_sound_tail && bad_records.is_empty();
    for (seq, offset, problem) in bad_records {
        let holder =
            found.segments.iter().rev().find(|segment| {
                segment.header.as_ref().is_ok_and(|header| header.first_seq <= seq)
            });
        let path =
            holder.map_or_else(|| dir.into(), |segment| disk.path(&names::segment(segment.number)));
        report.problems.push(Problem { path, offset, problem: format!("record {seq}: {problem}") });
    }
    if has_sound_tail
        && let Some(last) = found.segments.last()
        && let (Ok(header), Some(walk)) = (&last.header, &last.walk)
    {
        let position = Position { log_id: header.log_id, seq: walk.next_seq.previous() };
        report.head = Some(Head { position, digest: walk.digest });
    }
    if has_sound_tail
        && let Some(last) = found.segments.last()
        && let Some(walk) = &last.walk
        && let Stop::Broken { flaw, dirty_end } = walk.stop
    {
        report.torn_tail = Some(Problem {
            path: disk.path(&names::segment(last.number)),
            offset: walk.end,
            problem: format!(
                "{}: {} bytes that were never acknowledged",
                flaw.as_str(),
                dirty_end - walk.end
            ),
        });
    }
    drop(lock);
    Ok(report)
}

fn no_log(dir: &Path) -> Problem {
    Problem { path: dir.into(), offset: 0, problem: "there is no log here".into() }
}

/// An error as something that is wrong in a file.
pub(crate) fn describe(dir: &Path, finding: WalError) -> Problem {
    match finding {
        WalError::Damaged { path, offset, problem } => Problem { path, offset, problem },
        other => {
            let path = match &other {
                WalError::UnsupportedVersion { path, .. }
                | WalError::Foreign { path, .. }
                | WalError::Missing { path } => path.clone(),
                _ => dir.into(),
            };
            Problem { path, offset: 0, problem: other.to_string() }
        }
    }
}

//! What a log that nobody has open is made of, without changing anything.

use std::path::{Path, PathBuf};

use tidal_types::{LogId, Position, Seq, WalError};

use crate::disk::{Disk, Lock, RealDisk, failed};
use crate::format::{Maker, Parent, SEGMENT_HEADER_BYTES};
use crate::names;
use crate::pass::Pass;
use crate::recovery::Inspection;
use crate::verify::{Problem, describe};
use crate::wal::Head;

/// What a log is made of.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LogStat {
    /// Its identity; `None` when neither a header nor the floor tells it.
    pub log_id: Option<LogId>,
    /// The log it took over from when that was salvaged.
    pub parent: Option<Parent>,
    /// The first record it has, or will have; `None` when the first header is damaged.
    pub first_seq: Option<Seq>,
    /// Where the sound groups end; `None` when there is nothing to begin with.
    pub head: Option<Head>,
    /// How far it is written down that all was synced; `None` when the file that says
    /// it is missing or damaged.
    pub floor: Option<FloorStat>,
    /// The segments, oldest first.
    pub segments: Vec<SegmentStat>,
    /// The checkpoints, oldest first.
    pub checkpoints: Vec<CheckpointStat>,
    /// Every cursor, by name, and the last record that it committed; none when their
    /// file is damaged.
    pub cursors: Vec<(String, Seq)>,
    /// Torn tails that earlier openings have cut off and kept.
    pub set_aside: Vec<FileStat>,
    /// The first thing that is wrong, if anything is: opening refuses the log.
    pub problem: Option<Problem>,
    /// What a crash left behind the last record. It was never acknowledged, and the
    /// next opening sets it aside.
    pub torn_tail: Option<Problem>,
}

/// How far a log is known to have been synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FloorStat {
    /// The last record below it.
    pub last_seq: Seq,
    /// In bytes from the beginning of the first segment there ever was.
    pub offset: u64,
}

/// One segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SegmentStat {
    /// The file.
    pub path: PathBuf,
    /// The length of the file, in bytes.
    pub bytes: u64,
    /// The first record it has, or would have; `None` when its header is damaged.
    pub first_seq: Option<Seq>,
    /// What is known of it beside when it is sealed.
    pub seal: Option<SealStat>,
    /// How far its groups are sound; `None` when it lies behind something that is
    /// wrong, and was not read.
    pub content: Option<ContentStat>,
}

/// What is known of a sealed segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SealStat {
    /// How many bytes its file had before.
    pub original_bytes: u64,
    /// How many of its records are tombstones.
    pub tombstones: u64,
    /// How many times a record was replaced.
    pub replaced: u64,
}

/// The sound groups of a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContentStat {
    /// The last record; the one before the segment's first when there is none.
    pub last_seq: Seq,
    /// How many groups there are.
    pub groups: u64,
    /// How many records are in them.
    pub records: u64,
    /// How many bytes they take, with what aligns them.
    pub bytes: u64,
}

/// A checkpoint of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckpointStat {
    /// The file.
    pub path: PathBuf,
    /// What is in it; `None` when it is damaged, or of a version that this program does
    /// not know.
    pub content: Option<CheckpointContent>,
}

/// What is in a checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CheckpointContent {
    /// The record through which the state of the log's owner goes; `None` when the log
    /// made the checkpoint for itself.
    pub owner_state: Option<Seq>,
    /// How many bytes that state has.
    pub state_bytes: u64,
    /// The last record whose key, if it has one, is in the window.
    pub last_seq: Seq,
    /// How many keys are in it.
    pub keys: u64,
}

/// A file and its length.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileStat {
    /// The file.
    pub path: PathBuf,
    /// Its length, in bytes.
    pub bytes: u64,
}

impl LogStat {
    /// How many bytes the segments take on disk.
    #[must_use]
    pub fn segment_bytes(&self) -> u64 {
        self.segments.iter().map(|segment| segment.bytes).sum()
    }
}

/// Reads the log in `dir` and tells what it is made of. A damaged log is told as far
/// as it is sound.
///
/// # Errors
/// [`WalError::Missing`] when there is no log; [`WalError::Locked`] while it is open
/// elsewhere; [`WalError::Io`]. Damage is not an error here, but
/// [`LogStat::problem`].
pub fn inspect_log(dir: &Path) -> Result<LogStat, WalError> {
    let (disk, lock) = open_to_read(dir)?;
    let mut pass = Pass::begin(&disk, Seq::ZERO)?;
    if pass.found().segments.is_empty()
        && let Some(nothing @ WalError::Missing { .. }) = pass.finding()
    {
        return Err(nothing.clone());
    }
    pass.finish()?;
    let stat = stat(&disk, &pass)?;
    drop(lock);
    Ok(stat)
}

/// The directory of a log, and its lock if it has one, to be read only.
pub(crate) fn open_to_read(dir: &Path) -> Result<(RealDisk, Option<Lock>), WalError> {
    let disk = RealDisk::existing(dir);
    if !dir.is_dir() {
        return Err(WalError::Missing { path: dir.into() });
    }
    let lock = disk.lock_existing()?;
    Ok((disk, lock))
}

fn stat(disk: &RealDisk, pass: &Pass<'_>) -> Result<LogStat, WalError> {
    let found = pass.found();
    let first = found.segments.first().and_then(|segment| segment.header.as_ref().ok());
    Ok(LogStat {
        log_id: pass.log_id(),
        parent: first.and_then(|header| header.parent),
        first_seq: first.map(|header| header.first_seq),
        head: head(pass),
        floor: found.floor.sound().map(|floor| FloorStat {
            last_seq: floor.next_seq.previous(),
            offset: floor.synced_offset,
        }),
        segments: segments(disk, found),
        checkpoints: checkpoints(disk, found),
        cursors: cursors(found),
        set_aside: set_aside(disk)?,
        problem: pass.finding().cloned().map(|finding| describe(&disk.path(""), finding)),
        torn_tail: pass.torn_tail(),
    })
}

/// Where the sound groups end.
pub(crate) fn head(pass: &Pass<'_>) -> Option<Head> {
    let walk = pass.last_walk()?;
    let position = Position { log_id: pass.log_id()?, seq: walk.next_seq.previous() };
    Some(Head { position, digest: walk.digest })
}

fn segments(disk: &RealDisk, found: &Inspection) -> Vec<SegmentStat> {
    let segments = found.segments.iter().map(|segment| SegmentStat {
        path: disk.path(&names::segment(segment.number)),
        bytes: segment.file_bytes,
        first_seq: segment.header.as_ref().ok().map(|header| header.first_seq),
        seal: segment.header.as_ref().ok().and_then(|header| {
            let seal = header.seal?;
            let (tombstones, replaced) = (seal.tombstones, seal.replaced);
            Some(SealStat { original_bytes: header.file_bytes, tombstones, replaced })
        }),
        content: segment.walk.as_ref().map(|walk| ContentStat {
            last_seq: walk.next_seq.previous(),
            groups: walk.groups,
            records: walk.records,
            bytes: walk.end - SEGMENT_HEADER_BYTES as u64,
        }),
    });
    segments.collect()
}

fn checkpoints(disk: &RealDisk, found: &Inspection) -> Vec<CheckpointStat> {
    let checkpoints = found.checkpoints.iter().map(|checkpoint| CheckpointStat {
        path: disk.path(&names::checkpoint(checkpoint.number)),
        content: checkpoint.header.ok().map(|header| CheckpointContent {
            owner_state: (header.maker == Maker::Owner).then_some(header.through),
            state_bytes: header.state_bytes,
            last_seq: header.position.previous(),
            keys: header.entry_count,
        }),
    });
    checkpoints.collect()
}

fn cursors(found: &Inspection) -> Vec<(String, Seq)> {
    let places = found.cursors.sound().map(|slot| slot.places.clone());
    places.unwrap_or_default().into_iter().collect()
}

fn set_aside(disk: &RealDisk) -> Result<Vec<FileStat>, WalError> {
    let mut names = disk.list().map_err(failed("list", disk.path("")))?;
    names.retain(|name| names::is_set_aside(name));
    names.sort_unstable();
    let files = names.into_iter().map(|name| {
        let path = disk.path(&name);
        let file = disk.open_read(&name).map_err(failed("open", path.clone()))?;
        let bytes = file.len().map_err(failed("measure", path.clone()))?;
        Ok(FileStat { path, bytes })
    });
    files.collect()
}

//! Looking at the files of a log.

use std::time::Duration;

use tidal_types::{Seq, WalError};

use super::checkpoints::{self, FoundCheckpoint};
use super::window::Replay;
use crate::cursor_file::read_cursors;
use crate::disk::{Disk, failed};
use crate::format::{
    Checkpoint, CursorSlot, FLOOR_BYTES, Floor, HeaderFlaw, SEGMENT_HEADER_BYTES, SegmentHeader,
    SegmentNumber,
};
use crate::names;
use crate::read_buffer::{Kept, ReadBuffer};
use crate::walk::{Stop, Visitor, Walk, walk};
use crate::window::Window;

/// Everything a decision needs to know.
#[derive(Debug)]
pub(crate) struct Inspection {
    /// In the order of their numbers.
    pub(crate) segments: Vec<FoundSegment>,
    pub(crate) floor: FoundFloor,
    /// In the order of their numbers.
    pub(crate) checkpoints: Vec<FoundCheckpoint>,
    /// The newest sound one, whole.
    pub(crate) newest_checkpoint: Option<Checkpoint>,
    pub(crate) cursors: FoundCursors,
    /// The deduplication window at the end of the log, if it was asked for and there is
    /// a log.
    pub(crate) window: Option<Window>,
    /// Files under construction when a process ended.
    pub(crate) temporaries: Vec<String>,
}

/// What became of the file of cursors.
#[derive(Debug)]
pub(crate) enum FoundCursors {
    /// There is none.
    Absent,
    Sound(CursorSlot),
    /// There is one that cannot be used, and why.
    Refused(WalError),
}

impl FoundCursors {
    pub(crate) const fn sound(&self) -> Option<&CursorSlot> {
        match self {
            Self::Sound(slot) => Some(slot),
            Self::Absent | Self::Refused(_) => None,
        }
    }
}

/// What became of the floor file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FoundFloor {
    /// There is none.
    Absent,
    /// There is one, and neither slot is sound.
    Lost,
    Sound(Floor),
    /// A sound slot of a version that this program does not know.
    Version(u16),
}

impl FoundFloor {
    pub(crate) const fn sound(&self) -> Option<&Floor> {
        match self {
            Self::Sound(floor) => Some(floor),
            Self::Absent | Self::Lost | Self::Version(_) => None,
        }
    }
}

#[derive(Debug)]
pub(crate) struct FoundSegment {
    /// From the name of the file.
    pub(crate) number: SegmentNumber,
    pub(crate) file_bytes: u64,
    pub(crate) header: Result<SegmentHeader, HeaderFlaw>,
    /// `None` when the header is bad, or when all records lie before the first
    /// that is to be verified.
    pub(crate) walk: Option<Walk>,
    /// The bytes from the proven floor on that were walked, of the last segment only:
    /// what is proven again must be what was looked at.
    pub(crate) kept: Kept,
}

/// Reads the log; `visit` sees every record from the segment on that holds
/// `verify_from`.
pub(crate) fn inspect(
    disk: &dyn Disk,
    verify_from: Seq,
    visit: Visitor<'_>,
) -> Result<Inspection, WalError> {
    look_around(disk, verify_from, None, visit)
}

/// The same, and finds the deduplication window of this length: it walks from the
/// first segment on that this needs.
pub(crate) fn inspect_with_window(
    disk: &dyn Disk,
    verify_from: Seq,
    length: Duration,
) -> Result<Inspection, WalError> {
    look_around(disk, verify_from, Some(length), &mut |_, _| ())
}

fn look_around(
    disk: &dyn Disk,
    verify_from: Seq,
    window_length: Option<Duration>,
    visit: Visitor<'_>,
) -> Result<Inspection, WalError> {
    let mut found = look(disk)?;
    let mark = found.floor.sound().map(|floor| floor.synced_offset);
    let root = found.segments.iter().find_map(|segment| Some(segment.header.as_ref().ok()?.root()));
    let mut replay = window_length.zip(root).map(|(length, root)| {
        Replay::new(length, root, found.newest_checkpoint.as_ref(), &found.segments)
    });
    let walk_from = replay.as_ref().map_or(verify_from, |replay| replay.from().min(verify_from));
    mark_for_walking(&mut found.segments, walk_from);
    walk_segments(disk, &mut found.segments, mark, &mut |record, offset| {
        if let Some(replay) = &mut replay {
            replay.see(record);
        }
        visit(record, offset);
    })?;
    found.window = replay.map(Replay::into_window);
    Ok(found)
}

/// Reads the headers, the floor, the checkpoints and the cursors, and no groups.
pub(crate) fn look(disk: &dyn Disk) -> Result<Inspection, WalError> {
    let files = disk.list().map_err(failed("list", disk.path("")))?;
    let mut numbers: Vec<_> = files.iter().filter_map(|name| names::parse_segment(name)).collect();
    numbers.sort_unstable();
    let mut segments = Vec::with_capacity(numbers.len());
    for number in numbers {
        segments.push(look_at(disk, number)?);
    }
    let floor = if files.iter().any(|name| name == names::FLOOR) {
        look_at_floor(disk)?
    } else {
        FoundFloor::Absent
    };
    let (checkpoints, newest_checkpoint) = checkpoints::look_at(disk, &files)?;
    let cursors = match read_cursors(disk) {
        Ok(None) => FoundCursors::Absent,
        Ok(Some(slot)) => FoundCursors::Sound(slot),
        Err(error @ WalError::Io { .. }) => return Err(error),
        Err(error) => FoundCursors::Refused(error),
    };
    let temporaries = files.into_iter().filter(|name| names::is_temporary(name)).collect();
    Ok(Inspection {
        segments,
        floor,
        checkpoints,
        newest_checkpoint,
        cursors,
        window: None,
        temporaries,
    })
}

fn look_at(disk: &dyn Disk, number: SegmentNumber) -> Result<FoundSegment, WalError> {
    let name = names::segment(number);
    let file = disk.open_read(&name).map_err(failed("open", disk.path(&name)))?;
    let file_bytes = file.len().map_err(failed("measure", disk.path(&name)))?;
    let mut page = [0; SEGMENT_HEADER_BYTES];
    let header = if file_bytes < page.len() as u64 {
        SegmentHeader::decode(&[])
    } else {
        file.read_exact_at(&mut page, 0).map_err(failed("read", disk.path(&name)))?;
        SegmentHeader::decode(&page)
    };
    Ok(FoundSegment { number, file_bytes, header, walk: None, kept: Kept::default() })
}

fn look_at_floor(disk: &dyn Disk) -> Result<FoundFloor, WalError> {
    let path = || disk.path(names::FLOOR);
    let file = disk.open_read(names::FLOOR).map_err(failed("open", path()))?;
    let length = file.len().map_err(failed("measure", path()))?.min(FLOOR_BYTES);
    let mut bytes = vec![0; usize::try_from(length).unwrap_or_default()];
    file.read_exact_at(&mut bytes, 0).map_err(failed("read", path()))?;
    Ok(match Floor::decode_newest(&bytes) {
        Ok(Some(floor)) => FoundFloor::Sound(floor),
        Ok(None) => FoundFloor::Lost,
        Err(version) => FoundFloor::Version(version),
    })
}

/// Marks the segments from the one on that holds `verify_from`, as far as their
/// headers and lengths are sound: no length that was not checked is read.
fn mark_for_walking(segments: &mut [FoundSegment], verify_from: Seq) {
    let mut next_first_seq = None;
    for segment in segments.iter_mut().rev() {
        let Ok(header) = &segment.header else {
            continue;
        };
        let wanted = next_first_seq.is_none_or(|next| next > verify_from);
        next_first_seq = Some(header.first_seq);
        if wanted && segment.file_bytes == header.stored_bytes() {
            segment.walk = Some(Walk::before(header));
        }
    }
}

fn walk_segments(
    disk: &dyn Disk,
    segments: &mut [FoundSegment],
    mark: Option<u64>,
    visit: Visitor<'_>,
) -> Result<(), WalError> {
    let last = segments.last().map(|segment| segment.number);
    for segment in segments {
        let (Ok(header), Some(found)) = (&segment.header, &mut segment.walk) else {
            continue;
        };
        let name = names::segment(segment.number);
        let buffer = ReadBuffer::open_segment(disk, &name, header, segment.file_bytes);
        let mut buffer = buffer.map_err(failed("open", disk.path(&name)))?;
        let is_last = last == Some(segment.number) && header.seal.is_none();
        if is_last {
            buffer.keep();
        }
        let walked = walk(&mut buffer, header, mark, &mut *visit);
        *found = walked.map_err(failed("read", disk.path(&name)))?;
        if is_last {
            segment.kept = buffer.into_kept(match found.stop {
                Stop::Clean => found.end,
                Stop::Broken { dirty_end, .. } => dirty_end,
            });
        }
    }
    Ok(())
}

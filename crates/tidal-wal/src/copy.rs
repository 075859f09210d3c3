//! Copying a log that is open, as far as it is durable.
//!
//! N1. Segments are copied as they are up to the place that was durable when the copy
//!     began, and zeros behind it; so the copy has the same identity and the same chain.
//! N2. A hold keeps truncation from what is being copied. It is not durable: it ends
//!     with whoever has it.
//! N3. The copy gets its floor last, and is read back: its chain ends with the digest
//!     that the log had at that place.
//! N4. A sealed segment is copied as a whole and is never the last of a log. So the last
//!     one is opened before anything is copied: if it was sealed with records behind the
//!     place, there is a later place; if without, the empty one behind it is copied too.

use std::path::Path;
use std::sync::Arc;

use tidal_types::{Position, Seq, WalError};

use crate::disk::{Disk, DiskFile, RealDisk, failed};
use crate::floor_file::FloorFile;
use crate::format::{Floor, SEGMENT_HEADER_BYTES, Seal, SegmentHeader};
use crate::names;
use crate::pass::Pass;
use crate::salvage::refuse_files;
use crate::shared::{Durable, Shared};
use crate::stat::head;
use crate::wal::{Head, Wal};

/// How many bytes are copied at a time.
const PIECE_BYTES: usize = 1 << 20;

/// Holds truncation back, until it is dropped or the process ends.
#[derive(Debug)]
pub struct Hold {
    shared: Arc<Shared>,
    id: u64,
    first_seq: Seq,
}

impl Hold {
    /// The first record that is held.
    #[must_use]
    pub const fn first_seq(&self) -> Seq {
        self.first_seq
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.shared.progress.lock().holds.remove(&self.id);
    }
}

/// A copy of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogCopy {
    /// The first record it has, or would have.
    pub first_seq: Seq,
    /// Its last record, and the digest of the chain behind it.
    pub head: Head,
    /// How many bytes its segments take.
    pub bytes: u64,
}

impl Wal {
    /// Holds truncation back from every record that is there now or later, until the
    /// hold is dropped. Unlike that of a [cursor](Wal::cursor) it is not durable.
    ///
    /// # Errors
    /// [`WalError::Closed`]; [`WalError::Poisoned`].
    pub fn hold(&self) -> Result<Hold, WalError> {
        let shared = Arc::clone(self.shared());
        // Truncation holds it throughout, so no record goes between the look and the hold.
        let cursors = shared.cursor_file();
        shared.progress.check()?;
        let first_seq = self.first_seq();
        let mut state = shared.progress.lock();
        let id = state.holds.last_key_value().map_or(0, |(last, _)| last + 1);
        state.holds.insert(id, first_seq);
        drop(state);
        drop(cursors);
        Ok(Hold { shared, id, first_seq })
    }

    /// Copies the log into the new or empty directory `to`: every segment from the one
    /// with record `from` on, up to the last record that is appended now. Writers go on
    /// meanwhile. When the call returns, the copy survives a power cut; when it fails or
    /// is cut short, `to` does not open as a log and can be removed.
    ///
    /// # Errors
    /// [`WalError::Truncated`] when the hold does not have record `from`;
    /// [`WalError::NotEmpty`]; [`WalError::NoSpace`]; [`WalError::Io`];
    /// [`WalError::Damaged`] when the copy does not read as what was written; those of
    /// [`Wal::sync`].
    pub fn copy_to(&self, hold: &Hold, from: Seq, to: &Path) -> Result<LogCopy, WalError> {
        if from < hold.first_seq {
            return Err(WalError::Truncated { wanted: from, first: hold.first_seq });
        }
        self.sync()?;
        let shared = self.shared();
        let (durable, headers, last) = extent(shared, from)?;
        let target = RealDisk::create(to)?;
        refuse_files(&target)?;
        let target: Arc<dyn Disk> = Arc::new(target);
        // A floor without segments is no log, nor are segments that it does not know.
        let mut floor = FloorFile::open(&target, None)?;
        let mut bytes = 0;
        let (_, before) = headers.split_last().expect("a log has a segment for every record");
        for header in before {
            let source = Source::open(&*shared.disk, header)?;
            bytes += copy_segment(&*shared.disk, &*target, &source, durable)?;
        }
        bytes += copy_segment(&*shared.disk, &*target, &last, durable)?;
        target.sync_dir().map_err(failed("sync", target.path("")))?;
        let first = headers.first().expect("a log has a segment for every record");
        floor.write(Floor {
            log_id: shared.log_id,
            generation: 0,
            synced_offset: durable.offset,
            next_seq: durable.next_seq,
            oldest_segment: first.number,
            digest: durable.digest,
            // Neither is copied.
            next_checkpoint: 0,
            has_cursors: false,
        })?;
        let position = Position { log_id: shared.log_id, seq: durable.next_seq.previous() };
        let expected = Head { position, digest: durable.digest };
        read_back(&*target, expected)?;
        Ok(LogCopy { first_seq: first.first_seq, head: expected, bytes })
    }
}

/// What is durable now, the segments that have it from record `from` on, and the last of
/// them, open (N4).
fn extent(shared: &Shared, from: Seq) -> Result<(Durable, Vec<SegmentHeader>, Source), WalError> {
    'later: loop {
        let durable = shared.durable();
        let mut headers = shared.segments().between(from, durable.offset);
        loop {
            let last = headers.last().expect("a log has a segment for every record");
            let source = Source::open(&*shared.disk, last)?;
            match source.seal {
                None => return Ok((durable, headers, source)),
                // All of it is durable, so by now the durable end is in another segment.
                Some(seal) if seal.next_seq > durable.next_seq => continue 'later,
                Some(_) => {
                    let next = shared.segments().after(last.number).cloned();
                    headers.push(next.expect("the last segment is never sealed"));
                }
            }
        }
    }
}

/// A segment as it is when it is opened: it may be sealed or rewritten meanwhile.
struct Source {
    header: SegmentHeader,
    file: Arc<dyn DiskFile>,
    /// What the file itself says, which may be newer than the header.
    seal: Option<Seal>,
}

impl Source {
    fn open(from: &dyn Disk, header: &SegmentHeader) -> Result<Self, WalError> {
        let name = names::segment(header.number);
        let file = from.open_read(&name).map_err(failed("open", from.path(&name)))?;
        let mut page = vec![0; SEGMENT_HEADER_BYTES];
        file.read_exact_at(&mut page, 0).map_err(failed("read", from.path(&name)))?;
        let seal = SegmentHeader::decode(&page).ok().and_then(|header| header.seal);
        Ok(Self { header: header.clone(), file, seal })
    }
}

/// N1. Says how long it is.
fn copy_segment(
    from: &dyn Disk,
    to: &dyn Disk,
    source: &Source,
    durable: Durable,
) -> Result<u64, WalError> {
    let Source { header, file: source, seal } = source;
    let name = names::segment(header.number);
    let length = source.len().map_err(failed("measure", from.path(&name)))?;
    let end = if seal.is_some() {
        length
    } else {
        let durable_end = durable.offset.saturating_sub(header.base_offset);
        durable_end.clamp(SEGMENT_HEADER_BYTES as u64, header.file_bytes)
    };
    let path = || to.path(&name);
    let target = to.create(&name, length).map_err(failed("create", path()))?;
    let mut piece = vec![0; PIECE_BYTES];
    let mut offset = 0;
    while offset < end {
        let length = usize::try_from(end - offset).unwrap_or(PIECE_BYTES).min(PIECE_BYTES);
        let piece = piece.get_mut(..length).unwrap_or_default();
        source.read_exact_at(piece, offset).map_err(failed("read", from.path(&name)))?;
        target.write_all_at(piece, offset).map_err(failed("write", path()))?;
        offset += length as u64;
    }
    target.sync().map_err(failed("sync", path()))?;
    Ok(length)
}

/// N3.
fn read_back(copy: &dyn Disk, expected: Head) -> Result<(), WalError> {
    let mut pass = Pass::begin(copy, Seq::ZERO)?;
    pass.finish()?;
    if let Some(finding) = pass.finding() {
        return Err(finding.clone());
    }
    if head(&pass) == Some(expected) {
        return Ok(());
    }
    let problem = "the copy does not read as the log did".to_owned();
    Err(WalError::Damaged { path: copy.path(""), offset: SEGMENT_HEADER_BYTES as u64, problem })
}

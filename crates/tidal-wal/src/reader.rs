//! Reading the log while it is written.
//!
//! N1. A reader sees records that are durable, all of them, once, in order.
//! N2. It verifies every group it comes by, and never writes.
//! N3. It reads no byte before that is durable: one that is never changes.
//! N4. A segment that is sealed or rewritten meanwhile is another file under the name of
//!     the old one. Who has the old one open reads that to its end; whoever enters reads
//!     header and groups of one and the same file.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use tidal_types::{ByteReader, Producer, Seq, Timestamp, WalError};

use crate::disk::failed;
use crate::format::{
    Before, Digest, Frame, GROUP_HEADER_BYTES, GroupFlaw, GroupHeader, SEGMENT_HEADER_BYTES, Seal,
    SegmentHeader, align_up, read_record,
};
use crate::names;
use crate::read_buffer::ReadBuffer;
use crate::shared::Shared;
use crate::{LogRecord, RecordKey, RecordKind};

/// Follows the log from a record on.
#[derive(Debug)]
pub struct Reader {
    shared: Arc<Shared>,
    /// The first record that has not been returned.
    next: Seq,
    place: Option<Place>,
    group: Group,
}

/// Where in which segment the next group begins.
#[derive(Debug)]
struct Place {
    header: SegmentHeader,
    buffer: ReadBuffer,
    offset: u64,
    digest: Digest,
}

/// The group that is being read.
#[derive(Debug, Default)]
struct Group {
    /// Where in the file it begins.
    offset: u64,
    /// How many bytes it has.
    extent: usize,
    /// How many of them are read already.
    read: usize,
    /// The number of the record there.
    seq: Seq,
    remaining: u32,
    log_time: Timestamp,
    /// Who sent the record before.
    before: Before,
}

/// A record of the group that is being read.
struct Found {
    kind: RecordKind,
    key: Option<RecordKey>,
    producer: Option<Producer>,
    /// Where in the bytes of the group it is.
    payload: Range<usize>,
}

impl Reader {
    pub(crate) fn new(shared: Arc<Shared>, from: Seq) -> Self {
        Self { shared, next: from.max(Seq::FIRST), place: None, group: Group::default() }
    }

    /// The next record, or `None` when it has returned all that is durable now;
    /// a later call may have more.
    ///
    /// # Errors
    /// [`WalError::Truncated`] when the record was cut off behind a checkpoint,
    /// [`WalError::Damaged`] when bytes are not what was written,
    /// [`WalError::Io`]. After an error the same record is tried again.
    pub fn next_record(&mut self) -> Result<Option<LogRecord<'_>>, WalError> {
        loop {
            while self.group.remaining == 0 {
                if !self.load_group()? {
                    return Ok(None);
                }
            }
            let seq = self.group.seq;
            let Some(found) = self.group.advance(self.place.as_ref()) else {
                return Err(self.unreadable());
            };
            if seq >= self.next {
                self.next = seq.next();
                let Found { kind, key, producer, payload } = found;
                let log_time = self.group.log_time;
                let bytes = self.group.bytes(self.place.as_ref());
                let payload = bytes.get(payload).unwrap_or_default();
                return Ok(Some(LogRecord { seq, kind, log_time, key, producer, payload }));
            }
        }
    }

    /// The next record, waiting for it if need be; `None` when none has become
    /// durable within `timeout`. It waits for no more than the writer: a log that was
    /// not opened as [`Durable`](crate::Durability::Durable) may take 50 milliseconds
    /// to sync what nobody asked to.
    ///
    /// # Errors
    /// Those of [`Reader::next_record`]. Once it has returned all that is durable,
    /// [`WalError::Closed`] and [`WalError::Poisoned`] when there will be no more.
    pub fn wait_record(&mut self, timeout: Duration) -> Result<Option<LogRecord<'_>>, WalError> {
        match self.shared.progress.wait_durable(self.next, Some(timeout)) {
            Ok(()) | Err(WalError::TimedOut { .. }) => self.next_record(),
            Err(error) => Err(error),
        }
    }

    /// Reads the next group; false when no further one is durable.
    fn load_group(&mut self) -> Result<bool, WalError> {
        let durable = self.shared.durable();
        if durable.next_seq <= self.next && self.place.is_none() {
            return Ok(false);
        }
        // A segment that was entered and then torn may hold no group at all.
        while let Some(header) = self.next_segment()? {
            self.place = Some(self.enter(&header, durable.offset)?);
        }
        let Some(place) = &mut self.place else {
            return Ok(false);
        };
        if place.ends_at(durable.offset.saturating_sub(place.header.base_offset)) {
            return Ok(false);
        }
        let (header, extent) = place.load_group(durable.offset).map_err(|error| {
            place.buffer.start_over(place.offset);
            error.at(&self.shared, place)
        })?;
        self.group.offset = place.offset;
        self.group.extent = extent;
        place.offset = align_up(place.offset + extent as u64, place.header.alignment);
        place.digest = header.digest;
        self.group.read = GROUP_HEADER_BYTES;
        self.group.seq = header.first_seq;
        self.group.remaining = header.record_count;
        self.group.log_time = header.log_time;
        self.group.before = Before::default();
        Ok(true)
    }

    /// The segment to enter, when the one at hand is read to its end or there is
    /// none yet.
    fn next_segment(&self) -> Result<Option<SegmentHeader>, WalError> {
        let segments = self.shared.segments();
        let first = segments.first_seq();
        let truncated = WalError::Truncated { wanted: self.next, first };
        let Some(place) = &self.place else {
            return if self.next < first {
                Err(truncated)
            } else {
                Ok(segments.holding(self.next).cloned())
            };
        };
        let number = place.header.number;
        match segments.after(number) {
            Some(next) => Ok(place.ends_at(next.previous_end).then(|| next.clone())),
            None if segments.last_number() == Some(number) => Ok(None),
            None => Err(truncated),
        }
    }

    fn enter(&self, header: &SegmentHeader, durable: u64) -> Result<Place, WalError> {
        let name = names::segment(header.number);
        let path = || self.shared.disk.path(&name);
        let file = self.shared.disk.open_read(&name).map_err(|error| match error.kind() {
            // It was truncated since its header was looked up.
            std::io::ErrorKind::NotFound => {
                WalError::Truncated { wanted: self.next, first: self.shared.segments().first_seq() }
            }
            _ => failed("open", path())(error),
        })?;
        let mut page = vec![0; SEGMENT_HEADER_BYTES];
        file.read_exact_at(&mut page, 0).map_err(failed("read", path()))?;
        let is_same = |found: &SegmentHeader| {
            let (log_id, previous) = (header.log_id, header.previous_digest);
            found.number == header.number
                && found.log_id == log_id
                && found.previous_digest == previous
        };
        let Some(header) = SegmentHeader::decode(&page).ok().filter(is_same) else {
            let problem = "the header is not the one that was found at opening".to_owned();
            return Err(WalError::Damaged { path: path(), offset: 0, problem });
        };
        let file_bytes = file.len().map_err(failed("measure", path()))?;
        let mut buffer = ReadBuffer::of_segment(file, &header, file_bytes);
        buffer.limit(durable_end(&header, durable));
        let (offset, digest) = (SEGMENT_HEADER_BYTES as u64, header.previous_digest);
        Ok(Place { buffer, offset, digest, header })
    }

    fn unreadable(&self) -> WalError {
        match &self.place {
            Some(place) => ReadError::Flaw(GroupFlaw::Fields).at(&self.shared, place),
            None => WalError::Closed { path: self.shared.disk.path("") },
        }
    }
}

impl Group {
    /// All of it.
    fn bytes<'a>(&self, place: Option<&'a Place>) -> &'a [u8] {
        place.map_or(&[], |place| place.buffer.held(self.offset, self.extent))
    }

    /// Goes on to the next record.
    fn advance(&mut self, place: Option<&Place>) -> Option<Found> {
        let mut body = ByteReader::new(self.bytes(place).get(self.read..)?);
        let Frame { kind, key, producer, payload } = read_record(&mut body, &mut self.before)?;
        self.read = self.extent - body.rest().len();
        self.seq = self.seq.next();
        self.remaining -= 1;
        let payload = self.read - payload.len()..self.read;
        Some(Found { kind, key, producer, payload })
    }
}

enum ReadError {
    Flaw(GroupFlaw),
    Io(std::io::Error),
}

impl ReadError {
    fn at(self, shared: &Shared, place: &Place) -> WalError {
        let path = shared.disk.path(&names::segment(place.header.number));
        match self {
            Self::Flaw(flaw) => {
                WalError::Damaged { path, offset: place.offset, problem: flaw.as_str().into() }
            }
            Self::Io(error) => failed("read", path)(error),
        }
    }
}

impl Place {
    /// Whether it is read to its end, which is at `end` unless it is sealed.
    fn ends_at(&self, end: u64) -> bool {
        self.offset >= self.header.seal.map_or(end, |seal| seal.body_end)
    }

    /// Reads the next group and checks it; says how long it is too.
    fn load_group(&mut self, durable: u64) -> Result<(GroupHeader, usize), ReadError> {
        let end = durable_end(&self.header, durable);
        self.buffer.let_go(self.offset);
        self.buffer.extend(end);
        let room = end.saturating_sub(self.offset);
        let header = self.buffer.reach(self.offset, GROUP_HEADER_BYTES).map_err(ReadError::Io)?;
        let extent = GroupHeader::extent(header, room);
        if self.buffer.is_broken() {
            return Err(ReadError::Flaw(GroupFlaw::Block));
        }
        let extent = extent.map_err(ReadError::Flaw)?;
        self.buffer.reach(self.offset, extent).map_err(ReadError::Io)?;
        if self.buffer.is_broken() {
            return Err(ReadError::Flaw(GroupFlaw::Block));
        }
        let bytes = self.buffer.held(self.offset, extent);
        let group = GroupHeader::decode(bytes, self.header.nonce, self.digest);
        let group = group.map_err(ReadError::Flaw)?;
        let end = align_up(self.offset + extent as u64, self.header.alignment);
        let is_other = |seal: &Seal| seal.body_end == end && seal.body_digest != group.digest;
        if self.header.seal.as_ref().is_some_and(is_other) {
            return Err(ReadError::Flaw(GroupFlaw::Chain));
        }
        Ok((group, extent))
    }
}

/// How far a segment is durable when the log is up to `durable`, in the segment as it is
/// read. One that is sealed is durable as a whole.
fn durable_end(header: &SegmentHeader, durable: u64) -> u64 {
    if header.seal.is_some() {
        return header.body_end();
    }
    durable.saturating_sub(header.base_offset).min(header.file_bytes)
}

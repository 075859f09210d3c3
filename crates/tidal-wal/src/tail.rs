//! The end of the log: the segment that is written on.
//!
//! T1. Groups are written one behind the other; a segment is entered only once
//!     the one before is synced and the new file, its header, its name and its
//!     directory entry are durable.
//! T2. The promise of a group is what had been synced before it was written.
//! T3. A failure to make room leaves everything as it was; any other failure
//!     leaves the tail unsound, and its owner must not write on.
//! T4. Once a segment is half full, the next one is made ahead. Whether that came to
//!     something matters only when the next one is entered, and then for nothing but
//!     the time it takes.

use std::sync::Arc;

use tidal_types::{LogId, Seq, Timestamp, WalError};

use crate::WalOptions;
use crate::disk::{Disk, DiskFile, failed};
use crate::format::{
    Digest, Floor, GROUP_HEADER_BYTES, GroupHeader, GroupKind, Parent, SEGMENT_HEADER_BYTES,
    SegmentHeader, SegmentNumber, align_up,
};
use crate::limits::GROUP_BYTES_MAX;
use crate::names;
use crate::options::Durability;
use crate::random;
use crate::segment_file::create_segment;
use crate::spare::{Order, Spares};

/// The size of the first segment; each further one is twice as large, up to the
/// size that was asked for.
const FIRST_SEGMENT_BYTES: u64 = 1 << 20;

/// The segment that is written on, and where in it.
#[derive(Debug)]
pub(crate) struct Tail {
    disk: Arc<dyn Disk>,
    file: Arc<dyn DiskFile>,
    header: SegmentHeader,
    segment_bytes: u64,
    in_flight_bytes_max: u64,
    /// Where the next group goes, in the file.
    end: u64,
    /// Where the synced groups end, in the file.
    synced_end: u64,
    next_seq: Seq,
    digest: Digest,
    log_time: Timestamp,
    group: Vec<u8>,
    spares: Spares,
    /// Whether the segment after this one was ordered.
    has_ordered: bool,
}

/// What a new log begins with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Beginning {
    pub(crate) log_id: LogId,
    pub(crate) parent: Option<Parent>,
    pub(crate) first_seq: Seq,
    pub(crate) created: Timestamp,
}

/// Where a log stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) next_seq: Seq,
    pub(crate) digest: Digest,
    pub(crate) log_time: Timestamp,
}

/// Why a tail could not go on.
#[derive(Debug)]
pub(crate) enum TailError {
    /// There was no room for a segment; nothing has changed.
    NoRoom(WalError),
    /// What is on disk is no longer known.
    Unsound(WalError),
}

impl TailError {
    pub(crate) fn into_inner(self) -> WalError {
        match self {
            Self::NoRoom(error) | Self::Unsound(error) => error,
        }
    }
}

impl Tail {
    /// The first segment of a new log.
    pub(crate) fn create(
        disk: &Arc<dyn Disk>,
        options: &WalOptions,
        beginning: Beginning,
    ) -> Result<Self, WalError> {
        let Beginning { log_id, parent, first_seq, created } = beginning;
        let digest = Digest::genesis(log_id, parent.as_ref());
        let header = SegmentHeader {
            alignment: options.alignment,
            log_id,
            number: SegmentNumber::FIRST,
            first_seq,
            base_offset: 0,
            file_bytes: planned_bytes(
                options.segment_bytes,
                SegmentNumber::FIRST,
                options.alignment,
            ),
            nonce: random::nonce(&**disk)?,
            created,
            in_flight_bytes_max: in_flight_bytes_max(options.durability, options.alignment),
            previous_end: 0,
            previous_digest: digest,
            parent,
            seal: None,
        };
        let file = create_segment(&**disk, None, &header).map_err(TailError::into_inner)?;
        let standing = Standing { next_seq: first_seq, digest, log_time: created };
        Ok(Self::new(disk, options, file, header, SEGMENT_HEADER_BYTES as u64, standing))
    }

    /// The last segment of an existing log, whose groups end, synced, at `end`.
    pub(crate) fn resume(
        disk: &Arc<dyn Disk>,
        options: &WalOptions,
        header: SegmentHeader,
        end: u64,
        standing: Standing,
    ) -> Result<Self, WalError> {
        let name = names::segment(header.number);
        let file = disk.open_write(&name).map_err(failed("open", disk.path(&name)))?;
        Ok(Self::new(disk, options, file, header, end, standing))
    }

    fn new(
        disk: &Arc<dyn Disk>,
        options: &WalOptions,
        file: Arc<dyn DiskFile>,
        header: SegmentHeader,
        end: u64,
        standing: Standing,
    ) -> Self {
        Self {
            disk: Arc::clone(disk),
            file,
            segment_bytes: options.segment_bytes,
            in_flight_bytes_max: in_flight_bytes_max(options.durability, header.alignment),
            header,
            end,
            synced_end: end,
            next_seq: standing.next_seq,
            digest: standing.digest,
            log_time: standing.log_time,
            group: Vec::new(),
            spares: Spares::new(disk),
            has_ordered: false,
        }
    }

    /// Who makes segments ahead.
    pub(crate) const fn spares(&mut self) -> &mut Spares {
        &mut self.spares
    }

    pub(crate) const fn header(&self) -> &SegmentHeader {
        &self.header
    }

    pub(crate) const fn standing(&self) -> Standing {
        Standing { next_seq: self.next_seq, digest: self.digest, log_time: self.log_time }
    }

    /// Whether this segment was begun for less in flight than there will be: a
    /// crash could then leave more behind than its header allows.
    pub(crate) const fn is_too_strict(&self) -> bool {
        self.header.in_flight_bytes_max < self.in_flight_bytes_max
    }

    pub(crate) const fn is_synced(&self) -> bool {
        self.synced_end == self.end
    }

    /// The offset of the log below which all is synced.
    pub(crate) const fn synced_offset(&self) -> u64 {
        self.header.base_offset + self.synced_end
    }

    /// The floor that the tail can vouch for, which knows nothing of checkpoints and
    /// cursors. It is only asked for when all is synced.
    pub(crate) const fn floor(&self, oldest_segment: SegmentNumber) -> Floor {
        Floor {
            log_id: self.header.log_id,
            generation: 0,
            synced_offset: self.synced_offset(),
            next_seq: self.next_seq,
            oldest_segment,
            digest: self.digest,
            next_checkpoint: 0,
            has_cursors: false,
        }
    }

    /// Whether anything was written into this segment.
    pub(crate) const fn has_groups(&self) -> bool {
        self.end > SEGMENT_HEADER_BYTES as u64
    }

    /// How long a body still fits into this segment.
    pub(crate) fn room(&self) -> usize {
        let rest = self.header.file_bytes.saturating_sub(self.end);
        usize::try_from(rest).unwrap_or(usize::MAX).saturating_sub(GROUP_HEADER_BYTES)
    }

    /// Writes one group, which fits.
    pub(crate) fn write(
        &mut self,
        record_count: u32,
        body: &[u8],
        now: Timestamp,
    ) -> Result<(), WalError> {
        let log_time = self.log_time.max(now);
        let header = GroupHeader {
            nonce: self.header.nonce,
            body_bytes: u32::try_from(body.len()).expect("a group is at most GROUP_BYTES_MAX long"),
            record_count,
            first_seq: self.next_seq,
            log_time,
            promise: self.synced_offset(),
            kind: if record_count == 0 { GroupKind::Marker } else { GroupKind::Records },
            digest: Digest::ZERO,
        };
        self.group.clear();
        self.group.resize(GROUP_HEADER_BYTES, 0);
        self.group.extend_from_slice(body);
        let digest = header
            .seal(&mut self.group, self.digest)
            .expect("the buffer begins with room for a header");
        let end = align_up(self.end + self.group.len() as u64, self.header.alignment);
        // The zeros behind it too: a cut that failed to sync may have left other bytes.
        let padded = usize::try_from(end - self.end).expect("a group fits into memory");
        self.group.resize(padded, 0);
        self.file.write_all_at(&self.group, self.end).map_err(self.failed("write"))?;
        self.end = end;
        self.digest = digest;
        self.log_time = log_time;
        self.next_seq = header.next_seq();
        if !self.has_ordered && self.end > self.header.file_bytes / 2 {
            self.has_ordered = true;
            let number = self.header.number.next();
            self.spares.order(Order { number, bytes: self.planned_bytes(number) });
        }
        Ok(())
    }

    /// Makes all groups durable.
    pub(crate) fn sync(&mut self) -> Result<(), WalError> {
        if !self.is_synced() {
            self.file.sync().map_err(self.failed("sync"))?;
            self.synced_end = self.end;
        }
        Ok(())
    }

    /// Goes on in a new segment with room for a body of `body_bytes`.
    pub(crate) fn rotate(&mut self, body_bytes: usize, now: Timestamp) -> Result<(), TailError> {
        self.sync().map_err(TailError::Unsound)?;
        let number = self.header.number.next();
        let needed = (SEGMENT_HEADER_BYTES + GROUP_HEADER_BYTES + body_bytes) as u64;
        let header = SegmentHeader {
            number,
            first_seq: self.next_seq,
            base_offset: self.header.base_offset + self.header.file_bytes,
            file_bytes: self.planned_bytes(number).max(align_up(needed, self.header.alignment)),
            nonce: random::nonce(&*self.disk).map_err(TailError::Unsound)?,
            created: self.log_time.max(now),
            in_flight_bytes_max: self.in_flight_bytes_max,
            previous_end: self.end,
            previous_digest: self.digest,
            ..self.header.clone()
        };
        let spare = self.spares.take(Order { number, bytes: header.file_bytes });
        self.file = create_segment(&*self.disk, spare, &header)?;
        self.log_time = header.created;
        self.header = header;
        self.end = SEGMENT_HEADER_BYTES as u64;
        self.synced_end = self.end;
        self.has_ordered = false;
        Ok(())
    }

    fn planned_bytes(&self, number: SegmentNumber) -> u64 {
        planned_bytes(self.segment_bytes, number, self.header.alignment)
    }

    fn failed(&self, operation: &'static str) -> impl FnOnce(std::io::Error) -> WalError {
        failed(operation, self.disk.path(&names::segment(self.header.number)))
    }
}

/// How large a segment is, unless a batch needs more: whole blocks.
fn planned_bytes(segment_bytes: u64, number: SegmentNumber, alignment: u32) -> u64 {
    let doublings = u32::try_from(number.get()).unwrap_or(u32::MAX);
    // Shifted back, so that bits that fell off are noticed.
    let grown = FIRST_SEGMENT_BYTES
        .checked_shl(doublings)
        .filter(|grown| grown >> doublings == FIRST_SEGMENT_BYTES)
        .unwrap_or(segment_bytes);
    align_up(grown.min(segment_bytes), alignment)
}

/// A durable log has at most one group in flight; the others sync a segment when
/// they leave it.
fn in_flight_bytes_max(durability: Durability, alignment: u32) -> u64 {
    match durability {
        Durability::Durable => align_up((GROUP_HEADER_BYTES + GROUP_BYTES_MAX) as u64, alignment),
        Durability::Written | Durability::Buffered => u64::MAX,
    }
}

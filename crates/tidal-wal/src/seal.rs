//! Writing a segment anew: compressed, and with other records where that is asked for.
//!
//! Q1. What is read is verified group by group, and must end where the next segment says;
//!     so a segment that was damaged unnoticed is refused, and never sealed over.
//! Q2. A group keeps its place among the others, its number, its log time and its
//!     promise, whatever becomes of its records.
//! Q3. A part of the segment is in memory at a time: a group, and a block.

use std::sync::Arc;

use tidal_types::{ByteReader, WalError};

use crate::disk::{Disk, DiskFile, failed};
use crate::format::{
    Before, BlockHeader, Digest, GROUP_HEADER_BYTES, GroupHeader, SEALED_BLOCK_BYTES,
    SEALED_BODY_END_MAX, SEGMENT_HEADER_BYTES, Seal, SegmentHeader, align_up, put_redacted,
    read_record,
};
use crate::limits::GROUP_BYTES_MAX;
use crate::names;
use crate::read_buffer::ReadBuffer;
use crate::walk::{Sound, Walk};
use crate::{LogRecord, Redaction};

/// Says what becomes of a record.
pub(crate) type Judge<'a> = &'a mut dyn FnMut(&LogRecord<'_>) -> Result<Redaction, WalError>;

/// Writes the segment `header` anew into an empty file of the name `temporary`, and syncs
/// that. `next` is the segment behind it. Returns its new header.
pub(crate) fn write_sealed(
    disk: &dyn Disk,
    file: Arc<dyn DiskFile>,
    temporary: &str,
    (header, next): (&SegmentHeader, &SegmentHeader),
    judge: Judge<'_>,
) -> Result<SegmentHeader, WalError> {
    let mut buffer = open_whole(disk, header)?;
    let path = || disk.path(&names::segment(header.number));
    let written = || disk.path(temporary);
    let mut walk = Walk::before(header);
    let mut out = Out::new(file);
    let mut groups = Groups::after(header.previous_digest);
    while let Some(group) =
        walk.next(&mut buffer, header, None, &mut |_, _| ()).map_err(failed("read", path()))?
    {
        let bytes = groups.next(&group, &mut *judge)?;
        out.put(bytes).map_err(failed("write", written()))?;
        out.align(header.alignment).map_err(failed("write", written()))?;
    }
    check_end(disk, &walk, header, next)?;
    if out.position > SEALED_BODY_END_MAX {
        let max = usize::try_from(SEALED_BODY_END_MAX).unwrap_or(usize::MAX);
        let bytes = usize::try_from(out.position).unwrap_or(usize::MAX);
        return Err(WalError::BatchTooLarge { bytes, max });
    }
    let replaced = header.seal.map_or(0, |seal| seal.replaced);
    let seal = Seal {
        end_digest: walk.digest,
        body_digest: groups.digest_at(&walk, header),
        end: walk.end,
        body_end: out.position,
        next_seq: walk.next_seq,
        stored_bytes: 0,
        tombstones: walk.tombstones + groups.tombstones,
        replaced: replaced + groups.replaced,
    };
    out.finish(SegmentHeader { seal: Some(seal), ..header.clone() })
        .map_err(failed("write", written()))
}

/// A segment that takes no more groups, from its first one on.
pub(crate) fn open_whole(disk: &dyn Disk, header: &SegmentHeader) -> Result<ReadBuffer, WalError> {
    let name = names::segment(header.number);
    ReadBuffer::open_segment(disk, &name, header, header.stored_bytes())
        .map_err(failed("open", disk.path(&name)))
}

/// Q1.
pub(crate) fn check_end(
    disk: &dyn Disk,
    walk: &Walk,
    header: &SegmentHeader,
    next: &SegmentHeader,
) -> Result<(), WalError> {
    let continues = walk.end == next.previous_end
        && walk.next_seq == next.first_seq
        && walk.digest == next.previous_digest;
    if continues {
        return Ok(());
    }
    let path = disk.path(&names::segment(header.number));
    let problem = "the groups do not end as the next segment says".to_owned();
    Err(WalError::Damaged { path, offset: walk.end, problem })
}

/// The groups as they become, one after the other.
struct Groups {
    /// The digest behind the last one.
    digest: Digest,
    /// Whether a group before was changed, so that all behind it have other digests.
    has_changed: bool,
    tombstones: u64,
    replaced: u64,
    group: Vec<u8>,
}

impl Groups {
    const fn after(digest: Digest) -> Self {
        Self { digest, has_changed: false, tombstones: 0, replaced: 0, group: Vec::new() }
    }

    /// The next group.
    fn next<'a>(&'a mut self, group: &Sound<'a>, judge: Judge<'_>) -> Result<&'a [u8], WalError> {
        self.group.clear();
        self.group.resize(GROUP_HEADER_BYTES, 0);
        let changes = self.put_records(group, judge)?;
        self.has_changed |= changes > 0;
        if !self.has_changed {
            self.digest = group.header.digest;
            return Ok(group.bytes());
        }
        let bytes = self.group.len() - GROUP_HEADER_BYTES;
        if bytes > GROUP_BYTES_MAX {
            return Err(WalError::BatchTooLarge { bytes, max: GROUP_BYTES_MAX });
        }
        let header = GroupHeader {
            body_bytes: u32::try_from(bytes).expect("a group is at most GROUP_BYTES_MAX long"),
            ..group.header
        };
        self.digest = header
            .seal(&mut self.group, self.digest)
            .expect("the buffer begins with room for a header");
        Ok(&self.group)
    }

    /// Writes the records as they become, and says how many change.
    fn put_records(&mut self, group: &Sound<'_>, judge: Judge<'_>) -> Result<u64, WalError> {
        let header = &group.header;
        let mut rest = ByteReader::new(group.body());
        let mut before = Before::default();
        let mut changes = 0;
        for index in 0..header.record_count {
            let bytes = rest.rest();
            let frame = read_record(&mut rest, &mut before).expect("the walk has read it already");
            let bytes = bytes.get(..bytes.len() - rest.rest().len()).unwrap_or_default();
            let record = LogRecord {
                seq: header.first_seq.plus(u64::from(index)),
                kind: frame.kind,
                log_time: header.log_time,
                key: frame.key,
                producer: frame.producer,
                payload: frame.payload,
            };
            let redaction = judge(&record)?.of(&record)?;
            self.tombstones += u64::from(redaction == Redaction::Tombstone);
            self.replaced += u64::from(matches!(redaction, Redaction::Replace { .. }));
            changes += u64::from(redaction != Redaction::Keep);
            put_redacted(&mut self.group, bytes, &redaction).expect("the walk has read it already");
        }
        Ok(changes)
    }

    /// The digest at the end of the groups that were written.
    fn digest_at(&self, walk: &Walk, header: &SegmentHeader) -> Digest {
        match header.seal {
            Some(seal) if !self.has_changed => seal.body_digest,
            None if !self.has_changed => walk.digest,
            _ => self.digest,
        }
    }
}

/// The file of a sealed segment, block by block.
struct Out {
    file: Arc<dyn DiskFile>,
    /// Where the next block goes, in the file.
    end: u64,
    /// What is not written yet.
    block: Vec<u8>,
    /// Where the next byte is, in the segment as it is read.
    position: u64,
}

impl Out {
    const fn new(file: Arc<dyn DiskFile>) -> Self {
        let begin = SEGMENT_HEADER_BYTES as u64;
        Self { file, end: begin, block: Vec::new(), position: begin }
    }

    fn put(&mut self, mut bytes: &[u8]) -> std::io::Result<()> {
        while !bytes.is_empty() {
            let room = SEALED_BLOCK_BYTES - self.block.len();
            let (now, later) = bytes.split_at(room.min(bytes.len()));
            self.block.extend_from_slice(now);
            self.position += now.len() as u64;
            bytes = later;
            if self.block.len() == SEALED_BLOCK_BYTES {
                self.write_block()?;
            }
        }
        Ok(())
    }

    /// Zeros up to the next place where a group can begin.
    fn align(&mut self, alignment: u32) -> std::io::Result<()> {
        let zeros = align_up(self.position, alignment) - self.position;
        self.put(&vec![0; usize::try_from(zeros).unwrap_or_default()])
    }

    fn write_block(&mut self) -> std::io::Result<()> {
        if self.block.is_empty() {
            return Ok(());
        }
        let offset = self.position - self.block.len() as u64;
        let block = BlockHeader::pack(&self.block, offset);
        self.file.write_all_at(&block, self.end)?;
        self.end += block.len() as u64;
        self.block.clear();
        Ok(())
    }

    /// Completes the file with its header, which is returned, and syncs it.
    fn finish(mut self, mut header: SegmentHeader) -> std::io::Result<SegmentHeader> {
        self.write_block()?;
        if let Some(seal) = &mut header.seal {
            seal.stored_bytes = self.end;
        }
        self.file.write_all_at(&header.encode(), 0)?;
        self.file.sync()?;
        Ok(header)
    }
}

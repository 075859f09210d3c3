//! Walking the groups of one segment, from its bytes alone.
//!
//! The walk is a function of these bytes, which it reads once, front to back; it
//! decides nothing. It says how far the groups are sound, why they end there, and what
//! the segment itself promises about how far it was synced.

use std::io;

use tidal_types::{ByteReader, Seq, Timestamp};

use crate::format::{
    Before, Digest, Frame, GROUP_HEADER_BYTES, GroupFlaw, GroupHeader, SEGMENT_HEADER_BYTES,
    SegmentHeader, align_up, read_record,
};
use crate::read_buffer::{ReadBuffer, is_zero};
use crate::{LogRecord, RecordKind};

/// What a walk found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Walk {
    pub(crate) groups: u64,
    /// How many of the groups hold no records.
    pub(crate) markers: u64,
    pub(crate) records: u64,
    /// Where the sound groups end, in the file.
    pub(crate) end: u64,
    pub(crate) next_seq: Seq,
    pub(crate) digest: Digest,
    pub(crate) log_time: Timestamp,
    /// The largest offset of the log that any group with a sound checksum says
    /// was synced, even one behind the end.
    pub(crate) promise: u64,
    /// What the walk knew when it came by the place it was to look out for.
    pub(crate) at_mark: Option<(Digest, Seq)>,
    pub(crate) stop: Stop,
    /// How many of the records are tombstones.
    pub(crate) tombstones: u64,
    /// Whether it came to the end of a sealed segment.
    is_over: bool,
}

/// Why the sound groups end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    /// Nothing but zeros follows, or nothing at all.
    Clean,
    /// Something else follows.
    Broken {
        flaw: GroupFlaw,
        /// Behind the last byte that is not zero, aligned.
        dirty_end: u64,
    },
}

/// Who wants to see the records that a walk comes by.
pub(crate) type Visitor<'a> = &'a mut dyn FnMut(&LogRecord<'_>, u64);

/// Walks over the groups of a segment, from its beginning, and looks out for the offset
/// `mark` of the log.
pub(crate) fn walk(
    buffer: &mut ReadBuffer,
    header: &SegmentHeader,
    mark: Option<u64>,
    visit: Visitor<'_>,
) -> io::Result<Walk> {
    let mut walk = Walk::before(header);
    while walk.next(buffer, header, mark, visit)?.is_some() {}
    Ok(walk)
}

/// One group that a walk came by.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sound<'a> {
    pub(crate) header: GroupHeader,
    /// Where it begins, in the file.
    pub(crate) offset: u64,
    bytes: &'a [u8],
}

impl<'a> Sound<'a> {
    /// All of it, header and body.
    pub(crate) const fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Its records as they are encoded.
    pub(crate) fn body(&self) -> &'a [u8] {
        tail(self.bytes, GROUP_HEADER_BYTES as u64)
    }

    /// Shows its records.
    pub(crate) fn show(&self, visit: &mut dyn FnMut(&LogRecord<'_>)) {
        visit_records(&self.header, self.bytes, self.offset, &mut |record, _| visit(record))
            .expect("the walk has read them already");
    }
}

impl Walk {
    /// Goes on to the next group; `None` where the sound groups end.
    pub(crate) fn next<'a>(
        &mut self,
        buffer: &'a mut ReadBuffer,
        header: &SegmentHeader,
        mark: Option<u64>,
        visit: Visitor<'_>,
    ) -> io::Result<Option<Sound<'a>>> {
        let offset = self.end;
        // Within a rewritten segment no place is one of the log.
        let is_place = self.is_over || self.groups == 0 || !is_rewritten(header);
        if is_place && mark == Some(header.base_offset + offset) {
            self.at_mark = Some((self.digest, self.next_seq));
        }
        if self.is_over {
            return Ok(None);
        }
        let needed = if buffer.keeps() { self.proven(header, mark) } else { offset };
        buffer.let_go(needed);
        if offset >= buffer.end() {
            if buffer.is_broken() {
                self.stop = Stop::Broken { flaw: GroupFlaw::Block, dirty_end: offset };
            }
            return Ok(None);
        }
        match self.read_group(buffer, header, visit)? {
            Ok((group, extent, tombstones)) => {
                self.tombstones += tombstones;
                self.advance(&group, extent, header.alignment);
                self.come_to_end(header);
                Ok(Some(Sound { header: group, offset, bytes: buffer.held(offset, extent) }))
            }
            Err(_) if buffer.is_broken() => {
                self.stop = Stop::Broken { flaw: GroupFlaw::Block, dirty_end: offset };
                Ok(None)
            }
            Err(flaw) => {
                self.stop_at(flaw, buffer, header)?;
                Ok(None)
            }
        }
    }

    /// At the end of a sealed segment it is where the segment ended as it was written,
    /// with the digest that the next one continues.
    fn come_to_end(&mut self, header: &SegmentHeader) {
        let Some(seal) = header.seal.filter(|seal| seal.body_end == self.end) else {
            return;
        };
        let is_what_was_sealed = self.digest == seal.body_digest
            && self.next_seq == seal.next_seq
            && self.tombstones == seal.tombstones;
        if is_what_was_sealed {
            self.end = seal.end;
            self.digest = seal.end_digest;
        }
        self.is_over = true;
    }

    /// Reads the next group as a whole and then checks it; says how long it is too.
    fn read_group(
        &self,
        buffer: &mut ReadBuffer,
        header: &SegmentHeader,
        visit: Visitor<'_>,
    ) -> io::Result<Result<(GroupHeader, usize, u64), GroupFlaw>> {
        let extent = match extent_at(buffer, self.end)? {
            Ok(extent) => extent,
            Err(flaw) => return Ok(Err(flaw)),
        };
        let bytes = buffer.reach(self.end, extent)?;
        let group = GroupHeader::decode(bytes, header.nonce, self.digest).and_then(|group| {
            self.check(&group)?;
            let tombstones = visit_records(&group, bytes, self.end, visit)?;
            Ok((group, extent, tombstones))
        });
        Ok(group)
    }

    /// Where in the file ends what the groups so far, or the floor at `mark`, say was
    /// synced; not behind the groups so far.
    fn proven(&self, header: &SegmentHeader, mark: Option<u64>) -> u64 {
        let proven = self.promise.max(mark.unwrap_or_default());
        proven.saturating_sub(header.base_offset).clamp(SEGMENT_HEADER_BYTES as u64, self.end)
    }

    /// Before the first group.
    pub(crate) fn before(header: &SegmentHeader) -> Self {
        Self {
            groups: 0,
            markers: 0,
            records: 0,
            end: SEGMENT_HEADER_BYTES as u64,
            next_seq: header.first_seq,
            digest: header.previous_digest,
            log_time: header.created,
            promise: header.base_offset,
            at_mark: None,
            stop: Stop::Clean,
            tombstones: 0,
            is_over: false,
        }
    }

    fn check(&self, group: &GroupHeader) -> Result<(), GroupFlaw> {
        if group.first_seq != self.next_seq || group.log_time < self.log_time {
            return Err(GroupFlaw::Fields);
        }
        Ok(())
    }

    fn advance(&mut self, group: &GroupHeader, extent: usize, alignment: u32) {
        self.groups += 1;
        self.markers += u64::from(group.record_count == 0);
        self.records += u64::from(group.record_count);
        self.next_seq = group.next_seq();
        self.digest = group.digest;
        self.log_time = group.log_time;
        self.promise = self.promise.max(group.promise);
        self.end = align_up(self.end + extent as u64, alignment);
    }

    /// Looks at everything behind the groups: how far it is not zero, and what any
    /// group there promises.
    fn stop_at(
        &mut self,
        flaw: GroupFlaw,
        buffer: &mut ReadBuffer,
        header: &SegmentHeader,
    ) -> io::Result<()> {
        let alignment = u64::from(header.alignment);
        let mut offset = self.end;
        while offset < buffer.end() {
            let block = buffer.reach(offset, header.alignment as usize)?;
            if !is_zero(block) {
                self.stop = Stop::Broken { flaw, dirty_end: offset + alignment };
                if offset > self.end
                    && let Some(group) = witness_at(buffer, offset, header.nonce)?
                {
                    self.promise = self.promise.max(group.promise);
                }
            }
            offset += alignment;
            buffer.pass(offset);
        }
        Ok(())
    }
}

/// How long the group is that begins at `offset`, from its header.
fn extent_at(buffer: &mut ReadBuffer, offset: u64) -> io::Result<Result<usize, GroupFlaw>> {
    let room = buffer.end().saturating_sub(offset);
    let header = buffer.reach(offset, GROUP_HEADER_BYTES)?;
    Ok(GroupHeader::extent(header, room))
}

/// The header of a group behind the end, if one begins at `offset`. Bytes that only look
/// like one are told by their nonce, before more is read.
fn witness_at(buffer: &mut ReadBuffer, offset: u64, nonce: u64) -> io::Result<Option<GroupHeader>> {
    let Ok(extent) = extent_at(buffer, offset)? else {
        return Ok(None);
    };
    if GroupHeader::nonce_of(buffer.held(offset, GROUP_HEADER_BYTES)) != Some(nonce) {
        return Ok(None);
    }
    Ok(GroupHeader::anywhere(buffer.reach(offset, extent)?, nonce))
}

fn is_rewritten(header: &SegmentHeader) -> bool {
    header.seal.is_some_and(|seal| seal.is_rewritten())
}

/// Shows the records of a group, and says how many are tombstones.
fn visit_records(
    group: &GroupHeader,
    bytes: &[u8],
    offset: u64,
    visit: Visitor<'_>,
) -> Result<u64, GroupFlaw> {
    let mut tombstones = 0;
    let mut body = ByteReader::new(tail(bytes, GROUP_HEADER_BYTES as u64));
    let mut before = Before::default();
    for index in 0..group.record_count {
        let Frame { kind, key, producer, payload } =
            read_record(&mut body, &mut before).ok_or(GroupFlaw::Fields)?;
        let seq = group.first_seq.plus(u64::from(index));
        let log_time = group.log_time;
        let record = LogRecord { seq, kind, log_time, key, producer, payload };
        tombstones += u64::from(kind == RecordKind::TOMBSTONE);
        visit(&record, offset);
    }
    if body.is_empty() { Ok(tombstones) } else { Err(GroupFlaw::Fields) }
}

pub(crate) fn tail(bytes: &[u8], offset: u64) -> &[u8] {
    usize::try_from(offset).ok().and_then(|offset| bytes.get(offset..)).unwrap_or_default()
}

pub(crate) fn group_at(rest: &[u8]) -> Result<&[u8], GroupFlaw> {
    let extent = GroupHeader::extent(rest, rest.len() as u64)?;
    rest.get(..extent).ok_or(GroupFlaw::Length)
}

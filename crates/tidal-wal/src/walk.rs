//! Walking the groups of one segment, from its bytes alone.
//!
//! The walk is a pure function; it decides nothing. It says how far the groups
//! are sound, why they end there, and what the segment itself promises about how
//! far it was synced.

use tidal_types::{ByteReader, Seq, Timestamp};

use crate::LogRecord;
use crate::format::{
    Before, Digest, Frame, GROUP_HEADER_BYTES, GroupFlaw, GroupHeader, SEGMENT_HEADER_BYTES,
    SegmentHeader, align_up, read_record,
};

/// What a walk found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Walk {
    pub(crate) groups: u64,
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

/// Walks over the groups of a segment, given the whole file, and looks out for
/// the offset `mark` of the log.
pub(crate) fn walk(
    bytes: &[u8],
    header: &SegmentHeader,
    mark: Option<u64>,
    visit: Visitor<'_>,
) -> Walk {
    let mut walk = Walk::before(header);
    loop {
        if mark == Some(header.base_offset + walk.end) {
            walk.at_mark = Some((walk.digest, walk.next_seq));
        }
        let rest = tail(bytes, walk.end);
        if rest.is_empty() {
            return walk;
        }
        let group = group_at(rest).and_then(|bytes| {
            let group = GroupHeader::decode(bytes, header.nonce, walk.digest)?;
            walk.check(&group)?;
            walk.visit(&group, bytes, visit)?;
            Ok((group, bytes.len()))
        });
        match group {
            Ok((group, extent)) => walk.advance(&group, extent, header.alignment),
            Err(flaw) => {
                walk.stop_at(flaw, bytes, header);
                return walk;
            }
        }
    }
}

impl Walk {
    /// Before the first group.
    pub(crate) fn before(header: &SegmentHeader) -> Self {
        Self {
            groups: 0,
            records: 0,
            end: SEGMENT_HEADER_BYTES as u64,
            next_seq: header.first_seq,
            digest: header.previous_digest,
            log_time: header.created,
            promise: header.base_offset,
            at_mark: None,
            stop: Stop::Clean,
        }
    }

    fn check(&self, group: &GroupHeader) -> Result<(), GroupFlaw> {
        if group.first_seq != self.next_seq || group.log_time < self.log_time {
            return Err(GroupFlaw::Fields);
        }
        Ok(())
    }

    fn visit(
        &self,
        group: &GroupHeader,
        bytes: &[u8],
        visit: Visitor<'_>,
    ) -> Result<(), GroupFlaw> {
        let mut body = ByteReader::new(tail(bytes, GROUP_HEADER_BYTES as u64));
        let mut before = Before::default();
        for index in 0..group.record_count {
            let Frame { kind, producer, payload } =
                read_record(&mut body, &mut before).ok_or(GroupFlaw::Fields)?;
            let seq = group.first_seq.plus(u64::from(index));
            let record = LogRecord { seq, kind, log_time: group.log_time, producer, payload };
            visit(&record, self.end);
        }
        if body.is_empty() { Ok(()) } else { Err(GroupFlaw::Fields) }
    }

    fn advance(&mut self, group: &GroupHeader, extent: usize, alignment: u32) {
        self.groups += 1;
        self.records += u64::from(group.record_count);
        self.next_seq = group.next_seq();
        self.digest = group.digest;
        self.log_time = group.log_time;
        self.promise = self.promise.max(group.promise);
        self.end = align_up(self.end + extent as u64, alignment);
    }

    fn stop_at(&mut self, flaw: GroupFlaw, bytes: &[u8], header: &SegmentHeader) {
        let rest = tail(bytes, self.end);
        let Some(last) = rest.iter().rposition(|&byte| byte != 0) else {
            return;
        };
        let dirty_end = align_up(self.end + last as u64 + 1, header.alignment);
        self.stop = Stop::Broken { flaw, dirty_end };
        let mut offset = self.end + u64::from(header.alignment);
        while offset < dirty_end {
            let group = group_at(tail(bytes, offset)).ok();
            let promise = group.and_then(|group| GroupHeader::promise(group, header.nonce));
            self.promise = self.promise.max(promise.unwrap_or_default());
            offset += u64::from(header.alignment);
        }
    }
}

fn tail(bytes: &[u8], offset: u64) -> &[u8] {
    usize::try_from(offset).ok().and_then(|offset| bytes.get(offset..)).unwrap_or_default()
}

fn group_at(rest: &[u8]) -> Result<&[u8], GroupFlaw> {
    let extent = GroupHeader::extent(rest, rest.len() as u64)?;
    rest.get(..extent).ok_or(GroupFlaw::Length)
}

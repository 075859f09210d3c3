//! What lies behind the first damage of a log, as far as it can still be read.
//!
//! Nothing there is trusted: a group counts when its checksum is right and it has the
//! nonce of its segment, so it was written there once, whatever has become of those
//! before it.

use tidal_types::{Seq, WalError};

use crate::disk::{Disk, failed};
use crate::format::{GroupHeader, SEGMENT_HEADER_BYTES, SegmentHeader};
use crate::limits::{ALIGNMENTS, SEGMENT_FILE_BYTES_MAX};
use crate::names;
use crate::recovery::{FoundSegment, Inspection};
use crate::sealed_blocks::unpack_sound;
use crate::walk::{group_at, tail};

/// What a salvage gives up.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Lost {
    /// The first and the last record that the log is known to have had behind the last
    /// one taken over, whether they can be read or not. There may have been more.
    pub known: Option<(Seq, Seq)>,
    /// How many groups of records behind the damage can be read.
    pub readable_groups: u64,
    /// How many records are in them.
    pub readable_records: u64,
    /// The first and the last record of each unbroken stretch of them, in order.
    pub readable: Vec<(Seq, Seq)>,
    /// How many bytes behind the damage are not zero padding at the end of a segment.
    pub bytes: u64,
}

/// What lies behind `last` and the walks that were made.
pub(super) fn behind(from: &dyn Disk, found: &Inspection, last: Seq) -> Result<Lost, WalError> {
    let mut lost = Lost::default();
    let mut known = found.floor.sound().map_or(Seq::ZERO, |floor| floor.next_seq.previous());
    let log_id = found.segments.iter().find_map(header).map(|header| header.log_id);
    let last_walked = found.segments.iter().rposition(|segment| segment.walk.is_some());
    for segment in found.segments.iter().skip(last_walked.unwrap_or_default()) {
        if let Some(header) = header(segment) {
            if Some(header.log_id) != log_id {
                continue;
            }
            known = known.max(header.first_seq.previous());
        }
        let bytes = read(from, segment)?;
        let begin = segment.walk.as_ref().map_or(SEGMENT_HEADER_BYTES as u64, |walk| walk.end);
        lost.add(tail(&bytes, begin), header(segment));
    }
    lost.merge();
    known = known.max(lost.readable.last().map_or(Seq::ZERO, |&(_, last)| last));
    lost.known = (known > last).then(|| (last.next(), known));
    Ok(lost)
}

fn header(segment: &FoundSegment) -> Option<&SegmentHeader> {
    segment.header.as_ref().ok()
}

/// The bytes of a segment; of a sealed one, those of every block that can be unpacked,
/// where they were.
fn read(from: &dyn Disk, segment: &FoundSegment) -> Result<Vec<u8>, WalError> {
    let name = names::segment(segment.number);
    let file = from.open_read(&name).map_err(failed("open", from.path(&name)))?;
    let length = segment.file_bytes.min(SEGMENT_FILE_BYTES_MAX);
    let mut bytes = vec![0; usize::try_from(length).unwrap_or_default()];
    file.read_exact_at(&mut bytes, 0).map_err(failed("read", from.path(&name)))?;
    let is_sealed = header(segment).is_some_and(|header| header.seal.is_some());
    Ok(if is_sealed { unpack_sound(&bytes) } else { bytes })
}

impl Lost {
    /// Looks for groups wherever one can begin. Without a header, the first one that is
    /// found tells the nonce.
    fn add(&mut self, bytes: &[u8], header: Option<&SegmentHeader>) {
        let [alignment_min, ..] = ALIGNMENTS;
        let alignment = u64::from(header.map_or(alignment_min, |header| header.alignment));
        let mut nonce = header.map(|header| header.nonce);
        let end = bytes.iter().rposition(|&byte| byte != 0).map_or(0, |last| last as u64 + 1);
        self.bytes += end;
        let mut offset = 0;
        while offset < end {
            let rest = tail(bytes, offset);
            let group = group_at(rest).ok().and_then(|group| {
                let own_nonce = GroupHeader::nonce_of(group)?;
                let header = GroupHeader::anywhere(group, nonce.unwrap_or(own_nonce))?;
                Some((header, group.len() as u64))
            });
            let extent = group.map_or(1, |(group, extent)| {
                nonce = Some(group.nonce);
                self.count(&group);
                extent
            });
            offset = (offset + extent).next_multiple_of(alignment);
        }
    }

    fn count(&mut self, group: &GroupHeader) {
        if group.record_count > 0 {
            self.readable_groups += 1;
            self.readable_records += u64::from(group.record_count);
            self.readable.push((group.first_seq, group.next_seq().previous()));
        }
    }

    fn merge(&mut self) {
        self.readable.sort_unstable();
        let mut merged: Vec<(Seq, Seq)> = Vec::new();
        for &(first, last) in &self.readable {
            match merged.last_mut() {
                Some(before) if first <= before.1.next() => before.1 = before.1.max(last),
                _ => merged.push((first, last)),
            }
        }
        self.readable = merged;
    }
}

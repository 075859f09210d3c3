//! Which segments the log has, for readers and for truncation.

use tidal_types::{Seq, Timestamp};

use crate::format::{Parent, SEGMENT_HEADER_BYTES, SegmentHeader, SegmentNumber};

/// The segments of a log, oldest first. There is always one, the last, which is
/// written on.
#[derive(Debug)]
pub(crate) struct Segments {
    kept: Vec<SegmentHeader>,
}

impl Segments {
    pub(crate) const fn new(kept: Vec<SegmentHeader>) -> Self {
        Self { kept }
    }

    pub(crate) fn push(&mut self, header: SegmentHeader) {
        self.kept.push(header);
    }

    pub(crate) fn first_number(&self) -> Option<SegmentNumber> {
        self.kept.first().map(|header| header.number)
    }

    pub(crate) fn last_number(&self) -> Option<SegmentNumber> {
        self.kept.last().map(|header| header.number)
    }

    pub(crate) fn len(&self) -> usize {
        self.kept.len()
    }

    pub(crate) fn total_bytes(&self) -> u64 {
        self.kept.iter().map(SegmentHeader::stored_bytes).sum()
    }

    /// The log that this one took over from, which every segment names.
    pub(crate) fn parent(&self) -> Option<Parent> {
        self.kept.last().and_then(|header| header.parent)
    }

    /// The first record there is, or will be.
    pub(crate) fn first_seq(&self) -> Seq {
        self.kept.first().map_or(Seq::FIRST, |header| header.first_seq)
    }

    /// The segment that holds `seq`, or will hold it.
    pub(crate) fn holding(&self, seq: Seq) -> Option<&SegmentHeader> {
        let after = self.kept.partition_point(|header| header.first_seq <= seq);
        self.kept.get(after.checked_sub(1)?)
    }

    /// The segments from the one that holds `seq` on that have groups before `offset` of
    /// the log; at least the first of them.
    pub(crate) fn between(&self, seq: Seq, offset: u64) -> Vec<SegmentHeader> {
        let first = self.holding(seq).map(|header| header.number);
        let kept = self.kept.iter().filter(|header| Some(header.number) >= first);
        let mut between: Vec<_> = kept.cloned().collect();
        let has_groups =
            |header: &SegmentHeader| header.base_offset + SEGMENT_HEADER_BYTES as u64 <= offset;
        let count = between.iter().take_while(|header| has_groups(header)).count();
        between.truncate(count.max(1));
        between
    }

    /// The segment after `number`.
    pub(crate) fn after(&self, number: SegmentNumber) -> Option<&SegmentHeader> {
        self.kept.iter().find(|header| header.number == number.next())
    }

    /// The segments that hold only records before `seq`, oldest first, and the
    /// oldest that stays. The last segment always stays.
    pub(crate) fn before(&self, seq: Seq) -> (Vec<SegmentNumber>, Option<SegmentNumber>) {
        let whole = self
            .kept
            .windows(2)
            .take_while(|pair| pair.last().is_some_and(|next| next.first_seq <= seq))
            .count();
        let removable = self.kept.iter().take(whole).map(|header| header.number).collect();
        (removable, self.kept.get(whole).map(|header| header.number))
    }

    /// The segments that hold only records before `seq`, each with the one behind it.
    pub(crate) fn pairs_before(&self, seq: Seq) -> Vec<(SegmentHeader, SegmentHeader)> {
        let pairs = self.kept.iter().zip(self.kept.iter().skip(1));
        let whole = pairs.take_while(|(_, next)| next.first_seq <= seq);
        whole.map(|(header, next)| (header.clone(), next.clone())).collect()
    }

    /// The first record that the last segment has, or will have.
    pub(crate) fn last_first_seq(&self) -> Option<Seq> {
        self.kept.last().map(|header| header.first_seq)
    }

    pub(crate) fn holds(&self, number: SegmentNumber) -> bool {
        self.kept.iter().any(|header| header.number == number)
    }

    /// A segment was written anew.
    pub(crate) fn replace(&mut self, new: SegmentHeader) {
        if let Some(header) = self.kept.iter_mut().find(|header| header.number == new.number) {
            *header = new;
        }
    }

    /// How many segments are sealed, how many bytes they take, and how many all segments
    /// would take if none were.
    pub(crate) fn sealed(&self) -> (usize, u64, u64) {
        let sealed = || self.kept.iter().filter(|header| header.seal.is_some());
        let bytes = sealed().map(SegmentHeader::stored_bytes).sum();
        (sealed().count(), bytes, self.kept.iter().map(|header| header.file_bytes).sum())
    }

    /// The first record of the newest segment that was begun at `time` or before; the
    /// first there is when there is none. Log times never go back (R26), so what comes
    /// before a segment was written by the time it was begun.
    pub(crate) fn begun_by(&self, time: Timestamp) -> Seq {
        let begun = self.kept.iter().rev().find(|header| header.created <= time);
        begun.map_or_else(|| self.first_seq(), |header| header.first_seq)
    }

    /// How many bytes of the segments have something in them, when the log ends at
    /// `offset`: the last one is filled with zeros ahead.
    pub(crate) fn used_bytes(&self, offset: u64) -> u64 {
        let Some((last, others)) = self.kept.split_last() else { return 0 };
        let full: u64 = others.iter().map(SegmentHeader::stored_bytes).sum();
        full + offset.saturating_sub(last.base_offset).min(last.file_bytes)
    }

    /// The first record that a segment has, or will have.
    pub(crate) fn first_seq_of(&self, number: SegmentNumber) -> Option<Seq> {
        self.kept.iter().find(|header| header.number == number).map(|header| header.first_seq)
    }

    pub(crate) fn forget_before(&mut self, oldest: SegmentNumber) {
        self.kept.retain(|header| header.number >= oldest);
    }
}

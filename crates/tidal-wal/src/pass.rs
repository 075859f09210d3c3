//! One pass over a log that nobody has open, group by group, as far as it is sound.
//!
//! Where opening looks at everything and then decides by the rules of
//! [`decide`](crate::recovery::decide), a pass goes from the oldest segment to the
//! newest and ends at the first place where one of those rules is broken; checkpoints and
//! cursors come last. So it finds something wrong exactly when opening refuses, and says
//! how far the log is good.
//!
//! A1. A pass reads, and never writes.
//! A2. It holds a part of one segment in memory at a time.

use tidal_types::{LogId, Seq, WalError};

use crate::disk::{Disk, failed};
use crate::format::{FORMAT_VERSION, SegmentHeader};
use crate::names;
use crate::read_buffer::ReadBuffer;
use crate::recovery::{
    FoundFloor, FoundSegment, Inspection, log_id, look, missing, of_beside, of_floor, of_link,
    of_segment, of_tail, oldest, split_stale,
};
use crate::verify::Problem;
use crate::walk::{Stop, Visitor, Walk};

/// A pass over a log.
#[derive(Debug)]
pub(crate) struct Pass<'a> {
    disk: &'a dyn Disk,
    found: Inspection,
    log_id: Option<LogId>,
    /// The segment that is read now, or that would be next.
    index: usize,
    /// The segment that is read now.
    buffer: Option<ReadBuffer>,
    /// Why it could not be read on.
    failure: Option<WalError>,
    finding: Option<WalError>,
}

impl<'a> Pass<'a> {
    /// Before the segment that holds record `from`, or the oldest one.
    pub(crate) fn begin(disk: &'a dyn Disk, from: Seq) -> Result<Self, WalError> {
        let mut found = look(disk)?;
        let stale = split_stale(&found).0.len();
        found.segments.drain(..stale);
        let floor = found.floor.sound();
        let finding = match (found.floor, found.segments.first()) {
            (FoundFloor::Version(found), _) => Some(WalError::UnsupportedVersion {
                path: disk.path(names::FLOOR),
                found,
                supported: FORMAT_VERSION,
            }),
            (_, None) => Some(missing(disk, oldest(&found))),
            (_, Some(first)) if floor.is_some_and(|floor| floor.oldest_segment != first.number) => {
                Some(missing(disk, oldest(&found)))
            }
            _ => None,
        };
        let log_id = floor.map(|floor| floor.log_id).or_else(|| log_id(&found.segments));
        let later = |header: &SegmentHeader| header.first_seq <= from;
        let index = found
            .segments
            .iter()
            .take_while(|segment| segment.header.as_ref().is_ok_and(later))
            .count()
            .saturating_sub(1);
        Ok(Self { disk, found, log_id, index, buffer: None, failure: None, finding })
    }

    /// Goes on to the next segment, if all before it is sound. Every walk that this
    /// hands out goes back by [`Pass::leave`]. Fails also when the segment before could
    /// not be read to its end.
    pub(crate) fn enter(&mut self) -> Result<Option<Walk>, WalError> {
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        if self.finding.is_some() {
            return Ok(None);
        }
        let Some(segment) = self.found.segments.get(self.index) else {
            return Ok(None);
        };
        self.finding = of_segment(self.disk, segment, self.log_id);
        // A file of the wrong length is good as far as its groups are.
        let Ok(header) = &segment.header else {
            return Ok(None);
        };
        let has_wrong_length = segment.file_bytes != header.stored_bytes();
        let is_ours = self.log_id == Some(header.log_id) && header.number == segment.number;
        if self.finding.is_some() && !(is_ours && has_wrong_length) {
            return Ok(None);
        }
        let walk = Walk::before(header);
        self.buffer = None;
        self.buffer = Some(self.begin_to_read(segment, header)?);
        Ok(Some(walk))
    }

    /// The next group is sound and readable, and its records are shown. What fails here
    /// is told when the next segment is entered.
    pub(crate) fn group<'b>(
        &'b mut self,
        walk: &mut Walk,
        visit: Visitor<'_>,
    ) -> Option<crate::walk::Sound<'b>> {
        let mark = self.found.floor.sound().map(|floor| floor.synced_offset);
        let segment = self.found.segments.get(self.index)?;
        let header = segment.header.as_ref().ok()?;
        match walk.next(self.buffer.as_mut()?, header, mark, visit) {
            Ok(group) => group,
            Err(error) => {
                let path = self.disk.path(&names::segment(segment.number));
                self.failure = Some(failed("read", path)(error));
                None
            }
        }
    }

    /// Ends a segment, and judges it and its tie to the next one.
    pub(crate) fn leave(&mut self, walk: Walk) {
        if let Some(segment) = self.found.segments.get_mut(self.index) {
            segment.walk = Some(walk);
        }
        let index = self.index;
        self.index += 1;
        let (segment, next) = (self.found.segments.get(index), self.found.segments.get(index + 1));
        let is_read = self.finding.is_none() && self.failure.is_none();
        let Some(segment) = segment.filter(|_| is_read) else {
            return;
        };
        let floor = self.found.floor.sound();
        self.finding = of_floor(self.disk, segment, floor).or_else(|| match next {
            Some(next) => of_link(self.disk, segment, next),
            None => of_tail(self.disk, segment, &self.found).or_else(|| self.beside()),
        });
    }

    /// What is wrong beside the segments, which are sound.
    fn beside(&self) -> Option<WalError> {
        let found = of_beside(self.disk, &self.found, &self.found.segments, self.log_id);
        found.into_iter().next()
    }

    /// Walks to the end of what is sound.
    pub(crate) fn finish(&mut self) -> Result<(), WalError> {
        while let Some(mut walk) = self.enter()? {
            while self.group(&mut walk, &mut |_, _| ()).is_some() {}
            self.leave(walk);
        }
        Ok(())
    }

    /// What was found to be wrong: opening would refuse, though perhaps name another
    /// thing that is wrong first.
    pub(crate) const fn finding(&self) -> Option<&WalError> {
        self.finding.as_ref()
    }

    /// What a crash left behind the last record of a log with nothing wrong.
    pub(crate) fn torn_tail(&self) -> Option<Problem> {
        let last = self.found.segments.last().filter(|_| self.finding.is_none())?;
        let walk = last.walk.as_ref()?;
        let Stop::Broken { flaw, dirty_end } = walk.stop else {
            return None;
        };
        let dirty = dirty_end - walk.end;
        Some(Problem {
            path: self.disk.path(&names::segment(last.number)),
            offset: walk.end,
            problem: format!("{}: {dirty} bytes that were never acknowledged", flaw.as_str()),
        })
    }

    /// What lies on disk, with the walks of the segments that were left.
    pub(crate) const fn found(&self) -> &Inspection {
        &self.found
    }

    /// The walk of the last segment that was left.
    pub(crate) fn last_walk(&self) -> Option<&Walk> {
        self.found.segments.get(self.index.checked_sub(1)?)?.walk.as_ref()
    }

    pub(crate) const fn log_id(&self) -> Option<LogId> {
        self.log_id
    }

    /// The header of the segment that is read now.
    pub(crate) fn header(&self) -> Option<&SegmentHeader> {
        self.found.segments.get(self.index)?.header.as_ref().ok()
    }

    /// The segment at hand, and no more of it than its header says.
    fn begin_to_read(
        &self,
        segment: &FoundSegment,
        header: &SegmentHeader,
    ) -> Result<ReadBuffer, WalError> {
        let name = names::segment(segment.number);
        ReadBuffer::open_segment(self.disk, &name, header, segment.file_bytes)
            .map_err(failed("open", self.disk.path(&name)))
    }
}

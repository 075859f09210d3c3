//! The deduplication window, found again: that of the newest sound checkpoint, and the
//! keys of the records behind it.

use std::time::Duration;

use tidal_types::{LogId, Seq};

use super::inspect::FoundSegment;
use crate::LogRecord;
use crate::format::{Checkpoint, SegmentHeader};
use crate::key::ContentHasher;
use crate::window::{Entry, Known, Window};

/// A window that is filled by the records of the log, one after the other.
#[derive(Debug)]
pub(super) struct Replay {
    window: Window,
    /// Earlier records are in the window already, or not needed.
    from: Seq,
    hasher: ContentHasher,
}

impl Replay {
    /// With the window of a checkpoint, or from where the window's time begins.
    pub(super) fn new(
        length: Duration,
        root: LogId,
        base: Option<&Checkpoint>,
        segments: &[FoundSegment],
    ) -> Self {
        let mut window = Window::new(length);
        let from = if let Some(base) = base {
            base.entries.iter().for_each(|entry| window.insert(*entry));
            window.advance(base.header.log_time);
            base.header.position
        } else {
            first_needed(&window, segments)
        };
        Self { window, from, hasher: ContentHasher::new(root) }
    }

    /// The first record that it has to see.
    pub(super) const fn from(&self) -> Seq {
        self.from
    }

    pub(super) fn see(&mut self, record: &LogRecord<'_>) {
        if record.seq < self.from {
            return;
        }
        self.window.advance(record.log_time);
        if let Some(key) = record.key {
            let fingerprint = self.hasher.digest(record.kind, record.payload).fingerprint;
            let known = Known { seq: record.seq, fingerprint };
            self.window.insert(Entry { key, known, log_time: record.log_time });
        }
    }

    pub(super) fn into_window(self) -> Window {
        self.window
    }
}

/// The first record whose key can be in the window at the end of the log. All records
/// before a segment were written before it was created, and all that count are not
/// before the time at which the window begins when the last one was created.
fn first_needed(window: &Window, segments: &[FoundSegment]) -> Seq {
    let headers: Vec<&SegmentHeader> =
        segments.iter().filter_map(|segment| segment.header.as_ref().ok()).collect();
    let begin = headers.last().map(|last| window.begin_at(last.created));
    let before = headers.iter().rev().find(|header| Some(header.created) < begin);
    before.map_or(Seq::ZERO, |header| header.first_seq)
}

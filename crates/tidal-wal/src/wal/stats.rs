//! Figures about an open log.

use tidal_types::{Position, Seq};

use super::Wal;
use crate::CursorStats;

/// Figures about an open log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WalStats {
    /// The first record there is, or will be.
    pub first_seq: Seq,
    /// The last durable record.
    pub head: Position,
    /// How many segments there are.
    pub segments: usize,
    /// How many bytes the segments take on disk.
    pub bytes_on_disk: u64,
    /// How many of the segments are sealed.
    pub sealed_segments: usize,
    /// How many bytes these take on disk.
    pub sealed_bytes: u64,
    /// How many bytes all segments would take if none were sealed.
    pub original_bytes: u64,
    /// How many of these have something in them: the last segment is made ahead of what
    /// is written to it.
    pub used_bytes: u64,
    /// How many bytes of records wait for the writer.
    pub queued_bytes: usize,
    /// Every cursor, by name.
    pub cursors: Vec<CursorStats>,
    /// The cursor that holds truncation back: the one with the lowest place, while there
    /// are records behind it.
    pub held_by: Option<String>,
}

impl Wal {
    /// Figures about the log. They need not be of one moment while it is written to.
    #[must_use]
    pub fn stats(&self) -> WalStats {
        let cursors = self.cursors();
        let hindmost = cursors.iter().min_by_key(|cursor| cursor.place);
        let (sealed_segments, sealed_bytes, original_bytes) = self.shared.segments().sealed();
        let held_by = hindmost.filter(|cursor| cursor.records_behind > 0);
        let end = self.shared.durable().offset;
        WalStats {
            first_seq: self.first_seq(),
            head: self.head().position,
            segments: self.segment_count(),
            bytes_on_disk: self.bytes_on_disk(),
            sealed_segments,
            sealed_bytes,
            original_bytes,
            used_bytes: self.shared.segments().used_bytes(end),
            queued_bytes: self.shared.queue.queued_bytes(),
            held_by: held_by.map(|cursor| cursor.name.clone()),
            cursors,
        }
    }
}

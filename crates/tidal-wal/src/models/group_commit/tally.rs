//! What came up in lives of a log.

/// How many lives there were, and of what kinds.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tally {
    pub(super) lives: u64,
    /// Of more than one segment.
    pub(super) rotated: u64,
    /// In which the reader saw records while others appended.
    pub(super) followed: u64,
    /// In which a batch was not listened for.
    pub(super) unheard: u64,
    /// In which a batch was not taken, or found no room.
    pub(super) refused: u64,
    /// In which nobody knew of a batch whether it was written.
    pub(super) unknown: u64,
}

impl Tally {
    pub(super) fn add(&mut self, other: Self) {
        self.lives += other.lives;
        self.rotated += other.rotated;
        self.followed += other.followed;
        self.unheard += other.unheard;
        self.refused += other.refused;
        self.unknown += other.unknown;
    }
}

//! What of a log could go: by its age, and by who still needs it.

use tidal_types::{Seq, Timestamp};

use super::Wal;

impl Wal {
    /// The first record of the newest segment that was begun at `time` or before: every
    /// record before it was written then or earlier, by the time of the log. Where no
    /// such segment is left, the first record there is.
    #[must_use]
    pub fn written_by(&self, time: Timestamp) -> Seq {
        self.shared.segments().begun_by(time)
    }

    /// The first record that [`Wal::truncate_before`] with `seq` would leave, as things
    /// are now: segments go as a whole, and checkpoints, cursors and holds keep what they
    /// need. A cursor, a hold or a checkpoint that comes later may change it.
    #[must_use]
    pub fn truncation_point(&self, seq: Seq) -> Seq {
        let needed = self.shared.checkpoints().needed_from();
        let places = self.shared.cursor_file().places().values().min().map(|place| place.next());
        let held = self.shared.progress.lock().holds.values().min().copied();
        let kept = [needed, places, held].into_iter().flatten().min();
        let seq = kept.map_or(seq, |kept| kept.min(seq));
        let segments = self.shared.segments();
        let oldest = segments.before(seq).1;
        oldest
            .and_then(|oldest| segments.first_seq_of(oldest))
            .unwrap_or_else(|| segments.first_seq())
    }
}

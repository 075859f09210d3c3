//! When a checkpoint is due by what was written.

use tidal_types::Seq;

/// A checkpoint is due once metadata and rows that storage does not have take this much
/// memory, in bytes.
const OVERLAY_BYTES_MAX: u64 = 64 << 20;

/// When a checkpoint is due by what was written.
#[derive(Debug)]
pub(crate) struct Triggers {
    records: u64,
    log_bytes: u64,
    /// The record at which the state was last frozen, whether or not it could be written.
    frozen: Seq,
    /// What was written to the log since then.
    bytes: u64,
}

impl Triggers {
    /// After so many records, or so many bytes of them.
    pub(crate) const fn new(records: u64, log_bytes: u64) -> Self {
        Self { records, log_bytes, frozen: Seq::ZERO, bytes: 0 }
    }

    pub(super) const fn count(&mut self, bytes: usize) {
        self.bytes = self.bytes.saturating_add(bytes as u64);
    }

    pub(super) const fn frozen_at(&mut self, seq: Seq) {
        (self.frozen, self.bytes) = (seq, 0);
    }

    /// Whether a checkpoint is due. After one that failed, the next is as many records or
    /// bytes on, however much metadata there is.
    pub(super) fn is_due(&self, applied: Seq, checkpointed: Seq, overlay_bytes: u64) -> bool {
        let last = checkpointed.max(self.frozen);
        let overlay_is_large = overlay_bytes >= OVERLAY_BYTES_MAX && checkpointed >= self.frozen;
        applied > last
            && (applied.get() - last.get() >= self.records
                || self.bytes >= self.log_bytes
                || overlay_is_large)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checkpoint_is_due_by_records_bytes_or_metadata() {
        let seq = Seq::new;
        let mut triggers = Triggers::new(100, 1000);
        triggers.frozen_at(seq(50));
        let large = OVERLAY_BYTES_MAX;
        let cases = [
            (149, 50, 0, false),
            (150, 50, 0, true),
            (51, 50, large, true),
            (50, 50, large, false),
            (51, 50, large - 1, false),
            // The last one failed.
            (51, 20, large, false),
            (150, 20, large, true),
        ];
        for (applied, checkpointed, overlay, expected) in cases {
            let is_due = triggers.is_due(seq(applied), seq(checkpointed), overlay);
            assert_eq!(is_due, expected, "{applied} {checkpointed} {overlay}");
        }
        triggers.count(999);
        assert!(!triggers.is_due(seq(60), seq(50), 0));
        triggers.count(1);
        assert!(triggers.is_due(seq(60), seq(50), 0));
        triggers.frozen_at(seq(60));
        assert!(!triggers.is_due(seq(61), seq(60), 0));
    }
}

//! What a run does with segments that take no more records.

use tidal_types::{Clock, Seq, Timestamp, WalError};

use super::{Life, Run};
use crate::Redaction;
use crate::tests::simulated::model::{Forgotten, index};

impl Run<'_> {
    /// G60, G62: nothing changes, whatever becomes of it.
    pub(super) fn seal(&mut self, life: &mut Life) {
        let head = life.log.head().position.seq.get();
        let outcome = life.log.seal_before(Seq::new(1 + self.rng.below(head + 2)));
        if let Some(sealed) = self.rewritten(life, outcome) {
            self.tally.sealed_segments += sealed.segments as u64;
        }
    }

    /// G63, G64: what was to be forgotten is, or perhaps is when that failed.
    pub(super) fn redact(&mut self, life: &mut Life) {
        self.write();
        let head = index(life.log.head().position.seq);
        let through = self.rng.below_len(head + 1);
        let concerned = self.model.concerned(through);
        self.model.forget(&concerned, Forgotten::Perhaps);
        let outcome = life.log.redact(Seq::new(through as u64), &mut |record| {
            if concerned.contains(&index(record.seq)) {
                Redaction::Tombstone
            } else {
                Redaction::Keep
            }
        });
        self.settle(life);
        // R26: a segment that is entered without a record to write has a log time too.
        let time = life.log.shared.queue.with_dedup(|dedup| dedup.tick(Timestamp::MIN));
        assert!(time <= self.clock.now().max(Timestamp::from_secs(self.model.time())), "R26");
        self.model.tick(time.as_nanos() / 1_000_000_000);
        // The one that was there may be in the middle of a file that was replaced.
        life.reader = life.log.reader(Seq::new(life.expected as u64));
        self.tally.failed_redactions += u64::from(outcome.is_err());
        if let Some(redacted) = self.rewritten(life, outcome) {
            self.model.acknowledge_durable(self.model.len());
            self.model.forget(&concerned, Forgotten::Yes);
            self.tally.tombstones += redacted.tombstones;
        }
    }

    fn rewritten<T>(&self, life: &mut Life, outcome: Result<T, WalError>) -> Option<T> {
        match outcome {
            Ok(done) => {
                assert!(!life.poisoned, "R8: a poisoned log writes segments anew");
                return Some(done);
            }
            // Nothing has its name yet, or the log takes no more.
            Err(error @ WalError::Io { .. }) => {
                life.expect_fault(&error, self.disk);
                life.poisoned |= life.log.shared.queue.failure().is_some();
            }
            Err(error) => life.expect_failure(&error, self.disk),
        }
        None
    }
}

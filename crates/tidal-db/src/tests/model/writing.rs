//! What a run writes to storage: checkpoints, and cells without one.

use super::action::Writing;
use super::run::{Course, Run};
use super::world::COMMIT_BYTES;
use crate::Result;
use crate::checkpoint::{Writer, load_head};
use crate::ledger::Which;
use crate::tests::life::Life;

impl Run {
    pub(super) fn write(&mut self, life: &Life, writing: Writing) -> Course {
        let written = match writing {
            // There is one walk at a time, and the database may be at its own.
            _ if self.world.writes_by_itself() => self.checkpoint(life),
            Writing::Checkpoint => self.checkpoint(life),
            Writing::Cold => self.write_back(life, Which::Cold),
            Writing::Cells => self.write_back(life, Which::All),
        };
        match written {
            Ok(()) => Course::Whole,
            Err(error) => {
                if self.world.storage.is_well() {
                    self.expect_fault(&error);
                }
                Course::Unsure
            }
        }
    }

    /// A checkpoint, which is there when it says so.
    fn checkpoint(&mut self, life: &Life) -> Result<()> {
        let position = life.db.checkpoint()?;
        assert_eq!(position.seq.get(), self.facts.records, "C5");
        assert_eq!(life.db.stats().unwrap().checkpointed, position.seq);
        self.history.answer_durable(self.history.len());
        self.tally.checkpoints += 1;
        Ok(())
    }

    /// What the checkpointer does when memory is short.
    fn write_back(&mut self, life: &Life, which: Which) -> Result<()> {
        let parts = life.db.parts();
        let may_go_on = || true;
        let storage = &*parts.storage;
        let has_dirty = parts.state.ledger.dirty_bytes() > 0;
        let sync = || parts.log.sync_to_head();
        Writer::new(storage, &sync, &parts.state, &may_go_on, COMMIT_BYTES).cells(which)?;
        if which == Which::All {
            assert_eq!(parts.state.ledger.dirty_bytes(), 0, "all cells were written");
            let (_, reach) = load_head(storage)?.expect("storage is bound to its log");
            assert!(!has_dirty || reach.get() == self.facts.records, "C2: the reach is {reach}");
        }
        self.tally.write_backs += 1;
        Ok(())
    }

    /// What fails takes nothing away, and the next attempt works.
    pub(super) fn fail_to_write(&mut self, life: &Life, after: u8, writing: Writing) {
        self.world.storage.fail_commit(u64::from(after));
        let course = self.write(life, writing);
        assert!(course == Course::Whole || !self.world.storage.is_armed(), "no commit has failed");
        self.world.storage.disarm();
        if course == Course::Unsure {
            self.tally.failed_writings += 1;
            self.look(life);
            assert_eq!(self.write(life, writing), Course::Whole, "after one that failed");
        }
    }
}

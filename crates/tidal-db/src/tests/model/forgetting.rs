//! What a run forgets.

use tidal_types::{EntityKind, Seq};

use super::history::{Record, Sent};
use super::judge::Refusal;
use super::resolve::Resolver;
use super::run::{Course, Run};
use crate::tests::life::Life;

impl Run {
    /// Forgets an entity, which may be unknown, or forgotten already.
    pub(super) fn forget(&mut self, life: &Life, kind: EntityKind, entity: u8) -> Course {
        let now = self.now();
        let Self { facts, counter, .. } = self;
        let id = Resolver { facts, now, counter, batch: Vec::new() }.entity(kind, entity);
        let is_refused = !self.facts.may_use(kind, id);
        let is_new = !is_refused && !self.facts.forgotten.contains(&(kind, id));
        let forgot = life.db.forget(kind, id);
        if is_new {
            self.send(vec![Sent { record: Record::Forget { kind, id }, log_time: now }]);
        }
        match forgot {
            Ok(_) if is_refused => panic!("G16: no name of {kind} ever had the id {id}"),
            Ok(seq) => {
                let forget = |sent: &Sent| sent.record == Record::Forget { kind, id };
                let place = self.history.sent().iter().position(forget).map(|at| at as u64 + 1);
                assert_eq!(Some(seq), place.map(Seq::new), "the record that forgets {kind} {id}");
                // G80: whatever the database was opened for.
                self.history.answer_durable(self.history.len());
                self.tally.forgotten += u64::from(is_new);
                Course::Whole
            }
            Err(error) if is_refused => {
                self.expect_refusal(Refusal::NotANamesId, &error);
                Course::Whole
            }
            Err(error) => {
                self.expect_fault(&error);
                Course::Unsure
            }
        }
    }
}

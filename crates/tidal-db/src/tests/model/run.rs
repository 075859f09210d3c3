//! One run: the lives of a database, by a list of actions.
//!
//! After each crash the log says with which record it ends. The history is cut there,
//! and from then on every answer of the database must be that of the definitions over
//! exactly these records.

use tidal_types::{Clock as _, EntityId, EntityKind, Timestamp};
use tidal_wal::sim::Fault;

use super::action::{Action, Doing, End, Level, Op, PowerCut, Recovery, Setting, With};
use super::check;
use super::facts::Facts;
use super::history::{History, Record, Sent};
use super::judge::Refusal;
use super::resolve::Resolver;
use super::schemas::SCHEMAS;
use super::tally::Tally;
use super::twin::Twin;
use super::world::{self, World};
use crate::tests::life::Life;
use crate::{Outcome, Result, TidalError};

pub(super) struct Run {
    pub(super) world: World,
    durability: Level,
    pub(super) history: History,
    /// What the history comes to.
    pub(super) facts: Facts,
    twin: Option<Twin>,
    /// The number of the schema that is asked for.
    schema: usize,
    /// Whether a sync of this life may have failed, so that what was written may be in
    /// the page cache only, marked clean.
    has_failed: bool,
    /// How many faults of the disk there were when the life began.
    faults: u64,
    pub(super) counter: u64,
    pub(super) tally: Tally,
}

/// Whether the database goes on, or something failed that nobody can be sure about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub(super) enum Course {
    Whole,
    Unsure,
}

impl Run {
    pub(super) fn new(setting: &Setting, checkpoint_every: u64) -> Self {
        Self {
            world: World::new(setting, checkpoint_every),
            durability: setting.durability,
            history: History::new(),
            facts: Facts::default(),
            twin: None,
            schema: 0,
            has_failed: false,
            faults: 0,
            counter: 0,
            tally: Tally::default(),
        }
    }

    /// Does all of it, and looks at what is left.
    pub(super) fn live(&mut self, setting: &Setting, actions: &[Action]) {
        let mut life = self.open(Some(self.schema));
        for (kind, _) in EntityKind::ALL.into_iter().zip(setting.named).filter(|(_, named)| *named)
        {
            let course = self.name(&life, kind, &[0, 1]);
            assert_eq!(course, Course::Whole);
        }
        for action in actions {
            self.tally.actions += 1;
            life = self.act(life, action);
        }
        self.look(&life);
        life.db.shutdown().unwrap();
        drop(life);
        let life = self.open(None);
        life.db.shutdown().unwrap();
    }

    fn act(&mut self, life: Life, action: &Action) -> Life {
        match action {
            Action::Do(doing) => {
                let course = self.perform(&life, doing);
                assert_eq!(course, Course::Whole, "nothing was to fail");
            }
            Action::Fail { after, doing } => return self.fail(life, *after, doing),
            Action::Die { after, doing, end } => {
                self.world.disk.arm(u64::from(*after), Fault::Die);
                self.tally.unsure += u64::from(self.perform(&life, doing) == Course::Unsure);
                return self.end(life, end);
            }
            Action::StorageFails { after, writing } => self.fail_to_write(&life, *after, *writing),
            Action::StorageDies { after, writing, end } => {
                self.world.storage.die_after(u64::from(*after));
                let course = self.write(&life, *writing);
                self.tally.cut_writings += u64::from(course == Course::Unsure);
                return self.end(life, end);
            }
            Action::Crash(end) => return self.end(life, end),
            Action::Reopen { clean, with } => return self.reopen(life, *clean, *with),
            Action::Wait { secs } => {
                let later =
                    self.now().saturating_add(std::time::Duration::from_secs(u64::from(*secs)));
                self.world.clock.set(later);
            }
            Action::Idle => {
                life.log.step();
                life.log.step_preallocator();
            }
            Action::Look => self.look(&life),
        }
        life
    }

    pub(super) fn now(&self) -> Timestamp {
        self.world.clock.now()
    }

    fn perform(&mut self, life: &Life, doing: &Doing) -> Course {
        match doing {
            Doing::Commit(batches) => self.commit(life, batches),
            Doing::Name { kind, names } => self.name(life, *kind, names),
            Doing::Forget { kind, entity } => self.forget(life, *kind, *entity),
            Doing::Write(writing) => self.write(life, *writing),
        }
    }

    /// Submits batches, writes them as one group, and waits for their answers.
    fn commit(&mut self, life: &Life, batches: &[Vec<Op>]) -> Course {
        life.log.hold();
        let mut submitted = Vec::new();
        let mut course = Course::Whole;
        for ops in batches {
            let now = self.now();
            let mut resolver =
                Resolver { facts: &self.facts, now, counter: &mut self.counter, batch: Vec::new() };
            ops.iter().for_each(|op| resolver.add(op));
            let records = resolver.batch;
            let judged = self.facts.judge(&records, now);
            match (life.db.submit(world::batch(&records, true)), judged) {
                (Ok(ticket), Ok(judged)) => {
                    let is_repeat = judged.records.is_empty();
                    self.send(judged.records);
                    let end = match is_repeat {
                        true => self.history.original_of(&records, &judged.outcomes),
                        false => self.history.len(),
                    };
                    submitted.push((ticket, judged.outcomes, end));
                }
                (Err(error), Err(refusal)) => self.expect_refusal(refusal, &error),
                (Ok(_), Err(refusal)) => panic!("G5: {refusal:?} is not told: {records:?}"),
                (Err(error), Ok(_)) => {
                    self.expect_fault(&error);
                    course = Course::Unsure;
                    break;
                }
            }
        }
        life.log.release();
        for (ticket, outcomes, end) in submitted {
            match ticket.wait() {
                Ok(committed) => {
                    assert_eq!(committed.outcomes, outcomes, "G23, R20");
                    self.tally.note(&outcomes);
                    self.answer(end);
                }
                Err(error) => {
                    self.expect_fault(&error);
                    course = Course::Unsure;
                }
            }
        }
        course
    }

    pub(super) fn send(&mut self, records: Vec<Sent>) {
        self.facts.fold_all(&records);
        self.tally.records += records.len() as u64;
        if !records.is_empty() {
            self.history.push(records);
        }
    }

    fn answer(&mut self, end: usize) {
        match self.durability {
            Level::Durable => self.history.answer_durable(end),
            Level::Written => self.history.answer_written(end),
            Level::Buffered => {}
        }
    }

    fn name(&mut self, life: &Life, kind: EntityKind, numbers: &[u8]) -> Course {
        let names: Vec<Vec<u8>> = numbers.iter().map(|&number| check::name(number)).collect();
        let mut last_id = self.facts.last_ids.get(&kind).copied().unwrap_or_default();
        let (mut records, mut ids) = (Vec::<Sent>::new(), Vec::new());
        for name in &names {
            let assigned = records.iter().find_map(|sent| match &sent.record {
                Record::Name { id, name: known, .. } if known == name => Some(*id),
                _ => None,
            });
            let known = self.facts.names.get(&(kind, name.clone())).copied().or(assigned);
            let id = known.unwrap_or_else(|| {
                last_id += 1;
                let id = EntityId::new(last_id);
                let record = Record::Name { kind, id, name: name.clone() };
                records.push(Sent { record, log_time: self.now() });
                id
            });
            ids.push(id);
        }
        let is_numeric = self.facts.modes.get(&kind) == Some(&crate::IdMode::Numeric);
        match life.db.entity_ids(kind, &names) {
            Ok(_) if is_numeric => panic!("G16: {kind} is numeric"),
            Ok(found) => {
                assert_eq!(found, ids, "G15: the ids of {names:?}");
                let is_new = !records.is_empty();
                self.send(records);
                if is_new {
                    self.answer(self.history.len());
                }
                Course::Whole
            }
            Err(error) if is_numeric => {
                self.expect_refusal(Refusal::Numeric, &error);
                Course::Whole
            }
            Err(error) => {
                self.expect_fault(&error);
                self.send(records);
                Course::Unsure
            }
        }
    }

    /// An operation of the disk fails, and the process goes on until it sees no way to.
    fn fail(&mut self, life: Life, after: u8, doing: &Doing) -> Life {
        let faults = self.world.disk.faults();
        self.world.disk.arm(u64::from(after), Fault::Fail);
        let course = self.perform(&life, doing);
        self.has_failed |= self.world.disk.faults() > faults;
        self.tally.failures += u64::from(course == Course::Unsure);
        self.end(life, &End { cut: None, recoveries: Vec::new() })
    }

    /// The process ends, and some that come after it; then one opens.
    fn end(&mut self, life: Life, end: &End) -> Life {
        self.world.die();
        drop(life);
        self.restart(end.cut);
        for recovery in &end.recoveries {
            self.recover(recovery);
        }
        self.open(Some(self.schema))
    }

    fn restart(&mut self, cut: Option<PowerCut>) {
        self.world.restart(cut);
        self.tally.power_cuts += u64::from(cut.is_some());
        self.tally.kills += u64::from(cut.is_none());
        if cut.is_some() || self.has_failed {
            self.history.lose_written();
        }
        if cut.is_some() {
            self.has_failed = false;
        }
    }

    /// A process that may come to an end before it has opened the database.
    fn recover(&mut self, recovery: &Recovery) {
        self.world.disk.arm(u64::from(recovery.after), Fault::Die);
        if let Some(commits) = recovery.storage_after {
            self.world.storage.die_after(u64::from(commits));
        }
        match self.try_open(Some(self.schema)) {
            Ok(life) => {
                self.world.die();
                drop(life);
            }
            Err(error) => {
                if self.world.storage.is_well() {
                    self.expect_fault(&error);
                }
                self.tally.died_opening += 1;
                self.world.die();
            }
        }
        self.restart(recovery.cut);
    }

    fn reopen(&mut self, life: Life, clean: bool, with: With) -> Life {
        if clean {
            life.db.shutdown().unwrap();
        }
        drop(life);
        // A log that is closed is synced, by a shutdown or not.
        self.history.answer_durable(self.history.len());
        self.tally.reopened += 1;
        match with {
            With::SameSchema => self.open(Some(self.schema)),
            With::StoredSchema => self.open(None),
            With::MoreSignals => {
                self.schema = (self.schema + 1).min(SCHEMAS - 1);
                self.open(Some(self.schema))
            }
        }
    }

    /// Opens the database, which nothing is in the way of, and looks at all of it.
    fn open(&mut self, schema: Option<usize>) -> Life {
        let life = match self.try_open(schema) {
            Ok(life) => life,
            Err(error) => panic!("C1, C2: the database does not open: {error:?}"),
        };
        self.look(&life);
        life
    }

    fn try_open(&mut self, schema: Option<usize>) -> Result<Life> {
        self.faults = self.world.disk.faults();
        let Self { world, history, facts, tally, .. } = self;
        let now = world.clock.now();
        let life = world.open(schema, &mut |last| {
            let sent = history.len();
            history.open(last);
            tally.lost_records += (sent - history.len()) as u64;
            *facts = Facts::of(history.sent());
            // G6: a schema that grew is a record before its first use.
            if let Some(number) = schema.filter(|&number| facts.schema != Some(number)) {
                let sent = Sent { record: Record::Schema(number), log_time: now };
                facts.fold_all(std::slice::from_ref(&sent));
                history.push([sent]);
            }
        })?;
        self.history.answer_durable(self.history.len());
        Ok(life)
    }

    /// Everything that can be read, and the checksum (L2).
    pub(super) fn look(&mut self, life: &Life) {
        check::check(&life.db, &self.facts, self.now());
        let schema = self.facts.schema.expect("an open database has a schema");
        let expected = Twin::checksum(&mut self.twin, self.history.sent(), schema);
        assert_eq!(life.db.checksum().unwrap(), expected, "L2, L3, C5: the checksum");
        assert!(self.history.durable() <= self.history.len());
        let resident = life.db.stats().unwrap().resident;
        let has_budget = resident.budget.is_some();
        assert!(has_budget || resident.evictions == 0, "cells leave memory without a budget");
        self.tally.evictions += u64::from(resident.evictions > 0);
        self.tally.loads += u64::from(resident.loads > 0);
        self.tally.looks += 1;
    }

    pub(super) fn expect_refusal(&mut self, refusal: Refusal, error: &TidalError) {
        self.tally.refusals += 1;
        if self.world.disk.faults() == self.faults {
            refusal.expect(error);
        }
    }

    /// Something failed on the disk, so that this may.
    pub(super) fn expect_fault(&self, error: &TidalError) {
        assert!(self.world.disk.faults() > self.faults, "nothing failed: {error:?}");
    }
}

impl Tally {
    fn note(&mut self, outcomes: &[Outcome]) {
        for outcome in outcomes {
            match outcome {
                Outcome::Appended { .. } => {}
                Outcome::Duplicate { seq: None } => self.repeats_of_producers += 1,
                Outcome::Duplicate { seq: Some(_) } => self.repeats_by_key += 1,
            }
        }
    }
}

//! One run: the lives of a log, drawn from a seed.

mod cursors;
mod rewriting;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tidal_types::{Clock, LogId, ManualClock, Position, Seq, Timestamp, WalError};

use super::checkpoints::Checkpoints;
use super::keys::{Expected, WINDOW_SECS};
use super::model::{Forgotten, Model, Sent, index};
use crate::format::{Floor, SegmentHeader};
use crate::limits::ALIGNMENTS;
use crate::names;
use crate::sim::{Fault, Rng, SimDisk};
use crate::testing::numbered;
use crate::{
    Batch, DedupOptions, Durability, Outcome, Reader, Record, RecordKind, Ticket, Wal, WalOptions,
};

/// How often the log is opened in a run.
const LIVES: usize = 12;

/// How many events a life has at most.
const EVENTS_MAX: u64 = 40;

const KIND: RecordKind = RecordKind(7);

/// What came up in a run.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) events: u64,
    opened: u64,
    died_opening: u64,
    power_cuts: u64,
    kills: u64,
    closes: u64,
    poisoned: u64,
    no_space: u64,
    removed_segments: u64,
    overtaken_readers: u64,
    lost_records: u64,
    torn_tails: u64,
    cursors_made: u64,
    cursors_moved: u64,
    cursors_removed: u64,
    held_back: u64,
    unsure_cursors: u64,
    repeats: u64,
    reused_keys: u64,
    checkpoints: u64,
    damaged_checkpoints: u64,
    sealed_segments: u64,
    tombstones: u64,
    failed_redactions: u64,
}

impl Tally {
    pub(super) fn add(&mut self, other: &Self) {
        for (mine, theirs) in self.fields().into_iter().zip(other.values()) {
            *mine += theirs;
        }
    }

    /// A run that never comes by something does not test it.
    pub(super) fn expect_all_kinds(&self) {
        assert!(self.events >= 10_000, "{self:?}");
        assert!(self.values().iter().all(|&count| count > 0), "{self:?}");
    }

    fn fields(&mut self) -> [&mut u64; 24] {
        [
            &mut self.events,
            &mut self.opened,
            &mut self.died_opening,
            &mut self.power_cuts,
            &mut self.kills,
            &mut self.closes,
            &mut self.poisoned,
            &mut self.no_space,
            &mut self.removed_segments,
            &mut self.overtaken_readers,
            &mut self.lost_records,
            &mut self.torn_tails,
            &mut self.cursors_made,
            &mut self.cursors_moved,
            &mut self.cursors_removed,
            &mut self.held_back,
            &mut self.unsure_cursors,
            &mut self.repeats,
            &mut self.reused_keys,
            &mut self.checkpoints,
            &mut self.damaged_checkpoints,
            &mut self.sealed_segments,
            &mut self.tombstones,
            &mut self.failed_redactions,
        ]
    }

    fn values(&self) -> [u64; 24] {
        [
            self.events,
            self.opened,
            self.died_opening,
            self.power_cuts,
            self.kills,
            self.closes,
            self.poisoned,
            self.no_space,
            self.removed_segments,
            self.overtaken_readers,
            self.lost_records,
            self.torn_tails,
            self.cursors_made,
            self.cursors_moved,
            self.cursors_removed,
            self.held_back,
            self.unsure_cursors,
            self.repeats,
            self.reused_keys,
            self.checkpoints,
            self.damaged_checkpoints,
            self.sealed_segments,
            self.tombstones,
            self.failed_redactions,
        ]
    }
}

pub(super) struct Run<'a> {
    disk: &'a SimDisk,
    rng: Rng,
    clock: Arc<ManualClock>,
    model: Model,
    checkpoints: Checkpoints,
    tally: Tally,
    /// The log, once a record of it is durable.
    log_id: Option<LogId>,
    /// Whether an operation of this life may fail, and the process go on.
    failing: bool,
    /// What the durable floor has said.
    floor: Option<Floor>,
    payloads: usize,
    /// Whether anything is held back from truncation.
    has_cursors: bool,
}

/// An open log.
struct Life {
    log: Wal,
    durability: Durability,
    tickets: VecDeque<Ticket>,
    reader: Reader,
    /// What the reader returns next.
    expected: usize,
    /// How many faults there were when it began.
    faults: u64,
    poisoned: bool,
}

impl<'a> Run<'a> {
    pub(super) fn new(seed: u64, disk: &'a SimDisk) -> Self {
        Self {
            disk,
            // Not the numbers that the disk draws.
            rng: Rng::new(!seed),
            clock: Arc::new(ManualClock::new(Timestamp::from_secs(1000))),
            model: Model::new(),
            checkpoints: Checkpoints::default(),
            tally: Tally::default(),
            log_id: None,
            failing: false,
            floor: None,
            payloads: 0,
            has_cursors: seed.is_multiple_of(2),
        }
    }

    pub(super) fn live(mut self) -> Tally {
        self.disk.disturb([0, 10, 50][self.rng.below_len(3)]);
        for _ in 0..LIVES {
            let faults = self.disk.faults();
            self.prepare();
            let options = self.options();
            let durability = options.durability;
            match Wal::open_simulated(self.disk, options) {
                Ok(log) => {
                    let life = self.born(log, durability, faults);
                    self.spend(life);
                }
                Err(error) => {
                    assert!(self.disk.faults() > faults, "the log does not open: {error:?}");
                    self.tally.died_opening += 1;
                }
            }
            self.end();
        }
        self.tally.torn_tails =
            self.disk.names().iter().filter(|name| name.ends_with(".torn")).count() as u64;
        self.tally
    }

    /// What will go wrong in the next life.
    fn prepare(&mut self) {
        let after = if self.rng.one_in(3) { 25 } else { 200 };
        let after = self.rng.below(after);
        let fault = self.rng.below(4);
        self.failing = fault == 1;
        match fault {
            0 => {}
            1 => self.disk.arm(after, Fault::Fail),
            _ => self.disk.arm(after, Fault::Die),
        }
        let space =
            if self.rng.one_in(4) { self.disk.used() + self.rng.below(60_000) } else { u64::MAX };
        self.disk.limit_space(space);
    }

    fn options(&mut self) -> WalOptions {
        let durabilities = [Durability::Durable, Durability::Written, Durability::Buffered];
        let durable = self.model.durable() as u64;
        let verify_from = if self.rng.one_in(2) { self.rng.below(durable + 1) } else { 0 };
        let seq = Seq::new(self.rng.below(durable + 1));
        WalOptions {
            durability: durabilities[self.rng.below_len(3)],
            segment_bytes: 16 << 10,
            alignment: ALIGNMENTS[self.rng.below_len(ALIGNMENTS.len())],
            verify_from: Seq::new(verify_from),
            continues: self.log_id.map(|log_id| Position { log_id, seq }),
            dedup: DedupOptions {
                window: Duration::from_secs(WINDOW_SECS),
                ..DedupOptions::default()
            },
            clock: Arc::<ManualClock>::clone(&self.clock),
            ..WalOptions::default()
        }
    }

    /// What an opened log must be.
    fn born(&mut self, log: Wal, durability: Durability, faults: u64) -> Life {
        self.tally.opened += 1;
        let head = log.head().position;
        self.tally.lost_records +=
            (self.model.len() - index(head.seq).min(self.model.len())) as u64;
        // R13: all that is shown is durable.
        self.model.open(index(head.seq));
        if head.seq > Seq::ZERO {
            assert_eq!(self.log_id.unwrap_or(head.log_id), head.log_id);
            self.log_id = Some(head.log_id);
        }
        let time = log.shared.queue.with_dedup(|dedup| dedup.tick(Timestamp::MIN));
        self.model.open_at(time.as_nanos() / 1_000_000_000);
        self.checkpoints.open(&log);
        self.find_cursors(&log);
        let first = log.first_seq();
        assert!(index(first) <= self.model.truncated() + 1, "R15: the log begins at {first}");
        let reader = log.reader(first);
        let mut life = Life {
            log,
            durability,
            tickets: VecDeque::new(),
            reader,
            expected: index(first),
            faults,
            poisoned: false,
        };
        self.read(&mut life);
        self.check_floor();
        life
    }

    fn spend(&mut self, mut life: Life) {
        for _ in 0..self.rng.below(EVENTS_MAX) {
            self.tally.events += 1;
            match self.rng.below(if self.has_cursors { 25 } else { 21 }) {
                0..=6 => self.append(&mut life),
                7..=10 => {
                    self.write();
                    life.log.step();
                }
                11 => self.sync(&mut life),
                12 => self.truncate(&mut life),
                13 => self.read(&mut life),
                14 => self.disk.evict(),
                15 | 16 => life.log.step_preallocator(),
                17 => self.checkpoint(&mut life),
                18 => self.seal(&mut life),
                19 => self.redact(&mut life),
                21..=23 => self.use_cursor(&mut life),
                24 => self.remove_cursor(&mut life),
                _ => self.clock.set(Timestamp::from_secs(self.rng.below(2000))),
            }
            self.settle(&mut life);
            self.check_floor();
        }
        self.tally.poisoned += u64::from(life.poisoned);
        if self.rng.one_in(4) {
            self.close(life);
        } else {
            self.disk.die();
            // Closing a log whose disk is gone fails, or has nothing to do.
            drop(life.log.close());
            self.settle(&mut life);
        }
    }

    /// What was sent is written now, if anything is.
    fn write(&mut self) {
        let now = self.clock.now().as_nanos() / 1_000_000_000;
        self.model.write(now);
    }

    /// A few records, one in three with a key.
    fn records(&mut self) -> Vec<Sent> {
        let bytes_max = if self.rng.one_in(20) { 20_000 } else { 2500 };
        let mut records = Vec::new();
        for _ in 0..=self.rng.below(3) {
            if self.rng.one_in(3) {
                records.push(Sent::keyed(&mut self.rng));
                continue;
            }
            let payload = numbered(1000 + self.payloads, self.rng.below_len(bytes_max));
            self.payloads += 1;
            records.push(Sent {
                payload,
                identity: None,
                log_time: None,
                forgotten: Forgotten::No,
            });
        }
        records
    }

    fn append(&mut self, life: &mut Life) {
        let records = self.records();
        let mut batch = Batch::new();
        for sent in &records {
            let record = Record { key: sent.key(), ..Record::new(KIND, &sent.payload) };
            batch.push_record(record).unwrap();
        }
        if records.iter().any(|sent| sent.identity.is_some()) && !life.poisoned {
            self.model.tick(self.clock.now().as_nanos() / 1_000_000_000);
        }
        let expected = self.model.judge(&records);
        match (life.log.append(&batch), expected) {
            (Ok(ticket), expected) => {
                assert!(!life.poisoned, "R8: a poisoned log takes records");
                let outcomes: Vec<_> = ticket.appended().outcomes().collect();
                assert_eq!(Expected::Outcomes(outcomes.clone()), expected, "R20");
                let is_new = |outcome: &Outcome| matches!(outcome, Outcome::Appended { .. });
                let new = records.into_iter().zip(&outcomes).filter(|(_, outcome)| is_new(outcome));
                let new: Vec<_> = new.map(|(sent, _)| sent).collect();
                self.tally.repeats += (outcomes.len() - new.len()) as u64;
                self.model.send(new, ticket.appended().first);
                life.tickets.push_back(ticket);
            }
            (Err(WalError::KeyReused { index, seq }), expected) => {
                assert_eq!(Expected::Reused(index, seq), expected, "R20");
                self.tally.reused_keys += 1;
            }
            (Err(error), _) => life.expect_failure(&error, self.disk),
        }
    }

    fn checkpoint(&mut self, life: &mut Life) {
        let (first, head) = (life.log.first_seq().get(), life.log.head().position.seq.get());
        let through = Seq::new(first - 1 + self.rng.below(head + 2 - first));
        let state = vec![self.rng.below(256) as u8; self.rng.below_len(3000)];
        self.checkpoints.attempt(through, &state);
        self.write();
        let outcome = life.log.checkpoint(through, &state);
        self.settle(life);
        match outcome {
            Ok(()) => {
                assert!(!life.poisoned, "R8: a poisoned log writes a checkpoint");
                self.checkpoints.succeed(&life.log);
                self.tally.checkpoints += 1;
            }
            // It had no name yet, or the log takes no more.
            Err(error @ WalError::Io { .. }) => {
                life.expect_fault(&error, self.disk);
                life.poisoned |= life.log.shared.queue.failure().is_some();
            }
            Err(error) => life.expect_failure(&error, self.disk),
        }
    }

    fn sync(&mut self, life: &mut Life) {
        self.write();
        let outcome = life.log.sync();
        self.settle(life);
        match outcome {
            Ok(()) => {
                assert!(!life.poisoned, "R8: a poisoned log syncs");
                self.model.acknowledge_durable(self.model.len());
            }
            Err(error) => life.expect_failure(&error, self.disk),
        }
    }

    fn truncate(&mut self, life: &mut Life) {
        let last = self.rng.below(life.log.head().position.seq.get() + 1);
        let held = self.model.hindmost().is_some_and(|place| place < last as usize);
        self.tally.held_back += u64::from(held);
        self.model.truncate(last as usize);
        // The log may write checkpoints of its own first, and syncs before it does.
        let steps = life.log.shared.queue.with_dedup(|dedup| dedup.first_seq()).is_some();
        if steps && self.checkpoints.lack_one(&life.log, Seq::new(last + 1)) {
            self.write();
        }
        let needs = self.checkpoints.needs(self.disk, life.log.first_seq());
        let outcome = life.log.truncate_before(Seq::new(last + 1));
        self.settle(life);
        match outcome {
            Ok(removed) => {
                self.tally.removed_segments += removed as u64;
                let first = life.log.first_seq();
                let after = self.checkpoints.needs(self.disk, first);
                assert!(after.len() >= needs.len(), "R16: of {needs:?} are left {after:?}");
            }
            Err(error @ WalError::Io { .. }) => {
                life.expect_fault(&error, self.disk);
                life.poisoned |= life.log.shared.queue.failure().is_some();
            }
            Err(error) => life.expect_failure(&error, self.disk),
        }
    }

    /// R17: a reader sees all that is durable, once, in order, and no more.
    fn read(&mut self, life: &mut Life) {
        let head = life.log.head().position.seq;
        let mut log_time = Timestamp::from_nanos(0);
        loop {
            match life.reader.next_record() {
                Ok(Some(record)) => {
                    assert_eq!(index(record.seq), life.expected, "R17: the order of records");
                    assert!(record.seq <= head, "R17: record {} is not durable", record.seq);
                    assert!(record.log_time >= log_time, "R26: log time goes back");
                    log_time = record.log_time;
                    self.model.expect(&record);
                    life.expected += 1;
                }
                Ok(None) => {
                    assert_eq!(life.expected, index(head) + 1, "R17: where the reader ends");
                    break;
                }
                Err(WalError::Truncated { first, .. }) => {
                    assert!(life.expected < index(first), "R17: nothing was truncated");
                    self.tally.overtaken_readers += 1;
                    life.expected = index(first);
                    life.reader = life.log.reader(first);
                }
                Err(error) => {
                    life.expect_fault(&error, self.disk);
                    break;
                }
            }
        }
    }

    /// Takes the answers that are there.
    fn settle(&mut self, life: &mut Life) {
        while life.tickets.front().is_some_and(Ticket::is_done) {
            let ticket = life.tickets.pop_front().unwrap();
            let first = ticket.appended().first;
            match ticket.wait() {
                // It was answered before anything was done.
                Ok(_) if life.durability == Durability::Buffered => {}
                Ok(appended) => {
                    assert!(!life.poisoned, "R8: a good answer after a failure");
                    let last = index(appended.last);
                    match life.durability {
                        Durability::Durable => self.model.acknowledge_durable(last),
                        _ => self.model.acknowledge_written(last),
                    }
                }
                Err(error @ WalError::NoSpace { .. }) => {
                    life.expect_fault(&error, self.disk);
                    self.tally.no_space += 1;
                    self.model.give_up(index(first) - 1);
                }
                Err(error) => {
                    assert!(matches!(error, WalError::Indeterminate { .. }), "R8: {error:?}");
                    life.expect_fault(&error, self.disk);
                    life.poisoned = true;
                }
            }
        }
        // R1: what the head claims must survive, like what was acknowledged.
        let head = index(life.log.head().position.seq);
        assert!(head >= self.model.durable(), "R17: the head lags behind what was answered");
        self.model.acknowledge_durable(head);
    }

    fn close(&mut self, mut life: Life) {
        self.write();
        let outcome = life.log.close();
        self.settle(&mut life);
        self.tally.closes += 1;
        match outcome {
            Ok(()) => {
                assert!(!life.poisoned, "R8: a poisoned log closes well");
                assert!(life.tickets.is_empty(), "R18: a close leaves nobody waiting");
                self.model.acknowledge_durable(self.model.len());
                let floor = newest_floor(self.disk.durable(names::FLOOR)).unwrap();
                let last = index(floor.next_seq) - 1;
                assert_eq!(last, self.model.len(), "R24: the floor after a close");
            }
            Err(error) => life.expect_failure(&error, self.disk),
        }
        // What the next life finds is as after any other end.
        self.disk.die();
    }

    /// The process ends, or the machine.
    fn end(&mut self) {
        if self.rng.one_in(2) {
            self.disk.power_cut();
            self.model.lose_written();
            self.tally.power_cuts += 1;
        } else {
            self.disk.kill();
            // A failed sync may have left it in the page cache only, marked clean.
            if self.failing {
                self.model.lose_written();
            }
            self.tally.kills += 1;
        }
        if self.rng.one_in(4) {
            let damaged = self.checkpoints.damage_newest(self.disk, &mut self.rng);
            self.tally.damaged_checkpoints += u64::from(damaged);
        }
    }

    /// R24: the floor never falls, and all that it says is synced is on the disk.
    fn check_floor(&mut self) {
        if let Some(floor) = newest_floor(self.disk.durable(names::FLOOR)) {
            if let Some(before) = self.floor.filter(|before| before.log_id == floor.log_id) {
                assert!(floor.synced_offset >= before.synced_offset, "R24: the floor falls");
            }
            self.floor = Some(floor);
        }
        let Some(floor) = newest_floor(self.disk.cached(names::FLOOR)) else {
            return;
        };
        for name in self.disk.names() {
            let kept =
                names::parse_segment(&name).is_some_and(|number| number >= floor.oldest_segment);
            let (Some(durable), Some(cached)) = (self.disk.durable(&name), self.disk.cached(&name))
            else {
                continue;
            };
            // One that is sealed is synced before it has its name.
            let is_unsealed = |header: &SegmentHeader| header.seal.is_none();
            if kept
                && let Some(header) = SegmentHeader::decode(&cached[..4096.min(cached.len())])
                    .ok()
                    .filter(is_unsealed)
            {
                let synced = floor.synced_offset.saturating_sub(header.base_offset);
                let synced = synced.min(header.file_bytes) as usize;
                assert!(
                    synced == 0 || durable.get(..synced) == cached.get(..synced),
                    "R24: {name} is not synced up to {synced}, as the floor says"
                );
            }
        }
    }
}

impl Life {
    /// Something failed on the disk, so that this may.
    fn expect_fault(&self, error: &WalError, disk: &SimDisk) {
        assert!(disk.faults() > self.faults, "nothing failed: {error:?}");
    }

    /// The same; when there was room, the log takes no more (R8).
    fn expect_failure(&mut self, error: &WalError, disk: &SimDisk) {
        self.expect_fault(error, disk);
        self.poisoned |= !matches!(error, WalError::NoSpace { .. });
    }
}

fn newest_floor(file: Option<Vec<u8>>) -> Option<Floor> {
    Floor::decode_newest(&file?).ok()?
}

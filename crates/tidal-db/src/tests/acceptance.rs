//! The acceptance run: 5,500 events of two producers and of one sender with keys, sent with repeats through two
//! power cuts, three checkpoints, the last of which cuts the log, and a rotation that a
//! batch forces, and the exact state that is left.
//!
//! The log is on a simulated disk, and written by one thread alone. So everything
//! follows from the seed of the disk, down to the digest of the log's chain.

mod senders;
mod world;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use tidal_types::{EntityId, EntityKind, Event, Window};
use tidal_wal::sim::Fault;

use crate::tests::crash_storage::CrashStorage;
use crate::tests::life::Life;
use crate::{Batch, By, Outcome, Ticket, TidalDB};
use senders::Sender;
use world::{END, Engine, World};

/// What is left after the run; the same each time and on each engine.
const EXPECTED: &str = include_str!("acceptance/acceptance-v1.txt");

/// The batch that leaves no room for itself.
const LARGE_BYTES: usize = 434 << 10;
const LARGE_ITEM: EntityId = EntityId::new(1000);

/// In these rounds something happens.
const CHECKPOINTS: [u64; 3] = [20, 50, 70];
const TORN_WRITE: u64 = 60;
const LARGE_BATCH: u64 = 45;
const FAILED_SYNC: u64 = 85;

/// C1, C2, L2, G23, R1, R3, R12, R20, R21.
#[test]
fn three_senders_through_two_power_cuts_leave_what_they_always_leave() {
    let dir = tempfile::tempdir().unwrap();
    for engine in [Engine::Memory(CrashStorage::new()), Engine::Fjall(dir.path().join("storage"))] {
        let found = Run::new(engine).live();
        assert!(found == EXPECTED, "the run left\n{found}\nand not\n{EXPECTED}");
    }
}

struct Run {
    world: World,
    senders: [Sender; 3],
    round: u64,
    /// What is in the log, in its order.
    taken: Vec<Event<'static>>,
    duplicates: u64,
    /// Those among them that were told by their keys, with the number of the original.
    by_key: u64,
    /// Rounds in which the log went on in another segment.
    rotations: Vec<u64>,
    /// Events that survived a power cut without an answer.
    unheard: u64,
}

impl Run {
    fn new(engine: Engine) -> Self {
        Self {
            world: World::new(engine),
            senders: senders::all(),
            round: 0,
            taken: Vec::new(),
            duplicates: 0,
            by_key: 0,
            rotations: Vec::new(),
            unheard: 0,
        }
    }

    fn live(mut self) -> String {
        let mut life = self.world.open();
        while !self.senders.iter().all(Sender::is_done) {
            self.round += 1;
            self.world.clock.set(END.saturating_add(Duration::from_secs(self.round)));
            match self.round {
                TORN_WRITE => life = self.crash(life, 0),
                FAILED_SYNC => life = self.crash(life, 1),
                _ => self.go_on(&life),
            }
            if CHECKPOINTS.contains(&self.round) {
                life.db.checkpoint().unwrap();
            }
        }
        assert_eq!(self.rotations, [LARGE_BATCH], "only the large batch leaves its segment");
        let report = self.report(&life);
        self.check(&life.db);
        life.db.shutdown().unwrap();
        drop(life);
        let life = self.world.open();
        self.check(&life.db);
        report
    }

    /// Each sender submits a batch, and all of them are written as one group.
    fn submit(&mut self, life: &Life) -> Vec<(usize, std::ops::Range<u64>, Ticket)> {
        let mut submitted = Vec::new();
        for (index, sender) in self.senders.iter_mut().enumerate() {
            let Some(numbers) = sender.next_batch(self.round) else {
                continue;
            };
            let mut batch: Batch<'_> = numbers.clone().map(|number| sender.event(number)).collect();
            if !sender.has_keys {
                batch = batch.producer_note(sender.id(), numbers.end.to_le_bytes());
            }
            if index == 0 && self.round == LARGE_BATCH {
                batch = batch.write_item(LARGE_ITEM, vec![b'x'; LARGE_BYTES]);
            }
            submitted.push((index, numbers, life.db.submit(batch).unwrap()));
        }
        submitted
    }

    fn go_on(&mut self, life: &Life) {
        let segments = life.log.segment_count();
        let submitted = self.submit(life);
        life.log.step();
        for (index, numbers, ticket) in submitted {
            let outcomes = ticket.wait().unwrap().outcomes;
            let sender = &mut self.senders[index];
            for (number, outcome) in numbers.zip(outcomes) {
                match outcome {
                    Outcome::Appended { .. } => {
                        self.taken.push(sender.event(number));
                        sender.answered = number;
                    }
                    Outcome::Duplicate { seq } => {
                        assert_eq!(seq.is_some(), sender.has_keys);
                        self.duplicates += 1;
                        self.by_key += u64::from(sender.has_keys);
                    }
                }
            }
        }
        if life.log.segment_count() != segments {
            self.rotations.push(self.round);
        }
    }

    /// The same, and the power is cut in the middle of an operation of the group: its
    /// write, or its sync.
    fn crash(&mut self, life: Life, operation: u64) -> Life {
        let submitted = self.submit(&life);
        self.world.disk.arm(operation, Fault::Die);
        life.log.step();
        for (_, _, ticket) in submitted {
            ticket.wait().unwrap_err();
        }
        self.world.power_cut(life);
        let life = self.world.open();
        for sender in self.senders.iter_mut().filter(|sender| !sender.has_keys) {
            for number in sender.resume(&life.db) {
                self.taken.push(sender.event(number));
                self.unheard += 1;
            }
        }
        self.send_again(&life);
        life
    }

    /// What a sender with keys does after a crash. What it was answered for is a repeat,
    /// and the rest may be.
    fn send_again(&mut self, life: &Life) {
        for sender in self.senders.iter_mut().filter(|sender| sender.has_keys) {
            let numbers = sender.unanswered();
            let batch = numbers.clone().map(|number| sender.event(number)).collect::<Batch<'_>>();
            let ticket = life.db.submit(batch).unwrap();
            life.log.step();
            for (number, outcome) in numbers.zip(ticket.wait().unwrap().outcomes) {
                let is_repeat = matches!(outcome, Outcome::Duplicate { seq: Some(_) });
                assert!(is_repeat || number > sender.answered, "{number}: {outcome:?}");
                self.by_key += u64::from(is_repeat);
                self.duplicates += u64::from(is_repeat);
                if number > sender.answered {
                    self.taken.push(sender.event(number));
                    self.unheard += u64::from(is_repeat);
                    sender.answered = number;
                }
            }
        }
    }

    /// Counts and sums by the definition, and the fold of the same events in the same
    /// order by a database that nothing happened to.
    fn check(&self, db: &TidalDB) {
        let mut expected: BTreeMap<(&str, EntityId), (u64, f64)> = BTreeMap::new();
        for sender in senders::all() {
            let mut sender = sender;
            while let Some(numbers) = sender.next_batch(1) {
                for event in numbers.map(|number| sender.event(number)) {
                    let (count, sum) = expected.entry((event.signal, event.entity)).or_default();
                    *count += 1;
                    *sum += event.weight;
                }
            }
        }
        assert_eq!(expected.values().map(|(count, _)| count).sum::<u64>(), 5500);
        for ((signal, id), (count, sum)) in expected {
            assert_eq!(db.windowed_count(signal, id, Window::AllTime).unwrap(), count);
            assert_eq!(db.windowed_sum(signal, id, Window::AllTime).unwrap(), sum, "{signal} {id}");
        }
        assert_eq!(self.taken.len(), 5500);
        let twin = TidalDB::in_memory(world::schema()).unwrap();
        let mut batch = self.taken.iter().copied().collect::<Batch<'_>>();
        batch = batch.write_item(LARGE_ITEM, vec![b'x'; LARGE_BYTES]);
        for sender in self.senders.iter().filter(|sender| !sender.has_keys) {
            let note = db.producer(sender.id()).unwrap().unwrap().note;
            batch = batch.producer_note(sender.id(), note);
        }
        twin.commit(batch).unwrap();
        assert_eq!(db.checksum().unwrap(), twin.checksum().unwrap());
    }

    fn report(&self, life: &Life) -> String {
        let mut report = String::new();
        let text = &mut report;
        let (db, head) = (&life.db, life.log.head());
        let stats = db.stats().unwrap();
        let torn = self.world.disk.names().iter().filter(|name| name.ends_with(".torn")).count();
        let mut line = |name: &str, value: &dyn std::fmt::Display| {
            writeln!(text, "{name:<28} {value}").unwrap();
        };
        line("rounds", &self.round);
        line("duplicates", &self.duplicates);
        line("duplicates by key", &self.by_key);
        line("unheard", &self.unheard);
        line("records", &stats.records);
        line("position", &head.position);
        line("head", &head.digest);
        line("segments", &life.log.segment_count());
        line("log bytes", &stats.log_bytes);
        line("torn tails", &torn);
        line("checkpointed", &stats.checkpointed);
        line("cells", &stats.cells);
        line("checksum", &db.checksum().unwrap());
        for sender in self.senders.iter().filter(|sender| !sender.has_keys) {
            let state = db.producer(sender.id()).unwrap().unwrap();
            let state = format!("epoch {} seq {} note {:?}", state.epoch, state.seq, state.note);
            line(&format!("producer {}", sender.name), &state);
        }
        for (signal, kind, windows) in [
            ("view", EntityKind::Item, &[Window::OneHour, Window::TwentyFourHours][..]),
            ("like", EntityKind::Item, &[Window::TwentyFourHours]),
            ("follow", EntityKind::Creator, &[]),
        ] {
            for ranked in db.top(signal, By::Score, 3).unwrap() {
                line(&format!("top {signal} {kind} {}", ranked.id), &ranked.value);
            }
            for id in [1, 2, 17].map(EntityId::new) {
                let score = db.decay_score(signal, id).unwrap();
                let mut value = format!("score {score} sum");
                let windows = windows.iter().chain(&[Window::AllTime]);
                write!(value, " {}", db.windowed_sum(signal, id, Window::AllTime).unwrap())
                    .unwrap();
                for &window in windows {
                    let count = db.windowed_count(signal, id, window).unwrap();
                    write!(value, " {window:?} {count}").unwrap();
                }
                line(&format!("{signal} {kind} {id}"), &value);
            }
        }
        report
    }
}

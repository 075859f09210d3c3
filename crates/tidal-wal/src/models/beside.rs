//! What goes on beside plain appends, under shuttle: keys that several threads send, in
//! flight too; checkpoints and truncation; a cursor that commits; and who waits for a
//! record or a cursor while the log is closed or fails.
//!
//! A lock that is taken against the order in `shared.rs` is a deadlock here.

use std::env;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::time::Duration;

use shuttle::rand::{Rng as _, thread_rng};
use shuttle::scheduler::{PctScheduler, RandomScheduler, Scheduler};
use shuttle::{Config, Runner};
use tidal_types::{DedupKey, Position, Seq, WalError};

use super::{is_durable, payload, start, tiny};
use crate::sim::{Fault, SimDisk};
use crate::sync::Mutex;
use crate::{Batch, Outcome, Record, RecordKind, Redacted, Redaction, Wal};

/// How many seeds are tried when nobody says, and how many lives each has.
const SEEDS: u64 = 100;
const LIVES: usize = 60;
const PCT_DEPTH: usize = 3;

/// The keys that all senders send, from 0.
const KEYS: usize = 6;
const CURSOR: &str = "reader";

/// What came up, so that nothing passes for tried that never happened.
#[derive(Debug, Default)]
struct Tally {
    lives: u64,
    repeats: u64,
    blocked: u64,
    truncated: u64,
    committed: u64,
    failed: u64,
    woken: u64,
}

/// The log and who is around it. Threads have clones.
#[derive(Debug, Clone)]
struct Life {
    disk: SimDisk,
    log: Arc<Wal>,
    /// The number that each key was answered with.
    answered: Arc<Mutex<Vec<Option<Seq>>>>,
    /// The keys that were answered as new.
    appended: Arc<Mutex<Vec<usize>>>,
    tally: Arc<std::sync::Mutex<Tally>>,
}

impl Life {
    fn count(&self, add: impl FnOnce(&mut Tally)) {
        add(&mut self.tally.lock().unwrap());
    }

    /// Checks that there may be such an error.
    fn expect(&self, error: &WalError, is_closed_early: bool) {
        match error {
            WalError::Closed { .. } => assert!(is_closed_early, "nobody has closed the log"),
            WalError::Poisoned { .. } | WalError::Indeterminate { .. } | WalError::Io { .. } => {
                assert!(self.disk.faults() > 0, "{error}");
                self.count(|tally| tally.failed += 1);
            }
            error => panic!("{error:?}"),
        }
    }

    fn send(&self, is_closed_early: bool) {
        for _ in 0..thread_rng().gen_range(2..=4) {
            let first = thread_rng().gen_range(0..KEYS);
            let keys = first..(first + thread_rng().gen_range(1..=2)).min(KEYS);
            let batch = keyed(keys.clone());
            let ticket = if thread_rng().gen_ratio(1, 3) {
                self.log.try_append(&batch)
            } else {
                self.log.append(&batch)
            };
            match ticket.and_then(crate::Ticket::wait) {
                Ok(appended) => {
                    keys.zip(appended.outcomes())
                        .for_each(|(key, outcome)| self.note(key, outcome));
                }
                Err(WalError::WouldBlock { .. }) => self.count(|tally| tally.blocked += 1),
                Err(error) => self.expect(&error, is_closed_early),
            }
        }
    }

    /// R20, R21: each answer is true, and all of them are the same.
    fn note(&self, key: usize, outcome: Outcome) {
        let (Outcome::Appended { seq } | Outcome::Duplicate { seq }) = outcome;
        let is_there = is_durable(&self.disk, &payload(0, key, BYTES));
        // Looked at second: what is removed is forgotten first.
        assert!(is_there || self.log.first_seq() > seq, "R21: an answer before the sync");
        let mut answered = self.answered.lock().unwrap();
        match outcome {
            Outcome::Appended { .. } => {
                let mut appended = self.appended.lock().unwrap();
                assert!(!appended.contains(&key), "R20: {key} is new twice");
                appended.push(key);
            }
            Outcome::Duplicate { .. } => self.count(|tally| tally.repeats += 1),
        }
        assert!(answered[key].is_none_or(|known| known == seq), "R20: {key} under two numbers");
        answered[key] = Some(seq);
    }

    /// Checkpoints and cuts the log, begins segments for it, and takes nothing out of it.
    fn keep(&self, is_closed_early: bool) {
        for _ in 0..2 {
            if thread_rng().gen_ratio(1, 2) {
                let outcome = self.log.rotate();
                outcome.unwrap_or_else(|error| self.expect(&error, is_closed_early));
            }
            let head = self.log.head().position.seq;
            let outcome = self.log.checkpoint(head, b"state").and_then(|()| {
                let redacted = self.log.redact(Seq::ZERO, &mut |_| Redaction::Keep)?;
                assert_eq!(redacted, Redacted::default());
                let removed = self.log.truncate_before(head.next())?;
                self.count(|tally| tally.truncated += removed as u64);
                Ok(())
            });
            if let Err(error) = outcome {
                self.expect(&error, is_closed_early);
            }
        }
    }

    /// G29: reads and commits; returns the last place that is durable.
    fn read(&self, is_closed_early: bool) -> Seq {
        let mut cursor = match self.log.cursor(CURSOR) {
            Ok(cursor) => cursor,
            Err(error) => {
                self.expect(&error, is_closed_early);
                return Seq::ZERO;
            }
        };
        let mut place = cursor.place();
        for _ in 0..4 {
            let next = match cursor.next_record() {
                Ok(next) => next.map(|record| record.seq),
                // The files of a log that was closed may be those of another.
                Err(error) => panic!("G29: a cursor was overtaken: {error}"),
            };
            let Some(seq) = next else {
                break;
            };
            assert_eq!(seq, place.next(), "R17: out of order");
            match cursor.commit(seq) {
                Ok(()) => {
                    place = seq;
                    self.count(|tally| tally.committed += 1);
                }
                Err(error) => {
                    self.expect(&error, is_closed_early);
                    break;
                }
            }
        }
        place
    }

    /// G30: waits for what may come or not; a close and a failure end that.
    fn wait(&self) {
        let seq = Seq::new(thread_rng().gen_range(1..=KEYS as u64 + 1));
        let position = Position { seq, ..self.log.head().position };
        let outcome = if thread_rng().r#gen() {
            self.log.wait_durable(seq)
        } else {
            self.log.wait_for_cursor(CURSOR, position, Duration::from_secs(600))
        };
        match outcome {
            Ok(()) => assert!(self.log.head().position.seq >= seq),
            Err(WalError::Poisoned { .. } | WalError::Closed { .. }) => {
                self.count(|tally| tally.woken += 1);
            }
            Err(WalError::NoSuchCursor { .. } | WalError::TimedOut { .. }) => {}
            Err(error) => panic!("{error:?}"),
        }
    }
}

const BYTES: usize = 700;

fn keyed(keys: std::ops::Range<usize>) -> Batch {
    let mut batch = Batch::new();
    for key in keys {
        let payload = payload(0, key, BYTES);
        // Half of them by their content.
        let known_by =
            if key % 2 == 0 { DedupKey::Client([key as u8; 16]) } else { DedupKey::Content };
        batch.push_record(Record::new(RecordKind(7), &payload).key(known_by)).unwrap();
    }
    batch
}

fn live(tally: &Arc<std::sync::Mutex<Tally>>) {
    let disk = SimDisk::new(thread_rng().r#gen());
    let log = Arc::new(Wal::open_threaded(&disk, tiny(), true).unwrap());
    if thread_rng().gen_ratio(1, 3) {
        disk.arm(thread_rng().gen_range(0..80), Fault::Fail);
    }
    let closes_early = thread_rng().gen_ratio(1, 3);
    let answered = Arc::new(Mutex::new(vec![None; KEYS]));
    let (appended, tally_of_life) = (Arc::default(), Arc::clone(tally));
    let life = Life { disk: disk.clone(), log, answered, appended, tally: tally_of_life };
    let run = |work: fn(&Life, bool)| {
        let life = life.clone();
        start(move || work(&life, closes_early))
    };
    let mut threads = vec![run(Life::send), run(Life::send), run(Life::keep)];
    let waiter = run(|life, _| life.wait());
    let reader = {
        let life = life.clone();
        // The log may be closed before it has read all.
        start(move || life.read(true))
    };
    if !closes_early {
        threads.drain(..).for_each(|thread| thread.join().unwrap());
    }
    let closed = life.log.close();
    assert!(closed.is_ok() || disk.faults() > 0, "{closed:?}");
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    waiter.join().unwrap();
    let place = reader.join().unwrap();
    disk.die();
    drop(life.log);
    disk.power_cut();
    check(&disk, &life.answered.lock().unwrap(), place);
    tally.lock().unwrap().lives += 1;
}

/// After a power cut: keys are known under the numbers that were told, each record is there
/// once, and the cursor goes on behind its place.
fn check(disk: &SimDisk, answered: &[Option<Seq>], place: Seq) {
    let log = Wal::open_stepped(disk, tiny()).unwrap();
    let mut reader = log.reader(log.first_seq());
    let mut found: Vec<Vec<u8>> = Vec::new();
    while let Some(record) = reader.next_record().unwrap() {
        assert!(!found.iter().any(|payload| payload == record.payload), "R20: in the log twice");
        found.push(record.payload.to_vec());
    }
    if let Some(cursor) = log.cursors().first() {
        assert!(cursor.place >= place, "G29: a place that fell");
        assert!(log.first_seq() <= cursor.place.next(), "G29: cut off before it was read");
    } else {
        assert_eq!(place, Seq::ZERO, "G29: a cursor is gone");
    }
    for (key, seq) in answered.iter().enumerate() {
        let Some(seq) = seq else { continue };
        let ticket = log.append(&keyed(key..key + 1)).unwrap();
        log.step();
        let outcomes: Vec<_> = ticket.wait().unwrap().outcomes().collect();
        assert_eq!(outcomes, [Outcome::Duplicate { seq: *seq }], "R20: key {key} is forgotten");
    }
}

/// R8, R16, R18, R20, R21, G29, G30.
#[test]
fn keys_checkpoints_and_cursors_hold_in_any_order() {
    let first = number("TIDAL_MODEL_SEED");
    let count = number("TIDAL_MODEL_SEEDS").unwrap_or(if first.is_some() { 1 } else { SEEDS });
    let first = first.unwrap_or(0);
    let tally = Arc::default();
    for seed in first..first + count {
        run(seed, RandomScheduler::new_from_seed(seed, LIVES), &tally);
        run(seed, PctScheduler::new_from_seed(seed, PCT_DEPTH, LIVES), &tally);
    }
    let tally = tally.lock().unwrap();
    println!("seeds {first} to {}: {tally:?}", first + count - 1);
    let Tally { lives, repeats, blocked, truncated, committed, failed, woken } = *tally;
    assert!(
        lives < 2000
            || [repeats, blocked, truncated, committed, failed, woken].iter().all(|&n| n > 0)
    );
}

fn run(seed: u64, scheduler: impl Scheduler + 'static, tally: &Arc<std::sync::Mutex<Tally>>) {
    let mut config = Config::new();
    config.stack_size = 1 << 20;
    let runner = Runner::new(scheduler, config);
    let tally = Arc::clone(tally);
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| runner.run(move || live(&tally)))) {
        eprintln!("seed {seed} fails: replay it with TIDAL_MODEL_SEED={seed}");
        resume_unwind(panic);
    }
}

fn number(variable: &str) -> Option<u64> {
    let value = env::var(variable).ok()?;
    Some(value.parse().unwrap_or_else(|_| panic!("{variable} is not a number: {value}")))
}

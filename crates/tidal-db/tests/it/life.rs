//! A process that does everything to a database until it is ended, and what it must leave.
//!
//! What it does follows from the number of the step alone: events with and without
//! actors, metadata, names, a producer with notes, keys. Checkpoints come all the time, and
//! the log is cut behind them; most processes have so little memory that cells leave it all
//! the time. Each process begins some steps back, with what is in the log already and must
//! count once. It says through a pipe what it is about to send and what it was answered.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use tidal_db::{
    Batch, Builder, DedupKey, Durability, Engine, EntityKind, Outcome, Producer, ProducerId,
    Retention, Ticket, TidalDB,
};

use crate::fixture::{builder, event, id, schema};

const DOING: &str = "TIDAL_TEST_LIFE";
const ENGINE: &str = "TIDAL_TEST_LIFE_ENGINE";
const DIR: &str = "TIDAL_TEST_LIFE_DIR";
/// How many bytes the cells may take; missing where they may take any.
const BUDGET: &str = "TIDAL_TEST_LIFE_BUDGET";

/// Records before the first step: the schema.
const SCHEMA_RECORDS: u64 = 1;

/// So many steps a process goes back.
const BACK: u64 = 12;

/// How much memory the cells of the processes have, by turns, in bytes: for none, for some,
/// for all.
const BUDGETS: [Option<u64>; 3] = [Some(0), Some(10_000), None];

/// After so many steps a process says how many cells have left its memory.
const STEPS_BETWEEN_FIGURES: u64 = 16;

const PRODUCER: ProducerId = ProducerId::from_bytes([5; 16]);

/// Not a test of its own: the process that [`run`] starts.
#[test]
fn child_process() {
    let (Ok(durability), Ok(engine), Some(dir)) =
        (std::env::var(DOING), std::env::var(ENGINE), std::env::var_os(DIR))
    else {
        return;
    };
    let durability = match durability.as_str() {
        "durable" => Durability::Durable,
        _ => Durability::Written,
    };
    let budget = std::env::var(BUDGET).ok().map(|bytes| bytes.parse().unwrap());
    live(&Setting { engine: Engine::from_name(&engine).unwrap(), durability, budget }, &dir);
}

/// How a database is opened.
#[derive(Debug, Clone, Copy)]
struct Setting {
    engine: Engine,
    durability: Durability,
    budget: Option<u64>,
}

/// A builder for a database whose log is in small segments.
fn with(setting: &Setting, dir: &Path) -> Builder {
    let Setting { engine, durability, budget } = *setting;
    let builder = builder(dir).engine(engine).durability(durability);
    let builder = match budget {
        Some(bytes) => builder.memory_budget(bytes),
        None => builder,
    };
    match durability {
        Durability::Durable => {
            builder.segment_bytes(16 << 10).retain(Retention::UntilCheckpoint).checkpoint_every(100)
        }
        // Checkpoints and ends of segments are synced: none, where that is not to be seen.
        _ => builder.segment_bytes(1 << 20).checkpoint_every(u64::MAX),
    }
}

/// A part of what is sent.
#[derive(Debug, Clone, Copy)]
struct Step {
    number: u64,
    /// The number of its first record, from zero.
    first: u64,
    /// How many events of producers came before it.
    produced: u64,
    /// How many names were given before it.
    names: u64,
}

/// What a step is.
enum Doing {
    Commit(Batch<'static>),
    Name(Vec<String>),
}

impl Step {
    const FIRST: Self = Self { number: 0, first: 0, produced: 0, names: 0 };

    /// How many records it has.
    const fn len(self) -> u64 {
        match self.number % 8 {
            0 => 2,
            number => 1 + number.wrapping_mul(7) % 11,
        }
    }

    const fn is_produced(self) -> bool {
        matches!(self.number % 8, 3 | 4)
    }

    fn next(self) -> Self {
        Self {
            number: self.number + 1,
            first: self.first + self.len(),
            // One of its records is the note.
            produced: self.produced + if self.is_produced() { self.len() - 1 } else { 0 },
            names: self.names + if self.number.is_multiple_of(8) { 2 } else { 0 },
        }
    }

    /// Sent again, it adds nothing.
    const fn is_repeatable(self) -> bool {
        matches!(self.number % 8, 0 | 3 | 4 | 5)
    }

    /// What it does; users have names.
    fn doing(self) -> Doing {
        let indexes = self.first..self.first + self.len();
        let sent = |index: u64| {
            let event = event(index);
            event.actor.map_or(event, |actor| event.by(id(1 + actor.get() % self.names)))
        };
        let batch = match self.number % 8 {
            0 => {
                // The last one before is asked for, too.
                let names = self.names.saturating_sub(1)..self.names + 2;
                return Doing::Name(names.map(|name| format!("user {name}")).collect());
            }
            3 | 4 => {
                let events = indexes.skip(1).zip(self.produced + 1..).map(|(index, seq)| {
                    sent(index).from_producer(Producer { id: PRODUCER, epoch: 1, seq })
                });
                events.collect::<Batch<'_>>().producer_note(PRODUCER, self.first.to_le_bytes())
            }
            5 => {
                let key = |index: u64| DedupKey::Client(u128::from(index).to_le_bytes());
                indexes.map(|index| sent(index).key(key(index))).collect()
            }
            _ => indexes.fold(Batch::new(), |batch, index| match index % 7 {
                0 => batch.delete_item(id(index % 41)),
                1 => batch.write_item(id(index % 37), format!("metadata {index}").repeat(20)),
                _ => batch.event(sent(index)),
            }),
        };
        Doing::Commit(batch)
    }
}

/// The step that begins behind so many records, and the one some way back.
fn step_at(records: u64) -> (Step, Step) {
    let (mut step, mut back) = (Step::FIRST, VecDeque::from([Step::FIRST]));
    while step.first < records {
        step = step.next();
        back.push_back(step);
        if back.len() as u64 > BACK {
            back.pop_front();
        }
    }
    assert_eq!(step.first, records, "R3: the log ends within a batch");
    (step, back[0])
}

fn records(db: &TidalDB) -> u64 {
    db.stats().unwrap().records - SCHEMA_RECORDS
}

fn live(setting: &Setting, dir: impl AsRef<Path>) {
    let db = with(setting, dir.as_ref()).open().unwrap();
    let (new, mut step) = step_at(records(&db));
    println!("\nsent {}", new.first);
    let mut in_flight: VecDeque<(u64, Ticket)> = VecDeque::new();
    loop {
        let is_repeat = step.number < new.number;
        let end = step.next().first;
        if !is_repeat {
            println!("sent {end}");
        }
        match step.doing() {
            _ if is_repeat && !step.is_repeatable() => {}
            Doing::Commit(batch) if is_repeat => {
                let outcomes = db.commit(batch).unwrap().outcomes;
                let all =
                    outcomes.iter().all(|outcome| matches!(outcome, Outcome::Duplicate { .. }));
                assert!(all, "G23, R20: {outcomes:?} of step {}", step.number);
            }
            Doing::Commit(batch) => in_flight.push_back((end, db.submit(batch).unwrap())),
            Doing::Name(names) => {
                let ids = db.entity_ids(EntityKind::User, &names).unwrap();
                let expected = (step.names + 2).saturating_sub(names.len() as u64) + 1;
                assert!(ids.iter().map(|id| id.get()).eq(expected..step.names + 3), "G15: {ids:?}");
                if !is_repeat {
                    println!("answered {end}");
                }
            }
        }
        if in_flight.len() > 3 {
            let (end, ticket) = in_flight.pop_front().unwrap();
            ticket.wait().unwrap();
            println!("answered {end}");
        }
        if step.number % STEPS_BETWEEN_FIGURES == 0 {
            println!("evicted {}", db.stats().unwrap().resident.evictions);
        }
        step = step.next();
    }
}

/// What the processes on a database said, one after the other, and a database in memory
/// that is fed the same.
pub(crate) struct Story {
    /// That of the last process.
    setting: Setting,
    /// How many processes there were.
    processes: usize,
    /// How many cells left the memory of any of them, as far as they said.
    pub(crate) evicted: u64,
    /// So many records the last process was about to send.
    sent: u64,
    /// So many any of them was answered for.
    pub(crate) answered: u64,
    /// How often the last one was answered.
    answers: u64,
    twin: TidalDB,
    fed: Step,
}

impl Story {
    pub(crate) fn new(engine: Engine, durability: Durability) -> Self {
        let twin = TidalDB::in_memory(schema()).unwrap();
        Self {
            setting: Setting { engine, durability, budget: None },
            processes: 0,
            evicted: 0,
            sent: 0,
            answered: 0,
            answers: 0,
            twin,
            fed: Step::FIRST,
        }
    }

    fn note(&mut self, line: &str) {
        let Some((word, number)) = line.split_once(' ') else {
            return;
        };
        match (word, number.parse()) {
            ("sent", Ok(number)) => self.sent = number,
            ("answered", Ok(number)) => {
                self.answered = self.answered.max(number);
                self.answers += 1;
            }
            ("evicted", Ok(number)) => self.evicted += number,
            _ => {}
        }
    }

    /// Starts a process on the database in `dir`, ends it once it was answered some times,
    /// and notes what it said until then.
    pub(crate) fn run(&mut self, dir: &Path, answers: u64, end: &dyn Fn(&mut Child)) {
        // What is written to storage is synced: where that is not to be seen, nothing is.
        self.setting.budget = match self.setting.durability {
            Durability::Durable => BUDGETS[self.processes % BUDGETS.len()],
            _ => None,
        };
        self.processes += 1;
        let durability = match self.setting.durability {
            Durability::Durable => "durable",
            _ => "written",
        };
        let budget = self.setting.budget.map(|bytes| (BUDGET, bytes.to_string()));
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "life::child_process", "--nocapture", "--test-threads=1"])
            .env(DOING, durability)
            .env(ENGINE, self.setting.engine.name())
            .env(DIR, dir)
            .envs(budget)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut running = Running(child);
        let mut lines = BufReader::new(running.0.stdout.take().unwrap()).lines();
        self.answers = 0;
        while self.answers < answers {
            self.note(&lines.next().expect("nobody has ended it yet").unwrap());
        }
        end(&mut running.0);
        // What it wrote to the pipe before it ended counts too.
        lines.map_while(Result::ok).for_each(|line| self.note(&line));
    }

    /// C1, C2, C5, R3, L2: the database in `dir` opens, holds a prefix of what was sent in
    /// whole batches, and is what a database comes to that was fed that. Returns how many
    /// records that are.
    pub(crate) fn check(&mut self, dir: &Path, is_clean: bool) -> u64 {
        let db = with(&self.setting, dir).open().unwrap();
        let there = records(&db);
        let Self { sent, .. } = *self;
        // What a process says last may be lost in the pipe: as much as is in flight.
        assert!(there <= sent + 64, "C1: {there} are there, {sent} were sent");
        assert!(there >= self.fed.first, "{} were there, {there} are", self.fed.first);
        while self.fed.first < there {
            match self.fed.doing() {
                Doing::Commit(batch) => drop(self.twin.commit(batch).unwrap()),
                Doing::Name(names) => {
                    drop(self.twin.entity_ids(EntityKind::User, &names).unwrap());
                }
            }
            self.fed = self.fed.next();
        }
        assert_eq!(self.fed.first, there, "R3: the log ends within a batch");
        assert_eq!(db.checksum().unwrap(), self.twin.checksum().unwrap(), "L2: {there} records");
        if is_clean {
            db.shutdown().unwrap();
        }
        there
    }
}

/// A process that does not outlive its test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

/// Pseudo-random numbers from a seed: xorshift64.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 8) % end
    }
}

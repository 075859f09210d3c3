//! C1: a process that is killed at any moment loses nothing it answered, and
//! leaves nothing it did not send.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use tidal_db::{
    Batch, DeepOptions, Durability, Engine, Event, Producer, ProducerId, Retention, Seq, TidalDB,
    verify_deep,
};

use crate::fixture::{builder, event, id, schema};
use crate::life::{Random, Story};

const CHILD: &str = "TIDAL_TEST_CHILD";
const DIR: &str = "TIDAL_TEST_CHILD_DIR";
const ROUNDS: u64 = 50;
/// Kills on each engine.
const ROUNDS_OF_EACH: u64 = 15;
/// Records before the first operation: the schema.
const SCHEMA_RECORDS: u64 = 1;

/// This test binary again, as a child that does one thing.
pub(crate) fn child(what: &str, dir: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "kill::child_process", "--nocapture", "--test-threads=1"])
        .env(CHILD, what)
        .env(DIR, dir);
    command
}

/// Not a test of its own: what [`child`] runs.
#[test]
fn child_process() {
    let (Ok(what), Some(dir)) = (std::env::var(CHILD), std::env::var_os(DIR)) else {
        return;
    };
    let dir = Path::new(&dir);
    match what.as_str() {
        "open" => match builder(dir).open() {
            Ok(db) => println!("\nopened {}", db.stats().unwrap().records),
            Err(error) => println!("\nrefused {:?}", error.kind()),
        },
        "write" => write(dir, Durability::Durable),
        "write buffered" => write(dir, Durability::Buffered),
        "write and cut" => write_and_cut(dir),
        "produce" => produce(dir),
        "backup" | "restore" => crate::backup::child(&what, dir),
        other => panic!("no child does {other}"),
    }
}

/// The operations from `start` on that go into one batch: 1 to 64 of them.
fn batch(start: u64) -> (Batch<'static>, u64) {
    let length = 1 + start.wrapping_mul(0x9e37_79b9_7f4a_7c15) % 64;
    let mut batch = Batch::new();
    for index in start..start + length {
        batch = match index % 10 {
            8 => batch.write_item(id(index % 37), format!("metadata {index}")),
            9 => batch.delete_item(id(index % 41)),
            _ => batch.event(event(index)),
        };
    }
    (batch, length)
}

/// Goes on where the database ends, several commits in flight, until killed.
fn write(dir: &Path, durability: Durability) {
    write_to(&builder(dir).durability(durability).checkpoint_every(25).open().unwrap());
}

/// The same, with a log that is cut as soon as may be, behind its base.
fn write_and_cut(dir: &Path) {
    let builder = builder(dir).segment_bytes(16 << 10).retain(Retention::For(Duration::ZERO));
    write_to(&builder.checkpoint_every(25).open().unwrap());
}

fn write_to(db: &TidalDB) {
    let mut next = db.stats().unwrap().records - SCHEMA_RECORDS;
    let mut in_flight = std::collections::VecDeque::new();
    println!("\nfrom {next}");
    loop {
        let (batch, length) = batch(next);
        next += length;
        println!("sent {next}");
        in_flight.push_back(db.submit(batch).unwrap());
        if in_flight.len() > 3 {
            let committed = in_flight.pop_front().unwrap().wait().unwrap();
            println!("answered {}", committed.position.seq.get() - SCHEMA_RECORDS);
        }
    }
}

/// Lets a child write until it was answered some times, kills it, and returns
/// what it had sent and what it was answered.
fn killed_after(what: &str, dir: &Path, answers: u64, spins: u64) -> (u64, u64) {
    let mut child = child(what, dir).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let (mut sent, mut answered, mut seen) = (0, 0, 0);
    let mut note = |line: &str| {
        let mut words = line.split(' ');
        let (word, number) = (words.next(), words.next().and_then(|word| word.parse().ok()));
        match (word, number) {
            (Some("from"), Some(number)) => (sent, answered) = (number, number),
            (Some("sent"), Some(number)) => sent = number,
            (Some("answered"), Some(number)) => {
                answered = number;
                seen += 1;
            }
            _ => {}
        }
        seen
    };
    for line in lines.by_ref() {
        if note(&line.unwrap()) >= answers {
            break;
        }
    }
    // A moment that no event of the child's decides.
    for spin in 0..spins {
        std::hint::black_box(spin);
    }
    child.kill().unwrap();
    child.wait().unwrap();
    // What it wrote to the pipe before it died counts; a last line may be torn.
    for line in lines.map_while(Result::ok) {
        note(&line);
    }
    (sent, answered)
}

/// What a kill may take away.
#[derive(Clone, Copy, PartialEq)]
enum Promise {
    /// Nothing that was answered.
    Answers,
    /// Anything behind a prefix of the batches.
    Prefix,
}

/// Kills a writing child again and again, and compares what it leaves with a
/// database that was fed the same.
fn kill_in_rounds(
    what: &str,
    rounds: u64,
    promise: Promise,
    seed: u64,
    check: &mut dyn FnMut(&Path),
) {
    println!("seed {seed:#x}");
    let dir = tempfile::tempdir().unwrap();
    let mut twin = Twin::new();
    let mut random = seed;
    for round in 0..rounds {
        // xorshift64
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let before = twin.next;
        let spins = random >> 32 & 0x3f_ffff;
        let (sent, answered) = killed_after(what, dir.path(), random % 40, spins);

        check(dir.path());
        let db = builder(dir.path()).open().unwrap();
        let there = db.stats().unwrap().records - SCHEMA_RECORDS;
        if promise == Promise::Answers {
            assert!(there >= answered, "round {round}: {answered} answered, {there} there");
        }
        assert!(there >= before, "round {round}: {before} were there, {there} are");
        // A batch is announced before it is submitted, but the announcement may
        // be lost in the pipe.
        let sent = sent.max(before);
        assert!(there <= sent + 64, "round {round}: {sent} sent, {there} there");
        twin.feed_up_to(there);
        assert_eq!(twin.next, there, "round {round}: batches are there whole or not at all");
        assert_eq!(db.checksum().unwrap(), twin.db.checksum().unwrap(), "round {round}");
        if random & 1 == 0 {
            db.shutdown().unwrap();
        }
    }
    assert!(twin.next > 0);
}

/// A database in memory that is fed the same batches.
struct Twin {
    db: TidalDB,
    next: u64,
}

impl Twin {
    fn new() -> Self {
        Self { db: TidalDB::in_memory(schema()).unwrap(), next: 0 }
    }

    fn feed_up_to(&mut self, end: u64) {
        while self.next < end {
            let (batch, length) = batch(self.next);
            self.db.commit(batch).unwrap();
            self.next += length;
        }
    }
}

/// C1
#[test]
fn fifty_kills_lose_nothing_that_was_answered() {
    kill_in_rounds("write", ROUNDS, Promise::Answers, 0x5eed_0001, &mut |_| ());
}

/// C2: a checkpoint syncs the log first, also where answers come before the
/// operating system has anything; so storage is never ahead of what is left.
#[test]
fn kills_of_a_buffered_database_leave_a_prefix_that_opens() {
    kill_in_rounds("write buffered", ROUNDS / 2, Promise::Prefix, 0x5eed_0002, &mut |_| ());
}

/// G73: kills while the base is brought forward, before and after the log is cut, leave a
/// base that joins the log; and both come to what is stored.
#[test]
fn kills_beside_a_log_that_is_cut_leave_a_base_that_joins_it() {
    let (mut from_base, mut last) = (0, Seq::FIRST);
    let mut check = |dir: &Path| {
        let scratch = tempfile::tempdir().unwrap();
        let report = verify_deep(dir, &DeepOptions::new(scratch.path())).unwrap();
        assert!(report.ok(), "{report:?}");
        let from = report.state.unwrap().from;
        assert!(from >= last, "{from} {last}");
        from_base += u32::from(from > last);
        last = from;
    };
    kill_in_rounds("write and cut", 20, Promise::Answers, 0x5eed_0003, &mut check);
    assert!(from_base > 5, "the base was brought forward in {from_base} rounds");
}

/// C1, C2, C5, R3, G23, G86, R20: on every engine, with names, metadata, producers, keys,
/// little memory, and checkpoints all the time, behind which the log is cut.
#[test]
fn kills_on_every_engine_lose_nothing_that_was_answered() {
    let seed = 0x5eed_0005;
    println!("seed {seed:#x}");
    let mut random = Random(seed);
    for &engine in Engine::ALL {
        let dir = tempfile::tempdir().unwrap();
        let mut story = Story::new(engine, Durability::Durable);
        let mut there = 0;
        for round in 0..ROUNDS_OF_EACH {
            let (answers, spins) = (random.below(80), random.below(0x3f_ffff));
            story.run(dir.path(), answers, &|child| {
                // A moment that no event of the process decides.
                for spin in 0..spins {
                    std::hint::black_box(spin);
                }
                child.kill().unwrap();
            });
            let before = there;
            there = story.check(dir.path(), round % 3 == 0);
            let answered = story.answered;
            assert!(
                there >= answered.max(before),
                "C1: {} round {round}: {answered} answered, {there} there",
                engine.name()
            );
        }
        assert!(there > 500, "{}: {there}", engine.name());
        assert!(story.evicted > 0, "{}: no cell left memory", engine.name());
    }
}

const PRODUCER: ProducerId = ProducerId::from_bytes([9; 16]);

/// The events with these numbers, and a note of the last of them.
fn produced(from: u64, to: u64) -> Batch<'static> {
    let sent = |seq| -> Event<'static> {
        event(seq).from_producer(Producer { id: PRODUCER, epoch: 3, seq })
    };
    let batch: Batch<'_> = (from..=to).map(sent).collect();
    batch.producer_note(PRODUCER, to.to_le_bytes())
}

/// Sends events from some way before the last one that is there, several commits
/// in flight, until killed.
fn produce(dir: &Path) {
    let db = builder(dir).checkpoint_every(25).open().unwrap();
    let last = db.producer(PRODUCER).unwrap().map_or(0, |state| state.seq);
    let mut next = 1 + last.saturating_sub(100 + last % 100);
    let mut in_flight = std::collections::VecDeque::new();
    println!("\nfrom {last}");
    loop {
        // In other batches than the time before.
        let to = next + (next ^ last).wrapping_mul(0x9e37_79b9_7f4a_7c15) % 64;
        println!("sent {to}");
        in_flight.push_back((to, db.submit(produced(next, to)).unwrap()));
        next = to + 1;
        if in_flight.len() > 3 {
            let (to, ticket) = in_flight.pop_front().unwrap();
            ticket.wait().unwrap();
            println!("answered {to}");
        }
    }
}

/// G23: a producer that sends again after each kill, from some way back, is
/// counted once and whole.
#[test]
fn a_killed_producer_sends_again_and_counts_once() {
    let seed: u64 = 0x5eed_0002;
    println!("seed {seed:#x}");
    let dir = tempfile::tempdir().unwrap();
    let twin = TidalDB::in_memory(schema()).unwrap();
    let mut random = seed;
    let (mut last, mut resent) = (0, 0);
    for round in 0..30 {
        // xorshift64
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let (_, answered) =
            killed_after("produce", dir.path(), random % 40, random >> 32 & 0x3f_ffff);

        let db = builder(dir.path()).open().unwrap();
        let there = db.producer(PRODUCER).unwrap().map_or(0, |state| state.seq);
        assert!(there >= answered.max(last), "round {round}: {answered} answered, {there} there");
        if there > last {
            twin.commit(produced(last + 1, there)).unwrap();
            resent += u64::from(last > 0);
        }
        last = there;
        assert_eq!(db.checksum().unwrap(), twin.checksum().unwrap(), "round {round}");
        if random & 1 == 0 {
            db.shutdown().unwrap();
        }
    }
    assert!(resent > 5, "only {resent} rounds sent something again");
}

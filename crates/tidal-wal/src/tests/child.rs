//! A process that appends to a log until it is ended, and what it must leave.
//!
//! It says through a pipe what it is about to send and what it was answered. What it
//! sends follows from the numbers of the records alone, so whoever looks at the log
//! afterwards knows what must be in it, and where batches end.
//!
//! One that sends with keys begins some way back each time, with what may be in the log
//! already, and what it leaves is the same.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use tidal_types::{DedupKey, Seq};

use crate::testing::{batch, numbered, read_from, small};
use crate::{Batch, Durability, Outcome, Record, RecordKind, Wal, WalOptions};

const SENDING: &str = "TIDAL_WAL_CHILD";
const DIR: &str = "TIDAL_WAL_CHILD_DIR";

/// Not a test of its own: the process that [`run`] starts.
#[test]
fn child_process() {
    let (Ok(sending), Some(dir)) = (std::env::var(SENDING), std::env::var_os(DIR)) else {
        return;
    };
    let known = [Sending::Durable, Sending::Written, Sending::Keyed];
    let sending = known.into_iter().find(|known| known.word() == sending).unwrap();
    append_until_the_end(Path::new(&dir), sending);
}

/// How a process sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sending {
    /// It goes on where the log ends.
    Durable,
    /// The same, with records that survive no power cut.
    Written,
    /// It begins some way back. Its records have keys, and are durable.
    Keyed,
}

impl Sending {
    const fn word(self) -> &'static str {
        match self {
            Self::Durable => "durable",
            Self::Written => "written",
            Self::Keyed => "keyed",
        }
    }
}

/// So many records a process goes back at least, when they have keys.
const BACK: u64 = 60;

/// Goes on where the log ends, or some way back, with some batches in flight; cuts the log
/// now and then.
fn append_until_the_end(dir: &Path, sending: Sending) {
    // Each segment that is left is synced: few, where that is not to be seen.
    let (durability, segment_bytes) = match sending {
        Sending::Durable | Sending::Keyed => (Durability::Durable, small().segment_bytes),
        Sending::Written => (Durability::Written, 1 << 20),
    };
    let log = Wal::open(dir, WalOptions { durability, segment_bytes, ..small() }).unwrap();
    let there = log.head().position.seq.get();
    let mut stream = match sending {
        Sending::Durable | Sending::Written => Stream::at(there),
        Sending::Keyed => Stream::before(there.saturating_sub(BACK)),
    };
    let mut in_flight = VecDeque::new();
    println!("\nsent {there}");
    loop {
        let first = stream.sent;
        let payloads = stream.next_batch();
        println!("sent {}", stream.sent.max(there));
        in_flight.push_back(log.append(&records(first, &payloads, sending)).unwrap());
        if in_flight.len() > 3 {
            let appended = in_flight.pop_front().unwrap().wait().unwrap();
            let (Outcome::Appended { seq } | Outcome::Duplicate { seq }) =
                appended.outcomes().last().unwrap();
            let last = seq.get();
            assert!(appended.new_count() > 0 || last <= there, "R20: a repeat of nothing");
            println!("answered {last}");
            if last.is_multiple_of(32) {
                println!("cut {}", last / 2);
                log.truncate_before(Seq::new(last / 2)).unwrap();
            }
        }
    }
}

/// The batch of records from this index on.
fn records(first: u64, payloads: &[Vec<u8>], sending: Sending) -> Batch {
    if sending != Sending::Keyed {
        return batch(&payloads.iter().map(Vec::as_slice).collect::<Vec<_>>());
    }
    let mut batch = Batch::new();
    for (index, payload) in (first..).zip(payloads) {
        let mut key = [0; 16];
        key[..8].copy_from_slice(&index.to_le_bytes());
        let record = Record::new(RecordKind(7), payload).key(DedupKey::Client(key));
        batch.push_record(record).unwrap();
    }
    batch
}

/// What the process sends, in order.
struct Stream {
    batch: u64,
    sent: u64,
}

impl Stream {
    /// Behind the first so many records.
    fn at(records: u64) -> Self {
        let mut stream = Self { batch: 0, sent: 0 };
        while stream.sent < records {
            stream.next_batch();
        }
        assert_eq!(stream.sent, records, "R3: the log ends within a batch");
        stream
    }

    /// Before the batch that holds the record behind so many.
    fn before(records: u64) -> Self {
        let mut stream = Self { batch: 0, sent: 0 };
        loop {
            let last = Self { ..stream };
            stream.next_batch();
            if stream.sent > records {
                return last;
            }
        }
    }

    fn next_batch(&mut self) -> Vec<Vec<u8>> {
        self.batch += 1;
        let first = self.sent;
        self.sent += 1 + hash(self.batch) % 6;
        (first..self.sent).map(payload).collect()
    }
}

/// What the record at this index, from zero, holds.
fn payload(index: u64) -> Vec<u8> {
    numbered(index as usize, (hash(index) % 900) as usize)
}

fn hash(number: u64) -> u64 {
    number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32
}

/// What the processes on a log said, one after the other.
#[derive(Debug, Default)]
pub(super) struct Story {
    /// So many records the last one was about to send.
    sent: u64,
    /// So many any of them was answered for.
    pub(super) answered: u64,
    /// Below this number any of them was about to cut the log.
    cut: u64,
    /// How often the last one was answered.
    answers: u64,
}

impl Story {
    fn note(&mut self, line: &str) {
        let Some((word, number)) = line.split_once(' ') else {
            return;
        };
        let number = || number.parse().unwrap_or_default();
        match word {
            "sent" => self.sent = number(),
            "cut" => self.cut = self.cut.max(number()),
            "answered" => {
                self.answered = self.answered.max(number());
                self.answers += 1;
            }
            _ => {}
        }
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

/// How a process is ended.
pub(super) type Ending<'a> = &'a dyn Fn(&mut Child);

/// Starts a process on the log in `dir`, ends it once it was answered some times, and
/// notes what it said until then.
pub(super) fn run(dir: &Path, sending: Sending, story: &mut Story, answers: u64, end: Ending<'_>) {
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "tests::child::child_process", "--nocapture", "--test-threads=1"])
        .env(SENDING, sending.word())
        .env(DIR, dir)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut running = Running(child);
    let mut lines = BufReader::new(running.0.stdout.take().unwrap()).lines();
    story.answers = 0;
    while story.answers < answers {
        story.note(&lines.next().expect("nobody has ended it yet").unwrap());
    }
    end(&mut running.0);
    // What it wrote to the pipe before it ended counts too.
    lines.map_while(Result::ok).for_each(|line| story.note(&line));
}

/// R2, R3, R20: checks that the log in `dir` holds whole batches of what was sent, each
/// record once, and nothing else, and returns how many records were sent up to its end.
pub(super) fn check(dir: &Path, story: &Story) -> u64 {
    let log = Wal::open(dir, small()).unwrap();
    let first = log.first_seq();
    let there = log.head().position.seq.get();
    assert!(first.get() <= story.cut.max(1), "R15: it begins with {first}: {story:?}");
    assert!(there <= story.sent, "R2: {there} are there: {story:?}");
    assert_eq!(Stream::at(there).sent, there);
    let payloads = read_from(&log, first).unwrap();
    assert_eq!(payloads.len() as u64, there + 1 - first.get());
    for (index, found) in (first.get() - 1..).zip(&payloads) {
        assert!(*found == payload(index), "R2: record {} is not what was sent", index + 1);
    }
    there
}

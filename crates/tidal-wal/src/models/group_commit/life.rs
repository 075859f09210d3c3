//! One life of a log: what its threads do, and what must be true of it.

use std::sync::Arc;

use shuttle::rand::{Rng as _, thread_rng};
use tidal_types::{Seq, WalError};

use super::tally::Tally;
use crate::models::{after_power_cut, is_durable, payload, start, tiny};
use crate::names;
use crate::reader::Reader;
use crate::sim::{Fault, SimDisk};
use crate::sync::{JoinHandle, Mutex};
use crate::testing::batch;
use crate::{Ticket, Wal};

/// What goes wrong on the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trouble {
    None,
    /// One operation fails.
    Failure,
    /// There is no room for a segment, until an append was told so.
    NoSpace,
}

/// How the log ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// It is closed when all have appended.
    Close,
    /// It is closed by a thread while others append.
    Early,
    /// Whoever lets go last drops it.
    Drop,
}

impl Ending {
    pub(super) fn draw() -> Self {
        [Self::Close, Self::Early, Self::Drop][thread_rng().gen_range(0..3)]
    }
}

/// What is drawn of a life before it begins.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan {
    trouble: Trouble,
    ending: Ending,
    appenders: usize,
}

impl Plan {
    pub(super) fn draw(trouble: Trouble, ending: Ending) -> Self {
        Self { trouble, ending, appenders: thread_rng().gen_range(2..=3) }
    }
}

/// What an appender does next.
#[derive(Debug, Clone, Copy)]
enum Act {
    /// Appends and waits.
    Append,
    /// Appends and does not listen.
    AppendUnheard,
    /// Appends and waits later.
    AppendAhead,
    Sync,
}

impl Act {
    fn draw() -> Self {
        [Self::Append, Self::AppendUnheard, Self::AppendAhead, Self::Sync]
            [thread_rng().gen_range(0..4)]
    }
}

/// A batch, and what is known of it.
#[derive(Debug)]
struct Sent {
    payloads: Vec<Vec<u8>>,
    fate: Fate,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// A good answer: it is durable from this record on.
    Durable(Seq),
    /// It was taken, and nobody listened.
    Unheard,
    /// It may be there or not.
    Unknown,
    /// It is not there.
    Refused,
}

/// The log and who is around it. Threads have clones.
#[derive(Debug, Clone)]
pub(super) struct Life {
    plan: Plan,
    disk: SimDisk,
    log: Arc<Wal>,
    sent: Arc<Mutex<Vec<Sent>>>,
}

impl Life {
    pub(super) fn begin(plan: Plan) -> Self {
        let disk = SimDisk::new(thread_rng().r#gen());
        let log = Wal::open_threaded(&disk, tiny(), true).unwrap();
        match plan.trouble {
            Trouble::None => {}
            Trouble::Failure => disk.arm(thread_rng().gen_range(0..30), Fault::Fail),
            Trouble::NoSpace => disk.limit_space(disk.used() + 1000),
        }
        Self { plan, disk, log: Arc::new(log), sent: Arc::default() }
    }

    /// Lives it to its end, and checks it.
    pub(super) fn live(self) -> Tally {
        let mut follower = Follower { reader: self.log.reader(Seq::FIRST), seen: Vec::new() };
        let Self { plan, disk, sent, .. } = self.clone();
        let following = {
            let disk = disk.clone();
            start(move || {
                (0..6).for_each(|_| follower.follow(&disk));
                follower
            })
        };
        let appenders: Vec<_> =
            (0..plan.appenders).map(|number| self.clone().appender(number)).collect();
        let join = || appenders.into_iter().for_each(|appender| appender.join().unwrap());
        match plan.ending {
            Ending::Close => {
                join();
                self.close();
            }
            Ending::Early => {
                self.close();
                join();
            }
            Ending::Drop => {
                drop(self);
                join();
            }
        }
        let follower = following.join().unwrap();
        let sent = sent.lock().unwrap();
        check(plan, &disk, &sent, follower)
    }

    /// A thread that appends.
    fn appender(self, number: usize) -> JoinHandle<()> {
        start(move || {
            let (mut ahead, mut unheard) = (Vec::new(), Vec::new());
            for index in 0..thread_rng().gen_range(1..=4) {
                match Act::draw() {
                    Act::Append => {
                        let (payloads, ticket) = self.append(number, index);
                        self.settle(payloads, ticket);
                    }
                    Act::AppendUnheard => {
                        let (payloads, ticket) = self.append(number, index);
                        let fate = match ticket.map(drop) {
                            Ok(()) => Fate::Unheard,
                            Err(error) => self.fate(&error),
                        };
                        if fate == Fate::Unheard {
                            unheard.extend(payloads.iter().cloned());
                        }
                        self.note(payloads, fate);
                    }
                    Act::AppendAhead => ahead.push(self.append(number, index)),
                    Act::Sync => self.sync(&unheard),
                }
            }
            // The last first: an answer does not wait to be heard.
            while let Some((payloads, ticket)) = ahead.pop() {
                self.settle(payloads, ticket);
            }
        })
    }

    fn append(&self, number: usize, index: usize) -> (Vec<Vec<u8>>, Result<Ticket, WalError>) {
        let bytes = [20, 700][thread_rng().gen_range(0..2)];
        let count = thread_rng().gen_range(1..=2);
        let payloads: Vec<_> =
            (0..count).map(|part| payload(number, index * 10 + part, bytes)).collect();
        let records: Vec<_> = payloads.iter().map(Vec::as_slice).collect();
        let ticket = self.log.append(&batch(&records));
        (payloads, ticket)
    }

    /// Waits for an answer, and checks that it is true.
    fn settle(&self, payloads: Vec<Vec<u8>>, ticket: Result<Ticket, WalError>) {
        let fate = match ticket.and_then(Ticket::wait) {
            Ok(appended) => {
                for payload in &payloads {
                    assert!(is_durable(&self.disk, payload), "R18: an answer before the sync");
                }
                Fate::Durable(appended.first)
            }
            Err(error) => self.fate(&error),
        };
        self.note(payloads, fate);
    }

    /// What an error says of a batch; also checks that there may be one.
    fn fate(&self, error: &WalError) -> Fate {
        match error {
            WalError::Closed { .. } => {
                assert_ne!(self.plan.ending, Ending::Close, "nobody has closed the log");
                Fate::Refused
            }
            WalError::NoSpace { .. } => {
                assert_eq!(self.plan.trouble, Trouble::NoSpace);
                self.disk.limit_space(u64::MAX);
                Fate::Refused
            }
            WalError::Poisoned { .. } => {
                assert!(self.disk.faults() > 0, "{error}");
                Fate::Refused
            }
            WalError::Indeterminate { .. } => {
                assert!(self.disk.faults() > 0, "{error}");
                let later = self.log.append(&batch(&[b"late"])).map(drop);
                assert!(matches!(later, Err(WalError::Poisoned { .. })), "K3: {later:?}");
                Fate::Unknown
            }
            error => panic!("{error:?}"),
        }
    }

    fn note(&self, payloads: Vec<Vec<u8>>, fate: Fate) {
        self.sent.lock().unwrap().push(Sent { payloads, fate });
    }

    /// Syncs: what this thread appended before is durable, unless there was no room and
    /// someone else was told so.
    fn sync(&self, unheard: &[Vec<u8>]) {
        match self.log.sync() {
            Ok(()) => {
                for payload in unheard.iter().filter(|_| self.plan.trouble != Trouble::NoSpace) {
                    assert!(is_durable(&self.disk, payload), "R18: a sync that covers too little");
                }
            }
            Err(error) => {
                self.fate(&error);
            }
        }
    }

    fn close(&self) {
        match self.log.close() {
            Ok(()) => {}
            // Told once, to the first who asks.
            Err(WalError::NoSpace { .. }) => assert_eq!(self.plan.trouble, Trouble::NoSpace),
            Err(error) => assert!(self.disk.faults() > 0, "{error}"),
        }
    }
}

/// A reader, and what it has seen.
struct Follower {
    reader: Reader,
    seen: Vec<Vec<u8>>,
}

impl Follower {
    /// R17: reads what there is.
    fn follow(&mut self, disk: &SimDisk) {
        while let Some(record) = self.reader.next_record().unwrap() {
            assert_eq!(record.seq, Seq::new(self.seen.len() as u64 + 1), "R17: out of order");
            assert!(is_durable(disk, record.payload), "R17: a reader ahead of the sync");
            self.seen.push(record.payload.to_vec());
        }
    }
}

/// After the end: the power is cut, and what is left is compared with what was sent.
fn check(plan: Plan, disk: &SimDisk, sent: &[Sent], mut follower: Follower) -> Tally {
    let followed = u64::from(!follower.seen.is_empty());
    follower.follow(disk);
    let segments = disk.names().iter().filter(|name| names::parse_segment(name).is_some()).count();
    let found = after_power_cut(disk);
    assert!(found.starts_with(&follower.seen), "R17: shown, and lost");
    let mut count = 0;
    for Sent { payloads, fate } in sent {
        let first = found.iter().position(|payload| *payload == payloads[0]);
        match first {
            None => {
                let is_lost = match fate {
                    Fate::Durable(_) => true,
                    Fate::Unheard => plan.trouble == Trouble::None,
                    Fate::Unknown | Fate::Refused => false,
                };
                assert!(!is_lost, "R18: {fate:?} is lost");
                assert!(payloads.iter().all(|payload| !found.contains(payload)), "R3: a part");
            }
            Some(first) => {
                assert_ne!(*fate, Fate::Refused, "a refused batch is there");
                assert!(found[first..].starts_with(payloads), "R3: a part of a batch");
                if let Fate::Durable(seq) = fate {
                    assert_eq!(*seq, Seq::new(first as u64 + 1), "R22: another number");
                }
                count += payloads.len();
            }
        }
    }
    assert_eq!(count, found.len(), "R2: a record that was not sent, or twice");
    if plan.trouble == Trouble::None {
        assert_eq!(follower.seen, found, "R17: a reader misses records");
    }
    let is_any = |fate: Fate| u64::from(sent.iter().any(|sent| sent.fate == fate));
    Tally {
        lives: 1,
        rotated: u64::from(segments > 1),
        followed,
        unheard: is_any(Fate::Unheard),
        refused: is_any(Fate::Refused),
        unknown: is_any(Fate::Unknown),
    }
}

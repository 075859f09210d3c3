//! Records with keys: which are repeats, and when they are told so.

use std::sync::Arc;
use std::time::Duration;

use tidal_types::{
    DedupKey, ErrorKind, ManualClock, Producer, ProducerId, Seq, Timestamp, WalError,
};

use crate::sim::{Fault, SimDisk};
use crate::testing::small;
use crate::{
    Appended, Batch, DedupOptions, Durability, LogRecord, Outcome, Record, RecordKey, RecordKind,
    Ticket, Wal, WalOptions,
};

const KIND: RecordKind = RecordKind(7);

/// The clock of most tests begins here, in the middle of a window.
pub(super) const NOON: u64 = 1_000_300;

fn key(number: u8) -> DedupKey {
    DedupKey::Client([number; 16])
}

fn batch(records: &[(Option<DedupKey>, &[u8])]) -> Batch {
    let mut batch = Batch::new();
    for &(key, payload) in records {
        batch.push_record(Record { key, ..Record::new(KIND, payload) }).unwrap();
    }
    batch
}

pub(super) fn one(number: u8, payload: &[u8]) -> Batch {
    batch(&[(Some(key(number)), payload)])
}

pub(super) fn options(clock: &Arc<ManualClock>) -> WalOptions {
    WalOptions { clock: Arc::<ManualClock>::clone(clock), ..small() }
}

pub(super) struct Fixture {
    pub(super) disk: SimDisk,
    pub(super) clock: Arc<ManualClock>,
    pub(super) log: Wal,
}

impl Fixture {
    pub(super) fn new() -> Self {
        Self::with(|options| options)
    }

    pub(super) fn with(change: impl FnOnce(WalOptions) -> WalOptions) -> Self {
        let disk = SimDisk::new(1);
        let clock = Arc::new(ManualClock::new(Timestamp::from_secs(NOON)));
        let log = Wal::open_simulated(&disk, change(options(&clock))).unwrap();
        Self { disk, clock, log }
    }

    pub(super) fn append(&self, batch: &Batch) -> Result<Appended, WalError> {
        let ticket = self.log.append(batch)?;
        self.log.step();
        ticket.wait()
    }

    pub(super) fn outcomes(&self, batch: &Batch) -> Vec<Outcome> {
        self.append(batch).unwrap().outcomes().collect()
    }

    /// The process ends, and opens the log again.
    pub(super) fn restart(self) -> Self {
        self.reopen(SimDisk::kill)
    }

    /// The same after a power cut.
    pub(super) fn power_cut(self) -> Self {
        self.reopen(SimDisk::power_cut)
    }

    fn reopen(self, after: impl FnOnce(&SimDisk)) -> Self {
        let Self { disk, clock, log } = self;
        disk.die();
        drop(log);
        after(&disk);
        let log = Wal::open_simulated(&disk, options(&clock)).unwrap();
        Self { disk, clock, log }
    }

    pub(super) fn at(&self, secs: u64) {
        self.clock.set(Timestamp::from_secs(secs));
    }

    pub(super) fn payloads(&self) -> Vec<Vec<u8>> {
        self.read(|record| record.payload.to_vec())
    }

    fn read<T>(&self, look: impl Fn(&LogRecord<'_>) -> T) -> Vec<T> {
        let mut reader = self.log.reader(self.log.first_seq());
        let mut records = Vec::new();
        while let Some(record) = reader.next_record().unwrap() {
            records.push(look(&record));
        }
        records
    }
}

pub(super) fn appended(seq: u64) -> Outcome {
    Outcome::Appended { seq: Seq::new(seq) }
}

pub(super) fn duplicate(seq: u64) -> Outcome {
    Outcome::Duplicate { seq: Seq::new(seq) }
}

/// R20
#[test]
fn a_record_is_written_once_and_keeps_its_number() {
    let mut fixture = Fixture::new();
    assert_eq!(fixture.outcomes(&one(1, b"a")), [appended(1)]);
    assert_eq!(fixture.outcomes(&one(2, b"a")), [appended(2)]);
    for _ in 0..3 {
        assert_eq!(fixture.outcomes(&one(1, b"a")), [duplicate(1)]);
        assert_eq!(fixture.outcomes(&one(2, b"a")), [duplicate(2)]);
        fixture = fixture.restart();
    }
    assert_eq!(fixture.payloads(), [b"a", b"a"]);
    let keys = fixture.read(|record| record.key);
    assert_eq!(keys, [Some(RecordKey::Client([1; 16])), Some(RecordKey::Client([2; 16]))]);
    assert_eq!(fixture.log.known_keys(), 2);
}

/// R20: the key is that of the content, and nobody else's.
#[test]
fn the_same_content_is_written_once_if_that_is_asked_for() {
    let mut fixture = Fixture::new();
    let content = Some(DedupKey::Content);
    let keyed = batch(&[(content, b"a"), (None, b"a"), (content, b"b"), (content, b"a")]);
    assert_eq!(fixture.outcomes(&keyed), [appended(1), appended(2), appended(3), duplicate(1)]);
    fixture = fixture.restart();
    assert_eq!(fixture.outcomes(&keyed), [duplicate(1), appended(4), duplicate(3), duplicate(1)]);
    assert_eq!(fixture.payloads(), [b"a", b"a", b"b", b"a"]);
    let keys = fixture.read(|record| record.key);
    assert!(matches!(keys[0], Some(RecordKey::Content(_))), "{keys:?}");
    assert_ne!(keys[0], keys[2]);

    // So it is when nothing of its batch was sent before.
    fixture.append(&batch(&[(content, b"z")])).unwrap();
    fixture = fixture.restart();
    assert_eq!(
        fixture.outcomes(&batch(&[(content, b"z"), (content, b"y")])),
        [duplicate(5), appended(6)]
    );

    // What a client chose is never taken for the key of a content.
    let Some(RecordKey::Content(digest)) = keys[0] else { unreachable!() };
    let chosen = batch(&[(Some(DedupKey::Client(digest)), b"other")]);
    assert_eq!(fixture.outcomes(&chosen), [appended(7)]);
}

/// R20: what is left of a batch keeps its producers, although the record that one of
/// them followed on is gone (E1).
#[test]
fn what_is_new_in_a_batch_is_written_alone() {
    let fixture = Fixture::new();
    fixture.append(&one(1, b"a")).unwrap();
    let producer = |seq| Producer { id: ProducerId::from_bytes([9; 16]), epoch: 1, seq };
    let mut mixed = Batch::new();
    for (index, (number, payload)) in
        [(1, "a"), (2, "b"), (2, "b"), (3, "c"), (1, "a"), (4, "d")].into_iter().enumerate()
    {
        let record = Record::new(KIND, payload.as_bytes()).key(key(number));
        mixed.push_record(record.from_producer(producer(index as u64))).unwrap();
    }
    let answer = fixture.append(&mixed).unwrap();
    assert_eq!((answer.first, answer.last, answer.new_count()), (Seq::new(2), Seq::new(4), 3));
    let outcomes: Vec<_> = answer.outcomes().collect();
    assert_eq!(
        outcomes,
        [duplicate(1), appended(2), duplicate(2), appended(3), duplicate(1), appended(4)]
    );
    let found = fixture.read(|record| (record.payload.to_vec(), record.producer));
    let expected = [("a", None), ("b", Some(1)), ("c", Some(3)), ("d", Some(5))];
    let expected = expected.map(|(text, seq)| (text.as_bytes().to_vec(), seq.map(producer)));
    assert_eq!(found, expected);
}

/// R20: and nothing of its batch is there, nor known.
#[test]
fn a_key_with_other_content_is_refused() {
    let fixture = Fixture::new();
    fixture.append(&one(1, b"a")).unwrap();
    let waiting = fixture.log.append(&one(2, b"b")).unwrap();
    for (number, original) in [(1, 1), (2, 2)] {
        let bad = batch(&[(Some(key(9)), b"new"), (Some(key(number)), b"other")]);
        let refused = fixture.log.append(&bad).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Input);
        let WalError::KeyReused { index: 1, seq } = refused else { panic!("{refused:?}") };
        assert_eq!(seq, Seq::new(original));
    }
    let twice = batch(&[(Some(key(8)), b"x"), (Some(key(8)), b"y")]);
    assert!(matches!(fixture.log.append(&twice), Err(WalError::KeyReused { index: 1, .. })));
    // The kind is content too.
    let mut other_kind = Batch::new();
    other_kind.push_record(Record::new(RecordKind(8), b"a").key(key(1))).unwrap();
    assert!(matches!(fixture.log.append(&other_kind), Err(WalError::KeyReused { .. })));
    fixture.log.step();
    waiting.wait().unwrap();
    assert_eq!(fixture.payloads(), [b"a", b"b"]);
    let both = batch(&[(Some(key(9)), b"new"), (Some(key(8)), b"y")]);
    assert_eq!(fixture.outcomes(&both), [appended(3), appended(4)]);
}

/// R21: whoever sends again is answered behind the original, and without a sync.
#[test]
fn a_repeat_is_not_answered_before_its_original() {
    let fixture = Fixture::new();
    let original = fixture.log.append(&one(1, b"a")).unwrap();
    let repeat = fixture.log.append(&one(1, b"a")).unwrap();
    assert!(!original.is_done() && !repeat.is_done());
    assert_eq!(repeat.appended().new_count(), 0);
    fixture.log.step();
    assert_eq!(original.wait().unwrap().outcomes().next(), Some(appended(1)));
    assert_eq!(repeat.wait().unwrap().outcomes().collect::<Vec<_>>(), [duplicate(1)]);
    let before = fixture.disk.trace();
    let late = fixture.log.append(&one(1, b"a")).unwrap();
    assert!(!late.is_done(), "the answers of a thread keep their order");
    fixture.log.step();
    assert!(late.is_done());
    assert_eq!(fixture.disk.trace(), before, "a repeat costs the disk nothing");
}

/// R21: and with it, when a write or a sync of the original fails.
#[test]
fn a_repeat_fails_with_its_original() {
    for count in 0..2 {
        let fixture = Fixture::new();
        fixture.append(&one(1, b"a")).unwrap();
        let original = fixture.log.append(&one(2, b"b")).unwrap();
        let repeat = fixture.log.append(&one(2, b"b")).unwrap();
        let of_earlier = fixture.log.append(&one(1, b"a")).unwrap();
        fixture.disk.arm(count, Fault::Fail);
        fixture.log.step();
        assert_eq!(fixture.disk.faults(), 1);
        for ticket in [original, repeat, of_earlier] {
            let answer = ticket.wait();
            assert!(matches!(answer, Err(WalError::Indeterminate { .. })), "{answer:?}");
        }
        let again = fixture.log.append(&one(1, b"a"));
        assert!(matches!(again, Err(WalError::Poisoned { .. })), "{again:?}");
    }
}

/// R21: with less durability the answer says as much as that to the original.
#[test]
fn a_repeat_is_as_durable_as_its_original() {
    for durability in [Durability::Written, Durability::Buffered] {
        let fixture = Fixture::with(|options| WalOptions { durability, ..options });
        let tickets: Vec<Ticket> =
            (0..2).map(|_| fixture.log.append(&one(1, b"a")).unwrap()).collect();
        let at_once = durability == Durability::Buffered;
        assert!(tickets.iter().all(|ticket| ticket.is_done() == at_once), "{durability:?}");
        fixture.log.step();
        let fresh = fixture.append(&one(2, b"b")).unwrap();
        assert_eq!(fresh.first, Seq::new(2));
        let written = fixture.disk.trace();
        let late = fixture.log.append(&one(1, b"a")).unwrap();
        fixture.log.step();
        assert_eq!(fixture.disk.trace(), written, "a repeat asks for no sync");
        let answers = tickets.into_iter().chain([late]).map(|ticket| ticket.wait().unwrap());
        let outcomes: Vec<_> =
            answers.flat_map(|answer| answer.outcomes().collect::<Vec<_>>()).collect();
        assert_eq!(outcomes, [appended(1), duplicate(1), duplicate(1)], "{durability:?}");
    }
}

/// R10, R20: records that had no room are not known, and whoever sent them again is
/// told so.
#[test]
fn what_had_no_room_is_no_original() {
    let fixture = Fixture::new();
    fixture.disk.limit_space(fixture.disk.used());
    let large = vec![b'x'; 20_000];
    let original = fixture.log.append(&one(1, &large)).unwrap();
    let repeat = fixture.log.append(&one(1, &large)).unwrap();
    fixture.log.step();
    for ticket in [original, repeat] {
        assert!(matches!(ticket.wait(), Err(WalError::NoSpace { .. })));
    }
    assert_eq!(fixture.log.known_keys(), 0);
    fixture.disk.limit_space(u64::MAX);
    assert_eq!(fixture.outcomes(&one(1, &large)), [appended(1)]);
}

/// R20, R26: by log time a key is known for one to two windows, also when the clock
/// stood elsewhere meanwhile, and also after a restart.
#[test]
fn a_key_is_known_as_long_as_log_time_says() {
    let window = 600;
    for restarts in [false, true] {
        let mut fixture = Fixture::new();
        fixture.append(&one(1, b"a")).unwrap();
        for secs in [NOON, NOON + window, 5, NOON + 800] {
            fixture.at(secs);
            if restarts {
                fixture = fixture.restart();
            }
            assert_eq!(fixture.outcomes(&one(1, b"a")), [duplicate(1)], "{secs}");
        }
        fixture.at(NOON + 2 * window);
        assert_eq!(fixture.outcomes(&one(1, b"b")), [appended(2)]);
        // Log time stays where the clock has been.
        fixture.at(5);
        assert_eq!(fixture.outcomes(&one(1, b"b")), [duplicate(2)]);
        assert_eq!(fixture.append(&one(2, b"c")).unwrap().first, Seq::new(3));
        let times = fixture.read(|record| record.log_time.as_nanos());
        assert!(times.is_sorted(), "{times:?}");
        assert_eq!(times[2], Timestamp::from_secs(NOON + 2 * window).as_nanos());
    }
}

/// R26: a lookup by a clock that jumps ahead and back decides for good only what is
/// written: that has a log time no earlier than the lookup.
#[test]
fn what_is_decided_by_a_time_is_written_at_that_time() {
    let mut fixture = Fixture::new();
    fixture.append(&one(1, b"a")).unwrap();
    fixture.at(NOON + 10_000);
    let ticket = fixture.log.append(&one(1, b"b")).unwrap();
    assert_eq!(ticket.appended().first, Seq::new(2));
    fixture.at(NOON);
    fixture.log.step();
    ticket.wait().unwrap();
    let times = fixture.read(|record| record.log_time);
    assert_eq!(times[1], Timestamp::from_secs(NOON + 10_000));
    fixture = fixture.restart();
    assert_eq!(fixture.outcomes(&one(1, b"b")), [duplicate(2)]);
}

#[test]
fn a_full_window_is_told_and_never_shortened() {
    let dedup = DedupOptions { max_keys: 3, ..DedupOptions::default() };
    let fixture = Fixture::with(|options| WalOptions { dedup, ..options });
    fixture.append(&one(1, b"a")).unwrap();
    let waiting = fixture.log.append(&one(2, b"b")).unwrap();
    let two = batch(&[(Some(key(3)), b"c"), (Some(key(4)), b"d")]);
    let refused = fixture.log.append(&two).unwrap_err();
    assert!(matches!(refused, WalError::WindowFull { max: 3 }), "{refused:?}");
    assert_eq!(refused.kind(), ErrorKind::Retry);
    fixture.log.step();
    waiting.wait().unwrap();
    assert_eq!(fixture.outcomes(&one(3, b"c")), [appended(3)]);
    for number in 1..=3 {
        let payload = [b'a' + number - 1];
        assert_eq!(fixture.outcomes(&one(number, &payload)), [duplicate(number.into())]);
    }
    assert_eq!(fixture.outcomes(&batch(&[(None, b"no key")])), [appended(4)]);
    assert!(fixture.log.append(&one(4, b"d")).is_err());
    fixture.at(NOON + 1200);
    assert_eq!(fixture.outcomes(&two), [appended(5), appended(6)]);
    assert_eq!(fixture.log.known_keys(), 2);
}

#[test]
fn an_append_in_its_place_counts_from_what_is_new() {
    let fixture = Fixture::new();
    fixture.append(&one(1, b"a")).unwrap();
    let mixed = batch(&[(Some(key(1)), b"a"), (Some(key(2)), b"b")]);
    let refused = fixture.log.append_at(&mixed, Seq::FIRST).unwrap_err();
    assert!(matches!(refused, WalError::OutOfPlace { .. }), "{refused:?}");
    let ticket = fixture.log.append_at(&mixed, Seq::new(2)).unwrap();
    fixture.log.step();
    let outcomes: Vec<_> = ticket.wait().unwrap().outcomes().collect();
    assert_eq!(outcomes, [duplicate(1), appended(2)]);
}

#[test]
fn options_out_of_range_are_refused() {
    let disk = SimDisk::new(1);
    let dedup = DedupOptions::default();
    for dedup in [
        DedupOptions { window: Duration::from_millis(999), ..dedup },
        DedupOptions { window: Duration::from_secs(31 * 24 * 3600), ..dedup },
        DedupOptions { max_keys: 0, ..dedup },
        DedupOptions { max_keys: (1 << 24) + 1, ..dedup },
    ] {
        let refused = Wal::open_simulated(&disk, WalOptions { dedup, ..small() }).unwrap_err();
        assert!(matches!(refused, WalError::InvalidOption { .. }), "{refused:?}");
    }
}

/// R20: many threads that send the same records write each once.
#[test]
fn threads_that_send_the_same_write_it_once() {
    let dir = tempfile::tempdir().unwrap();
    let log = Wal::open(dir.path(), small()).unwrap();
    let seqs: Vec<Vec<Seq>> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    let send = |number: u8| {
                        let answer = log.append(&one(number, &[number])).unwrap().wait().unwrap();
                        match answer.outcomes().next().unwrap() {
                            Outcome::Appended { seq } | Outcome::Duplicate { seq } => seq,
                        }
                    };
                    (0..200).map(send).collect()
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(seqs.iter().all(|others| *others == seqs[0]));
    assert_eq!(log.head().position.seq, Seq::new(200));
}

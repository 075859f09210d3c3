//! Records that are taken out of a log, and those that take their place.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use tidal_types::{DedupKey, Producer, ProducerId, Seq, Timestamp, WalError};

use crate::format::{SEGMENT_HEADER_BYTES, SegmentHeader};
use crate::limits::RECORD_BYTES_MAX;
use crate::recovery::test_segments;
use crate::sim::{Fault, SimDisk};
use crate::testing::{batch, small};
use crate::{
    Batch, LogRecord, Outcome, Record, RecordKey, RecordKind, Redacted, Redaction, SalvageOptions,
    Wal, inspect_log, salvage, take_over, verify,
};

const KIND: RecordKind = RecordKind(7);
const RECORDS: u64 = 60;

/// The record of this number. Every third has a key, the others a producer.
fn payload(seq: u64) -> Vec<u8> {
    let mut payload = format!("secret {seq:05} of user {:02} ", seq % 7).into_bytes();
    payload.resize(400, b'.');
    payload
}

fn record(seq: u64, payload: &[u8]) -> Record<'_> {
    let record = Record::new(KIND, payload);
    match seq % 3 {
        0 => record.key(DedupKey::Client(u128::from(seq).to_le_bytes())),
        _ => record.from_producer(Producer { id: ProducerId::from_bytes([1; 16]), epoch: 1, seq }),
    }
}

/// Batches of five records; every second one shares the group of the one before.
fn fill(log: &Wal) {
    for first in (1..=RECORDS).step_by(5) {
        let mut batch = Batch::new();
        for seq in first..first + 5 {
            batch.push_record(record(seq, &payload(seq))).unwrap();
        }
        let ticket = log.append(&batch).unwrap();
        if first % 2 == 0 {
            log.step();
            log.sync().unwrap();
            ticket.wait().unwrap();
        }
    }
    log.sync().unwrap();
}

fn is_concerned(seq: u64) -> bool {
    seq.is_multiple_of(7)
}

fn forget(record: &LogRecord<'_>) -> Redaction {
    if is_concerned(record.seq.get()) { Redaction::Tombstone } else { Redaction::Keep }
}

type Owned = (u64, RecordKind, Timestamp, Option<RecordKey>, Option<Producer>, Vec<u8>);

fn records(log: &Wal) -> Vec<Owned> {
    let mut reader = log.reader(log.first_seq());
    let mut records = Vec::new();
    while let Some(record) = reader.next_record().unwrap() {
        let LogRecord { seq, kind, log_time, key, producer, payload } = record;
        records.push((seq.get(), kind, log_time, key, producer, payload.to_vec()));
    }
    records
}

/// What the records must be after those concerned up to `through` were forgotten.
fn forgotten(mut records: Vec<Owned>, through: u64) -> Vec<Owned> {
    for (seq, kind, _, key, _, payload) in &mut records {
        if is_concerned(*seq) && *seq <= through {
            (*kind, *key, *payload) = (RecordKind::TOMBSTONE, None, Vec::new());
        }
    }
    records
}

/// No file has the bytes of a record that went, packed or not.
fn expect_gone(dir: &Path, through: u64) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let mut bytes = fs::read(&path).unwrap();
        let header = bytes.get(..SEGMENT_HEADER_BYTES).map(SegmentHeader::decode);
        if let Some(Ok(header)) = header
            && header.seal.is_some()
        {
            bytes = crate::sealed_blocks::unpack_sound(&bytes);
        }
        for seq in (1..=through).filter(|seq| is_concerned(*seq)) {
            let text = format!("secret {seq:05}");
            let found = bytes.windows(text.len()).any(|window| window == text.as_bytes());
            assert!(!found, "{text} is in {}", path.display());
        }
    }
}

/// G63, G64: what is forgotten is in no file; number, log time and producer stay; the
/// chain outside of what was rewritten is what it was, and nothing else changes.
#[test]
fn what_is_forgotten_is_gone_and_everything_else_stays() {
    for is_sealed in [false, true] {
        let dir = tempfile::tempdir().unwrap();
        let log = Wal::open(dir.path(), small()).unwrap();
        fill(&log);
        let (before, head) = (records(&log), log.head());
        if is_sealed {
            log.seal_before(Seq::new(40)).unwrap();
        }
        let redacted = log.redact(Seq::new(RECORDS), &mut forget).unwrap();
        assert_eq!((redacted.tombstones, redacted.replaced), (RECORDS / 7, 0));
        assert_eq!(redacted.keys as u64, RECORDS / 21, "the keys of those that had one");
        assert_eq!(records(&log), forgotten(before.clone(), RECORDS));
        assert_eq!(log.head().position, head.position);
        expect_gone(dir.path(), RECORDS);
        let again = log.redact(Seq::new(RECORDS), &mut forget).unwrap();
        assert_eq!(again, Redacted::default(), "doing it again changes nothing");
        let ticket = log.append(&batch(&[b"more"])).unwrap();
        ticket.wait().unwrap();
        let head = log.head();
        log.close().unwrap();

        expect_gone(dir.path(), RECORDS);
        let report = verify(dir.path(), &mut |_| None).unwrap();
        assert!(report.ok(), "{:?}", report.problems);
        assert_eq!(report.head, Some(head), "R4: the chain goes on");
        let tombstones: u64 = report.rewritten.iter().map(|segment| segment.tombstones).sum();
        assert_eq!((tombstones, report.rewritten.len()), (RECORDS / 7, redacted.segments));
        let stat = inspect_log(dir.path()).unwrap();
        let seals = stat.segments.iter().filter_map(|segment| segment.seal);
        assert_eq!(seals.map(|seal| seal.tombstones).sum::<u64>(), RECORDS / 7);
        let log = Wal::open(dir.path(), small()).unwrap();
        assert_eq!(records(&log)[..RECORDS as usize], forgotten(before, RECORDS));
    }
}

/// G63: a head that was kept before still proves every record that was not rewritten.
#[test]
fn the_digest_that_a_segment_ended_with_is_still_checked() {
    let dir = tempfile::tempdir().unwrap();
    let log = Wal::open(dir.path(), small()).unwrap();
    fill(&log);
    log.redact(Seq::new(10), &mut forget).unwrap();
    log.close().unwrap();
    let path = &test_segments(dir.path())[0];
    let sound = fs::read(path).unwrap();
    let header = SegmentHeader::decode(&sound[..SEGMENT_HEADER_BYTES]).unwrap();
    assert!(header.seal.unwrap().is_rewritten());
    // Each digest, the end, the counts: with its checksum made right.
    for at in [200, 232, 265, 280, 296] {
        let mut bytes = sound.clone();
        bytes[at] ^= 2;
        SegmentHeader::reseal(&mut bytes[..SEGMENT_HEADER_BYTES]);
        fs::write(path, bytes).unwrap();
        let report = verify(dir.path(), &mut |_| None).unwrap();
        assert!(!report.ok(), "{at}");
        Wal::open(dir.path(), small()).unwrap_err();
    }
    fs::write(path, sound).unwrap();
    Wal::open(dir.path(), small()).unwrap();
}

/// G63: only what is asked for is looked at, segments without a record concerned stay as
/// they are, and a second redaction works on what the first has left.
#[test]
fn redaction_ends_where_it_is_told_and_can_be_repeated() {
    let dir = tempfile::tempdir().unwrap();
    let log = Wal::open(dir.path(), small()).unwrap();
    fill(&log);
    let before = records(&log);
    let files: Vec<_> = test_segments(dir.path());
    let bytes: Vec<_> = files.iter().map(|path| fs::read(path).unwrap()).collect();
    let segments = log.segment_count();
    let mut asked = BTreeSet::new();
    let redacted = log
        .redact(Seq::new(14), &mut |record| {
            asked.insert(record.seq.get());
            forget(record)
        })
        .unwrap();
    assert_eq!((redacted.segments, redacted.tombstones), (1, 2));
    assert_eq!(asked, (1..=14).collect());
    assert_eq!(log.segment_count(), segments, "the last one has no record concerned");
    for (path, bytes) in files.iter().zip(&bytes).skip(1) {
        assert_eq!(fs::read(path).unwrap(), *bytes, "{}", path.display());
    }
    assert_eq!(records(&log), forgotten(before.clone(), 14));
    let redacted = log.redact(Seq::new(RECORDS), &mut forget).unwrap();
    assert_eq!(redacted.tombstones, RECORDS / 7 - 2);
    assert_eq!(records(&log), forgotten(before, RECORDS));
    log.close().unwrap();
    assert!(verify(dir.path(), &mut |_| None).unwrap().ok());
}

/// G63: a replaced record keeps its number, its log time and its producer, and may be
/// longer or shorter than it was.
#[test]
fn a_replaced_record_keeps_number_time_and_producer() {
    for length in [0, 5, 3000] {
        let dir = tempfile::tempdir().unwrap();
        let log = Wal::open(dir.path(), small()).unwrap();
        fill(&log);
        let mut expected = records(&log);
        let new = vec![b'n'; length];
        let mut replace = |record: &LogRecord<'_>| {
            if is_concerned(record.seq.get()) {
                Redaction::Replace { kind: RecordKind(9), payload: new.clone() }
            } else {
                Redaction::Keep
            }
        };
        let redacted = log.redact(Seq::new(RECORDS), &mut replace).unwrap();
        assert_eq!((redacted.tombstones, redacted.replaced), (0, RECORDS / 7));
        for (seq, kind, _, key, _, payload) in &mut expected {
            if is_concerned(*seq) {
                (*kind, *key, *payload) = (RecordKind(9), None, new.clone());
            }
        }
        assert_eq!(records(&log), expected);
        expect_gone(dir.path(), RECORDS);
        assert_eq!(log.redact(Seq::new(RECORDS), &mut replace).unwrap(), Redacted::default());
        log.close().unwrap();
        let report = verify(dir.path(), &mut |_| None).unwrap();
        assert!(report.ok(), "{:?}", report.problems);
        let replaced: u64 = report.rewritten.iter().map(|segment| segment.replaced).sum();
        assert_eq!(replaced, RECORDS / 7);
        assert_eq!(records(&Wal::open(dir.path(), small()).unwrap()), expected);
    }
}

/// G64: the key of a record goes with it, out of the window and out of both checkpoints,
/// so what is sent again is written again; every other key is still known.
#[test]
fn keys_go_with_their_records() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = Wal::open(dir.path(), small()).unwrap();
    fill(&log);
    for _ in 0..2 {
        log.checkpoint(Seq::new(RECORDS), b"state").unwrap();
    }
    let keys = log.known_keys();
    let redacted = log.redact(Seq::new(RECORDS), &mut forget).unwrap();
    assert_eq!(log.known_keys(), keys - redacted.keys);
    for reopens in [false, true] {
        if reopens {
            log.close().unwrap();
            log = Wal::open(dir.path(), small()).unwrap();
            assert_eq!(log.owner_state().unwrap().unwrap().state, b"state");
        }
        assert_eq!(log.known_keys(), keys - redacted.keys + usize::from(reopens));
        let seq = if reopens { 42 } else { 21 };
        for (seq, is_known) in [(3, true), (seq, false)] {
            let mut batch = Batch::new();
            batch.push_record(record(seq, &payload(seq))).unwrap();
            let appended = log.append(&batch).unwrap().wait().unwrap();
            let outcome = appended.outcomes().next().unwrap();
            assert_eq!(matches!(outcome, Outcome::Duplicate { .. }), is_known, "{seq}");
        }
    }
}

/// G64: torn tails that were kept may hold anything, and go.
#[test]
fn torn_tails_go_too() {
    let dir = tempfile::tempdir().unwrap();
    let log = Wal::open(dir.path(), small()).unwrap();
    fill(&log);
    fs::write(dir.path().join("wal-0000000000000000-1000.0.torn"), b"secret").unwrap();
    assert_eq!(log.redact(Seq::new(5), &mut |_| Redaction::Keep).unwrap().torn_tails, 1);
    assert!(inspect_log_of(log, dir.path()).set_aside.is_empty());
}

fn inspect_log_of(log: Wal, dir: &Path) -> crate::LogStat {
    log.close().unwrap();
    inspect_log(dir).unwrap()
}

/// G63: salvage, copies and take-over keep tombstones.
#[test]
fn tombstones_go_along_into_other_logs() {
    let (dir, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let log = Wal::open(dir.path(), small()).unwrap();
    fill(&log);
    log.redact(Seq::new(RECORDS), &mut forget).unwrap();
    let expected = records(&log);
    let hold = log.hold().unwrap();
    log.copy_to(&hold, Seq::FIRST, &to.path().join("copy")).unwrap();
    drop(hold);
    log.close().unwrap();
    let options = SalvageOptions { segment_bytes: 16 << 10 };
    take_over(dir.path(), &to.path().join("child"), None, Seq::FIRST, &options).unwrap();
    let last = test_segments(dir.path()).pop().unwrap();
    let third = test_segments(dir.path())[2].clone();
    let first = SegmentHeader::decode(&fs::read(&third).unwrap()[..4096]).unwrap().first_seq;
    for (damaged, name, count) in
        [(last, "to the last", RECORDS as usize), (third, "to the third", first.get() as usize - 1)]
    {
        let sound = fs::read(&damaged).unwrap();
        let mut bytes = sound.clone();
        bytes[50] ^= 1;
        fs::write(&damaged, bytes).unwrap();
        salvage(dir.path(), &to.path().join(name), &options).unwrap();
        fs::write(&damaged, sound).unwrap();
        let log = Wal::open(&to.path().join(name), small()).unwrap();
        assert_eq!(records(&log), expected[..count], "{name}");
    }
    for name in ["copy", "child"] {
        let log = Wal::open(&to.path().join(name), small()).unwrap();
        assert_eq!(records(&log), expected, "{name}");
    }
}

/// G62, G64: whatever operation it is cut short at, by a kill or a power cut, the log
/// opens with each record as it was or forgotten, and doing it again finishes it.
#[test]
fn a_redaction_that_is_cut_short_is_finished_by_another() {
    for seed in 0..4 {
        for count in 0.. {
            let disk = SimDisk::new(seed);
            let log = Wal::open_simulated(&disk, small()).unwrap();
            fill(&log);
            log.checkpoint(Seq::new(RECORDS), b"state").unwrap();
            let before = records(&log);
            let after = forgotten(before.clone(), RECORDS);
            disk.arm(count, Fault::Die);
            let is_done = log.redact(Seq::new(RECORDS), &mut forget).is_ok();
            disk.die();
            drop(log);
            if seed % 2 == 0 {
                disk.power_cut()
            } else {
                disk.kill()
            }
            let log = Wal::open_simulated(&disk, small()).unwrap();
            for ((found, before), after) in records(&log).iter().zip(&before).zip(&after) {
                assert!(found == before || found == after, "{seed} {count}: {found:?}");
                assert!(!is_done || found == after, "{seed} {count}: {found:?}");
            }
            log.redact(Seq::new(RECORDS), &mut forget).unwrap();
            assert_eq!(records(&log), after, "{seed} {count}");
            assert_eq!(log.known_keys() as u64, RECORDS / 3 - RECORDS / 21, "{seed} {count}");
            drop(log);
            disk.kill();
            let log = Wal::open_simulated(&disk, small()).unwrap();
            assert_eq!(records(&log), after, "{seed} {count}");
            assert_eq!(log.known_keys() as u64, RECORDS / 3 - RECORDS / 21, "{seed} {count}");
            if is_done {
                assert!(count > 20);
                break;
            }
        }
    }
}

/// G61: a segment that was damaged unnoticed is refused, not passed over.
#[test]
fn a_damaged_segment_is_not_passed_over() {
    let dir = tempfile::tempdir().unwrap();
    let log = Wal::open(dir.path(), small()).unwrap();
    fill(&log);
    let path = &test_segments(dir.path())[1];
    let mut bytes = fs::read(path).unwrap();
    bytes[SEGMENT_HEADER_BYTES + 100] ^= 1;
    fs::write(path, bytes).unwrap();
    let error = log.redact(Seq::new(RECORDS), &mut |_| Redaction::Keep).unwrap_err();
    assert!(matches!(&error, WalError::Damaged { path: found, .. } if found == path), "{error}");
}

#[test]
fn what_cannot_be_a_record_takes_no_place() {
    let dir = tempfile::tempdir().unwrap();
    let log = Wal::open(dir.path(), small()).unwrap();
    fill(&log);
    let before = records(&log);
    let replace = |kind, bytes| {
        let payload = vec![0; bytes];
        log.redact(Seq::new(3), &mut move |_| Redaction::Replace { kind, payload: payload.clone() })
    };
    let error = replace(RecordKind::TOMBSTONE, 1).unwrap_err();
    assert!(matches!(error, WalError::ReservedKind { kind: 255 }), "{error}");
    let error = replace(KIND, RECORD_BYTES_MAX + 1).unwrap_err();
    assert!(matches!(error, WalError::RecordTooLarge { .. }), "{error}");
    assert_eq!(records(&log), before);
    let error = Batch::new().push(RecordKind::TOMBSTONE, b"").unwrap_err();
    assert!(matches!(error, WalError::ReservedKind { kind: 255 }), "{error}");
}

/// G63: what is left of a record is taken over into a log of other records, with who sent
/// it, also behind a record of the same producer and where repeats are taken out.
#[test]
fn a_tombstone_is_appended_where_it_is_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let producer = |seq| Producer { id: ProducerId::from_bytes([1; 16]), epoch: 1, seq };
    let keyed = Record::new(KIND, b"once").key(DedupKey::Client([5; 16]));
    let expected = [
        (KIND, None, b"once".to_vec()),
        (KIND, Some(producer(4)), b"said".to_vec()),
        (RecordKind::TOMBSTONE, Some(producer(5)), Vec::new()),
        (RecordKind::TOMBSTONE, None, Vec::new()),
        (KIND, None, b"once more".to_vec()),
        (RecordKind::TOMBSTONE, Some(producer(6)), Vec::new()),
    ];
    for _ in 0..2 {
        let log = Wal::open(dir.path(), small()).unwrap();
        if log.head().position.seq == Seq::ZERO {
            let mut batch = Batch::new();
            batch.push_record(keyed).unwrap();
            batch.push_from(producer(4), KIND, b"said").unwrap();
            batch.push_tombstone(Some(producer(5))).unwrap();
            batch.push_tombstone(None).unwrap();
            log.append(&batch).unwrap().wait().unwrap();
            // The first is a repeat, so the rest is encoded anew.
            let mut batch = Batch::new();
            batch.push_record(keyed).unwrap();
            batch.push(KIND, b"once more").unwrap();
            batch.push_tombstone(Some(producer(6))).unwrap();
            log.append(&batch).unwrap().wait().unwrap();
        }
        let found = records(&log);
        let found = found.into_iter();
        let found: Vec<_> =
            found.map(|(_, kind, _, _, producer, payload)| (kind, producer, payload)).collect();
        assert_eq!(found, expected);
        log.close().unwrap();
    }
    assert!(verify(dir.path(), &mut |_| None).unwrap().ok());
}

/// A rotation makes one new segment when there is something in the last one, else none.
#[test]
fn a_rotation_begins_a_segment() {
    let dir = tempfile::tempdir().unwrap();
    let log = Wal::open(dir.path(), small()).unwrap();
    log.rotate().unwrap();
    assert_eq!(log.segment_count(), 1);
    let one = log.append(&batch(&[b"one"])).unwrap();
    log.rotate().unwrap();
    log.rotate().unwrap();
    assert_eq!(log.segment_count(), 2);
    one.wait().unwrap();
    log.append(&batch(&[b"two"])).unwrap().wait().unwrap();
    assert_eq!(log.head().position.seq, Seq::new(2));
    assert_eq!(log.seal_before(Seq::new(2)).unwrap().segments, 1);
    log.close().unwrap();
    assert_eq!(crate::testing::contents(dir.path()).unwrap(), [b"one", b"two"]);
}

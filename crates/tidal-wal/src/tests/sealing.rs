//! Sealed segments: the same log in less room, whoever looks at it.

use std::fs;
use std::io;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use tidal_types::{Seq, WalError};

use crate::disk::Disk;
use crate::format::{SEGMENT_HEADER_BYTES, SegmentHeader};
use crate::recovery::test_segments;
use crate::sim::{Fault, SimDisk};
use crate::testing::{
    FailingDisk, Operation, append_each, batch, contents, numbered, read_from, small,
};
use crate::{
    SalvageOptions, Sealed, Wal, WalOptions, dump, inspect_log, salvage, take_over, verify,
};

const BYTES: usize = 700;
const RECORDS: usize = 60;

fn payloads() -> Vec<Vec<u8>> {
    (0..RECORDS).map(|index| numbered(index, BYTES)).collect()
}

/// A log of several segments, closed, all of which are sealed but the last.
fn sealed() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let log = Wal::open(dir.path(), small()).unwrap();
    append_each(&log, payloads());
    let segments = log.segment_count();
    assert!(segments > 3);
    assert_eq!(log.seal_before(log.head().position.seq).unwrap().segments, segments - 1);
    log.close().unwrap();
    dir
}

fn header(path: &Path) -> SegmentHeader {
    SegmentHeader::decode(&fs::read(path).unwrap()[..SEGMENT_HEADER_BYTES]).unwrap()
}

/// G60: a sealed log reads, verifies, dumps, and opens as it did, and takes less room;
/// the last segment stays as it is.
#[test]
fn sealing_changes_nothing_but_the_room_it_takes() {
    let dir = tempfile::tempdir().unwrap();
    let log = Wal::open(dir.path(), small()).unwrap();
    append_each(&log, payloads());
    let before = log.stats();
    assert_eq!((before.sealed_segments, before.sealed_bytes), (0, 0));
    assert_eq!(before.original_bytes, before.bytes_on_disk);
    let all = Seq::new(RECORDS as u64 + 1);
    let Sealed { segments, bytes_before, bytes_after } = log.seal_before(all).unwrap();
    assert_eq!(segments, before.segments - 1, "the last one is written on");
    assert!(bytes_after < bytes_before / 2, "{bytes_after} of {bytes_before}");
    let after = log.stats();
    assert_eq!(after.sealed_segments, segments);
    assert_eq!(after.sealed_bytes, bytes_after);
    assert_eq!(after.original_bytes, before.original_bytes);
    assert_eq!(after.bytes_on_disk, before.bytes_on_disk - bytes_before + bytes_after);
    assert_eq!(log.seal_before(all).unwrap(), Sealed::default(), "what is sealed stays");
    for from in [1, 2, 17, 40, 60] {
        let read = read_from(&log, Seq::new(from)).unwrap();
        assert_eq!(read, payloads()[from as usize - 1..]);
    }
    append_each(&log, [numbered(RECORDS, BYTES)]);
    let (head, bytes_on_disk) = (log.head(), log.bytes_on_disk());
    log.close().unwrap();
    let on_disk: u64 =
        test_segments(dir.path()).iter().map(|path| fs::metadata(path).unwrap().len()).sum();
    assert_eq!(on_disk, bytes_on_disk);

    let expected: Vec<_> = (0..=RECORDS).map(|index| numbered(index, BYTES)).collect();
    assert_eq!(contents(dir.path()).unwrap(), expected);
    let report = verify(dir.path(), &mut |_| None).unwrap();
    assert!(report.ok(), "{:?}", report.problems);
    assert_eq!(report.head, Some(head), "the chain is the one that was written");
    assert_eq!((report.sealed, report.rewritten.len()), (segments as u64, 0));
    assert_eq!(report.records, expected.len() as u64);
    let stat = inspect_log(dir.path()).unwrap();
    assert_eq!((stat.head, stat.problem), (Some(head), None));
    let seal = stat.segments[0].seal.unwrap();
    assert_eq!((seal.original_bytes, seal.tombstones, seal.replaced), (16 << 10, 0, 0));
    let mut shown = Vec::new();
    dump(dir.path(), Seq::new(5), &mut |record| {
        shown.push(record.payload.to_vec());
        ControlFlow::Continue(())
    })
    .unwrap();
    assert_eq!(shown, expected[4..]);
}

/// G60: what is unpacked is what was written, byte for byte.
#[test]
fn a_sealed_segment_has_the_bytes_of_the_one_that_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let log = Wal::open(dir.path(), small()).unwrap();
    append_each(&log, payloads());
    let before: Vec<_> =
        test_segments(dir.path()).iter().map(|path| fs::read(path).unwrap()).collect();
    log.seal_before(Seq::new(u64::MAX)).unwrap();
    for (path, before) in test_segments(dir.path()).iter().zip(&before).rev().skip(1) {
        let header = header(path);
        let disk = crate::disk::RealDisk::existing(dir.path());
        let mut buffer = crate::seal::open_whole(&disk, &header).unwrap();
        let length = header.body_end() as usize - SEGMENT_HEADER_BYTES;
        let unpacked = buffer.reach(SEGMENT_HEADER_BYTES as u64, length).unwrap();
        assert_eq!(unpacked.len(), length);
        assert_eq!(unpacked, &before[SEGMENT_HEADER_BYTES..header.body_end() as usize]);
        assert!(before[header.body_end() as usize..].iter().all(|&byte| byte == 0));
    }
}

/// G60, G63: groups that lie in several blocks, and blocks that hold many groups.
#[test]
fn groups_and_blocks_begin_and_end_where_they_like() {
    let dir = tempfile::tempdir().unwrap();
    let log = Wal::open(dir.path(), WalOptions::default()).unwrap();
    let mut expected = Vec::new();
    for index in 0..40_u32 {
        // Bytes that LZ4 makes nothing of, behind some that it does.
        let mut payload = numbered(index as usize, 900);
        let mut digest = *blake3::hash(&payload).as_bytes();
        let length = if index % 10 == 3 { 200_000 } else { 2000 };
        while payload.len() < length {
            digest = *blake3::hash(&digest).as_bytes();
            payload.extend_from_slice(&digest);
        }
        expected.push(payload);
    }
    append_each(&log, expected.iter().cloned());
    log.rotate().unwrap();
    let sealed = log.seal_before(Seq::new(41)).unwrap();
    assert!(sealed.bytes_after > 10 * (64 << 10), "{sealed:?}");
    assert_eq!(read_from(&log, Seq::FIRST).unwrap(), expected);
    let large = &mut |record: &crate::LogRecord<'_>| match record.payload.len() {
        0..=100_000 => crate::Redaction::Keep,
        _ => crate::Redaction::Replace { kind: record.kind, payload: b"short".to_vec() },
    };
    let redacted = log.redact(Seq::new(40), large).unwrap();
    assert_eq!(redacted.replaced, 4);
    for payload in &mut expected {
        if payload.len() > 100_000 {
            *payload = b"short".to_vec();
        }
    }
    assert_eq!(read_from(&log, Seq::FIRST).unwrap(), expected);
    log.close().unwrap();
    assert!(verify(dir.path(), &mut |_| None).unwrap().ok());
    let log = Wal::open(dir.path(), WalOptions::default()).unwrap();
    assert_eq!(read_from(&log, Seq::new(20)).unwrap(), expected[19..]);
}

/// G60: truncation, copies, take-over and cursors go on as before.
#[test]
fn sealed_segments_are_truncated_copied_and_taken_over() {
    let dir = sealed();
    let dest = tempfile::tempdir().unwrap();
    let log = Wal::open(dir.path(), small()).unwrap();
    let hold = log.hold().unwrap();
    let copy = log.copy_to(&hold, Seq::new(20), &dest.path().join("copy")).unwrap();
    drop(hold);
    assert_eq!(copy.head, log.head());
    let copied = contents(&dest.path().join("copy")).unwrap();
    assert_eq!(copied, payloads()[copy.first_seq.get() as usize - 1..]);
    let on_disk: u64 = test_segments(&dest.path().join("copy"))
        .iter()
        .map(|path| fs::metadata(path).unwrap().len())
        .sum();
    assert_eq!(copy.bytes, on_disk);
    assert!(log.truncate_before(Seq::new(30)).unwrap() > 0);
    let first = log.first_seq();
    assert_eq!(read_from(&log, first).unwrap(), payloads()[first.get() as usize - 1..]);
    log.close().unwrap();
    assert_eq!(contents(dir.path()).unwrap(), payloads()[first.get() as usize - 1..]);

    let whole = sealed();
    let options = SalvageOptions { segment_bytes: 16 << 10 };
    take_over(whole.path(), &dest.path().join("child"), None, Seq::FIRST, &options).unwrap();
    assert_eq!(contents(&dest.path().join("child")).unwrap(), payloads());
}

/// C3: opening reads no block of a segment that it does not have to look at.
#[test]
fn opening_unpacks_only_what_it_is_to_verify() {
    let dir = sealed();
    let log = Wal::open(dir.path(), small()).unwrap();
    // Without it the keys of the last minutes would be looked for.
    log.checkpoint(log.head().position.seq, b"").unwrap();
    log.close().unwrap();
    let first = &test_segments(dir.path())[0];
    let mut bytes = fs::read(first).unwrap();
    bytes[SEGMENT_HEADER_BYTES + 30] ^= 1;
    fs::write(first, bytes).unwrap();
    let options = WalOptions { verify_from: Seq::new(RECORDS as u64), ..small() };
    let log = Wal::open(dir.path(), options).unwrap();
    let error = read_from(&log, Seq::FIRST).unwrap_err();
    assert!(matches!(&error, WalError::Damaged { path, .. } if path == first), "{error}");
    let last = Seq::new(RECORDS as u64);
    assert_eq!(read_from(&log, last).unwrap(), payloads()[RECORDS - 1..]);
    drop(log);
    let error = Wal::open(dir.path(), small()).unwrap_err();
    assert!(matches!(&error, WalError::Damaged { path, .. } if path == first), "{error}");
}

/// G61: a segment that was damaged unnoticed is refused, and not sealed over.
#[test]
fn damage_is_not_sealed() {
    let dir = tempfile::tempdir().unwrap();
    let log = Wal::open(dir.path(), small()).unwrap();
    append_each(&log, payloads());
    let first = &test_segments(dir.path())[0];
    let mut bytes = fs::read(first).unwrap();
    bytes[SEGMENT_HEADER_BYTES + 300] ^= 1;
    fs::write(first, &bytes).unwrap();
    let error = log.seal_before(Seq::new(u64::MAX)).unwrap_err();
    assert!(matches!(&error, WalError::Damaged { path, .. } if path == first), "{error}");
    assert_eq!(fs::read(first).unwrap(), bytes, "it stays as it is");
    assert_eq!(fs::read_dir(dir.path()).unwrap().filter(is_temporary).count(), 0);
    append_each(&log, [numbered(0, BYTES)]);
}

fn is_temporary(entry: &io::Result<fs::DirEntry>) -> bool {
    let name = entry.as_ref().unwrap().file_name();
    // The next segment is made ahead under such a name, and is no part of this.
    let spare = "wal-0000000000000004.seg.tmp";
    name.to_str().is_some_and(|name| name.ends_with(".seg.tmp") && name < spare)
}

/// G61, R19: every flipped bit in a sealed segment is noticed, and salvage takes over what
/// lies before it.
#[test]
fn every_flipped_bit_of_a_sealed_segment_is_refused() {
    let disk = SimDisk::new(1);
    let log = Wal::open_simulated(&disk, small()).unwrap();
    for index in 0..4 {
        let ticket = log.append(&batch(&[&numbered(index, 200)])).unwrap();
        log.step();
        ticket.wait().unwrap();
    }
    log.rotate().unwrap();
    let ticket = log.append(&batch(&[b"last"])).unwrap();
    log.step();
    ticket.wait().unwrap();
    assert_eq!(log.seal_before(Seq::new(5)).unwrap().segments, 1);
    log.close().unwrap();
    let name = "wal-0000000000000000.seg";
    let sound = disk.cached(name).unwrap();
    // The page is a page of zeros, mostly: a few of its bits stand for the others.
    let page = (0..SEGMENT_HEADER_BYTES).filter(|at| *at < 330 || at % 97 == 0 || *at > 4090);
    for at in page.chain(SEGMENT_HEADER_BYTES..sound.len()) {
        for bit in 0..8 {
            let mut flipped = sound.clone();
            flipped[at] ^= 1 << bit;
            disk.put(name, &flipped);
            let error = Wal::open_simulated(&disk, small()).unwrap_err();
            assert!(
                matches!(error, WalError::Damaged { .. } | WalError::UnsupportedVersion { .. }),
                "byte {at}, bit {bit}: {error}"
            );
        }
    }
    disk.put(name, &sound);
    let log = Wal::open_simulated(&disk, small()).unwrap();
    assert_eq!(read_from(&log, Seq::FIRST).unwrap().len(), 5);
}

/// G33 of a sealed log: what lies before the damaged block is taken over, and what lies
/// behind it is told.
#[test]
fn salvage_takes_over_what_is_before_a_damaged_block() {
    let dir = sealed();
    let to = tempfile::tempdir().unwrap();
    let second = &test_segments(dir.path())[1];
    let mut bytes = fs::read(second).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(second, bytes).unwrap();
    let first = header(second).first_seq;
    let options = SalvageOptions { segment_bytes: 16 << 10 };
    let report = salvage(dir.path(), &to.path().join("new"), &options).unwrap();
    assert_eq!(report.parent.position.seq, first.previous());
    assert_eq!(report.damage.path, *second);
    assert_eq!(report.lost.known.unwrap().1, Seq::new(RECORDS as u64));
    let third = header(&test_segments(dir.path())[2]).first_seq;
    assert_eq!(report.lost.readable, [(third, Seq::new(RECORDS as u64))]);
    let count = first.get() as usize - 1;
    assert_eq!(contents(&to.path().join("new")).unwrap(), payloads()[..count]);
}

/// G61: the segments behind a sealed one cannot be lost unnoticed, nor can a file be cut
/// short or be exchanged for the one that another log has.
#[test]
fn missing_and_foreign_neighbours_are_refused() {
    let dir = sealed();
    let segments = test_segments(dir.path());
    let last = segments.last().unwrap();
    let kept = fs::read(last).unwrap();
    fs::remove_file(last).unwrap();
    fs::remove_file(dir.path().join("FLOOR")).unwrap();
    let error = Wal::open(dir.path(), small()).unwrap_err();
    assert!(matches!(&error, WalError::Missing { path } if path == last), "{error}");
    let stat = inspect_log(dir.path()).unwrap();
    assert!(stat.problem.is_some() && stat.torn_tail.is_none());
    fs::write(last, kept).unwrap();

    let bytes = fs::read(&segments[0]).unwrap();
    fs::write(&segments[0], &bytes[..bytes.len() - 1]).unwrap();
    let error = Wal::open(dir.path(), small()).unwrap_err();
    assert!(error.to_string().contains("should have"), "{error}");
    let other = sealed();
    fs::copy(&test_segments(other.path())[0], &segments[0]).unwrap();
    Wal::open(dir.path(), small()).unwrap_err();
    fs::write(&segments[0], bytes).unwrap();
    assert_eq!(contents(dir.path()).unwrap(), payloads());
}

/// G61: a program from before there were sealed segments refuses one by its version.
#[test]
fn sealed_segments_have_a_version_of_their_own() {
    let dir = sealed();
    for path in test_segments(dir.path()).iter().rev().skip(1) {
        assert_eq!(fs::read(path).unwrap()[8..10], [2, 0]);
    }
}

/// G62: whatever operation a seal is cut short at, by a kill or a power cut, the log opens
/// with all its records, and no unfinished file stays.
#[test]
fn a_crash_at_any_operation_of_a_seal_loses_nothing() {
    for seed in 0..6 {
        for count in 0.. {
            let disk = SimDisk::new(seed);
            let log = Wal::open_simulated(&disk, small()).unwrap();
            for payload in payloads() {
                let ticket = log.append(&batch(&[&payload])).unwrap();
                log.step();
                ticket.wait().unwrap();
            }
            disk.arm(count, Fault::Die);
            let outcome = log.seal_before(Seq::new(u64::MAX));
            let is_done = outcome.is_ok();
            disk.die();
            drop(log);
            if seed % 2 == 0 {
                disk.power_cut()
            } else {
                disk.kill()
            }
            let log = Wal::open_simulated(&disk, small()).unwrap();
            assert_eq!(read_from(&log, Seq::FIRST).unwrap(), payloads(), "{seed} {count}");
            assert!(!disk.names().iter().any(|name| name.ends_with(".tmp")), "{seed} {count}");
            if is_done {
                assert!(count > 10);
                assert_eq!(log.seal_before(Seq::new(u64::MAX)).unwrap(), Sealed::default());
                break;
            }
        }
    }
}

/// G62, R8: a seal that fails leaves the log as it was, unless that is not known.
#[test]
fn a_seal_that_fails_is_told_and_harms_nothing() {
    let kinds = [
        (Operation::Create, true),
        (Operation::Write, true),
        (Operation::Sync, true),
        (Operation::Rename, false),
        (Operation::SyncDir, false),
    ];
    for (operation, goes_on) in kinds {
        let dir = tempfile::tempdir().unwrap();
        let disk = Arc::new(FailingDisk::new(dir.path(), operation, io::ErrorKind::Other));
        let log = Wal::open_on(Arc::<FailingDisk>::clone(&disk) as Arc<dyn Disk>, small()).unwrap();
        append_each(&log, payloads());
        disk.arm(0);
        log.seal_before(Seq::new(20)).unwrap_err();
        assert!(disk.fired(), "{operation:?}");
        assert_eq!(read_from(&log, Seq::FIRST).unwrap(), payloads(), "{operation:?}");
        if goes_on {
            assert!(log.seal_before(Seq::new(20)).unwrap().segments > 0, "{operation:?}");
        } else {
            let error = log.seal_before(Seq::new(20)).unwrap_err();
            assert!(matches!(error, WalError::Poisoned { .. }), "{operation:?}: {error}");
        }
        drop(log);
        assert_eq!(contents(dir.path()).unwrap(), payloads(), "{operation:?}");
    }
}

/// Ends the others also when a check fails.
struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// R17, G62: readers and writers go on while segments are sealed, truncated and copied
/// under them.
#[test]
fn readers_and_writers_go_on_beside_a_seal() {
    let dir = tempfile::tempdir().unwrap();
    let log = Wal::open(dir.path(), small()).unwrap();
    append_each(&log, payloads());
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let stop = Stop(&done);
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                append_each(&log, [numbered(0, BYTES)]);
            }
        });
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                assert_eq!(read_from(&log, Seq::FIRST).unwrap()[..RECORDS], payloads());
            }
        });
        for seq in 1..=RECORDS as u64 {
            log.seal_before(Seq::new(seq)).unwrap();
        }
        drop(stop);
    });
    assert!(log.stats().sealed_segments > 2);
}

#[test]
fn a_closed_log_seals_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let log = Wal::open(dir.path(), small()).unwrap();
    append_each(&log, payloads());
    log.close().unwrap();
    let error = log.seal_before(Seq::new(20)).unwrap_err();
    assert!(matches!(error, WalError::Closed { .. }), "{error}");
}

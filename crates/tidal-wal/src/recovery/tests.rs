//! Every row of the decision table, on real files.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tidal_types::{Seq, WalError};

use super::*;
use crate::disk::RealDisk;
use crate::format::{ChainInput, GroupHeader};
use crate::testing::{append_each, batch, contents, numbered, small};
use crate::{Wal, WalOptions};

const BYTES: usize = 1500;
const RECORDS: usize = 40;

/// The segment files in `dir`, in order.
pub(crate) fn test_segments(dir: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<_> = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "seg"))
        .collect();
    paths.sort();
    paths
}

/// A log of forty records over several segments, closed.
fn written() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let log = Wal::open(dir.path(), small()).unwrap();
    append_each(&log, (0..RECORDS).map(|index| numbered(index, BYTES)));
    assert!(log.segment_count() >= 4);
    log.close().unwrap();
    dir
}

fn edit(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(path).unwrap();
    change(&mut bytes);
    fs::write(path, bytes).unwrap();
}

/// The log refuses to open, twice, and leaves every file as it was.
fn refused(dir: &Path) -> WalError {
    let before = snapshot(dir);
    let error = Wal::open(dir, small()).unwrap_err();
    assert_eq!(snapshot(dir), before, "{error}");
    let report = crate::verify(dir, &mut |_| None).unwrap();
    assert!(!report.ok(), "{error}");
    error
}

fn snapshot(dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files: Vec<_> = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.clone(), fs::read(path).unwrap()))
        .collect();
    files.sort();
    files
}

fn expect_records(dir: &Path, count: usize) {
    let expected: Vec<_> = (0..count).map(|index| numbered(index, BYTES)).collect();
    assert_eq!(contents(dir).unwrap(), expected);
}

fn last_dirty(bytes: &[u8]) -> usize {
    bytes.iter().rposition(|&byte| byte != 0).unwrap()
}

#[test]
fn row_a_nothing_there_creates_a_log() {
    let dir = tempfile::tempdir().unwrap();
    expect_records(dir.path(), 0);
    expect_records(dir.path(), 0);
}

#[test]
fn row_b_a_floor_without_segments_is_refused() {
    let dir = written();
    for path in test_segments(dir.path()) {
        fs::remove_file(path).unwrap();
    }
    let error = refused(dir.path());
    assert!(matches!(error, WalError::Missing { .. }), "{error}");
}

#[test]
fn row_c_an_interrupted_truncation_is_finished() {
    let dir = written();
    let first = test_segments(dir.path())[0].clone();
    let bytes = fs::read(&first).unwrap();
    let log = Wal::open(dir.path(), small()).unwrap();
    log.truncate_before(Seq::new(30)).unwrap();
    let first_seq = log.first_seq();
    log.close().unwrap();
    fs::write(&first, bytes).unwrap();
    let log = Wal::open(dir.path(), small()).unwrap();
    assert_eq!(log.first_seq(), first_seq);
    assert!(!first.exists());
}

/// R7
#[test]
fn row_d_a_missing_first_segment_is_refused() {
    let dir = written();
    let first = test_segments(dir.path())[0].clone();
    fs::remove_file(&first).unwrap();
    let error = refused(dir.path());
    assert!(matches!(&error, WalError::Missing { path } if *path == first), "{error}");
}

/// R5, R25
#[test]
fn row_e_a_bad_header_is_refused() {
    let dir = written();
    for path in test_segments(dir.path()) {
        edit(&path, |bytes| bytes[40] ^= 1);
        let error = refused(dir.path());
        assert!(
            matches!(&error, WalError::Damaged { path: found, .. } if *found == path),
            "{error}"
        );
        edit(&path, |bytes| {
            bytes[40] ^= 1;
            bytes[8] = 9;
            let crc = crc32c::crc32c(&bytes[..4092]);
            bytes[4092..4096].copy_from_slice(&crc.to_le_bytes());
        });
        let error = refused(dir.path());
        assert!(
            matches!(error, WalError::UnsupportedVersion { found: 9, supported: 2, .. }),
            "{error}"
        );
        edit(&path, |bytes| {
            bytes[8] = 1;
            let crc = crc32c::crc32c(&bytes[..4092]);
            bytes[4092..4096].copy_from_slice(&crc.to_le_bytes());
        });
    }
    expect_records(dir.path(), RECORDS);
}

/// R7
#[test]
fn row_f_a_segment_of_another_log_is_refused() {
    let (dir, other) = (written(), written());
    for (path, foreign) in test_segments(dir.path()).iter().zip(test_segments(other.path())) {
        let own = fs::read(path).unwrap();
        fs::copy(foreign, path).unwrap();
        let error = refused(dir.path());
        assert!(matches!(error, WalError::Foreign { .. }), "{error}");
        fs::write(path, own).unwrap();
    }
}

/// R7
#[test]
fn row_g_a_gap_and_a_missing_last_segment_are_refused() {
    let dir = written();
    let segments = test_segments(dir.path());
    for path in &segments[1..] {
        let bytes = fs::read(path).unwrap();
        fs::remove_file(path).unwrap();
        let error = refused(dir.path());
        assert!(matches!(error, WalError::Missing { .. } | WalError::Damaged { .. }), "{error}");
        fs::write(path, bytes).unwrap();
    }
}

/// R7
#[test]
fn row_h_a_cut_file_is_refused() {
    let dir = written();
    for path in test_segments(dir.path()) {
        let bytes = fs::read(&path).unwrap();
        for length in [0, 100, 4096, bytes.len() / 2, bytes.len() - 1] {
            fs::write(&path, &bytes[..length]).unwrap();
            let error = refused(dir.path());
            assert!(matches!(error, WalError::Damaged { .. }), "{length}: {error}");
        }
        fs::write(&path, &bytes).unwrap();
    }
}

/// R7
#[test]
fn row_i_swapped_segments_are_refused() {
    let dir = written();
    let segments = test_segments(dir.path());
    let (one, two) = (fs::read(&segments[1]).unwrap(), fs::read(&segments[2]).unwrap());
    fs::write(&segments[1], two).unwrap();
    fs::write(&segments[2], one).unwrap();
    let error = refused(dir.path());
    assert!(matches!(error, WalError::Damaged { .. }), "{error}");
}

/// R5
#[test]
fn rows_j_and_k_a_flipped_bit_below_what_was_synced_is_refused() {
    let dir = written();
    for path in test_segments(dir.path()) {
        let dirty = last_dirty(&fs::read(&path).unwrap());
        for offset in [4096, 4096 + 60, 4096 + 1000, dirty] {
            edit(&path, |bytes| bytes[offset] ^= 0x10);
            let error = refused(dir.path());
            let found = matches!(
                &error,
                WalError::Damaged { path: found, offset: at, .. } if *found == path && *at <= offset as u64
            );
            assert!(found, "{offset}: {error}");
            edit(&path, |bytes| bytes[offset] ^= 0x10);
        }
    }
    expect_records(dir.path(), RECORDS);
}

/// R5: without the floor file, the promise of a later group still tells.
#[test]
fn row_k_a_later_group_is_witness_enough() {
    let dir = written();
    fs::remove_file(dir.path().join("FLOOR")).unwrap();
    let last = test_segments(dir.path()).pop().unwrap();
    edit(&last, |bytes| bytes[4096 + 100] ^= 1);
    let error = refused(dir.path());
    assert!(matches!(error, WalError::Damaged { offset: 4096, .. }), "{error}");
}

#[test]
fn row_m_more_dirt_than_can_be_in_flight_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let options = || WalOptions { segment_bytes: 64 << 20, ..WalOptions::default() };
    let log = Wal::open(dir.path(), options()).unwrap();
    log.append(&batch(&[&vec![1; 1 << 20]])).unwrap().wait().unwrap();
    log.append(&batch(&[b"x"])).unwrap().wait().unwrap();
    // Segments of 1, 2, 12, 12, 16, 32 and then 64 MiB; the last holds three of
    // these batches.
    for _ in 0..8 {
        let mut large = crate::Batch::new();
        for _ in 0..3 {
            large.push(crate::RecordKind(7), &vec![1; 4 << 20]).unwrap();
        }
        log.append(&large).unwrap().wait().unwrap();
    }
    let last = test_segments(dir.path()).pop().unwrap();
    drop(log);
    fs::remove_file(dir.path().join("FLOOR")).unwrap();
    // Every group of the last segment loses its first byte: no witness is left
    // but the amount of dirt.
    edit(&last, |bytes| {
        for offset in (4096..bytes.len()).step_by(512) {
            if bytes[offset..].starts_with(b"TGRP") {
                bytes[offset] = b'?';
            }
        }
    });
    let error = refused(dir.path());
    let told = matches!(&error, WalError::Damaged { problem, .. } if problem.contains("in flight"));
    assert!(told, "{error}");
}

/// R3, R4: a torn tail is set aside and cut, and never comes back.
#[test]
fn row_n_a_torn_tail_is_cut_and_stays_away() {
    for keep_sectors in 0..4 {
        let dir = written();
        let floor = fs::read(dir.path().join("FLOOR")).unwrap();
        let last = test_segments(dir.path()).pop().unwrap();
        let end = fs::read(&last).map(|bytes| last_dirty(&bytes)).unwrap();
        let log = Wal::open(dir.path(), small()).unwrap();
        log.append(&batch(&[&numbered(100, BYTES), &numbered(101, 300)])).unwrap().wait().unwrap();
        drop(log);
        let last = test_segments(dir.path()).pop().unwrap();
        // The crash: the floor is as it was, the group lost all but some of its
        // sectors.
        fs::write(dir.path().join("FLOOR"), floor).unwrap();
        edit(&last, |bytes| {
            let start = (end + 1).next_multiple_of(512);
            assert!(bytes[start..].starts_with(b"TGRP"));
            let dirty = last_dirty(bytes);
            bytes[start + keep_sectors * 512..=dirty.max(start)].fill(0);
        });
        expect_records(dir.path(), RECORDS);
        let torn = fs::read_dir(dir.path()).unwrap().filter(|entry| {
            entry.as_ref().unwrap().path().extension().is_some_and(|extension| extension == "torn")
        });
        assert_eq!(torn.count(), usize::from(keep_sectors > 0));

        let log = Wal::open(dir.path(), small()).unwrap();
        assert_eq!(log.head().position.seq, Seq::new(RECORDS as u64));
        append_each(&log, [numbered(RECORDS, BYTES)]);
        drop(log);
        expect_records(dir.path(), RECORDS + 1);
    }
}

/// R13: what a failed sync may have left in the page cache only is written
/// again before anyone sees it.
#[test]
fn row_o_everything_above_the_floor_is_proven_again() {
    let dir = written();
    fs::remove_file(dir.path().join("FLOOR")).unwrap();
    let disk: Arc<dyn crate::disk::Disk> = Arc::new(RealDisk::existing(dir.path()));
    let found = inspect(&*disk, Seq::ZERO, &mut |_, _| ()).unwrap();
    let Decision::Open(plan) = decide(&*disk, &found) else {
        panic!("a sound log opens");
    };
    // The last group has no group behind it that promises anything about it.
    assert!(plan.proven < plan.end);
    assert_eq!(plan.end - plan.proven, 2048);
    assert_eq!(plan.torn_end, None);
    let log = Wal::open(dir.path(), small()).unwrap();
    drop(log);
    let found = inspect(&*disk, Seq::ZERO, &mut |_, _| ()).unwrap();
    let Decision::Open(plan) = decide(&*disk, &found) else {
        panic!("a sound log opens");
    };
    assert_eq!(plan.proven, plan.end, "the floor says that all of it is proven");
}

/// R24: the floor on disk is above zero after a close and never falls.
#[test]
fn the_floor_on_disk_grows_with_the_log() {
    let dir = tempfile::tempdir().unwrap();
    let mut last = 0;
    for index in 0..20 {
        let log = Wal::open(dir.path(), small()).unwrap();
        append_each(&log, [numbered(index, BYTES)]);
        log.close().unwrap();
        let floor =
            crate::format::Floor::decode_newest(&fs::read(dir.path().join("FLOOR")).unwrap());
        let synced = floor.unwrap().unwrap().synced_offset;
        assert!(synced > last, "{synced} after {last}");
        last = synced;
    }
}

#[test]
fn opening_can_leave_old_segments_to_their_readers() {
    let dir = written();
    // Without a checkpoint, opening also looks for the keys in the window.
    let log = Wal::open(dir.path(), small()).unwrap();
    log.checkpoint(Seq::new(40), b"").unwrap();
    log.close().unwrap();
    let first = test_segments(dir.path())[0].clone();
    edit(&first, |bytes| bytes[5000] ^= 1);
    let options = WalOptions { verify_from: Seq::new(35), ..small() };
    let log = Wal::open(dir.path(), options).unwrap();
    assert_eq!(crate::testing::read_from(&log, Seq::new(35)).unwrap().len(), 6);
    let old = crate::testing::read_from(&log, Seq::FIRST);
    assert!(matches!(old, Err(WalError::Damaged { .. })), "{old:?}");
}

/// R25: a whole group that says what this program does not know is refused, and
/// never cut as a torn tail. R2, R26: so is one whose number or time does not follow.
#[test]
fn row_l_what_a_newer_program_wrote_is_refused() {
    // The first number, the log time, the kind, a zero, the kind of the record.
    for (offset, value) in [(24, 99), (39, 0), (48, 3), (49, 1), (88 + 2, 16)] {
        let dir = tempfile::tempdir().unwrap();
        let log = Wal::open(dir.path(), small()).unwrap();
        append_each(&log, (0..3).map(|index| numbered(index, 100)));
        let floor = fs::read(dir.path().join("FLOOR")).unwrap();
        let previous = log.head().digest;
        append_each(&log, [numbered(3, 100)]);
        log.close().unwrap();
        // The crash: nothing says that the last group was synced.
        fs::write(dir.path().join("FLOOR"), floor).unwrap();
        let segment = test_segments(dir.path()).pop().unwrap();
        edit(&segment, |bytes| {
            let group = &mut bytes[4096 + 3 * 512..];
            let extent = GroupHeader::extent(group, 512).unwrap();
            group[offset] = value;
            let parts = ChainInput { header_fields: &group[8..56], body: &group[88..extent] };
            let digest = previous.after(parts);
            group[56..88].copy_from_slice(&digest.to_bytes());
            let crc = crc32c::crc32c(&group[8..extent]);
            group[4..8].copy_from_slice(&crc.to_le_bytes());
        });
        let error = refused(dir.path());
        let at = 4096 + 3 * 512;
        let told = matches!(&error, WalError::Damaged { offset, .. } if *offset == at);
        assert!(told, "{offset}: {error}");
    }
}

#[test]
fn row_b_a_lost_floor_without_segments_is_refused() {
    let dir = written();
    for path in test_segments(dir.path()) {
        fs::remove_file(path).unwrap();
    }
    edit(&dir.path().join("FLOOR"), |bytes| {
        bytes[50] ^= 1;
        bytes[4096 + 50] ^= 1;
    });
    let error = refused(dir.path());
    assert!(matches!(error, WalError::Missing { .. }), "{error}");
}

/// A copy of the log that went another way has the same identity, numbers and
/// nonces, and is still not this log.
#[test]
fn row_k_a_segment_of_a_diverged_copy_is_refused() {
    let (dir, copy) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let log = Wal::open(dir.path(), small()).unwrap();
    append_each(&log, [numbered(0, 100)]);
    log.close().unwrap();
    for (path, bytes) in snapshot(dir.path()) {
        fs::write(copy.path().join(path.file_name().unwrap()), bytes).unwrap();
    }
    for (dir, payload) in [(&dir, b"A"), (&copy, b"B")] {
        let log = Wal::open(dir.path(), small()).unwrap();
        append_each(&log, [payload.to_vec()]);
        log.close().unwrap();
    }
    let other = test_segments(copy.path()).pop().unwrap();
    fs::copy(&other, dir.path().join(other.file_name().unwrap())).unwrap();
    let error = refused(dir.path());
    assert!(matches!(error, WalError::Damaged { .. }), "{error}");
}

/// F3: either slot of the floor is enough after a truncation.
#[test]
fn one_rotten_slot_of_the_floor_does_not_lose_the_log() {
    for slot in 0..2 {
        let dir = written();
        let log = Wal::open(dir.path(), small()).unwrap();
        log.truncate_before(Seq::new(30)).unwrap();
        log.close().unwrap();
        edit(&dir.path().join("FLOOR"), |bytes| bytes[slot * 4096 + 50] ^= 1);
        let log = Wal::open(dir.path(), small()).unwrap();
        assert_eq!(log.head().position.seq, Seq::new(RECORDS as u64));
    }
}

/// R19: a length that nobody checked is not read.
#[test]
fn row_h_a_file_of_absurd_length_is_refused() {
    let dir = written();
    for path in test_segments(dir.path()) {
        let length = fs::metadata(&path).unwrap().len();
        let file = fs::OpenOptions::new().write(true).open(&path).unwrap();
        file.set_len(1 << 42).unwrap();
        let error = Wal::open(dir.path(), small()).unwrap_err();
        assert!(matches!(error, WalError::Damaged { .. }), "{error}");
        file.set_len(length).unwrap();
    }
    let floor = fs::OpenOptions::new().write(true).open(dir.path().join("FLOOR")).unwrap();
    floor.set_len(1 << 42).unwrap();
    drop(Wal::open(dir.path(), small()).unwrap());
    floor.set_len(8192).unwrap();
    expect_records(dir.path(), RECORDS);
}

/// R14: a recovery that was cut short while it zeroed leaves the first copy of the
/// torn bytes alone.
#[test]
fn the_copy_of_a_torn_tail_is_never_written_over() {
    let dir = tempfile::tempdir().unwrap();
    let log = Wal::open(dir.path(), small()).unwrap();
    let floor = fs::read(dir.path().join("FLOOR")).unwrap();
    append_each(&log, [numbered(0, 3000)]);
    log.close().unwrap();
    let segment = test_segments(dir.path()).pop().unwrap();
    let torn = |zeros: usize| {
        fs::write(dir.path().join("FLOOR"), &floor).unwrap();
        edit(&segment, |bytes| {
            bytes[4096 + 2000] ^= 1;
            bytes[4096..4096 + zeros].fill(0);
        });
    };
    let whole = fs::read(&segment).unwrap();
    torn(0);
    drop(Wal::open(dir.path(), small()).unwrap());
    for later in test_segments(dir.path()).into_iter().skip(1) {
        fs::remove_file(later).unwrap();
    }
    fs::write(&segment, whole).unwrap();
    torn(1024);
    drop(Wal::open(dir.path(), small()).unwrap());
    let copies: Vec<_> = snapshot(dir.path())
        .into_iter()
        .filter(|(path, _)| path.extension().is_some_and(|extension| extension == "torn"))
        .map(|(_, bytes)| bytes.starts_with(b"TGRP"))
        .collect();
    assert_eq!(copies, [true, false]);
}

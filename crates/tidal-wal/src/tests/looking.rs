//! Looking at a log that nobody has open: `inspect_log`, `dump` and `verify`.

use std::fs;
use std::ops::ControlFlow;
use std::path::Path;

use tidal_types::{Position, Seq, WalError};

use crate::disk::RealDisk;
use crate::pass::Pass;
use crate::recovery::test_segments;
use crate::testing::{append_each, numbered, small};
use crate::{DumpReport, SalvageOptions, Wal, WalOptions, dump, inspect_log, salvage, verify};

const RECORDS: usize = 40;

fn written() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let log = Wal::open(dir.path(), small()).unwrap();
    append_each(&log, (0..RECORDS).map(|index| numbered(index, 1500)));
    log.close().unwrap();
    dir
}

fn flip(path: &Path, offset: usize) {
    let mut bytes = fs::read(path).unwrap();
    bytes[offset] ^= 1;
    fs::write(path, bytes).unwrap();
}

/// The numbers of the records that a dump shows, at most `limit` of them.
fn dumped(dir: &Path, from: u64, limit: usize) -> (Vec<u64>, DumpReport) {
    let mut shown = Vec::new();
    let report = dump(dir, Seq::new(from), &mut |record| {
        assert_eq!(record.payload, numbered(record.seq.get() as usize - 1, 1500));
        shown.push(record.seq.get());
        if shown.len() == limit { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    let report = report.unwrap();
    assert_eq!(report.records, shown.len() as u64);
    (shown, report)
}

#[test]
fn a_dump_shows_records_from_any_one_on() {
    let dir = written();
    for (from, limit, first, count) in
        [(0, usize::MAX, 1, 40), (1, 3, 1, 3), (17, usize::MAX, 17, 24), (40, 9, 40, 1)]
    {
        let (shown, report) = dumped(dir.path(), from, limit);
        assert_eq!(shown, (first..first + count).collect::<Vec<_>>());
        assert_eq!((report.problem, report.torn_tail), (None, None));
    }
    assert_eq!(dumped(dir.path(), 41, 1).0, []);
    let log = Wal::open(dir.path(), small()).unwrap();
    log.truncate_before(Seq::new(30)).unwrap();
    let first = log.first_seq().get();
    assert!(first > 1);
    let error = dump(dir.path(), Seq::ZERO, &mut |_| ControlFlow::Continue(())).unwrap_err();
    assert!(matches!(error, WalError::Locked { .. }), "{error}");
    log.close().unwrap();
    assert_eq!(dumped(dir.path(), 0, 1).0, [first]);
    let error = dump(dir.path(), Seq::FIRST, &mut |_| ControlFlow::Continue(())).unwrap_err();
    assert!(matches!(error, WalError::Truncated { .. }), "{error}");
}

#[test]
fn a_stat_tells_what_the_log_says_of_itself() {
    let dir = written();
    let log = Wal::open(dir.path(), small()).unwrap();
    let (head, segments, bytes) = (log.head(), log.segment_count(), log.bytes_on_disk());
    log.close().unwrap();
    let stat = inspect_log(dir.path()).unwrap();
    assert_eq!(stat.log_id, Some(head.position.log_id));
    assert_eq!(stat.head, Some(head));
    assert_eq!(verify(dir.path(), &mut |_| None).unwrap().head, Some(head));
    assert_eq!((stat.first_seq, stat.parent), (Some(Seq::FIRST), None));
    assert_eq!((stat.segments.len(), stat.segment_bytes()), (segments, bytes));
    assert_eq!(stat.floor.unwrap().last_seq, head.position.seq);
    assert_eq!((stat.problem, stat.torn_tail, stat.set_aside.len()), (None, None, 0));
    let mut next = Seq::FIRST;
    for segment in &stat.segments {
        assert_eq!(segment.first_seq, Some(next));
        let content = segment.content.unwrap();
        assert_eq!(next.plus(content.records), content.last_seq.next());
        next = content.last_seq.next();
    }
    let nothing = tempfile::tempdir().unwrap();
    for dir in [nothing.path(), &nothing.path().join("absent")] {
        let error = inspect_log(dir).unwrap_err();
        assert!(matches!(error, WalError::Missing { .. }), "{error}");
    }
    assert!(fs::read_dir(nothing.path()).unwrap().next().is_none());
}

/// G19: damage is told, and ends what is shown; nothing is written.
#[test]
fn a_damaged_log_is_told_as_far_as_it_is_sound() {
    let dir = written();
    let path = test_segments(dir.path())[2].clone();
    let first = inspect_log(dir.path()).unwrap().segments[2].first_seq.unwrap();
    flip(&path, 4200);
    let stat = inspect_log(dir.path()).unwrap();
    let problem = stat.problem.unwrap();
    assert_eq!((&problem.path, problem.offset), (&path, 4096));
    assert_eq!(stat.head.unwrap().position.seq, first.previous());
    assert!(stat.segments[2].content.is_some() && stat.segments[3].content.is_none());
    let (shown, report) = dumped(dir.path(), 0, usize::MAX);
    assert_eq!(shown, (1..first.get()).collect::<Vec<_>>());
    assert_eq!(report.problem, Some(problem));
    assert_eq!(verify(dir.path(), &mut |_| None).unwrap().head, None);
}

#[test]
fn a_torn_tail_is_no_damage() {
    let dir = written();
    let path = test_segments(dir.path()).pop().unwrap();
    let mut bytes = fs::read(&path).unwrap();
    let end = bytes.iter().rposition(|&byte| byte != 0).unwrap() + 1;
    bytes[end.next_multiple_of(512)..][..600].fill(b'x');
    fs::write(&path, bytes).unwrap();
    for _ in 0..2 {
        let stat = inspect_log(dir.path()).unwrap();
        let (shown, report) = dumped(dir.path(), 0, usize::MAX);
        assert_eq!((shown.len(), &report.problem), (RECORDS, &None));
        assert_eq!((report.torn_tail, &stat.problem), (stat.torn_tail, &None));
    }
    Wal::open(dir.path(), small()).unwrap().close().unwrap();
    let stat = inspect_log(dir.path()).unwrap();
    assert_eq!((stat.torn_tail, stat.set_aside.len(), stat.set_aside[0].bytes), (None, 1, 1024));
}

/// G34: who expects the parent takes its child, if that took over enough.
#[test]
fn a_child_stands_for_its_parent_as_far_as_it_took_over() {
    let (from, to) = (written(), tempfile::tempdir().unwrap());
    let parent = inspect_log(from.path()).unwrap().log_id.unwrap();
    flip(&test_segments(from.path())[2], 4200);
    let report = salvage(from.path(), to.path(), &SalvageOptions::default()).unwrap();
    let taken_over = report.parent.position.seq;
    let open = |log_id, seq| {
        let continues = Some(Position { log_id, seq });
        Wal::open(to.path(), WalOptions { continues, ..small() })
    };
    for seq in [Seq::ZERO, taken_over] {
        let log = open(parent, seq).unwrap();
        assert_eq!(log.head().position.log_id, report.log_id.unwrap());
        append_each(&log, (0..10).map(|index| numbered(index, 10)));
        log.close().unwrap();
    }
    let error = open(parent, taken_over.next()).unwrap_err();
    assert!(matches!(error, WalError::TakenOverLess { .. }), "{error}");
    open(report.log_id.unwrap(), taken_over.plus(20)).unwrap();
    let stranger = tidal_types::LogId::from_bytes([9; 16]);
    let error = open(stranger, Seq::ZERO).unwrap_err();
    assert!(matches!(error, WalError::Foreign { .. }), "{error}");
}

/// A segment that cannot be read to its end is no damage, and no end of the log.
#[test]
fn what_cannot_be_read_is_told_and_not_taken_for_an_end() {
    let dir = written();
    let disk = RealDisk::existing(dir.path());
    let mut pass = Pass::begin(&disk, Seq::ZERO).unwrap();
    let first = test_segments(dir.path())[0].clone();
    fs::OpenOptions::new().write(true).open(first).unwrap().set_len(4096).unwrap();
    let error = pass.finish().unwrap_err();
    assert!(matches!(error, WalError::Io { operation: "read", .. }), "{error}");
    assert!(pass.finding().is_none(), "taken for damage");
}

use tidal_types::{Seq, WalError};

use crate::sim::SimDisk;
use crate::testing::{append_each, batch, contents, numbered, read_from, small};
use crate::{Durability, Wal, WalOptions};

/// R17: a reader begins anywhere and follows the writer over segments.
#[test]
fn a_reader_follows_the_writer() {
    let dir = tempfile::tempdir().unwrap();
    let log = Wal::open(dir.path(), small()).unwrap();
    let mut reader = log.reader(Seq::new(3));
    assert!(reader.next_record().unwrap().is_none());
    for index in 1..=60 {
        append_each(&log, [numbered(index, 1500)]);
        let record =
            reader.next_record().unwrap().map(|record| (record.seq, record.payload.to_vec()));
        let expected = (index >= 3).then(|| (Seq::new(index as u64), numbered(index, 1500)));
        assert_eq!(record, expected);
        assert!(reader.next_record().unwrap().is_none());
    }
    assert!(log.segment_count() > 3);
}

#[test]
fn a_reader_begins_in_the_middle_of_a_group() {
    let dir = tempfile::tempdir().unwrap();
    let log = Wal::open(dir.path(), small()).unwrap();
    log.append(&batch(&[b"1", b"2", b"3"])).unwrap().wait().unwrap();
    assert_eq!(read_from(&log, Seq::new(3)).unwrap(), [b"3".to_vec()]);
    assert!(read_from(&log, Seq::new(4)).unwrap().is_empty());
    assert!(read_from(&log, Seq::new(400)).unwrap().is_empty());
}

/// R17: a reader sees durable records only.
#[test]
fn what_is_only_written_is_not_read_before_a_sync() {
    let dir = tempfile::tempdir().unwrap();
    let options = WalOptions { durability: Durability::Written, ..small() };
    let log = Wal::open(dir.path(), options).unwrap();
    append_each(&log, [numbered(0, 9)]);
    log.sync().unwrap();
    assert_eq!(read_from(&log, Seq::FIRST).unwrap().len(), 1);
    assert_eq!(log.head().position.seq, Seq::FIRST);
}

/// R15, R17: truncation removes whole segments below the number, and tells a
/// reader that comes too late.
#[test]
fn truncation_removes_whole_segments_from_the_front() {
    let dir = tempfile::tempdir().unwrap();
    let log = Wal::open(dir.path(), small()).unwrap();
    let mut early = log.reader(Seq::FIRST);
    append_each(&log, (1..=60).map(|index| numbered(index, 1500)));
    assert!(early.next_record().unwrap().is_some());

    assert_eq!(log.truncate_before(Seq::FIRST).unwrap(), 0);
    let segments = log.segment_count();
    let removed = log.truncate_before(Seq::new(40)).unwrap();
    assert!(removed > 0);
    assert_eq!(log.segment_count(), segments - removed);
    let first = log.first_seq();
    assert!(first <= Seq::new(40) && first > Seq::new(20), "{first}");
    assert!(matches!(
        read_from(&log, first.previous()),
        Err(WalError::Truncated { first: found, .. }) if found == first
    ));
    let overtaken = loop {
        match early.next_record() {
            Ok(Some(_)) => {}
            other => break other.map(|record| record.is_some()),
        }
    };
    assert!(matches!(overtaken, Err(WalError::Truncated { .. })), "{overtaken:?}");

    log.close().unwrap();
    let kept: Vec<_> = (first.get()..=60).map(|index| numbered(index as usize, 1500)).collect();
    assert_eq!(contents(dir.path()).unwrap(), kept);
}

/// R15: both slots of the floor say what goes, durably, before the first segment does;
/// then the oldest goes first; then the directory is synced.
#[test]
fn truncation_removes_the_oldest_first_and_says_so_before() {
    let disk = SimDisk::new(1);
    let log = Wal::open_simulated(&disk, small()).unwrap();
    while log.segment_count() < 4 {
        let ticket = log.append(&batch(&[&numbered(0, 6000)])).unwrap();
        log.step();
        ticket.wait().unwrap();
    }
    let before = disk.trace();
    assert_eq!(log.truncate_before(Seq::new(u64::MAX)).unwrap(), 3);
    let all = disk.trace();
    let operations: Vec<_> = all.strip_prefix(&before).unwrap().lines().collect();
    let (floor, removals) = operations.split_at(4);
    for (operation, begins) in
        floor.iter().zip(["write FLOOR", "sync FLOOR", "write FLOOR", "sync FLOOR"])
    {
        assert!(operation.starts_with(begins), "{operations:?}");
    }
    let expected = [
        "remove wal-0000000000000000.seg",
        "remove wal-0000000000000001.seg",
        "remove wal-0000000000000002.seg",
        "sync directory",
    ];
    assert_eq!(removals, expected);
}

#[test]
fn verify_counts_and_asks_the_owner_about_every_record() {
    let dir = tempfile::tempdir().unwrap();
    let log = Wal::open(dir.path(), small()).unwrap();
    append_each(&log, (0..30).map(|index| numbered(index, 1500)));
    assert!(matches!(crate::verify(dir.path(), &mut |_| None), Err(WalError::Locked { .. })));
    let segments = log.segment_count() as u64;
    log.close().unwrap();
    let report = crate::verify(dir.path(), &mut |record| {
        (record.seq == Seq::new(20)).then(|| "not mine".to_owned())
    })
    .unwrap();
    assert_eq!((report.segments, report.records), (segments, 30));
    assert!(!report.ok());
    assert_eq!(report.problems[0].problem, "record 20: not mine");
    assert!(report.problems[0].path.exists());
}

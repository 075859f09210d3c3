use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll, Waker};
use std::thread;

use tidal_types::{Clock, ManualClock, Seq, Timestamp, WalError};

use crate::limits::{BATCH_BYTES_MAX, RECORD_BYTES_MAX};
use crate::testing::{append_each, batch, contents, numbered, read_from, small};
use crate::{Appended, Batch, Durability, GroupCommit, RecordKind, Ticket, Wal, WalOptions};

#[test]
fn records_come_back_in_order_after_reopening() {
    let dir = tempfile::tempdir().unwrap();
    let log = Wal::open(dir.path(), small()).unwrap();
    let appended = log.append(&batch(&[b"a", b"", b"c"])).unwrap().wait().unwrap();
    assert_eq!((appended.first, appended.last), (Seq::FIRST, Seq::new(3)));
    log.close().unwrap();
    assert_eq!(contents(dir.path()).unwrap(), [b"a".to_vec(), b"".to_vec(), b"c".to_vec()]);

    let log = Wal::open(dir.path(), small()).unwrap();
    assert_eq!(log.append(&batch(&[b"d"])).unwrap().wait().unwrap().first, Seq::new(4));
}

/// R22: numbers go on where they ended, also in an empty log.
#[test]
fn numbers_are_never_given_out_twice() {
    let dir = tempfile::tempdir().unwrap();
    for expected in 1..=20_u64 {
        let log = Wal::open(dir.path(), small()).unwrap();
        let appended = log.append(&batch(&[&numbered(0, 3000)])).unwrap().wait().unwrap();
        assert_eq!(appended.first, Seq::new(expected));
        log.truncate_before(Seq::new(u64::MAX)).unwrap();
    }
}

/// R12: a log of many segments reads as one.
#[test]
fn the_log_goes_on_in_new_segments() {
    let dir = tempfile::tempdir().unwrap();
    let payloads: Vec<_> = (0..100).map(|index| numbered(index, 1000)).collect();
    let log = Wal::open(dir.path(), small()).unwrap();
    append_each(&log, payloads.iter().cloned());
    assert!(log.segment_count() > 5, "{}", log.segment_count());
    assert_eq!(read_from(&log, Seq::FIRST).unwrap(), payloads);
    log.close().unwrap();
    assert_eq!(contents(dir.path()).unwrap(), payloads);
}

#[test]
fn a_batch_that_does_not_fit_gets_a_segment_that_holds_it() {
    let dir = tempfile::tempdir().unwrap();
    let log = Wal::open(dir.path(), small()).unwrap();
    append_each(&log, [numbered(0, 100), numbered(1, 100_000), numbered(2, 100)]);
    assert_eq!(log.segment_count(), 3);
    let lengths: Vec<_> =
        read_from(&log, Seq::FIRST).unwrap().iter().map(|payload| payload.len()).collect();
    assert_eq!(lengths, [100, 100_000, 100]);
}

#[test]
fn limits_are_errors_that_name_them() {
    let dir = tempfile::tempdir().unwrap();
    let log = Wal::open(dir.path(), small()).unwrap();
    let too_long = vec![0; RECORD_BYTES_MAX + 1];
    let mut batch = Batch::new();
    assert!(matches!(
        batch.push(RecordKind(0), &too_long),
        Err(WalError::RecordTooLarge { bytes, max: RECORD_BYTES_MAX }) if bytes == too_long.len()
    ));
    let longest = vec![0; RECORD_BYTES_MAX];
    while batch.push(RecordKind(0), &longest).is_ok() {}
    assert_eq!(batch.len(), BATCH_BYTES_MAX / RECORD_BYTES_MAX - 1);
    log.append(&batch).unwrap().wait().unwrap();
    assert!(matches!(log.append(&Batch::new()), Err(WalError::EmptyBatch)));
    let options = WalOptions { alignment: 100, ..small() };
    assert!(matches!(
        Wal::open(dir.path(), options),
        Err(WalError::InvalidOption { option: "alignment", .. })
    ));
}

/// R23
#[test]
fn a_second_open_is_refused_until_the_first_is_closed() {
    let dir = tempfile::tempdir().unwrap();
    let log = Wal::open(dir.path(), small()).unwrap();
    assert!(matches!(Wal::open(dir.path(), small()), Err(WalError::Locked { .. })));
    log.close().unwrap();
    log.close().unwrap();
    assert!(matches!(log.append(&batch(&[b"x"])), Err(WalError::Closed { .. })));
    Wal::open(dir.path(), small()).unwrap();
}

/// R18: what was appended before the end is written, waited for or not.
#[test]
fn closing_writes_everything_and_dropped_tickets_do_no_harm() {
    for durability in [Durability::Durable, Durability::Written, Durability::Buffered] {
        let dir = tempfile::tempdir().unwrap();
        let log = Wal::open(dir.path(), WalOptions { durability, ..small() }).unwrap();
        for index in 0..200 {
            drop(log.append(&batch(&[&numbered(index, 300)])).unwrap());
        }
        drop(log);
        let expected: Vec<_> = (0..200).map(|index| numbered(index, 300)).collect();
        assert_eq!(contents(dir.path()).unwrap(), expected, "{durability:?}");
    }
}

/// R2, R18: threads that share the log get numbers that match their records.
#[test]
fn concurrent_appends_are_all_there_under_their_numbers() {
    let dir = tempfile::tempdir().unwrap();
    let log = Arc::new(Wal::open(dir.path(), small()).unwrap());
    let threads: Vec<_> = (0..8)
        .map(|thread| {
            let log = Arc::clone(&log);
            thread::spawn(move || {
                let mut appended = Vec::new();
                for index in 0..50 {
                    let payload = numbered(thread * 1000 + index, 50);
                    let ticket = log.append(&batch(&[&payload, &payload])).unwrap();
                    appended.push((ticket.wait().unwrap(), payload));
                }
                appended
            })
        })
        .collect();
    let appended: Vec<_> = threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
    let payloads = read_from(&log, Seq::FIRST).unwrap();
    assert_eq!(payloads.len(), 8 * 50 * 2);
    for (numbers, payload) in appended {
        for seq in [numbers.first, numbers.last] {
            assert_eq!(payloads[seq.get() as usize - 1], payload);
        }
    }
}

/// A segment that was begun for one group in flight is not written on with more:
/// what a power cut could leave of them would be refused as damage.
#[test]
fn a_weaker_durability_begins_a_segment_of_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let options = |durability| WalOptions { durability, ..small() };
    let segments = [
        (Durability::Durable, 1),
        (Durability::Written, 2),
        (Durability::Buffered, 2),
        (Durability::Durable, 2),
    ];
    for (durability, expected) in segments {
        let log = Wal::open(dir.path(), options(durability)).unwrap();
        append_each(&log, [numbered(0, 9)]);
        assert_eq!(log.segment_count(), expected, "{durability:?}");
    }
}

#[test]
fn a_ticket_can_be_awaited() {
    let dir = tempfile::tempdir().unwrap();
    let log = Wal::open(dir.path(), small()).unwrap();
    let mut ticket = log.append(&batch(&[b"x"])).unwrap();
    log.sync().unwrap();
    let mut context = Context::from_waker(Waker::noop());
    let polled = Pin::new(&mut ticket).poll(&mut context);
    assert!(matches!(polled, Poll::Ready(Ok(Appended { first: Seq::FIRST, .. }))), "{polled:?}");
}

#[test]
fn a_group_can_be_collected_for_a_while() {
    let dir = tempfile::tempdir().unwrap();
    // Only the number of records ends the wait: the delay is beyond any test.
    let group_commit = GroupCommit {
        max_records: 100,
        max_bytes: usize::MAX,
        max_delay: std::time::Duration::from_secs(3600),
    };
    let log = Wal::open(dir.path(), WalOptions { group_commit, ..small() }).unwrap();
    let tickets: Vec<_> =
        (0..100).map(|index| log.append(&batch(&[&numbered(index, 4)])).unwrap()).collect();
    for ticket in tickets {
        ticket.wait().unwrap();
    }
    drop(log);
    let report = crate::verify(dir.path(), &mut |_| None).unwrap();
    assert_eq!((report.groups, report.records), (1, 100));
}

/// R18: the writer that already collects is woken by what ends its wait.
#[test]
fn the_last_batch_of_a_group_wakes_the_writer() {
    let dir = tempfile::tempdir().unwrap();
    let group_commit = GroupCommit {
        max_records: 2,
        max_bytes: usize::MAX,
        max_delay: std::time::Duration::from_secs(3600),
    };
    let log = Wal::open(dir.path(), WalOptions { group_commit, ..small() }).unwrap();
    for _ in 0..20 {
        let first = log.append(&batch(&[b"first"])).unwrap();
        // So that most often the writer waits for more when more comes.
        (0..1000).for_each(|_| thread::yield_now());
        log.append(&batch(&[b"second"])).unwrap().wait().unwrap();
        first.wait().unwrap();
    }
}

/// R2: what a longer segment held is not taken for a part of a shorter one.
#[test]
fn a_log_opens_whose_segments_become_shorter() {
    let dir = tempfile::tempdir().unwrap();
    let payloads = [vec![1; 60 << 10], vec![2; 9 << 10], vec![3; 9 << 10]];
    let log = Wal::open(dir.path(), small()).unwrap();
    append_each(&log, payloads.iter().cloned());
    assert_eq!(log.segment_count(), 4);
    log.close().unwrap();
    let report = crate::verify(dir.path(), &mut |_| None).unwrap();
    assert_eq!((report.records, report.torn_tail), (3, None));
    assert_eq!(contents(dir.path()).unwrap(), payloads);
}

/// R26: log times never go back, whatever the clock does.
#[test]
fn log_times_never_go_back() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::new(Timestamp::from_secs(1000)));
    let options = || WalOptions { clock: Arc::<ManualClock>::clone(&clock), ..small() };
    let log = Wal::open(dir.path(), options()).unwrap();
    append_each(&log, [numbered(0, 9)]);
    clock.set(Timestamp::from_secs(500));
    append_each(&log, [numbered(1, 9)]);
    drop(log);
    let log = Wal::open(dir.path(), options()).unwrap();
    append_each(&log, [numbered(2, 9)]);
    clock.set(Timestamp::from_secs(2000));
    append_each(&log, [numbered(3, 9)]);
    let mut reader = log.reader(Seq::FIRST);
    let mut times = Vec::new();
    while let Some(record) = reader.next_record().unwrap() {
        times.push(record.log_time.as_secs());
    }
    assert_eq!(times, [1000, 1000, 1000, 2000]);
}

/// Two logs with the same records have different identities and digests, and a
/// log keeps both when it is reopened.
#[test]
fn the_head_names_the_log_and_its_contents() {
    let dirs = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let heads = dirs.each_ref().map(|dir| {
        let log = Wal::open(dir.path(), small()).unwrap();
        append_each(&log, [numbered(0, 9)]);
        let head = log.head();
        log.close().unwrap();
        assert_eq!(Wal::open(dir.path(), small()).unwrap().head(), head);
        head
    });
    assert_eq!(heads[0].position.seq, heads[1].position.seq);
    assert_ne!(heads[0].position.log_id, heads[1].position.log_id);
    assert_ne!(heads[0].digest, heads[1].digest);
}

/// Segments double up to the size that was asked for, and stay there.
#[test]
fn segments_grow_and_then_keep_their_size() {
    let dir = tempfile::tempdir().unwrap();
    let options = WalOptions { segment_bytes: 20_001, ..small() };
    let log = Wal::open(dir.path(), options).unwrap();
    let mut index = 0;
    while log.segment_count() < 70 {
        append_each(&log, [numbered(index, 7000)]);
        index += 1;
    }
    log.close().unwrap();
    for path in crate::recovery::test_segments(dir.path()) {
        // Rounded up to whole blocks.
        assert_eq!(std::fs::metadata(path).unwrap().len(), 20_480);
    }
    assert_eq!(contents(dir.path()).unwrap().len(), index);
}

/// R23: whoever closes second waits for the first, and the lock is free only when
/// nobody writes any more.
#[test]
fn closing_twice_at_once_keeps_the_lock_until_the_writer_is_done() {
    let dir = tempfile::tempdir().unwrap();
    let log = WalOptions { durability: Durability::Buffered, ..small() };
    let log = Arc::new(Wal::open(dir.path(), log).unwrap());
    for index in 0..500 {
        drop(log.append(&batch(&[&numbered(index, 12_000)])).unwrap());
    }
    let closers: Vec<_> = (0..3)
        .map(|_| {
            let log = Arc::clone(&log);
            thread::spawn(move || log.close().unwrap())
        })
        .collect();
    log.close().unwrap();
    let again = Wal::open(dir.path(), small()).unwrap();
    assert_eq!(again.head().position.seq, Seq::new(500));
    closers.into_iter().for_each(|closer| closer.join().unwrap());
}

/// A closed handle touches nothing: the files may be someone else's.
#[test]
fn a_closed_log_is_not_truncated() {
    let dir = tempfile::tempdir().unwrap();
    let log = Wal::open(dir.path(), small()).unwrap();
    append_each(&log, (0..40).map(|index| numbered(index, 1500)));
    log.close().unwrap();
    let owner = Wal::open(dir.path(), small()).unwrap();
    assert!(matches!(log.truncate_before(Seq::new(30)), Err(WalError::Closed { .. })));
    assert_eq!(read_from(&owner, Seq::FIRST).unwrap().len(), 40);
}

/// A clock that panics when it is read for the n-th time.
#[derive(Debug)]
struct PanickingClock(AtomicU32);

impl Clock for PanickingClock {
    fn now(&self) -> Timestamp {
        assert!(self.0.fetch_sub(1, Ordering::SeqCst) > 0, "the clock is broken");
        Timestamp::from_secs(1)
    }
}

/// R18: a writer that panics leaves nobody waiting.
#[test]
fn a_panic_of_the_writer_is_told_to_everyone() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Arc::new(PanickingClock(AtomicU32::new(3)));
    let log = Wal::open(dir.path(), WalOptions { clock, ..small() }).unwrap();
    let mut told = 0;
    for index in 0..100 {
        match log.append(&batch(&[&numbered(index, 9)])).map(Ticket::wait) {
            Ok(Ok(_)) => assert_eq!(told, 0),
            Ok(Err(WalError::Indeterminate { .. })) | Err(WalError::Poisoned { .. }) => told += 1,
            other => panic!("{other:?}"),
        }
    }
    assert!(told > 90, "{told}");
    assert!(log.close().is_err());
    drop(log);
    assert_eq!(contents(dir.path()).unwrap().len(), 100 - told);
}

//! Copies of a log that is open, and logs that are taken over.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use tidal_types::{ManualClock, Position, Seq, Timestamp, WalError};

use crate::disk::{Disk, DiskFile, RealDisk};
use crate::names;
use crate::testing::{append_each, batch, contents, numbered, read_from, small};
use crate::{Head, SalvageOptions, Wal, WalOptions, inspect_log, take_over, verify};

const OPTIONS: SalvageOptions = SalvageOptions { segment_bytes: 16 << 10 };

fn payloads(count: usize) -> Vec<Vec<u8>> {
    (0..count).map(|index| numbered(index, 1500)).collect()
}

/// Ends the writers also when a check fails.
struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// G54: a copy has everything that was answered before it began, and no more than was
/// ever appended, whoever writes meanwhile.
#[test]
fn a_copy_beside_writers_is_a_prefix() {
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let log = Wal::open(from.path(), small()).unwrap();
    append_each(&log, payloads(20));
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let stopped = Stop(&stop);
        for _ in 0..2 {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    log.append(&batch(&[&[7; 900], &[8; 900]])).unwrap().wait().unwrap();
                }
            });
        }
        let copied: Vec<_> = (0..5)
            .map(|round| {
                let dest = to.path().join(round.to_string());
                let answered = log.head().position.seq;
                let hold = log.hold().unwrap();
                let copy = log.copy_to(&hold, Seq::FIRST, &dest).unwrap();
                assert!(copy.head.position.seq >= answered);
                (dest, copy)
            })
            .collect();
        drop(stopped);
        for (dest, copy) in copied {
            assert_eq!(inspect_log(&dest).unwrap().head, Some(copy.head));
            assert!(verify(&dest, &mut |_| None).unwrap().ok());
            let found = contents(&dest).unwrap();
            assert_eq!(found.len() as u64, copy.head.position.seq.get());
            let all = read_from(&log, Seq::FIRST).unwrap();
            assert_eq!(found, all[..found.len()]);
        }
    });
}

/// A directory that has something done before a file is opened to be read.
struct HookedDisk {
    real: RealDisk,
    hook: Mutex<Option<(String, Hook)>>,
}

type Hook = Box<dyn FnOnce() + Send>;

impl fmt::Debug for HookedDisk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HookedDisk").finish_non_exhaustive()
    }
}

impl Disk for HookedDisk {
    fn path(&self, name: &str) -> PathBuf {
        self.real.path(name)
    }

    fn list(&self) -> io::Result<Vec<String>> {
        self.real.list()
    }

    fn create(&self, name: &str, bytes: u64) -> io::Result<Arc<dyn DiskFile>> {
        self.real.create(name, bytes)
    }

    fn open_read(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        let hook = self.hook.lock().unwrap().take_if(|(at, _)| at == name);
        if let Some((_, hook)) = hook {
            hook();
        }
        self.real.open_read(name)
    }

    fn open_write(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        self.real.open_write(name)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.real.rename(from, to)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.real.remove(name)
    }

    fn sync_dir(&self) -> io::Result<()> {
        self.real.sync_dir()
    }

    fn random_u64(&self) -> io::Result<u64> {
        self.real.random_u64()
    }
}

/// G54: whatever is appended, sealed or redacted once a copy has begun, it is a prefix that
/// opens, also when what was the last segment is sealed with records that came later.
#[test]
fn a_copy_is_a_prefix_whatever_is_sealed_meanwhile() {
    for (later, segment) in [(0, 0), (0, 4), (1, 0), (1, 4), (40, 0), (40, 4)] {
        let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let real = RealDisk::create(from.path()).unwrap();
        let disk = Arc::new(HookedDisk { real, hook: Mutex::default() });
        let log = Wal::open_on(Arc::<HookedDisk>::clone(&disk) as Arc<dyn Disk>, small()).unwrap();
        let log = Arc::new(log);
        append_each(&log, payloads(30));
        assert_eq!(log.segment_count(), 5);
        let hooked = Arc::clone(&log);
        let hook: Hook = Box::new(move || {
            append_each(&hooked, payloads(later));
            hooked.rotate().unwrap();
            assert!(hooked.seal_before(Seq::new(u64::MAX)).unwrap().segments >= 5);
        });
        let name = log.shared().segments().between(Seq::FIRST, u64::MAX)[segment].number;
        *disk.hook.lock().unwrap() = Some((names::segment(name), hook));
        let hold = log.hold().unwrap();
        let copy = log.copy_to(&hold, Seq::FIRST, to.path()).unwrap();
        assert!(disk.hook.lock().unwrap().is_none(), "nothing was sealed meanwhile");
        let all = read_from(&log, Seq::FIRST).unwrap();
        let found = contents(to.path()).unwrap();
        assert!(found.len() >= 30 && found.len() as u64 == copy.head.position.seq.get());
        assert_eq!(found, all[..found.len()]);
    }
}

/// G54: truncation waits for a hold, and for no longer.
#[test]
fn a_hold_keeps_truncation_back() {
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let log = Wal::open(from.path(), small()).unwrap();
    append_each(&log, payloads(40));
    let head = log.head().position.seq;
    let (one, other) = (log.hold().unwrap(), log.hold().unwrap());
    assert_eq!(log.truncate_before(head).unwrap(), 0);
    drop(one);
    assert_eq!(log.truncate_before(head).unwrap(), 0);
    let copy = log.copy_to(&other, Seq::new(20), to.path()).unwrap();
    assert!(copy.first_seq > Seq::FIRST && copy.first_seq <= Seq::new(20));
    drop(other);
    assert!(log.truncate_before(head).unwrap() > 0);
    assert_eq!(contents(to.path()).unwrap().last(), payloads(40).last());
    let hold = log.hold().unwrap();
    let again = to.path().join("again");
    let error = log.copy_to(&hold, Seq::FIRST, &again).unwrap_err();
    assert!(matches!(error, WalError::Truncated { .. }), "{error}");
    let error = log.copy_to(&hold, head, to.path()).unwrap_err();
    assert!(matches!(error, WalError::NotEmpty { .. }), "{error}");
    log.close().unwrap();
    let error = log.hold().unwrap_err();
    assert!(matches!(error, WalError::Closed { .. }), "{error}");
}

/// A copy of what is only in the queue, and of nothing.
#[test]
fn a_copy_has_what_is_appended_and_not_yet_written() {
    for count in [0, 1] {
        let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let options = WalOptions { durability: crate::Durability::Buffered, ..small() };
        let log = Wal::open(from.path(), options).unwrap();
        for payload in payloads(count) {
            drop(log.append(&batch(&[&payload])).unwrap());
        }
        let hold = log.hold().unwrap();
        log.copy_to(&hold, Seq::FIRST, to.path()).unwrap();
        assert_eq!(contents(to.path()).unwrap(), payloads(count));
    }
}

/// A closed log whose n-th group has the record n and the log time 1000 + n, with its
/// head behind each group.
fn timed(dir: &Path) -> Vec<Head> {
    let clock = Arc::new(ManualClock::new(Timestamp::from_secs(1000)));
    let options = WalOptions { clock: Arc::<ManualClock>::clone(&clock), ..small() };
    let log = Wal::open(dir, options).unwrap();
    let mut heads = vec![log.head()];
    for (index, payload) in payloads(30).into_iter().enumerate() {
        clock.set(Timestamp::from_secs(1001 + index as u64));
        append_each(&log, [payload]);
        heads.push(log.head());
    }
    assert!(log.segment_count() >= 3);
    log.close().unwrap();
    heads
}

/// G55: a log is taken over up to any time of it, and names where it came from.
#[test]
fn a_log_is_taken_over_up_to_a_time() {
    let from = tempfile::tempdir().unwrap();
    let heads = timed(from.path());
    for last in [1, 2, 9, 15, 29, 30] {
        let to = tempfile::tempdir().unwrap();
        // Half a second behind the record, before the next one.
        let until =
            Timestamp::from_nanos(Timestamp::from_secs(1000 + last).as_nanos() + 500_000_000);
        let until = (last < 30).then_some(until);
        let taken = take_over(from.path(), to.path(), until, Seq::FIRST, &OPTIONS).unwrap();
        let head = heads[last as usize];
        assert_eq!((taken.parent.position, taken.parent.digest), (head.position, head.digest));
        assert_eq!(
            (taken.records, taken.log_time),
            (last, Some(Timestamp::from_secs(1000 + last)))
        );
        assert_ne!(taken.log_id, head.position.log_id);
        // Whoever knows the other log by that record is at home here.
        let log = Wal::open(to.path(), WalOptions { continues: Some(head.position), ..small() });
        let log = log.unwrap();
        assert_eq!(log.parent(), Some(taken.parent));
        assert_eq!(read_from(&log, Seq::FIRST).unwrap(), payloads(last as usize));
        append_each(&log, [b"on".to_vec()]);
        assert_eq!(log.head().position, Position { log_id: taken.log_id, seq: Seq::new(last + 1) });
    }
}

/// G55: no time before what has to be there.
#[test]
fn a_time_that_leaves_out_too_much_is_refused() {
    let from = tempfile::tempdir().unwrap();
    timed(from.path());
    let to = from.path().join("to");
    let error =
        take_over(from.path(), &to, Some(Timestamp::from_secs(1009)), Seq::new(10), &OPTIONS)
            .unwrap_err();
    let expected = Timestamp::from_secs(1010);
    assert!(
        matches!(error, WalError::BeforeBackup { earliest, .. } if earliest == expected),
        "{error}"
    );
    assert!(!to.exists());
    let until = Some(expected);
    take_over(from.path(), &to, until, Seq::new(10), &OPTIONS).unwrap();
    let error = take_over(from.path(), &to, until, Seq::new(10), &OPTIONS).unwrap_err();
    assert!(matches!(error, WalError::NotEmpty { .. }), "{error}");
    let error = take_over(from.path(), &from.path().join("other"), None, Seq::new(31), &OPTIONS)
        .unwrap_err();
    assert!(matches!(error, WalError::EndsEarly { .. }), "{error}");
}

/// Damage is told, also behind the time that was asked for.
#[test]
fn a_damaged_log_is_not_taken_over() {
    let from = tempfile::tempdir().unwrap();
    timed(from.path());
    let last = inspect_log(from.path()).unwrap().segments.pop().unwrap().path;
    let mut bytes = fs::read(&last).unwrap();
    bytes[4200] ^= 1;
    fs::write(&last, bytes).unwrap();
    let to = tempfile::tempdir().unwrap();
    let until = Some(Timestamp::from_secs(1002));
    let error = take_over(from.path(), to.path(), until, Seq::ZERO, &OPTIONS).unwrap_err();
    assert!(matches!(error, WalError::Damaged { .. }), "{error}");
    assert!(fs::read_dir(to.path()).unwrap().next().is_none());
}

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use tidal_types::{DedupKey, ManualClock, Producer, ProducerId};

use super::*;
use crate::recovery::test_segments;
use crate::sim::{Fault, SimDisk};
use crate::testing::{contents, numbered, read_from, small};
use crate::{Batch, Digest, Durability, Outcome, Record, RecordKind, Wal, inspect_log, verify};

const BYTES: usize = 1500;
const GROUPS: usize = 20;

/// A group as a log holds it: first seq, log time, and the bytes of its records.
type Group = (Seq, Timestamp, Vec<u8>);

/// Groups of one to three records of several kinds, every third with a producer.
fn fill(log: &Wal, clock: &ManualClock, append: &dyn Fn(&Wal, &Batch)) {
    for index in 0..GROUPS {
        clock.set(Timestamp::from_secs(1000 + index as u64));
        let mut batch = Batch::new();
        for part in 0..=index % 3 {
            let payload = numbered(index * 10 + part, BYTES);
            if index % 3 == 0 {
                let id = ProducerId::from_bytes([5; 16]);
                let producer = Producer { id, epoch: 1, seq: index as u64 };
                batch.push_from(producer, RecordKind(7), &payload).unwrap();
            } else {
                batch.push(RecordKind(7), &payload).unwrap();
            }
        }
        append(log, &batch);
    }
}

fn with_clock() -> (Arc<ManualClock>, WalOptions) {
    let clock = Arc::new(ManualClock::new(Timestamp::from_secs(1000)));
    let options = WalOptions { clock: Arc::<ManualClock>::clone(&clock), ..small() };
    (clock, options)
}

/// A closed log over several segments, truncated before a record if one is named.
fn written(truncate: Option<u64>) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let (clock, options) = with_clock();
    let log = Wal::open(dir.path(), options).unwrap();
    fill(&log, &clock, &|log, batch| {
        log.append(batch).unwrap().wait().unwrap();
    });
    if let Some(seq) = truncate {
        assert!(log.truncate_before(Seq::new(seq)).unwrap() > 0);
    }
    assert!(log.segment_count() >= 3);
    log.close().unwrap();
    dir
}

/// Every group with records, as far as the log is sound.
fn groups(disk: &dyn Disk) -> Vec<Group> {
    let mut groups = Vec::new();
    let mut pass = Pass::begin(disk, Seq::ZERO).unwrap();
    while let Some(mut walk) = pass.enter().unwrap() {
        while let Some(group) = pass.group(&mut walk, &mut |_, _| ()) {
            if group.header.record_count > 0 {
                groups.push((group.header.first_seq, group.header.log_time, group.body().to_vec()));
            }
        }
        pass.leave(walk);
    }
    groups
}

fn groups_in(dir: &Path) -> Vec<Group> {
    groups(&RealDisk::existing(dir))
}

/// Every file with what it holds and when it was last written.
fn snapshot(dir: &Path) -> Vec<(PathBuf, Vec<u8>, SystemTime)> {
    let entries = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = entries
        .map(|path| {
            let modified = fs::metadata(&path).unwrap().modified().unwrap();
            (path.clone(), fs::read(&path).unwrap(), modified)
        })
        .collect();
    files.sort();
    files
}

fn flip(path: &Path, offset: u64) {
    let mut bytes = fs::read(path).unwrap();
    bytes[usize::try_from(offset).unwrap()] ^= 1;
    fs::write(path, bytes).unwrap();
}

/// Salvages into a directory beside nothing else, and checks what always holds.
fn salvaged(from: &Path) -> (tempfile::TempDir, SalvageReport) {
    let (before, sound) = (snapshot(from), groups_in(from));
    let to = tempfile::tempdir().unwrap();
    let options = SalvageOptions { segment_bytes: 16 << 10 };
    let surveyed = survey(from).unwrap();
    let report = salvage(from, to.path(), &options).unwrap();
    assert_eq!(snapshot(from), before);
    assert_eq!(surveyed, SalvageReport { log_id: None, ..report.clone() });
    assert_eq!(groups_in(to.path()), sound);
    assert_eq!(report.groups, sound.len() as u64);
    let verified = verify(to.path(), &mut |_| None).unwrap();
    assert!(verified.ok() && verified.torn_tail.is_none(), "{verified:?}");
    assert_eq!(verified.records, report.records);
    assert_eq!(inspect_log(to.path()).unwrap().parent, Some(report.parent));
    (to, report)
}

/// G33: wherever below the floor a byte is flipped, everything before it is taken over
/// as it was, and nothing else.
#[test]
fn everything_before_the_damage_is_taken_over() {
    let good = written(None);
    let all = groups_in(good.path());
    let stat = inspect_log(good.path()).unwrap();
    let parent_id = stat.log_id.unwrap();
    for (index, segment) in test_segments(good.path()).iter().enumerate() {
        let used = stat.segments[index].content.unwrap().bytes;
        for offset in (4096..4096 + used).step_by(1700) {
            let path = good.path().join(segment.file_name().unwrap());
            flip(&path, offset);
            let refused = Wal::open(good.path(), small());
            if refused.is_ok() {
                // The padding behind a group.
                flip(&path, offset);
                continue;
            }
            let (to, report) = salvaged(good.path());
            let kept = report.groups as usize;
            assert!(kept < all.len());
            assert_eq!(groups_in(to.path()), all[..kept]);
            assert_eq!(report.damage.path, path);
            assert!(report.damage.offset <= offset && offset - report.damage.offset < 5120);
            let last = all[kept].0.previous();
            assert_eq!(report.parent.position, Position { log_id: parent_id, seq: last });
            assert_eq!(report.lost.known, Some((last.next(), Seq::new(39))));
            // One group at most is out of reach.
            let readable = (all.len() - kept - 1) as u64;
            assert_eq!(report.lost.readable_groups, readable, "{report:?}");
            assert_eq!(report.lost.readable.len(), usize::from(readable > 0));
            flip(&path, offset);
        }
    }
    assert_eq!(contents(good.path()).unwrap().len(), 39);
}

/// G34: a salvaged log is a log: it goes on where it ends, names its parent in every
/// segment, and is truncated, read and opened like any other.
#[test]
fn a_salvaged_log_goes_on() {
    let from = written(None);
    flip(&test_segments(from.path())[2], 4200);
    let (to, report) = salvaged(from.path());
    let last = report.parent.position.seq;
    let log = Wal::open(to.path(), small()).unwrap();
    assert_eq!(log.parent(), Some(report.parent));
    assert_eq!(log.head().position, Position { log_id: report.log_id.unwrap(), seq: last });
    for index in 0..20 {
        let mut batch = Batch::new();
        batch.push(RecordKind(7), &numbered(index, BYTES)).unwrap();
        let appended = log.append(&batch).unwrap().wait().unwrap();
        assert_eq!(appended.first, last.plus(index as u64 + 1));
    }
    assert!(log.truncate_before(Seq::new(10)).unwrap() > 0);
    let first = log.first_seq();
    assert!(first > Seq::FIRST);
    let count = read_from(&log, first).unwrap().len() as u64;
    assert_eq!(first.plus(count), last.plus(21));
    log.close().unwrap();
    let log = Wal::open(to.path(), small()).unwrap();
    assert_eq!((log.parent(), log.first_seq()), (Some(report.parent), first));
}

/// G34: also where the parent begins behind record 1.
#[test]
fn a_truncated_log_is_salvaged_from_its_first_segment() {
    let from = written(Some(20));
    let all = groups_in(from.path());
    let first = all[0].0;
    assert!(first > Seq::FIRST);
    flip(test_segments(from.path()).last().unwrap(), 4200);
    let (to, report) = salvaged(from.path());
    assert_eq!(report.first_seq, first);
    let log = Wal::open(to.path(), small()).unwrap();
    assert_eq!(log.first_seq(), first);
    assert_eq!(read_from(&log, first).unwrap().len() as u64, report.records);
    let error = read_from(&log, Seq::FIRST).unwrap_err();
    assert!(matches!(error, WalError::Truncated { .. }), "{error}");
}

/// G34: a log that was salvaged is salvaged like any other, down to nothing.
#[test]
fn a_salvaged_log_is_salvaged_again() {
    let from = written(None);
    flip(&test_segments(from.path())[2], 4200);
    let (child, first) = salvaged(from.path());
    flip(&test_segments(child.path())[1], 4200);
    let (grandchild, second) = salvaged(child.path());
    assert_eq!(Some(second.parent.position.log_id), first.log_id);
    assert!(second.records > 0 && second.records < first.records);
    flip(&test_segments(grandchild.path())[0], 4200);
    let (empty, third) = salvaged(grandchild.path());
    assert_eq!((third.records, third.parent.position.seq), (0, Seq::ZERO));
    let log = Wal::open(empty.path(), small()).unwrap();
    assert_eq!(log.head().position.seq, Seq::ZERO);
    assert_eq!(log.parent(), Some(third.parent));
}

/// Files that are gone, cut short or too long end a log where they do.
#[test]
fn whole_files_may_be_damaged() {
    let good = written(None);
    let all = groups_in(good.path());
    let begins = |segment: usize| {
        let stat = inspect_log(good.path()).unwrap();
        stat.segments[segment].first_seq.unwrap()
    };
    let second = begins(2);
    let path = test_segments(good.path())[1].clone();
    let bytes = fs::read(&path).unwrap();
    for (damaged, expected) in [
        (None, begins(1)),
        (Some(bytes[..4096].to_vec()), begins(1)),
        (Some(bytes[..bytes.len() - 512].to_vec()), second),
        (Some([bytes.as_slice(), &[1; 512]].concat()), second),
        (Some([&[0; 4096], &bytes[4096..]].concat()), begins(1)),
    ] {
        match damaged {
            Some(bytes) => fs::write(&path, bytes).unwrap(),
            None => fs::remove_file(&path).unwrap(),
        }
        Wal::open(good.path(), small()).unwrap_err();
        let (_to, report) = salvaged(good.path());
        assert_eq!(report.parent.position.seq, expected.previous());
        assert_eq!(report.lost.known, Some((expected, Seq::new(39))));
        let readable = report.lost.readable.last().unwrap();
        assert_eq!(readable.1, Seq::new(39), "{report:?}");
        fs::write(&path, &bytes).unwrap();
    }
    assert_eq!(groups_in(good.path()), all);
}

#[test]
fn what_is_no_damaged_log_is_not_salvaged() {
    let from = written(None);
    let to = tempfile::tempdir().unwrap();
    let target = to.path().join("new");
    let options = SalvageOptions::default();
    let error = salvage(from.path(), &target, &options).unwrap_err();
    assert!(matches!(error, WalError::Sound { .. }), "{error}");
    assert!(!target.exists());
    let log = Wal::open(from.path(), small()).unwrap();
    let error = salvage(from.path(), &target, &options).unwrap_err();
    assert!(matches!(error, WalError::Locked { .. }), "{error}");
    log.close().unwrap();
    flip(&test_segments(from.path())[1], 4200);
    fs::write(to.path().join("mine"), b"precious").unwrap();
    let error = salvage(from.path(), to.path(), &options).unwrap_err();
    assert!(matches!(error, WalError::NotEmpty { .. }), "{error}");
    let inside = from.path().join("new");
    let error = salvage(from.path(), &inside, &options).unwrap_err();
    assert!(matches!(error, WalError::InvalidOption { .. }), "{error}");
    // Without the header of its first segment a log has no beginning.
    flip(&test_segments(from.path())[0], 100);
    let error = salvage(from.path(), &target, &options).unwrap_err();
    assert!(matches!(error, WalError::Damaged { .. }), "{error}");
    assert!(!target.exists());
    assert_eq!(fs::read_dir(to.path()).unwrap().count(), 1);
}

/// A damaged log on a simulated disk.
fn damaged() -> SimDisk {
    let disk = SimDisk::new(1);
    let (clock, options) = with_clock();
    let log = Wal::open_simulated(&disk, options).unwrap();
    fill(&log, &clock, &|log, batch| {
        let ticket = log.append(batch).unwrap();
        log.step();
        ticket.wait().unwrap();
    });
    log.checkpoint(Seq::new(3), b"state").unwrap();
    drop(log.cursor("feed").unwrap());
    log.close().unwrap();
    let name = names::segment(SegmentNumber::new(2));
    let mut bytes = disk.durable(&name).unwrap();
    bytes[4200] ^= 1;
    disk.put(&name, &bytes);
    disk
}

fn salvage_on(from: &SimDisk, to: &SimDisk) -> Result<SalvageReport, WalError> {
    let options = SalvageOptions { segment_bytes: 16 << 10 };
    copy(from, Arc::new(to.clone()), survey_on(from)?, &options)
}

/// G37: the whole log is there, with what belongs to it beside the segments.
fn expect_whole(log: Wal, to: &SimDisk, sound: &[Group]) {
    assert_eq!(log.owner_state().unwrap().map(|state| state.state), Some(b"state".to_vec()));
    assert_eq!(log.cursors().len(), 1);
    drop(log);
    assert_eq!(groups(to), sound);
}

/// G35: a salvage that is cut short at any operation leaves nothing that opens with a
/// record in it, and one that returned survives.
#[test]
fn a_salvage_that_is_cut_short_leaves_no_log() {
    let from = damaged();
    let sound = groups(&from);
    let before: Vec<_> = from.names().into_iter().map(|name| from.durable(&name)).collect();
    let (mut refused, mut created, mut whole) = (0, 0, 0);
    for seed in 0..6 {
        for count in 0.. {
            let to = SimDisk::new(seed);
            to.arm(count, Fault::Die);
            let outcome = salvage_on(&from, &to);
            to.power_cut();
            let names = to.names();
            let has_floor = names.iter().any(|name| name == names::FLOOR);
            let opened = Wal::open_simulated(&to, small());
            match (&outcome, opened) {
                (Ok(report), Ok(log)) => {
                    assert_eq!(log.parent(), Some(report.parent));
                    expect_whole(log, &to, &sound);
                    whole += 1;
                    break;
                }
                // The last sync may have come to its end.
                (Err(_), Ok(log)) if log.parent().is_some() => {
                    expect_whole(log, &to, &sound);
                }
                (Err(_), Ok(log)) => {
                    assert_eq!(log.head().position.seq, Seq::ZERO);
                    assert!(!has_floor, "{names:?}");
                    created += 1;
                }
                (Err(_), Err(error)) => {
                    assert!(
                        matches!(error, WalError::Missing { .. } | WalError::Damaged { .. }),
                        "{error}"
                    );
                    refused += 1;
                }
                (Ok(_), Err(error)) => panic!("{error}"),
            }
        }
    }
    assert_eq!(whole, 6);
    // Only the first few operations can leave a directory as good as empty.
    assert!((1..=4 * 6).contains(&created) && refused > 100, "{created} {refused}");
    let after: Vec<_> = from.names().into_iter().map(|name| from.durable(&name)).collect();
    assert_eq!(before, after);
}

/// The digest of the parent is that of its chain behind the last group taken over.
#[test]
fn the_parent_is_known_by_its_digest() {
    let from = tempfile::tempdir().unwrap();
    let options = || WalOptions { durability: Durability::Durable, ..small() };
    let log = Wal::open(from.path(), options()).unwrap();
    let mut digests: Vec<Digest> = Vec::new();
    for index in 0..20 {
        let mut batch = Batch::new();
        batch.push(RecordKind(7), &numbered(index, BYTES)).unwrap();
        log.append(&batch).unwrap().wait().unwrap();
        digests.push(log.head().digest);
    }
    log.close().unwrap();
    flip(&test_segments(from.path())[1], 4200);
    let (_to, report) = salvaged(from.path());
    let last = usize::try_from(report.parent.position.seq.get()).unwrap();
    assert_eq!(report.parent.digest, digests[last - 1]);
}

/// R20, G33: a salvaged log knows the keys of what it took over, those of contents too,
/// though its own differ from its parent's.
#[test]
fn a_salvaged_log_knows_the_keys_of_its_parent() {
    let from = tempfile::tempdir().unwrap();
    let (_clock, options) = with_clock();
    let keyed = |index: usize| {
        let key = match index % 2 {
            0 => DedupKey::Client([index as u8; 16]),
            _ => DedupKey::Content,
        };
        let payload = numbered(index, BYTES);
        let mut batch = Batch::new();
        batch
            .push_record(Record { key: Some(key), ..Record::new(RecordKind(7), &payload) })
            .unwrap();
        batch
    };
    let log = Wal::open(from.path(), options.clone()).unwrap();
    for index in 0..GROUPS {
        log.append(&keyed(index)).unwrap().wait().unwrap();
    }
    log.close().unwrap();
    flip(test_segments(from.path()).last().unwrap(), 4200);
    let (to, report) = salvaged(from.path());
    let count = usize::try_from(report.records).unwrap();
    assert!(count > 4 && count < GROUPS);
    let mut log = Wal::open(to.path(), options.clone()).unwrap();
    for _ in 0..2 {
        for index in 0..count {
            let answer = log.append(&keyed(index)).unwrap().wait().unwrap();
            let known = Seq::new(index as u64 + 1);
            let outcomes: Vec<_> = answer.outcomes().collect();
            assert_eq!(outcomes, [Outcome::Duplicate { seq: known }], "record {index}");
        }
        // By its checkpoint as well.
        log.checkpoint(report.parent.position.seq, b"").unwrap();
        log.close().unwrap();
        log = Wal::open(to.path(), options.clone()).unwrap();
    }
}

/// G33: what opening refuses can be salvaged, whichever file beside the segments it is
/// refused for, and the looks at the log tell it.
#[test]
fn a_log_is_salvaged_from_what_is_wrong_beside_it() {
    for name in [names::CURSORS.to_owned(), names::checkpoint(0)] {
        let from = tempfile::tempdir().unwrap();
        let (clock, options) = with_clock();
        let log = Wal::open(from.path(), options).unwrap();
        fill(&log, &clock, &|log, batch| {
            log.append(batch).unwrap().wait().unwrap();
        });
        let head = log.head().position.seq;
        drop(log.cursor_from("feed", crate::CursorStart::Head).unwrap());
        log.checkpoint(Seq::new(30), b"a").unwrap();
        log.checkpoint(head, b"b").unwrap();
        assert!(log.truncate_before(Seq::new(20)).unwrap() > 0);
        log.close().unwrap();
        let all = groups_in(from.path());
        // Of two checkpoints, the log can do without one.
        if name != names::CURSORS {
            flip(&from.path().join(names::checkpoint(1)), 90);
        }
        for offset in [20, 8192 + 20] {
            let path = from.path().join(&name);
            if offset < fs::metadata(&path).unwrap().len() {
                flip(&path, offset);
            }
        }
        let refused = Wal::open(from.path(), small()).unwrap_err();
        assert!(matches!(refused, WalError::Damaged { .. }), "{refused}");
        let stat = inspect_log(from.path()).unwrap();
        assert_eq!(stat.problem.map(|problem| problem.path), Some(from.path().join(&name)));
        let (to, report) = salvaged(from.path());
        assert_eq!(report.damage.path, from.path().join(&name));
        assert_eq!((report.parent.position.seq, report.lost), (head, Lost::default()));
        assert_eq!(groups_in(to.path()), all);
        let log = Wal::open(to.path(), small()).unwrap();
        assert_eq!(log.head().position.seq, head);
    }
}

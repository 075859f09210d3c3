use std::path::Path;

use tidal_types::{DedupKey, Seq};

use crate::names;
use crate::recovery::test_segments;
use crate::salvage::{SalvageOptions, SalvageReport, salvage, survey};
use crate::testing::{batch, numbered, read_from, small};
use crate::{Batch, Outcome, OwnerState, Record, RecordKind, Wal, WalError, inspect_log, verify};

/// So long are the records, with and without a key of their own, that ten fill a segment.
const BYTES: usize = 1500;
const RECORDS: u64 = 60;

/// The record of this number: every third by its content, every third by a key.
fn keyed(seq: u64) -> Batch {
    let payload = numbered(usize::try_from(seq).unwrap(), BYTES);
    let record = Record::new(RecordKind(7), &payload);
    let record = match seq % 3 {
        0 => record.key(DedupKey::Content),
        1 => record.key(DedupKey::Client([seq as u8; 16])),
        _ => record,
    };
    let mut batch = Batch::new();
    batch.push_record(record).unwrap();
    batch
}

fn append(log: &Wal, seqs: std::ops::RangeInclusive<u64>) {
    for seq in seqs {
        let appended = log.append(&keyed(seq)).unwrap().wait().unwrap();
        assert_eq!(appended.first, Seq::new(seq));
    }
}

/// A closed log of 60 records with two checkpoints through 20 and 40 and a cursor at each
/// of 5, 25, 45; truncated behind the first checkpoint if asked.
fn written(is_truncated: bool) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let log = Wal::open(dir.path(), small()).unwrap();
    let cursors = ["five", "twenty-five", "forty-five"].map(|name| log.cursor(name).unwrap());
    append(&log, 1..=20);
    log.checkpoint(Seq::new(20), b"twenty").unwrap();
    append(&log, 21..=40);
    log.checkpoint(Seq::new(40), b"forty").unwrap();
    append(&log, 41..=RECORDS);
    for (cursor, place) in cursors.iter().zip([5, 25, 45]) {
        cursor.commit(Seq::new(place)).unwrap();
    }
    drop(cursors);
    if is_truncated {
        log.remove_cursor("five").unwrap();
        assert!(log.truncate_before(Seq::new(RECORDS)).unwrap() > 0);
        assert!(log.first_seq() > Seq::new(10));
    }
    log.close().unwrap();
    dir
}

fn flip(path: &Path, offset: usize) {
    let mut bytes = std::fs::read(path).unwrap();
    bytes[offset] ^= 1;
    std::fs::write(path, bytes).unwrap();
}

/// Damages the segment that holds a record.
fn damage_at(dir: &Path, seq: u64) {
    let stat = inspect_log(dir).unwrap();
    let index = stat.segments.iter().rposition(|segment| segment.first_seq <= Some(Seq::new(seq)));
    let first = stat.segments[index.unwrap()].first_seq.unwrap();
    let group = 2048 * usize::try_from(seq - first.get()).unwrap();
    flip(&test_segments(dir)[index.unwrap()], 4096 + group + 200);
}

fn salvaged(from: &Path) -> (tempfile::TempDir, Wal, SalvageReport) {
    Wal::open(from, small()).unwrap_err();
    let to = tempfile::tempdir().unwrap();
    let report = salvage(from, to.path(), &SalvageOptions::default()).unwrap();
    assert_eq!(survey(from).unwrap().beside, report.beside);
    let verified = verify(to.path(), &mut |_| None).unwrap();
    assert!(verified.ok(), "{verified:?}");
    let log = Wal::open(to.path(), small()).unwrap();
    (to, log, report)
}

/// R20: everything with a key that was sent up to `last` is a repeat, and what came later
/// is not.
fn expect_repeats(log: &Wal, last: u64) {
    for seq in (1..=last).filter(|seq| seq % 3 != 2) {
        let appended = log.append(&keyed(seq)).unwrap().wait().unwrap();
        let outcomes: Vec<_> = appended.outcomes().collect();
        assert_eq!(outcomes, [Outcome::Duplicate { seq: Seq::new(seq) }]);
    }
    let next = (last + 1..).find(|seq| seq % 3 != 2).unwrap();
    let appended = log.append(&keyed(next)).unwrap().wait().unwrap();
    assert_eq!(appended.first, Seq::new(last + 1));
    assert_eq!(appended.new_count(), 1);
}

fn places(log: &Wal) -> Vec<(String, u64)> {
    log.cursors().into_iter().map(|cursor| (cursor.name, cursor.place.get())).collect()
}

fn state(through: u64, state: &[u8]) -> Option<OwnerState> {
    Some(OwnerState { through: Seq::new(through), state: state.to_vec() })
}

/// G37: wherever the damage is, repeats stay repeats, by keys of clients and of contents,
/// the newest state that fits goes along, and so do cursors.
#[test]
fn what_is_beside_goes_along_as_far_as_it_speaks_of_what_is_kept() {
    for is_truncated in [false, true] {
        for damaged in [15, 23, 30, 45, 60] {
            let from = written(is_truncated);
            let first = inspect_log(from.path()).unwrap().first_seq.unwrap();
            if damaged <= first.get() {
                continue;
            }
            damage_at(from.path(), damaged);
            let last = damaged - 1;
            let (to, log, report) = salvaged(from.path());
            assert_eq!(report.parent.position.seq, Seq::new(last));
            assert_eq!(report.parent.root, report.parent.position.log_id);
            assert!(report.beside.knows_all_keys && report.beside.problems.is_empty());
            let (newest, lost) = match last {
                40.. => (state(40, b"forty"), None),
                20.. => (state(20, b"twenty"), Some(Seq::new(40))),
                _ => (None, Some(Seq::new(40))),
            };
            assert_eq!(log.owner_state().unwrap(), newest);
            assert_eq!(report.beside.owner_state, newest.map(|state| state.through));
            assert_eq!(report.beside.owner_state_lost, lost);
            let cut_off = (1..first.get()).filter(|seq| seq % 3 != 2).count() as u64;
            assert_eq!(report.beside.cut_off_keys, if last >= 20 { cut_off } else { 0 });
            let five = [("five".to_owned(), 5)].into_iter().filter(|_| !is_truncated);
            let others = [("forty-five", 45), ("twenty-five", 25)];
            let others =
                others.map(|(name, place): (&str, u64)| (name.to_owned(), place.min(last)));
            assert_eq!(places(&log), five.chain(others).collect::<Vec<_>>());
            expect_repeats(&log, last);
            // As any log, also after it was truncated and opened again.
            log.close().unwrap();
            let log = Wal::open(to.path(), small()).unwrap();
            for name in ["five", "forty-five", "twenty-five"] {
                if log.remove_cursor(name).is_err() {
                    assert_eq!((name, is_truncated), ("five", true));
                }
            }
            log.truncate_before(Seq::new(last)).unwrap();
            log.close().unwrap();
            let log = Wal::open(to.path(), small()).unwrap();
            for seq in (1..=last).filter(|seq| seq % 3 != 2) {
                assert_eq!(log.append(&keyed(seq)).unwrap().wait().unwrap().new_count(), 0);
            }
        }
    }
}

/// G37: keys of contents are those of the root, however often a log is salvaged.
#[test]
fn a_line_of_logs_has_the_keys_of_its_root() {
    let from = written(false);
    damage_at(from.path(), 50);
    let (child, log, first) = salvaged(from.path());
    log.close().unwrap();
    damage_at(child.path(), 30);
    let (_grandchild, log, second) = salvaged(child.path());
    assert_eq!(second.parent.root, first.parent.position.log_id);
    assert_ne!(second.parent.root, second.parent.position.log_id);
    expect_repeats(&log, 29);
}

/// G37: damage of checkpoints and cursors alone costs no record.
#[test]
fn a_log_that_is_refused_for_what_is_beside_keeps_every_record() {
    type Damage<'a> = &'a dyn Fn(&Path);
    let damage: [(Damage<'_>, bool); 5] = [
        // The cursors, both copies.
        (&|dir| std::fs::write(dir.join(names::CURSORS), [1; 100]).unwrap(), true),
        (&|dir| std::fs::remove_file(dir.join(names::CURSORS)).unwrap(), true),
        // Both checkpoints of a log that was truncated, or the newest.
        (&|dir| (0..2).for_each(|number| flip(&dir.join(names::checkpoint(number)), 90)), false),
        (&|dir| std::fs::remove_file(dir.join(names::checkpoint(1))).unwrap(), true),
        (
            &|dir| {
                (0..2).for_each(|number| {
                    std::fs::remove_file(dir.join(names::checkpoint(number))).unwrap();
                });
            },
            false,
        ),
    ];
    for (index, (damage, knows_all_keys)) in damage.into_iter().enumerate() {
        let from = written(true);
        let before = inspect_log(from.path()).unwrap();
        damage(from.path());
        let stat = inspect_log(from.path()).unwrap();
        assert_eq!(stat.head, before.head);
        let (_to, log, report) = salvaged(from.path());
        assert_eq!(stat.problem, Some(report.damage.clone()));
        assert_eq!(report.beside.problems.first(), Some(&report.damage), "{index}");
        assert_eq!(report.parent.position.seq, Seq::new(RECORDS));
        assert_eq!(report.lost.known, None);
        assert_eq!(report.beside.knows_all_keys, knows_all_keys, "{index}");
        let count = RECORDS + 1 - report.first_seq.get();
        assert_eq!(read_from(&log, log.first_seq()).unwrap().len() as u64, count);
        assert_eq!(log.cursors().len(), if index < 2 { 0 } else { 2 });
        if knows_all_keys {
            expect_repeats(&log, RECORDS);
        } else {
            assert_eq!(log.owner_state().unwrap(), None);
        }
    }
}

/// R7: a file of cursors or the newest checkpoint that was taken away is missed, by who
/// opens and by who looks.
#[test]
fn files_beside_the_segments_are_missed() {
    for name in [names::CURSORS.to_owned(), names::checkpoint(1)] {
        let dir = written(false);
        std::fs::remove_file(dir.path().join(&name)).unwrap();
        let path = dir.path().join(&name);
        let error = Wal::open(dir.path(), small()).unwrap_err();
        assert!(matches!(&error, WalError::Missing { path: missed } if *missed == path), "{error}");
        let report = verify(dir.path(), &mut |_| None).unwrap();
        assert_eq!(report.problems[0].path, path);
        assert_eq!(inspect_log(dir.path()).unwrap().problem.unwrap().path, path);
    }
    // Without any, nothing is missed.
    let dir = tempfile::tempdir().unwrap();
    let log = Wal::open(dir.path(), small()).unwrap();
    log.append(&batch(&[b"x"])).unwrap().wait().unwrap();
    log.close().unwrap();
    assert!(verify(dir.path(), &mut |_| None).unwrap().ok());
}

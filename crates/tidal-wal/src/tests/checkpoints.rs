//! Checkpoints: what they keep, what truncation leaves to them, and what becomes of
//! damaged ones.

use tidal_types::{ErrorKind, Seq, WalError};

use super::keys::{Fixture, NOON, appended, duplicate, one, options};
use crate::names;
use crate::sim::Fault;
use crate::testing::{batch, small};
use crate::{OwnerState, Wal, verify};

/// Every keyed record of these tests is this long, so that ten fill a segment.
fn payload(number: u8) -> Vec<u8> {
    vec![number; 1500]
}

fn append_keyed(fixture: &Fixture, numbers: std::ops::Range<u8>) {
    for number in numbers {
        fixture.append(&one(number, &payload(number))).unwrap();
    }
}

/// Every key from 1 to `last` is that of the record of its number.
fn expect_known(fixture: &Fixture, last: u8) {
    for number in 1..=last {
        let outcomes = fixture.outcomes(&one(number, &payload(number)));
        assert_eq!(outcomes, [duplicate(number.into())], "key {number}");
    }
}

fn checkpoints(fixture: &Fixture) -> Vec<String> {
    let names = fixture.disk.names().into_iter();
    names.filter(|name| names::parse_checkpoint(name).is_some()).collect()
}

fn damage(fixture: &Fixture, name: &str) {
    let mut bytes = fixture.disk.cached(name).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fixture.disk.put(name, &bytes);
}

fn state(through: u64, state: &[u8]) -> Option<OwnerState> {
    Some(OwnerState { through: Seq::new(through), state: state.to_vec() })
}

#[test]
fn two_are_kept_and_the_newest_is_told() {
    let mut fixture = Fixture::new();
    assert_eq!(fixture.log.owner_state().unwrap(), None);
    append_keyed(&fixture, 1..5);
    for (index, text) in [b"one", b"two", b"six"].into_iter().enumerate() {
        fixture.log.checkpoint(Seq::new(index as u64 + 1), text).unwrap();
        assert_eq!(fixture.log.owner_state().unwrap(), state(index as u64 + 1, text));
        assert_eq!(checkpoints(&fixture).len(), 2.min(index + 1));
    }
    fixture = fixture.restart();
    assert_eq!(fixture.log.owner_state().unwrap(), state(3, b"six"));
    assert_eq!(checkpoints(&fixture), [names::checkpoint(1), names::checkpoint(2)]);
    fixture.log.checkpoint(Seq::new(4), b"").unwrap();
    assert_eq!(checkpoints(&fixture), [names::checkpoint(2), names::checkpoint(3)]);
    expect_known(&fixture, 4);
}

/// R15, R16, R20: truncation leaves what the older one needs, and the window is as it
/// was.
#[test]
fn the_window_outlives_the_records_that_were_in_it() {
    let mut fixture = Fixture::new();
    append_keyed(&fixture, 1..40);
    let head = fixture.log.head().position.seq;
    fixture.log.checkpoint(head, b"first").unwrap();
    assert_eq!(fixture.log.truncate_before(head.next()).unwrap(), 0, "one alone frees nothing");
    append_keyed(&fixture, 40..80);
    fixture.log.checkpoint(Seq::new(30), b"second").unwrap();
    let removed = fixture.log.truncate_before(Seq::new(80)).unwrap();
    assert!(removed > 0);
    let first = fixture.log.first_seq();
    assert!(first > Seq::new(20) && first <= Seq::new(31), "{first}");
    for _ in 0..2 {
        expect_known(&fixture, 79);
        assert_eq!(fixture.log.known_keys(), 79);
        fixture = fixture.restart();
    }
    let behind = fixture.log.checkpoint(Seq::new(5), b"").unwrap_err();
    assert!(matches!(behind, WalError::Truncated { .. }), "{behind:?}");
    assert_eq!(fixture.outcomes(&one(80, &payload(80))), [appended(80)]);
}

/// R15, R20: a log whose owner makes no checkpoints makes those it needs.
#[test]
fn keys_that_are_cut_off_are_kept_in_checkpoints_of_the_log() {
    let mut fixture = Fixture::new();
    append_keyed(&fixture, 1..40);
    assert!(fixture.log.truncate_before(Seq::new(30)).unwrap() > 0);
    assert_eq!(checkpoints(&fixture).len(), 2);
    assert_eq!(fixture.log.owner_state().unwrap(), None);
    fixture = fixture.restart();
    expect_known(&fixture, 39);
    // Nothing is written for records that the two cover.
    append_keyed(&fixture, 40..60);
    let before = checkpoints(&fixture);
    assert!(fixture.log.truncate_before(Seq::new(39)).unwrap() > 0);
    assert_eq!(checkpoints(&fixture), before);
    assert!(fixture.log.truncate_before(Seq::new(60)).unwrap() > 0);
    assert_ne!(checkpoints(&fixture), before);
    fixture = fixture.restart();
    expect_known(&fixture, 59);
}

#[test]
fn a_log_without_keys_is_cut_without_checkpoints() {
    let fixture = Fixture::new();
    for number in 0..40 {
        fixture.append(&batch(&[&payload(number)])).unwrap();
    }
    assert!(fixture.log.truncate_before(Seq::new(30)).unwrap() > 0);
    assert_eq!(checkpoints(&fixture), [""; 0]);
    // Nor is one that has had keys, once they have left the window.
    let fixture = Fixture::new();
    append_keyed(&fixture, 1..40);
    fixture.at(NOON + 5000);
    fixture.append(&batch(&[b"later"])).unwrap();
    assert!(fixture.log.truncate_before(Seq::new(30)).unwrap() > 0);
    assert_eq!(checkpoints(&fixture), [""; 0]);
}

/// A log that was cut, with two checkpoints and all keys from 1 to 79.
fn cut() -> Fixture {
    let fixture = Fixture::new();
    append_keyed(&fixture, 1..30);
    fixture.log.checkpoint(Seq::new(29), b"older").unwrap();
    append_keyed(&fixture, 30..60);
    fixture.log.checkpoint(Seq::new(59), b"newer").unwrap();
    append_keyed(&fixture, 60..80);
    assert!(fixture.log.truncate_before(Seq::new(80)).unwrap() > 0);
    fixture
}

/// R16: the one before has all that is needed, with the log behind it.
#[test]
fn a_damaged_newest_checkpoint_falls_back_to_the_one_before() {
    let mut fixture = cut();
    let names = checkpoints(&fixture);
    damage(&fixture, &names[1]);
    fixture = fixture.restart();
    assert_eq!(fixture.log.owner_state().unwrap(), state(29, b"older"));
    assert!(fixture.log.first_seq() <= Seq::new(30));
    expect_known(&fixture, 79);
    // The sound one is not given up for it, and nothing it needs is.
    assert_eq!(fixture.log.truncate_before(Seq::new(80)).unwrap(), 0);
    fixture.log.checkpoint(Seq::new(70), b"newest").unwrap();
    assert_eq!(checkpoints(&fixture), [names[0].clone(), names::checkpoint(2)]);
    fixture = fixture.restart();
    assert_eq!(fixture.log.owner_state().unwrap(), state(70, b"newest"));
    expect_known(&fixture, 79);
}

/// R16: a checkpoint of the log itself has no state of the owner, so it is none to fall
/// back to: the owner's first one frees nothing, whatever the log has made before.
#[test]
fn the_first_state_of_an_owner_stands_beside_the_log_that_led_to_it() {
    let mut fixture = Fixture::new();
    append_keyed(&fixture, 1..40);
    assert!(fixture.log.truncate_before(Seq::new(20)).unwrap() > 0);
    let first = fixture.log.first_seq();
    fixture.log.checkpoint(Seq::new(39), b"first").unwrap();
    assert_eq!(fixture.log.truncate_before(Seq::new(40)).unwrap(), 0);
    let newest = checkpoints(&fixture).pop().unwrap();
    damage(&fixture, &newest);
    fixture = fixture.restart();
    assert_eq!(fixture.log.owner_state().unwrap(), None);
    assert_eq!(fixture.log.first_seq(), first);
    expect_known(&fixture, 39);
    fixture.log.checkpoint(Seq::new(30), b"second").unwrap();
    fixture.log.checkpoint(Seq::new(39), b"third").unwrap();
    assert!(fixture.log.truncate_before(Seq::new(40)).unwrap() > 0);
    assert!(fixture.log.first_seq() <= Seq::new(31));
}

/// R16: when none is left, and the log does not make up for it, it is told.
#[test]
fn two_damaged_checkpoints_are_refused_where_one_is_needed() {
    let fixture = cut();
    let names = checkpoints(&fixture);
    names.iter().for_each(|name| damage(&fixture, name));
    fixture.disk.die();
    drop(fixture.log);
    fixture.disk.kill();
    let refused = Wal::open_simulated(&fixture.disk, options(&fixture.clock)).unwrap_err();
    let WalError::Damaged { path, .. } = &refused else { panic!("{refused:?}") };
    assert!(names.iter().any(|name| path.ends_with(name)), "{refused}");
}

/// R16: the whole log makes up for all checkpoints. As long as it has to, it stays.
#[test]
fn the_whole_log_makes_up_for_damaged_checkpoints() {
    let mut fixture = Fixture::new();
    append_keyed(&fixture, 1..30);
    fixture.log.checkpoint(Seq::new(29), b"a").unwrap();
    fixture.log.checkpoint(Seq::new(29), b"b").unwrap();
    checkpoints(&fixture).iter().for_each(|name| damage(&fixture, name));
    fixture = fixture.restart();
    assert_eq!(fixture.log.owner_state().unwrap(), None);
    expect_known(&fixture, 29);
    assert!(fixture.log.truncate_before(Seq::new(20)).unwrap() > 0);
    fixture = fixture.restart();
    expect_known(&fixture, 29);
}

/// Damaged files that nobody needs are out of the way before the log is cut.
#[test]
fn a_damaged_checkpoint_does_not_outlive_the_log_that_made_up_for_it() {
    let mut fixture = Fixture::new();
    for number in 0..30 {
        fixture.append(&batch(&[&payload(number)])).unwrap();
    }
    fixture.log.checkpoint(Seq::new(29), b"a").unwrap();
    damage(&fixture, &checkpoints(&fixture)[0]);
    fixture = fixture.restart();
    assert!(fixture.log.truncate_before(Seq::new(20)).unwrap() > 0);
    fixture = fixture.restart();
    assert!(fixture.log.first_seq() > Seq::FIRST);
}

#[test]
fn a_checkpoint_that_speaks_of_more_than_the_log_has_is_refused() {
    let fixture = Fixture::new();
    append_keyed(&fixture, 1..3);
    let younger = fixture.disk.copy();
    append_keyed(&fixture, 3..6);
    fixture.log.checkpoint(Seq::new(5), b"").unwrap();
    let name = &checkpoints(&fixture)[0];
    younger.put(name, &fixture.disk.cached(name).unwrap());
    let refused = Wal::open_simulated(&younger, options(&fixture.clock)).unwrap_err();
    let WalError::EndsEarly { end, expected, .. } = refused else { panic!("{refused:?}") };
    assert_eq!((end, expected), (Seq::new(2), Seq::new(5)));
}

#[test]
fn what_a_checkpoint_cannot_be_is_refused() {
    let fixture = Fixture::new();
    append_keyed(&fixture, 1..3);
    let ahead = fixture.log.checkpoint(Seq::new(3), b"").unwrap_err();
    assert!(matches!(ahead, WalError::CheckpointAhead { .. }), "{ahead:?}");
    let large = fixture.log.checkpoint(Seq::new(1), &vec![0; (64 << 20) + 1]).unwrap_err();
    assert!(matches!(large, WalError::CheckpointTooLarge { .. }), "{large:?}");
    assert_eq!([ahead.kind(), large.kind()], [ErrorKind::Input; 2]);
    assert_eq!(checkpoints(&fixture), [""; 0]);
    fixture.log.close().unwrap();
    let closed = fixture.log.checkpoint(Seq::new(1), b"").unwrap_err();
    assert!(matches!(closed, WalError::Closed { .. }), "{closed:?}");
}

/// R8, R16, R20: whichever operation fails or is the last one, the log opens with the
/// state of one checkpoint or the other, and knows the same keys.
#[test]
fn a_checkpoint_can_be_cut_short_anywhere() {
    for (fault, is_cut) in [(Fault::Fail, false), (Fault::Die, false), (Fault::Die, true)] {
        for count in 0.. {
            let mut fixture = Fixture::new();
            append_keyed(&fixture, 1..30);
            fixture.log.checkpoint(Seq::new(5), b"a").unwrap();
            fixture.log.checkpoint(Seq::new(10), b"b").unwrap();
            fixture.disk.arm(count, fault);
            let written = fixture.log.checkpoint(Seq::new(20), b"c");
            fixture = if is_cut { fixture.power_cut() } else { fixture.restart() };
            let kept = fixture.log.owner_state().unwrap();
            let context = format!("{fault:?} {count}, power cut {is_cut}: {kept:?}");
            if written.is_ok() {
                assert!(count > 4);
                assert_eq!(kept, state(20, b"c"), "{context}");
                break;
            }
            assert!(kept == state(10, b"b") || kept == state(20, b"c"), "{context}");
            expect_known(&fixture, 29);
            fixture.log.checkpoint(Seq::new(29), b"d").unwrap();
            assert_eq!(checkpoints(&fixture).len(), 2, "{context}");
            assert!(fixture.disk.names().iter().all(|name| !name.ends_with(".tmp")), "{context}");
        }
    }
}

/// R10: no room for a checkpoint harms nothing.
#[test]
fn a_checkpoint_without_room_can_be_tried_again() {
    let fixture = Fixture::new();
    append_keyed(&fixture, 1..5);
    fixture.disk.limit_space(fixture.disk.used() + 10);
    let full = fixture.log.checkpoint(Seq::new(4), b"a").unwrap_err();
    assert!(matches!(full, WalError::NoSpace { .. }), "{full:?}");
    fixture.disk.limit_space(u64::MAX);
    append_keyed(&fixture, 5..6);
    fixture.log.checkpoint(Seq::new(4), b"a").unwrap();
    assert_eq!(fixture.log.owner_state().unwrap(), state(4, b"a"));
}

/// R20: the window is found again from where its time begins.
#[test]
fn opening_does_not_walk_what_has_left_the_window() {
    let mut fixture = Fixture::new();
    for number in 1..100 {
        fixture.at(NOON + 60 * u64::from(number));
        fixture.append(&one(number, &payload(number))).unwrap();
    }
    let length = std::time::Duration::from_secs(600);
    let found =
        crate::recovery::inspect_with_window(&fixture.disk, Seq::new(u64::MAX), length).unwrap();
    let walked = found.segments.iter().filter(|segment| segment.walk.is_some()).count();
    assert!(walked > 1 && walked < found.segments.len() / 2, "{walked}");
    let known = fixture.log.known_keys();
    assert!((10..=20).contains(&known), "{known}");
    fixture = fixture.restart();
    assert_eq!(fixture.log.known_keys(), known);
}

#[test]
fn verify_tells_of_a_damaged_checkpoint() {
    let dir = tempfile::tempdir().unwrap();
    let log = Wal::open(dir.path(), small()).unwrap();
    log.append(&one(1, b"a")).unwrap().wait().unwrap();
    log.checkpoint(Seq::new(1), b"a").unwrap();
    log.checkpoint(Seq::new(1), b"b").unwrap();
    log.close().unwrap();
    assert!(verify(dir.path(), &mut |_| None).unwrap().ok());
    let path = dir.path().join(names::checkpoint(1));
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[90] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let report = verify(dir.path(), &mut |_| None).unwrap();
    assert_eq!(report.problems.len(), 1, "{report:?}");
    assert_eq!(report.problems[0].path, path);
    let log = Wal::open(dir.path(), small()).unwrap();
    assert_eq!(log.owner_state().unwrap(), state(1, b"a"));
}

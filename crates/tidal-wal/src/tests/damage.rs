//! Every damage of a kind, to a log small enough to try them all.
//!
//! Each damaged log is looked at and decided upon, as opening does; a part of them
//! is opened. Either the log is refused, or every record that is known to have been
//! synced is there, and nothing that was not sent.

use std::collections::BTreeMap;
use std::sync::Arc;

use tidal_types::{DedupKey, ManualClock, Seq, Timestamp, WalError};

use crate::format::{CursorSlot, Floor, SegmentNumber};
use crate::names;
use crate::pass::Pass;
use crate::recovery::{Decision, decide, inspect, inspect_with_window};
use crate::sim::SimDisk;
use crate::testing::{batch, numbered, read_from, small};
use crate::{Batch, Record, RecordKey, RecordKind, Wal, WalOptions};

const SEGMENTS: usize = 3;

/// One in so many damaged logs is opened for good.
const OPENED_ONE_IN: usize = 509;

fn tiny() -> WalOptions {
    let clock = Arc::new(ManualClock::new(Timestamp::from_secs(1000)));
    WalOptions { segment_bytes: 6 << 10, clock, ..WalOptions::default() }
}

/// A sound log, and what is known of it.
struct Golden {
    disk: SimDisk,
    payloads: Vec<Vec<u8>>,
    /// So many records are known to have been synced.
    known: usize,
    tried: usize,
    opened: usize,
}

/// What became of a damaged log.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Refused,
    /// It opens with so many records.
    Opens(usize),
}

impl Golden {
    /// A log of a few groups of three records over three segments. When it was
    /// closed, its floor knows of all; when not, only of the segments before the
    /// last, and each group vouches for those before it.
    fn new(seed: u64, closed: bool) -> Self {
        let disk = SimDisk::new(seed);
        let log = Wal::open_stepped(&disk, tiny()).unwrap();
        let mut payloads: Vec<Vec<u8>> = Vec::new();
        while log.segment_count() < SEGMENTS || payloads.len() % 2 == 1 {
            let group: Vec<_> = (0..3).map(|index| numbered(payloads.len() + index, 200)).collect();
            let records: Vec<_> = group.iter().map(Vec::as_slice).collect();
            let ticket = log.append(&batch(&records)).unwrap();
            log.step();
            ticket.wait().unwrap();
            payloads.extend(group);
        }
        if closed {
            log.close().unwrap();
        } else {
            disk.die();
            drop(log);
            disk.kill();
        }
        let known = if closed { payloads.len() } else { payloads.len() - 3 };
        let mut golden = Self { disk, payloads, known, tried: 0, opened: 0 };
        assert_eq!(golden.outcome(), Outcome::Opens(golden.payloads.len()));
        assert_eq!(golden.segments().len(), SEGMENTS);
        golden
    }

    /// A log that was closed, and one that was not.
    fn both() -> [Self; 2] {
        [Self::new(1, true), Self::new(1, false)]
    }

    fn segments(&self) -> Vec<String> {
        let names = self.disk.names().into_iter();
        names.filter(|name| names::parse_segment(name).is_some()).collect()
    }

    fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let names = self.disk.names().into_iter();
        names.map(|name| (name.clone(), self.disk.cached(&name).unwrap())).collect()
    }

    /// What opening would do with the log as it is now; fails when a record below
    /// the floor is silently lost, or another is made up.
    fn outcome(&mut self) -> Outcome {
        self.tried += 1;
        let mut seen = 0;
        let found = inspect(&self.disk, Seq::ZERO, &mut |record, _| {
            // Behind damage that is refused, the numbers may begin anywhere.
            if record.seq == Seq::new(seen as u64 + 1) {
                seen += usize::from(self.payloads[seen] == record.payload);
            }
        });
        let decision = decide(&self.disk, &found.unwrap());
        // G19, G33: who only looks, segment by segment, finds something wrong in the same
        // logs, and before it nothing but what was sent.
        let mut pass = Pass::begin(&self.disk, Seq::ZERO).unwrap();
        while let Some(mut walk) = pass.enter().unwrap() {
            while let Some(group) = pass.group(&mut walk, &mut |_, _| ()) {
                group.show(&mut |record| {
                    assert_eq!(record.payload, self.payloads[record.seq.get() as usize - 1]);
                });
            }
            pass.leave(walk);
        }
        assert_eq!(pass.finding().is_some(), matches!(decision, Decision::Refuse(_)));
        match decision {
            Decision::Create => panic!("a new log in place of the old one"),
            Decision::Refuse(error) => {
                assert!(!matches!(error, WalError::Io { .. }), "{error}");
                Outcome::Refused
            }
            Decision::Open(plan) => {
                let records = plan.next_seq.get() as usize - 1;
                assert!(records >= self.known, "{records} of {} are left", self.known);
                assert_eq!(records, seen, "records that were not sent");
                if self.tried.is_multiple_of(OPENED_ONE_IN) {
                    self.open(records);
                }
                Outcome::Opens(records)
            }
        }
    }

    fn open(&mut self, records: usize) {
        self.opened += 1;
        let log = Wal::open_stepped(&self.disk.copy(), tiny()).unwrap();
        assert_eq!(read_from(&log, Seq::FIRST).unwrap(), self.payloads[..records]);
    }
}

/// R5, R6, R19, R24: a changed bit anywhere is refused, or costs at most records
/// that are not known to have been synced; the floor's own costs nothing.
#[test]
fn any_flipped_bit_is_refused_or_costs_nothing_that_was_synced() {
    for mut golden in Golden::both() {
        let (mut refused, mut shortened) = (0, 0);
        for (name, mut bytes) in golden.files() {
            for bit in 0..bytes.len() * 8 {
                bytes[bit / 8] ^= 1 << (bit % 8);
                golden.disk.put(&name, &bytes);
                match golden.outcome() {
                    Outcome::Refused => {
                        assert!(name != names::FLOOR, "bit {bit} of the floor");
                        refused += 1;
                    }
                    Outcome::Opens(records) => {
                        shortened += usize::from(records < golden.payloads.len());
                    }
                }
                bytes[bit / 8] ^= 1 << (bit % 8);
            }
            golden.disk.put(&name, &bytes);
        }
        let closed = golden.known == golden.payloads.len();
        assert!(refused > SEGMENTS * 4096 * 8, "{refused}");
        assert_eq!(shortened == 0, closed, "{shortened}");
        assert!(golden.opened > 50, "{}", golden.opened);
    }
}

/// R5, R6: a sector that reads as zeros, or as another one, likewise.
#[test]
fn any_lost_or_misplaced_sector_is_refused_or_costs_nothing_that_was_synced() {
    for mut golden in Golden::both() {
        for (name, sound) in golden.files() {
            for sector in (0..sound.len()).step_by(512) {
                let mut lost = sound.clone();
                lost[sector..sector + 512].fill(0);
                golden.disk.put(&name, &lost);
                golden.outcome();
                for other in (0..sound.len()).step_by(512) {
                    let mut misplaced = sound.clone();
                    misplaced.copy_within(other..other + 512, sector);
                    golden.disk.put(&name, &misplaced);
                    golden.outcome();
                }
            }
            golden.disk.put(&name, &sound);
        }
    }
}

/// R7: a segment of any other length is refused; a floor of any length only tells
/// less.
#[test]
fn any_truncated_file_is_refused_unless_it_is_the_floor() {
    for mut golden in Golden::both() {
        for (name, bytes) in golden.files() {
            for length in 0..bytes.len() {
                golden.disk.put(&name, &bytes[..length]);
                let expected = if name == names::FLOOR {
                    Outcome::Opens(golden.payloads.len())
                } else {
                    Outcome::Refused
                };
                assert_eq!(golden.outcome(), expected, "{name} of {length} bytes");
            }
            let longer = [bytes.as_slice(), &[0; 512]].concat();
            golden.disk.put(&name, &longer);
            let refused = golden.outcome() == Outcome::Refused;
            assert_eq!(refused, name != names::FLOOR, "{name} of {} bytes", longer.len());
            golden.disk.put(&name, &bytes);
        }
    }
}

/// R7: whichever segments are gone; a floor that is gone only tells less.
#[test]
fn any_missing_segments_are_refused() {
    for mut golden in Golden::both() {
        let segments = golden.segments();
        let files = golden.files();
        for subset in 1..1_u32 << SEGMENTS {
            let gone = segments.iter().enumerate().filter(|(index, _)| subset & 1 << index != 0);
            let gone: Vec<_> = gone.map(|(_, name)| name).collect();
            gone.iter().for_each(|name| golden.disk.take(name));
            assert_eq!(golden.outcome(), Outcome::Refused, "without {gone:?}");
            gone.iter().for_each(|name| golden.disk.put(name, &files[*name]));
        }
        golden.disk.take(names::FLOOR);
        assert_eq!(golden.outcome(), Outcome::Opens(golden.payloads.len()));
    }
}

/// R7: whichever segment takes another's place, also one of another log.
#[test]
fn any_swapped_doubled_or_foreign_segment_is_refused() {
    for mut golden in Golden::both() {
        let segments = golden.segments();
        let files = golden.files();
        let foreign = Golden::new(2, true).files();
        for name in files.keys() {
            golden.disk.put(name, &foreign[name]);
            assert_eq!(golden.outcome(), Outcome::Refused, "a foreign {name}");
            golden.disk.put(name, &files[name]);
        }
        for first in &segments {
            for second in segments.iter().filter(|second| *second != first) {
                golden.disk.put(first, &files[second]);
                assert_eq!(golden.outcome(), Outcome::Refused, "{second} twice");
                golden.disk.put(second, &files[first]);
                assert_eq!(golden.outcome(), Outcome::Refused, "{first} and {second}");
                golden.disk.put(first, &files[first]);
                golden.disk.put(second, &files[second]);
            }
            let next = names::segment(SegmentNumber::new(SEGMENTS as u64));
            golden.disk.put(&next, &files[first]);
            assert_eq!(golden.outcome(), Outcome::Refused, "{first} once more at the end");
            golden.disk.take(&next);
        }
    }
}

/// R19: a reader measures a group by the rest of its segment before it makes room for
/// it, and says that it is damaged.
#[test]
fn a_length_is_not_trusted_before_it_is_checked() {
    let disk = SimDisk::new(1);
    let log = Wal::open_stepped(&disk, tiny()).unwrap();
    let ticket = log.append(&batch(&[b"x"])).unwrap();
    log.step();
    ticket.wait().unwrap();
    let name = names::segment(SegmentNumber::FIRST);
    let mut bytes = disk.cached(&name).unwrap();
    // The length of the body.
    bytes[4096 + 16..4096 + 20].copy_from_slice(&100_000_u32.to_le_bytes());
    disk.put(&name, &bytes);
    let error = read_from(&log, Seq::FIRST).unwrap_err();
    assert!(matches!(&error, WalError::Damaged { offset: 4096, .. }), "{error:?}");
}

/// Two copies of one log that went different ways since: same identity, same nonces, same
/// numbers, other records. Neither was closed.
fn diverged(records: usize, bytes: usize) -> [SimDisk; 2] {
    let disk = SimDisk::new(1);
    Wal::open_stepped(&disk, tiny()).unwrap().close().unwrap();
    let disks = [disk.copy(), disk];
    for (fill, disk) in [b'a', b'b'].into_iter().zip(&disks) {
        let log = Wal::open_stepped(disk, tiny()).unwrap();
        for _ in 0..records {
            let ticket = log.append(&batch(&[&vec![fill; bytes]])).unwrap();
            log.step();
            ticket.wait().unwrap();
        }
        disk.die();
        drop(log);
        disk.kill();
    }
    disks
}

/// R2, R6: a group must follow from the one before it, by the chain of digests.
#[test]
fn a_group_of_a_diverged_copy_is_no_part_of_the_log() {
    let [disk, other] = diverged(3, 100);
    let name = names::segment(SegmentNumber::FIRST);
    let mut bytes = disk.cached(&name).unwrap();
    let third = 4096 + 2 * 512..4096 + 3 * 512;
    bytes[third.clone()].copy_from_slice(&other.cached(&name).unwrap()[third]);
    disk.put(&name, &bytes);
    let log = Wal::open_stepped(&disk, tiny()).unwrap();
    assert_eq!(read_from(&log, Seq::FIRST).unwrap(), [[b'a'; 100]; 2]);
}

/// R7: a segment must follow from the one before it, also where no floor knows better.
#[test]
fn a_segment_of_a_diverged_copy_is_refused() {
    let [disk, other] = diverged(3, 1500);
    let last = names::segment(SegmentNumber::new(1));
    disk.put(&last, &other.cached(&last).unwrap());
    disk.take(names::FLOOR);
    let error = Wal::open_stepped(&disk, tiny()).unwrap_err();
    assert!(matches!(error, WalError::Damaged { .. }), "{error}");
}

/// A log that was cut, with keys, and two checkpoints.
fn with_checkpoints() -> SimDisk {
    let disk = SimDisk::new(1);
    let log = Wal::open_stepped(&disk, tiny()).unwrap();
    for number in 0..12 {
        let mut batch = Batch::new();
        let payload = numbered(number, 1000);
        let key = DedupKey::Client([number as u8; 16]);
        batch.push_record(Record::new(RecordKind(7), &payload).key(key)).unwrap();
        let ticket = log.append(&batch).unwrap();
        log.step();
        ticket.wait().unwrap();
        if number == 4 || number == 8 {
            log.checkpoint(Seq::new(number as u64), b"state").unwrap();
        }
    }
    assert!(log.truncate_before(Seq::new(12)).unwrap() > 0);
    log.close().unwrap();
    disk
}

/// What opening would find: the keys in the window and their numbers, in order.
fn found_keys(disk: &SimDisk) -> Option<Vec<(RecordKey, Seq)>> {
    let length = tiny().dedup.window;
    let found = inspect_with_window(disk, Seq::ZERO, length).unwrap();
    match decide(disk, &found) {
        Decision::Create => panic!("a new log in place of the old one"),
        Decision::Refuse(error) => {
            assert!(!matches!(error, WalError::Io { .. }), "{error}");
            None
        }
        Decision::Open(_) => {
            let entries = found.window.unwrap().entries();
            let all = entries.iter().flat_map(|entries| entries.iter());
            Some(all.map(|entry| (entry.key, entry.known.seq)).collect())
        }
    }
}

/// R16, R19, R20: whatever becomes of one checkpoint, the other one and the log behind
/// it have all keys; when both are hurt, that is told.
#[test]
fn any_damage_to_one_checkpoint_costs_nothing() {
    let disk = with_checkpoints();
    let sound = found_keys(&disk).unwrap();
    assert_eq!(sound.len(), 12);
    let names: Vec<_> = disk.names();
    let names: Vec<_> =
        names.iter().filter(|name| names::parse_checkpoint(name).is_some()).collect();
    for (name, other) in [(names[0], names[1]), (names[1], names[0])] {
        let bytes = disk.cached(name).unwrap();
        let check = |damaged: &[u8], what: String| {
            disk.put(name, damaged);
            assert_eq!(found_keys(&disk).as_ref(), Some(&sound), "{name}: {what}");
        };
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            check(&flipped, format!("bit {bit}"));
        }
        for length in 0..bytes.len() {
            check(&bytes[..length], format!("{length} bytes"));
            let zeros = vec![0; bytes.len() - length];
            check(&[&bytes[..length], &zeros].concat(), format!("zeros from {length} on"));
        }
        check(&[bytes.as_slice(), &[0]].concat(), "one byte more".into());
        check(&disk.cached(other).unwrap(), "the other one in its place".into());
        disk.put(name, &bytes);
    }
    let [first, second] = [names[0], names[1]].map(|name| disk.cached(name).unwrap());
    for bit in 0..second.len() * 8 {
        let [mut first, mut second] = [first.clone(), second.clone()];
        let place = bit % (first.len() * 8);
        first[place / 8] ^= 1 << (place % 8);
        second[bit / 8] ^= 1 << (bit % 8);
        disk.put(names[0], &first);
        disk.put(names[1], &second);
        assert_eq!(found_keys(&disk), None, "both at bit {bit}");
    }
}

/// R19: a name or a field with a number that no log counts up to is none of this
/// program's.
#[test]
fn nothing_counts_on_from_the_last_number() {
    let disk = SimDisk::new(1);
    let log = Wal::open_simulated(&disk, small()).unwrap();
    let ticket = log.append(&batch(&[b"first"])).unwrap();
    log.step();
    ticket.wait().unwrap();
    drop(log.cursor("feed").unwrap());
    log.close().unwrap();
    drop(log);
    let named = disk.copy();
    named.put("wal-ffffffffffffffff.ckpt", b"not a checkpoint");
    let log = Wal::open_simulated(&named, small()).unwrap();
    log.checkpoint(Seq::FIRST, b"state").unwrap();
    assert_eq!(log.owner_state().unwrap().unwrap().state, b"state");

    let counted = disk.copy();
    let bytes = counted.cached(names::CURSORS).unwrap();
    let mut slot = CursorSlot::decode_newest(&bytes).unwrap();
    slot.generation = u64::MAX;
    counted.put(names::CURSORS, &[vec![0; 8192], slot.encode()].concat());
    let error = Wal::open_simulated(&counted, small()).unwrap_err();
    assert!(matches!(error, WalError::Damaged { .. }), "{error}");

    let bytes = disk.cached(names::FLOOR).unwrap();
    let mut floor = Floor::decode_newest(&bytes).unwrap().unwrap();
    floor.generation = u64::MAX;
    let mut file = vec![0; bytes.len()];
    let (slot, offset) = (floor.encode(), floor.slot_offset() as usize);
    file[offset..offset + slot.len()].copy_from_slice(&slot);
    disk.put(names::FLOOR, &file);
    let error = Wal::open_simulated(&disk, small()).unwrap_err();
    assert!(matches!(error, WalError::UnsupportedVersion { .. }), "{error}");
}

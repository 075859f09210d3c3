//! The bytes of sketches, whole and damaged.

use super::*;
use crate::uniques::registers::{REGISTERS, Registers};

/// Actors who acted every quarter of an hour, each twice.
fn golden(actors: u64) -> Sketch {
    let times = times(&[Window::OneHour, Window::SevenDays, Window::AllTime]);
    let events: Vec<(u64, u64)> = (0..2 * actors)
        .map(|index| (spread(index % actors) % 1_000_000, 30 * DAY + index * (15 * MINUTE + 7)))
        .collect();
    sketch(times, &events)
}

/// R25: the bytes of version 1 do not change.
#[test]
fn the_bytes_are_what_they_were() {
    let hex = |sketch: &Sketch| -> String {
        codec::encode(sketch).iter().map(|byte| format!("{byte:02x}")).collect()
    };
    let few = hex(&golden(3));
    let many = hex(&golden(300));
    let fixture = |lines: &str| lines.split_whitespace().collect::<String>();
    assert_eq!(few, fixture(include_str!("../fixtures/sketch-few-v1.hex")));
    assert_eq!(many, fixture(include_str!("../fixtures/sketch-many-v1.hex")));
}

proptest! {
    #[test]
    fn sketches_survive_f1(declared in select(DECLARED.to_vec()), events in events()) {
        prop_assume!(!events.is_empty());
        let sketch = sketch(times(declared), &events);
        prop_assert_eq!(codec::decode(&codec::encode(&sketch)), Ok(sketch));
    }

    /// F1 to F3: whatever decodes is what would be written, and can be used.
    #[test]
    fn damaged_bytes_are_refused_or_mean_something(
        actors in select(vec![1_u64, 5, 64, 200]),
        changes in proptest::collection::vec((any::<Index>(), any::<u8>()), 0..4),
        cut_to in prop_oneof![3 => Just(None), 1 => any::<Index>().prop_map(Some)],
        added in proptest::collection::vec(any::<u8>(), 0..2),
        now in any::<u64>(),
    ) {
        let mut bytes = codec::encode(&golden(actors));
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        if let Some(len) = cut_to {
            bytes.truncate(len.index(bytes.len()));
        }
        bytes.extend(added);
        if let Ok(mut sketch) = codec::decode(&bytes) {
            prop_assert_eq!(codec::encode(&sketch), bytes);
            let times = times(&[Window::OneHour, Window::SevenDays]);
            sketch.count(times, Some(now));
            sketch.add(times, now, now);
            prop_assert!(sketch.count(times, None).is_finite());
            codec::encode(&sketch);
        }
    }

    #[test]
    fn any_bytes_are_refused_or_mean_something(
        rest in proptest::collection::vec(any::<u8>(), 0..40),
        len in 0..66_u8,
    ) {
        let bytes = [&[1, len], &rest[..]].concat();
        if let Ok(sketch) = codec::decode(&bytes) {
            prop_assert_eq!(codec::encode(&sketch), bytes);
        }
    }
}

#[test]
fn each_kind_of_damage_is_told() {
    let bytes = codec::encode(&golden(3));
    let with = |at: usize, value: u8| {
        let mut bytes = bytes.clone();
        bytes[at] = value;
        codec::decode(&bytes)
    };
    assert_eq!(with(0, 2), Err("its version is unknown"));
    assert_eq!(with(1, 0), Err("its number of actors is out of range"));
    assert_eq!(with(1, 65), Err("its number of actors is out of range"));
    assert_eq!(with(1, 2), Err("something is behind its end"));
    assert_eq!(codec::decode(&[1, 2, 9, 5, 0, 5]), Err("its actors are out of order"));
    assert_eq!(codec::decode(&[1, 2, 9, 5, 0, 6]), Err("its actors are out of order"));
    assert_eq!(codec::decode(&[1, 2, 9, 5, 1, 5]), Err("an actor is there twice"));
    assert_eq!(codec::decode(&[1, 2, 9, 5, 10, 4]), Err("a time is before the epoch"));
    let full = codec::encode(&golden(64));
    let start = full.len() - registers_of(64).len();
    let with = |registers: &[u8]| codec::decode(&[&full[..start], registers].concat());
    let zeros = |count| vec![0; count];
    let first = |bytes: &[u8]| [bytes, &zeros(1023)].concat();
    assert_eq!(with(&first(&[5, 2, 0])).map(drop), Ok(()));
    assert_eq!(with(&[&[5], &zeros(1024)[..]].concat()), Err("its newest bucket is empty"));
    assert_eq!(with(&first(&[5, 2, 1])), Err("its newest bucket is empty"));
    assert_eq!(with(&first(&[5, 2, 6])), Err("a bucket is before the epoch"));
    assert_eq!(with(&first(&[5, 112, 0])), Err("a rank is out of range"));
    assert_eq!(with(&first(&[5, 1, 0])), Err("a rank is out of range"));
    assert_eq!(with(&first(&[5, 3, 0, 2, 0])), Err("the buckets of a register are out of order"));
    let newest = [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x40];
    assert_eq!(with(&first(&newest)), Err("its newest bucket is out of range"));
    for length in 0..bytes.len() {
        assert!(codec::decode(&bytes[..length]).is_err(), "{length}");
    }
    for length in (0..full.len()).step_by(7) {
        assert!(codec::decode(&full[..length]).is_err(), "{length}");
    }
}

/// The bytes of the registers of a full sketch.
fn registers_of(actors: u64) -> Vec<u8> {
    let sketch = golden(actors);
    let empty = Sketch { registers: Registers::default(), ..sketch.clone() };
    let rest = codec::encode(&empty).len() - 1 - REGISTERS;
    codec::encode(&sketch)[rest..].to_vec()
}

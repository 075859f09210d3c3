//! The bytes of cells, whole, damaged and made up.

use std::time::Duration;

use proptest::prelude::*;
use tidal_types::{DecaySpec, EntityKind, Schema, SchemaBuilder, Timestamp, Window};

use super::super::super::shape::Slot;
use super::*;

fn schema(decay: DecaySpec, sums: bool) -> Schema {
    let windows = [Window::OneHour, Window::SevenDays, Window::AllTime];
    let mut builder = SchemaBuilder::new();
    builder.signal("view", EntityKind::Item, decay).windows(&windows).sums(sums).add();
    builder.build().unwrap()
}

fn shape(decay: DecaySpec, sums: bool) -> Shape {
    Shape::of(schema(decay, sums).signal("view").unwrap())
}

fn hour() -> Duration {
    Duration::from_secs(3600)
}

fn any_shape() -> impl Strategy<Value = Shape> {
    let decays = [
        DecaySpec::Exponential { half_life: hour() },
        DecaySpec::Linear { lifetime: hour() },
        DecaySpec::Linear { lifetime: Duration::from_nanos(7) },
        DecaySpec::Permanent,
    ];
    (prop::sample::select(decays.to_vec()), any::<bool>())
        .prop_map(|(decay, sums)| shape(decay, sums))
}

fn any_events() -> impl Strategy<Value = Vec<(u64, f64)>> {
    let start =
        prop_oneof![Just(0), Just(1_700_000_000_000_000_000), Just(u64::MAX - 40_000_000_000_000)];
    let event = (0..40_000_000_000_000_u64, prop_oneof![Just(1.0), Just(-0.0), -1e15..1e15_f64]);
    (start, prop::collection::vec(event, 1..30)).prop_map(|(start, events)| {
        events.into_iter().map(|(ahead, weight)| (start + ahead, weight)).collect()
    })
}

fn cell(shape: &Shape, events: &[(u64, f64)]) -> Cell {
    let mut events = events.iter().map(|&(time, weight)| RawEvent { time, weight });
    let mut cell = Cell::first(Seq::FIRST, events.next().unwrap());
    for (seq, event) in (2..).zip(events) {
        assert!(cell.apply(shape, Seq::new(seq), event));
    }
    cell
}

fn encoded(cell: &Cell) -> Vec<u8> {
    let mut out = Vec::new();
    encode(cell, &mut out);
    out
}

/// Whatever decodes encodes to the same bytes (F1), and can be read and folded
/// on (F3).
fn check_any(shape: &Shape, bytes: &[u8]) {
    let Ok(mut cell) = decode(bytes, shape) else {
        return;
    };
    assert_eq!(encoded(&cell), bytes, "F1");
    let next = cell.applied.next();
    for _ in 0..2 {
        for at in [Timestamp::MIN, cell.newest(), Timestamp::MAX] {
            assert!(cell.score(shape, at).is_finite(), "F3");
            assert_eq!(cell.rank_key(shape, at), cell.rank_key(shape, at));
            for (place, grid) in shape.windows.iter().enumerate() {
                let slot = Slot::Sliding { place, grid: *grid };
                assert!(cell.count(slot, at) <= cell.count(Slot::AllTime, at));
                assert!(cell.sum(slot, at).is_finite(), "F3");
            }
        }
        let newest = RawEvent { time: u64::MAX, weight: 1e15 };
        assert!(cell.apply(shape, next, newest) || next == cell.applied);
    }
}

proptest! {
    #[test]
    fn cells_survive_their_bytes(shape in any_shape(), events in any_events()) {
        let cell = cell(&shape, &events);
        let bytes = encoded(&cell);
        prop_assert_eq!(decode(&bytes, &shape), Ok(cell.clone()));
        prop_assert_eq!(encoded(&decode(&bytes, &shape).unwrap()), bytes.clone());
        let mut canonical = Vec::new();
        cell.encode_canonical(&mut canonical);
        prop_assert!(bytes.ends_with(&canonical) && canonical.len() + 2 == bytes.len());
    }

    #[test]
    fn no_prefix_is_a_cell(shape in any_shape(), events in any_events()) {
        let bytes = encoded(&cell(&shape, &events));
        for len in 0..bytes.len() {
            prop_assert_eq!(decode(&bytes[..len], &shape), Err(CellDamage::Truncated), "{}", len);
        }
        let mut longer = bytes;
        longer.push(0);
        prop_assert_eq!(decode(&longer, &shape), Err(CellDamage::Trailing));
    }

    #[test]
    fn any_flipped_bit_is_damage_or_another_cell_f1_f3(shape in any_shape(), events in any_events()) {
        let bytes = encoded(&cell(&shape, &events));
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            check_any(&shape, &flipped);
        }
    }

    #[test]
    fn any_bytes_are_damage_or_a_cell_f1_f3(
        shape in any_shape(),
        state in prop::collection::vec(prop_oneof![0..7_u8, any::<u8>()], 0..60),
        begun: bool,
    ) {
        check_any(&shape, &state);
        if begun {
            check_any(&shape, &[&[VERSION, 100, BUCKETED, 9], &state[..]].concat());
        }
    }
}

/// The bytes of a bucketed cell of a permanent signal with sums, by field.
fn bucketed(
    count: u64,
    newest: u64,
    hour: &[(u64, u64, f64)],
    week: &[(u64, u64, f64)],
) -> Vec<u8> {
    let mut out = vec![VERSION, 100, BUCKETED];
    put_u64(&mut out, count);
    put_f64(&mut out, 5.0);
    put_u64(&mut out, newest);
    for series in [hour, week] {
        put_u64(&mut out, series.len() as u64);
        for (place, &(gap, count, sum)) in series.iter().enumerate() {
            if place > 0 {
                put_u64(&mut out, gap);
            }
            put_u64(&mut out, count);
            put_f64(&mut out, sum);
        }
    }
    out
}

#[test]
fn each_kind_of_damage_is_told() {
    const MINUTE: u64 = 60_000_000_000;
    const DAY: u64 = 24 * 60 * MINUTE;
    let shape = shape(DecaySpec::Permanent, true);
    let week = [(0, 6, 5.0)];
    let problem = |bytes: &[u8]| decode(bytes, &shape).err();
    let series = |hour: &[(u64, u64, f64)]| problem(&bucketed(6, 100 * DAY, hour, &week));

    assert_eq!(series(&[(0, 2, 1.0), (61, 4, 1.0)]), Some(CellDamage::Buckets), "dead");
    assert_eq!(series(&[(0, 2, 1.0), (60, 4, 1.0)]), None);
    assert_eq!(series(&[]), Some(CellDamage::Buckets));
    assert_eq!(series(&[(0, 2, 1.0), (0, 4, 1.0)]), Some(CellDamage::Buckets), "twice");
    assert_eq!(series(&[(0, 2, 1.0), (u64::MAX, 4, 1.0)]), Some(CellDamage::Buckets));
    assert_eq!(series(&[(1, 1, 0.0); 62]), Some(CellDamage::Buckets), "too many");
    assert_eq!(series(&[(0, 0, 1.0)]), Some(CellDamage::Count));
    let hour_above_week = bucketed(8, 100 * DAY, &[(0, 7, 1.0)], &week);
    assert_eq!(problem(&hour_above_week), Some(CellDamage::Count), "more than in the week");
    assert_eq!(series(&[(0, u64::MAX, 1.0), (1, 2, 1.0)]), Some(CellDamage::Count));
    assert_eq!(series(&[(0, 2, f64::NAN)]), Some(CellDamage::OutOfRange));
    assert_eq!(series(&[(0, 2, f64::INFINITY)]), Some(CellDamage::OutOfRange));
    assert_eq!(series(&[(0, 2, f64::MAX)]), Some(CellDamage::OutOfRange));

    let counts =
        |count, newest, week| problem(&bucketed(count, newest, &[(0, 5, 5.0)], &[(0, week, 5.0)]));
    assert_eq!(counts(7, 100 * DAY, 6), None);
    assert_eq!(counts(5, 100 * DAY, 6), Some(CellDamage::Count), "more than there were");
    assert_eq!(counts(7, DAY, 6), Some(CellDamage::Count), "nothing can have left the window yet");
    assert_eq!(counts(4, 100 * DAY, 4), Some(CellDamage::Count), "so few would be sparse");
    assert_eq!(counts(101, 100 * DAY, 6), Some(CellDamage::Count), "more than there are seqs");

    assert_eq!(problem(&[]), Some(CellDamage::Truncated));
    assert_eq!(problem(&[2]), Some(CellDamage::Version(2)));
    assert_eq!(problem(&[VERSION, 1, 0]), Some(CellDamage::Form(0)));
    assert_eq!(problem(&[VERSION, 1, 6]), Some(CellDamage::Form(6)));
    assert_eq!(problem(&[VERSION, 1, 2, 0, 0, 0, 0]), Some(CellDamage::Count));
    assert_eq!(problem(&[VERSION, 2, 2, 0, 0, 0, 0]), None);
    assert_eq!(problem(&[VERSION, 0x82, 0, 2, 0, 0, 0, 0]), Some(CellDamage::Number));
    let mut huge = vec![VERSION, 1, 1, 0];
    put_f64(&mut huge, 1.1e15);
    assert_eq!(problem(&huge), Some(CellDamage::OutOfRange));
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn assert_golden(shape: &Shape, events: &[(u64, f64)], golden: &str) {
    let cell = cell(shape, events);
    assert_eq!(hex(&encoded(&cell)), golden);
}

/// Format 1 as it was released. Databases hold these bytes: they never change.
#[test]
fn the_bytes_of_format_1() {
    const START: u64 = 1_700_000_000_000_000_000;
    const SECOND: u64 = 1_000_000_000;
    let events: Vec<(u64, f64)> =
        (0..7).map(|i| (START + i * i * 700 * SECOND - (i % 3) * SECOND, i as f64 - 0.5)).collect();
    let exponential = shape(DecaySpec::Exponential { half_life: hour() }, true);
    let linear = shape(DecaySpec::Linear { lifetime: 100 * hour() }, false);
    assert_golden(
        &exponential,
        &events[..3],
        "0103038080d0e2c6bfce972fbfc10380b8acfad728bfc00380f8b1e2967abff003",
    );
    assert_golden(
        &exponential,
        &events,
        "01070507c0e2800480c0d9d998fdeccb17c0b680d3a28bc5b5a001000101c02c0401c02c0101c0240103c03c010200",
    );
    assert_golden(
        &linear,
        &events,
        "01070507c0e2800480c0d9d998fdeccb1705c02cc0a2c30101c024c0f4d60201c018c0e092830801c008c0ecda0301bff003c0faea830801010401010101030102",
    );
}

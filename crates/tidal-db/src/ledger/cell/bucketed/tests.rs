//! The packed buckets against maps of buckets, and what they cost.

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;
use tidal_types::{DecaySpec, EntityKind, SchemaBuilder, Window};

use super::super::block::ALLOCATION_BYTES;
use super::*;

const MINUTE: u64 = 60_000_000_000;

fn shape(decay: DecaySpec, sums: bool) -> Shape {
    let mut builder = SchemaBuilder::new();
    builder.signal("view", EntityKind::Item, decay).windows(&Window::ALL).sums(sums).add();
    Shape::of(builder.build().unwrap().signal("view").unwrap())
}

fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// A span and its buckets by index, each with a count, a sum and a moment. It knows what
/// is dead from the definition alone.
#[derive(Debug, Default)]
struct Model {
    span: i128,
    width: i128,
    buckets: BTreeMap<i128, (u64, f64, f64)>,
}

impl Model {
    fn new(span: u64, width: u64) -> Self {
        Self { span: span.into(), width: width.into(), ..Self::default() }
    }

    /// How many of a bucket's instants are alive.
    fn instants(&self, index: i128, at: u64) -> i128 {
        let last = index * self.width + self.width - 1;
        (last - (i128::from(at) - self.span)).clamp(0, self.width)
    }

    fn add(&mut self, newest: u64, event: RawEvent) {
        let index = i128::from(event.time) / self.width;
        let bucket = self.buckets.entry(index).or_default();
        bucket.0 += 1;
        bucket.1 += event.weight;
        let into = i128::from(event.time) - index * self.width;
        bucket.2 += event.weight * (into as u64 as f64 / 1e9);
        let dead = |index: &i128| self.instants(*index, newest) == 0;
        let dead: Vec<i128> = self.buckets.keys().copied().filter(dead).collect();
        for index in dead {
            self.buckets.remove(&index);
        }
    }

    fn live(&self, at: u64) -> impl Iterator<Item = (i128, i128, (u64, f64, f64))> {
        let live = self.buckets.iter().map(move |(index, all)| {
            let instants = self.instants(*index, at);
            (*index, instants, *all)
        });
        live.filter(|(_, instants, _)| *instants > 0)
    }

    fn count(&self, at: u64) -> u64 {
        let share = |(_, instants, (count, _, _)): (i128, i128, (u64, f64, f64))| {
            ((i128::from(count) * instants + self.width / 2) / self.width) as u64
        };
        self.live(at).map(share).sum()
    }

    fn sum(&self, at: u64) -> f64 {
        self.live(at).fold(0.0, |total, (_, instants, (_, sum, _))| {
            if instants == self.width {
                total + sum
            } else {
                total + sum * (instants as u64 as f64 / self.width as u64 as f64)
            }
        })
    }

    fn linear(&self, at: u64) -> f64 {
        let (mut edge, mut aged, mut moments) = (0.0, 0.0, 0.0);
        for (index, _, (_, sum, moment)) in self.live(at) {
            let left = self.span - (i128::from(at) - index * self.width);
            if left < 0 {
                let alive = (left + self.width) as u64 as f64;
                let span = self.span as u64 as f64;
                edge = sum * (alive / self.width as u64 as f64) * (alive / (2.0 * span));
            } else {
                aged += sum * left as u64 as f64;
                moments += moment;
            }
        }
        edge + aged / self.span as u64 as f64 + moments / (self.span as u64 as f64 / 1e9)
    }
}

/// A lifetime of nanoseconds, odd ones among them, or of a usual length.
fn any_lifetime() -> impl Strategy<Value = u64> {
    prop_oneof![
        1..400_u64,
        Just(59 * MINUTE + 7),
        Just(30 * 24 * 60 * MINUTE),
        1..3_000_000_000_000_000_000_u64
    ]
}

/// Events that crowd into a stretch that the lifetime or a window is comparable to.
fn any_events() -> impl Strategy<Value = Vec<RawEvent>> {
    let start = prop_oneof![Just(0_u64), Just(1_700_000_000_000_000_000), Just(u64::MAX / 2)];
    let reach = prop_oneof![
        Just(100_u64),
        Just(1000),
        Just(90 * MINUTE),
        Just(2000 * MINUTE),
        Just(80_000 * MINUTE)
    ];
    (start, reach).prop_flat_map(|(start, reach)| {
        let weight = prop_oneof![Just(1.0), Just(-0.0), -1e3..1e3_f64];
        let event = (0..=reach, weight)
            .prop_map(move |(ahead, weight)| RawEvent { time: start + ahead, weight });
        let events = prop::collection::vec(event, 5..400);
        // Half of them come in the order of time, and so fill what they fall into.
        (events, any::<bool>()).prop_map(|(mut events, in_order)| {
            if in_order {
                events.sort_by_key(|event| event.time);
            }
            events
        })
    })
}

proptest! {
    /// B1, W1, W2, X1, X2: bit for bit.
    #[test]
    fn packed_buckets_are_the_buckets(
        lifetime in any_lifetime(),
        sums: bool,
        events in any_events(),
        later in prop_oneof![Just(0_u64), 0..200_u64, 0..100_000 * MINUTE],
    ) {
        let shape = shape(DecaySpec::Linear { lifetime: Duration::from_nanos(lifetime) }, sums);
        let mut linear = Model::new(lifetime, lifetime.div_ceil(60));
        let spans = [60, 24 * 60, 7 * 24 * 60, 30 * 24 * 60].map(|minutes| minutes * MINUTE);
        let mut windows = spans.map(|span| Model::new(span, span / 60));
        let mut cell = Bucketed::of(&shape, &[]);
        let mut newest = 0;
        for (index, event) in events.iter().enumerate() {
            newest = newest.max(event.time);
            cell.fold(&shape, *event);
            linear.add(newest, *event);
            windows.iter_mut().for_each(|window| window.add(newest, *event));
            if index % 16 != 0 && index + 1 < events.len() {
                continue;
            }
            let at = newest + later;
            prop_assert_eq!(cell.score(&shape, at).to_bits(), linear.linear(at).to_bits());
            for (place, model) in windows.iter().enumerate() {
                let slot = Slot::Sliding { place, grid: shape.windows[place] };
                prop_assert_eq!(cell.count(slot, at), model.count(at), "{} at {}", place, at);
                if sums {
                    prop_assert_eq!(cell.sum(slot, at).to_bits(), model.sum(at).to_bits());
                }
                let kept: Vec<(u64, f64)> = cell.window_buckets(place)
                    .map(|(_, count, sum)| (count, sum.unwrap_or_default()))
                    .collect();
                let expected: Vec<(u64, f64)> = model.buckets.values().rev()
                    .map(|bucket| (bucket.0, if sums { bucket.1 } else { 0.0 }))
                    .collect();
                prop_assert_eq!(kept, expected);
            }
            let kept: Vec<(f64, f64)> =
                cell.linear_buckets().map(|(_, sum, moment)| (sum, moment)).collect();
            let expected: Vec<(f64, f64)> =
                linear.buckets.values().rev().map(|bucket| (bucket.1, bucket.2)).collect();
            prop_assert_eq!(kept, expected);
        }
        prop_assert_eq!(&cell.clone(), &cell);
    }
}

/// A cell in which every bucket is in use, with a few events in each: the newest event
/// is at the first instant of a bucket of each series, where a span touches one more
/// than it is long.
fn full(shape: &Shape) -> Bucketed {
    let minutes = [1, 24, 168, 720];
    let newest = 1_700_000_000_000_000_000_u64.next_multiple_of(5040 * MINUTE);
    let mut cell = Bucketed::of(shape, &[]);
    for back in (0..61).rev() {
        for minutes in minutes {
            let time = newest - back * minutes * MINUTE;
            cell.fold(shape, RawEvent { time, weight: 0.1 });
        }
    }
    cell
}

/// The same cell, whose largest bucket of each window has had so many events.
fn with_counts(mut cell: Bucketed, largest: u64) -> Bucketed {
    for place in 0..SLIDING_MAX {
        let series = cell.block.header().window(place);
        let wide = series.places.holding(largest);
        cell.block.widen(series, wide);
        cell.block.header_mut().set_window(place, wide, series.len);
    }
    cell
}

// G70.
/// The table in `block.rs`.
#[test]
fn the_busiest_cells_take_what_the_table_says_g70() {
    const SLOT: usize = 96;
    let month = secs(30 * 24 * 3600);
    let exponential = DecaySpec::Exponential { half_life: month };
    let linear = DecaySpec::Linear { lifetime: month };
    let table = [
        (exponential, false, [344, 584, 1072, 2048]),
        (exponential, true, [2296, 2536, 3024, 4000]),
        (linear, false, [1320, 1560, 2048, 3024]),
        (linear, true, [3272, 3512, 4000, 4976]),
    ];
    let largest = [255, 65_535, u64::from(u32::MAX), u64::MAX];
    for (decay, sums, expected) in table {
        let shape = shape(decay, sums);
        let full = full(&shape);
        assert_eq!(full.window_lens().collect::<Vec<_>>(), [61; 4], "{decay:?}");
        if matches!(decay, DecaySpec::Linear { .. }) {
            assert_eq!(full.linear_buckets().count(), 61);
        }
        let bytes = largest.map(|largest| {
            let wide = with_counts(full.clone(), largest);
            assert_eq!(wide, full, "whatever bytes the counts take");
            wide.heap_bytes()
        });
        assert_eq!(bytes, expected, "{decay:?}, sums: {sums}");
        // Up to four thousand million events in each bucket.
        assert!(bytes[2] + SLOT <= 4096, "{}", bytes[2]);
    }
}

#[test]
fn a_growing_cell_takes_little_more_than_it_uses() {
    let shape = shape(DecaySpec::Permanent, false);
    let mut cell = Bucketed::of(&shape, &[]);
    let mut largest = 0;
    for minute in 0..80_000 {
        cell.fold(&shape, RawEvent { time: minute * MINUTE, weight: 1.0 });
        largest = largest.max(cell.heap_bytes());
    }
    // Buckets of twelve hours hold 720 events: two bytes, the others one.
    assert!(cell.window_lens().all(|len| len >= 60));
    assert!(largest <= 80 + 320 + ALLOCATION_BYTES, "{largest}");
}

#[test]
fn a_count_grows_beyond_each_of_its_widths() {
    for sums in [false, true] {
        let shape = shape(DecaySpec::Linear { lifetime: secs(3600) }, sums);
        for largest in [255, 65_535, u64::from(u32::MAX)] {
            let mut cell = Bucketed::of(&shape, &[]);
            let event = |minute: u64| RawEvent { time: minute * MINUTE, weight: 0.5 };
            for minute in [0, 1, 1, 2, 3] {
                cell.fold(&shape, event(minute));
            }
            cell = with_counts(cell, largest);
            // The bucket of minute 1 is as full as its width allows.
            for place in 0..SLIDING_MAX {
                let series = cell.block.header().window(place);
                let (places, at) = (series.places, if place == 0 { 2 } else { 0 });
                let bucket = cell.block.bucket_mut(series.start, places.stride(), at);
                super::super::number::put_count(bucket, places, largest);
            }
            cell.fold(&shape, event(1));
            let hour: Vec<u64> = cell.window_buckets(0).map(|(_, count, _)| count).collect();
            assert_eq!(hour, [1, 1, largest + 1, 1], "sums: {sums}");
            for place in 1..SLIDING_MAX {
                let day: Vec<_> = cell.window_buckets(place).collect();
                assert_eq!(day, [(0, largest + 1, sums.then_some(3.0))]);
            }
            let (grid, at) = (shape.windows[0], 3 * MINUTE);
            assert_eq!(cell.count(Slot::Sliding { place: 0, grid }, at), largest + 4);
            assert_eq!(cell.linear_buckets().map(|bucket| bucket.1).sum::<f64>(), 3.0);
        }
    }
}

#[test]
fn the_oldest_bucket_counts_by_its_share_w2() {
    let shape = shape(DecaySpec::Permanent, true);
    let mut cell = Bucketed::of(&shape, &[]);
    for (minute, count) in [(0, 10), (30, 5), (60, 1)] {
        for _ in 0..count {
            cell.fold(&shape, RawEvent { time: minute * MINUTE, weight: 2.0 });
        }
    }
    let slot = Slot::Sliding { place: 0, grid: shape.windows[0] };
    let at = |seconds: u64| {
        (cell.count(slot, seconds * MINUTE / 60), cell.sum(slot, seconds * MINUTE / 60))
    };
    assert_eq!(at(3600).0, 16);
    assert_eq!(at(3630).0, 11);
    assert!((at(3630).1 - 22.0).abs() < 1e-6, "{}", at(3630).1);
    assert_eq!(at(3660), (6, 12.0));
    assert_eq!(at(100_000), (0, 0.0));
}

#[test]
fn whole_buckets_are_exact_and_the_edge_is_spread_evenly_x1() {
    // Buckets of 10 ns under a lifetime of 600 ns.
    let shape = shape(DecaySpec::Linear { lifetime: Duration::from_nanos(600) }, false);
    let mut cell = Bucketed::of(&shape, &[]);
    for (time, weight) in [(3, 1.0), (7, -2.0), (30, 4.0)] {
        cell.fold(&shape, RawEvent { time, weight });
    }
    let near =
        |at, expected: f64| assert!((cell.score(&shape, at) - expected).abs() < 1e-12, "{at}");
    near(300, (303.0 - 2.0 * 307.0 + 4.0 * 330.0) / 600.0);
    near(600, (3.0 - 2.0 * 7.0 + 4.0 * 30.0) / 600.0);
    near(606, 4.0 * 24.0 / 600.0 - 4.0 * 4.0 / (2.0 * 10.0 * 600.0));
    near(610, 4.0 * 20.0 / 600.0);
    near(630, 0.0);
    near(u64::MAX, 0.0);
}

#[test]
fn buckets_of_a_nanosecond_have_no_edge() {
    let shape = shape(DecaySpec::Linear { lifetime: Duration::from_nanos(2) }, false);
    let mut cell = Bucketed::of(&shape, &[]);
    for time in [u64::MAX - 1, u64::MAX] {
        cell.fold(&shape, RawEvent { time, weight: 1.0 });
    }
    assert_eq!(cell.score(&shape, u64::MAX), 1.5);
}

//! Sketches against plain sets.

mod damage;

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use proptest::prelude::*;
use proptest::sample::{Index, select};
use tidal_types::{DecaySpec, SchemaBuilder};

use super::sketch::Sketch;
use super::*;

const MINUTE: u64 = 60_000_000_000;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// The standard error that is promised.
const ERROR: f64 = 0.0325;

fn times(windows: &[Window]) -> Times {
    let mut builder = SchemaBuilder::new();
    let view = builder.signal("view", EntityKind::Item, DecaySpec::Permanent);
    view.windows(windows).uniques(true).add();
    Times::of(&builder.build().unwrap().signals()[0])
}

fn sketch(times: Times, events: &[(u64, u64)]) -> Sketch {
    let mut sketch = Sketch::default();
    events.iter().for_each(|&(actor, time)| sketch.add(times, actor, time));
    sketch
}

/// A number that follows from another, spread over all of them.
fn spread(number: u64) -> u64 {
    let hash = (number ^ 0x5eed).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (hash ^ (hash >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) ^ (hash >> 32)
}

const DECLARED: [&[Window]; 6] = [
    &[Window::OneHour],
    &[Window::OneHour, Window::TwentyFourHours],
    &[Window::SevenDays],
    &[Window::OneHour, Window::SevenDays, Window::AllTime],
    &[Window::TwentyFourHours, Window::ThirtyDays],
    &[Window::AllTime],
];

/// Actors and times: few and many, close together and beyond every window.
fn events() -> impl Strategy<Value = Vec<(u64, u64)>> {
    let span = select(vec![HOUR / 2, 3 * HOUR, 3 * DAY, 40 * DAY]);
    (span, select(vec![3_u64, 63, 64, 70, 400]), 0..500_usize).prop_flat_map(
        |(span, actors, len)| {
            // Sometimes to the second, so that many are tied.
            let time = (0..span, any::<bool>()).prop_map(|(time, is_tied)| {
                let time = 50 * DAY + time;
                if is_tied { time / MINUTE * MINUTE } else { time }
            });
            proptest::collection::vec((0..actors, time), len)
        },
    )
}

proptest! {
    /// G98, K1: in any order, and with events that come again.
    #[test]
    fn a_sketch_is_a_function_of_the_set_of_events(
        declared in select(DECLARED.to_vec()),
        events in events(),
        shuffled in Just(()).prop_flat_map(|()| any::<u64>()),
        again in proptest::collection::vec(any::<Index>(), 0..100),
    ) {
        let times = times(declared);
        let expected = sketch(times, &events);
        let mut others = events.clone();
        others.extend(again.iter().filter(|_| !events.is_empty()).map(|at| *at.get(&events)));
        others.sort_by_key(|&(actor, time)| spread(shuffled ^ spread(actor) ^ time));
        prop_assert_eq!(&sketch(times, &others), &expected);
        // Folding some or all of it again over the end changes nothing.
        let mut twice = expected.clone();
        others.iter().for_each(|&(actor, time)| twice.add(times, actor, time));
        prop_assert_eq!(&twice, &expected);
        prop_assert_eq!(codec::encode(&twice), codec::encode(&expected));
    }

    /// G98: exact for few, and estimated for many, in every window, now and later.
    #[test]
    fn windows_count_whom_a_set_counts(
        declared in select(DECLARED.to_vec()),
        events in events(),
        later in prop_oneof![Just(0), 0..2 * HOUR, 0..2 * DAY],
    ) {
        let times = times(declared);
        let sketch = sketch(times, &events);
        let newest = events.iter().map(|event| event.1).max().unwrap_or(50 * DAY);
        let at = newest + later;
        let width = declared[0].duration().map_or(0, |span| span.as_nanos() as u64 / 60);
        for &window in declared {
            let cut = cut(window, Timestamp::from_nanos(at));
            let inside = |behind: u64| {
                let acted = events.iter().filter(|event| event.1 > behind || cut.is_none());
                acted.map(|event| event.0).collect::<HashSet<_>>().len()
            };
            let exact = inside(cut.unwrap_or_default());
            let counted = sketch.count(times, cut);
            if exact < 64 {
                prop_assert_eq!(counted, exact as f64, "{}", window);
            } else {
                let most = inside(cut.unwrap_or_default().saturating_sub(width)) as f64;
                let range = exact as f64 * (1.0 - 6.0 * ERROR)..=most * (1.0 + 6.0 * ERROR);
                prop_assert!(range.contains(&counted), "{}: {} not in {:?}", window, counted, range);
            }
        }
    }
}

/// G98: the standard error is what is promised, whatever the number, and there is no bias.
/// (The seeds are fixed.)
#[test]
fn estimates_are_within_the_standard_error() {
    const TRIALS: u64 = 100;
    let times = times(&[Window::AllTime]);
    for size in [64_u64, 100, 300, 1000, 2500, 4000, 10_000, 30_000] {
        let mut errors = Vec::new();
        for trial in 0..TRIALS {
            let mut sketch = Sketch::default();
            for actor in 0..size {
                sketch.add(times, spread(trial << 32 | actor), actor);
            }
            let error = sketch.count(times, None) / size as f64 - 1.0;
            assert!(error.abs() <= 4.0 * ERROR, "{size} in trial {trial}: {error}");
            errors.push(error);
        }
        let mean = errors.iter().sum::<f64>() / TRIALS as f64;
        let square = errors.iter().map(|error| error * error).sum::<f64>() / TRIALS as f64;
        let within = errors.iter().filter(|error| error.abs() <= 3.0 * ERROR).count();
        assert!(square.sqrt() <= 1.2 * ERROR, "{size}: {}", square.sqrt());
        assert!(mean.abs() <= ERROR / 3.0, "{size}: {mean}");
        assert!(within >= 98, "{size}: {within} of {TRIALS} within three standard errors");
    }
}

/// Ids that follow each other, as applications and tidalDB give them, and large numbers.
#[test]
fn many_actors_with_neighbouring_ids_are_estimated_well() {
    let times = times(&[Window::OneHour, Window::AllTime]);
    for stride in [1, 64, 1000, 1 << 40] {
        let mut sketch = Sketch::default();
        let mut size = 0_u64;
        for next in [70, 1000, 20_000, 200_000, 1_000_000] {
            for actor in size..next {
                sketch.add(times, actor.wrapping_mul(stride), DAY + actor);
            }
            size = next;
            let error = sketch.count(times, None) / size as f64 - 1.0;
            assert!(error.abs() <= 3.0 * ERROR, "{size} by {stride}: {error}");
        }
    }
}

/// G98: an actor outside of the window by up to a bucket may count where actors are many,
/// and one that is further outside does not.
#[test]
fn the_edge_of_a_window_is_one_bucket() {
    let times = times(&[Window::OneHour]);
    let mut sketch = Sketch::default();
    // One thousand actors in the first second, and a hundred an hour later.
    for actor in 0..1000 {
        sketch.add(times, actor, DAY + actor);
    }
    for actor in 1000..1100 {
        sketch.add(times, actor, DAY + HOUR - 1);
    }
    let counted = |at| sketch.count(times, cut(Window::OneHour, Timestamp::from_nanos(at)));
    assert!(counted(DAY + HOUR - 1) > 900.0);
    assert!(counted(DAY + HOUR + MINUTE - 2) > 900.0, "within the bucket");
    let left = counted(DAY + HOUR + MINUTE - 1);
    assert!((left - 100.0).abs() <= 100.0 * 3.0 * ERROR, "{left}");
    assert_eq!(counted(DAY + 2 * HOUR - 1), 0.0);
}

/// Whoever did not act for as long as the longest window takes no room, and late events
/// from before it are not taken.
#[test]
fn what_no_window_touches_is_gone() {
    let windows = &[Window::OneHour, Window::TwentyFourHours];
    let times = times(windows);
    let mut sketch = Sketch::default();
    for actor in 0..5000 {
        sketch.add(times, actor, DAY + actor * 1000);
    }
    let busy = sketch.bytes();
    sketch.add(times, 7, 3 * DAY);
    assert_eq!(sketch, super::tests::sketch(times, &[(7, 3 * DAY)]));
    assert!(sketch.bytes() < busy / 4, "{} of {busy} bytes", sketch.bytes());
    sketch.add(times, 8, 2 * DAY - MINUTE);
    assert_eq!(sketch, super::tests::sketch(times, &[(7, 3 * DAY)]));
}

/// The documentation tells these sizes.
#[test]
fn sketches_take_as_many_bytes_as_is_told() {
    let mut told = BTreeMap::new();
    for windows in [&[Window::AllTime][..], &[Window::OneHour, Window::SevenDays]] {
        for size in [1_u64, 63, 64, 1000, 100_000] {
            let times = times(windows);
            let mut sketch = Sketch::default();
            for actor in 0..size {
                let time = 20_000 * DAY + actor * (7 * DAY / size) + spread(actor) % MINUTE;
                sketch.add(times, actor, time);
            }
            let bytes = (codec::encode(&sketch).len(), UniqueRows::bytes(&sketch));
            told.insert((windows.len(), size), bytes);
        }
    }
    println!("{told:?}");
    let most = |windows, size| told[&(windows, size)];
    assert!(most(1, 1).0 <= 20 && most(2, 1).0 <= 20);
    assert!(most(1, 63).0 <= 700 && most(2, 63).0 <= 700);
    assert!(most(1, 100_000).0 <= 3000 && most(1, 100_000).1 <= 20_000);
    assert!(most(2, 100_000).0 <= 20_000 && most(2, 100_000).1 <= 70_000);
}

/// U1: who was forgotten counts as before, and is not there any more.
#[test]
fn forgotten_users_count_on_without_their_ids() {
    let times = times(&[Window::OneHour, Window::AllTime]);
    let key =
        UniqueKey { kind: EntityKind::Item, id: EntityId::new(3), signal: SignalTypeId::new(0) };
    for size in [2, 64, 500] {
        let events: Vec<(u64, u64)> = (0..size).map(|actor| (actor, DAY + actor / 2)).collect();
        let before = sketch(times, &events);
        let forgotten: HashSet<EntityId> = [size - 1, size - 2].map(EntityId::new).into();
        let mut after = before.clone();
        assert!(after.names_any(&forgotten));
        assert!(after.unname(key, &forgotten));
        assert!(!after.names_any(&forgotten));
        assert!(!after.unname(key, &forgotten), "nothing is left to do");
        for cut in [None, Some(DAY), Some(DAY + size / 2 - 2)] {
            assert_eq!(after.count(times, cut), before.count(times, cut));
        }
        assert_eq!(codec::decode(&codec::encode(&after)), Ok(after));
    }
}

/// Time passes through to the width of a bucket.
#[test]
fn buckets_are_a_sixtieth_of_the_shortest_window_that_ends() {
    let of = |windows| times(windows).bucket(DAY + HOUR);
    assert_eq!(of(&[Window::OneHour, Window::ThirtyDays]), (DAY + HOUR) / MINUTE);
    assert_eq!(of(&[Window::SevenDays, Window::AllTime]), (DAY + HOUR) / (7 * DAY / 60));
    assert_eq!(of(&[Window::AllTime]), 0);
    assert_eq!(Duration::from_nanos(HOUR), Window::OneHour.duration().unwrap());
}

//! C1 to C3, beside plain sums over the same events.

use tidal_bench_measure::Random;

use super::*;
use crate::job::ALIGNED;

const START: u64 = ALIGNED * 168_000;
const DAY: u64 = 86_400_000;

/// Events of an item within so long, of which half come late.
fn events(seed: u64, count: usize, span: u64) -> Vec<Event> {
    let mut random = Random::new(seed);
    (0..count as u64)
        .map(|number| {
            let late = if random.below(2) == 0 { random.below(span / 2 + 1) } else { 0 };
            let time = START + span / 2 + number * (span / 2) / count as u64 - late;
            Event { item: 1, weight: (random.below(40) + 1) as f64 / 4.0, time }
        })
        .collect()
}

fn packed(events: &[Event]) -> Vec<u8> {
    let mut cell = Cell::default();
    for event in events {
        cell.add(event);
    }
    written(&cell)
}

fn written(cell: &Cell) -> Vec<u8> {
    let mut bytes = Vec::new();
    cell.write(&mut bytes);
    bytes
}

fn assert_answers(bytes: &[u8], events: &[Event], end: u64) {
    let answer = answer(bytes, end).unwrap();
    let counts = WINDOWS.map(|window| {
        events.iter().filter(|event| event.time >= end - window.length).count() as u64
    });
    assert_eq!(answer.counts, counts, "at {end}");
    let score: f64 = events
        .iter()
        .map(|event| event.weight * libm::exp2(-((end - event.time) as f64) / DAY as f64))
        .sum();
    assert!((answer.score - score).abs() <= 1e-11 * score, "{} instead of {score}", answer.score);
}

fn newest(events: &[Event]) -> u64 {
    events.iter().map(|event| event.time).max().unwrap()
}

/// The boundaries of buckets behind the newest event, the first one, and others.
fn ends(events: &[Event]) -> impl Iterator<Item = u64> {
    let first = newest(events) / ALIGNED + 1;
    [0, 1, 8, 60, 61, 1000].into_iter().map(move |later| (first + later) * ALIGNED)
}

#[test]
fn answers_are_plain_sums() {
    for (seed, span) in [(1, 60_000), (2, 3_600_000), (3, DAY), (4, 7 * DAY), (5, 40 * DAY)] {
        for count in [1, 2, 3, 100, 3000] {
            let events = events(seed, count, span);
            let bytes = packed(&events);
            for end in ends(&events) {
                assert_answers(&bytes, &events, end);
            }
        }
    }
}

#[test]
fn an_hour_is_counted_by_the_minute() {
    // As late as an hour begins just before the newest event, and no bucket later.
    let (newest, hour) = (START + 3_600_000 - 1, WINDOWS[0]);
    let times = [newest, START, START - 1];
    let events = times.map(|time| Event { item: 1, weight: 1.0, time });
    for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0]] {
        let bytes = packed(&order.map(|place| events[place]));
        assert_eq!(answer(&bytes, newest + 1).unwrap().counts[0], 2);
        assert_eq!(answer(&bytes, newest + 1 + hour.width).unwrap().counts[0], 1);
    }
}

#[test]
fn merged_in_any_groups_it_is_the_same() {
    for span in [3_600_000, 8 * DAY, 100 * DAY] {
        let events = events(7, 600, span);
        let whole = packed(&events);
        for size in [1, 7, 300] {
            let parts: Vec<_> = events.chunks(size).map(packed).collect();
            let mut forth = Cell::default();
            let mut back = Cell::default();
            for part in &parts {
                forth.merge(part).unwrap();
            }
            for part in parts.iter().rev() {
                back.merge(part).unwrap();
            }
            for bytes in [written(&forth), written(&back)] {
                // All but the last digits of the sum.
                assert_eq!(bytes[8..], whole[8..]);
                for end in ends(&events) {
                    assert_answers(&bytes, &events, end);
                }
            }
        }
    }
}

#[test]
fn what_no_window_reaches_is_left_out() {
    let mut cell = Cell::default();
    let (mut most, step) = (0, WINDOWS[0].width / 2);
    for number in 0..100_000 {
        cell.add(&Event { item: 1, weight: 1.0, time: START + number * step });
        most = most.max(written(&cell).len());
    }
    assert!(most <= HEAD + 3 + 3 * 61 * 4, "{most}");
    cell.add(&Event { item: 1, weight: 1.0, time: START + 100_000 * step + 8 * DAY });
    assert_eq!(written(&cell).len(), HEAD + 3 + 3 * 2);
    // One that comes later than any window reaches is in the sum only.
    cell.add(&Event { item: 1, weight: 1.0, time: START });
    assert_eq!(written(&cell).len(), HEAD + 3 + 3 * 2);
}

#[test]
fn a_cell_that_is_cleared_is_empty() {
    let events = events(9, 500, DAY);
    let mut cell = Cell::default();
    cell.merge(&packed(&events)).unwrap();
    cell.clear();
    cell.add(&events[0]);
    assert_eq!(written(&cell), packed(&events[..1]));
}

#[test]
fn times_at_the_epoch_are_times() {
    let events = [0, 1, 59_999, 60_000].map(|time| Event { item: 1, weight: 1.0, time });
    assert_eq!(answer(&packed(&events), ALIGNED).unwrap().counts, [0, 4, 4]);
    assert_eq!(answer(&packed(&events), 60_001).unwrap().counts, [4, 4, 4]);
}

#[test]
fn damaged_bytes_are_an_error() {
    let bytes = packed(&events(3, 400, 3 * DAY));
    let read = |bytes: &[u8]| {
        let merged = Cell::default().merge(bytes).is_ok();
        assert_eq!(merged, answer(bytes, START + 4 * DAY).is_ok());
        merged
    };
    assert!(read(&bytes));
    for length in 0..bytes.len() {
        assert!(!read(&bytes[..length]), "{length}");
    }
    assert!(!read(&[bytes.as_slice(), &[0]].concat()));
    // Whatever a byte becomes, nothing panics, and what is read is written and read again.
    for place in 0..bytes.len() {
        for flip in 1..=255 {
            let mut damaged = bytes.clone();
            damaged[place] ^= flip;
            let mut cell = Cell::default();
            if cell.merge(&damaged).is_ok() {
                assert!(read(&written(&cell)));
            }
            assert_eq!(
                answer(&damaged, START).is_ok(),
                decayed(&damaged).is_ok() && read(&damaged)
            );
        }
    }
    let head = &packed(&[Event { item: 1, weight: 1.0, time: START }])[..HEAD];
    let newest = (START / WINDOWS[0].width % 64) as u8;
    let one = |window: &[u8]| read(&[head, window, &[0, 0]].concat());
    assert!(one(&[1, newest, 1]));
    assert!(one(&[1, newest, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]));
    for window in [
        &[1, newest, 0][..],
        &[1, (newest + 1) % 64, 1],
        &[1, newest | 64, 1],
        &[2, newest, 1, newest, 1],
        &[2, newest, 1, (newest + 63) % 64, 1],
        &[2, (newest + 63) % 64, 1, (newest + 63) % 64, 1],
        &[1, newest, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0],
    ] {
        assert!(!one(window), "{window:?}");
    }
}

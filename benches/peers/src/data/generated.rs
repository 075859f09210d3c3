//! Traffic that is made up, the same every time: each item has an event, a few items have
//! most of the others, and one event in sixteen is late.

use tidal_bench_measure::{Random, spread};

use crate::job::{ALIGNED, Event};

/// Of every item so many events, up to [`EVENTS`].
const EVENTS_PER_ITEM: u64 = 10;

/// The most events, if there are not more items; those beyond this are the first ones of
/// the items and [`MORE`].
const EVENTS: u64 = 10_000_000;
const MORE: u64 = 2_000_000;

/// The first event is so long before the last: eight days.
const SPAN: u64 = 8 * 86_400_000;

/// The end of the stream, in the year 2023.
const END: u64 = 168_600 * ALIGNED;

/// A late event is so much late at most: an hour.
const LATE_MAX: u64 = 3_600_000;

pub(super) fn events(items: u64) -> Vec<Event> {
    let count = (EVENTS_PER_ITEM * items).min(EVENTS).max(items + MORE.min(9 * items));
    let (mut popular, mut random) = (Popular::new(items), Random::new(0x1a7e));
    (0..count)
        .map(|number| {
            // Items are met for the first time all along the stream.
            let turn = number * items / count;
            let is_first = number == 0 || turn != (number - 1) * items / count;
            let item = if is_first { spread(turn, items) } else { popular.item() };
            let time = END - SPAN + (number * SPAN) / count;
            let late = if random.below(16) == 0 { random.below(LATE_MAX) } else { 0 };
            Event { item, weight: 1.0, time: time - late }
        })
        .collect()
}

/// Items as they are asked for: the one of rank k with a share in proportion to 1/k, which
/// is Zipf's law.
#[derive(Debug, Clone)]
pub(crate) struct Popular {
    items: u64,
    random: Random,
}

impl Popular {
    /// Items 1 to `items`.
    pub(crate) const fn new(items: u64) -> Self {
        Self { items, random: Random::new(0x5eed) }
    }

    /// Others than those of `new`, in the same shares.
    pub(crate) const fn seeded(items: u64, seed: u64) -> Self {
        Self { items, random: Random::new(0x5eed ^ (seed << 20)) }
    }

    /// The next one.
    pub(crate) fn item(&mut self) -> u64 {
        let drawn = (self.random.number() >> 11) as f64 / (1_u64 << 53) as f64;
        // The shares up to rank k are ln(k + 1) of ln(items + 1).
        let rank = libm::exp(drawn * libm::log(self.items as f64 + 1.0)) as u64 - 1;
        spread(rank, self.items)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn every_item_has_an_event_and_few_have_most() {
        let items = 1000;
        let events = events(items);
        assert_eq!(events.len(), 10_000);
        let mut counts: HashMap<u64, u64> = HashMap::new();
        for event in &events {
            *counts.entry(event.item).or_default() += 1;
        }
        assert_eq!(counts.len() as u64, items);
        let mut counts: Vec<_> = counts.into_values().collect();
        counts.sort_unstable();
        let top: u64 = counts.iter().rev().take(10).sum();
        // The first ten of a thousand ranks have ln 11 of ln 1001 of nine in ten events.
        assert!((2_800..3_500).contains(&top), "{top}");
    }

    #[test]
    fn some_are_late_and_none_is_at_the_end() {
        let events = events(1000);
        let late = events.windows(2).filter(|pair| pair[1].time < pair[0].time).count();
        assert!((400..900).contains(&late), "{late}");
        assert!(events.iter().all(|event| event.time < END));
    }
}

//! What the answers have to be: plain sums over all events.
//!
//! O1. A system whose answers differ is not measured: a score by more than
//!     [`TOLERANCE`] of itself, a count at all, a ranking in who is in it. Of items whose
//!     scores are that close, either may come first, or at all.
//! O2. At an `end` that is no boundary of buckets, a count may differ by what the oldest
//!     bucket of its window has, and no more.

use std::collections::{HashMap, HashSet};

use tidal_bench_measure::{Random, Result};

use crate::data::Data;
use crate::job::{Answer, Decayed, Event, PLACES, WINDOWS, score_of};
use crate::system::Client;

/// What a score may be wrong by, as a share of itself: its logarithm is kept in 53 bits by
/// those that rank by it.
const TOLERANCE: f64 = 1e-9;

/// Besides the most popular items so many others are asked for.
const SAMPLE: usize = 1000;

/// An `end` that is no boundary is so much later.
const UNALIGNED: u64 = 1_234_567;

/// The answers that are asked for.
#[derive(Debug)]
pub(crate) struct Oracle {
    end: u64,
    /// The events of the items that are asked for.
    events: HashMap<u64, Vec<Event>>,
    /// All items by their ranks, highest first.
    ranking: Vec<(f64, u64)>,
}

impl Oracle {
    pub(crate) fn new(data: &Data) -> Self {
        let mut sums: HashMap<u64, Decayed> = HashMap::new();
        for event in &data.events {
            sums.entry(event.item).or_default().add(event.weight, event.time);
        }
        let mut ranking: Vec<_> = sums.iter().map(|(&item, sum)| (sum.rank(), item)).collect();
        ranking.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        let mut random = Random::new(0xa5c);
        let mut events: HashMap<u64, Vec<Event>> = ranking
            .iter()
            .take(2 * PLACES)
            .map(|&(_, item)| item)
            .chain((0..SAMPLE).map(|_| random.below(data.items) + 1))
            .map(|item| (item, Vec::new()))
            .collect();
        for event in &data.events {
            if let Some(of_item) = events.get_mut(&event.item) {
                of_item.push(*event);
            }
        }
        Self { end: data.end, events, ranking }
    }

    /// Compares a system's answers with these.
    ///
    /// # Errors
    ///
    /// Says what differs; and whatever the system says.
    pub(crate) fn check(&self, client: &mut dyn Client) -> Result<()> {
        for (&item, events) in &self.events {
            let answer = client.read(item, self.end)?;
            let expected = exact(events, self.end);
            if !is_close(answer.score, expected.score) || answer.counts != expected.counts {
                return Err(format!("item {item}: {answer:?} instead of {expected:?}").into());
            }
            self.check_counts(item, events, client.read(item, self.end + UNALIGNED)?)?;
        }
        let absent = client.read(u64::from(u32::MAX), self.end)?;
        if absent != Answer::default() {
            return Err(format!("an item without events: {absent:?}").into());
        }
        self.check_top(client)
    }

    /// O2.
    fn check_counts(&self, item: u64, events: &[Event], answer: Answer) -> Result<()> {
        let end = self.end + UNALIGNED;
        for (window, count) in WINDOWS.into_iter().zip(answer.counts) {
            let (oldest, _) = window.oldest(end);
            let of = |first: u64| {
                events.iter().filter(|event| event.time >= first * window.width).count() as u64
            };
            let (least, most) = (of(oldest + 1), of(oldest));
            if !(least..=most).contains(&count) {
                let name = window.name;
                return Err(
                    format!("item {item}: {count} within {name}, not {least} to {most}").into()
                );
            }
        }
        Ok(())
    }

    fn check_top(&self, client: &mut dyn Client) -> Result<()> {
        let top = client.top(PLACES, self.end)?;
        if top.len() != self.ranking.len().min(PLACES) {
            return Err(format!("{} places", top.len()).into());
        }
        let Some(last) = top.last() else { return Ok(()) };
        let expected = |rank: f64| score_of(rank, self.end);
        let lowest = last.score * (1.0 - TOLERANCE);
        let may_be_in: HashMap<u64, f64> = self
            .ranking
            .iter()
            .map(|&(rank, item)| (item, expected(rank)))
            .take_while(|&(_, score)| score >= lowest)
            .collect();
        let mut seen = HashSet::new();
        for (place, &(rank, item)) in top.iter().zip(&self.ranking) {
            let score = expected(rank);
            if !is_close(place.score, score) {
                return Err(format!("{place:?} where {item} has {score}").into());
            }
            let is_its_own =
                may_be_in.get(&place.item).is_some_and(|&score| is_close(place.score, score));
            if !is_its_own || !seen.insert(place.item) {
                return Err(format!("{place:?} is not the score of that item, or twice").into());
            }
        }
        Ok(())
    }
}

fn exact(events: &[Event], end: u64) -> Answer {
    let mut sum = Decayed::default();
    for event in events {
        sum.add(event.weight, event.time);
    }
    let counts = WINDOWS.map(|window| {
        events.iter().filter(|event| event.time >= end - window.length).count() as u64
    });
    Answer { score: sum.at(end), counts }
}

fn is_close(score: f64, expected: f64) -> bool {
    (score - expected).abs() <= TOLERANCE * expected.abs()
}

#[cfg(test)]
mod tests;

//! The cell that has seen more events than it can keep: totals and buckets.
//!
//! B1. The number of events, the newest time and every bucket's count depend on
//!     the set of events alone; the sums also on their order, in the last bits.

use super::super::grid::Grid;
use super::super::shape::{Decay, Shape, Slot};
use super::block::{Block, Fading, Header, SLIDING_MAX, Series};
use super::decayed::Decayed;
use super::event::RawEvent;
use super::linear::{self, Linear};
use super::places::Places;
use super::window::{self, Window};

const AS_ITS_TYPE: &str = "a cell fades as its signal type does";

/// The state of a cell with more than a few events.
#[derive(Debug, Clone)]
pub(super) struct Bucketed {
    pub(super) block: Block,
}

impl Bucketed {
    /// The cell that has seen `events`, folded in this order.
    pub(super) fn of(shape: &Shape, events: &[RawEvent]) -> Self {
        let fading = match shape.decay {
            Decay::Exponential { .. } => Fading::Exponential(Decayed::default()),
            Decay::Linear(_) => Fading::Linear(Places::PAIRS),
            Decay::Permanent => Fading::Permanent,
        };
        let mut windows = [Places::default(); SLIDING_MAX];
        for (window, _) in windows.iter_mut().zip(&shape.windows) {
            *window = Places::counts(shape.sums);
        }
        let mut bucketed = Self { block: Block::new(Header::new(fading, windows), &[]) };
        for event in events {
            bucketed.fold(shape, *event);
        }
        bucketed
    }

    /// How many events there ever were.
    pub(super) fn events(&self) -> u64 {
        self.block.header().count
    }

    /// The newest time, in nanoseconds since the epoch.
    pub(super) fn newest(&self) -> u64 {
        self.block.header().newest
    }

    pub(super) fn fold(&mut self, shape: &Shape, event: RawEvent) {
        let header = self.block.header_mut();
        let before = header.newest;
        header.count += 1;
        header.weight_sum += event.weight;
        header.newest = before.max(event.time);
        match shape.decay {
            Decay::Exponential { rate_per_sec, .. } => {
                let decayed = header.decayed_mut();
                decayed.expect(AS_ITS_TYPE).add(rate_per_sec, event);
            }
            Decay::Linear(lifetime) => self.fold_linear(lifetime, before, event),
            Decay::Permanent => {}
        }
        let mut start = self.block.header().linear().bytes();
        for (place, grid) in shape.windows.iter().enumerate().rev() {
            start += self.fold_window(start, place, *grid, before, event);
        }
    }

    fn fold_linear(&mut self, grid: Grid, before: u64, event: RawEvent) {
        let series = self.block.header().linear();
        let moved = series.places.moved_on(grid, before, self.newest());
        let age = moved.age_of(grid, event.time);
        if let Some((places, len)) = self.make_room(series, moved.places, age) {
            self.block.header_mut().set_linear(places, len);
        }
        if let Some(age) = age {
            let into = event.time - moved.first_of(grid, age);
            let place = moved.places.younger(age);
            let bucket = self.block.bucket_mut(0, series.places.stride(), place);
            linear::add(bucket, event.weight, into);
        }
    }

    /// Folds into a window whose buckets begin at `start`, and returns how many bytes
    /// they have.
    fn fold_window(
        &mut self,
        start: usize,
        place: usize,
        grid: Grid,
        before: u64,
        event: RawEvent,
    ) -> usize {
        let header = self.block.header();
        let mut series = header.window_at(place, start);
        let moved = series.places.moved_on(grid, before, header.newest);
        let age = moved.age_of(grid, event.time);
        if let Some((places, len)) = self.make_room(series, moved.places, age) {
            self.block.header_mut().set_window(place, places, len);
            series = Series { places, len, start };
        }
        if let Some(age) = age {
            let younger = series.places.younger(age);
            let bucket = self.block.bucket_mut(start, series.places.stride(), younger);
            if !window::add(bucket, series.places, event.weight) {
                series = self.widened(series, place);
                let bucket = self.block.bucket_mut(start, series.places.stride(), younger);
                let fits = window::add(bucket, series.places, event.weight);
                debug_assert!(fits, "a wider number has room for one more event");
            }
        }
        series.bytes()
    }

    /// Drops the buckets of a series that have died, and makes the one of an event if it
    /// is not there. Answers what the series has now, and how many, if that is something
    /// else.
    #[inline]
    fn make_room(
        &mut self,
        series: Series,
        kept: Places,
        age: Option<u64>,
    ) -> Option<(Places, usize)> {
        let new = age.filter(|age| !kept.has(*age));
        if kept == series.places && new.is_none() {
            return None;
        }
        let kept_len = kept.len();
        if kept_len < series.len || new.is_some() {
            self.block.reshape(series, kept_len, new.map(|age| kept.younger(age)));
        }
        Some(new.map_or((kept, kept_len), |age| (kept.with(age), kept_len + 1)))
    }

    /// Gives the counts of a window twice the bytes.
    #[cold]
    fn widened(&mut self, series: Series, place: usize) -> Series {
        let to = series.places.wider();
        self.block.widen(series, to);
        self.block.header_mut().set_window(place, to, series.len);
        Series { places: to, ..series }
    }

    pub(super) fn count(&self, slot: Slot, at: u64) -> u64 {
        match slot {
            Slot::AllTime => self.events(),
            Slot::Sliding { place, grid } => self.window(place, grid).count(at),
        }
    }

    pub(super) fn sum(&self, slot: Slot, at: u64) -> f64 {
        match slot {
            Slot::AllTime => self.block.header().weight_sum,
            Slot::Sliding { place, grid } => self.window(place, grid).sum(at),
        }
    }

    pub(super) fn score(&self, shape: &Shape, at: u64) -> f64 {
        match shape.decay {
            Decay::Exponential { rate_per_sec, .. } => self.decayed().at(rate_per_sec, at),
            Decay::Linear(lifetime) => self.linear(lifetime).score(at),
            Decay::Permanent => self.block.header().weight_sum,
        }
    }

    /// The decayed sum of a cell whose decay is exponential.
    pub(super) fn decayed(&self) -> Decayed {
        match self.block.header().fading() {
            Fading::Exponential(decayed) => decayed,
            Fading::Linear(_) | Fading::Permanent => unreachable!("{AS_ITS_TYPE}"),
        }
    }

    /// The buckets of a linear score.
    pub(super) fn linear(&self, grid: Grid) -> Linear<'_> {
        let series = self.block.header().linear();
        let buckets = self.block.buckets(series);
        Linear { grid, newest: self.newest(), places: series.places, buckets }
    }

    /// The buckets of the window at a place of the shape.
    pub(super) fn window(&self, place: usize, grid: Grid) -> Window<'_> {
        let series = self.block.header().window(place);
        let buckets = self.block.buckets(series);
        Window { grid, newest: self.newest(), places: series.places, buckets }
    }

    /// The buckets of a linear score, newest first: age, sum, moment.
    pub(super) fn linear_buckets(&self) -> impl Iterator<Item = (u64, f64, f64)> {
        let series = self.block.header().linear();
        linear::buckets(series.places, self.block.buckets(series))
    }

    /// How many buckets each window has, shortest first.
    pub(super) fn window_lens(&self) -> impl Iterator<Item = usize> {
        let header = self.block.header();
        (0..SLIDING_MAX).map(|place| header.window(place).len).take_while(|&len| len > 0)
    }

    /// The buckets of a window, newest first: age, count, sum of weights.
    pub(super) fn window_buckets(
        &self,
        place: usize,
    ) -> impl Iterator<Item = (u64, u64, Option<f64>)> {
        let series = self.block.header().window(place);
        window::buckets(series.places, self.block.buckets(series))
    }

    /// Bytes on the heap, with what the allocator needs.
    pub(super) fn heap_bytes(&self) -> usize {
        self.block.heap_bytes()
    }
}

impl PartialEq for Bucketed {
    /// Whatever bytes the counts take.
    fn eq(&self, other: &Self) -> bool {
        let ((a, b), windows) = ((self.block.header(), other.block.header()), 0..SLIDING_MAX);
        a.count == b.count
            && a.weight_sum == b.weight_sum
            && a.newest == b.newest
            && a.fading() == b.fading()
            && self.linear_buckets().eq(other.linear_buckets())
            && windows.into_iter().all(|at| self.window_buckets(at).eq(other.window_buckets(at)))
    }
}

#[cfg(test)]
mod tests;

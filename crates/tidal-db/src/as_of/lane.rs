//! A lane: the accumulators of one quantity, one for each moment of each entity.
//!
//! A moment is a time at which an entity is looked at. The moments of one entity are
//! in order, each once, and lie side by side in every lane. An event is added where the
//! first moment sees it, and taken into account until the moment at which it has left
//! the window.
//!
//! Rounding (A1): a weight that fades exponentially is carried from moment to moment,
//! each step a product of numbers between 0 and 1; one that fades evenly is
//! kept as its value at the last moment of a node and what it has more at earlier ones,
//! both of them of its own sign; so no difference of large numbers is taken.

use super::ranges::{above, cover};

const NANOS_PER_SEC: f64 = 1e9;

/// What a lane accumulates. Spans are in nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Quantity {
    /// The sum of the weights, which fade by this rate, if they do.
    Carried { rate_per_sec: Option<f64> },
    /// The sum of the weights, which fade evenly over a lifetime.
    Fading { lifetime: u64 },
    /// How many there are in a window, or ever.
    Counted { span: Option<u64> },
    /// The sum of the weights in a window.
    Summed { span: u64 },
}

/// The moments of one entity.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moments<'a> {
    /// The place of the first among the moments of all entities.
    pub(super) first: usize,
    /// Nanoseconds since the epoch, in order, each once.
    pub(super) times: &'a [u64],
}

impl Moments<'_> {
    /// The first moment that is not before `time`.
    pub(super) fn from(&self, time: u64) -> usize {
        self.times.partition_point(|&moment| moment < time)
    }

    /// The first moment at which an event of `time` has left a window.
    fn leaving(&self, time: u64, span: u64) -> usize {
        time.checked_add(span).map_or(self.times.len(), |end| self.from(end))
    }

    fn time(&self, moment: usize) -> u64 {
        self.times.get(moment).copied().unwrap_or_default()
    }
}

/// The accumulators of one quantity.
#[derive(Debug)]
pub(super) struct Lane {
    quantity: Quantity,
    /// Of [`Quantity::Counted`]: by how much the count changes at a moment, and once it
    /// is finished, the count.
    counts: Vec<u64>,
    /// One for each moment, or two when they are trees.
    sums: Vec<f64>,
    /// Of [`Quantity::Fading`]: for each node the weights times the nanoseconds they
    /// have left at its last moment.
    lefts: Vec<f64>,
}

impl Lane {
    pub(super) fn new(quantity: Quantity, moment_count: usize) -> Self {
        let (counts, sums, lefts) = match quantity {
            Quantity::Counted { .. } => (moment_count, 0, 0),
            Quantity::Carried { .. } => (0, moment_count, 0),
            Quantity::Summed { .. } => (0, 2 * moment_count, 0),
            Quantity::Fading { .. } => (0, 2 * moment_count, 2 * moment_count),
        };
        Self { quantity, counts: vec![0; counts], sums: vec![0.0; sums], lefts: vec![0.0; lefts] }
    }

    /// Adds an event, which the moments see from `seen` on.
    pub(super) fn add(&mut self, moments: Moments<'_>, seen: usize, time: u64, weight: f64) {
        let len = moments.times.len();
        match self.quantity {
            Quantity::Carried { rate_per_sec } => {
                if let Some(sum) = self.sums.get_mut(moments.first + seen) {
                    *sum += weight * left(rate_per_sec, moments.time(seen).saturating_sub(time));
                }
            }
            Quantity::Counted { span } => {
                let leaving = span.map_or(len, |span| moments.leaving(time, span));
                if seen < leaving {
                    self.change(moments.first + seen, 1);
                    if leaving < len {
                        self.change(moments.first + leaving, u64::MAX);
                    }
                }
            }
            Quantity::Summed { span } => {
                let tree = self.sums.get_mut(2 * moments.first..).unwrap_or_default();
                cover(len, seen..moments.leaving(time, span), |node| {
                    add(tree, node.place, weight);
                });
            }
            Quantity::Fading { lifetime } => {
                let sums = self.sums.get_mut(2 * moments.first..).unwrap_or_default();
                let lefts = self.lefts.get_mut(2 * moments.first..).unwrap_or_default();
                cover(len, seen..moments.leaving(time, lifetime), |node| {
                    let age = moments.time(node.last).saturating_sub(time);
                    add(sums, node.place, weight);
                    add(lefts, node.place, weight * lifetime.saturating_sub(age) as f64);
                });
            }
        }
    }

    /// Brings what was added at each moment forward to the later ones.
    pub(super) fn finish(&mut self, moments: Moments<'_>) {
        let places = moments.first..moments.first + moments.times.len();
        match self.quantity {
            Quantity::Counted { .. } => {
                let mut count = 0_u64;
                for slot in self.counts.get_mut(places).unwrap_or_default() {
                    count = count.wrapping_add(*slot);
                    *slot = count;
                }
            }
            Quantity::Carried { rate_per_sec } => {
                let (mut sum, mut since) = (0.0, moments.time(0));
                let slots = self.sums.get_mut(places).unwrap_or_default();
                for (slot, &time) in slots.iter_mut().zip(moments.times) {
                    sum = sum * left(rate_per_sec, time - since) + *slot;
                    since = time;
                    *slot = sum;
                }
            }
            Quantity::Summed { .. } | Quantity::Fading { .. } => {}
        }
    }

    /// The count at a moment, once it is finished.
    pub(super) fn count(&self, moments: Moments<'_>, moment: usize) -> u64 {
        self.counts.get(moments.first + moment).copied().unwrap_or_default()
    }

    /// The sum at a moment, once it is finished.
    pub(super) fn sum(&self, moments: Moments<'_>, moment: usize) -> f64 {
        let len = moments.times.len();
        let sum = match self.quantity {
            Quantity::Counted { .. } => 0.0,
            Quantity::Carried { .. } => get(&self.sums, moments.first + moment),
            Quantity::Summed { .. } => {
                let nodes = above(len, moment);
                nodes.map(|node| get(&self.sums, 2 * moments.first + node.place)).sum()
            }
            Quantity::Fading { lifetime } => {
                let lifted = above(len, moment).map(|node| {
                    let place = 2 * moments.first + node.place;
                    let earlier = moments.time(node.last).saturating_sub(moments.time(moment));
                    get(&self.lefts, place) + get(&self.sums, place) * earlier as f64
                });
                lifted.sum::<f64>() / lifetime as f64
            }
        };
        // A negative sum underflows to -0, and adding 0 makes that 0.
        sum + 0.0
    }

    fn change(&mut self, place: usize, by: u64) {
        if let Some(slot) = self.counts.get_mut(place) {
            *slot = slot.wrapping_add(by);
        }
    }
}

fn add(sums: &mut [f64], place: usize, weight: f64) {
    if let Some(slot) = sums.get_mut(place) {
        *slot += weight;
    }
}

fn get(sums: &[f64], place: usize) -> f64 {
    sums.get(place).copied().unwrap_or_default()
}

/// What is left of one after `nanos`.
fn left(rate_per_sec: Option<f64>, nanos: u64) -> f64 {
    rate_per_sec.map_or(1.0, |rate| libm::exp(-rate * (nanos as f64 / NANOS_PER_SEC)))
}

//! The list of one measure: its highest and its lowest entities.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};

use tidal_types::{EntityId, Timestamp};

use super::super::measure::{Gauge, Scale};
use super::super::rank_key::RankKey;
use super::super::shape::Shape;
use super::ordered::{End, Gathered, Ordered};

/// Bounds are looked at again once what they lose by time alone may have lost one part in so
/// many of its span: a sixteenth of a bucket.
const STEPS_PER_SPAN: u64 = 960;

/// However often a list was made in vain, it is made again once it has faded and then fallen
/// short so many times.
const PATIENCE_MAX: u32 = 1024;

/// The two ends of one measure.
#[derive(Debug)]
pub(in super::super) struct List {
    pub(super) gauge: Gauge,
    pub(super) scale: Scale,
    /// In how many nanoseconds values fade by time alone, if they do.
    fades_over: Option<u64>,
    pub(super) highest: Ordered,
    /// Of those that may be below 0.
    pub(super) lowest: Ordered,
    /// The newest event when it was made.
    made: Timestamp,
    /// The newest event when bounds were last looked at again, and how far in.
    tightened: Timestamp,
    tightened_to: usize,
    /// How far queries went since then, at each end.
    met: [AtomicUsize; 2],
    /// Whether one of them knows that bounds are wider than they need to be.
    is_loose: AtomicBool,
    is_worn: AtomicBool,
    /// How often it fell short after it had faded.
    shortfalls: AtomicU32,
    /// How often made the list before it worn.
    patience: u32,
    /// Whether it fell short as it was made: one that is made again may as well.
    is_in_vain: AtomicBool,
}

/// The list of a measure while it is made.
#[derive(Debug)]
pub(super) struct Making {
    pub(super) gauge: Gauge,
    highest: Gathered,
    lowest: Gathered,
}

impl Making {
    pub(super) const fn new(gauge: Gauge, max: usize) -> Self {
        Self { gauge, highest: Gathered::new(max), lowest: Gathered::new(max) }
    }

    pub(super) fn push(&mut self, id: EntityId, (least, most): (RankKey, RankKey)) {
        self.highest.push(End::Highest.entry(most, id));
        if least.is_negative() {
            self.lowest.push(End::Lowest.entry(least, id));
        }
    }

    pub(super) fn finish(self, shape: &Shape, as_of: Timestamp, patience: u32) -> List {
        List {
            gauge: self.gauge,
            scale: self.gauge.scale(shape),
            fades_over: self.gauge.fades_over(shape),
            highest: Ordered::of(self.highest),
            lowest: Ordered::of(self.lowest),
            made: as_of,
            tightened: as_of,
            tightened_to: 0,
            met: [AtomicUsize::new(0), AtomicUsize::new(0)],
            is_loose: AtomicBool::new(false),
            is_worn: AtomicBool::new(false),
            shortfalls: AtomicU32::new(0),
            patience: patience.max(1),
            is_in_vain: AtomicBool::new(false),
        }
    }
}

impl List {
    /// Puts entities in their places by their bounds, each in turn; one without bounds has no
    /// cell.
    pub(super) fn set_all(
        &mut self,
        all: impl Iterator<Item = (EntityId, Option<(RankKey, RankKey)>)> + Clone,
    ) {
        let highest = all
            .clone()
            .map(|(id, bounds)| (id, bounds.map(|(_, most)| End::Highest.entry(most, id))));
        self.highest.set_all(highest);
        let lowest = all.map(|(id, bounds)| {
            let least = bounds.map(|(least, _)| least).filter(|least| least.is_negative());
            (id, least.map(|least| End::Lowest.entry(least, id)))
        });
        self.lowest.set_all(lowest);
    }

    pub(in super::super) const fn end(&self, end: End) -> &Ordered {
        match end {
            End::Highest => &self.highest,
            End::Lowest => &self.lowest,
        }
    }

    /// Whether every event up to the newest has faded from it at the time `at`. An event is
    /// given the length of its bucket beyond the span.
    pub(in super::super) fn is_over(&self, at: Timestamp, newest: Timestamp) -> bool {
        self.fades_over.is_some_and(|span| {
            let over =
                newest.as_nanos().checked_add(span).and_then(|end| end.checked_add(span / 32 + 2));
            over.is_some_and(|over| at.as_nanos() >= over)
        })
    }

    /// Notes how many entries a query has met, so that the next looks at their bounds again
    /// first.
    pub(in super::super) fn met(&self, end: End, entries: usize) {
        if let Some(met) = self.met.get(end as usize) {
            met.fetch_max(entries, Ordering::Relaxed);
        }
    }

    /// The same, of a query that knows that many of the bounds are wider than they need to be.
    pub(in super::super) fn met_loose(&self, end: End, entries: usize) {
        self.met(end, entries);
        self.is_loose.store(true, Ordering::Relaxed);
    }

    /// Whether time alone changes what is in it.
    pub(in super::super) const fn fades(&self) -> bool {
        self.fades_over.is_some()
    }

    /// Whether the bounds that queries have met had better be looked at again: one knows, or
    /// they may have faded since they were, or were not.
    pub(super) fn needs_tightening(&self, newest: Timestamp) -> bool {
        let met = self.met.iter().map(|met| met.load(Ordering::Relaxed)).max().unwrap_or_default();
        let may_have_faded = met > self.tightened_to || self.has_faded(self.tightened, newest);
        self.is_loose.load(Ordering::Relaxed) || met > 0 && may_have_faded
    }

    /// The entities whose bounds are looked at again now.
    pub(super) fn tighten(&mut self, newest: Timestamp) -> Vec<EntityId> {
        if self.has_faded(self.tightened, newest) {
            (self.tightened, self.tightened_to) = (newest, 0);
        }
        self.is_loose.store(false, Ordering::Relaxed);
        let [highest, lowest] = self.met.each_ref().map(|met| met.swap(0, Ordering::Relaxed));
        self.tightened_to = self.tightened_to.max(highest).max(lowest);
        let highest = self.highest.entries().take(highest);
        let lowest = self.lowest.entries().take(lowest);
        highest.chain(lowest).map(|entry| entry.id()).collect()
    }

    /// For a query that needed more than there is: if a list that is made now would have
    /// more, this one is to be made again. Time alone says so at first; where lists fell short
    /// as they were made, after twice as many shortfalls each time.
    pub(in super::super) fn fell_short(&self, end: End, newest: Timestamp) -> bool {
        let ordered = self.end(end);
        if self.tightened == self.made {
            self.is_in_vain.store(true, Ordering::Relaxed);
        }
        let is_worn = ordered.len() < ordered.max() / 2
            || self.has_faded(self.made, newest)
                && self.shortfalls.fetch_add(1, Ordering::Relaxed) + 1 >= self.next_patience();
        self.is_worn.fetch_or(is_worn, Ordering::Relaxed);
        is_worn
    }

    /// How many shortfalls it stands; the list that is made in its place begins from there.
    pub(super) fn next_patience(&self) -> u32 {
        if self.is_in_vain.load(Ordering::Relaxed) {
            self.patience.saturating_mul(2).min(PATIENCE_MAX)
        } else {
            1
        }
    }

    pub(super) fn is_worn(&self) -> bool {
        self.is_worn.load(Ordering::Relaxed)
    }

    /// Whether bounds as of `before` may be wider by now than they need to be.
    fn has_faded(&self, before: Timestamp, newest: Timestamp) -> bool {
        self.fades_over.is_some_and(|span| {
            newest.as_nanos().saturating_sub(before.as_nanos()) > span / STEPS_PER_SPAN
        })
    }

    pub(super) fn bytes(&self) -> usize {
        size_of::<Self>() + self.highest.bytes() + self.lowest.bytes()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tidal_types::{DecaySpec, EntityKind, SchemaBuilder};

    use super::*;

    /// G90: a list that is always made in vain is made again all the same, if rarely.
    #[test]
    fn patience_has_an_end_g90() {
        let mut schema = SchemaBuilder::new();
        let decay = DecaySpec::Linear { lifetime: Duration::from_secs(3600) };
        schema.signal("view", EntityKind::Item, decay).add();
        let schema = schema.build().unwrap();
        let shape = Shape::of(schema.signal("view").unwrap());
        let [made, later] = [1, 2].map(|hours| Timestamp::from_nanos(hours * 3_600_000_000_000));
        let (mut patience, mut stood) = (0, Vec::new());
        for _ in 0..13 {
            let list = Making::new(Gauge::Score, 1).finish(&shape, made, patience);
            assert_eq!(list.next_patience(), 1);
            assert!(!list.fell_short(End::Highest, made), "it is as it would be anew");
            let shortfalls = (1..).find(|_| list.fell_short(End::Highest, later));
            assert_eq!(shortfalls, Some(list.next_patience()));
            patience = list.next_patience();
            stood.push(patience);
        }
        assert_eq!(stood, [2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 1024, 1024, 1024]);
    }
}

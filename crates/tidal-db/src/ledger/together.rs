//! Folding many events, so that what each of them waits for is waited for together.
//!
//! There are more cells than a cache has room for, and finding and changing one reads about
//! ten places that are in none: of the index, the slot, the buckets. One event after the
//! other would wait for each. So a run is sorted by shard, and of a few events of one shard
//! all cells are looked at first: those reads do not depend on each other, and a processor
//! does them side by side.
//!
//! G1. The events of a shard are folded in the order of the run: each cell sees what it
//!     would have seen, bit for bit.
//! G2. The lock of a shard is held for at most [`TOGETHER`] events.
//! G3. Looking ahead changes nothing, and nothing depends on what was seen.

use std::hint::black_box;
use std::sync::atomic::Ordering;

use tidal_types::{AcceptedEvent, Seq, SignalTypeId, TidalError, Timestamp};

use super::SignalLedger;
use super::cell::RawEvent;
use super::shards::{Place, SHARDS, Shard};

/// How many cells are looked at before the first of them is changed. A processor has about
/// so many reads of memory under way at once, and a reader who waits for the lock waits for
/// a few microseconds.
const TOGETHER: usize = 16;

/// Fewer events than this are not sorted: there would be nothing to do side by side.
const SORTED_MIN: usize = 16;

/// An event and where its cell is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Placed {
    pub(super) place: Place,
    pub(super) seq: Seq,
    pub(super) signal: SignalTypeId,
    pub(super) event: RawEvent,
}

impl Placed {
    pub(super) const fn of(seq: Seq, event: &AcceptedEvent) -> Self {
        let (place, signal) = (Place::of(event.entity()), event.signal());
        Self { place, seq, signal, event: RawEvent::of(event) }
    }
}

/// The events of a run by shard, and those of one in the order of the run (G1).
#[derive(Debug)]
pub(super) struct ByShard {
    events: Vec<Placed>,
    /// Where the events of each shard end.
    ends: [usize; SHARDS],
}

impl ByShard {
    fn of(run: &[(Seq, AcceptedEvent)]) -> Self {
        let shard = |event: &AcceptedEvent| Place::of(event.entity()).shard();
        let mut ends = [0; SHARDS];
        let run = || run.iter().filter(|(seq, _)| *seq != Seq::ZERO);
        for (_, event) in run() {
            *ends.get_mut(shard(event)).expect(SHARD) += 1;
        }
        let mut start = 0;
        for end in &mut ends {
            start += std::mem::replace(end, start);
        }
        // Each is where its shard begins, and goes on to where it ends.
        let any = run().next().map(|(seq, event)| Placed::of(*seq, event));
        let mut events = any.map_or_else(Vec::new, |any| vec![any; start]);
        for (seq, event) in run() {
            let end = ends.get_mut(shard(event)).expect(SHARD);
            *events.get_mut(*end).expect("each event was counted") = Placed::of(*seq, event);
            *end += 1;
        }
        Self { events, ends }
    }

    fn of_shard(&self, shard: usize) -> &[Placed] {
        let start = shard.checked_sub(1).and_then(|before| self.ends.get(before));
        let range = start.copied().unwrap_or_default()..*self.ends.get(shard).expect(SHARD);
        self.events.get(range).unwrap_or_default()
    }
}

const SHARD: &str = "a shard's number is below SHARDS";

impl SignalLedger {
    /// Folds a run of events, each as [`SignalLedger::apply`] does. A reader may see a later
    /// event of one entity and not yet an earlier one of another.
    ///
    /// # Errors
    /// A failure, and its record. Some events before and behind it may be folded then, and
    /// the same run can be folded again.
    pub(crate) fn apply_together(
        &self,
        run: &[(Seq, AcceptedEvent)],
    ) -> Result<(), (Seq, TidalError)> {
        if run.len() < SORTED_MIN {
            let mut run = run.iter();
            return run.try_for_each(|(seq, event)| {
                self.apply(*seq, event).map_err(|error| (*seq, error))
            });
        }
        let events = self.by_shard(run);
        (0..SHARDS).try_for_each(|shard| self.apply_shard(shard, &events))
    }

    /// The events of a run by shard, which are about to be folded.
    pub(super) fn by_shard(&self, run: &[(Seq, AcceptedEvent)]) -> ByShard {
        let events = ByShard::of(run);
        // Before the cells: who reads at the newest time then sees none ahead of it.
        if let Some(newest) = events.events.iter().map(|placed| placed.event.time).max() {
            self.restore_newest(Timestamp::from_nanos(newest));
        }
        events
    }

    /// Folds the events of one shard. The first failure ends it, and says of which record
    /// it was.
    pub(super) fn apply_shard(
        &self,
        shard: usize,
        events: &ByShard,
    ) -> Result<(), (Seq, TidalError)> {
        for few in events.of_shard(shard).chunks(TOGETHER) {
            let mut rest = few.iter();
            while !rest.as_slice().is_empty() {
                self.apply_resident(shard, &mut rest);
                // Its cell is in storage, of which no lock is held while it is read.
                if let Some(event) = rest.next() {
                    self.apply_placed(event).map_err(|error| (event.seq, error))?;
                }
            }
        }
        Ok(())
    }

    /// Folds events under one lock, as far as their cells are in memory, or are new.
    fn apply_resident(&self, number: usize, events: &mut std::slice::Iter<'_, Placed>) {
        let mut shard = self.shards.write(number);
        look_ahead(&shard, events.as_slice());
        let mut cells = 0_i64;
        while let Some(event) = events.as_slice().first() {
            let Some(came) = self.fold_resident(&mut shard, event) else {
                break;
            };
            cells += came;
            events.next();
        }
        drop(shard);
        if cells != 0 {
            self.cell_count.fetch_add(cells.cast_unsigned(), Ordering::Release);
        }
    }
}

/// G3: reads what folding these events will read. Step by step, since what is read in one
/// step says where to read in the next, and reads of one step wait for nothing.
fn look_ahead(shard: &Shard, events: &[Placed]) {
    let mut slots = [None; TOGETHER];
    for (slot, event) in slots.iter_mut().zip(events) {
        let table = shard.table(event.signal);
        *slot = table.guess(event.place.hash).map(|number| (table, number));
    }
    let mut seen = 0;
    for (table, number) in slots.iter().flatten() {
        seen ^= table.slot(*number).glance();
    }
    let mut cells = [None; TOGETHER];
    for (cell, (table, number)) in cells.iter_mut().zip(slots.iter().flatten()) {
        *cell = table.busy(*number);
    }
    for cell in cells.iter().flatten() {
        seen ^= cell.glance();
    }
    black_box(seen);
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tidal_types::{DecaySpec, EntityId, EntityKind, Event, SchemaBuilder};

    use super::*;

    /// G1, and that no record is number 0.
    #[test]
    fn events_are_by_shard_and_in_their_order_g1() {
        let mut builder = SchemaBuilder::new();
        builder.signal("view", EntityKind::Item, DecaySpec::Permanent).add();
        let ledger = SignalLedger::new(Arc::new(builder.build().unwrap()));
        let accept = |seq: u64| {
            let at = Timestamp::from_nanos(2000 - seq);
            let event = Event::new("view", EntityId::new(seq % 300), 1.0, at);
            (Seq::new(seq), ledger.schema().accept(&event).unwrap())
        };
        let run: Vec<_> = (0..1000).map(accept).collect();
        let events = ledger.by_shard(&run);
        assert_eq!(ledger.newest_event(), Some(Timestamp::from_nanos(1999)));
        let mut seqs = Vec::new();
        for shard in 0..SHARDS {
            let own = events.of_shard(shard);
            assert!(own.iter().all(|placed| placed.place.shard() == shard));
            assert!(own.is_sorted_by_key(|placed| placed.seq));
            seqs.extend(own.iter().map(|placed| placed.seq.get()));
        }
        seqs.sort_unstable();
        assert_eq!(seqs, (1..1000).collect::<Vec<_>>());
        ledger.apply_together(&run).unwrap();
        assert_eq!(ledger.cell_count(), 300);
        ledger.apply_together(&vec![accept(0); 100]).unwrap();
        assert_eq!(ledger.cell_count(), 300);
    }
}

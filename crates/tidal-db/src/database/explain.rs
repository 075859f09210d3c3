//! What a score is made of: from memory at once, or event by event from the log.

mod events;

use tidal_types::{EntityId, Seq, TidalError, Timestamp};

use self::events::Events;
use super::TidalDB;
use crate::Result;
use crate::ledger::{CellParts, Explanation, Part, PartKind, Shape};
use crate::log::RecordLog;
use crate::record;

/// What an explanation leaves unsaid, relative to the absolute contributions: the error
/// of adding them up.
const ROUNDING: f64 = 1e-12;

impl TidalDB {
    /// The score of a signal on an entity at the time `at`, taken apart into parts whose
    /// contributions sum to it, and its window counts, each taken apart into whole
    /// buckets and the one that the beginning of the window divides.
    ///
    /// It tells what is in memory: of an entity with at most four events each of them;
    /// of others the buckets of a linear score, the one decayed sum of an exponential
    /// score, or the total of one that does not fade. [`TidalDB::explain_from_log`] goes
    /// down to events. An entity without events has no parts, and the score 0.
    ///
    /// # Errors
    /// [`UnknownSignal`](crate::SchemaError::UnknownSignal);
    /// [`BeforeNewest`](crate::TidalError::BeforeNewest);
    /// [`Closed`](crate::TidalError::Closed).
    pub fn explain(&self, signal: &str, id: EntityId, at: Timestamp) -> Result<Explanation> {
        self.at_time(signal, at, |ledger, signal| Ok(ledger.explain(signal, id, at)?.0))
    }

    /// The same, with every event that the log keeps as a part of its own: its time,
    /// weight, what the decay leaves of it, and contribution. When there are more than
    /// `parts_max` (at least 1), all of them are grouped by hour, by day, or by as many
    /// days as it takes, and [`Explanation::grouped`] says so.
    ///
    /// What the score has of events that the log does not keep any more is one further
    /// part, [`PartKind::BeforeLog`]. So is, as [`PartKind::Rest`], what the read
    /// estimates or rounds.
    ///
    /// It reads the whole log once, for minutes if that is long, holding no lock, and
    /// takes memory for `parts_max` parts. Of a database in memory, which keeps no log,
    /// everything is before the log.
    ///
    /// # Errors
    /// Those of [`TidalDB::explain`], and those of reading the log, also when it is cut
    /// meanwhile.
    pub fn explain_from_log(
        &self,
        signal: &str,
        id: EntityId,
        at: Timestamp,
        parts_max: usize,
    ) -> Result<Explanation> {
        let (mut explanation, cell) =
            self.at_time(signal, at, |ledger, signal| ledger.explain(signal, id, at))?;
        if cell.events == 0 {
            return Ok(explanation);
        }
        let definition = self.schema().require(signal)?;
        let log = &*self.parts().log;
        // What is folded may not be durable yet, and a reader sees durable records only.
        log.sync()?;
        // Both passes begin here, or fail when the log is cut in between.
        let first = log.first_seq();
        let read = |skipped: u64| {
            let mut events = Events::new(Shape::of(definition).decay, cell.at, parts_max.max(1));
            let mut seen = 0_u64;
            for_each_event(log, first, &cell, |found_signal, found, weight, time| {
                if found_signal == definition.id() && found == id {
                    seen += 1;
                    if seen > skipped {
                        events.add(time.as_nanos(), weight);
                    }
                }
            })?;
            Ok::<_, TidalError>((seen, events))
        };
        let (seen, mut events) = read(0)?;
        // The cell knows the last events of the entity; those before them were forgotten,
        // though the log may still have them.
        if let Some(forgotten) = seen.checked_sub(cell.events).filter(|&more| more > 0) {
            events = read(forgotten)?.1;
        }
        if self.state()?.forgotten.contains(definition.kind(), id) {
            // Meanwhile; what was read of it is told to nobody.
            return self.explain(signal, id, at);
        }
        explanation.grouped = events.grouped();
        explanation.parts = events.into_parts();
        explanation.parts.splice(0..0, rest(&cell, &explanation.parts));
        Ok(explanation)
    }
}

/// Shows the signal type, entity, weight and time of every event in the log, from the
/// record `first` on, that the cell may have.
fn for_each_event(
    log: &dyn RecordLog,
    first: Seq,
    cell: &CellParts,
    mut show: impl FnMut(tidal_types::SignalTypeId, EntityId, f64, Timestamp),
) -> Result<()> {
    let mut is_over = false;
    let read = log.read_from(first, &mut |record| {
        if record.seq > cell.applied {
            // Refusing a record ends the reading, which else might follow the writers.
            is_over = true;
            return Err(TidalError::Closed);
        }
        if let Some((signal, entity, weight, time, _)) = record::event_parts(record) {
            show(signal, entity, weight, time);
        }
        Ok(())
    });
    if is_over { Ok(()) } else { read }
}

/// What the score has beside the events that were found.
fn rest(cell: &CellParts, parts: &[Part]) -> Option<Part> {
    let sum = |of: fn(&Part) -> f64| parts.iter().map(of).sum::<f64>();
    let found: u64 = parts.iter().filter_map(|part| part.events).sum();
    let contribution = cell.score - sum(|part| part.contribution);
    if found < cell.events {
        let weight = cell.weight - sum(|part| part.weight);
        let part = Part::of(PartKind::BeforeLog, weight, contribution);
        return Some(Part { events: Some(cell.events - found), ..part });
    }
    let scale = sum(|part| part.contribution.abs()) + cell.score.abs();
    let is_said = contribution.abs() <= ROUNDING * scale;
    (!is_said).then(|| Part::of(PartKind::Rest, 0.0, contribution))
}

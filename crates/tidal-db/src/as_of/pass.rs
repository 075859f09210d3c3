//! One pass over the log, for some of the rows.

use std::collections::HashMap;

use tidal_types::{AcceptedEvent, EntityId, Timestamp};

use super::PlacedRow;
use super::lane::{Lane, Moments};
use super::plan::Plan;
use super::request::AsOfClock;

/// The accumulators of a pass.
#[derive(Debug)]
pub(super) struct Pass<'p> {
    plan: &'p Plan<'p>,
    entities: HashMap<EntityId, Place>,
    /// The moments of all entities, those of one side by side, in order, each once.
    times: Vec<u64>,
    lanes: Vec<Lane>,
}

/// Where the moments of an entity are.
#[derive(Debug, Clone, Copy)]
struct Place {
    first: usize,
    len: usize,
}

/// What a pass has accumulated for a row.
#[derive(Debug)]
pub(super) struct Reading<'p> {
    lanes: &'p [Lane],
    moments: Moments<'p>,
    moment: usize,
}

impl<'p> Pass<'p> {
    /// A pass for these rows, which are in order of entity and time.
    pub(super) fn new(plan: &'p Plan<'p>, rows: &[PlacedRow]) -> Self {
        let mut entities = HashMap::new();
        let mut times = Vec::new();
        for of_entity in rows.chunk_by(|(one, _, _), (other, _, _)| one == other) {
            let first = times.len();
            let moments = of_entity.chunk_by(|(_, one, _), (_, other, _)| one == other);
            times.extend(moments.filter_map(|same| same.first()).map(|(_, at, _)| at.as_nanos()));
            if let Some(&(id, _, _)) = of_entity.first() {
                entities.insert(id, Place { first, len: times.len() - first });
            }
        }
        let lanes = plan.lanes.iter().map(|&quantity| Lane::new(quantity, times.len())).collect();
        Self { plan, entities, times, lanes }
    }

    /// Takes the next event of the log.
    pub(super) fn take(&mut self, event: &AcceptedEvent, log_time: Timestamp) {
        let lanes = self.plan.by_signal.get(usize::from(event.signal().get()));
        let Some(lanes) = lanes.filter(|lanes| !lanes.is_empty()) else {
            return;
        };
        let Some(&place) = self.entities.get(&event.entity()) else {
            return;
        };
        let moments = moments(&self.times, place);
        let time = event.timestamp();
        let known = match self.plan.clock {
            AsOfClock::Event => time,
            AsOfClock::Known => time.max(log_time),
        };
        let seen = moments.from(known.as_nanos());
        if seen == moments.times.len() {
            return;
        }
        for &lane in lanes {
            if let Some(lane) = self.lanes.get_mut(lane) {
                lane.add(moments, seen, time.as_nanos(), event.weight());
            }
        }
    }

    /// Ends the pass: the log has no more.
    pub(super) fn finish(&mut self) {
        for &place in self.entities.values() {
            let moments = moments(&self.times, place);
            for lane in &mut self.lanes {
                lane.finish(moments);
            }
        }
    }

    /// What was accumulated for a row of this pass, which is finished.
    pub(super) fn read(&self, id: EntityId, at: Timestamp) -> Reading<'_> {
        let place = self.entities.get(&id).copied().unwrap_or(Place { first: 0, len: 0 });
        let moments = moments(&self.times, place);
        Reading { lanes: &self.lanes, moments, moment: moments.from(at.as_nanos()) }
    }
}

impl Reading<'_> {
    /// The sum in a lane.
    pub(super) fn sum(&self, lane: usize) -> f64 {
        self.lanes.get(lane).map_or(0.0, |lane| lane.sum(self.moments, self.moment))
    }

    /// The count in a lane.
    pub(super) fn count(&self, lane: usize) -> u64 {
        self.lanes.get(lane).map_or(0, |lane| lane.count(self.moments, self.moment))
    }
}

fn moments(times: &[u64], place: Place) -> Moments<'_> {
    let Place { first, len } = place;
    Moments { first, times: times.get(first..first + len).unwrap_or_default() }
}

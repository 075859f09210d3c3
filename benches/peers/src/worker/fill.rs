//! Takes a data set in: half of it by one client in batches, then a part under each load,
//! and the rest.
//!
//! K1. Data is in memory before memory is looked at for the first time, and is kept there.
//! K2. A system that would need longer than its time is stopped early; what it did is told.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tidal_bench_measure::{Result, now};

use super::{Order, ROUNDS};
use crate::data::Data;
use crate::job::{BATCH, Event};
use crate::load::{Crew, Load, Source};
use crate::processes;
use crate::system::{Client, System};

/// The first batches are so much of all events; what each load is at most, [`Load::share`]
/// says.
const FIRST: f64 = 0.5;

/// The first batches are measured in so many parts.
const PARTS: usize = 20;

/// Before this it is not said how long a system will take.
const PROJECTED_AFTER: Duration = Duration::from_secs(3);

/// What was found while a data set was taken in.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Filled {
    pub(crate) about: String,
    /// How many items there are.
    pub(crate) items: u64,
    /// How many events were taken in.
    pub(crate) events: usize,
    /// How many of them were the first ones.
    pub(crate) first: usize,
    /// Events a second by one client in batches, in each part of the first ones.
    pub(crate) batches: Vec<f64>,
    /// Bytes that were written to the disk meanwhile.
    pub(crate) written: u64,
    /// Operations a second of each of [`Load::ALL`].
    pub(crate) loads: Vec<Vec<f64>>,
    /// How many seconds all would have taken, if that was too long.
    pub(crate) too_long: Option<f64>,
    /// The memory of the process before the system was opened.
    pub(crate) before: u64,
}

pub(super) fn run(order: &Order, data: &Data) -> Result<(Box<dyn System>, Filled)> {
    let before = processes::memory(&[std::process::id()])?;
    let system = order.system.open(&order.dir)?;
    let mut filled =
        Filled { about: system.about()?, items: data.items, before, ..Filled::default() };
    let count = data.events.len() as f64;
    let (first, rest) = data.events.split_at((FIRST * count) as usize);
    let written = processes::written(&processes::tree(std::process::id()))?;
    let budget = Budget { started: now(), count, seconds: order.budget };
    let mut client = system.client()?;
    for part in first.chunks((first.len() / PARTS).next_multiple_of(BATCH)) {
        let rate = filled.send(&mut *client, part, &budget)?;
        filled.batches.push(rate);
        if filled.too_long.is_some() {
            return Ok((system, filled));
        }
    }
    filled.written = processes::written(&processes::tree(std::process::id()))? - written;
    filled.first = first.len();
    let source = Source::new(rest, data.end);
    let mut kept = rest.len();
    for load in Load::ALL {
        // Whatever one load needs, the others find their share.
        kept = kept.saturating_sub((load.share() * count) as usize);
        let mut crew = Crew::new(load, &*system, data.items)?;
        let mut rates = Vec::new();
        while rates.len() < ROUNDS && source.left() > kept {
            rates.push(crew.work(&source, kept, Duration::from_secs_f64(order.round))?);
        }
        filled.loads.push(rates);
    }
    while source.left() > 0 {
        client.send(source.take(BATCH, 0))?;
    }
    client.settle()?;
    filled.events = data.events.len();
    Ok((system, filled))
}

impl Filled {
    /// Sends events in batches and says how many a second were taken in. Stops when all
    /// would take too long.
    fn send(&mut self, client: &mut dyn Client, events: &[Event], budget: &Budget) -> Result<f64> {
        let (started, before) = (now(), self.events);
        for batch in events.chunks(BATCH) {
            client.send(batch)?;
            self.events += batch.len();
            self.too_long = budget.exceeded(self.events);
            if self.too_long.is_some() {
                break;
            }
        }
        client.settle()?;
        Ok((self.events - before) as f64 / started.elapsed().as_secs_f64())
    }
}

/// How long so many events may take.
struct Budget {
    started: Instant,
    count: f64,
    seconds: f64,
}

impl Budget {
    /// How many seconds all will take, by what was done so far, if that is too long.
    fn exceeded(&self, done: usize) -> Option<f64> {
        let elapsed = self.started.elapsed();
        let projected = elapsed.as_secs_f64() * self.count / done as f64;
        (elapsed > PROJECTED_AFTER && projected > self.seconds).then_some(projected)
    }
}

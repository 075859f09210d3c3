//! What a query reads of a database: the indexes as they were when it took hold of them,
//! and the values of entities as they are when they are met.
//!
//! G1. Indexes of signals are taken before the one of attributes, by every query; and no
//!     more than these. The one of attributes is let go at once where only the filter needs
//!     it, since queries that begin may wait for it.
//! G2. The time of a query is not before what the indexes know of.

mod everyone;
mod lists;

use std::sync::Arc;

use tidal_types::{AttributeId, EntityId, SignalTypeDefinition, TidalError, Timestamp};

use self::everyone::Everyone;
use self::lists::{MeasureEntries, NumberEntries};
use super::execute::{End, Entries, Ids, List, Source};
use super::interval::Interval;
use super::number::finite;
use super::plan::{AGE_MAX_SECS, Bound, Leaf};
use crate::Result;
use crate::attributes::{BoundFilter, HeldAttributes, IdSet};
use crate::history::{AffinityTable, HistoryRow};
use crate::ledger::{Held, Measure, RankKey};
use crate::state::State;

/// What a query reads.
#[derive(Debug)]
pub(crate) struct Reading<'a> {
    state: &'a State,
    bound: &'a Bound<'a>,
    at: Timestamp,
    held: Held<'a>,
    attributes: Option<HeldAttributes<'a>>,
    passing: Option<IdSet>,
    /// What the user has had to do with.
    seen: Vec<Arc<HistoryRow>>,
    affinities: Vec<AffinityTable>,
    population: u64,
}

impl<'a> Reading<'a> {
    /// Takes hold of what a query needs, at the time `at` or, where an event came since
    /// that was chosen, at the time of that.
    ///
    /// # Errors
    /// What storage says.
    pub(crate) fn of(
        state: &'a State,
        bound: &'a Bound<'a>,
        filter: Option<&BoundFilter>,
        at: Timestamp,
    ) -> Result<Self> {
        let measures: Vec<Measure> = bound.leaves.iter().filter_map(Leaf::measure).collect();
        let held = state.ledger.hold(&measures)?;
        let at = held.moved_on(at);
        let needs_attributes = filter.is_some() || bound.reads_attributes();
        let attributes =
            if needs_attributes { Some(state.attributes.hold(bound.query.kind)?) } else { None };
        let passing = filter.zip(attributes.as_ref()).map(|(filter, held)| held.passing(filter));
        let attributes = attributes.filter(|_| bound.reads_attributes());
        let mut reading = Self {
            state,
            bound,
            at,
            held,
            attributes,
            passing,
            seen: Vec::new(),
            affinities: Vec::new(),
            population: 0,
        };
        reading.population = reading.everyone_of().most();
        reading.take_history()?;
        Ok(reading)
    }

    /// Reads what the user did.
    fn take_history(&mut self) -> Result<()> {
        let Some(user) = self.bound.query.user else { return Ok(()) };
        for signal in &self.bound.unseen_by {
            self.seen.extend(self.state.history_of(self.signal(*signal), user)?);
        }
        for (signal, attribute) in &self.bound.affinities {
            let history = self.state.history_of(self.signal(*signal), user)?;
            let scores = history.iter().flat_map(|history| history.scores(self.at));
            let table = AffinityTable::of(scores, |id| self.groups(*attribute, id));
            self.affinities.push(table);
        }
        Ok(())
    }

    /// The time of the query.
    pub(crate) const fn at(&self) -> Timestamp {
        self.at
    }

    /// What it reads of attributes, if it needs any beside whom the filter lets through.
    pub(crate) const fn attributes(&self) -> Option<&HeldAttributes<'a>> {
        self.attributes.as_ref()
    }

    /// The values of an attribute that an entity has, as codes.
    pub(crate) fn groups(&self, attribute: AttributeId, id: EntityId) -> Vec<u64> {
        self.attributes().map_or_else(Vec::new, |held| held.groups(attribute, id).to_vec())
    }

    fn signal(&self, id: tidal_types::SignalTypeId) -> &'a SignalTypeDefinition {
        let signal = self.state.schema().signal_by_id(id);
        signal.expect("a query is bound to the schema of the state")
    }

    fn number(&self, attribute: AttributeId, id: EntityId) -> Option<f64> {
        self.attributes()?.number(attribute, id)
    }

    fn now_secs(&self) -> f64 {
        self.at.as_nanos() as f64 / 1e9
    }

    /// Whether an entity takes part though it may have nothing of what is named.
    fn takes_part_quietly(&self, id: EntityId) -> bool {
        self.bound.query.including_quiet
            && self.attributes().is_some_and(|held| held.entities().contains(id.get()))
    }

    /// The leaf of an entity; `None` when it has not what is named.
    fn leaf(&self, leaf: &Leaf, id: EntityId) -> Result<Option<f64>> {
        Ok(match *leaf {
            Leaf::Measure(measure) => self.state.ledger.measure(measure, id, self.at)?,
            Leaf::Uniques { signal, window, .. } => {
                self.state.unique_actors(self.signal(signal), id, window, self.at)?
            }
            Leaf::Number(attribute) => self.number(attribute, id),
            Leaf::Age(attribute) => {
                self.number(attribute, id).map(|posted| age(self.now_secs(), posted))
            }
            Leaf::Affinity(table) => {
                let (table, attribute) =
                    (self.affinities.get(table), self.bound.affinities.get(table));
                let groups = attribute.map_or_else(Vec::new, |of| self.groups(of.1, id));
                let is_there = !groups.is_empty();
                table.filter(|_| is_there).map(|table| table.of_entity(&groups))
            }
        })
    }

    fn everyone_of(&self) -> Everyone<'_> {
        let mut everyone = Everyone::default();
        for signal in &self.bound.signals {
            everyone.add(self.held.members(*signal));
        }
        if let Some(held) = self.attributes() {
            for attribute in &self.bound.attributes {
                held.having(*attribute).into_iter().for_each(|having| everyone.add(having));
            }
            if self.bound.query.including_quiet {
                everyone.add(held.entities());
            }
        }
        everyone
    }

    /// The lists of one leaf.
    fn push_lists<'s>(&'s self, number: usize, leaf: &Leaf, lists: &mut Vec<List<'s>>) {
        let mut push = |end, entries: Box<dyn Entries + 's>| {
            lists.push(List { leaf: number, end, absent: leaf.absent(), entries });
        };
        let (now, held) = (self.now_secs(), self.attributes());
        match *leaf {
            Leaf::Measure(of) | Leaf::Uniques { count: of, .. } => {
                let (highest, lowest) = (self.held.highest(of), self.held.lowest(of));
                push(End::Highest, Box::new(MeasureEntries::of(highest, self.at)));
                if matches!(leaf, Leaf::Measure(_)) && self.bound.by_key.is_none() {
                    push(End::Lowest, Box::new(MeasureEntries::of(lowest, self.at)));
                }
            }
            Leaf::Number(attribute) => {
                let Some(held) = held else { return };
                let numbers = || held.by_number(attribute);
                push(
                    End::Highest,
                    Box::new(NumberEntries::of(numbers().rev(), finite, 0.0, false)),
                );
                push(End::Lowest, Box::new(NumberEntries::of(numbers(), finite, 0.0, true)));
            }
            Leaf::Age(attribute) => {
                let Some(held) = held else { return };
                // Nobody is older than who has no such time.
                let newest = held.by_number(attribute).rev();
                let old = move |posted| age(now, posted);
                push(End::Lowest, Box::new(NumberEntries::of(newest, old, AGE_MAX_SECS, true)));
            }
            Leaf::Affinity(_) => {}
        }
    }
}

/// How many seconds have passed since a time.
fn age(now_secs: f64, posted_secs: f64) -> f64 {
    (now_secs - posted_secs).clamp(0.0, AGE_MAX_SECS)
}

impl Source for Reading<'_> {
    fn admits(&self, id: EntityId) -> bool {
        self.passing.as_ref().is_none_or(|passing| passing.contains(id))
            && !self.seen.iter().any(|seen| seen.contains(id))
            && !self.state.forgotten.contains(self.bound.query.kind, id)
    }

    fn read(&self, id: EntityId, leaves: &mut [f64]) -> Result<bool> {
        let mut takes_part = self.takes_part_quietly(id);
        for (leaf, value) in self.bound.leaves.iter().zip(leaves) {
            let found = self.leaf(leaf, id)?;
            takes_part |= found.is_some();
            *value = finite(found.unwrap_or_else(|| leaf.absent()));
        }
        Ok(takes_part)
    }

    fn read_with_key(&self, id: EntityId, leaves: &mut [f64]) -> Result<Option<RankKey>> {
        let Some(measure) = self.bound.by_key else {
            return Ok(self.read(id, leaves)?.then_some(RankKey::ZERO));
        };
        // The score is the one leaf, and a writer may be at work: one look at the cell.
        let read = self.state.ledger.measure_with_key(measure, id, self.at)?;
        if read.is_none() && !self.takes_part_quietly(id) {
            return Ok(None);
        }
        let (key, value) = read.unwrap_or((RankKey::ZERO, 0.0));
        leaves.fill(finite(value));
        Ok(Some(key))
    }

    fn is_by_key(&self) -> bool {
        self.bound.by_key.is_some()
    }

    fn lists(&self) -> Vec<List<'_>> {
        let mut lists = Vec::new();
        for (number, leaf) in self.bound.leaves.iter().enumerate() {
            self.push_lists(number, leaf, &mut lists);
        }
        lists
    }

    fn range(&self, leaf: usize) -> Interval {
        match self.bound.leaves.get(leaf) {
            Some(Leaf::Uniques { .. }) => Interval::new(0.0, f64::MAX),
            Some(Leaf::Age(_)) => Interval::new(0.0, AGE_MAX_SECS),
            Some(Leaf::Affinity(table)) => {
                let bounds = self.affinities.get(*table).map(AffinityTable::bounds);
                bounds.map_or(Interval::EVERYTHING, |(lo, hi)| Interval::new(lo, hi))
            }
            _ => Interval::EVERYTHING,
        }
    }

    fn everyone(&self) -> Ids<'_> {
        self.everyone_of().ids()
    }

    fn population(&self) -> u64 {
        self.population
    }

    fn passing(&self) -> Option<(u64, Ids<'_>)> {
        let passing = self.passing.as_ref()?;
        let ids = || Box::new(passing.ids.iter().map(EntityId::new));
        passing.len().map(|len| (len, ids() as Ids<'_>))
    }
}

/// Refuses a time before the newest event, which the ledger holds no more.
///
/// # Errors
/// [`TidalError::BeforeNewest`].
pub(crate) fn not_passed(state: &State, at: Timestamp) -> Result<()> {
    match state.ledger.newest_event() {
        Some(newest) if at < newest => Err(TidalError::BeforeNewest { at, newest }),
        _ => Ok(()),
    }
}

//! Events of one entity, one by one or grouped by time, in bounded memory.
//!
//! E1. There are never more parts than were asked for.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::ledger::{Decay, Grouped, Part, PartKind};

const HOUR: u64 = 3_600_000_000_000;
const DAY: u64 = 24 * HOUR;

/// The events of one entity that have been seen.
#[derive(Debug)]
pub(super) struct Events {
    decay: Decay,
    /// The time of the read, in nanoseconds since the epoch.
    at: u64,
    parts_max: usize,
    /// One by one, while they are few.
    single: Vec<Part>,
    /// By time divided by the width, once they are many.
    groups: BTreeMap<u64, Group>,
    /// The width of a group, in nanoseconds.
    width: Option<u64>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Group {
    events: u64,
    weight: f64,
    contribution: f64,
}

impl Group {
    fn add(&mut self, other: Self) {
        self.events += other.events;
        self.weight += other.weight;
        self.contribution += other.contribution;
    }
}

impl Events {
    /// None yet; there will be at most `parts_max` parts, at least one.
    pub(super) fn new(decay: Decay, at: u64, parts_max: usize) -> Self {
        let (single, groups) = (Vec::new(), BTreeMap::new());
        Self { decay, at, parts_max, single, groups, width: None }
    }

    pub(super) fn add(&mut self, time: u64, weight: f64) {
        let part = Part::of_event(self.decay, time, weight, self.at);
        let Some(width) = self.width else {
            self.single.push(part);
            if self.single.len() > self.parts_max {
                self.begin_to_group();
            }
            return;
        };
        self.group(time / width, &part);
        self.widen_while_too_many();
    }

    fn begin_to_group(&mut self) {
        self.width = Some(HOUR);
        for part in std::mem::take(&mut self.single) {
            self.group(part.from.unwrap_or_default().as_nanos() / HOUR, &part);
        }
        self.widen_while_too_many();
    }

    fn group(&mut self, index: u64, part: &Part) {
        let (weight, contribution) = (part.weight, part.contribution);
        self.groups.entry(index).or_default().add(Group { events: 1, weight, contribution });
    }

    fn widen_while_too_many(&mut self) {
        while let Some(width) = self.width.filter(|_| self.groups.len() > self.parts_max) {
            let wider = if width == HOUR { DAY } else { width.saturating_mul(2) };
            self.width = Some(wider);
            for (index, group) in std::mem::take(&mut self.groups) {
                self.groups.entry(index * width / wider).or_default().add(group);
            }
        }
    }

    /// How they are grouped, if they are.
    pub(super) fn grouped(&self) -> Option<Grouped> {
        let events = self.groups.values().map(|group| group.events).sum();
        self.width.map(|width| Grouped { events, width: Duration::from_nanos(width) })
    }

    /// The parts, oldest first.
    pub(super) fn into_parts(self) -> Vec<Part> {
        let Some(width) = self.width else {
            let mut parts = self.single;
            parts.sort_by_key(|part| part.from);
            return parts;
        };
        let part = |(index, group): (u64, Group)| {
            let from = index * width;
            let part = Part::of(PartKind::Events, group.weight, group.contribution);
            let part = part.within(from, from.saturating_add(width - 1));
            Part { events: Some(group.events), ..part }
        };
        self.groups.into_iter().map(part).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn parts_are_few_and_nothing_is_lost_e1(
            times in prop::collection::vec(prop_oneof![0..50 * HOUR, 0..400 * DAY, any::<u64>()], 1..80),
            parts_max in 1..30_usize,
        ) {
            let mut events = Events::new(Decay::Permanent, u64::MAX, parts_max);
            for time in &times {
                events.add(*time, 0.5);
            }
            let grouped = events.grouped();
            let parts = events.into_parts();
            prop_assert!(parts.len() <= parts_max);
            prop_assert_eq!(grouped.is_some(), times.len() > parts_max);
            prop_assert!(grouped.is_none_or(|grouped| grouped.events == times.len() as u64));
            prop_assert!(parts.windows(2).all(|pair| pair[0].from <= pair[1].from));
            prop_assert_eq!(parts.iter().map(|part| part.contribution).sum::<f64>(), times.len() as f64 / 2.0);
            for part in &parts {
                let span = part.from.unwrap().as_nanos()..=part.to.unwrap().as_nanos();
                let events = times.iter().filter(|time| span.contains(time)).count() as u64;
                prop_assert!(part.kind == PartKind::Event || part.events == Some(events));
            }
        }
    }
}

//! Which of the best make a page: caps, discounts and spread by the values of attributes.
//!
//! V1. A cap counts over all pages, and so does a discount: what was shown before counts.
//! V2. With a discount the next is always the one whose discounted value is the highest
//!     then. Entities are fetched in the order of their own values, and one is taken only
//!     when nothing that was not fetched can come before it, discounted or not.
//! V3. What a spread replaces is taken from the end of the page, and is not shown.
//! V4. What the fetched entities cannot decide is decided by fetching twice as many.

mod counts;

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use tidal_types::{AttributeId, EntityId};

use self::counts::Counts;
use super::plan::Bound;
use super::query::Discount;
use crate::Result;
use crate::ledger::Ranked;

/// What a page has to be like.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Rules<'a> {
    pub(crate) caps: &'a [(AttributeId, usize)],
    pub(crate) discount: Option<(AttributeId, &'a Discount)>,
    pub(crate) spread: Option<(AttributeId, usize)>,
}

impl<'a> Rules<'a> {
    /// Those of a query.
    pub(crate) fn of(bound: &'a Bound<'_>) -> Self {
        Self { caps: &bound.caps, discount: bound.discount, spread: bound.spread }
    }

    /// Whether the best entities are the page.
    pub(crate) const fn are_none(&self) -> bool {
        self.caps.is_empty() && self.discount.is_none() && self.spread.is_none()
    }
}

/// An entity on a page.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Place {
    pub(crate) id: EntityId,
    /// Its value before any discount.
    pub(crate) value: f64,
    /// By what that is multiplied.
    pub(crate) discount: f64,
}

/// A page, and whether others follow.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Chosen {
    pub(crate) places: Vec<Place>,
    pub(crate) has_more: bool,
}

/// The values of an attribute that an entity has, as codes.
pub(crate) type GroupsOf<'a> = &'a dyn Fn(AttributeId, EntityId) -> Vec<u64>;

/// Chooses `limit` entities of those that `fetch` gives: as many of the best as it is asked
/// for, and fewer when there are no more.
///
/// # Errors
/// Those of `fetch`.
pub(crate) fn choose(
    rules: Rules<'_>,
    limit: usize,
    shown: &[EntityId],
    groups_of: GroupsOf<'_>,
    mut fetch: impl FnMut(usize) -> Result<Vec<Ranked>>,
) -> Result<Chosen> {
    let mut wanted = if rules.are_none() { limit + 1 } else { 2 * limit + 1 };
    loop {
        let fetched = fetch(wanted)?;
        let is_all = fetched.len() < wanted;
        let choosing = Choosing::new(rules, shown, groups_of, &fetched, is_all);
        if let Some(chosen) = choosing.run(limit) {
            return Ok(chosen);
        }
        wanted = wanted.saturating_mul(2);
    }
}

/// An entity that was fetched, and its values of the attributes that matter.
struct Candidate {
    ranked: Ranked,
    by_cap: Vec<Vec<u64>>,
    by_discount: Vec<u64>,
    by_spread: Vec<u64>,
    is_taken: bool,
}

struct Choosing<'a> {
    rules: Rules<'a>,
    candidates: Vec<Candidate>,
    /// Whether there are no others.
    is_all: bool,
    by_cap: Vec<Counts>,
    by_discount: Counts,
    page: Vec<(usize, Place)>,
    /// The powers of the discount's factor. Each is at most the one before, rounded or not.
    powers: Vec<f64>,
}

impl<'a> Choosing<'a> {
    fn new(
        rules: Rules<'a>,
        shown: &[EntityId],
        groups_of: GroupsOf<'_>,
        fetched: &[Ranked],
        is_all: bool,
    ) -> Self {
        let groups = |attribute: Option<AttributeId>, id| {
            attribute.map_or_else(Vec::new, |attribute| groups_of(attribute, id))
        };
        let (discount, spread) = (rules.discount.map(|of| of.0), rules.spread.map(|of| of.0));
        let mut by_cap: Vec<Counts> = rules.caps.iter().map(|_| Counts::default()).collect();
        let mut by_discount = Counts::default();
        for &id in shown {
            for (cap, counts) in rules.caps.iter().zip(&mut by_cap) {
                counts.add(&groups_of(cap.0, id));
            }
            by_discount.add(&groups(discount, id));
        }
        let candidates = fetched.iter().map(|ranked| Candidate {
            ranked: *ranked,
            by_cap: rules.caps.iter().map(|cap| groups_of(cap.0, ranked.id)).collect(),
            by_discount: groups(discount, ranked.id),
            by_spread: groups(spread, ranked.id),
            is_taken: false,
        });
        let candidates = candidates.collect();
        Self { rules, candidates, is_all, by_cap, by_discount, page: Vec::new(), powers: vec![1.0] }
    }

    /// The page; `None` when more has to be fetched first (V4).
    fn run(mut self, limit: usize) -> Option<Chosen> {
        if self.rules.discount.is_some() {
            self.take_discounted(limit)?;
        } else {
            for number in 0..self.candidates.len() {
                if self.page.len() < limit && self.is_within_caps(number) {
                    self.take(number, 1.0);
                }
            }
            if self.page.len() < limit && !self.is_all {
                return None;
            }
        }
        self.spread(limit)?;
        let has_more = (0..self.candidates.len()).any(|number| self.is_open(number));
        if !has_more && !self.is_all {
            return None;
        }
        let places = self.page.into_iter().map(|(_, place)| place).collect();
        Some(Chosen { places, has_more })
    }

    /// V2, by a queue of the values as they were discounted when each was looked at last.
    /// Discounts only grow, so who is first and is still worth that is the first.
    fn take_discounted(&mut self, limit: usize) -> Option<()> {
        let last = self.candidates.last().map(|last| Waiting::of(0, &last.ranked, 1.0));
        let mut queue: BinaryHeap<Waiting> = BinaryHeap::with_capacity(self.candidates.len());
        for number in 0..self.candidates.len() {
            queue.push(self.waiting(number)?);
        }
        while self.page.len() < limit {
            let Some(first) = queue.pop() else {
                return self.is_all.then_some(());
            };
            if !self.is_within_caps(first.number) {
                continue;
            }
            let again = self.waiting(first.number)?;
            if again < first {
                queue.push(again);
                continue;
            }
            if !self.is_all && last.as_ref().is_some_and(|last| first < *last) {
                return None;
            }
            self.take(first.number, first.discount);
        }
        Some(())
    }

    fn waiting(&mut self, number: usize) -> Option<Waiting> {
        let candidate = self.candidates.get(number)?;
        let (ranked, before) = (candidate.ranked, self.by_discount.most(&candidate.by_discount));
        let discount = if ranked.value > 0.0 { self.multiplier(before) } else { 1.0 };
        Some(Waiting::of(number, &ranked, discount))
    }

    /// What the value is multiplied by when so many with the same were before.
    fn multiplier(&mut self, before: usize) -> f64 {
        let Some((_, discount)) = self.rules.discount else { return 1.0 };
        while self.powers.len() <= before {
            let last = self.powers.last().copied().unwrap_or(1.0);
            self.powers.push(last * discount.factor);
        }
        let power = self.powers.get(before).copied().unwrap_or(0.0);
        (1.0 - discount.floor) * power + discount.floor
    }

    fn is_within_caps(&self, number: usize) -> bool {
        let Some(candidate) = self.candidates.get(number) else { return false };
        let caps = self.rules.caps.iter().zip(&self.by_cap).zip(&candidate.by_cap);
        caps.into_iter().all(|((cap, counts), groups)| counts.most(groups) < cap.1)
    }

    /// Whether a candidate is within the caps once another was put back.
    fn fits_instead(&self, number: usize, other: usize) -> bool {
        let (Some(candidate), Some(other)) =
            (self.candidates.get(number), self.candidates.get(other))
        else {
            return false;
        };
        let caps = self.rules.caps.iter().zip(&self.by_cap);
        caps.zip(candidate.by_cap.iter().zip(&other.by_cap)).all(|((cap, counts), (new, old))| {
            let left = |group| counts.of(group).saturating_sub(usize::from(old.contains(&group)));
            new.iter().all(|group| left(*group) < cap.1)
        })
    }

    /// Whether each value that a place has is on the page before it.
    fn is_repeated(&self, at: usize) -> bool {
        let groups_of = |place: &(usize, Place)| {
            self.candidates.get(place.0).map_or(&[][..], |candidate| &candidate.by_spread)
        };
        let groups = self.page.get(at).map_or(&[][..], groups_of);
        let is_before = |group| self.page.iter().take(at).any(|of| groups_of(of).contains(group));
        groups.iter().all(is_before)
    }

    fn is_open(&self, number: usize) -> bool {
        let is_left = self.candidates.get(number).is_some_and(|candidate| !candidate.is_taken);
        is_left && self.is_within_caps(number)
    }

    fn take(&mut self, number: usize, discount: f64) {
        let Some(candidate) = self.candidates.get_mut(number) else { return };
        candidate.is_taken = true;
        for (counts, groups) in self.by_cap.iter_mut().zip(&candidate.by_cap) {
            counts.add(groups);
        }
        self.by_discount.add(&candidate.by_discount);
        let Ranked { id, value, .. } = candidate.ranked;
        self.page.push((number, Place { id, value, discount }));
    }

    fn put_back(&mut self, at: usize) -> (usize, Place) {
        let (number, place) = self.page.remove(at);
        if let Some(candidate) = self.candidates.get_mut(number) {
            candidate.is_taken = false;
            for (counts, groups) in self.by_cap.iter_mut().zip(&candidate.by_cap) {
                counts.remove(groups);
            }
            self.by_discount.remove(&candidate.by_discount);
        }
        (number, place)
    }

    /// Replaces from the end until there are enough different values (V3).
    fn spread(&mut self, limit: usize) -> Option<()> {
        let Some((_, min)) = self.rules.spread else { return Some(()) };
        let mut counts = Counts::default();
        for (number, _) in &self.page {
            counts.add(&self.candidates.get(*number)?.by_spread);
        }
        for number in 0..self.candidates.len() {
            if counts.different() >= min.min(limit) {
                return Some(());
            }
            let candidate = self.candidates.get(number)?;
            if candidate.is_taken || !counts.lacks_one(&candidate.by_spread) {
                continue;
            }
            let mut spares = self.page.iter().enumerate().rev().filter(|(_, (number, _))| {
                let candidate = self.candidates.get(*number);
                candidate.is_some_and(|candidate| counts.spares(&candidate.by_spread))
            });
            let Some((last, (spare, _))) = spares.next() else { return Some(()) };
            let spare = if self.fits_instead(number, *spare) {
                last
            } else {
                let fits = |(at, (spare, _)): &(usize, &(usize, Place))| {
                    self.fits_instead(number, *spare) && self.is_repeated(*at)
                };
                let Some((spare, _)) = spares.find(fits) else { continue };
                spare
            };
            let (removed, _) = self.put_back(spare);
            counts.remove(&self.candidates.get(removed)?.by_spread);
            counts.add(&self.candidates.get(number)?.by_spread);
            let discount = self.waiting(number)?.discount;
            self.take(number, discount);
        }
        (self.is_all || counts.different() >= min.min(limit)).then_some(())
    }
}

/// A candidate and its discounted value. The greater comes first.
struct Waiting {
    number: usize,
    id: EntityId,
    discount: f64,
    value: f64,
}

impl Waiting {
    fn of(number: usize, ranked: &Ranked, discount: f64) -> Self {
        Self { number, id: ranked.id, discount, value: ranked.value * discount }
    }
}

impl Ord for Waiting {
    fn cmp(&self, other: &Self) -> Ordering {
        self.value.total_cmp(&other.value).then(other.id.cmp(&self.id))
    }
}

impl PartialOrd for Waiting {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Waiting {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Waiting {}

#[cfg(test)]
mod tests;

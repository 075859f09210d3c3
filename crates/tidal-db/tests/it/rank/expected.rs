//! What a ranking has to be: everyone who takes part, evaluated and sorted, and what caps,
//! discounts and spreads make of that.

use std::cmp::Ordering;
use std::collections::{BTreeSet, HashMap};

use tidal_db::{By, DecaySpec, EntityId, Expr, Figure, SignalFigure};

use super::asked::Asked;
use super::naive::Naive;
use super::passing::passes;

/// A place in a ranking: who, and the bits of the value.
pub(crate) type Place = (EntityId, u64);

/// A ranking, of which pages are taken.
pub(crate) struct Expected<'a> {
    asked: &'a Asked,
    /// Those who were not shown, best first.
    left: Vec<Candidate>,
    /// How many were shown with each value: for each cap, for the discount.
    by_cap: Vec<HashMap<String, usize>>,
    by_discount: HashMap<String, usize>,
}

#[derive(Debug, Clone)]
struct Candidate {
    id: EntityId,
    value: f64,
    by_cap: Vec<Vec<String>>,
    by_discount: Vec<String>,
    by_spread: Vec<String>,
}

impl<'a> Expected<'a> {
    pub(crate) fn new(naive: &mut Naive<'_>, asked: &'a Asked) -> Self {
        naive.for_user(asked.user);
        let order = match multiple_of_score(naive, asked) {
            Some(signal) => by_key(naive, asked, &signal),
            None => by_value(naive, asked),
        };
        let model = &naive.world.model;
        let mut seen = BTreeSet::new();
        for signal in &asked.unseen_by {
            seen.extend(model.seen(signal, asked.user.expect("somebody has seen them")));
        }
        let groups = |attribute: Option<&str>, id| {
            attribute.map_or_else(Vec::new, |name| model.groups(asked.kind, id, name))
        };
        let passing = order.into_iter().filter(|(id, _)| {
            asked.filter.as_ref().is_none_or(|filter| passes(model, asked.kind, *id, filter))
                && !seen.contains(id)
        });
        let candidates = passing.map(|(id, value)| Candidate {
            id,
            value,
            by_cap: asked.caps.iter().map(|(_, of)| groups(Some(of), id)).collect(),
            by_discount: groups(asked.discount.map(|of| of.0), id),
            by_spread: groups(asked.spread.map(|of| of.1), id),
        });
        let left = candidates.collect();
        let by_cap = asked.caps.iter().map(|_| HashMap::new()).collect();
        Self { asked, left, by_cap, by_discount: HashMap::new() }
    }

    /// Whether nobody is left who may be shown.
    pub(crate) fn is_over(&self) -> bool {
        !self.left.iter().any(|candidate| self.is_within_caps(candidate))
    }

    /// The next page of so many places.
    pub(crate) fn page(&mut self, limit: usize) -> Vec<Place> {
        if let Some((min, _)) = self.asked.spread {
            return self.spread(limit, min);
        }
        let mut page = Vec::new();
        while page.len() < limit {
            let within = |candidate: &&Candidate| self.is_within_caps(candidate);
            // Without a discount the first is the best: they are in order.
            let mut rest = self.left.iter().filter(within);
            let best = match self.asked.discount {
                None => rest.next(),
                Some(_) => rest.reduce(|best, next| {
                    let (a, b) = (self.discounted(best), self.discounted(next));
                    if higher((a, best.id), (b, next.id)).is_le() { best } else { next }
                }),
            };
            let Some(best) = best.cloned() else { break };
            page.push((best.id, self.discounted(&best).to_bits()));
            self.show(&best);
        }
        page
    }

    fn show(&mut self, shown: &Candidate) {
        self.left.retain(|candidate| candidate.id != shown.id);
        for (counts, groups) in self.by_cap.iter_mut().zip(&shown.by_cap) {
            for group in groups {
                *counts.entry(group.clone()).or_default() += 1;
            }
        }
        for group in &shown.by_discount {
            *self.by_discount.entry(group.clone()).or_default() += 1;
        }
    }

    fn is_within_caps(&self, candidate: &Candidate) -> bool {
        let caps = self.asked.caps.iter().zip(&self.by_cap).zip(&candidate.by_cap);
        caps.into_iter().all(|(((max, _), counts), groups)| most(counts, groups) < *max)
    }

    fn discounted(&self, candidate: &Candidate) -> f64 {
        let Some((_, factor, floor)) = self.asked.discount else { return candidate.value };
        if candidate.value <= 0.0 {
            return candidate.value;
        }
        let before = most(&self.by_discount, &candidate.by_discount);
        let power = (0..before).fold(1.0, |power, _| power * factor);
        candidate.value * ((1.0 - floor) * power + floor)
    }

    /// A page of the best, of which the last make room until it has so many values.
    fn spread(&mut self, limit: usize, min: usize) -> Vec<Place> {
        let behind = self.left.len().min(limit);
        let mut page: Vec<Candidate> = self.left[..behind].to_vec();
        let different = |page: &[Candidate]| -> BTreeSet<String> {
            page.iter().flat_map(|candidate| candidate.by_spread.clone()).collect()
        };
        for next in &self.left[behind..] {
            let values = different(&page);
            if values.len() >= min.min(limit) {
                break;
            }
            if next.by_spread.iter().all(|value| values.contains(value)) {
                continue;
            }
            // The last one without which each of its values is still there.
            let spare = (0..page.len()).rev().find(|&number| {
                let mut rest = page.clone();
                let removed = rest.remove(number);
                let values = different(&rest);
                removed.by_spread.iter().all(|value| values.contains(value))
            });
            let Some(spare) = spare else { break };
            page.remove(spare);
            page.push(next.clone());
        }
        for shown in &page {
            self.show(shown);
        }
        page.iter().map(|candidate| (candidate.id, candidate.value.to_bits())).collect()
    }
}

fn most(counts: &HashMap<String, usize>, groups: &[String]) -> usize {
    groups.iter().map(|group| counts.get(group).copied().unwrap_or(0)).max().unwrap_or(0)
}

/// The order of places: the higher value, then the lower id.
fn higher(a: (f64, EntityId), b: (f64, EntityId)) -> Ordering {
    b.0.total_cmp(&a.0).then(a.1.cmp(&b.1))
}

fn by_value(naive: &mut Naive<'_>, asked: &Asked) -> Vec<(EntityId, f64)> {
    let mut everyone = naive.named(&asked.by);
    if asked.including_quiet {
        everyone.extend(naive.world.model.described(asked.kind));
    }
    let mut order: Vec<(EntityId, f64)> =
        everyone.into_iter().map(|id| (id, naive.value(&asked.by, id))).collect();
    order.sort_unstable_by(|a, b| higher((a.1, a.0), (b.1, b.0)));
    order
}

/// The signal of exponential decay of whose score an expression is a positive multiple, if
/// the order is that of the score as it would be if numbers were large enough for it.
fn multiple_of_score(naive: &Naive<'_>, asked: &Asked) -> Option<String> {
    let score = |expr: &Expr| match expr {
        Expr::Signal(SignalFigure { signal, figure: Figure::Score | Figure::Rate }) => {
            Some(signal.clone())
        }
        _ => None,
    };
    let signal = match &asked.by {
        Expr::Mul(a, b) => match (&**a, &**b) {
            (Expr::Number(factor), rest) if *factor > 0.0 => score(rest),
            _ => None,
        },
        by => score(by),
    }?;
    let decay = naive.world.setting.schema.signal(&signal)?.decay();
    let is_exponential = matches!(decay, DecaySpec::Exponential { .. });
    assert!(!is_exponential || !asked.including_quiet, "none are drawn: values tell no order");
    (is_exponential && asked.discount.is_none()).then_some(signal)
}

/// The order of the whole ledger by that score, which is held against the values: they fall,
/// but for their rounding, and nobody is missing.
fn by_key(naive: &mut Naive<'_>, asked: &Asked, signal: &str) -> Vec<(EntityId, f64)> {
    let at = asked.at.unwrap_or_else(|| naive.world.db().now());
    let all = naive.world.db().top_at(signal, By::Score, usize::MAX, at).unwrap();
    let order: Vec<(EntityId, f64)> =
        all.iter().map(|ranked| (ranked.id, naive.value(&asked.by, ranked.id))).collect();
    for pair in order.windows(2) {
        let (above, below) = (pair[0].1, pair[1].1);
        assert!(below - above <= 1e-12 * above.abs(), "{above} is above {below}");
    }
    let mut ids: Vec<EntityId> = order.iter().map(|&(id, _)| id).collect();
    ids.sort_unstable();
    assert!(ids.iter().eq(&naive.world.model.cells(signal)));
    order
}

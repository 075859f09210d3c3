//! Which way is the cheapest, by a guess from how many entities there are and how many of
//! them pass the filter. A wrong guess costs time and changes no answer.

use super::super::page::Method;
use super::{Source, Wanted};

/// How much more it costs to evaluate an entity, by leaf, than to look at an entry of a
/// list that does not pass the filter.
const EVALUATION: u64 = 4;

/// The cheapest way to a page.
pub(super) fn method(source: &impl Source, wanted: &Wanted<'_>) -> Method {
    let Some((passing, _)) = source.passing() else {
        return Method::Threshold;
    };
    let population = source.population().max(passing).max(1);
    let leaves = (wanted.leaves as u64).max(1);
    let needed = (wanted.limit + wanted.shown.len()) as u64;
    // In each list so many are in front of those that are wanted, if the filter does not
    // care for their order.
    let depth = needed.saturating_mul(population) / passing.max(1);
    let looks = depth.min(population).saturating_mul(leaves);
    let met = needed.saturating_mul(leaves).min(passing);
    let by_threshold = looks.saturating_add(met.saturating_mul(leaves * EVALUATION));
    let by_candidates = passing.saturating_mul(leaves * EVALUATION);
    if by_candidates <= by_threshold { Method::Candidates } else { Method::Threshold }
}

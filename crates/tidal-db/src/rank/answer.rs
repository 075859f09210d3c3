//! From a bound query to a page.

use tidal_types::{EntityId, QueryError};

use super::cursor::{self, PLACES_MAX};
use super::diverse::{self, Place, Rules};
use super::execute::{Source, Wanted, find};
use super::explain::Explainer;
use super::page::{ExplainedRank, Method, Page, RankStatistics, RankedEntity};
use super::plan::Bound;
use super::reading::Reading;
use crate::Result;
use crate::attributes::BoundFilter;
use crate::state::State;

/// What the pages before have shown, in rising order.
///
/// # Errors
/// [`QueryError::Cursor`]; [`QueryError::OutOfRange`] for a page that ends behind
/// [`PLACES_MAX`].
pub(crate) fn shown(bound: &Bound<'_>) -> Result<Vec<EntityId>> {
    let query = bound.query;
    let cursor = query.cursor.as_deref();
    let shown = cursor.map_or_else(|| Ok(Vec::new()), |text| cursor::decode(query, text))?;
    let last = shown.len() + query.limit;
    if last > PLACES_MAX {
        let (value, range) = (last.to_string(), format!("at most {PLACES_MAX}"));
        return Err(
            QueryError::OutOfRange { what: "the last place of the page", value, range }.into()
        );
    }
    Ok(shown)
}

/// The page behind what was shown, by the way that is said or the cheapest.
///
/// # Errors
/// What storage says.
pub(crate) fn answer(
    state: &State,
    bound: &Bound<'_>,
    (reading, filter): (&Reading<'_>, Option<&BoundFilter>),
    mut shown: Vec<EntityId>,
    method: Option<Method>,
) -> Result<Page> {
    let query = bound.query;
    let mut statistics: Option<RankStatistics> = None;
    let groups_of = |attribute, id| reading.groups(attribute, id);
    let rules = Rules::of(bound);
    let chosen = diverse::choose(rules, query.limit, &shown, &groups_of, |limit| {
        let (program, leaves) = (&bound.program, bound.leaves.len());
        let wanted = Wanted { program, leaves, seed: query.seed, limit, shown: &shown, method };
        let found = find(reading, &wanted)?;
        let before = statistics.map_or((0, 0), |before| (before.looked_at, before.evaluated));
        statistics = Some(RankStatistics {
            looked_at: before.0 + found.statistics.looked_at,
            evaluated: before.1 + found.statistics.evaluated,
            ..found.statistics
        });
        Ok(found.best)
    })?;
    let explainer = query.explain.then(|| Explainer::of(bound, state.schema())).transpose()?;
    let mut entries = Vec::with_capacity(chosen.places.len());
    for (place, rank) in chosen.places.iter().zip(shown.len() + 1..) {
        let explain = |explainer| explanation(explainer, bound, (reading, filter), place);
        let explanation = explainer.as_ref().map(explain).transpose()?;
        let value = place.value * place.discount;
        entries.push(RankedEntity { rank, id: place.id, value, explanation });
    }
    shown.extend(chosen.places.iter().map(|place| place.id));
    shown.sort_unstable();
    let cursor = chosen.has_more.then(|| cursor::encode(query, &shown));
    let statistics = statistics.unwrap_or(RankStatistics {
        method: Method::Scan,
        looked_at: 0,
        evaluated: 0,
        passing: None,
    });
    Ok(Page { entries, cursor, at: reading.at(), statistics })
}

/// The leaves are read again, so what an event has changed meanwhile shows in them.
fn explanation(
    explainer: &Explainer,
    bound: &Bound<'_>,
    (reading, filter): (&Reading<'_>, Option<&BoundFilter>),
    place: &Place,
) -> Result<ExplainedRank> {
    let mut leaves = vec![0.0; bound.leaves.len()];
    reading.read(place.id, &mut leaves)?;
    let passed = filter.zip(reading.attributes()).map_or_else(Vec::new, |(filter, held)| {
        filter.passed(held, place.id).into_iter().map(ToString::to_string).collect()
    });
    Ok(explainer.explain(place.id, &leaves, (place.value, place.discount), passed))
}

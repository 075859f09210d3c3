//! Compares everything that a database can be asked with what it must answer.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tidal_types::{
    DecaySpec, EntityId, EntityKind, SignalTypeDefinition, TidalError, Timestamp, Window,
};

use super::facts::Facts;
use super::schemas;
use super::world::producer_id;
use crate::tests::reference::Reference;
use crate::{By, Seen, TidalDB};

/// Relative to the sum of the absolute contributions (G7).
const TOLERANCE: f64 = 1e-9;

/// Cells of at most so many events are exact (G8, G9).
const EXACT_EVENTS: u64 = 4;

/// Compares a database whose clock shows `now`.
pub(super) fn check(db: &TidalDB, facts: &Facts, now: Timestamp) {
    let at = facts.newest.map_or(now, |newest| newest.max(now));
    assert_eq!(db.now(), at, "G13");
    check_figures(db, facts);
    check_cells(db, facts, at);
    check_cells(db, facts, at.saturating_add(Duration::from_secs(7 * 3600 + 1)));
    check_names(db, facts);
    check_metadata(db, facts);
    check_attributes(db, facts);
    check_forgotten(db, facts);
    check_histories(db, facts, at);
    for producer in 0..3 {
        let found = db.producer(producer_id(producer)).unwrap();
        assert_eq!(found.as_ref(), facts.producers.get(&producer), "G23, G26: {producer}");
    }
}

fn check_figures(db: &TidalDB, facts: &Facts) {
    let stats = db.stats().unwrap();
    assert_eq!(stats.records, facts.records);
    assert_eq!(stats.cells, facts.cells.len() as u64);
    assert_eq!(stats.newest_event, facts.newest);
    let mut entities = 0;
    for kind in EntityKind::ALL {
        let signals = db.schema().signals();
        let with_events = facts.cells.keys().filter(|(signal, _)| signals[*signal].kind() == kind);
        let mut ids: Vec<EntityId> = with_events.map(|&(_, id)| id).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(db.entities(kind).unwrap(), ids);
        entities += ids.len() as u64;
    }
    assert_eq!(stats.entities, entities);
}

fn check_cells(db: &TidalDB, facts: &Facts, at: Timestamp) {
    let nobody = Reference::default();
    for (index, signal) in db.schema().signals().iter().enumerate() {
        for id in (0..12).chain([u64::MAX]).map(EntityId::new) {
            let reference = facts.cells.get(&(index, id)).unwrap_or(&nobody);
            let asked = Asked { db, signal, id, at };
            check_cell(&asked, reference);
            check_actors(&asked, facts.actors.get(&(index, id)).map_or(&[][..], |acted| acted));
        }
        let cells = facts.cells.iter().filter(|((of, _), _)| *of == index);
        let counts = cells.map(|(&(_, id), reference)| (id, reference.len())).collect();
        check_rankings(db, signal, &counts, at);
    }
    if let Some(newest) = facts.newest {
        let before = newest.saturating_sub(Duration::from_nanos(1));
        let error = db.decay_score_at("view", EntityId::new(0), before).unwrap_err();
        assert!(matches!(error, TidalError::BeforeNewest { .. }), "G13: {error}");
    }
}

/// A cell at a time.
struct Asked<'a> {
    db: &'a TidalDB,
    signal: &'a SignalTypeDefinition,
    id: EntityId,
    at: Timestamp,
}

/// G7, G8, G9, G10, G14.
fn check_cell(asked: &Asked<'_>, reference: &Reference) {
    let Asked { db, signal, id, at } = *asked;
    let nanos = at.as_nanos();
    let context = || format!("{} of {id} at {nanos}: {reference:?}", signal.name());
    let is_exact = reference.len() <= EXACT_EVENTS;
    let score = db.decay_score_at(signal.name(), id, at).unwrap();
    let ((expected, scale), edge) = match signal.decay() {
        DecaySpec::Exponential { half_life } => (reference.exponential(half_life, nanos), 0.0),
        DecaySpec::Permanent => (reference.permanent(), 0.0),
        DecaySpec::Linear { lifetime } => {
            let width = u64::try_from(lifetime.as_nanos()).unwrap().div_ceil(60);
            let edge = if is_exact { 0.0 } else { reference.edge_weight(lifetime, width, nanos) };
            (reference.linear(lifetime, nanos), edge / 60.0)
        }
    };
    let bound = (edge + TOLERANCE * (scale + edge)).max(f64::MIN_POSITIVE);
    assert!((score - expected).abs() <= bound, "score {score}, not {expected}: {}", context());
    for &window in signal.windows() {
        let count = db.windowed_count_at(signal.name(), id, window, at).unwrap();
        let sliding = window.duration().filter(|_| !is_exact);
        let (bound, weight) = sliding.map_or((0, 0.0), |_| reference.oldest_bucket(window, nanos));
        let expected = reference.count(window, nanos);
        assert!(
            count.abs_diff(expected) <= bound,
            "{count} in {window}, not {expected} up to {bound}: {}",
            context()
        );
        if signal.sums() {
            let sum = db.windowed_sum_at(signal.name(), id, window, at).unwrap();
            let (expected, scale) = reference.sum(window, nanos);
            let bound = weight + TOLERANCE * (scale + weight);
            assert!((sum - expected).abs() <= bound, "sum {sum}, not {expected}: {}", context());
        }
        if let Some(length) = window.duration().filter(|_| signal.velocity()) {
            let velocity = db.velocity_at(signal.name(), id, window, at).unwrap();
            assert_eq!(velocity, count as f64 / length.as_secs_f64(), "{}", context());
        }
    }
}

/// G98: exactly, since they are few.
fn check_actors(asked: &Asked<'_>, acted: &[(EntityId, Timestamp)]) {
    let Asked { db, signal, id, at } = *asked;
    for &window in signal.windows().iter().filter(|_| signal.uniques()) {
        let span = window.duration().unwrap_or(Duration::MAX).as_nanos();
        let inside = |time: Timestamp| u128::from(at.as_nanos() - time.as_nanos()) < span;
        let actors: BTreeSet<EntityId> =
            acted.iter().filter(|act| inside(act.1)).map(|act| act.0).collect();
        let events = db.windowed_count_at(signal.name(), id, window, at).unwrap();
        let found = db.unique_actors_at(signal.name(), id, window, at).unwrap();
        let expected = events.min(actors.len() as u64);
        assert_eq!(found, expected, "{} of {id} in {window}: {acted:?}", signal.name());
    }
}

/// G12.
fn check_rankings(
    db: &TidalDB,
    signal: &SignalTypeDefinition,
    counts: &BTreeMap<EntityId, u64>,
    at: Timestamp,
) {
    let name = signal.name();
    let by_score = db.top_at(name, By::Score, counts.len() + 1, at).unwrap();
    let mut ids: Vec<EntityId> = by_score.iter().map(|ranked| ranked.id).collect();
    ids.sort_unstable();
    assert!(ids.iter().eq(counts.keys()), "{name}: {ids:?} are not those with events");
    for ranked in &by_score {
        assert_eq!(ranked.value, db.decay_score_at(name, ranked.id, at).unwrap(), "{name}");
    }
    assert!(by_score.is_sorted_by(|a, b| a.value >= b.value), "{name}: {by_score:?}");
    if signal.has_window(Window::AllTime) {
        let mut expected: Vec<_> = counts.iter().map(|(&id, &count)| (count, id)).collect();
        expected.sort_unstable_by_key(|&(count, id)| (std::cmp::Reverse(count), id));
        expected.truncate(3);
        let top = db.top_at(name, By::Count(Window::AllTime), 3, at).unwrap();
        let top: Vec<_> = top.iter().map(|ranked| (ranked.value as u64, ranked.id)).collect();
        assert_eq!(top, expected, "{name}");
    }
}

/// G15, G16.
fn check_names(db: &TidalDB, facts: &Facts) {
    for kind in EntityKind::ALL {
        assert_eq!(db.id_mode(kind), facts.modes.get(&kind).copied(), "{kind}");
        let last_id = facts.last_ids.get(&kind).copied().unwrap_or_default();
        for id in (0..last_id + 2).map(EntityId::new) {
            let known = facts.names.iter().find(|((of, _), known)| *of == kind && **known == id);
            let name = known.map(|((_, name), _)| name.clone());
            assert_eq!(db.entity_name(kind, id).unwrap(), name, "the name of {kind} {id}");
        }
        for number in 0..10 {
            let name = name(number);
            let expected = facts.names.get(&(kind, name.clone())).copied();
            assert_eq!(db.find_entity(kind, &name).unwrap(), expected, "{kind} {name:?}");
        }
    }
}

/// The name of this number.
pub(super) fn name(number: u8) -> Vec<u8> {
    [b"n\xff", &[number][..]].concat()
}

/// G80.
fn check_forgotten(db: &TidalDB, facts: &Facts) {
    assert_eq!(db.stats().unwrap().unpurged, facts.forgotten.len() as u64);
    for kind in EntityKind::ALL {
        for id in (0..12).chain([u64::MAX]).map(EntityId::new) {
            let expected = facts.forgotten.contains(&(kind, id));
            assert_eq!(db.is_forgotten(kind, id).unwrap(), expected, "{kind} {id}");
        }
    }
}

/// G100, G101.
fn check_histories(db: &TidalDB, facts: &Facts, at: Timestamp) {
    let kept = |signal: &&SignalTypeDefinition| signal.history();
    let none = BTreeMap::new();
    for signal in db.schema().signals().iter().filter(kept) {
        for user in (0..12).chain([u64::MAX]).map(EntityId::new) {
            let number = usize::from(signal.id().get());
            let expected = facts.histories.get(&(number, user)).unwrap_or(&none);
            let history = db.history_at(signal.name(), user, usize::MAX, at).unwrap();
            let order = |seen: &Seen| (std::cmp::Reverse(seen.newest), seen.id);
            assert!(history.is_sorted_by_key(order), "{history:?}");
            let mut ids: Vec<EntityId> = history.iter().map(|seen| seen.id).collect();
            ids.sort_unstable();
            assert!(ids.iter().eq(expected.keys()), "{} of {user}: {ids:?}", signal.name());
            for Seen { id, score, newest } in history {
                let acts = &expected[&id];
                assert_eq!(newest.as_nanos(), acts.newest());
                assert!(db.has_seen(signal.name(), user, id).unwrap());
                let (expected, scale) = match signal.decay() {
                    DecaySpec::Exponential { half_life } => {
                        acts.exponential(half_life, at.as_nanos())
                    }
                    _ => acts.permanent(),
                };
                let bound = (TOLERANCE * scale).max(f64::MIN_POSITIVE);
                assert!((score - expected).abs() <= bound, "{score}, not {expected}: {acts:?}");
            }
            let unseen = (0..12).map(EntityId::new).filter(|id| !expected.contains_key(id));
            for id in unseen {
                assert!(!db.has_seen(signal.name(), user, id).unwrap(), "{user} {id}");
            }
        }
    }
}

/// G17.
fn check_metadata(db: &TidalDB, facts: &Facts) {
    for id in (0..12).chain([u64::MAX]).map(EntityId::new) {
        let expected = facts.metadata.get(&id);
        assert_eq!(db.read_item(id).unwrap().as_ref(), expected, "the metadata of {id}");
        assert_eq!(db.item_exists(id).unwrap(), expected.is_some(), "the metadata of {id}");
    }
}

/// G94, G95, G96: what is read of each entity, and what is found by value.
fn check_attributes(db: &TidalDB, facts: &Facts) {
    let empty = BTreeMap::new();
    for kind in EntityKind::ALL {
        for id in (0..12).chain([u64::MAX]).map(EntityId::new) {
            let row = facts.attributes.get(&(kind, id)).unwrap_or(&empty);
            let named = row.iter().map(|(attribute, value)| {
                (schemas::attribute(*attribute).0.to_owned(), value.clone())
            });
            let found = db.attributes(kind, id).unwrap();
            assert_eq!(found, named.collect(), "the attributes of {kind} {id}");
        }
        let held = db.parts().state.attributes.hold(kind).unwrap();
        let rows = facts.attributes.iter().filter(|((of, _), row)| *of == kind && !row.is_empty());
        let ids = rows.clone().map(|((_, id), _)| id.get());
        assert!(held.entities().iter().eq(ids), "the {kind}s with attributes");
        for attribute in db.schema().attributes_of(kind) {
            let number = usize::from(attribute.id().get());
            let having = rows.clone().filter(|(_, row)| row.contains_key(&number));
            let having: Vec<u64> = having.map(|((_, id), _)| id.get()).collect();
            let found = held.having(attribute.id()).into_iter().flatten();
            assert!(found.eq(having), "the {kind}s with {}", attribute.name());
        }
    }
}

//! Queries beside who writes.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tidal_types::{AttributeValue, EntityId, EntityKind, Timestamp};

use super::super::plan::Bound;
use super::super::reading::Reading;
use super::super::*;
use super::world::World;
use crate::attributes::BoundFilter;

/// G106: what was answered before a query began is in it, of events and of attributes, by every
/// way; and nobody waits for ever.
#[test]
fn what_was_answered_before_is_on_the_page() {
    let db = World::new().db;
    let (answered, is_done) = (AtomicU64::new(0), AtomicBool::new(false));
    let at = Timestamp::from_secs(1_500_000_000);
    let write = || {
        for number in 1..=300_u64 {
            let (id, weight) = (EntityId::new(number), number as f64);
            db.signal("perm", id, weight, at).unwrap();
            let price = ("price", Some(AttributeValue::Float(weight)));
            db.put_attributes(EntityKind::Item, id, &[price]).unwrap();
            answered.store(number, Ordering::Release);
        }
        is_done.store(true, Ordering::Release);
    };
    let read = |method: Option<Method>| {
        let by =
            [score("perm"), attribute("price").value(), score("perm") + attribute("price").value()];
        let mut last = 0;
        while !is_done.load(Ordering::Acquire) || last < 300 {
            for by in &by {
                let before = answered.load(Ordering::Acquire);
                let page = db.rank_by(&Query::items().by(by.clone()).limit(1), method).unwrap();
                last = page.entries.first().map_or(0, |entry| entry.id.get());
                assert!(last >= before, "{last} behind {before}, by {by} and {method:?}");
            }
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(write);
        for method in [None, Some(Method::Threshold), Some(Method::Scan)] {
            scope.spawn(move || read(method));
        }
    });
}

/// G90: a query that reads attributes keeps nobody from writing them, nor events behind them;
/// and the next query has what was written.
#[test]
fn nobody_waits_for_a_query_to_write() {
    let mut world = World::new();
    world.write(&[("perm", 3, 2.0, 10)]);
    world.describe(3, Some("en"), Some(1.0), None, &[]);
    let query = Query::items().by(score("perm") + attribute("price").value());
    let (db, at) = (&world.db, Timestamp::from_secs(1_500_000_010));
    let bound = Bound::bind(&query, db.schema()).unwrap();
    let reading = Reading::of(db.state().unwrap(), &bound, None, at).unwrap();
    let write = || {
        let price = ("price", Some(AttributeValue::Float(7.0)));
        db.put_attributes(EntityKind::Item, EntityId::new(4), &[price]).unwrap();
        db.signal("perm", EntityId::new(5), 5.0, at).unwrap();
        db.forget(EntityKind::Item, EntityId::new(3)).unwrap();
    };
    std::thread::scope(|scope| scope.spawn(write).join().unwrap());
    assert!(reading.attributes().unwrap().entities().iter().eq([3]));
    drop(reading);
    let page = db.rank(&query).unwrap();
    let ids: Vec<u64> = page.entries.iter().map(|entry| entry.id.get()).collect();
    assert_eq!(ids, [4, 5]);
}

/// Whoever needs attributes for nothing but its filter lets go of them.
#[test]
fn attributes_are_held_by_who_reads_them() {
    let mut world = World::new();
    world.describe(3, Some("en"), Some(1.0), None, &["de"]);
    let filtered = || Query::items().by(score("perm")).filter(attribute("price").less_than(5));
    let queries = [
        (filtered(), false),
        (filtered().including_quiet(), true),
        (filtered().explained(), true),
        (filtered().at_most(1, "creator"), true),
        (filtered().by(attribute("price").value()), true),
        (filtered().by(affinity("like", "tags")).for_user(EntityId::new(900)), true),
    ];
    let (db, at) = (&world.db, Timestamp::from_secs(1_500_000_010));
    for (query, holds) in queries {
        let bound = Bound::bind(&query, db.schema()).unwrap();
        let filter = query.filter.as_ref().unwrap();
        let filter = BoundFilter::bind(filter, db.schema(), query.kind, &|_, _| Ok(None)).unwrap();
        let reading = Reading::of(db.state().unwrap(), &bound, Some(&filter), at).unwrap();
        assert_eq!(reading.attributes().is_some(), holds, "{query:?}");
    }
}

//! Queries beside who writes.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tidal_types::{AttributeValue, EntityId, EntityKind, Timestamp};

use super::super::*;
use super::world::World;

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

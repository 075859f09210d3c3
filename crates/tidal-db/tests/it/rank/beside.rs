//! Pages that are asked for while others write.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex};
use std::thread;

use tidal_db::{
    Batch, Config, DecaySpec, Durability, EntityId, Event, ManualClock, Page, Query, SchemaBuilder,
    TidalDB, Window, count, score,
};

use super::schemas::{DAY, ITEM};
use crate::fixture::{NOW, id};
use crate::life::Random;

const WRITERS: u64 = 3;
const COMMITS: u64 = 400;
const EVENTS: u64 = 40;
/// So few that many change while they are looked at.
const ENTITIES: u64 = 250;

/// How many events of an entity were answered.
type Answered = Mutex<BTreeMap<EntityId, u64>>;

/// Writes, and notes what was answered.
fn write(db: &TidalDB, answered: &Answered, seed: u64) {
    let mut random = Random(seed);
    for _ in 0..COMMITS {
        let ids: Vec<EntityId> = (0..EVENTS)
            .map(|_| {
                let end = 1 + random.below(ENTITIES);
                id(random.below(end))
            })
            .collect();
        let events = ids.iter().map(|&id| Event::new("view", id, 1.0, NOW));
        db.commit(events.collect::<Batch<'_>>()).unwrap();
        let mut answered = answered.lock().unwrap();
        for id in ids {
            *answered.entry(id).or_default() += 1;
        }
    }
}

/// The page is in order, without anybody twice, and has what was answered before.
fn check(page: &Page, limit: usize, before: &BTreeMap<EntityId, u64>, all: &mut HashSet<EntityId>) {
    for pair in page.entries.windows(2) {
        let is_sorted = pair[0].value > pair[1].value
            || pair[0].value == pair[1].value && pair[0].id < pair[1].id;
        assert!(is_sorted, "{pair:?}");
    }
    for entry in &page.entries {
        assert!(all.insert(entry.id), "{} comes twice", entry.id);
        let answered = before.get(&entry.id).copied().unwrap_or(0);
        assert!(entry.value >= answered as f64, "{entry:?}, of which {answered} were answered");
    }
    // Whoever had more than the last place has now had a place on this page or before.
    let last = page.entries.last().map_or(0.0, |entry| entry.value);
    for (id, answered) in before {
        if page.entries.len() < limit || *answered as f64 > last {
            assert!(all.contains(id), "{id} with {answered} events is on no page: {page:?}");
        }
    }
}

/// G115
#[test]
fn pages_beside_writers_are_sorted_and_have_what_was_answered() {
    let mut schema = SchemaBuilder::new();
    schema
        .signal("view", ITEM, DecaySpec::Exponential { half_life: DAY })
        .windows(&[Window::SevenDays])
        .add();
    let dir = tempfile::tempdir().unwrap();
    let config = Config { data_dir: dir.path().into(), schema: schema.build().unwrap() };
    let db = TidalDB::builder(config)
        .clock(Arc::new(ManualClock::new(NOW)))
        .durability(Durability::Written)
        .checkpoint_every(2000)
        .open()
        .unwrap();
    let answered = Answered::default();
    // Every event is of now and weighs 1, so both are numbers of events.
    let questions = [score("view"), count("view", Window::SevenDays)];
    thread::scope(|scope| {
        let writers: Vec<_> = (1..=WRITERS)
            .map(|seed| {
                scope.spawn({
                    let (db, answered) = (&db, &answered);
                    move || write(db, answered, seed)
                })
            })
            .collect();
        let mut rounds = 0;
        let mut is_last = false;
        while !is_last {
            // Once more behind the last write.
            is_last = writers.iter().all(thread::ScopedJoinHandle::is_finished);
            for by in &questions {
                let query = Query::items().by(by.clone()).limit(50);
                let mut all = HashSet::new();
                let mut cursor = None;
                for _ in 0..3 {
                    let before = answered.lock().unwrap().clone();
                    let page = match cursor {
                        None => db.rank(&query).unwrap(),
                        Some(cursor) => db.rank(&query.clone().after(cursor)).unwrap(),
                    };
                    check(&page, 50, &before, &mut all);
                    rounds += 1;
                    cursor = page.cursor;
                    if cursor.is_none() {
                        break;
                    }
                }
            }
        }
        assert!(rounds > 6, "there was more than the last round");
    });
    let total: u64 = answered.lock().unwrap().values().sum();
    assert_eq!(total, WRITERS * COMMITS * EVENTS);
}

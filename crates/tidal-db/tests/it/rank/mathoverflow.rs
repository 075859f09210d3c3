//! A real site: its rankings stay right while time passes, without anything being done.

use std::collections::BTreeSet;
use std::fs::File;

use flate2::read::GzDecoder;
use tidal_db::{
    Batch, DecaySpec, EntityId, EntityKind, Event, Expr, Method, Page, Query, SchemaBuilder,
    TidalDB, Timestamp, score,
};

use super::schemas::DAY;
use crate::fixture::real_data;

const USER: EntityKind = EntityKind::User;
const SIGNALS: [(&str, u32); 3] = [("a2q", 30), ("c2q", 2), ("c2a", 7)];

/// The answers and comments of the site: signal, whom it was about, when.
fn rows() -> Option<Vec<(&'static str, EntityId, Timestamp)>> {
    let mut rows = Vec::new();
    for (signal, _) in SIGNALS {
        let path = real_data(&format!("sx-mathoverflow/sx-mathoverflow-{signal}.txt.gz"))?;
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(b' ')
            .has_headers(false)
            .from_reader(GzDecoder::new(File::open(path).unwrap()));
        for row in reader.deserialize() {
            let (_, target, secs): (u64, u64, u64) = row.unwrap();
            rows.push((signal, EntityId::new(target), Timestamp::from_secs(secs)));
        }
    }
    rows.sort_by_key(|&(_, _, time)| time);
    Some(rows)
}

/// The site, and the time of its newest event.
fn site() -> Option<(TidalDB, Timestamp)> {
    let rows = rows()?;
    let newest = rows.last()?.2;
    let mut schema = SchemaBuilder::new();
    for (signal, days) in SIGNALS {
        schema.signal(signal, USER, DecaySpec::Exponential { half_life: days * DAY }).add();
    }
    let db = TidalDB::in_memory(schema.build().unwrap()).unwrap();
    for rows in rows.chunks(10_000) {
        let events = rows.iter().map(|&(signal, id, time)| Event::new(signal, id, 1.0, time));
        db.commit(events.collect::<Batch<'_>>()).unwrap();
    }
    Some((db, newest))
}

fn ids(page: &Page) -> Vec<EntityId> {
    page.entries.iter().map(|entry| entry.id).collect()
}

/// G114
#[test]
fn mathoverflow_the_top_100_of_a_signal_stay_as_they_are_while_time_passes() {
    let Some((db, newest)) = site() else { return };
    for (signal, days) in SIGNALS {
        let query = Query::of(USER).by(score(signal)).limit(100);
        let now = db.rank(&query.clone().at(newest)).unwrap();
        assert_eq!(now.entries.len(), 100);
        for later in [1, 30] {
            let then = db.rank(&query.clone().at(newest.saturating_add(later * DAY))).unwrap();
            assert_eq!(ids(&then), ids(&now), "{signal}, {later} days later");
            // Nothing is made again: what is looked at is the page, and little beside it.
            assert_eq!(then.statistics.method, Method::Threshold);
            assert!(then.statistics.looked_at <= 150, "{signal}: {:?}", then.statistics);
            assert!(then.statistics.evaluated <= 150, "{signal}: {:?}", then.statistics);
            let left = libm::exp2(-f64::from(later) / f64::from(days));
            for (now, then) in now.entries.iter().zip(&then.entries) {
                let expected = now.value * left;
                assert!((then.value - expected).abs() <= 1e-9 * expected, "{signal} {}", now.id);
            }
        }
    }
}

/// G113, at a real site: each of three mixtures, at each of three times, is what all 21,980
/// entities, evaluated and sorted, are.
#[test]
fn mathoverflow_mixtures_are_exact_and_found_by_looking_at_few() {
    let Some((db, newest)) = site() else { return };
    let everyone: BTreeSet<EntityId> = db.entities(USER).unwrap().into_iter().collect();
    assert_eq!(everyone.len(), 21_980);
    let mixtures: [[f64; 3]; 3] = [[3.0, 1.0, 2.0], [1.0, 10.0, 0.5], [1.0, -0.5, 2.0]];
    for weights in mixtures {
        let [a, b, c] = weights;
        let by: Expr = a * score("a2q") + b * score("c2q") + c * score("c2a");
        for later in [0, 1, 30] {
            let at = newest.saturating_add(later * DAY);
            let page = db.rank(&Query::of(USER).by(by.clone()).at(at).limit(100)).unwrap();
            let mut expected: Vec<(f64, EntityId)> = everyone
                .iter()
                .map(|&id| {
                    let scores = SIGNALS.map(|(name, _)| db.decay_score_at(name, id, at).unwrap());
                    (a * scores[0] + b * scores[1] + c * scores[2], id)
                })
                .collect();
            expected.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
            let expected: Vec<_> =
                expected[..100].iter().map(|&(value, id)| (id, value.to_bits())).collect();
            let found: Vec<_> =
                page.entries.iter().map(|entry| (entry.id, entry.value.to_bits())).collect();
            assert_eq!(found, expected, "{by} after {later} days");
            assert_eq!(page.statistics.method, Method::Threshold);
            println!("{by}, {later} days later: {:?}", page.statistics);
            let few = everyone.len() as u64 / 10;
            assert!(page.statistics.evaluated < few, "{by}: {:?}", page.statistics);
        }
    }
}

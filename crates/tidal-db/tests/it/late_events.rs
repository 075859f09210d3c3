//! Events in the order of a file against the same events in the order of time.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read as _;
use std::time::Duration;

use flate2::read::GzDecoder;
use tidal_db::{
    Batch, DecaySpec, EntityId, EntityKind, Event, Schema, SchemaBuilder, TidalDB, Timestamp,
    Window,
};

use crate::fixture::real_data;

const HOUR: Duration = Duration::from_secs(3600);

/// A rating.
#[derive(Clone, Copy)]
struct Row {
    movie: EntityId,
    weight: f64,
    time: Timestamp,
}

/// Several half-lives, and each other kind of decay, with every window.
fn schema() -> Schema {
    let mut builder = SchemaBuilder::new();
    for (name, decay) in [
        ("hourly", DecaySpec::Exponential { half_life: HOUR }),
        ("daily", DecaySpec::Exponential { half_life: 24 * HOUR }),
        ("monthly", DecaySpec::Exponential { half_life: 30 * 24 * HOUR }),
        ("fading", DecaySpec::Linear { lifetime: 30 * 24 * HOUR }),
        ("total", DecaySpec::Permanent),
    ] {
        builder
            .signal(name, EntityKind::Item, decay)
            .windows(&Window::ALL)
            .velocity(true)
            .sums(true)
            .add();
    }
    builder.build().unwrap()
}

fn fed(rows: &[Row]) -> TidalDB {
    let schema = schema();
    let db = TidalDB::in_memory(schema.clone()).unwrap();
    for chunk in rows.chunks(2000) {
        let events = chunk.iter().flat_map(|row| {
            let of = |signal| Event::new(signal, row.movie, row.weight, row.time);
            schema.signals().iter().map(move |signal| of(signal.name()))
        });
        db.commit(events.collect::<Batch<'_>>()).unwrap();
    }
    db
}

/// Ratings are not negative, so a score is the sum of the absolute contributions too.
fn assert_close(a: f64, b: f64, context: &dyn Fn() -> String) {
    assert!((a - b).abs() <= 1e-9 * a.max(b), "{a} and {b}: {}", context());
}

fn compare(late: &TidalDB, sorted: &TidalDB, movies: &BTreeSet<EntityId>, at: Timestamp) {
    for signal in late.schema().signals() {
        let name = signal.name();
        for &id in movies {
            let context = || format!("{name} of {id} at {at:?}");
            let [a, b] = [late, sorted].map(|db| db.decay_score_at(name, id, at).unwrap());
            assert_close(a, b, &context);
            for &window in signal.windows() {
                let [a, b] =
                    [late, sorted].map(|db| db.windowed_count_at(name, id, window, at).unwrap());
                assert_eq!(a, b, "{window}: {}", context());
                let [a, b] =
                    [late, sorted].map(|db| db.windowed_sum_at(name, id, window, at).unwrap());
                assert_close(a, b, &context);
            }
        }
    }
}

/// Half of the rows go back in time, by up to half a year.
/// G10
#[test]
fn movietweetings_is_the_same_in_the_order_of_the_file_and_of_time() {
    let Some(path) = real_data("movietweetings-100k/ratings.dat.gz") else {
        return;
    };
    let mut text = String::new();
    GzDecoder::new(File::open(path).unwrap()).read_to_string(&mut text).unwrap();
    let mut rows: Vec<Row> = text
        .lines()
        .map(|line| {
            let fields: Vec<&str> = line.split("::").collect();
            Row {
                movie: EntityId::new(fields[1].parse().unwrap()),
                weight: fields[2].parse().unwrap(),
                time: Timestamp::from_secs(fields[3].parse().unwrap()),
            }
        })
        .collect();
    let back = rows.windows(2).filter(|pair| pair[1].time < pair[0].time).count();
    assert_eq!((rows.len(), back), (100_000, 49_797));
    let movies = rows.iter().map(|row| row.movie).collect();
    let late = fed(&rows);
    rows.sort_by_key(|row| row.time);
    let sorted = fed(&rows);
    let newest = rows.last().unwrap().time;
    for later in [0, 1, 5 * 24, 40 * 24] {
        compare(&late, &sorted, &movies, newest.saturating_add(later * HOUR));
    }
}

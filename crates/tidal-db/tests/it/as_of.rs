//! As-of reads through the facade: what a row may know, how far back it reaches, and
//! real events against the definition.

use std::collections::HashMap;
use std::fs::File;
use std::sync::Arc;
use std::time::Duration;

use flate2::read::GzDecoder;
use tidal_db::{
    AsOf, AsOfClock, Config, DecaySpec, Durability, EntityId, EntityKind, ErrorKind, Event,
    FeatureValue, ManualClock, Retention, SchemaBuilder, SchemaError, TidalDB, TidalError,
    Timestamp, Window,
};

use crate::fixture::{NOW, ago, builder, event, id, open, real_data, schema};

const SECOND: Duration = Duration::from_secs(1);
const NANOSECOND: Duration = Duration::from_nanos(1);

fn views(rows: impl IntoIterator<Item = (EntityId, Timestamp)>) -> AsOf {
    AsOf::new(EntityKind::Item).count("view", Window::AllTime).rows(rows)
}

/// The counts of a request with one feature.
fn counts(db: &TidalDB, request: &AsOf) -> Vec<u64> {
    let features = db.as_of(request).unwrap();
    let whole = |place| match features.row(place).collect::<Vec<_>>()[..] {
        [FeatureValue::Whole(count)] => count,
        ref other => panic!("{other:?} is not one count"),
    };
    (0..features.columns[0].values.len()).map(whole).collect()
}

/// G66
#[test]
fn a_record_is_not_known_before_it_was_logged() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::new(NOW));
    let db = builder(dir.path()).clock(Arc::<ManualClock>::clone(&clock)).open().unwrap();
    let (happened, logged) = (ago(600), NOW);
    db.signal("view", id(1), 1.0, happened).unwrap();
    // An event that claims to happen later is not known before that either.
    let soon = NOW.saturating_add(600 * SECOND);
    db.signal("view", id(2), 1.0, soon).unwrap();
    let rows = [
        (id(1), happened.saturating_sub(NANOSECOND)),
        (id(1), happened),
        (id(1), logged.saturating_sub(NANOSECOND)),
        (id(1), logged),
        (id(2), logged),
        (id(2), soon.saturating_sub(NANOSECOND)),
        (id(2), soon),
    ];
    assert_eq!(counts(&db, &views(rows)), [0, 1, 1, 1, 0, 0, 1]);
    let known = views(rows).clock(AsOfClock::Known);
    assert_eq!(counts(&db, &known), [0, 0, 0, 1, 0, 0, 1]);
}

/// What was read at a time, by known time is what that read gave. Later records, most of
/// them of earlier events, change nothing of it.
/// G66
#[test]
fn by_known_time_the_past_is_what_was_read_then() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::new(NOW));
    let db = builder(dir.path()).clock(Arc::<ManualClock>::clone(&clock)).open().unwrap();
    let mut read = Vec::new();
    for step in 0..300_u64 {
        let now = NOW.saturating_add(Duration::from_secs(step * 60));
        clock.set(now);
        for index in 0..step % 4 {
            // All events of the stream are before NOW.
            db.signals(&[event(step * 4 + index)]).unwrap();
        }
        let entity = id(step % 5);
        assert_eq!(db.now(), now);
        let score = db.decay_score("view", entity).unwrap();
        let count = db.windowed_count("view", entity, Window::AllTime).unwrap();
        let sum = db.windowed_sum("view", entity, Window::AllTime).unwrap();
        read.push(((entity, now), score, count, sum));
    }
    let request = AsOf::new(EntityKind::Item)
        .score("view")
        .count("view", Window::AllTime)
        .sum("view", Window::AllTime)
        .rows(read.iter().map(|(row, ..)| *row));
    let known = db.as_of(&request.clone().clock(AsOfClock::Known)).unwrap();
    let by_event = db.as_of(&request).unwrap();
    let mut hindsight = 0;
    for (place, &(row, score, count, sum)) in read.iter().enumerate() {
        let features: Vec<FeatureValue> = known.row(place).collect();
        assert!((features[0].as_f64() - score).abs() < 1e-9, "{row:?}: {features:?}, {score}");
        assert_eq!(features[1], FeatureValue::Whole(count), "{row:?}");
        assert!((features[2].as_f64() - sum).abs() < 1e-9, "{row:?}: {features:?}, {sum}");
        hindsight += u64::from(by_event.row(place).nth(1) != Some(FeatureValue::Whole(count)));
    }
    assert!(hindsight > 100, "the late events make a difference: {hindsight}");
}

/// G67
#[test]
fn everything_answered_is_seen_whatever_the_durability() {
    for durability in [Durability::Durable, Durability::Written, Durability::Buffered] {
        let dir = tempfile::tempdir().unwrap();
        let db = builder(dir.path()).durability(durability).open().unwrap();
        for count in 1..=20 {
            db.signal("view", id(1), 1.0, NOW).unwrap();
            assert_eq!(counts(&db, &views([(id(1), NOW)])), [count], "{durability:?}");
        }
    }
}

/// G65, G67
#[test]
fn the_past_outlives_checkpoints_reopening_and_a_grown_schema() {
    let dir = tempfile::tempdir().unwrap();
    let events: Vec<Event<'_>> = (0..2000).map(event).collect();
    let request = AsOf::declared(&schema(), EntityKind::Item)
        .rows((0..50).map(|row| (id(row % 12), ago(row * 20_000))));
    let db = open(dir.path());
    db.signals(&events[..1000]).unwrap();
    db.checkpoint().unwrap();
    db.signals(&events[1000..]).unwrap();
    let before = db.as_of(&request).unwrap();
    db.shutdown().unwrap();
    let mut grown = SchemaBuilder::new();
    crate::fixture::declare(&mut grown);
    grown.signal("share", EntityKind::Item, DecaySpec::Permanent).add();
    let config = Config { data_dir: dir.path().into(), schema: grown.build().unwrap() };
    let db = TidalDB::open(config).unwrap();
    db.signal("share", id(1), 5.0, NOW).unwrap();
    assert_eq!(db.as_of(&request).unwrap().columns, before.columns);
    let shares = AsOf::new(EntityKind::Item).score("share").row(id(1), ago(1)).row(id(1), NOW);
    let shares = db.as_of(&shares).unwrap();
    assert_eq!(
        shares.row(0).chain(shares.row(1)).collect::<Vec<_>>(),
        [FeatureValue::Real(0.0), FeatureValue::Real(5.0)]
    );
}

/// G68
#[test]
fn a_log_that_was_cut_is_not_taken_for_the_whole_past() {
    let dir = tempfile::tempdir().unwrap();
    let db = builder(dir.path()).segment_bytes(16 << 10).retain(Retention::UntilCheckpoint).open();
    let db = db.unwrap();
    let mut refused = None;
    for round in 0..20 {
        let events: Vec<Event<'_>> = (0..1000).map(|index| event(round * 1000 + index)).collect();
        db.signals(&events).unwrap();
        db.checkpoint().unwrap();
        refused = db.as_of(&views([(id(1), NOW)])).err();
        if refused.is_some() {
            break;
        }
    }
    let refused = refused.expect("the log is cut in the end");
    assert!(
        matches!(refused, TidalError::PastNotKept { log_start, from: None } if log_start.get() > 1),
        "{refused}"
    );
    assert_eq!(refused.kind(), ErrorKind::Input);
    // Said before any row is asked about, too.
    assert!(matches!(db.as_of(&views([])), Err(TidalError::PastNotKept { .. })));
    assert!(refused.to_string().contains("begins at record"), "{refused}");
}

/// G14, G68
#[test]
fn what_cannot_be_answered_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let db = open(dir.path());
    let items = || AsOf::new(EntityKind::Item).row(id(1), NOW);
    let refused = |request: AsOf| db.as_of(&request).unwrap_err();
    let error = refused(items().score("wiev"));
    assert!(matches!(error, TidalError::Schema(SchemaError::UnknownSignal { .. })), "{error}");
    let error = refused(items().count("view", Window::ThirtyDays));
    assert!(matches!(error, TidalError::WindowNotDeclared { .. }), "{error}");
    let error = refused(items().sum("like", Window::AllTime));
    assert!(matches!(error, TidalError::SumsNotDeclared { .. }), "{error}");
    for (signal, window) in [("view", Window::AllTime), ("like", Window::AllTime)] {
        let error = refused(items().velocity(signal, window));
        assert!(matches!(error, TidalError::VelocityNotDeclared { .. }), "{error}");
    }
    let error = refused(items().score("follow"));
    assert!(matches!(error, TidalError::SignalOfOtherKind { .. }), "{error}");
    assert!(error.to_string().contains("creator"), "{error}");

    let nothing = db.as_of(&items()).unwrap();
    assert!(nothing.columns.is_empty() && nothing.row(0).next().is_none());
    let unknown = db.as_of(&AsOf::declared(db.schema(), EntityKind::Item).row(id(9), NOW)).unwrap();
    assert!(unknown.row(0).all(|value| value.as_f64() == 0.0) && unknown.columns.len() == 11);
    assert_eq!(
        unknown.column("view_count_1h").unwrap().values.get(0),
        Some(FeatureValue::Whole(0))
    );

    let memory = TidalDB::in_memory(schema()).unwrap();
    assert!(matches!(memory.as_of(&views([])), Err(TidalError::InMemory)));
    db.shutdown().unwrap();
    assert!(matches!(db.as_of(&views([])), Err(TidalError::Closed)));
}

/// A purchase as the file has it, and when it was logged.
struct Purchase {
    item: Vec<u8>,
    quantity: f64,
    time: u64,
    logged: u64,
}

/// The purchases, each chunk of which is logged when its last one has happened.
fn purchases(path: &std::path::Path) -> Vec<Purchase> {
    let mut reader = csv::Reader::from_reader(GzDecoder::new(File::open(path).unwrap()));
    let purchase = |record: csv::Result<csv::ByteRecord>| {
        let record = record.unwrap();
        let text = |column: usize| std::str::from_utf8(&record[column]).unwrap();
        let time: jiff::civil::DateTime = text(4).parse().unwrap();
        let time = time.to_zoned(jiff::tz::TimeZone::UTC).unwrap().timestamp();
        let time = time.as_nanosecond() as u64;
        let quantity = text(3).parse().unwrap();
        Purchase { item: record[1].to_vec(), quantity, time, logged: 0 }
    };
    let mut purchases: Vec<Purchase> = reader.byte_records().map(purchase).collect();
    for chunk in purchases.chunks_mut(CHUNK) {
        let newest = chunk.iter().map(|purchase| purchase.time).max().unwrap();
        chunk.iter_mut().for_each(|purchase| purchase.logged = newest);
    }
    purchases
}

const CHUNK: usize = 10_000;
const DAY: Duration = Duration::from_secs(24 * 3600);

const DECAYS: [(&str, DecaySpec); 3] = [
    ("purchase", DecaySpec::Exponential { half_life: Duration::from_secs(7 * 24 * 3600) }),
    ("fading", DecaySpec::Linear { lifetime: Duration::from_secs(30 * 24 * 3600) }),
    ("total", DecaySpec::Permanent),
];

/// The value of a feature by its definition, and the sum of the absolute contributions.
fn defined(seen: &[&Purchase], name: &str, at: u64) -> (f64, f64) {
    let age = |purchase: &Purchase| (at - purchase.time) as f64 / 1e9;
    if let Some(signal) = name.strip_suffix("_score") {
        let (_, decay) = DECAYS.into_iter().find(|(known, _)| *known == signal).unwrap();
        let left = |purchase: &Purchase| match decay {
            DecaySpec::Exponential { half_life } => {
                (-age(purchase) / half_life.as_secs_f64()).exp2()
            }
            DecaySpec::Linear { lifetime } => {
                (1.0 - age(purchase) / lifetime.as_secs_f64()).max(0.0)
            }
            DecaySpec::Permanent => 1.0,
        };
        let parts: Vec<f64> = seen.iter().map(|p| p.quantity * left(p)).collect();
        return (parts.iter().sum(), parts.iter().map(|part| part.abs()).sum());
    }
    let window = Window::ALL.into_iter().find(|w| name.ends_with(&format!("_{w}"))).unwrap();
    let span = window.duration().map_or(u64::MAX, |span| span.as_nanos() as u64);
    let within: Vec<f64> = seen.iter().filter(|p| at - p.time < span).map(|p| p.quantity).collect();
    if name.contains("_sum_") {
        (within.iter().sum(), within.iter().map(|quantity| quantity.abs()).sum())
    } else if name.contains("_velocity_") {
        (within.len() as f64 / window.duration().unwrap().as_secs_f64(), 0.0)
    } else {
        (within.len() as f64, 0.0)
    }
}

/// Splitmix64: as random as a choice of rows needs.
fn random(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// A thousand random rows over a year of purchases, by both clocks. Another draw each
/// time; `TIDAL_SEED` repeats one.
/// G65, G66
#[test]
fn online_retail_as_of_random_times_equals_the_definition() {
    let Some(path) = real_data("online-retail/online-retail.csv.gz") else {
        return;
    };
    let mut seed = std::env::var("TIDAL_SEED")
        .map_or_else(|_| Timestamp::now().as_nanos(), |seed| seed.parse().unwrap());
    println!("TIDAL_SEED={seed}");
    let purchases = purchases(&path);
    assert_eq!(purchases.len(), 541_909);

    let dir = tempfile::tempdir().unwrap();
    let mut schema = SchemaBuilder::new();
    for (name, decay) in DECAYS {
        let signal = schema.signal(name, EntityKind::Item, decay);
        signal.windows(&Window::ALL).velocity(true).sums(true).add();
    }
    let clock = Arc::new(ManualClock::default());
    let config = Config { data_dir: dir.path().into(), schema: schema.build().unwrap() };
    let db = TidalDB::builder(config).clock(Arc::<ManualClock>::clone(&clock)).open().unwrap();
    for chunk in purchases.chunks(CHUNK) {
        clock.set(Timestamp::from_nanos(chunk[0].logged));
        let names: Vec<&[u8]> = chunk.iter().map(|purchase| purchase.item.as_slice()).collect();
        let ids = db.entity_ids(EntityKind::Item, &names).unwrap();
        let events: Vec<Event<'_>> = chunk
            .iter()
            .zip(ids)
            .flat_map(|(purchase, id)| {
                let at = Timestamp::from_nanos(purchase.time);
                DECAYS.map(|(name, _)| Event::new(name, id, purchase.quantity, at))
            })
            .collect();
        db.signals(&events).unwrap();
    }

    let mut of_item: HashMap<&[u8], Vec<&Purchase>> = HashMap::new();
    for purchase in &purchases {
        of_item.entry(&purchase.item).or_default().push(purchase);
    }
    let (first, last) = (purchases[0].time, purchases.last().unwrap().time);
    let span = last - first + 2 * DAY.as_nanos() as u64;
    // Half of the rows are to the very time of a purchase or a logging.
    let rows: Vec<(&[u8], u64)> = (0..1000)
        .map(|row| {
            let near = &purchases[random(&mut seed) as usize % purchases.len()];
            let at = match row % 4 {
                0 => near.time,
                1 => near.logged,
                _ => first - DAY.as_nanos() as u64 + random(&mut seed) % span,
            };
            (near.item.as_slice(), at)
        })
        .collect();
    for clock in [AsOfClock::Event, AsOfClock::Known] {
        let asked = rows.iter().map(|&(item, at)| {
            let id = db.find_entity(EntityKind::Item, item).unwrap().unwrap();
            (id, Timestamp::from_nanos(at))
        });
        let request = AsOf::declared(db.schema(), EntityKind::Item).clock(clock).rows(asked);
        let features = db.as_of(&request).unwrap();
        assert_eq!(features.columns.len(), 3 * (1 + 3 * 5 - 1));
        for (place, &(item, at)) in rows.iter().enumerate() {
            let known = |p: &&&Purchase| clock == AsOfClock::Event || p.logged <= at;
            let seen: Vec<&Purchase> =
                of_item[item].iter().filter(|p| p.time <= at).filter(known).copied().collect();
            for column in &features.columns {
                let value = column.values.get(place).unwrap().as_f64();
                let (expected, size) = defined(&seen, &column.name, at);
                assert!(
                    (value - expected).abs() <= 1e-9 * size,
                    "{} of {} at {at} by {clock:?}: {value}, not {expected}",
                    column.name,
                    String::from_utf8_lossy(item)
                );
            }
        }
    }
}

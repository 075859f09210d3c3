//! Scores taken apart, from memory and from the log.

use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use tidal_db::{
    DecaySpec, Durability, EntityKind, ErrorKind, Event, Explanation, MemoryStorage, PartKind,
    Retention, SchemaBuilder, TidalDB, TidalError, Timestamp, Window,
};

use crate::fixture::{NOW, ago, builder, config, event, id, open};

/// E1: the parts sum to the score that is read, and the windows to the counts.
fn check(db: &TidalDB, explanation: &Explanation) {
    let Explanation { signal, entity, at, score, parts, windows, .. } = explanation;
    let read = db.decay_score_at(signal, *entity, *at).unwrap();
    assert_eq!(score.to_bits(), read.to_bits());
    let sum: f64 = parts.iter().map(|part| part.contribution).sum();
    let scale: f64 = parts.iter().map(|part| part.contribution.abs()).sum();
    let tolerance = 1e-12 * (scale + score.abs()) + f64::MIN_POSITIVE;
    assert!((sum - score).abs() <= tolerance, "{sum} for {score}: {parts:#?}");
    for part in parts {
        if let Some(factor) = part.factor {
            let product = part.weight * factor;
            let off = (product - part.contribution).abs();
            assert!(off <= 1e-12 * product.abs() + f64::MIN_POSITIVE, "{part:?}");
        }
        assert!(part.from <= part.to || part.to.is_none(), "{part:?}");
    }
    assert!(parts.windows(2).all(|pair| pair[0].from <= pair[1].from));
    for window in windows {
        let count = db.windowed_count_at(signal, *entity, window.window, *at).unwrap();
        let divided = window.divided.map_or(0, |divided| divided.counted);
        assert_eq!((window.count, window.whole + divided), (count, count), "{window:?}");
        if let Some(divided) = window.divided {
            let exact = divided.events as f64 * divided.share;
            assert!((divided.counted as f64 - exact).abs() <= 0.5 + 1e-9 * exact, "{divided:?}");
            assert!(divided.share > 0.0 && divided.share < 1.0 && divided.from <= divided.to);
            let cut = at.saturating_sub(window.window.duration().unwrap());
            assert!(divided.from <= cut && cut < divided.to, "{divided:?}");
        }
    }
}

fn any_decay() -> impl Strategy<Value = DecaySpec> {
    let span = prop_oneof![
        Just(Duration::from_secs(60)),
        Just(Duration::from_secs(7 * 86_400)),
        (1..10_000_000_000_000_000_u64).prop_map(Duration::from_nanos)
    ];
    prop_oneof![
        span.clone().prop_map(|half_life| DecaySpec::Exponential { half_life }),
        span.prop_map(|lifetime| DecaySpec::Linear { lifetime }),
        Just(DecaySpec::Permanent),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    // G71: for every decay, for cells that keep their events and for busy ones.
    #[test]
    fn parts_sum_to_the_score_g71(
        decay in any_decay(),
        events in prop::collection::vec((0..3_000_000_u64, prop_oneof![Just(1.0), Just(0.0), -9.0..9.0_f64]), 1..300),
        later in prop_oneof![Just(0), 0..3_000_000_u64],
    ) {
        let mut schema = SchemaBuilder::new();
        schema.signal("view", EntityKind::Item, decay).windows(&Window::ALL).add();
        let db = TidalDB::in_memory(schema.build().unwrap()).unwrap();
        let newest = events.iter().map(|event| event.0).max().unwrap();
        for &(secs, weight) in &events {
            db.signal("view", id(1), weight, Timestamp::from_secs(1_000_000_000 + secs)).unwrap();
        }
        let at = Timestamp::from_secs(1_000_000_000 + newest + later);
        let explanation = db.explain("view", id(1), at).unwrap();
        check(&db, &explanation);
        prop_assert_eq!((explanation.events, explanation.windows.len()), (events.len() as u64, 5));
        let kinds = |kind| explanation.parts.iter().filter(|part| part.kind == kind).count();
        if events.len() <= 4 {
            prop_assert_eq!(kinds(PartKind::Event), events.len());
        } else {
            prop_assert_eq!(kinds(PartKind::Event), 0);
            prop_assert!(kinds(PartKind::DividedBucket) <= 1 && kinds(PartKind::Bucket) <= 61);
        }
    }

}

proptest! {
    // Each case opens a database on disk.
    #![proptest_config(ProptestConfig::with_cases(24))]

    // G72: the same down to events, however few parts are asked for.
    #[test]
    fn events_of_the_log_sum_to_the_score_g72(
        decay in any_decay(),
        events in prop::collection::vec((0..3_000_000_u64, -9.0..9.0_f64), 1..60),
        parts_max in 1..80_usize,
    ) {
        let dir = tempfile::tempdir().unwrap();
        let mut schema = SchemaBuilder::new();
        schema.signal("view", EntityKind::Item, decay).windows(&Window::ALL).add();
        let config = tidal_db::Config { data_dir: dir.path().into(), schema: schema.build().unwrap() };
        let db = TidalDB::builder(config)
            .storage(Arc::new(MemoryStorage::new()))
            .durability(Durability::Buffered)
            .open()
            .unwrap();
        let time = |secs| Timestamp::from_secs(1_000_000_000 + secs);
        // Another entity has as many, of which nothing may show.
        let batch: Vec<Event<'_>> = events
            .iter()
            .flat_map(|&(secs, weight)| [1, 2].map(|of| Event::new("view", id(of), weight, time(secs))))
            .collect();
        db.signals(&batch).unwrap();
        let at = db.newest_event().unwrap();
        let explanation = db.explain_from_log("view", id(1), at, parts_max).unwrap();
        check(&db, &explanation);
        let found = |part: &&tidal_db::Part| matches!(part.kind, PartKind::Event | PartKind::Events);
        let parts: Vec<_> = explanation.parts.iter().filter(found).collect();
        prop_assert!(parts.len() <= parts_max && explanation.parts.len() <= parts.len() + 1);
        prop_assert_eq!(parts.iter().filter_map(|part| part.events).sum::<u64>(), events.len() as u64);
        prop_assert!(explanation.parts.iter().all(|part| part.kind != PartKind::BeforeLog));
        prop_assert_eq!(explanation.grouped.is_some(), events.len() > parts_max);
        if explanation.grouped.is_none() {
            let mut expected = events.clone();
            expected.sort_by_key(|event| event.0);
            let told: Vec<_> = parts.iter().map(|part| (part.from, part.weight)).collect();
            let expected: Vec<_> =
                expected.iter().map(|&(secs, weight)| (Some(time(secs)), weight)).collect();
            prop_assert_eq!(told, expected);
        }
    }
}

/// A database with 2,000 events of the stream.
fn fed(db: &TidalDB) {
    for start in (0..2000).step_by(250) {
        let events: Vec<_> = (start..start + 250).map(event).collect();
        db.signals(&events).unwrap();
    }
}

#[test]
fn every_entity_of_a_stream_is_explained_g71_g72() {
    let dir = tempfile::tempdir().unwrap();
    let db = open(dir.path());
    fed(&db);
    for (signal, kind) in
        [("view", EntityKind::Item), ("like", EntityKind::Item), ("follow", EntityKind::Creator)]
    {
        for entity in db.entities(kind).unwrap() {
            let explanation = db.explain(signal, entity, NOW).unwrap();
            check(&db, &explanation);
            let from_log = db.explain_from_log(signal, entity, NOW, 100_000).unwrap();
            check(&db, &from_log);
            let events: u64 = from_log.parts.iter().filter_map(|part| part.events).sum();
            assert_eq!(events, explanation.events);
            assert_eq!(from_log.windows, explanation.windows);
        }
    }
}

#[test]
fn what_the_log_keeps_no_more_is_one_part_g72() {
    let dir = tempfile::tempdir().unwrap();
    let db = builder(dir.path()).retain(Retention::UntilCheckpoint).open().unwrap();
    let early: Vec<_> = (1..=9).map(|day| ago(day * 9_000)).collect();
    for &at in &early {
        db.signal("view", id(1), 2.0, at).unwrap();
    }
    // Each of these enters another segment, and those before it are cut.
    for _ in 0..4 {
        db.write_item(id(9), vec![7; 50_000]).unwrap();
        db.checkpoint().unwrap();
    }
    db.signal("view", id(1), 3.0, ago(60)).unwrap();
    let explanation = db.explain_from_log("view", id(1), NOW, 10).unwrap();
    check(&db, &explanation);
    let kinds: Vec<_> = explanation.parts.iter().map(|part| (part.kind, part.events)).collect();
    assert_eq!(kinds, [(PartKind::BeforeLog, Some(9)), (PartKind::Event, Some(1))]);
    let before = explanation.parts[0];
    assert_eq!((before.weight, before.from, before.to), (18.0, None, None));
    let expected: f64 = early
        .iter()
        .map(|at| 2.0 * (-(NOW.saturating_since(*at).as_secs_f64() / 86_400.0)).exp2())
        .sum();
    assert!((before.contribution - expected).abs() < 1e-9, "{before:?}");
}

#[test]
fn nobody_explains_to_nothing_and_the_past_is_refused() {
    let db = TidalDB::in_memory(crate::fixture::schema()).unwrap();
    db.signal("view", id(1), 1.0, ago(60)).unwrap();
    for explanation in [
        db.explain("view", id(7), NOW).unwrap(),
        db.explain_from_log("view", id(7), NOW, 10).unwrap(),
    ] {
        assert_eq!((explanation.score, explanation.events), (0.0, 0));
        assert!(explanation.parts.is_empty());
        assert!(
            explanation.windows.iter().all(|window| window.count == 0 && window.divided.is_none())
        );
        assert_eq!(explanation.windows.len(), 3);
    }
    let early = ago(61);
    assert_eq!(db.explain("view", id(1), early).unwrap_err().kind(), ErrorKind::Input);
    assert_eq!(db.explain_from_log("view", id(1), early, 9).unwrap_err().kind(), ErrorKind::Input);
    assert_eq!(db.explain("shout", id(1), NOW).unwrap_err().kind(), ErrorKind::Input);
    // In memory there is no log, so all of it is before.
    let explanation = db.explain_from_log("view", id(1), NOW, 9).unwrap();
    check(&db, &explanation);
    assert_eq!(explanation.parts[0].kind, PartKind::BeforeLog);
    db.shutdown().unwrap();
    assert!(matches!(db.explain("view", id(1), NOW), Err(TidalError::Closed)));
}

#[test]
fn a_linear_score_says_which_buckets_and_what_is_estimated() {
    let dir = tempfile::tempdir().unwrap();
    let db = TidalDB::builder(config(dir.path())).open().unwrap();
    // Half of the bucket of 2.8 hours that the lifetime of 7 days divides is over.
    let start = Timestamp::from_secs(1_600_000_000 / 10_080 * 10_080);
    let at = |secs: u64| start.saturating_add(Duration::from_secs(secs));
    for secs in [0, 1_000, 9_000, 10_079, 10_080, 20_160, 604_800] {
        db.signal("like", id(1), 1.0, at(secs)).unwrap();
    }
    let explanation = db.explain("like", id(1), at(604_800 + 5_040)).unwrap();
    check(&db, &explanation);
    let told: Vec<_> =
        explanation.parts.iter().map(|part| (part.kind, part.from, part.weight)).collect();
    assert_eq!(
        told,
        [
            (PartKind::DividedBucket, Some(at(0)), 4.0),
            (PartKind::Bucket, Some(at(10_080)), 1.0),
            (PartKind::Bucket, Some(at(20_160)), 1.0),
            (PartKind::Bucket, Some(at(604_800)), 1.0),
        ]
    );
    let last = explanation.parts.last().unwrap();
    assert!((last.contribution - (1.0 - 5_040.0 / 604_800.0)).abs() < 1e-12);
    // What the estimate is off by is told, once the events themselves are.
    let from_log = db.explain_from_log("like", id(1), at(604_800 + 5_040), 10).unwrap();
    check(&db, &from_log);
    assert_eq!(from_log.parts[0].kind, PartKind::Rest);
    assert_eq!(from_log.parts.len(), 8);
}

//! Time of a read, future events, rankings: what the facade adds to the ledger.

use std::sync::Arc;
use std::time::Duration;

use tidal_db::{
    By, EntityKind, Event, ManualClock, Reading, TidalDB, TidalError, Timestamp, Window,
};

use crate::fixture::{NOW, ago, builder, event, id};

fn with_clock() -> (TidalDB, Arc<ManualClock>, tempfile::TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::new(NOW));
    let db = builder(dir.path()).clock(Arc::<ManualClock>::clone(&clock)).open().unwrap();
    (db, clock, dir)
}

/// G13
#[test]
fn now_is_the_later_of_the_clock_and_the_newest_event() {
    let (db, clock, _dir) = with_clock();
    assert_eq!(db.now(), NOW);
    let soon = NOW.saturating_add(Duration::from_secs(60));
    db.signal("view", id(1), 1.0, soon).unwrap();
    assert_eq!(db.now(), soon);
    clock.set(ago(1000));
    assert_eq!(db.now(), soon);
    assert_eq!(db.decay_score("view", id(1)).unwrap(), 1.0);
    clock.set(soon.saturating_add(Duration::from_secs(24 * 3600)));
    assert!((db.decay_score("view", id(1)).unwrap() - 0.5).abs() < 1e-12);
    assert_eq!(db.windowed_count("view", id(1), Window::OneHour).unwrap(), 0);
    assert_eq!(db.windowed_count("view", id(1), Window::SevenDays).unwrap(), 1);
}

/// G13
#[test]
fn a_read_before_the_newest_event_is_refused() {
    let (db, _clock, _dir) = with_clock();
    db.signal("view", id(1), 1.0, ago(5)).unwrap();
    let outcomes = [
        db.decay_score_at("view", id(2), ago(6)).map(|_| ()),
        db.windowed_count_at("view", id(2), Window::OneHour, ago(6)).map(|_| ()),
        db.windowed_sum_at("view", id(2), Window::OneHour, ago(6)).map(|_| ()),
        db.velocity_at("view", id(2), Window::OneHour, ago(6)).map(|_| ()),
        db.top_at("view", By::Score, 1, ago(6)).map(|_| ()),
    ];
    for outcome in outcomes {
        assert!(
            matches!(outcome, Err(TidalError::BeforeNewest { at, newest }) if at == ago(6) && newest == ago(5)),
            "{outcome:?}"
        );
        assert!(outcome.unwrap_err().to_string().contains("as_of"));
    }
    assert_eq!(db.decay_score_at("view", id(1), ago(5)).unwrap(), 1.0);
}

/// G4, G5
#[test]
fn events_from_too_far_ahead_are_refused_before_they_are_written() {
    let (db, _clock, _dir) = with_clock();
    let records = db.stats().unwrap().records;
    let edge = NOW.saturating_add(Duration::from_secs(3600));
    let beyond = edge.saturating_add(Duration::from_nanos(1));
    for at in [beyond, Timestamp::MAX] {
        let outcome = db.signal("view", id(1), 1.0, at);
        assert!(matches!(outcome, Err(TidalError::FutureTimestamp { .. })), "{outcome:?}");
    }
    assert_eq!(db.stats().unwrap().records, records);
    db.signal("view", id(1), 1.0, edge).unwrap();
}

/// G14
#[test]
fn undeclared_reads_are_errors() {
    let (db, _clock, _dir) = with_clock();
    let window = db.windowed_count("like", id(1), Window::OneHour);
    assert!(matches!(window, Err(TidalError::WindowNotDeclared { .. })), "{window:?}");
    let sum = db.windowed_sum("like", id(1), Window::AllTime);
    assert!(matches!(sum, Err(TidalError::SumsNotDeclared { .. })), "{sum:?}");
    let velocity = db.velocity("view", id(1), Window::AllTime);
    assert!(matches!(velocity, Err(TidalError::VelocityNotDeclared { .. })), "{velocity:?}");
    let unknown = db.decay_score("share", id(1));
    assert!(matches!(unknown, Err(TidalError::Schema(_))), "{unknown:?}");
}

/// G14
#[test]
fn unknown_entities_read_zero() {
    let (db, _clock, _dir) = with_clock();
    assert_eq!(db.decay_score("view", id(9)).unwrap(), 0.0);
    assert_eq!(db.windowed_count("view", id(9), Window::AllTime).unwrap(), 0);
    assert_eq!(db.velocity("view", id(9), Window::OneHour).unwrap(), 0.0);
    assert!(db.top("view", By::Score, 10).unwrap().is_empty());
    assert!(db.entities(EntityKind::Item).unwrap().is_empty());
}

/// A reading has what the single reads say: of busy entities, quiet ones and unknown ones.
#[test]
fn a_reading_is_the_score_and_the_counts() {
    let (db, clock, _dir) = with_clock();
    let events = (0..2000).map(event).chain([Event::new("view", id(1000), 1.0, ago(7200))]);
    db.signals(&events.collect::<Vec<_>>()).unwrap();
    let windows = [Window::SevenDays, Window::OneHour, Window::AllTime, Window::OneHour];
    for at in [NOW, NOW.saturating_add(Duration::from_secs(1800))] {
        clock.set(at);
        for id in (0..60).chain([1000]).map(id) {
            let counts = windows.map(|window| db.windowed_count("view", id, window).unwrap());
            let score = db.decay_score("view", id).unwrap();
            assert_eq!(db.read("view", id, windows).unwrap(), Reading { score, counts });
            assert_eq!(db.read_at("view", id, windows, at).unwrap(), Reading { score, counts });
            let score = db.decay_score("follow", id).unwrap();
            assert_eq!(db.read("follow", id, []).unwrap(), Reading { score, counts: [] });
        }
    }
    assert_eq!(db.read("view", id(1000), [Window::OneHour]).unwrap().counts, [0]);
    let outcome = db.read("like", id(1), [Window::AllTime, Window::OneHour]);
    assert!(matches!(outcome, Err(TidalError::WindowNotDeclared { .. })), "{outcome:?}");
    let outcome = db.read_at("view", id(1), [], ago(2_000_000));
    assert!(matches!(outcome, Err(TidalError::BeforeNewest { .. })), "{outcome:?}");
}

/// G12
#[test]
fn rankings_go_by_value_and_then_by_id() {
    let (db, _clock, _dir) = with_clock();
    for (number, weight) in [(5, 1.0), (3, 1.0), (9, 2.0), (4, -1.0), (1, 0.0)] {
        db.signal("view", id(number), weight, NOW).unwrap();
    }
    db.signal("view", id(4), -1.0, ago(7200)).unwrap();
    let ids = |by, limit| -> Vec<u64> {
        db.top("view", by, limit).unwrap().iter().map(|ranked| ranked.id.get()).collect()
    };
    assert_eq!(ids(By::Score, usize::MAX), [9, 3, 5, 1, 4]);
    assert_eq!(ids(By::Score, 2), [9, 3]);
    assert_eq!(ids(By::Score, 0), [] as [u64; 0]);
    assert_eq!(ids(By::Count(Window::AllTime), 2), [4, 1]);
    assert_eq!(ids(By::Velocity(Window::OneHour), 2), [1, 3]);
    let ranked = db.top("view", By::Count(Window::AllTime), 1).unwrap();
    assert_eq!((ranked[0].rank, ranked[0].value), (1, 2.0));
    assert_eq!(db.entities(EntityKind::Item).unwrap(), [1, 3, 4, 5, 9].map(id));
}

/// G90
#[test]
fn an_index_is_made_when_it_is_asked_for() {
    let (db, _clock, _dir) = with_clock();
    db.signal("view", id(5), 1.0, NOW).unwrap();
    db.decay_score("view", id(5)).unwrap();
    let before = db.stats().unwrap();
    assert_eq!((before.indexes.lists, before.indexes.bytes), (0, 0));
    for lists in 1..=2 {
        let by = if lists == 1 { By::Score } else { By::Count(Window::OneHour) };
        db.top("view", by, 1).unwrap();
        let stats = db.stats().unwrap();
        assert_eq!(stats.indexes.lists, lists);
        let (indexes, memory) = (stats.indexes.bytes, stats.memory_bytes);
        assert_eq!(memory - before.memory_bytes, indexes);
    }
}

/// Scores too small for a number still have their order.
/// G12
#[test]
fn old_entities_keep_their_order() {
    let (db, clock, _dir) = with_clock();
    db.signal("view", id(1), 1.0, ago(3600)).unwrap();
    db.signal("view", id(2), 1.0, NOW).unwrap();
    db.signal("view", id(3), -1.0, NOW).unwrap();
    clock.set(NOW.saturating_add(Duration::from_secs(20 * 365 * 24 * 3600)));
    let ranked = db.top("view", By::Score, 3).unwrap();
    let ids: Vec<_> = ranked.iter().map(|ranked| ranked.id.get()).collect();
    assert_eq!(ids, [2, 1, 3]);
    assert!(ranked.iter().all(|ranked| ranked.value == 0.0));
}

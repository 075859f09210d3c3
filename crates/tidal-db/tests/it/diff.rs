//! How a ranking moved between two databases.

use std::path::Path;

use tidal_db::{By, EntityKind, Event, SchemaError, TidalDB, TidalError, Window, diff};

use crate::fixture::{ago, id, open};

/// A database with these named items, in the order of their score.
fn named(dir: &Path, order: &[&str]) -> TidalDB {
    let db = open(dir);
    let ids = db.entity_ids(EntityKind::Item, order).unwrap();
    let events = ids
        .into_iter()
        .enumerate()
        .map(|(place, id)| Event::new("view", id, (order.len() - place) as f64, ago(10)));
    db.signals(&events.collect::<Vec<_>>()).unwrap();
    db
}

/// G79: entities are matched by name whatever their ids, and the figures are as defined.
#[test]
fn what_moved_is_told_by_name() {
    let (a, b) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let a = named(a.path(), &["one", "two", "three", "four", "five"]);
    let b = named(b.path(), &["three", "one", "six", "two", "five"]);
    let found = diff(&a, &b, "view", By::Score, 4, None).unwrap();
    let rows = found.moved.iter().map(|moved| {
        let rank = |ranked: &Option<tidal_db::Ranked>| ranked.as_ref().map_or(0, |at| at.rank);
        let name = String::from_utf8(moved.name.clone().unwrap()).unwrap();
        (name, rank(&moved.a), rank(&moved.b), moved.rise())
    });
    let rows: Vec<_> = rows.collect();
    let row = |name: &str, a, b, rise| (name.to_owned(), a, b, rise);
    let expected = [
        row("one", 1, 2, Some(-1)),
        row("two", 2, 4, Some(-2)),
        row("three", 3, 1, Some(2)),
        row("four", 4, 0, None),
        row("six", 0, 3, None),
    ];
    assert_eq!(rows, expected);
    assert_eq!((found.in_both, found.left, found.entered), (3, 1, 1));
    assert!((found.mean_move - 5.0 / 3.0).abs() < 1e-12);
    // Of three pairs one is in order: (one, two); three goes before both.
    assert!((found.kendall_tau.unwrap() + 1.0 / 3.0).abs() < 1e-12);
    assert_eq!(found.at, ago(10));
}

/// G79: without names they are matched by id, and a kind that has names on one side only
/// cannot be matched.
#[test]
fn without_names_ids_are_compared() {
    let dirs = [0; 3].map(|_| tempfile::tempdir().unwrap());
    let [a, b] = [&dirs[0], &dirs[1]].map(|dir| {
        let db = open(dir.path());
        db.signals(&[1, 2].map(|number| Event::new("view", id(number), 1.0, ago(5)))).unwrap();
        db
    });
    let found = diff(&a, &b, "view", By::Count(Window::AllTime), 10, None).unwrap();
    assert_eq!((found.in_both, found.mean_move, found.kendall_tau), (2, 0.0, Some(1.0)));
    let c = named(dirs[2].path(), &["one"]);
    let error = diff(&a, &c, "view", By::Score, 10, None).unwrap_err();
    assert!(matches!(error, TidalError::KindIsNumeric { .. }), "{error}");
    let error = diff(&a, &b, "none", By::Score, 10, None).unwrap_err();
    assert!(matches!(error, TidalError::Schema(SchemaError::UnknownSignal { .. })), "{error}");
}

//! An index while it is made.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use tidal_types::{AttributeId, AttributeValue, EntityId, EntityKind, TidalError};

use super::fixture::{Fixture, ITEM, Step};
use crate::attributes::made::{Made, NOTES_BYTES_MAX};
use crate::attributes::{AttributeRow, Value};

const SIZE: AttributeId = AttributeId::new(1);
const MAKER: AttributeId = AttributeId::new(2);

fn row(size: i64) -> AttributeRow {
    let maker = Value::Entity(EntityKind::Creator, EntityId::new(9));
    let patch = vec![(SIZE, Some(Value::Integer(size))), (MAKER, Some(maker))];
    AttributeRow::patched(None, &patch).unwrap()
}

fn size(made: &Made, id: u64) -> Option<f64> {
    made.ready().unwrap().index().column(SIZE).unwrap().number_of(EntityId::new(id))
}

/// J1: what the fold changes during the scan counts, before and after the scan came by.
#[test]
fn what_changes_meanwhile_is_in_the_index() {
    let made = Made::default();
    let id = EntityId::new;
    // Nobody asks yet, so nothing is kept.
    made.put(id(5), Some(Arc::new(row(5))));
    made.make(|index| {
        index.put(id(1), Some(&row(1)));
        made.put(id(1), Some(Arc::new(row(10))));
        made.put(id(2), Some(Arc::new(row(20))));
        index.put(id(2), Some(&row(2)));
        index.put(id(3), Some(&row(3)));
        made.put(id(3), None);
        Ok(())
    })
    .unwrap();
    assert_eq!([1, 2, 3, 5].map(|id| size(&made, id)), [Some(10.0), Some(20.0), None, None]);
    made.put(id(1), Some(Arc::new(row(11))));
    assert_eq!(size(&made, 1), Some(11.0));
    assert!(made.ready().unwrap().index().entities().iter().eq([1, 2]));
}

/// J1: so does what is forgotten.
#[test]
fn what_is_forgotten_meanwhile_is_not_in_the_index() {
    let made = Made::default();
    made.make(|index| {
        made.forgot(EntityKind::Creator, EntityId::new(9));
        index.put(EntityId::new(1), Some(&row(1)));
        Ok(())
    })
    .unwrap();
    let ready = made.ready().unwrap();
    assert!(ready.index().column(MAKER).unwrap().having().is_empty());
    assert!(ready.index().column(SIZE).unwrap().having().iter().eq([1]));
}

/// A scan that fails is done again, and leaves nothing.
#[test]
fn an_index_that_could_not_be_made_is_made_again() {
    let made = Made::default();
    let failed = made.make(|index| {
        index.put(EntityId::new(1), Some(&row(1)));
        made.put(EntityId::new(2), Some(Arc::new(row(2))));
        Err(TidalError::Closed)
    });
    assert!(matches!(failed, Err(TidalError::Closed)), "{failed:?}");
    assert!(made.ready().is_none());
    made.make(|index| {
        index.put(EntityId::new(3), Some(&row(3)));
        Ok(())
    })
    .unwrap();
    assert!(made.ready().unwrap().index().entities().iter().eq([3]));
    // Once made, it is not scanned again.
    made.make(|_| Err(TidalError::Closed)).unwrap();
}

/// G90, J3: the fold goes on while the index is held, whatever has changed is in it for who
/// comes next, and in its order, also where the fold has applied a part of it.
#[test]
fn the_fold_goes_on_behind_who_reads() {
    const FIRST: i64 = 100;
    for behind in [0, 1, 5, 40] {
        let made = Made::default();
        let put = |size| made.put(EntityId::new(1), Some(Arc::new(row(size))));
        made.make(|_| Ok(())).unwrap();
        put(1);
        let held = made.ready().unwrap();
        let number = || held.index().column(SIZE).unwrap().number_of(EntityId::new(1));
        thread::scope(|scope| {
            scope.spawn(|| (0..40).for_each(|later| put(FIRST + later))).join().unwrap();
        });
        assert_eq!(number(), Some(1.0));
        drop(held);
        (0..behind).for_each(|later| put(2 * FIRST + later));
        let last = if behind == 0 { FIRST + 39 } else { 2 * FIRST + behind - 1 };
        assert_eq!(size(&made, 1), Some(last as f64), "{behind}");
    }
}

/// J3: nobody has to read for the notes to be applied.
#[test]
fn the_fold_catches_up() {
    let made = Made::default();
    made.make(|_| Ok(())).unwrap();
    let before = made.memory_bytes();
    let held = made.ready().unwrap();
    thread::scope(|scope| {
        let puts = || (1..100).for_each(|id| made.put(EntityId::new(id), None));
        scope.spawn(puts).join().unwrap();
    });
    drop(held);
    assert!(made.memory_bytes() > before);
    (1..10).for_each(|id| made.put(EntityId::new(id), None));
    assert_eq!(made.memory_bytes(), before);
}

/// G90, J4: behind a query that takes too long the notes are lost, and the index with them.
#[test]
fn an_index_that_has_missed_too_much_is_made_again() {
    let made = Made::default();
    made.make(|index| {
        index.put(EntityId::new(1), Some(&row(1)));
        Ok(())
    })
    .unwrap();
    let held = made.ready().unwrap();
    thread::scope(|scope| {
        let puts = || {
            let row = Arc::new(row(2));
            let count = NOTES_BYTES_MAX / size_of_val(&row);
            (0..count).for_each(|_| made.put(EntityId::new(1), Some(Arc::clone(&row))));
        };
        scope.spawn(puts).join().unwrap();
    });
    assert!(held.index().entities().iter().eq([1]));
    drop(held);
    assert!(made.ready().is_none());
    made.make(|index| {
        assert!(index.entities().is_empty());
        index.put(EntityId::new(3), Some(&row(3)));
        made.put(EntityId::new(4), Some(Arc::new(row(4))));
        Ok(())
    })
    .unwrap();
    made.put(EntityId::new(5), Some(Arc::new(row(5))));
    assert!(made.ready().unwrap().index().entities().iter().eq([3, 4, 5]));
}

/// E4: whoever was answered before a query began is in its index, while it is being made
/// and checkpoints go on.
#[test]
fn what_was_answered_is_in_the_index() {
    const IDS: u64 = 40;
    for _ in 0..20 {
        let mut fixture = Fixture::new();
        let (answered, is_over) = (AtomicU64::new(0), AtomicBool::new(false));
        fixture.put(ITEM, 0, &[("size", Some(AttributeValue::Integer(0)))]);
        fixture.take(&Step::Checkpoint);
        let state = fixture.state();
        let patch = |number: u64| {
            let value = Value::Integer(number.cast_signed());
            vec![(SIZE, Some(value))]
        };
        thread::scope(|scope| {
            scope.spawn(|| {
                for number in 0..IDS * 20 {
                    let id = EntityId::new(number % IDS);
                    state.attributes.apply(ITEM, id, &patch(number)).unwrap();
                    answered.store(number, Ordering::SeqCst);
                }
                is_over.store(true, Ordering::SeqCst);
            });
            while !is_over.load(Ordering::SeqCst) {
                let before = answered.load(Ordering::SeqCst);
                let held = state.attributes.hold(ITEM).unwrap();
                let found = held.number(SIZE, EntityId::new(before % IDS));
                assert!(found >= Some(before as f64), "{found:?} of {before}");
            }
        });
    }
}

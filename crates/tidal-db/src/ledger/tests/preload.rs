//! A pass that brings stored cells to memory.

use super::residency::open;
use super::store::Store;
use super::*;
use crate::ledger::Which;

const CELLS: u64 = 1000;

/// A storage of cells with some events each, quiet and busy ones.
fn stored() -> Arc<Store> {
    let store = Arc::new(Store::default());
    let ledger = open(&store, u64::MAX);
    fold(&ledger, 1..=7 * CELLS);
    let mut walk = ledger.walk_dirty(Which::All);
    while let Some(chunk) = walk.next(1000) {
        store.commit(&chunk);
        ledger.written(chunk);
    }
    drop(walk);
    store
}

/// Folds these records: each third is of the same item.
fn fold(ledger: &SignalLedger, records: impl IntoIterator<Item = u64>) {
    for record in records {
        let item = if record % 3 == 0 { 3 } else { record % CELLS };
        let event = Event::new("view", EntityId::new(item), 1.0, Timestamp::from_secs(record));
        ledger.apply(Seq::new(record), &ledger.schema().accept(&event).unwrap()).unwrap();
    }
}

fn scores(ledger: &SignalLedger) -> Vec<Option<u64>> {
    let (view, now) = (ledger.schema().signal("view").unwrap(), Timestamp::from_secs(100_000));
    let score = |item| ledger.score(view, EntityId::new(item), now);
    (0..CELLS + 10).map(|item| score(item).ok().map(f64::to_bits)).collect()
}

#[test]
fn what_was_brought_is_read_without_storage_and_is_the_same() {
    let store = stored();
    let [one_by_one, ledger] = [0; 2].map(|_| open(&store, u64::MAX));
    // Q1: some cells are newer than in storage.
    for ledger in [&one_by_one, &ledger] {
        fold(ledger, 7 * CELLS + 1..=7 * CELLS + 50);
    }
    ledger.preload().unwrap();
    let gets = store.gets();
    fold(&ledger, 8 * CELLS..9 * CELLS);
    let brought = scores(&ledger);
    assert_eq!(store.gets(), gets, "nothing is asked of storage, nor of what it never had");
    fold(&one_by_one, 8 * CELLS..9 * CELLS);
    assert_eq!(brought, scores(&one_by_one));
    assert_eq!(ledger.cell_count(), one_by_one.cell_count());
}

#[test]
fn a_cell_that_cannot_be_decoded_stays_where_it_is_q2() {
    let store = stored();
    store.damage(EntityKind::Item, EntityId::new(500));
    let [one_by_one, ledger] = [0; 2].map(|_| open(&store, u64::MAX));
    ledger.preload().unwrap();
    let read = scores(&ledger);
    assert_eq!(read[500], None);
    assert_eq!(read, scores(&one_by_one));
    assert_eq!(ledger.resident_cells(), one_by_one.resident_cells());
}

#[test]
fn a_pass_pays_for_many_cells_that_there_is_room_for_q3() {
    let store = stored();
    let cells = store.counts().total();
    let ledger = open(&store, u64::MAX);
    assert!(ledger.preload_pays(cells / 2) && !ledger.preload_pays(cells / 100));
    assert!(!open(&store, cells * 100).preload_pays(u64::MAX));
    // Among much else it is given up, and nothing is missed.
    store.has_others(u64::MAX);
    ledger.preload().unwrap();
    store.has_others(0);
    assert_eq!(scores(&ledger), scores(&open(&store, u64::MAX)));
    store.fail_scans();
    assert!(ledger.preload().is_err());
}

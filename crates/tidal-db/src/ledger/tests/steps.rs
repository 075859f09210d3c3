//! Walks by steps, beside cells that come and go.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use super::residency::{neighbours, open, view, write_all};
use super::store::Store;
use super::*;
use crate::ledger::clock;
use crate::ledger::shards::Place;
use crate::ledger::steps::STEP_CELLS;

/// How many cells there are when a walk begins, all in one shard.
const CELLS: usize = 300;

/// What happens between two steps, to the cell of such a place.
#[derive(Debug, Clone, Copy)]
enum Between {
    Evict(usize),
    Remove(usize),
    Read(usize),
    /// One that there was not before.
    Add(usize),
}

fn any_between() -> impl Strategy<Value = Between> {
    prop_oneof![
        4 => (0..CELLS).prop_map(Between::Evict),
        2 => (0..CELLS).prop_map(Between::Remove),
        2 => (0..CELLS).prop_map(Between::Read),
        2 => (0..CELLS).prop_map(Between::Add),
    ]
}

/// Lets a cell leave memory; false when it is not there.
fn evict(ledger: &SignalLedger, id: u64) -> bool {
    let place = Place::of(EntityId::new(id));
    let mut shard = ledger.shards.write(place.shard());
    let found = shard.tables()[0].find(place.hash, place.id);
    if let Some(number) = found {
        clock::evict(&mut shard, 0, number, &ledger.usage);
    }
    found.is_some()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    /// V1: what stays in memory is met once, whatever comes and goes between the steps,
    /// and nothing is met twice.
    #[test]
    fn a_walk_meets_each_cell_that_stays_once(
        between in prop::collection::vec(prop::collection::vec(any_between(), 0..12), 1..14),
    ) {
        let ids: Vec<u64> = neighbours(1).take(2 * CELLS).collect();
        let (ids, new) = ids.split_at(CELLS);
        let store = Arc::new(Store::default());
        let ledger = open(&store, u64::MAX);
        ids.iter().zip(1..).for_each(|(id, seq)| view(&ledger, seq, *id));
        write_all(&ledger, &store);
        let shard = Place::of(EntityId::new(1)).shard();
        let mut stays = vec![true; CELLS];
        let mut has_evicted = false;
        let mut met = BTreeMap::new();
        let mut walk = ledger.shards.steps(shard, SignalTypeId::new(0));
        let mut between = between.iter();
        let mut seq = 10 * CELLS as u64;
        loop {
            let mut shown = 0;
            let goes_on = walk.step(|table, number| {
                shown += 1;
                *met.entry(table.slot(number).id().get()).or_insert(0) += 1;
            });
            prop_assert!(shown <= STEP_CELLS);
            if !goes_on {
                break;
            }
            for between in between.next().into_iter().flatten() {
                seq += 1;
                match *between {
                    Between::Evict(place) => {
                        let has_left = evict(&ledger, ids[place]);
                        has_evicted |= has_left;
                        stays[place] &= !has_left;
                    }
                    Between::Remove(place) => {
                        stays[place] = false;
                        ledger.remove(Seq::new(seq), EntityKind::Item, EntityId::new(ids[place])).unwrap();
                        write_all(&ledger, &store);
                    }
                    Between::Read(place) => {
                        let signal = ledger.schema().signal("view").unwrap();
                        ledger.score(signal, EntityId::new(ids[place]), Timestamp::MAX).unwrap();
                    }
                    Between::Add(place) => view(&ledger, seq, new[place]),
                }
            }
        }
        prop_assert!(met.values().all(|times| *times == 1), "{met:?}");
        let missed: Vec<_> = ids
            .iter()
            .zip(&stays)
            .filter(|(id, stays)| **stays && !met.contains_key(id))
            .collect();
        prop_assert!(missed.is_empty(), "{missed:?}");
        prop_assert!(walk.has_others() || !has_evicted);
    }
}

/// N1, N2: a scan of all cells, in memory and in storage, beside others that are driven out
/// and come back, shows each of them once.
#[test]
fn a_scan_beside_evictions_shows_each_cell_once() {
    let ids: Vec<u64> = neighbours(1).take(CELLS).collect();
    let store = Arc::new(Store::default());
    let ledger = open(&store, u64::MAX);
    ids.iter().zip(1..).for_each(|(id, seq)| view(&ledger, seq, *id));
    write_all(&ledger, &store);
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let signal = ledger.schema().signal("view").unwrap();
            let mut place = 0;
            while !is_over.load(Ordering::Acquire) {
                place = (place + 7) % CELLS;
                evict(&ledger, ids[place]);
                let other = EntityId::new(ids[(place + 31) % CELLS]);
                ledger.score(signal, other, Timestamp::MAX).unwrap();
            }
        });
        for turn in 0.. {
            let mut shown: Vec<u64> = Vec::new();
            ledger.for_each(SignalTypeId::new(0), |id, _| shown.push(id.get())).unwrap();
            shown.sort_unstable();
            let mut all = ids.clone();
            all.sort_unstable();
            assert_eq!(shown, all);
            let entities = ledger.entities(EntityKind::Item).unwrap();
            assert!(entities.iter().map(|id| id.get()).eq(all));
            // The other thread may be slow to begin.
            if turn >= 200 && ledger.evictions() > 1000 {
                break;
            }
        }
        is_over.store(true, Ordering::Release);
    });
}

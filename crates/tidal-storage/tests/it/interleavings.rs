//! Transactions that are interleaved at random, with each other and with writes
//! outside of them, against a model. "G40" in `docs/guarantees.md`.
//!
//! With both levels every read is that of a map that was copied at the beginning,
//! under the transaction's own writes. A transaction conflicts exactly if someone
//! else has written since what it writes, or, if it is serializable, what it has
//! read; and what a serializable one has read is what it would have read had it
//! run alone at the moment of its commit.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use tidal_storage::{
    Direction, Durability, Isolation, KeyRange, KeyValue, Result, Savepoint, Storage,
    StorageEngineExt, StorageError, Transaction,
};

use crate::fixture::{Fixture, Open};

const KEYSPACES: [&str; 2] = ["items", "extra"];
const SLOTS: usize = 3;

/// A keyspace and a key.
type Place = (usize, u8);
type Map = BTreeMap<Place, u8>;

#[derive(Debug, Clone)]
enum Op {
    Get(Place),
    Contains(Place),
    Scan { space: usize, bounds: (Bound<u8>, Bound<u8>), direction: Direction, take: usize },
    Set(Place, Option<u8>),
    Savepoint,
    RollBack(Index),
    Release(Index),
}

#[derive(Debug, Clone)]
enum Step {
    Op(usize, Op),
    Commit(usize),
    Drop(usize),
    Outside(Place, Option<u8>),
    Swap(Place, u8),
}

fn any_place() -> impl Strategy<Value = Place> {
    (0..KEYSPACES.len(), b'a'..b'f')
}

fn any_bound() -> impl Strategy<Value = Bound<u8>> {
    prop_oneof![
        Just(Bound::Unbounded),
        (b'a'..b'f').prop_map(Bound::Included),
        (b'a'..b'f').prop_map(Bound::Excluded)
    ]
}

fn any_op() -> impl Strategy<Value = Op> {
    let direction = select([Direction::Forward, Direction::Backward].as_slice());
    let scan = (0..KEYSPACES.len(), (any_bound(), any_bound()), direction, 0..6usize);
    prop_oneof![
        3 => any_place().prop_map(Op::Get),
        1 => any_place().prop_map(Op::Contains),
        4 => scan.prop_map(|(space, bounds, direction, take)| Op::Scan { space, bounds, direction, take }),
        6 => (any_place(), any::<Option<u8>>()).prop_map(|(place, value)| Op::Set(place, value)),
        1 => Just(Op::Savepoint),
        1 => any::<Index>().prop_map(Op::RollBack),
        1 => any::<Index>().prop_map(Op::Release),
    ]
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        12 => (0..SLOTS, any_op()).prop_map(|(slot, op)| Step::Op(slot, op)),
        4 => (0..SLOTS).prop_map(Step::Commit),
        1 => (0..SLOTS).prop_map(Step::Drop),
        2 => (any_place(), any::<Option<u8>>()).prop_map(|(place, value)| Step::Outside(place, value)),
        1 => (any_place(), any::<u8>()).prop_map(|(place, value)| Step::Swap(place, value)),
    ]
}

/// What a step of a transaction answers.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Answer {
    Value(Option<u8>),
    Found(bool),
    Entries(Vec<(u8, u8)>),
    Nothing,
}

/// A transaction as a copy of everything.
#[derive(Debug, Clone, Default)]
struct Model {
    base: Map,
    own: BTreeMap<Place, Option<u8>>,
    savepoints: Vec<BTreeMap<Place, Option<u8>>>,
    /// The places that were looked at, in the universe of all that there are.
    read: BTreeSet<Place>,
}

fn contains(bounds: &(Bound<u8>, Bound<u8>), key: u8) -> bool {
    use std::ops::RangeBounds;
    bounds.contains(&key)
}

impl Model {
    fn value(&self, place: Place) -> Option<u8> {
        self.own.get(&place).copied().unwrap_or_else(|| self.base.get(&place).copied())
    }

    fn look(&mut self, place: Place) -> Option<u8> {
        if !self.own.contains_key(&place) {
            self.read.insert(place);
        }
        self.value(place)
    }

    fn scan(
        &mut self,
        space: usize,
        bounds: &(Bound<u8>, Bound<u8>),
        direction: Direction,
        take: usize,
    ) -> Vec<(u8, u8)> {
        let mut keys: Vec<u8> = (b'a'..b'f').filter(|&key| contains(bounds, key)).collect();
        if direction == Direction::Backward {
            keys.reverse();
        }
        let mut entries = Vec::new();
        for key in keys {
            if entries.len() == take {
                break;
            }
            // A scan passes over what is written by the transaction itself too.
            self.read.insert((space, key));
            entries.extend(self.value((space, key)).map(|value| (key, value)));
        }
        entries
    }

    fn apply(&mut self, op: &Op) -> Answer {
        match op {
            Op::Get(place) => Answer::Value(self.look(*place)),
            Op::Contains(place) => Answer::Found(self.look(*place).is_some()),
            Op::Scan { space, bounds, direction, take } => {
                Answer::Entries(self.scan(*space, bounds, *direction, *take))
            }
            Op::Set(place, value) => {
                self.own.insert(*place, *value);
                Answer::Nothing
            }
            Op::Savepoint => {
                self.savepoints.push(self.own.clone());
                Answer::Nothing
            }
            Op::RollBack(which) if !self.savepoints.is_empty() => {
                let which = which.index(self.savepoints.len());
                self.savepoints.truncate(which + 1);
                self.own = self.savepoints[which].clone();
                Answer::Nothing
            }
            Op::Release(which) if !self.savepoints.is_empty() => {
                self.savepoints.truncate(which.index(self.savepoints.len()));
                Answer::Nothing
            }
            Op::RollBack(_) | Op::Release(_) => Answer::Nothing,
        }
    }
}

/// A transaction beside its model.
struct Running<'a> {
    tx: Transaction<'a>,
    savepoints: Vec<Savepoint>,
    model: Model,
    log: Vec<(Op, Answer)>,
    /// What others have written since it began.
    written_since: BTreeSet<Place>,
}

impl<'a> Running<'a> {
    fn begin(storage: &'a dyn Storage, isolation: Isolation, now: &Map) -> Self {
        Self {
            tx: storage.begin_with(isolation).unwrap(),
            savepoints: Vec::new(),
            model: Model { base: now.clone(), ..Model::default() },
            log: Vec::new(),
            written_since: BTreeSet::new(),
        }
    }

    fn apply(&mut self, op: &Op) {
        let tx = &self.tx;
        let answer = match op {
            Op::Get((space, key)) => {
                Answer::Value(tx.get(KEYSPACES[*space], &[*key]).unwrap().map(|value| value[0]))
            }
            Op::Contains((space, key)) => {
                Answer::Found(tx.contains(KEYSPACES[*space], &[*key]).unwrap())
            }
            Op::Scan { space, bounds: (start, end), direction, take } => {
                let bound = |bound: &Bound<u8>| bound.map(|key| vec![key]);
                let range = KeyRange::new(bound(start), bound(end));
                let mut scan = tx.scan_range(KEYSPACES[*space], range, *direction).unwrap();
                // As `take` does, but the end is looked for only where it is due.
                let entries: Result<Vec<KeyValue>> = scan.by_ref().take(*take).collect();
                Answer::Entries(entries.unwrap().iter().map(|(k, v)| (k[0], v[0])).collect())
            }
            Op::Set((space, key), Some(value)) => {
                tx.put(KEYSPACES[*space], &[*key], &[*value]).unwrap();
                Answer::Nothing
            }
            Op::Set((space, key), None) => {
                tx.delete(KEYSPACES[*space], &[*key]).unwrap();
                Answer::Nothing
            }
            Op::Savepoint => {
                self.savepoints.push(tx.savepoint());
                Answer::Nothing
            }
            Op::RollBack(which) if !self.savepoints.is_empty() => {
                let which = which.index(self.savepoints.len());
                self.savepoints.truncate(which + 1);
                tx.rollback_to(&self.savepoints[which]).unwrap();
                Answer::Nothing
            }
            Op::Release(which) if !self.savepoints.is_empty() => {
                let mut gone =
                    self.savepoints.split_off(which.index(self.savepoints.len())).into_iter();
                tx.release(gone.next().unwrap()).unwrap();
                Answer::Nothing
            }
            Op::RollBack(_) | Op::Release(_) => Answer::Nothing,
        };
        assert_eq!(answer, self.model.apply(op), "{op:?}");
        self.log.push((op.clone(), answer));
    }

    /// Commits, and checks whether that conflicts. What was written, if it did
    /// not.
    fn commit(self, isolation: Isolation, now: &Map) -> BTreeMap<Place, Option<u8>> {
        let Self { tx, model, log, written_since, .. } = self;
        let mut at_stake: BTreeSet<Place> = model.own.keys().copied().collect();
        if isolation == Isolation::Serializable && !model.own.is_empty() {
            at_stake.extend(&model.read);
        }
        let overlap: BTreeSet<Place> = at_stake.intersection(&written_since).copied().collect();
        match tx.commit(Durability::Buffer) {
            Ok(()) => {
                assert!(overlap.is_empty(), "{overlap:?} is no conflict in {log:?}");
                if isolation == Isolation::Serializable && !model.own.is_empty() {
                    let mut alone = Model { base: now.clone(), ..Model::default() };
                    for (op, answer) in &log {
                        assert_eq!(alone.apply(op), *answer, "{op:?} when alone, in {log:?}");
                    }
                }
                model.own
            }
            Err(StorageError::Conflict { keyspace, key }) => {
                let space = KEYSPACES.iter().position(|name| *name == keyspace).unwrap();
                assert!(overlap.contains(&(space, key[0])), "{key:?} is a conflict in {log:?}");
                BTreeMap::new()
            }
            Err(error) => panic!("{error}"),
        }
    }
}

fn check(storage: &dyn Storage, isolation: Isolation, steps: &[Step]) {
    for (space, key) in
        KEYSPACES.into_iter().flat_map(|space| (b'a'..b'f').map(move |k| (space, k)))
    {
        storage.keyspace(space).unwrap().delete(&[key]).unwrap();
    }
    let mut now = Map::new();
    let mut slots: [Option<Running<'_>>; SLOTS] = [const { None }; SLOTS];
    for step in steps {
        let written = match step {
            Step::Op(slot, op) => {
                let begin = || Running::begin(storage, isolation, &now);
                slots[*slot].get_or_insert_with(begin).apply(op);
                BTreeMap::new()
            }
            Step::Commit(slot) => slots[*slot]
                .take()
                .map_or_else(BTreeMap::new, |running| running.commit(isolation, &now)),
            Step::Drop(slot) => {
                slots[*slot] = None;
                BTreeMap::new()
            }
            Step::Outside((space, key), value) => {
                let engine = storage.keyspace(KEYSPACES[*space]).unwrap();
                match value {
                    Some(value) => engine.put(&[*key], &[*value]).unwrap(),
                    None => engine.delete(&[*key]).unwrap(),
                }
                BTreeMap::from([((*space, *key), *value)])
            }
            Step::Swap((space, key), value) => {
                let engine = storage.keyspace(KEYSPACES[*space]).unwrap();
                let before = now.get(&(*space, *key)).map(|&value| vec![value]);
                let swapped = engine.fetch_update(&[*key], |found| {
                    assert_eq!(found, before.as_deref());
                    Some(vec![*value])
                });
                assert_eq!(swapped.unwrap().unwrap(), [*value]);
                BTreeMap::from([((*space, *key), Some(*value))])
            }
        };
        for (&place, &value) in &written {
            match value {
                Some(value) => now.insert(place, value),
                None => now.remove(&place),
            };
        }
        for running in slots.iter_mut().flatten() {
            running.written_since.extend(written.keys());
        }
    }
    drop(slots);
    for (space, name) in KEYSPACES.iter().enumerate() {
        let engine = storage.keyspace(name).unwrap();
        for key in b'a'..b'f' {
            let stored = engine.get(&[key]).unwrap().map(|value| value[0]);
            assert_eq!(stored, now.get(&(space, key)).copied());
        }
    }
}

/// Opening an engine costs more than a case does, so all cases share one.
fn check_many(open: Open) {
    let fixture = Fixture::new(open);
    let isolation = select([Isolation::Snapshot, Isolation::Serializable].as_slice());
    proptest!(ProptestConfig::with_cases(512), |(isolation in isolation, steps in vec(any_step(), 1..80))| {
        check(fixture.storage(), isolation, &steps);
    });
}

#[test]
fn memory_keeps_transactions_apart() {
    check_many(crate::engines::open_memory);
}

#[cfg(feature = "fjall")]
#[test]
fn fjall_keeps_transactions_apart() {
    check_many(crate::engines::open_fjall);
}

#[cfg(feature = "rocksdb")]
#[test]
fn rocksdb_keeps_transactions_apart() {
    check_many(crate::engines::open_rocksdb);
}

//! A state machine: any sequence of calls (puts, deletes, batches, scans, snapshots,
//! transactions with savepoints, reopening) gives the same answers from every engine as
//! from a `BTreeMap`, and all engines tell the same statistics of it.

use std::collections::BTreeMap;
use std::ops::Bound;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use tidal_keys::{Tag, entity_tag_prefix};
use tidal_storage::{
    AtomicBatch, Direction, Durability, EngineStats, Isolation, KeyRange, KeyValue, KeyspaceName,
    Savepoint, Snapshot, Storage, Transaction,
};
use tidal_types::EntityId;

use crate::fixture::{Fixture, Open, entries};

const KEYSPACES: [&str; 3] = ["items", "users", "extra"];

#[derive(Debug, Clone)]
enum Step {
    Put(usize, Vec<u8>, Vec<u8>),
    Delete(usize, Vec<u8>),
    Commit(Vec<(usize, Vec<u8>, Option<Vec<u8>>)>, Durability),
    Get(usize, Vec<u8>),
    Prefix(usize, Vec<u8>),
    Range(usize, Bound<Vec<u8>>, Bound<Vec<u8>>, Direction),
    /// A transaction of these steps, and whether it is committed.
    Transact(Vec<TxStep>, Isolation, bool),
    Flush,
    Compact(usize),
    Reopen,
}

/// A step inside of a transaction.
#[derive(Debug, Clone)]
enum TxStep {
    Set(usize, Vec<u8>, Option<Vec<u8>>),
    Get(usize, Vec<u8>),
    Scan(usize, Direction),
    Savepoint,
    /// Rolls back to one of the savepoints that there are.
    RollBack(Index),
    /// Releases one of the savepoints that there are.
    Release(Index),
}

fn any_bytes(length: std::ops::Range<usize>) -> impl Strategy<Value = Vec<u8>> {
    vec(select([0x00, 0x61, 0xff].as_slice()), length)
}

/// The beginning of a key of an entity, which an engine may keep elsewhere by its tag.
fn any_entity_key() -> impl Strategy<Value = Vec<u8>> {
    let id = select([0, 0x6161_6161_6161_6161, u64::MAX].as_slice()).prop_map(EntityId::new);
    (id, select(Tag::ALL.as_slice()), 8..=10usize).prop_map(|(id, tag, length)| {
        let mut key = entity_tag_prefix(id, tag).to_vec();
        key.truncate(length);
        key
    })
}

/// Few and short, so that calls often speak of the same key.
fn any_key() -> impl Strategy<Value = Vec<u8>> {
    let entity =
        (any_entity_key(), any_bytes(0..2)).prop_map(|(key, suffix)| [key, suffix].concat());
    prop_oneof![any_bytes(1..4), entity]
}

/// A prefix, or a bound.
fn any_place() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![any_bytes(0..4), any_entity_key()]
}

fn any_bound() -> impl Strategy<Value = Bound<Vec<u8>>> {
    prop_oneof![
        Just(Bound::Unbounded),
        any_place().prop_map(Bound::Included),
        any_place().prop_map(Bound::Excluded)
    ]
}

fn any_tx_step() -> impl Strategy<Value = TxStep> {
    let space = || 0..KEYSPACES.len();
    let value = proptest::option::of(vec(any::<u8>(), 0..4));
    let direction = select([Direction::Forward, Direction::Backward].as_slice());
    prop_oneof![
        6 => (space(), any_key(), value).prop_map(|(space, key, value)| TxStep::Set(space, key, value)),
        2 => (space(), any_key()).prop_map(|(space, key)| TxStep::Get(space, key)),
        2 => (space(), direction).prop_map(|(space, direction)| TxStep::Scan(space, direction)),
        2 => Just(TxStep::Savepoint),
        2 => any::<Index>().prop_map(TxStep::RollBack),
        1 => any::<Index>().prop_map(TxStep::Release),
    ]
}

fn any_step() -> impl Strategy<Value = Step> {
    let space = || 0..KEYSPACES.len();
    let value = || vec(any::<u8>(), 0..20);
    let direction = || select([Direction::Forward, Direction::Backward].as_slice());
    let durability = || prop_oneof![9 => Just(Durability::Buffer), 1 => Just(Durability::Sync)];
    let write = (space(), any_key(), proptest::option::of(value()));
    let isolation = select([Isolation::Snapshot, Isolation::Serializable].as_slice());
    let transaction = (vec(any_tx_step(), 0..15), isolation, any::<bool>());
    prop_oneof![
        4 => (space(), any_key(), value()).prop_map(|(space, key, value)| Step::Put(space, key, value)),
        2 => (space(), any_key()).prop_map(|(space, key)| Step::Delete(space, key)),
        4 => (vec(write, 0..30), durability()).prop_map(|(writes, durability)| Step::Commit(writes, durability)),
        2 => (space(), any_key()).prop_map(|(space, key)| Step::Get(space, key)),
        2 => (space(), any_place()).prop_map(|(space, key)| Step::Prefix(space, key)),
        4 => (space(), any_bound(), any_bound(), direction()).prop_map(|(s, start, end, d)| Step::Range(s, start, end, d)),
        3 => transaction.prop_map(|(steps, isolation, commit)| Step::Transact(steps, isolation, commit)),
        1 => Just(Step::Flush),
        1 => space().prop_map(Step::Compact),
        1 => Just(Step::Reopen),
    ]
}

type Model = [BTreeMap<Vec<u8>, Vec<u8>>; KEYSPACES.len()];

fn in_range(model: &Model, space: usize, range: &KeyRange, direction: Direction) -> Vec<KeyValue> {
    let inside = model[space].iter().filter(|(key, _)| range.contains(key));
    let mut inside: Vec<KeyValue> =
        inside.map(|(key, value)| (key.clone(), value.clone())).collect();
    if direction == Direction::Backward {
        inside.reverse();
    }
    inside
}

fn assert_same(storage: &dyn Storage, model: &Model) {
    for (space, name) in KEYSPACES.iter().enumerate() {
        let stored = entries(storage.keyspace(name).unwrap().scan_prefix(b""));
        assert_eq!(stored, in_range(model, space, &KeyRange::all(), Direction::Forward), "{name}");
    }
}

fn assert_snapshot_same(snapshot: &dyn Snapshot, model: &Model) {
    for (space, name) in KEYSPACES.into_iter().enumerate() {
        let stored = entries(snapshot.scan_range(
            KeyspaceName::from(name),
            KeyRange::all(),
            Direction::Backward,
        ));
        assert_eq!(stored, in_range(model, space, &KeyRange::all(), Direction::Backward), "{name}");
    }
}

/// Applies a step to both and checks what it answers. Reopening is not for here:
/// a snapshot may be held.
fn apply(storage: &dyn Storage, model: &mut Model, step: &Step) {
    let engine = |space: usize| storage.keyspace(KEYSPACES[space]).unwrap();
    match step {
        Step::Put(space, key, value) => {
            engine(*space).put(key, value).unwrap();
            model[*space].insert(key.clone(), value.clone());
        }
        Step::Delete(space, key) => {
            engine(*space).delete(key).unwrap();
            model[*space].remove(key);
        }
        Step::Commit(writes, durability) => {
            let mut batch = AtomicBatch::new();
            for (space, key, value) in writes {
                match value {
                    Some(value) => {
                        batch.put(KEYSPACES[*space], key.clone(), value.clone());
                        model[*space].insert(key.clone(), value.clone());
                    }
                    None => {
                        batch.delete(KEYSPACES[*space], key.clone());
                        model[*space].remove(key);
                    }
                }
            }
            storage.commit(batch, *durability).unwrap();
        }
        Step::Get(space, key) => {
            let expected = model[*space].get(key);
            assert_eq!(engine(*space).get(key).unwrap().as_ref(), expected);
            assert_eq!(engine(*space).contains(key).unwrap(), expected.is_some());
        }
        Step::Prefix(space, prefix) => {
            let expected = in_range(model, *space, &KeyRange::prefix(prefix), Direction::Forward);
            assert_eq!(entries(engine(*space).scan_prefix(prefix)), expected);
        }
        Step::Range(space, start, end, direction) => {
            let range = KeyRange::new(start.clone(), end.clone());
            let expected = in_range(model, *space, &range, *direction);
            assert_eq!(entries(engine(*space).scan_range(range, *direction)), expected);
        }
        Step::Transact(steps, isolation, commit) => {
            let tx = storage.begin_with(*isolation).unwrap();
            let inside = transact(&tx, model, steps);
            if *commit {
                tx.commit(Durability::Buffer).unwrap();
                *model = inside;
            } else {
                tx.rollback();
            }
        }
        Step::Flush => storage.flush_all().unwrap(),
        Step::Compact(space) => engine(*space).compact().unwrap(),
        Step::Reopen => {}
    }
}

/// Does the steps in a transaction, and gives what it then sees.
fn transact(tx: &Transaction<'_>, before: &Model, steps: &[TxStep]) -> Model {
    let mut model = before.clone();
    let mut savepoints: Vec<(Savepoint, Model)> = Vec::new();
    for step in steps {
        match step {
            TxStep::Set(space, key, Some(value)) => {
                tx.put(KEYSPACES[*space], key, value).unwrap();
                model[*space].insert(key.clone(), value.clone());
            }
            TxStep::Set(space, key, None) => {
                tx.delete(KEYSPACES[*space], key).unwrap();
                model[*space].remove(key);
            }
            TxStep::Get(space, key) => {
                let expected = model[*space].get(key);
                assert_eq!(tx.get(KEYSPACES[*space], key).unwrap().as_ref(), expected);
                assert_eq!(tx.contains(KEYSPACES[*space], key).unwrap(), expected.is_some());
            }
            TxStep::Scan(space, direction) => {
                let seen = entries(tx.scan_range(KEYSPACES[*space], KeyRange::all(), *direction));
                assert_eq!(seen, in_range(&model, *space, &KeyRange::all(), *direction));
            }
            TxStep::Savepoint => savepoints.push((tx.savepoint(), model.clone())),
            TxStep::RollBack(which) if !savepoints.is_empty() => {
                savepoints.truncate(which.index(savepoints.len()) + 1);
                let (savepoint, then) = savepoints.last().unwrap();
                tx.rollback_to(savepoint).unwrap();
                model = then.clone();
            }
            TxStep::Release(which) if !savepoints.is_empty() => {
                let released = savepoints.drain(which.index(savepoints.len())..).next();
                tx.release(released.unwrap().0).unwrap();
            }
            TxStep::RollBack(_) | TxStep::Release(_) => {}
        }
    }
    model
}

/// Runs the steps, with a snapshot taken before one of them and checked at the
/// end.
fn check(open: Open, steps: &[Step], snapshot_before: Index) {
    let mut fixture = Fixture::new(open);
    let mut model = Model::default();
    let (before, after) = steps.split_at(snapshot_before.index(steps.len()));
    for step in before {
        apply(fixture.storage(), &mut model, step);
        if matches!(step, Step::Reopen) && fixture.storage().capabilities().persistent {
            fixture.reopen();
            assert_same(fixture.storage(), &model);
        }
    }
    let snapshot = fixture.storage().snapshot().unwrap();
    let then = model.clone();
    for step in after {
        apply(fixture.storage(), &mut model, step);
    }
    assert_snapshot_same(&*snapshot, &then);
    drop(snapshot);
    assert_same(fixture.storage(), &model);
}

proptest! {
    #[test]
    fn memory_answers_as_a_map_does(steps in vec(any_step(), 1..40), snapshot_before: Index) {
        check(crate::engines::open_memory, &steps, snapshot_before);
    }
}

/// A property for an engine on disk.
#[cfg(any(feature = "fjall", feature = "lmdb", feature = "redb", feature = "rocksdb"))]
macro_rules! answers_as_a_map_does {
    ($test:ident, $open:path) => {
        proptest! {
            // Each case opens a database or several, which costs a few syncs.
            #![proptest_config(ProptestConfig::with_cases(32))]

            #[test]
            fn $test(steps in vec(any_step(), 1..40), snapshot_before: Index) {
                check($open, &steps, snapshot_before);
            }
        }
    };
}

#[cfg(feature = "fjall")]
answers_as_a_map_does!(fjall_answers_as_a_map_does, crate::engines::open_fjall);
#[cfg(feature = "hybrid")]
answers_as_a_map_does!(hybrid_answers_as_a_map_does, crate::engines::open_hybrid);
#[cfg(feature = "lmdb")]
answers_as_a_map_does!(lmdb_answers_as_a_map_does, crate::engines::open_lmdb);
#[cfg(feature = "redb")]
answers_as_a_map_does!(redb_answers_as_a_map_does, crate::engines::open_redb);
#[cfg(feature = "rocksdb")]
answers_as_a_map_does!(rocksdb_answers_as_a_map_does, crate::engines::open_rocksdb);

/// Every engine that is compiled in.
const ENGINES: &[Open] = &[
    crate::engines::open_memory,
    #[cfg(feature = "fjall")]
    crate::engines::open_fjall,
    #[cfg(feature = "hybrid")]
    crate::engines::open_hybrid,
    #[cfg(feature = "lmdb")]
    crate::engines::open_lmdb,
    #[cfg(feature = "redb")]
    crate::engines::open_redb,
    #[cfg(feature = "rocksdb")]
    crate::engines::open_rocksdb,
];

/// What is in each keyspace, and what the statistics tell of it that does not depend on
/// how the engine stores it.
fn told(storage: &dyn Storage) -> Vec<(String, Vec<KeyValue>, [u64; 3])> {
    let stats = storage.stats().unwrap().keyspaces;
    let tell = |(name, stats): (String, EngineStats)| {
        let entries = entries(storage.keyspace(&name).unwrap().scan_prefix(b""));
        (name, entries, [stats.reads, stats.writes, stats.deletes])
    };
    stats.into_iter().map(tell).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    /// The same calls, one after another on each engine: what they leave, and what the
    /// statistics tell, is the same.
    #[test]
    fn engines_do_not_differ(steps in vec(any_step(), 1..40)) {
        let fixtures: Vec<Fixture> = ENGINES.iter().map(|open| Fixture::new(*open)).collect();
        let mut models = vec![Model::default(); fixtures.len()];
        for step in &steps {
            for (fixture, model) in fixtures.iter().zip(&mut models) {
                apply(fixture.storage(), model, step);
            }
        }
        let first = told(fixtures[0].storage());
        for fixture in &fixtures[1..] {
            prop_assert_eq!(&told(fixture.storage()), &first, "{}", fixture.storage().name());
        }
    }
}

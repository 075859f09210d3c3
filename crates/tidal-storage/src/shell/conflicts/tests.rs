use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;

use tidal_types::{EntityKind, ErrorKind};

use super::*;
use crate::{
    BatchOp, Durability, Isolation, KEY_BYTES_MAX, KeyRange, MemoryStorage, Storage, StorageError,
    StorageExt, WriteBatch,
};

const ITEMS: EntityKind = EntityKind::Item;
const SPACE: SpaceId = SpaceId::new(0);

fn key(n: u8) -> (SpaceId, Key) {
    (SPACE, Key::from([n]))
}

#[derive(Debug, Clone)]
enum Step {
    Begin,
    End(usize),
    Write(Vec<u8>),
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => Just(Step::Begin),
        2 => any::<usize>().prop_map(Step::End),
        4 => vec(0..8u8, 1..4).prop_map(Step::Write),
    ]
}

/// The bytes of this many entries.
fn entries(entries: usize) -> usize {
    let mut history = History::new(usize::MAX);
    history.begin();
    history.record(vec![key(0)]);
    history.bytes() * entries
}

proptest! {
    /// H1, H2 and H3, against a model that remembers when each key was written
    /// last.
    #[test]
    fn what_is_forgotten_is_told_and_the_rest_is_known(
        steps in vec(any_step(), 0..80),
        kept in prop_oneof![1..6usize, Just(1_000)],
    ) {
        let mut history = History::new(entries(kept));
        let mut open: Vec<(CommitNumber, usize)> = Vec::new();
        let mut written: BTreeMap<u8, usize> = BTreeMap::new();
        for (now, step) in steps.into_iter().enumerate() {
            match step {
                Step::Begin => open.push((history.begin(), now)),
                Step::End(which) if !open.is_empty() => {
                    let which = which % open.len();
                    history.end(open.swap_remove(which).0);
                }
                Step::End(_) => {}
                Step::Write(keys) => {
                    written.extend(keys.iter().map(|&key| (key, now)));
                    history.record(keys.into_iter().map(key).collect());
                }
            }
            prop_assert!(history.entries() <= kept);
            prop_assert!(!open.is_empty() || history.entries() == 0);
            for &(start, began) in &open {
                if history.is_forgotten(start) {
                    prop_assert!(kept < 1_000);
                    continue;
                }
                let newer = |n: u8| written.get(&n).is_some_and(|&at| at > began);
                for n in 0..8 {
                    prop_assert_eq!(history.has_newer(start, SPACE, &[n]), newer(n));
                }
                let found = history.newer_in(start, SPACE, &KeyRange::from([2]..[6]));
                prop_assert_eq!(found.map(|key| key[0]), (2..6).find(|&n| newer(n)));
            }
        }
    }
}

#[test]
fn a_key_that_is_written_again_and_again_is_kept_once() {
    let mut history = History::new(usize::MAX);
    let start = history.begin();
    for _ in 0..1_000 {
        history.record(vec![key(7)]);
    }
    assert_eq!(history.entries(), 1);
    history.begin();
    history.record(vec![key(7)]);
    assert_eq!(history.entries(), 2);
    history.end(start);
    assert_eq!(history.entries(), 1);
}

fn write(conflicts: &Conflicts, n: u8) {
    let _gate = conflicts.enter();
    let op = BatchOp::Delete { key: vec![n] };
    drop(conflicts.recording(&[SpaceOp { space: SPACE, op }]));
}

/// K2: nothing is recorded while nobody could conflict with it.
#[test]
fn writes_are_recorded_while_a_transaction_is_open() {
    let conflicts = Arc::new(Conflicts::new(usize::MAX));
    let recorded = || conflicts.look(History::entries);
    write(&conflicts, 1);
    assert_eq!(recorded(), 0);
    let first = conflicts.begin();
    write(&conflicts, 2);
    let second = conflicts.begin();
    write(&conflicts, 3);
    assert_eq!(recorded(), 2);
    drop(first);
    assert_eq!(recorded(), 1);
    assert!(conflicts.look(|history| history.has_newer(second.number(), SPACE, &[3])));
    assert!(!conflicts.look(|history| history.has_newer(second.number(), SPACE, &[2])));
    drop(second);
    write(&conflicts, 4);
    assert_eq!(recorded(), 0);
}

/// K3: a write that is in progress when the first transaction begins records
/// nothing, so the transaction begins after it.
#[test]
fn the_first_transaction_waits_for_writes_in_progress() {
    let conflicts = Arc::new(Conflicts::new(usize::MAX));
    let (began, begun) = std::sync::mpsc::channel();
    std::thread::scope(|scope| {
        let gate = conflicts.enter();
        let conflicts = &conflicts;
        scope.spawn(move || began.send(conflicts.begin().number()).unwrap());
        // It can be too early to have tried, but never through.
        std::thread::yield_now();
        begun.try_recv().unwrap_err();
        drop(gate);
        begun.recv().unwrap();
        // A second one does not wait.
        let first = conflicts.begin();
        let _gate = conflicts.enter();
        drop(conflicts.begin());
        drop(first);
    });
}

/// A transaction that stays open while very much is written is told so, and what
/// is kept about the writes is bounded.
#[test]
fn a_very_old_transaction_is_told() {
    let storage = MemoryStorage::new();
    let items = storage.backend(ITEMS);
    let old = storage.begin().unwrap();
    let reader = storage.begin_with(Isolation::Serializable).unwrap();
    assert!(!reader.contains(ITEMS, b"key").unwrap());
    old.put(ITEMS, b"mine", b"1").unwrap();
    let writes = CONFLICT_BYTES_MAX / KEY_BYTES_MAX;
    let mut batch = WriteBatch::new();
    for n in 0..writes {
        let mut key = n.to_le_bytes().to_vec();
        key.resize(KEY_BYTES_MAX, 7);
        batch.delete(key);
    }
    storage.backend(EntityKind::Creator).write_batch(batch).unwrap();
    let error = old.commit(Durability::Buffer).unwrap_err();
    assert!(
        matches!(error, StorageError::TransactionTooOld { max: CONFLICT_BYTES_MAX }),
        "{error}"
    );
    assert_eq!(error.kind(), ErrorKind::Retry);
    assert!(!items.contains(b"mine").unwrap());
    // Whoever only reads cannot conflict, and who begins now is young.
    reader.commit(Durability::Buffer).unwrap();
    storage.transact(0, |tx| tx.put(ITEMS, b"mine", b"1")).unwrap();
}

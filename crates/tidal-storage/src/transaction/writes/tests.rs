use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

#[derive(Debug, Clone)]
enum Step {
    Set(u8, Option<u8>),
    Savepoint,
    RollBack(usize),
    Release(usize),
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..4u8, any::<Option<u8>>()).prop_map(|(key, value)| Step::Set(key, value)),
        2 => Just(Step::Savepoint),
        1 => any::<usize>().prop_map(Step::RollBack),
        1 => any::<usize>().prop_map(Step::Release),
    ]
}

type Contents = Vec<(String, Vec<BatchOp>)>;

fn contents(writes: &Writes) -> Contents {
    let copy = Writes { spaces: writes.spaces.clone(), ..Writes::new(usize::MAX) };
    copy.into_parts()
}

proptest! {
    /// Savepoints are copies of everything, only cheaper; and what is counted is
    /// what is there.
    #[test]
    fn rolling_back_restores_what_was(steps in vec(any_step(), 0..60)) {
        let mut writes = Writes::new(usize::MAX);
        let mut savepoints: Vec<(Savepoint, Contents)> = Vec::new();
        for step in steps {
            match step {
                Step::Set(key, value) => {
                    let value = value.map(|value| [value; 5]);
                    let value = value.as_ref().map(|value| &value[..]);
                    writes.set(["items", "users"][usize::from(key % 2)].into(), &[key], value)?;
                }
                Step::Savepoint => {
                    let contents = contents(&writes);
                    savepoints.push((writes.savepoint(), contents));
                }
                Step::RollBack(which) if !savepoints.is_empty() => {
                    let which = which % savepoints.len();
                    writes.roll_back_to(&savepoints[which].0)?;
                    prop_assert_eq!(contents(&writes), savepoints[which].1.clone());
                    for (gone, _) in savepoints.split_off(which + 1) {
                        writes.roll_back_to(&gone).unwrap_err();
                    }
                }
                Step::Release(which) if !savepoints.is_empty() => {
                    let before = contents(&writes);
                    let which = which % savepoints.len();
                    writes.release(&savepoints[which].0)?;
                    prop_assert_eq!(contents(&writes), before);
                    for (gone, _) in savepoints.split_off(which) {
                        writes.release(&gone).unwrap_err();
                    }
                }
                Step::RollBack(_) | Step::Release(_) => {}
            }
            if savepoints.is_empty() {
                let kept = contents(&writes).into_iter().flat_map(|(_, ops)| ops);
                let bytes = kept.map(|op| match op {
                    BatchOp::Put { key, value } => key.len() + value.len() + WRITE_BYTES,
                    BatchOp::Delete { key } => key.len() + WRITE_BYTES,
                });
                prop_assert_eq!(writes.bytes(), bytes.sum::<usize>());
            }
        }
    }
}

#[test]
fn a_transaction_has_a_size() {
    let keyspace = KeyspaceName::ITEMS;
    let mut writes = Writes::new(3 * (WRITE_BYTES + 10));
    writes.set(keyspace, b"key", Some(&[7; 7])).unwrap();
    writes.set(keyspace, b"yek", Some(&[7; 7])).unwrap();
    let error = writes.set(keyspace, b"eky", Some(&[7; 8])).unwrap_err();
    let told =
        matches!(error, StorageError::TransactionTooLarge { bytes, max } if bytes == max + 1);
    assert!(told, "{error}");
    assert_eq!(writes.get(keyspace, b"eky"), None);
    // What is replaced makes room, unless a savepoint keeps it.
    writes.set(keyspace, b"key", Some(&[7; 80])).unwrap();
    writes.set(keyspace, b"key", None).unwrap();
    let savepoint = writes.savepoint();
    writes.set(keyspace, b"key", None).unwrap_err();
    writes.release(&savepoint).unwrap();
    writes.set(keyspace, b"key", Some(&[7; 7])).unwrap();
}

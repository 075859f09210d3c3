//! What is forgotten: rows, and the values that name it.

use std::collections::{BTreeMap, HashSet};

use proptest::prelude::*;
use tidal_types::{AttributeValue, EntityId, EntityKind, Seq};

use super::fixture::{Fixture, ITEM, Step, steps};
use crate::checkpoint;

fn maker(id: u64) -> Option<AttributeValue> {
    Some(AttributeValue::Entity(EntityId::new(id)))
}

fn word(word: &str) -> Option<AttributeValue> {
    Some(AttributeValue::Keyword(word.into()))
}

/// Whether anything in storage says this.
fn in_storage(fixture: &Fixture, needle: &[u8]) -> bool {
    let snapshot = fixture.storage.snapshot().unwrap();
    let items = snapshot.scan_prefix(checkpoint::keyspace(ITEM), &[]).unwrap();
    items
        .map(|entry| entry.unwrap().1)
        .any(|value| value.windows(needle.len()).any(|at| at == needle))
}

/// The bytes of a value that names a creator.
const NAMES_300: &[u8] = b"\x08\xac\x02";

/// G95: a value that names who was forgotten reads as removed, and comes back by nothing.
#[test]
fn a_value_goes_with_what_it_names() {
    let mut fixture = Fixture::new();
    fixture.put(ITEM, 1, &[("maker", maker(300)), ("language", word("en"))]);
    fixture.put(ITEM, 2, &[("maker", maker(300))]);
    fixture.take(&Step::Checkpoint);
    let attribute = fixture.state().schema().attribute(ITEM, "maker").unwrap().id();
    drop(fixture.state().attributes.hold(ITEM).unwrap());
    fixture.forget(EntityKind::Creator, 300);
    fixture.put(ITEM, 1, &[("language", word("fr"))]);
    for checkpoints in 0..3 {
        let attributes = &fixture.state().attributes;
        let found = attributes.get(ITEM, EntityId::new(1)).unwrap();
        assert_eq!(found, BTreeMap::from([("language".to_owned(), word("fr").unwrap())]));
        assert!(attributes.get(ITEM, EntityId::new(2)).unwrap().is_empty());
        let held = attributes.hold(ITEM).unwrap();
        assert!(held.having(attribute).is_none_or(|having| having.is_empty()));
        assert!(held.entities().iter().eq([1]));
        drop(held);
        fixture.take(if checkpoints == 0 { &Step::Checkpoint } else { &Step::Crash });
    }
}

/// G82, E3: after a purge storage does not say it either, and it reads as before.
#[test]
fn a_purge_takes_it_out_of_storage() {
    let mut fixture = Fixture::new();
    fixture.put(ITEM, 1, &[("maker", maker(300)), ("language", word("en"))]);
    fixture.put(ITEM, 2, &[("maker", maker(300))]);
    fixture.put(ITEM, 3, &[("maker", maker(301))]);
    fixture.take(&Step::Checkpoint);
    fixture.forget(EntityKind::Creator, 300);
    let checksum = fixture.rebuild.checksum().unwrap();
    let gone = HashSet::from([(EntityKind::Creator, EntityId::new(300))]);
    assert!(in_storage(&fixture, NAMES_300));
    let attributes = &fixture.state().attributes;
    let found = attributes.naming(&gone).unwrap();
    assert_eq!(found, [(ITEM, EntityId::new(1)), (ITEM, EntityId::new(2))]);
    for (kind, id) in found {
        attributes.scrub(kind, id).unwrap();
    }
    assert!(attributes.naming(&gone).unwrap().is_empty());
    assert_eq!(fixture.rebuild.checksum().unwrap(), checksum);
    fixture.take(&Step::Checkpoint);
    assert!(!in_storage(&fixture, NAMES_300));
    assert_eq!(fixture.rebuild.checksum().unwrap(), checksum);
    let id = EntityId::new(3);
    assert_eq!(fixture.state().attributes.get(ITEM, id).unwrap().len(), 1);
}

/// G82: a base that is not written any more loses rows, and what others name.
#[test]
fn a_base_is_rid_of_it() {
    for commit_bytes in [1, usize::MAX] {
        let mut fixture = Fixture::new();
        fixture.put(ITEM, 1, &[("maker", maker(300)), ("language", word("en"))]);
        fixture.put(ITEM, 2, &[("maker", maker(300))]);
        fixture.put(ITEM, 3, &[("maker", maker(300))]);
        fixture.take(&Step::Checkpoint);
        let gone = [(EntityKind::Creator, EntityId::new(300)), (ITEM, EntityId::new(3))];
        checkpoint::erase(&*fixture.storage, &HashSet::from(gone), commit_bytes).unwrap();
        assert!(!in_storage(&fixture, NAMES_300));
        fixture.folded.clear();
        fixture.take(&Step::Crash);
        let attributes = &fixture.state().attributes;
        let left = |id| attributes.get(ITEM, EntityId::new(id)).unwrap().len();
        assert_eq!([1, 2, 3].map(left), [1, 0, 0]);
    }
}

proptest! {
    /// E3: rows that are written anew read, and count in the checksum, as before.
    #[test]
    fn scrubbed_rows_read_as_before(steps in steps()) {
        let mut fixture = Fixture::new();
        steps.iter().for_each(|step| fixture.take(step));
        let checksum = fixture.rebuild.checksum().unwrap();
        let state = fixture.state();
        let forgotten = state.forgotten.up_to(Seq::new(u64::MAX));
        for (kind, id) in state.attributes.naming(&forgotten).unwrap() {
            let before = state.attributes.get(kind, id).unwrap();
            state.attributes.scrub(kind, id).unwrap();
            prop_assert_eq!(state.attributes.get(kind, id).unwrap(), before);
        }
        prop_assert_eq!(fixture.rebuild.checksum().unwrap(), checksum);
    }
}

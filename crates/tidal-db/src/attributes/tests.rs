//! Rows and indexes through the fold, checkpoints and openings.

mod fixture;
mod forgetting;
mod making;

pub(super) use fixture::{Fixture, ITEM, Step, kinds, steps};

use proptest::prelude::*;
use tidal_storage::{AtomicBatch, Durability};
use tidal_types::{AttributeId, AttributeValue, EntityId};

use super::row::{AttributeRow, AttributeRows};
use super::{HeldAttributes, Value};
use crate::checkpoint::keyspace;
use crate::overlay::Rows as _;

/// What an attribute reads as through the index, as text.
fn through_index(held: &HeldAttributes<'_>, attribute: AttributeId, id: EntityId) -> String {
    let groups = held.groups(attribute, id).len();
    format!("{:?} in {groups}", held.number(attribute, id))
}

/// The same, of the value that is read of the row.
fn through_row(value: Option<&AttributeValue>) -> String {
    let number = match value {
        Some(AttributeValue::Integer(number)) => Some(*number as f64),
        Some(AttributeValue::Float(number)) => Some(*number + 0.0),
        Some(AttributeValue::Boolean(boolean)) => Some(f64::from(u8::from(*boolean))),
        Some(AttributeValue::Timestamp(time)) => Some(time.as_nanos() as f64 / 1e9),
        _ => None,
    };
    let groups = match value {
        None => 0,
        Some(AttributeValue::Keywords(words)) => words.len(),
        Some(_) => 1,
    };
    format!("{number:?} in {groups}")
}

/// Everything that an index tells is what the rows say.
fn check(fixture: &Fixture) -> Result<(), TestCaseError> {
    let attributes = &fixture.state().attributes;
    for kind in kinds() {
        let held = attributes.hold(kind).unwrap();
        let rows: Vec<_> = (0..8)
            .map(|number| {
                (EntityId::new(number), attributes.get(kind, EntityId::new(number)).unwrap())
            })
            .filter(|(_, row)| !row.is_empty())
            .collect();
        prop_assert!(held.entities().iter().eq(rows.iter().map(|(id, _)| id.get())));
        for definition in fixture.state().schema().attributes_of(kind) {
            let (attribute, name) = (definition.id(), definition.name());
            for number in 0..8 {
                let id = EntityId::new(number);
                let row = attributes.get(kind, id).unwrap();
                prop_assert_eq!(
                    through_index(&held, attribute, id),
                    through_row(row.get(name)),
                    "{}",
                    name
                );
            }
            let having = held.having(attribute).into_iter().flatten();
            let expected = rows.iter().filter(|(_, row)| row.contains_key(name));
            prop_assert!(having.eq(expected.map(|(id, _)| id.get())), "{}", name);
            for (a, row_a) in &rows {
                for (b, row_b) in &rows {
                    let same = row_a.get(name) == row_b.get(name);
                    let codes = held.groups(attribute, *a) == held.groups(attribute, *b);
                    prop_assert_eq!(codes, same, "{}: {} and {}", name, a, b);
                }
            }
            let numbers: Vec<_> = held.by_number(attribute).collect();
            prop_assert!(numbers.is_sorted_by(|(a, _), (b, _)| a <= b));
            let mut seen: Vec<EntityId> = Vec::new();
            for (number, ids) in numbers {
                for id in ids.iter() {
                    prop_assert_eq!(held.number(attribute, id), Some(number));
                    seen.push(id);
                }
            }
            seen.sort_unstable();
            let with_number = |id: &EntityId| held.number(attribute, *id).is_some();
            let expected: Vec<_> = rows.iter().map(|(id, _)| *id).filter(with_number).collect();
            prop_assert_eq!(seen, expected, "{}", name);
        }
    }
    Ok(())
}

proptest! {
    /// G95: the indexes say what the rows say, whenever they were made, after patches,
    /// removals, entities that were forgotten, checkpoints, openings and replay.
    #[test]
    fn indexes_say_what_rows_say(steps in steps(), looked: u64) {
        let mut fixture = Fixture::new();
        for (number, step) in steps.iter().enumerate() {
            fixture.take(step);
            if looked >> (number % 64) & 1 == 1 {
                check(&fixture)?;
            }
        }
        check(&fixture)?;
        let checksum = fixture.rebuild.checksum().unwrap();
        fixture.take(&Step::Checkpoint);
        fixture.take(&Step::Crash);
        check(&fixture)?;
        prop_assert_eq!(fixture.rebuild.checksum().unwrap(), checksum);
    }

    /// L2, L3, E2: whatever storage has, replay comes to the same checksum.
    #[test]
    fn replay_comes_to_the_same_from_any_checkpoint(steps in steps()) {
        let (mut one, mut other) = (Fixture::new(), Fixture::new());
        for step in &steps {
            one.take(step);
            if let Step::Put(..) | Step::Forget(..) = step {
                other.take(step);
            }
        }
        prop_assert_eq!(one.rebuild.checksum().unwrap(), other.rebuild.checksum().unwrap());
    }
}

/// A state without attributes has the checksum it had before there were any, and every
/// value is in it.
#[test]
fn the_checksum_covers_attributes() {
    let mut fixture = Fixture::new();
    let without = fixture.rebuild.checksum().unwrap();
    let word = |word: &str| Some(AttributeValue::Keyword(word.into()));
    fixture.put(ITEM, 1, &[("language", word("en"))]);
    let with = fixture.rebuild.checksum().unwrap();
    fixture.put(ITEM, 1, &[("language", word("fr"))]);
    let other = fixture.rebuild.checksum().unwrap();
    fixture.put(ITEM, 1, &[("language", None)]);
    let again = fixture.rebuild.checksum().unwrap();
    assert!(with != without && with != other && other != without);
    // The first patch has settled that items have numbers, and no other.
    assert_ne!(again, without);
    fixture.put(ITEM, 1, &[("language", word("en"))]);
    assert_eq!(fixture.rebuild.checksum().unwrap(), with);
}

/// G97: a row that does not fit the schema is no row of this database, and neither read nor
/// answered from.
#[test]
fn stored_values_of_another_type_are_damage() {
    let mut fixture = Fixture::new();
    let word = Some(AttributeValue::Keyword("en".into()));
    fixture.put(ITEM, 1, &[("language", word)]);
    fixture.take(&Step::Checkpoint);
    let age =
        fixture.state().schema().attribute(tidal_types::EntityKind::User, "age").unwrap().id();
    for attribute in [AttributeId::new(0), age] {
        let (key, value) = ((ITEM, EntityId::new(2)), Value::Integer(7));
        let row = AttributeRow::patched(None, &vec![(attribute, Some(value))]).unwrap();
        let mut batch = AtomicBatch::new();
        batch.put(keyspace(ITEM), AttributeRows::place(&key).unwrap().1, row.encode());
        fixture.storage.commit(batch, Durability::Sync).unwrap();
        fixture.take(&Step::Crash);
        let attributes = &fixture.state().attributes;
        let refused = [
            attributes.get(key.0, key.1).unwrap_err(),
            attributes.hold(ITEM).unwrap_err(),
            fixture.rebuild.checksum().unwrap_err(),
        ];
        for error in refused {
            assert!(error.to_string().contains("item 2"), "{error}");
        }
    }
}

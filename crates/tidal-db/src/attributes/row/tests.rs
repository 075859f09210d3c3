use proptest::prelude::*;
use tidal_types::{AttributeType, Timestamp};

use super::*;
use crate::attributes::value::tests::value;

fn row() -> AttributeRow {
    let values = [
        (AttributeId::new(0), Value::Keyword("en".into())),
        (AttributeId::new(2), Value::Float(9.5)),
        (AttributeId::new(300), Value::Timestamp(Timestamp::from_nanos(258))),
        (AttributeId::new(301), Value::Entity(EntityKind::Creator, EntityId::new(300))),
    ];
    AttributeRow(values.into())
}

/// R25: the bytes of version 1 do not change.
#[test]
fn a_row_is_what_it_was() {
    let hex: String = row().encode().iter().map(|byte| format!("{byte:02x}")).collect();
    let expected = [
        "0104",
        "00",
        "0002656e",
        "02",
        "020000000000002340",
        "ac02",
        "040201000000000000",
        "ad02",
        "08ac02",
    ];
    assert_eq!(hex, expected.concat());
    assert_eq!(AttributeRow::decode(&row().encode()), Some(row()));
}

/// G97: damaged bytes are an error.
#[test]
fn malformed_rows_are_refused() {
    let bytes = row().encode();
    for length in 0..bytes.len() {
        assert_eq!(AttributeRow::decode(&bytes[..length]), None, "cut to {length} bytes");
    }
    assert_eq!(AttributeRow::decode(&[bytes.as_slice(), &[0]].concat()), None);
    for damaged in [
        // Another version, none at all, too many, out of order, and twice the same.
        [2, 1, 0, 3, 1].as_slice(),
        &[1, 0],
        &[1, 255, 255, 255, 255, 255, 255, 255, 255, 127, 0, 3, 1],
        &[1, 2, 1, 3, 1, 0, 3, 1],
        &[1, 2, 1, 3, 1, 1, 3, 1],
    ] {
        assert_eq!(AttributeRow::decode(damaged), None, "{damaged:?}");
    }
    let key = (EntityKind::Item, EntityId::new(7));
    let error = AttributeRows::decode(&key, &[2]).unwrap_err().to_string();
    assert!(error.contains("item 7"), "{error}");
}

#[test]
fn attributes_have_a_key_beside_metadata() {
    let id = EntityId::new(258);
    let (kind, key) = AttributeRows::place(&(EntityKind::User, id)).unwrap();
    assert_eq!(kind, EntityKind::User);
    assert_eq!(key, b"\0\0\0\0\0\0\x01\x02\0\x03\x01");
    assert_eq!(crate::checkpoint::attributes_id(&key), Some(id));
    assert_eq!(crate::checkpoint::metadata_id(&key), None);
    assert_eq!(
        crate::checkpoint::attributes_id(&crate::checkpoint::metadata_key(id).unwrap()),
        None
    );
}

fn patch() -> impl Strategy<Value = Patch> {
    let number = value(AttributeType::Integer);
    let value = prop::option::of(number.prop_filter_map("a number", |value| {
        Value::accept(AttributeType::Integer, value).ok().flatten()
    }));
    prop::collection::btree_map((0..5_u16).prop_map(AttributeId::new), value, 0..4)
        .prop_map(|patch| patch.into_iter().collect())
}

proptest! {
    /// E2: patches fold to the last value of each attribute, from any point on.
    #[test]
    fn patches_fold_as_a_map_does(patches in prop::collection::vec(patch(), 0..12), from: usize) {
        let fold = |row: Option<AttributeRow>, patches: &[Patch]| {
            patches.iter().fold(row, |row, patch| AttributeRow::patched(row.as_ref(), patch))
        };
        let mut model = std::collections::BTreeMap::new();
        for (attribute, value) in patches.iter().flatten() {
            match value {
                Some(value) => model.insert(*attribute, value.clone()),
                None => model.remove(attribute),
            };
        }
        let row = fold(None, &patches);
        prop_assert_eq!(row.is_none(), model.is_empty());
        let values = row.iter().flat_map(|row| row.iter()).map(|(id, value)| (id, value.clone()));
        prop_assert_eq!(values.collect::<Vec<_>>(), model.into_iter().collect::<Vec<_>>());
        let from = from % (patches.len() + 1);
        prop_assert_eq!(fold(row.clone(), &patches[from..]), row);
    }
}

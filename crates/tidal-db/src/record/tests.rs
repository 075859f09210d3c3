use std::time::Duration;

use proptest::prelude::*;
use tidal_types::{
    AttributeType, AttributeValue, DecaySpec, Event, SchemaBuilder, Seq, Timestamp, Window,
};

use super::*;
use crate::attributes;

fn schema() -> Schema {
    let mut builder = SchemaBuilder::new();
    builder
        .signal(
            "view",
            EntityKind::Item,
            DecaySpec::Exponential { half_life: Duration::from_secs(60) },
        )
        .windows(&[Window::OneHour, Window::AllTime])
        .velocity(true)
        .add()
        .signal("like", EntityKind::User, DecaySpec::Linear { lifetime: Duration::from_nanos(1) })
        .sums(true)
        .add()
        .signal("buy", EntityKind::Creator, DecaySpec::Permanent)
        .windows(&Window::ALL)
        .add();
    builder.build().unwrap()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn round_trip(change: &Change) -> Result<Change> {
    let mut payload = Vec::new();
    let kind = encode(change, &mut payload);
    let record = LogRecord {
        seq: Seq::FIRST,
        kind,
        log_time: Timestamp::MIN,
        key: None,
        producer: None,
        payload: &payload,
    };
    decode(&record, &schema())
}

fn samples() -> Vec<Change> {
    let schema = schema();
    let at = Timestamp::from_secs(1_700_000_000);
    let id = EntityId::new(300);
    let event = |weight| schema.accept(&Event::new("like", id, weight, at)).unwrap();
    let by = schema.accept(&Event::new("view", id, -2.5, at).by(EntityId::new(7))).unwrap();
    vec![
        Change::Event(event(1.0)),
        Change::Event(by),
        Change::WriteItem { id, metadata: b"title".to_vec() },
        Change::DeleteItem { id },
        Change::AssignName { kind: EntityKind::User, id, name: b"85123A".to_vec() },
        Change::Schema(Box::new(schema)),
        Change::ProducerNote {
            id: ProducerId::from_bytes(*b"producer-of-test"),
            note: b"note".to_vec(),
        },
        Change::Forget {
            kind: EntityKind::Creator,
            id,
            modes: [None, Some(IdMode::Numeric), Some(IdMode::Named)],
        },
        Change::Nothing,
    ]
}

/// Every type of value, and a removal.
fn patches() -> Vec<Change> {
    let id = EntityId::new(300);
    let patch = |kind, values: &[(&str, Option<AttributeValue>)]| {
        let values = values.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
        let patch = attributes::accept(&attributed(), kind, values.collect()).unwrap();
        Change::PutAttributes { kind, id, patch }
    };
    let time = Timestamp::from_nanos(1_700_000_000_000_000_007);
    vec![
        patch(
            EntityKind::Item,
            &[
                ("language", Some(AttributeValue::Keyword("en".into()))),
                ("size", Some(AttributeValue::Integer(-2))),
                ("price", Some(AttributeValue::Float(9.5))),
                ("sold", Some(AttributeValue::Boolean(true))),
                ("released", Some(AttributeValue::Timestamp(time))),
                ("tags", Some(AttributeValue::Keywords(vec!["b".into(), "é".into()]))),
                ("maker", Some(AttributeValue::Entity(EntityId::new(300)))),
            ],
        ),
        patch(EntityKind::Item, &[("price", None), ("maker", None)]),
        patch(EntityKind::User, &[("friend", Some(AttributeValue::Entity(EntityId::new(7))))]),
        patch(EntityKind::Creator, &[]),
    ]
}

fn attributed() -> Schema {
    let mut builder = SchemaBuilder::new();
    builder
        .attribute("language", EntityKind::Item, AttributeType::Keyword)
        .attribute("size", EntityKind::Item, AttributeType::Integer)
        .attribute("price", EntityKind::Item, AttributeType::Float)
        .attribute("sold", EntityKind::Item, AttributeType::Boolean)
        .attribute("released", EntityKind::Item, AttributeType::Timestamp)
        .attribute("tags", EntityKind::Item, AttributeType::Keywords)
        .attribute("maker", EntityKind::Item, AttributeType::Entity(EntityKind::Creator))
        .attribute("friend", EntityKind::User, AttributeType::Entity(EntityKind::User));
    builder.build().unwrap()
}

/// R25: the bytes of a record do not change.
#[test]
fn patches_of_attributes_are_what_they_were() {
    let mut encoded = String::new();
    for change in patches() {
        let mut payload = Vec::new();
        let kind = encode(&change, &mut payload);
        encoded.push_str(&format!("{} {}\n", kind.0, hex(&payload)));
        let again = decode_payload(kind, &payload, &attributed());
        assert_eq!(again, Ok(change.clone()));
        for length in 0..payload.len() {
            let cut = decode_payload(kind, &payload[..length], &attributed());
            assert!(cut.is_err(), "{change:?} cut to {length} bytes");
        }
    }
    assert_eq!(encoded, include_str!("fixtures/attributes-v1.txt"));
}

/// A patch means nothing that another schema than its own would have written.
#[test]
fn a_patch_must_fit_the_schema() {
    let decoded = |payload: &[u8]| decode_payload(PUT_ATTRIBUTES, payload, &attributed());
    let set = |attribute: u8, value: &[u8]| {
        decoded(&[[0, 7, 1, attribute, 1].as_slice(), value].concat())
    };
    assert!(set(3, b"\x03\x01").is_ok());
    for (attribute, value) in [
        (3, b"\x03\x02".as_slice()),
        (3, b"\x01\0\0\0\0\0\0\0\0"),
        // Of users, and of no kind.
        (7, b"\x07\x01"),
        (8, b"\x03\x01"),
        // An item, where a creator is meant.
        (6, b"\x06\x01"),
        (6, b"\x09\x01"),
        (0, b"\x00\x00"),
        (0, b"\x00\x01\xff"),
        (2, b"\x02\0\0\0\0\0\0\xf8\x7f"),
        (5, b"\x05\x00"),
        (5, b"\x05\x02\x01b\x01a"),
        (5, b"\x05\x02\x01a\x01a"),
        (5, b"\x05\x41"),
    ] {
        assert!(set(attribute, value).is_err(), "{attribute} {value:?}");
    }
    // Twice the same, out of order, and neither set nor removed.
    for payload in [
        b"\x00\x07\x02\x03\x00\x03\x00".as_slice(),
        b"\x00\x07\x02\x03\x00\x02\x00",
        b"\x00\x07\x01\x03\x02",
    ] {
        assert!(decoded(payload).is_err(), "{payload:?}");
    }
}

/// R25: the bytes of a record do not change.
#[test]
fn the_payloads_are_what_they_were() {
    let encoded: Vec<String> = samples()
        .iter()
        .map(|change| {
            let mut payload = Vec::new();
            let kind = encode(change, &mut payload);
            format!("{} {}", kind.0, hex(&payload)).trim_end().to_owned()
        })
        .collect();
    assert_eq!(encoded.join("\n"), include_str!("fixtures/records-v1.txt").trim());
}

/// A schema that declares what came with version 2.
fn declaring() -> Schema {
    let mut builder = SchemaBuilder::new();
    builder
        .signal("view", EntityKind::Item, DecaySpec::Permanent)
        .windows(&[Window::OneHour])
        .uniques(true)
        .history(true)
        .add()
        .attribute("tags", EntityKind::Item, AttributeType::Keywords)
        .attribute("maker", EntityKind::Item, AttributeType::Entity(EntityKind::Creator))
        .profile("front", "{}");
    builder.build().unwrap()
}

#[test]
fn a_schema_of_version_2_is_what_it_was() {
    let mut bytes = Vec::new();
    encode_schema(&declaring(), &mut bytes);
    let expected = "0201047669657700000001\
                    0c02047461677300\
                    05056d616b657200080105\
                    66726f6e74027b7d";
    assert_eq!(hex(&bytes), expected);
    assert_eq!(decode_schema(&bytes), Ok(declaring()));
    for length in 0..bytes.len() {
        assert!(decode_schema(&bytes[..length]).is_err(), "cut to {length} bytes");
    }
    // What says version 2 and needs nothing of it was never written.
    let mut old = Vec::new();
    encode_schema(&schema(), &mut old);
    old[0] = 2;
    old.extend([0, 0]);
    assert!(decode_schema(&old).is_err());
}

#[test]
fn changes_round_trip() {
    for change in samples() {
        assert_eq!(round_trip(&change).unwrap(), change);
    }
}

#[test]
fn a_weight_keeps_its_bits() {
    for weight in [1.0, -1.0, 0.0, -0.0, f64::MIN_POSITIVE, 1e15] {
        let event = Event::new("view", EntityId::new(u64::MAX), weight, Timestamp::MAX);
        let change = Change::Event(schema().accept(&event).unwrap());
        let Change::Event(read) = round_trip(&change).unwrap() else {
            panic!("an event stays an event");
        };
        assert_eq!(read.weight().to_bits(), weight.to_bits());
    }
}

#[test]
fn what_means_nothing_is_an_error() {
    let schema = schema();
    for (kind, payload) in [
        (2, b"".as_slice()),
        (2, b"\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"),
        (2, b"\x01\x09\x00\x00\x00\x00\x00\x00\x00\x00\x00"),
        (3, b"\x80"),
        (4, b"\x01\x01"),
        (5, b"\x03\x01a"),
        (5, b"\x00\x00a"),
        (5, b"\x00\x01"),
        (6, b"only-15-bytes.."),
        (6, &[0; 16 + 65]),
        (255, b"\x00"),
        (7, b"\x00\x01\x00"),
        (7, b"\x03\x01\x01\x01\x01"),
        (7, b"\x00\x03\x00\x00\x01"),
        (7, b"\x00\x00\x01\x01\x01"),
        (7, b"\x00\x01\x00\x00\x01\x00"),
        (8, b""),
        (8, b"\x03\x07\x00"),
        (8, b"\x00\x07"),
        (8, b"\x00\x07\x00\x00"),
        (8, b"\x00\x07\xff\xff\xff\xff\x0f"),
        // Not in the schema.
        (8, b"\x00\x07\x01\x00\x00"),
        (1, b"\x02\x00"),
        (1, b"\x01\xff\xff\xff\xff\xff\xff\xff\xff\x7f"),
    ] {
        let record = LogRecord {
            seq: Seq::FIRST,
            kind: RecordKind(kind),
            log_time: Timestamp::MIN,
            key: None,
            producer: None,
            payload,
        };
        let outcome = decode(&record, &schema);
        assert!(
            matches!(outcome, Err(TidalError::Damaged { .. })),
            "{kind} {payload:?}: {outcome:?}"
        );
    }
}

#[test]
fn a_record_of_a_newer_program_is_told_as_such() {
    for kind in [0, 9, 254] {
        let record = LogRecord {
            seq: Seq::FIRST,
            kind: RecordKind(kind),
            log_time: Timestamp::MIN,
            key: None,
            producer: None,
            payload: b"",
        };
        let outcome = decode(&record, &schema());
        assert!(matches!(outcome, Err(TidalError::UnsupportedFormat { .. })), "{outcome:?}");
    }
}

proptest! {
    #[test]
    fn decoding_arbitrary_bytes_never_panics(kind in (0_u8..11).prop_map(|kind| if kind == 10 { 255 } else { kind }), payload in prop::collection::vec(any::<u8>(), 0..100)) {
        let record =
            LogRecord { seq: Seq::FIRST, kind: RecordKind(kind), log_time: Timestamp::MIN, key: None, producer: None, payload: &payload };
        if let Ok(change) = decode(&record, &schema()) {
            let mut again = Vec::new();
            prop_assert_eq!(encode(&change, &mut again), record.kind);
        }
    }
}

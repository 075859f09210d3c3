use proptest::prelude::*;

use super::*;

const TYPES: [AttributeType; 9] = AttributeType::ALL;

/// A value of a type, as an application writes it; few, so that some are equal.
pub(crate) fn value(of_type: AttributeType) -> BoxedStrategy<AttributeValue> {
    let word = || prop::sample::select(vec!["a", "b", "ab", "é", "A"]).prop_map(str::to_owned);
    match of_type {
        AttributeType::Keyword => word().prop_map(AttributeValue::Keyword).boxed(),
        AttributeType::Integer => {
            prop_oneof![4 => -3..4_i64, 1 => any::<i64>(), 1 => Just((1 << 53) + 1)]
                .prop_map(AttributeValue::Integer)
                .boxed()
        }
        AttributeType::Float => prop_oneof![
            4 => (-6..7_i32).prop_map(|half| f64::from(half) / 2.0),
            1 => any::<f64>().prop_filter("finite", |float| float.is_finite()),
            1 => Just(-0.0),
            1 => Just(9_007_199_254_740_992.0),
        ]
        .prop_map(AttributeValue::Float)
        .boxed(),
        AttributeType::Boolean => any::<bool>().prop_map(AttributeValue::Boolean).boxed(),
        AttributeType::Timestamp => prop_oneof![
            4 => (0..5_u64).prop_map(|day| Timestamp::from_secs(1_769_817_600 + day * 86_400)),
            1 => any::<u64>().prop_map(Timestamp::from_nanos),
        ]
        .prop_map(AttributeValue::Timestamp)
        .boxed(),
        AttributeType::Keywords => {
            prop::collection::vec(word(), 0..4).prop_map(AttributeValue::Keywords).boxed()
        }
        AttributeType::Entity(_) => {
            (1..6_u64).prop_map(|id| AttributeValue::Entity(EntityId::new(id))).boxed()
        }
    }
}

fn any_value() -> impl Strategy<Value = (AttributeType, AttributeValue)> {
    prop::sample::select(TYPES.to_vec())
        .prop_flat_map(|of_type| value(of_type).prop_map(move |value| (of_type, value)))
}

fn bytes(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    value.encode(&mut bytes);
    bytes
}

proptest! {
    /// E1
    #[test]
    fn values_round_trip((of_type, public) in any_value(), (other_type, other) in any_value()) {
        let Some(value) = Value::accept(of_type, public).unwrap() else {
            return Ok(());
        };
        prop_assert_eq!(value.of_type(), of_type);
        let written = bytes(&value);
        let mut reader = ByteReader::new(&written);
        let read = Value::decode(&mut reader).unwrap();
        prop_assert!(reader.is_empty());
        prop_assert_eq!(bytes(&read), written.clone());
        prop_assert_eq!(Value::accept(of_type, read.to_public()).unwrap(), Some(read));
        if let Some(other) = Value::accept(other_type, other).unwrap() {
            prop_assert!(bytes(&other) != written || other == value);
        }
    }

    #[test]
    fn any_bytes_are_a_value_or_none(of_type in 0..12_u8, mut written in prop::collection::vec(0..6_u8, 0..12)) {
        written.insert(0, of_type);
        let mut reader = ByteReader::new(&written);
        if let Some(value) = Value::decode(&mut reader) {
            prop_assert_eq!(&bytes(&value)[..], &written[..written.len() - reader.rest().len()]);
        }
    }
}

/// G94: what is refused is told with what to do.
#[test]
fn unsound_values_are_refused() {
    let refused = |of_type, value| Value::accept(of_type, value).unwrap_err();
    let keyword = |bytes| AttributeValue::Keyword("x".repeat(bytes));
    assert!(refused(AttributeType::Keyword, keyword(0)).contains("is empty"));
    assert!(refused(AttributeType::Keyword, keyword(256)).contains("256 bytes"));
    assert!(Value::accept(AttributeType::Keyword, keyword(255)).is_ok());
    for float in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let problem = refused(AttributeType::Float, AttributeValue::Float(float));
        assert!(problem.contains("not finite"), "{problem}");
    }
    let words =
        |count: usize| AttributeValue::Keywords((0..count).map(|n| n.to_string()).collect());
    assert!(refused(AttributeType::Keywords, words(65)).contains("65 keywords"));
    assert!(Value::accept(AttributeType::Keywords, words(64)).is_ok());
    let twice = AttributeValue::Keywords((0..65).map(|_| "same".into()).collect());
    assert!(Value::accept(AttributeType::Keywords, twice).is_ok());
    let empty = AttributeValue::Keywords(vec!["a".into(), String::new()]);
    assert!(refused(AttributeType::Keywords, empty).contains("is empty"));
    let problem = refused(AttributeType::Float, AttributeValue::Integer(1));
    assert_eq!(problem, "it cannot be an integer");
}

/// A set has each keyword once, and none is no value.
#[test]
fn keywords_are_a_set() {
    let of = |words: &[&str]| {
        let words = words.iter().map(|word| (*word).to_owned()).collect();
        Value::accept(AttributeType::Keywords, AttributeValue::Keywords(words)).unwrap()
    };
    assert_eq!(of(&["b", "a", "b"]), of(&["a", "b"]));
    assert_ne!(of(&["a"]), of(&["a", "b"]));
    assert_eq!(of(&[]), None);
}

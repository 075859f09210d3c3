use std::cmp::Ordering;
use std::collections::BTreeMap;

use proptest::prelude::*;
use tidal_types::{AttributeValue, EntityId, EntityKind, QueryError, TidalError, Timestamp};

use super::*;
use crate::attributes::tests::{Fixture, ITEM, steps};
use crate::rank::{Comparison, Literal};

type Row = BTreeMap<String, AttributeValue>;

/// Creators 1 and 2 have names, as far as these tests go.
fn find(kind: EntityKind, name: &str) -> crate::Result<Option<EntityId>> {
    assert_eq!(kind, EntityKind::Creator);
    Ok(match name {
        "ada" => Some(EntityId::new(1)),
        "bob" => Some(EntityId::new(2)),
        _ => None,
    })
}

fn bind(fixture: &Fixture, filter: &Filter) -> crate::Result<BoundFilter> {
    BoundFilter::bind(filter, fixture.state().schema(), ITEM, &find)
}

/// Whether a row passes, by the definition and from the values alone.
fn passes(filter: &Filter, row: &Row) -> bool {
    match filter {
        Filter::And(all) => all.iter().all(|filter| passes(filter, row)),
        Filter::Or(some) => some.iter().any(|filter| passes(filter, row)),
        Filter::Not(filter) => !passes(filter, row),
        Filter::Exists(attribute) => row.contains_key(attribute),
        Filter::Compare { attribute, comparison, value } => {
            row.get(attribute).is_some_and(|found| compares(found, *comparison, value))
        }
        Filter::In { attribute, values } => row.get(attribute).is_some_and(|found| {
            values.iter().any(|value| compares(found, Comparison::Equal, value))
        }),
        Filter::Between { attribute, low, high } => row.get(attribute).is_some_and(|found| {
            compares(found, Comparison::GreaterOrEqual, low)
                && compares(found, Comparison::LessOrEqual, high)
        }),
    }
}

fn compares(found: &AttributeValue, comparison: Comparison, value: &Literal) -> bool {
    let orders: Vec<Ordering> = match found {
        AttributeValue::Keywords(words) => {
            words.iter().map(|word| order(&AttributeValue::Keyword(word.clone()), value)).collect()
        }
        other => vec![order(other, value)],
    };
    let any = |holds: fn(Ordering) -> bool| orders.iter().any(|order| holds(*order));
    match comparison {
        Comparison::Equal => any(Ordering::is_eq),
        Comparison::NotEqual => !any(Ordering::is_eq),
        Comparison::Less => any(Ordering::is_lt),
        Comparison::LessOrEqual => any(Ordering::is_le),
        Comparison::Greater => any(Ordering::is_gt),
        Comparison::GreaterOrEqual => any(Ordering::is_ge),
    }
}

fn order(found: &AttributeValue, value: &Literal) -> Ordering {
    use AttributeValue::{Boolean, Entity, Float, Integer, Keyword};
    match (found, value) {
        (Keyword(word), Literal::Text(text)) => word.cmp(text),
        (Integer(a), Literal::Integer(b)) => a.cmp(b),
        (Float(a), Literal::Float(b)) => a.partial_cmp(b).unwrap(),
        (Integer(a), Literal::Float(b)) => mixed(*a, *b),
        (Float(a), Literal::Integer(b)) => mixed(*b, *a).reverse(),
        (Boolean(a), Literal::Boolean(b)) => a.cmp(b),
        (Entity(a), Literal::Integer(b)) => a.get().cmp(&b.cast_unsigned()),
        (Entity(a), Literal::Text(name)) => match find(EntityKind::Creator, name).unwrap() {
            Some(b) => a.cmp(&b),
            None => Ordering::Less,
        },
        (AttributeValue::Timestamp(a), other) => {
            let nanos = match other {
                Literal::Time(time) => i128::from(time.as_nanos()),
                Literal::Integer(seconds) => i128::from(*seconds) * 1_000_000_000,
                Literal::Text(text) => {
                    let text =
                        if text.len() == 10 { format!("{text}T00:00:00Z") } else { text.clone() };
                    text.parse::<jiff::Timestamp>().unwrap().as_nanosecond()
                }
                other => panic!("{other:?} is no time"),
            };
            i128::from(a.as_nanos()).cmp(&nanos)
        }
        pair => panic!("{pair:?} do not compare"),
    }
}

fn mixed(integer: i64, float: f64) -> Ordering {
    let below = i128::from(integer).cmp(&(float.floor() as i128));
    if below.is_eq() && float > float.floor() { Ordering::Less } else { below }
}

const WORDS: [&str; 6] = ["a", "b", "ab", "é", "A", "never"];

fn literal(attribute: &'static str) -> BoxedStrategy<Literal> {
    let text = |words: &[&'static str]| {
        prop::sample::select(words.to_vec()).prop_map(|word| Literal::Text(word.into()))
    };
    let number = || {
        prop_oneof![
            (-4..5_i64).prop_map(Literal::Integer),
            (-7..8_i32).prop_map(|half| Literal::Float(f64::from(half) / 2.0)),
            Just(Literal::Integer((1 << 53) + 1)),
            Just(Literal::Float(9_007_199_254_740_992.0)),
            Just(Literal::Float(f64::INFINITY)),
            Just(Literal::Integer(i64::MAX)),
        ]
    };
    match attribute {
        "language" | "tags" => text(&WORDS).boxed(),
        "size" | "price" => number().boxed(),
        "sold" => any::<bool>().prop_map(Literal::Boolean).boxed(),
        "maker" => {
            prop_oneof![(0..7_i64).prop_map(Literal::Integer), text(&["ada", "bob", "nobody"]),]
                .boxed()
        }
        _ => prop_oneof![
            text(&["2026-01-31", "2026-02-02", "2026-02-01T00:00:00.000000001Z", "1960-01-01"]),
            (1_769_817_600..1_769_817_604_i64).prop_map(Literal::Integer),
            (0..5_u64)
                .prop_map(|day| Timestamp::from_secs(1_769_817_600 + day * 86_400))
                .prop_map(Literal::Time),
            Just(Literal::Integer(-1)),
        ]
        .boxed(),
    }
}

const ATTRIBUTES: [&str; 7] = ["language", "size", "price", "sold", "released", "tags", "maker"];

fn leaf() -> impl Strategy<Value = Filter> {
    prop::sample::select(ATTRIBUTES.to_vec()).prop_flat_map(|name| {
        let has_order = ["size", "price", "released"].contains(&name);
        let comparisons: &[Comparison] = if has_order {
            &[
                Comparison::Equal,
                Comparison::NotEqual,
                Comparison::Less,
                Comparison::LessOrEqual,
                Comparison::Greater,
                Comparison::GreaterOrEqual,
            ]
        } else {
            &[Comparison::Equal, Comparison::NotEqual]
        };
        let attribute = || name.to_owned();
        let compare = (prop::sample::select(comparisons.to_vec()), literal(name)).prop_map(
            move |(comparison, value)| Filter::Compare {
                attribute: attribute(),
                comparison,
                value,
            },
        );
        let is_in = prop::collection::vec(literal(name), 0..3)
            .prop_map(move |values| Filter::In { attribute: attribute(), values });
        let exists = Just(Filter::Exists(attribute()));
        if has_order {
            let between = (literal(name), literal(name))
                .prop_map(move |(low, high)| Filter::Between { attribute: attribute(), low, high });
            prop_oneof![4 => compare, 1 => is_in, 1 => exists, 2 => between].boxed()
        } else {
            prop_oneof![4 => compare, 2 => is_in, 1 => exists].boxed()
        }
    })
}

fn filter() -> impl Strategy<Value = Filter> {
    leaf().prop_recursive(4, 20, 3, |inner| {
        let some = || prop::collection::vec(inner.clone(), 0..4);
        prop_oneof![
            some().prop_map(Filter::And),
            some().prop_map(Filter::Or),
            inner.clone().prop_map(|filter| !filter),
        ]
    })
}

proptest! {
    /// G96: a filter lets through whom the values alone let through, by the sets of the
    /// index and one by one.
    #[test]
    fn filters_let_through_what_values_do(
        steps in steps(),
        filters in prop::collection::vec(filter(), 1..8),
    ) {
        let mut fixture = Fixture::new();
        steps.iter().for_each(|step| fixture.take(step));
        let attributes = &fixture.state().attributes;
        let rows: Vec<(EntityId, Row)> = (0..8)
            .map(EntityId::new)
            .map(|id| (id, attributes.get(ITEM, id).unwrap()))
            .collect();
        let held = attributes.hold(ITEM).unwrap();
        for filter in filters {
            let bound = bind(&fixture, &filter).unwrap();
            let passing = held.passing(&bound);
            for (id, row) in &rows {
                let expected = passes(&filter, row);
                prop_assert_eq!(passing.contains(*id), expected, "{:?} {:?}", filter, row);
                prop_assert_eq!(bound.bound.lets_through(&held, *id), expected, "{:?}", filter);
                let passed = bound.passed(&held, *id);
                prop_assert!(passed.iter().all(|part| passes(part, row)), "{:?}", passed);
                prop_assert!(expected || passed.is_empty());
            }
        }
    }
}

fn items(values: &[(&str, AttributeValue)]) -> Fixture {
    let mut fixture = Fixture::new();
    let values: Vec<_> = values.iter().map(|(name, value)| (*name, Some(value.clone()))).collect();
    fixture.put(ITEM, 1, &values);
    fixture
}

/// What let an entity through is told by the parts of the filter.
#[test]
fn the_parts_that_let_an_entity_through_are_told() {
    let fixture = items(&[
        ("language", AttributeValue::Keyword("en".into())),
        ("price", AttributeValue::Float(5.0)),
    ]);
    let language = |word| crate::attribute("language").equals(word);
    let cheap = crate::attribute("price").less_than(10.0);
    let sold = !crate::attribute("sold").equals(true);
    let filter = language("en").or(language("fr")).and(cheap.clone()).and(sold.clone());
    let bound = bind(&fixture, &filter).unwrap();
    let held = fixture.state().attributes.hold(ITEM).unwrap();
    assert_eq!(bound.passed(&held, EntityId::new(1)), [&language("en"), &cheap, &sold]);
    assert!(bound.passed(&held, EntityId::new(2)).is_empty());
}

/// A keyword that differs is not among those that there are.
#[test]
fn what_differs_has_a_value_and_none_that_is_equal() {
    let words = |words: &[&str]| {
        AttributeValue::Keywords(words.iter().map(|word| (*word).to_owned()).collect())
    };
    let mut fixture = items(&[("tags", words(&["new", "sale"]))]);
    fixture.put(ITEM, 2, &[("tags", Some(words(&["sale"])))]);
    fixture.put(ITEM, 3, &[("sold", Some(AttributeValue::Boolean(true)))]);
    let held = fixture.state().attributes.hold(ITEM).unwrap();
    let differs = bind(&fixture, &crate::attribute("tags").differs_from("new")).unwrap();
    assert!(held.passing(&differs).ids.iter().eq([2]));
    assert_eq!(held.passing(&differs).len(), Some(1));
}

/// G96: what cannot be compared is refused, and told with what to write.
#[test]
fn what_does_not_compare_is_refused() {
    let fixture = Fixture::new();
    let refused = |filter: Filter| match bind(&fixture, &filter).unwrap_err() {
        TidalError::Query(error) => error.to_string(),
        other => panic!("{other:?}"),
    };
    let attribute = crate::attribute;
    for (filter, part) in [
        (attribute("colour").equals("red"), "they have language, size"),
        (attribute("language").equals(1_i64), "a text in quotes"),
        (attribute("language").less_than("en"), "have no order for <"),
        (attribute("maker").at_least(1_i64), "have no order for >="),
        (attribute("sold").between(false, true), "have no order"),
        (attribute("tags").is_in([1.5]), "compared with 1.5"),
        (attribute("sold").equals("yes"), "true or false"),
        (attribute("maker").equals(true), "its name"),
        (attribute("size").equals("1"), "compared with \"1\"; write a number"),
        (attribute("price").less_than(f64::NAN), "NaN"),
        (attribute("released").equals("2026-02-30"), "a date like '2026-01-31'"),
        (attribute("released").equals(1.5), "whole seconds since 1970"),
        (attribute("released").between("2026-01-01", "soon"), "\"soon\""),
    ] {
        let told = refused(filter);
        assert!(told.contains(part), "{told}");
    }
    let deep = (0..200).fold(attribute("sold").equals(true), |filter, _| !filter);
    assert!(refused(deep).contains("depth"));
}

/// An error of finding a name is that of binding.
#[test]
fn a_name_that_cannot_be_looked_up_is_an_error() {
    let fixture = Fixture::new();
    let filter = crate::attribute("maker").equals("ada");
    let bound = BoundFilter::bind(&filter, fixture.state().schema(), ITEM, &|_, _| {
        Err(QueryError::Malformed { problem: "here".into() }.into())
    });
    assert!(matches!(bound, Err(TidalError::Query(QueryError::Malformed { .. }))), "{bound:?}");
}

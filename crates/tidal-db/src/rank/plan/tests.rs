use std::time::Duration;

use tidal_types::{AttributeType, EntityId, EntityKind, SchemaBuilder};

use super::super::expr::{affinity, attribute, count, number, rate, score, sum, uniques, velocity};
use super::super::function::Function;
use super::*;

const ITEM: EntityKind = EntityKind::Item;

fn schema() -> Schema {
    let mut schema = SchemaBuilder::new();
    let exponential = DecaySpec::Exponential { half_life: Duration::from_secs(60) };
    schema
        .signal("like", ITEM, exponential)
        .windows(&[Window::OneHour, Window::AllTime])
        .velocity(true)
        .sums(true)
        .uniques(true)
        .history(true)
        .add();
    schema.signal("view", ITEM, DecaySpec::Permanent).windows(&[Window::OneHour]).add();
    schema.signal("follow", EntityKind::Creator, DecaySpec::Permanent).add();
    schema.attribute("price", ITEM, AttributeType::Float);
    schema.attribute("posted", ITEM, AttributeType::Timestamp);
    schema.attribute("creator", ITEM, AttributeType::Entity(EntityKind::Creator));
    schema.attribute("tags", ITEM, AttributeType::Keywords);
    schema.build().unwrap()
}

fn refused(query: &Query) -> String {
    Bound::bind(query, &schema()).unwrap_err().to_string()
}

fn by(by: impl Into<Expr>) -> Query {
    Query::items().by(by)
}

/// B1
#[test]
fn what_is_named_twice_is_read_once() {
    let like = || score("like") + rate("like") + count("like", Window::OneHour);
    let by = by(like() + velocity("like", Window::OneHour) - like() + attribute("price").value());
    let (schema, query) = (schema(), by);
    let bound = Bound::bind(&query, &schema).unwrap();
    let like = schema.signal("like").unwrap();
    let price = schema.attribute(ITEM, "price").unwrap().id();
    let count = Measure::count(like, Window::OneHour).unwrap();
    let leaves = [Leaf::Measure(Measure::score(like)), Leaf::Measure(count), Leaf::Number(price)];
    assert_eq!(bound.leaves, leaves);
    assert_eq!((bound.signals, bound.attributes), (vec![like.id()], vec![price]));
}

/// B1: a query of a megabyte may name one signal a hundred thousand times, and the row of
/// its user is not to be read, or passed over for each entity, as often.
#[test]
fn rules_that_are_named_twice_are_one() {
    let mut query = by(score("like")).for_user(EntityId::new(1));
    for max in [3, 2, 5] {
        query = query.unseen_by("like").at_most(max, "tags").at_most(max + 1, "creator");
    }
    let schema = schema();
    let bound = Bound::bind(&query, &schema).unwrap();
    let attribute = |name| schema.attribute(ITEM, name).unwrap().id();
    assert_eq!(bound.unseen_by, [schema.signal("like").unwrap().id()]);
    assert_eq!(bound.caps, [(attribute("tags"), 2), (attribute("creator"), 3)]);
}

/// Q3
#[test]
fn keys_order_positive_multiples_of_one_exponential_score_alone() {
    let schema = schema();
    let is_by_key = |query: &Query| Bound::bind(query, &schema).unwrap().by_key.is_some();
    let multiples = [score("like"), rate("like"), 3.0 * score("like"), score("like") * 2.0 / 5.0];
    for multiple in multiples {
        assert!(is_by_key(&by(multiple.clone())), "{multiple}");
        assert!(!is_by_key(&by(multiple).discount("creator", 0.5, 0.1)));
    }
    let others = [
        score("view"),
        -score("like"),
        -1.0 * score("like"),
        0.0 * score("like"),
        score("like") + 0.0,
        5.0 / score("like"),
        score("like") * score("like"),
        count("like", Window::AllTime),
    ];
    for other in others {
        assert!(!is_by_key(&by(other.clone())), "{other}");
    }
}

#[test]
fn what_the_schema_has_not_is_refused() {
    let user = EntityId::new(1);
    let cases = [
        (by(score("vew")), "no signal type \"vew\""),
        (by(score("follow")), "signal type \"follow\" is about entities of kind creator, not item"),
        (by(count("view", Window::SevenDays)), "signal type \"view\" has no window 7d"),
        (by(sum("view", Window::OneHour)), "signal type \"view\" keeps no sums"),
        (by(velocity("view", Window::OneHour)), "signal type \"view\" has no velocity over 1h"),
        (by(velocity("like", Window::AllTime)), "signal type \"like\" has no velocity over all"),
        (by(rate("view")), "signal type \"view\" keeps no rate"),
        (by(uniques("view", Window::OneHour)), "signal type \"view\" keeps no unique actors"),
        (by(affinity("view", "creator")).for_user(user), "signal type \"view\" keeps no history"),
        (by(affinity("like", "price")).for_user(user), "attribute \"price\" is of type float"),
        (by(affinity("like", "creator")), "affinity(like, creator) is about a user"),
        (by(1.0).unseen_by("like"), "unseen_by \"like\" is about a user"),
        (by(1.0).unseen_by("view").for_user(user), "signal type \"view\" keeps no history"),
        (
            by(attribute("prise").value()),
            "entities of kind item have no attribute \"prise\"; they have price, posted, creator, tags",
        ),
        (by(attribute("tags").value()), "attribute \"tags\" is of type keywords"),
        (
            by(attribute("price").age()),
            "attribute \"price\" is of type float: only a timestamp has an age",
        ),
        (by(1.0).at_most(1, "price"), "attribute \"price\" is of type float"),
        (by(1.0).at_least(1, "posted"), "attribute \"posted\" is of type timestamp"),
        (
            by(1.0).discount("nobody", 0.5, 0.5),
            "entities of kind item have no attribute \"nobody\"",
        ),
    ];
    for (query, problem) in cases {
        let refused = refused(&query);
        assert!(refused.starts_with(problem), "{refused}\n{problem}");
    }
}

#[test]
fn numbers_out_of_their_range_are_refused() {
    let cases = [
        (by(1.0).limit(0), "the limit is 0, and must be 1 to 10000"),
        (by(1.0).limit(10_001), "the limit is 10001, and must be 1 to 10000"),
        (
            by(1.0).at_most(0, "tags"),
            "the most entities with one value is 0, and must be at least 1",
        ),
        (by(1.0).at_least(0, "tags"), "the least different values is 0, and must be 1 to 10000"),
        (by(1.0).discount("tags", 1.5, 0.0), "the factor of a discount is 1.5, and must be 0 to 1"),
        (
            by(1.0).discount("tags", 1.0, f64::NAN),
            "the floor of a discount is NaN, and must be 0 to 1",
        ),
        (by(f64::INFINITY), "a number of the expression is inf, and must be finite"),
    ];
    for (query, problem) in cases {
        assert_eq!(refused(&query), problem);
    }
}

/// B2
#[test]
fn what_was_made_by_hand_has_limits_too() {
    let sum = |parts: usize| (1..parts).fold(number(1.0), |sum, _| sum + 1.0);
    Bound::bind(&by(sum(EXPRESSION_DEPTH_MAX)), &schema()).unwrap();
    let deep = refused(&by(sum(EXPRESSION_DEPTH_MAX + 1)));
    assert_eq!(deep, "the depth of the expression is 501, and must be 1 to 500");
    let wide = (0..11).fold(number(1.0), |part, _| part.clone() * part);
    let wide = refused(&by(wide));
    assert_eq!(wide, "the number of the expression's parts is 2001, and must be 1 to 2000");
    let arguments = refused(&by(Expr::call(Function::Max, [])));
    assert_eq!(arguments, "max takes 1 to 8 arguments, not 0");
}

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use tidal_types::{EntityId, EntityKind, QueryError, Timestamp, Window};

use super::QUERY_BYTES_MAX;
use crate::rank::language::tests::{as_read, expressions, filters, names};
use crate::rank::query::{Cap, Discount, LIMIT_DEFAULT, LIMIT_MAX, Query, Spread};
use crate::rank::{Expr, Filter, attribute, count, score};

fn shares() -> impl Strategy<Value = f64> {
    prop_oneof![Just(0.0), Just(1.0), 0.0..=1.0f64]
}

prop_compose! {
    fn mixing()(
        caps in vec((names(), 1..usize::MAX), 0..3),
        discount in option::of((names(), shares(), shares())),
        spread in option::of((names(), 1..100usize)),
    ) -> (Vec<Cap>, Option<Discount>, Option<Spread>) {
        (
            caps.into_iter().map(|(attribute, max)| Cap { attribute, max }).collect(),
            discount.map(|(attribute, factor, floor)| Discount { attribute, factor, floor }),
            spread.map(|(attribute, min)| Spread { attribute, min }),
        )
    }
}

prop_compose! {
    fn queries()(
        kind in prop::sample::select(EntityKind::ALL.to_vec()),
        (by, filter) in (expressions(), option::of(filters())),
        (including_quiet, explain) in any::<(bool, bool)>(),
        user in option::of(any::<u64>()),
        unseen_by in vec(names(), 0..3),
        (caps, discount, spread) in mixing(),
        limit in prop_oneof![Just(LIMIT_DEFAULT), 1..=LIMIT_MAX],
        seed in prop_oneof![Just(0), any::<u64>()],
        at in option::of(any::<u64>()),
        cursor in option::of(".{0,9}"),
    ) -> Query {
        Query {
            kind, by, filter, including_quiet, unseen_by, caps, discount, spread, limit, seed,
            cursor, explain,
            user: user.map(EntityId::new),
            at: at.map(Timestamp::from_nanos),
        }
    }
}

proptest! {
    // G103: the JSON of a query is read as that query, to the bit.
    #[test]
    fn queries_read_back(query in queries()) {
        let json = query.to_json();
        let read = Query::from_json(&json).map_err(|e| TestCaseError::fail(format!("{e}")))?;
        let filter = query.filter.clone().map(as_read);
        prop_assert_eq!(format!("{read:?}"), format!("{:?}", Query { filter, ..query }));
        prop_assert_eq!(read.to_json(), json);
    }

    // G104: nothing that is sent makes it panic.
    #[test]
    fn any_json_is_read_or_refused(
        fields in vec(
            (
                prop::sample::select(vec![
                    "by", "filter", "kind", "limit", "at", "at_most", "discount", "unseen_by",
                ]),
                prop::sample::select(vec![
                    "\"1\"", "1", "-1", "1e99", "null", "[]", "{}", "[{}]", "\"\"", "true",
                    "{\"of\": \"a\", \"max\": 1, \"factor\": 2}", "[[\"a\"]]", "18446744073709551616",
                ]),
            ),
            0..6,
        ),
    ) {
        let fields: Vec<_> = fields.iter().map(|(key, value)| format!("\"{key}\":{value}")).collect();
        let json = format!("{{{}}}", fields.join(","));
        if let Ok(query) = Query::from_json(&json) {
            prop_assert_eq!(Query::from_json(&query.to_json()), Ok(query));
        }
    }
}

#[test]
fn a_query_is_written_with_what_differs_from_the_defaults() {
    let query = Query::of(EntityKind::Creator)
        .by(3.0 * score("like"))
        .filter(attribute("language").equals("en"))
        .including_quiet()
        .for_user(EntityId::new(u64::MAX))
        .unseen_by("view")
        .at_most(2, "creator")
        .at_most(3, "tags")
        .discount("creator", 0.5, 0.25)
        .at_least(4, "creator")
        .limit(50)
        .seed(7)
        .at(Timestamp::from_nanos(1_769_847_300_000_000_001))
        .after("c")
        .explained();
    let json = concat!(
        r#"{"kind":"creator","by":"3 * score(like)","filter":"language = 'en'","#,
        r#""including_quiet":true,"for_user":18446744073709551615,"unseen_by":"view","#,
        r#""at_most":[{"of":"creator","max":2},{"of":"tags","max":3}],"#,
        r#""discount":{"of":"creator","factor":0.5,"floor":0.25},"#,
        r#""at_least":{"of":"creator","min":4},"limit":50,"seed":7,"#,
        r#""at":"2026-01-31T08:15:00.000000001Z","cursor":"c","explain":true}"#,
    );
    assert_eq!(query.to_json(), json);
    assert_eq!(Query::from_json(json), Ok(query));
    assert_eq!(Query::items().by(score("like")).to_json(), r#"{"by":"score(like)"}"#);
}

#[test]
fn what_may_be_written_in_two_ways_is_read_in_both() {
    let plain = Query::items().by(1.0);
    let with = |rest: &str| Query::from_json(&format!("{{\"by\": \"1\", {rest}}}")).unwrap();
    assert_eq!(with(r#""unseen_by": ["view"]"#), with(r#""unseen_by": "view""#));
    assert_eq!(
        with(r#""at_most": [{"of": "creator", "max": 2}]"#),
        plain.clone().at_most(2, "creator")
    );
    let at = plain.clone().at(Timestamp::from_nanos(1_769_817_600_000_000_000));
    assert_eq!(with(r#""at": 1769817600000000000"#), at);
    assert_eq!(with(r#""at": "2026-01-31""#), at);
    assert_eq!(with(r#""filter": null, "limit": null, "unseen_by": null"#), plain);
    let discounted = plain.discount("creator", 0.5, 0.0);
    assert_eq!(with(r#""discount": {"of": "creator", "factor": 0.5}"#), discounted);
}

// G104: an error names the key, and what may stand there.
#[test]
fn wrong_queries_are_told_where_and_how() {
    let misunderstood = "the query is not understood: ";
    for (json, problem) in [
        ("", "EOF while parsing a value at line 1 column 0"),
        ("{\"by\": }", "expected value at line 1 column 8"),
        ("[]", "the query is a list, and must be an object"),
        ("{}", "there is no \"by\""),
        ("{\"by\": 1}", "\"by\" is a number, and must be a text"),
        (
            "{\"by\": \"1\", \"limt\": 5}",
            "unknown key \"limt\" (did you mean \"limit\"?); there are \"kind\", \"by\", \"filter\", \"including_quiet\", \"for_user\", \"unseen_by\", \"at_most\", \"discount\", \"at_least\", \"limit\", \"seed\", \"at\", \"cursor\", \"explain\"",
        ),
        (
            "{\"by\": \"1\", \"kind\": \"movie\"}",
            "\"kind\" is \"movie\", and must be \"item\", \"user\" or \"creator\"",
        ),
        (
            "{\"by\": \"1\", \"unseen_by\": [1]}",
            "\"unseen_by\" is a number, and must be the name of a signal or a list of them",
        ),
        ("{\"by\": \"1\", \"at_most\": {\"max\": 1}}", "there is no \"of\" of \"at_most\""),
        (
            "{\"by\": \"1\", \"at_most\": {\"of\": \"a\", \"n\": 1}}",
            "unknown key \"n\" of \"at_most\"; there are \"of\", \"max\"",
        ),
        ("{\"by\": \"1\", \"at_most\": 2}", "\"at_most\" is a number, and must be an object"),
        (
            "{\"by\": \"1\", \"at\": \"2026-02-30\"}",
            "\"at\" is \"2026-02-30\", and must be a time such as \"2026-01-31T08:15:00Z\", a date, or whole nanoseconds since 1970",
        ),
        ("{\"by\": \"1\", \"explain\": 1}", "\"explain\" is a number, and must be true or false"),
    ] {
        let expected = format!("{misunderstood}{problem}");
        assert_eq!(Query::from_json(json).unwrap_err().to_string(), expected, "{json}");
    }
}

#[test]
fn numbers_have_ranges() {
    let whole = |least: u64, most: u64| format!("a whole number from {least} to {most}");
    let max = u64::MAX;
    for (field, what, value, range) in [
        ("\"limit\": 0", "\"limit\"", "0", whole(1, 10_000)),
        ("\"limit\": 10001", "\"limit\"", "10001", whole(1, 10_000)),
        ("\"limit\": 1.5", "\"limit\"", "1.5", whole(1, 10_000)),
        ("\"seed\": -1", "\"seed\"", "-1", whole(0, max)),
        ("\"for_user\": 1e20", "\"for_user\"", "1e+20", whole(0, max)),
        ("\"at_most\": {\"of\": \"a\", \"max\": 0}", "\"max\" of \"at_most\"", "0", whole(1, max)),
        (
            "\"at_least\": {\"of\": \"a\", \"min\": 0}",
            "\"min\" of \"at_least\"",
            "0",
            whole(1, max),
        ),
        (
            "\"discount\": {\"of\": \"a\", \"factor\": 1.01}",
            "\"factor\" of \"discount\"",
            "1.01",
            "from 0 to 1".into(),
        ),
        (
            "\"discount\": {\"of\": \"a\", \"factor\": 1, \"floor\": -0.1}",
            "\"floor\" of \"discount\"",
            "-0.1",
            "from 0 to 1".into(),
        ),
    ] {
        let json = format!("{{\"by\": \"1\", {field}}}");
        let error = QueryError::OutOfRange { what, value: value.into(), range };
        assert_eq!(Query::from_json(&json), Err(error), "{json}");
    }
    let long = format!("{{\"by\": \"1\", \"cursor\": \"{}\"}}", "x".repeat(QUERY_BYTES_MAX));
    let error = Query::from_json(&long).unwrap_err().to_string();
    assert_eq!(
        error,
        "the length of the query is 1048601 bytes, and must be at most 1048576 bytes"
    );
}

/// The code blocks of the guide, in their order.
fn guide() -> Vec<&'static str> {
    let text = include_str!("../../../../../docs/queries.md");
    text.split("```")
        .skip(1)
        .step_by(2)
        .filter_map(|block| Some(block.split_once('\n')?.1))
        .collect()
}

// What the guide shows is in the languages, is shown so, and its error is told so.
#[test]
fn the_guide_is_right() {
    let blocks = guide();
    let [scores, _, filters, _, error, json, _] = blocks[..] else {
        panic!("{blocks:?}");
    };
    for score in scores.lines() {
        assert_eq!(score.parse::<Expr>().unwrap().to_string(), score);
    }
    for filter in filters.lines() {
        assert_eq!(filter.parse::<Filter>().unwrap().to_string(), filter);
    }
    let wrong = error.lines().nth(1).unwrap().trim();
    assert_eq!(wrong.parse::<Expr>().unwrap_err().to_string(), error.trim_end());
    let query = Query::items()
        .by(3.0 * score("like") + count("view", Window::OneHour))
        .filter(attribute("language").equals("en").and(attribute("price").less_than(20)))
        .for_user(EntityId::new(7))
        .unseen_by("view")
        .at_most(2, "creator")
        .limit(50);
    assert_eq!(Query::from_json(json), Ok(query));
}

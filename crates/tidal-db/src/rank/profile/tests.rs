use std::time::Duration;

use tidal_types::{AttributeType, DecaySpec, EntityKind, QueryError, SchemaBuilder, Window};

use super::stored::{check, named};
use super::{
    bayesian_mean, controversial, discourse, hacker_news, hidden_gems, hot, lemmy, mastodon, new,
    reddit_hot, rising, smoothed_ctr, thompson, top, trending, ucb, wilson,
};
use crate::rank::expr::Expr;
use crate::rank::query::Query;

fn built_in() -> Vec<(&'static str, Query)> {
    let day = Window::TwentyFourHours;
    vec![
        ("hot", hot("view")),
        ("top", top("view", day)),
        ("new", new("posted")),
        ("trending", trending("view", day, Window::SevenDays).unwrap()),
        ("rising", rising("view", "like")),
        ("reddit_hot", reddit_hot("like", "report", "posted")),
        ("controversial", controversial("like", "report", day)),
        ("hacker_news", hacker_news("like", "posted")),
        ("lemmy", lemmy("like", "report", "posted")),
        ("discourse", discourse("like", "view", "posted", "bumped")),
        ("mastodon", mastodon("view")),
        ("wilson", wilson("like", "report")),
        ("bayesian_mean", bayesian_mean("view", 3.5, 0.1)),
        ("smoothed_ctr", smoothed_ctr("like", "view", day, 0.02)),
        ("hidden_gems", hidden_gems("like", "view", 1000.0)),
        ("thompson", thompson("like", "view")),
        ("ucb", ucb("like", "view", 1e6)),
    ]
}

// G105: each built-in profile can be copied into a schema and is the same query there.
#[test]
fn built_in_profiles_can_be_stored() {
    let mut builder = SchemaBuilder::new();
    let decay = DecaySpec::Exponential { half_life: Duration::from_secs(3600) };
    for signal in ["view", "like", "report"] {
        let signal = builder.signal(signal, EntityKind::Item, decay).windows(&Window::ALL);
        signal.velocity(true).sums(true).uniques(true).add();
    }
    for attribute in ["posted", "bumped"] {
        builder.attribute(attribute, EntityKind::Item, AttributeType::Timestamp);
    }
    for (name, query) in built_in() {
        builder.profile(name, &query.to_json());
    }
    let schema = builder.build().unwrap();
    check(&schema).unwrap();
    for (name, query) in built_in() {
        assert_eq!(named(&schema, name).unwrap(), query, "{name}");
    }
}

#[test]
fn a_profile_can_be_of_another_kind() {
    let creators = Query::of(EntityKind::Creator).by(crate::score("follow"));
    assert_eq!(hot("follow").of_kind(EntityKind::Creator), creators);
}

#[test]
fn calls_in_built_in_profiles_have_the_right_number_of_arguments() {
    fn right(expression: &Expr) -> bool {
        match expression {
            Expr::Call(function, arguments) => {
                function.arity().contains(&arguments.len()) && arguments.iter().all(right)
            }
            _ => true,
        }
    }
    for (name, query) in built_in() {
        assert!(right(&query.by), "{name}");
    }
}

#[test]
fn the_past_of_a_trend_is_longer_than_its_present() {
    use Window::{AllTime, OneHour, SevenDays, ThirtyDays, TwentyFourHours};
    for (short, long, times) in [
        (OneHour, TwentyFourHours, "23"),
        (OneHour, SevenDays, "167"),
        (TwentyFourHours, SevenDays, "6"),
        (SevenDays, ThirtyDays, "3.2857142857142856"),
    ] {
        let by = trending("view", short, long).unwrap().by.to_string();
        let expected = format!("(count(view, {long}) - count(view, {short})) / {times})");
        assert!(by.ends_with(&expected), "{by}");
    }
    for (short, long) in
        [(OneHour, OneHour), (SevenDays, OneHour), (OneHour, AllTime), (AllTime, AllTime)]
    {
        let error = trending("view", short, long).unwrap_err();
        assert!(matches!(error, QueryError::OutOfRange { what: "the long window", .. }), "{error}");
    }
}

use std::time::Duration;

use tidal_db::{AttributeType, DecaySpec, Window};

use super::*;

fn problem(text: &str) -> String {
    parse(text).unwrap_err().message().to_owned()
}

#[test]
fn everything_that_can_be_said_is_read() {
    let schema = parse(
        r#"
        [[signal]]
        name = "purchase"
        kind = "item"
        decay = { half_life = "7d" }
        windows = ["7d", "1h", "all"]
        velocity = true
        sums = true
        uniques = true

        [[signal]]
        name = "follow"
        kind = "creator"
        decay = "permanent"
        history = true

        [[signal]]
        name = "visit"
        kind = "user"
        decay = { lifetime = "36h" }
        windows = ["all"]
        "#,
    )
    .unwrap();
    let purchase = schema.signal("purchase").unwrap();
    assert_eq!(purchase.kind(), EntityKind::Item);
    assert_eq!(
        purchase.decay(),
        DecaySpec::Exponential { half_life: Duration::from_secs(7 * 86_400) }
    );
    assert_eq!(purchase.windows(), [Window::OneHour, Window::SevenDays, Window::AllTime]);
    assert!(purchase.velocity() && purchase.sums());
    assert!(purchase.uniques() && !purchase.history());
    let follow = schema.signal("follow").unwrap();
    assert_eq!((follow.kind(), follow.decay()), (EntityKind::Creator, DecaySpec::Permanent));
    assert!(follow.windows().is_empty() && !follow.velocity() && !follow.sums());
    assert!(follow.history() && !follow.uniques());
    let visit = schema.signal("visit").unwrap();
    assert_eq!(visit.decay(), DecaySpec::Linear { lifetime: Duration::from_secs(36 * 3600) });
    assert_eq!(visit.kind(), EntityKind::User);
}

#[test]
fn the_kind_is_item_unless_given() {
    let schema = parse("[[signal]]\nname = \"view\"\ndecay = \"permanent\"").unwrap();
    assert_eq!(schema.signal("view").unwrap().kind(), EntityKind::Item);
}

#[test]
fn problems_name_the_line_and_the_cure() {
    let cases = [
        ("", "[[signal]]"),
        ("[[signal]]\nname = \"view\"", "decay"),
        (
            "[[signal]]\nname = \"view\"\ndecay = \"permanent\"\ncolour = 1",
            "line 4: unknown field `colour`",
        ),
        (
            "[signal]\nname = \"view\"\ndecay = \"permanent\"",
            "line 1: invalid type: map, expected a list: write [[signal]]",
        ),
        ("[[signals]]\nname = \"view\"", "unknown field `signals`"),
        ("[[signal]]\nname = \"view\"\ndecay = \"never\"", "line 3"),
        ("[[signal]]\nname = \"view\"\ndecay = { half_life = \"7 days\" }", "line 3"),
        (
            "[[signal]]\nname = \"view\"\ndecay = { half_life = \"7d\", lifetime = \"7d\" }",
            "line 3: decay has both half_life and lifetime",
        ),
        ("[[signal]]\nname = \"view\"\ndecay = { half_live = \"7d\" }", "half_live"),
        ("[[signal]]\nname = \"view\"\ndecay = {}", "half_life"),
        (
            "[[signal]]\nname = \"view\"\ndecay = \"permanent\"\nwindows = [\"2h\"]",
            "\"2h\", but a window is 1h, 24h",
        ),
        ("[[signal]]\nname = \"view\"\ndecay = \"permanent\"\nwindows = [24]", "24, but"),
        (
            "[[signal]]\nname = \"view\"\ndecay = \"permanent\"\nwindows = \"1h\"",
            "line 4: windows must be a list, such as [\"1h\", \"24h\"]",
        ),
        ("[[signal]]\nname = \"view\"\ndecay = { half_life = 7 }", "in quotes, such as \"7d\""),
        ("[[signal]]\nname = \"view\"\ndecay = 7", "not 7"),
        (
            "[[signal]]\nname = \"view\"\ndecay = \"permanent\"\nkind = \"thing\"",
            "kind is \"thing\", but a kind is item, user or creator",
        ),
        ("[[signal]]\nname = \"View\"\ndecay = \"permanent\"", "\"View\""),
        (
            "[[signal]]\nname = \"view\"\ndecay = \"permanent\"\nvelocity = true",
            "velocity needs a window",
        ),
        ("[[signal]]\nname = ", "line 2"),
    ];
    for (text, expected) in cases {
        let problem = problem(text);
        assert!(problem.contains(expected), "{text:?} gave {problem:?}");
    }
}

#[test]
fn a_span_out_of_range_is_told_in_the_units_of_the_file() {
    assert_eq!(tidal_db::SPAN_MAX, Duration::from_secs(100 * 31_557_600));
    for (field, text) in [("half_life", "0s"), ("lifetime", "0d"), ("lifetime", "36526d")] {
        let problem =
            problem(&format!("[[signal]]\nname = \"view\"\ndecay = {{ {field} = \"{text}\" }}"));
        let expected = format!(
            "line 3: {field} is \"{text}\", and must be more than zero and at most 36525d (100 years)"
        );
        assert_eq!(problem, expected);
    }
    let longest = "[[signal]]\nname = \"view\"\ndecay = { half_life = \"36525d\" }";
    assert_eq!(parse(longest).unwrap().signal_count(), 1);
}

#[test]
fn attributes_and_profiles_are_read() {
    let schema = parse(
        r#"
        [[signal]]
        name = "view"
        decay = "permanent"
        windows = ["1h"]

        [[attribute]]
        name = "maker"
        type = { entity = "creator" }

        [[attribute]]
        name = "country"
        kind = "creator"
        type = "keyword"

        [profile.front]
        by = "count(view, 1h)+1.50"
        filter = "exists maker"
        at_most = { of = "maker", max = 2 }
        discount = { of = "maker", factor = 0.5 }
        unseen_by = ["view"]
        including_quiet = true
        limit = 7
        "#,
    )
    .unwrap();
    let attribute = |kind, name| schema.attribute(kind, name).map(|one| one.of_type());
    let creator = AttributeType::Entity(EntityKind::Creator);
    assert_eq!(attribute(EntityKind::Item, "maker"), Some(creator));
    assert_eq!(attribute(EntityKind::Creator, "country"), Some(AttributeType::Keyword));
    let query = tidal_db::Query::items()
        .by("count(view, 1h) + 1.5".parse::<tidal_db::Expr>().unwrap())
        .filter("exists maker".parse().unwrap())
        .at_most(2, "maker")
        .discount("maker", 0.5, 0.0)
        .unseen_by("view")
        .including_quiet()
        .limit(7);
    assert_eq!(schema.profile("front"), Some(query.to_json().as_str()));
    for of_type in AttributeType::ALL {
        let text = format!(
            "[[signal]]\nname = \"view\"\ndecay = \"permanent\"\n[[attribute]]\nname = \"a\"\ntype = {}",
            describe_type(of_type)
        );
        assert_eq!(parse(&text).unwrap().attributes()[0].of_type(), of_type, "{text}");
    }
}

#[test]
fn problems_of_attributes_and_profiles_name_the_line_too() {
    let attribute = |rest: &str| format!("[[attribute]]\nname = \"a\"\n{rest}\n");
    let profile = |rest: &str| format!("[profile.p]\nby = \"1\"\n{rest}\n");
    for (text, expected) in [
        (attribute(""), "missing field `type`"),
        (attribute("type = \"word\""), "line 6: type is \"keyword\", \"keywords\""),
        (attribute("type = \"entity of item\""), "line 6: type is"),
        (attribute("type = { entity = \"thing\" }"), "line 6: entity is \"thing\", but a kind is"),
        (attribute("type = { entity = \"item\", of = 1 }"), "line 6: type is"),
        (attribute("type = \"float\"\nunit = \"m\""), "line 7: unknown field `unit`"),
        ("[attribute]\nname = \"a\"\ntype = \"float\"".into(), "write [[attribute]]"),
        (attribute("type = \"float\"").replace("\"a\"", "\"A\""), "\"A\""),
        (profile("limit = 0"), "line 6, profile \"p\": \"limit\" is 0"),
        (profile("colour = 1"), "line 6, profile \"p\": "),
        (profile("at_most = { of = 1 }"), "line 6, profile \"p\": "),
        (profile("at = 2020-01-01"), "line 6, profile \"p\": \"at\" is of one call"),
        (profile("cursor = \"x\""), "line 6, profile \"p\": \"cursor\" is of one call"),
        (profile("discount = { of = \"a\", factor = nan }"), "line 6, profile \"p\": NaN is not"),
        (profile("").replace("\"1\"", "\"1 +\""), "line 5, profile \"p\": at character 4: "),
        ("[profile.p]\nlimit = 1".into(), "line 4, profile \"p\": "),
        (profile("").replace("profile.p", "profile.P"), "\"P\""),
        ("profile = 1".into(), "line 4: "),
    ] {
        // What is no table stands before all tables.
        let signal = "[[signal]]\nname = \"view\"\ndecay = \"permanent\"\n";
        let text = if text.starts_with('[') {
            format!("{signal}{text}")
        } else {
            format!("\n\n\n{text}\n{signal}")
        };
        let problem = problem(&text);
        assert!(problem.contains(expected), "{text:?} gave {problem:?}");
    }
}

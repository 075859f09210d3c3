use std::time::Duration;

use tidal_db::DecaySpec;

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

        [[signal]]
        name = "follow"
        kind = "creator"
        decay = "permanent"

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
    let follow = schema.signal("follow").unwrap();
    assert_eq!((follow.kind(), follow.decay()), (EntityKind::Creator, DecaySpec::Permanent));
    assert!(follow.windows().is_empty() && !follow.velocity() && !follow.sums());
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
        ("[[signals]]\nname = \"view\"", "unknown field `signals`"),
        ("[[signal]]\nname = \"view\"\ndecay = \"never\"", "line 3"),
        ("[[signal]]\nname = \"view\"\ndecay = { half_life = \"7 days\" }", "line 3"),
        (
            "[[signal]]\nname = \"view\"\ndecay = { half_life = \"7d\", lifetime = \"7d\" }",
            "line 3",
        ),
        ("[[signal]]\nname = \"view\"\ndecay = { half_live = \"7d\" }", "half_live"),
        ("[[signal]]\nname = \"view\"\ndecay = {}", "half_life"),
        ("[[signal]]\nname = \"view\"\ndecay = \"permanent\"\nwindows = [\"2h\"]", "1h, 24h"),
        (
            "[[signal]]\nname = \"view\"\ndecay = \"permanent\"\nkind = \"thing\"",
            "item, user or creator",
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

use proptest::collection::vec;
use proptest::prelude::*;
use tidal_types::{QueryError, Timestamp, Window};

use super::{NESTING_MAX, OPERATORS_MAX, TEXT_BYTES_MAX};
use crate::rank::attribute;
use crate::rank::expr::{self, Expr, Figure, SignalFigure};
use crate::rank::filter::{Comparison, Filter, Literal};
use crate::rank::function::Function;
use crate::rfc3339;

/// Any finite number, with those that people write among them.
pub(in crate::rank) fn numbers() -> impl Strategy<Value = f64> {
    let any = any::<u64>().prop_map(f64::from_bits).prop_filter("finite", |n| n.is_finite());
    let common = prop::sample::select(vec![0.0, -0.0, 1.0, -1.0, 0.1, 1e21, 1e-7, 2.5e300]);
    prop_oneof![any, common, (-1000i32..1000).prop_map(f64::from)]
}

pub(in crate::rank) fn names() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[a-z][a-z0-9_]{0,5}",
        1 => prop::sample::select(vec!["in", "Not", "true", "min", "score", "1h", "", "a\"b'"])
            .prop_map(String::from),
        1 => ".{0,5}",
    ]
}

fn figures() -> impl Strategy<Value = Figure> {
    let windowed = (0..4, prop::sample::select(Window::ALL.to_vec())).prop_map(
        |(which, window)| match which {
            0 => Figure::Count(window),
            1 => Figure::Sum(window),
            2 => Figure::Velocity(window),
            _ => Figure::Uniques(window),
        },
    );
    prop_oneof![Just(Figure::Score), Just(Figure::Rate), windowed]
}

pub(in crate::rank) fn expressions() -> impl Strategy<Value = Expr> {
    let leaf = prop_oneof![
        numbers().prop_map(Expr::Number),
        (names(), figures())
            .prop_map(|(signal, figure)| Expr::Signal(SignalFigure { signal, figure })),
        names().prop_map(Expr::Attribute),
        names().prop_map(Expr::Age),
        (names(), names()).prop_map(|(signal, attribute)| Expr::Affinity { signal, attribute }),
    ];
    leaf.prop_recursive(6, 40, 3, |inner| {
        let call =
            (prop::sample::select(Function::ALL.to_vec()), vec(inner.clone(), 12), 0..12usize)
                .prop_map(|(function, mut arguments, extra)| {
                    let (least, most) = (*function.arity().start(), *function.arity().end());
                    arguments.truncate((least + extra).min(most));
                    Expr::Call(function, arguments)
                });
        prop_oneof![
            3 => (0..4, inner.clone(), inner.clone()).prop_map(|(which, left, right)| match which {
                0 => left + right,
                1 => left - right,
                2 => left * right,
                _ => left / right,
            }),
            1 => inner.prop_map(|inner| -inner),
            1 => call,
        ]
    })
}

fn literals() -> impl Strategy<Value = Literal> {
    prop_oneof![
        ".{0,6}".prop_map(Literal::Text),
        any::<i64>().prop_map(Literal::Integer),
        numbers().prop_map(Literal::Float),
        any::<bool>().prop_map(Literal::Boolean),
        any::<u64>().prop_map(|nanos| Literal::Time(Timestamp::from_nanos(nanos))),
    ]
}

pub(in crate::rank) fn filters() -> impl Strategy<Value = Filter> {
    let comparisons = prop::sample::select(vec![
        Comparison::Equal,
        Comparison::NotEqual,
        Comparison::Less,
        Comparison::LessOrEqual,
        Comparison::Greater,
        Comparison::GreaterOrEqual,
    ]);
    let leaf = prop_oneof![
        (names(), comparisons, literals()).prop_map(|(attribute, comparison, value)| {
            Filter::Compare { attribute, comparison, value }
        }),
        (names(), vec(literals(), 0..4))
            .prop_map(|(attribute, values)| Filter::In { attribute, values }),
        (names(), literals(), literals()).prop_map(|(attribute, low, high)| Filter::Between {
            attribute,
            low,
            high
        }),
        names().prop_map(Filter::Exists),
    ];
    leaf.prop_recursive(5, 30, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Filter::And),
            vec(inner.clone(), 0..4).prop_map(Filter::Or),
            inner.prop_map(|inner| !inner),
        ]
    })
}

/// What reads back: groups of one are what is in them, times are texts.
pub(in crate::rank) fn as_read(filter: Filter) -> Filter {
    let literal = |literal| match literal {
        Literal::Time(time) => Literal::Text(rfc3339::show(time)),
        other => other,
    };
    match filter {
        Filter::Compare { attribute, comparison, value } => {
            Filter::Compare { attribute, comparison, value: literal(value) }
        }
        Filter::In { attribute, values } => {
            Filter::In { attribute, values: values.into_iter().map(literal).collect() }
        }
        Filter::Between { attribute, low, high } => {
            Filter::Between { attribute, low: literal(low), high: literal(high) }
        }
        Filter::And(mut all) | Filter::Or(mut all) if all.len() == 1 => as_read(all.remove(0)),
        Filter::And(all) => Filter::And(all.into_iter().map(as_read).collect()),
        Filter::Or(some) => Filter::Or(some.into_iter().map(as_read).collect()),
        Filter::Not(inner) => !as_read(*inner),
        exists @ Filter::Exists(_) => exists,
    }
}

proptest! {
    // G103: a score reads back as it was shown. The debug form tells -0 from 0.
    #[test]
    fn scores_read_back(expression in expressions()) {
        let text = expression.to_string();
        let read: Expr = text.parse().map_err(|error| TestCaseError::fail(format!("{error}")))?;
        prop_assert_eq!(format!("{read:?}"), format!("{expression:?}"), "{}", text);
        prop_assert_eq!(read.to_string(), text);
    }

    // G103: and so does a filter.
    #[test]
    fn filters_read_back(filter in filters()) {
        let text = filter.to_string();
        let read: Filter = text.parse().map_err(|error| TestCaseError::fail(format!("{error}")))?;
        prop_assert_eq!(format!("{read:?}"), format!("{:?}", as_read(filter)), "{}", text);
        prop_assert_eq!(read.to_string(), text);
    }

    // No pair of parentheses can be left out: without it the text is another tree.
    #[test]
    fn scores_are_shown_with_the_fewest_parentheses(expression in expressions()) {
        let text = expression.to_string();
        for (open, close) in groups(&text) {
            let mut without = text.clone();
            without.replace_range(close..=close, " ");
            without.replace_range(open..=open, " ");
            let read = without.parse::<Expr>().map(|read| format!("{read:?}"));
            prop_assert_ne!(read, Ok(format!("{expression:?}")), "{} and {}", text, without);
        }
    }

    // G104: no text makes a parser panic, and what it refuses it refuses at a character of it.
    #[test]
    fn any_text_is_read_or_refused(text in ".{0,60}") {
        refused_within(&text)?;
    }

    // G104: the same of what looks like a score or a filter.
    #[test]
    fn almost_any_query_is_read_or_refused(
        words in vec(
            prop::sample::select(vec![
                "(", ")", ",", "+", "-", "*", "/", "=", "!=", "<", "<=", "'", "\"", "'en'", "\u{e9}",
                "and", "or", "NOT", "in", "between", "exists", "true", "price", "score", "count",
                "view", "1h", "1e", "7", "0.5", "1e999", "min", "age", "affinity", "\"in\"", ".",
            ]),
            0..25,
        ),
        spaced in any::<bool>(),
    ) {
        refused_within(&words.join(if spaced { " " } else { "" }))?;
    }
}

fn refused_within(text: &str) -> Result<(), TestCaseError> {
    let errors = [text.parse::<Expr>().err(), text.parse::<Filter>().err()];
    for error in errors.into_iter().flatten() {
        let QueryError::Syntax { text: told, at, .. } = error else {
            return Err(TestCaseError::fail(format!("{error:?}")));
        };
        prop_assert_eq!(&told, text);
        prop_assert!((1..=text.chars().count() + 1).contains(&at), "{} in {}", at, text);
    }
    Ok(())
}

/// The pairs of parentheses that are not those of calls, by their bytes.
fn groups(text: &str) -> Vec<(usize, usize)> {
    let (mut open, mut found) = (Vec::new(), Vec::new());
    let (mut quoted, mut before) = (false, ' ');
    for (at, character) in text.char_indices() {
        match character {
            '"' => quoted = !quoted,
            '(' if !quoted => open.push((at, before.is_ascii_alphanumeric())),
            ')' if !quoted => {
                let (from, of_call) = open.pop().unwrap();
                found.extend((!of_call).then_some((from, at)));
            }
            _ => {}
        }
        before = character;
    }
    found
}

#[test]
fn scores_mean_what_they_say() {
    let likes = || expr::score("like");
    for (text, meant) in [
        ("3 * score(like) + count(view, 1h) - 10 * score(report)", {
            3.0 * likes() + expr::count("view", Window::OneHour) - 10.0 * expr::score("report")
        }),
        ("1 - 2 - 3", expr::number(1.0) - 2.0 - 3.0),
        ("1 - (2 - 3)", expr::number(1.0) - (expr::number(2.0) - 3.0)),
        ("-2 * price", -2.0 * attribute("price").value()),
        ("-price * 2", -attribute("price").value() * 2.0),
        ("-(price * 2)", -(attribute("price").value() * 2.0)),
        ("-(2)", -expr::number(2.0)),
        ("score(like) / age(posted)", likes() / attribute("posted").age()),
        ("min(rate(like), uniques(like, 30d))", {
            Expr::call(
                Function::Min,
                [expr::rate("like"), expr::uniques("like", Window::ThirtyDays)],
            )
        }),
        ("affinity(like, creator) + \"in\"", {
            expr::affinity("like", "creator") + attribute("in").value()
        }),
        ("sum(sale, all) + velocity(view, 7d)", {
            expr::sum("sale", Window::AllTime) + expr::velocity("view", Window::SevenDays)
        }),
    ] {
        assert_eq!(text.parse(), Ok(meant.clone()), "{text}");
        assert_eq!(meant.to_string(), text);
    }
}

#[test]
fn filters_mean_what_they_say() {
    let sold = || attribute("sold").equals(true);
    let english = || attribute("language").equals("en");
    for (text, meant) in [
        ("language = 'en' and price < 20.0", english().and(attribute("price").less_than(20.0))),
        ("sold or language = 'en' and not sold", sold().or(english().and(!sold()))),
        ("(sold or language = 'en') and sold", sold().or(english()).and(sold())),
        ("not (sold or language = 'en')", !sold().or(english())),
        ("tags in ('it''s', 'new')", attribute("tags").is_in(["it's", "new"])),
        ("tags not in (1, -2)", !attribute("tags").is_in([1, -2])),
        ("price between 1 and 2 and sold", attribute("price").between(1, 2).and(sold())),
        ("price not between 1 and 2", !attribute("price").between(1, 2)),
        ("exists creator", attribute("creator").exists()),
        ("\"in\" != false", attribute("in").differs_from(false)),
        ("price >= 1e300", attribute("price").at_least(1e300)),
        ("true", Filter::And(Vec::new())),
        ("tags in ()", attribute("tags").is_in(Vec::<i64>::new())),
    ] {
        assert_eq!(text.parse(), Ok(meant.clone()), "{text}");
        assert_eq!(meant.to_string(), text);
    }
    let loud = "NOT sold AND (price BETWEEN 1 AND 2 OR EXISTS creator) AND language IN ('en')";
    let quiet = "not sold and (price between 1 and 2 or exists creator) and language in ('en')";
    assert_eq!(loud.parse::<Filter>().unwrap().to_string(), quiet);
}

fn at<T: std::fmt::Debug>(read: Result<T, QueryError>) -> (usize, String) {
    match read {
        Err(QueryError::Syntax { at, problem, .. }) => (at, problem),
        other => panic!("{other:?}"),
    }
}

// G104: an error says the character, what was expected there, and what was meant.
#[test]
fn wrong_scores_are_told_where_and_how() {
    for (text, character, problem) in [
        ("", 1, "expected a number, a name or `(`, found the end"),
        ("1 +", 4, "expected a number, a name or `(`, found the end"),
        ("1 2", 3, "expected an operator or the end, found `2`"),
        ("(1", 3, "expected an operator or `)`, found the end"),
        ("1)", 2, "expected an operator or the end, found `)`"),
        ("scor(view)", 1, "no function `scor`; did you mean score?"),
        ("2 * Count(view, 1h)", 5, "no function `Count`; did you mean count?"),
        ("score()", 7, "expected the name of a signal, found `)`"),
        ("score('view')", 7, "the name of a signal stands bare, not as a text"),
        ("score(view, 1h)", 11, "expected `)`, found `,`"),
        ("count(view)", 11, "expected `,` and a window (1h, 24h, 7d, 30d or all), found `)`"),
        (
            "count(view, 1d)",
            13,
            "no window `1d`: there are 1h, 24h, 7d, 30d and all; the nearest is 24h",
        ),
        ("count(view, ever)", 13, "no window `ever`: there are 1h, 24h, 7d, 30d and all"),
        ("count(view, )", 13, "expected a window (1h, 24h, 7d, 30d or all), found `)`"),
        ("age(1)", 5, "expected the name of an attribute that is a time, found `1`"),
        ("affinity(like)", 14, "expected `,` and the name of an attribute, found `)`"),
        ("pow(1)", 6, "pow takes 2 arguments, not 1"),
        ("pow(1, 2, 3)", 11, "pow takes 2 arguments"),
        ("wilson(1)", 9, "wilson takes 2 to 3 arguments, not 1"),
        ("1 + ln()", 8, "ln takes 1 argument, not 0"),
        ("pow(1, 2", 9, "expected an operator, `,` or `)`, found the end"),
        ("1h + 2", 1, "a number with letters: a window stands in count, sum, velocity or uniques"),
        ("2 * 'x'", 5, "a text is no number: names of signals and attributes stand bare"),
        ("1e999", 1, "a number beyond 1.7976931348623157e308"),
        ("2 ^ 3", 3, "powers are written `pow(base, exponent)`"),
        ("2 ** 3", 3, "powers are written `pow(base, exponent)`"),
        ("1 + .5", 5, "a number begins with a digit: 0.5"),
        ("1 % 2", 3, "unexpected '%'"),
        ("gr\u{f6}sse", 3, "unexpected '\u{f6}'"),
        ("\"\u{540d}\u{524d}\" + \"x", 8, "this quote is not closed"),
    ] {
        assert_eq!(at(text.parse::<Expr>()), (character, problem.into()), "{text}");
    }
    let (character, problem) = at("nothing(1)".parse::<Expr>());
    assert_eq!(character, 1);
    assert!(problem.starts_with("no function `nothing`; there are score, rate, "), "{problem}");
    assert!(problem.contains(", min"), "{problem}");
}

#[test]
fn wrong_filters_are_told_where_and_how() {
    let name = "expected the name of an attribute, `not` or `(`, found";
    for (text, character, problem) in [
        ("", 1, format!("{name} the end")),
        ("sold and", 9, format!("{name} the end")),
        ("and sold", 1, format!("{name} `and`")),
        ("20 > price", 1, format!("{name} `20`")),
        ("sold xor price", 6, "expected `and`, `or` or the end, found `xor`".into()),
        ("(sold", 6, "expected `and`, `or` or `)`, found the end".into()),
        ("language == 'en'", 10, "equality is written `=`".into()),
        ("language <> 'en'", 10, "inequality is written `!=`".into()),
        ("sold && new", 6, "both conditions are written `and`".into()),
        ("!sold", 1, "negation is written `not`".into()),
        ("a = b", 5, "expected a value, found `b`; a text stands in single quotes: 'b'".into()),
        ("a = 1h", 5, "expected a value, found `1h`; a text stands in single quotes: '1h'".into()),
        (
            "a = \"en\"",
            5,
            "double quotes are for names; a text stands in single quotes".into(),
        ),
        ("a = \u{2018}en\u{2019}", 5, "texts stand in straight quotes: 'text'".into()),
        ("a = -'1'", 6, "expected a number, found a text".into()),
        ("a in 1", 6, "expected `(` and a list of values, found `1`".into()),
        ("a in (1 2)", 9, "expected `,` or `)`, found `2`".into()),
        ("a not = 1", 7, "expected `in` or `between`, found `=`".into()),
        ("a between 1, 2", 12, "expected `and` and the upper end, found `,`".into()),
        ("exists 'x'", 8, "a text stands behind an operator; the name of an attribute is written x".into()),
        ("a = 1e309", 5, "a number beyond 1.7976931348623157e308".into()),
        (
            "\u{1f600} = 1",
            1,
            "unexpected '\u{1f600}'".into(),
        ),
        ("a = '\u{1f600}\u{301}' b", 10, "expected `and`, `or` or the end, found `b`".into()),
        (
            "a = 18446744073709551615",
            5,
            "18446744073709551615 is beyond 64 bits with a sign; write 18446744073709551615.0 for a number, and for the id of an entity what it is less 2^64".into(),
        ),
    ] {
        assert_eq!(at(text.parse::<Filter>()), (character, problem), "{text}");
    }
}

// G104: what is too long or too deep is refused before it takes a stack.
#[test]
fn texts_have_limits() {
    let deep = |open: &str, close: &str, levels| {
        format!("{}a{}", open.repeat(levels), close.repeat(levels))
    };
    let too_deep = format!("nested deeper than {NESTING_MAX}");
    for (open, close) in [("(", ")"), ("-", ""), ("min(", ", 1)")] {
        assert!(deep(open, close, NESTING_MAX).parse::<Expr>().is_ok(), "{open}");
        let (_, problem) = at(deep(open, close, NESTING_MAX + 1).parse::<Expr>());
        assert_eq!(problem, too_deep);
    }
    for (open, close) in [("(", ")"), ("not ", "")] {
        assert!(deep(open, close, NESTING_MAX).parse::<Filter>().is_ok(), "{open}");
        let (_, problem) = at(deep(open, close, NESTING_MAX + 1).parse::<Filter>());
        assert_eq!(problem, too_deep);
    }
    let sum = |operators| format!("a{}", " + a".repeat(operators)).parse::<Expr>();
    assert!(sum(OPERATORS_MAX).is_ok());
    let (character, problem) = at(sum(OPERATORS_MAX + 1));
    assert_eq!((character, problem), (1027, "more than 256 operators".into()));
    let spaces = |bytes| format!("a{}", " ".repeat(bytes - 1));
    assert!(spaces(TEXT_BYTES_MAX).parse::<Expr>().is_ok());
    let error = spaces(TEXT_BYTES_MAX + 1).parse::<Filter>().unwrap_err();
    let expected = "the length of the text is 16385 bytes, and must be at most 16384 bytes";
    assert_eq!(error.to_string(), expected);
}

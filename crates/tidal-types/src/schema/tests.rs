use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::{ATTRIBUTES_MAX, AttributeId, AttributeType, DecaySpec, EntityKind, SPAN_MAX, Window};

const HOUR: Duration = Duration::from_secs(3600);

fn one(name: &str, decay: DecaySpec) -> Result<Schema, SchemaError> {
    let mut builder = SchemaBuilder::new();
    builder.signal(name, EntityKind::Item, decay).add();
    builder.build()
}

fn views_and_likes() -> Schema {
    let mut builder = SchemaBuilder::new();
    builder
        .signal("view", EntityKind::Item, DecaySpec::Exponential { half_life: HOUR })
        .windows(&[Window::AllTime, Window::OneHour, Window::AllTime])
        .velocity(true)
        .add()
        .signal("like", EntityKind::Item, DecaySpec::Permanent)
        .add();
    builder.build().unwrap()
}

#[test]
fn windows_are_sorted_and_held_once() {
    let schema = views_and_likes();
    assert_eq!(schema.signal("view").unwrap().windows(), [Window::OneHour, Window::AllTime]);
    assert_eq!(schema.signal_count(), 2);
    assert_eq!(schema.signal("like").unwrap().id(), SignalTypeId::new(1));
}

#[test]
fn names_are_checked() {
    let long = "a".repeat(65);
    for bad in ["", "View", "1st", "_x", "a-b", "é", "a b", long.as_str()] {
        assert_eq!(
            one(bad, DecaySpec::Permanent),
            Err(SchemaError::InvalidName { signal: bad.into() }),
            "{bad:?}"
        );
    }
    for good in ["a", "a_1", &"a".repeat(64)] {
        assert!(one(good, DecaySpec::Permanent).is_ok(), "{good:?}");
    }
}

#[test]
fn a_name_is_used_once_across_kinds() {
    let mut builder = SchemaBuilder::new();
    builder
        .signal("view", EntityKind::Item, DecaySpec::Permanent)
        .add()
        .signal("view", EntityKind::User, DecaySpec::Permanent)
        .add();
    assert_eq!(builder.build(), Err(SchemaError::DuplicateSignal { signal: "view".into() }));
}

#[test]
fn spans_are_positive_and_at_most_a_hundred_years() {
    for span in [Duration::ZERO, SPAN_MAX + Duration::from_nanos(1), Duration::MAX] {
        for (field, decay) in [
            ("half_life", DecaySpec::Exponential { half_life: span }),
            ("lifetime", DecaySpec::Linear { lifetime: span }),
        ] {
            let expected =
                SchemaError::InvalidSpan { signal: "view".into(), field, span, max: SPAN_MAX };
            assert_eq!(one("view", decay), Err(expected));
        }
    }
    assert!(one("view", DecaySpec::Linear { lifetime: SPAN_MAX }).is_ok());
    assert!(one("view", DecaySpec::Exponential { half_life: Duration::from_nanos(1) }).is_ok());
}

#[test]
fn velocity_needs_a_window_that_ends() {
    let mut builder = SchemaBuilder::new();
    builder
        .signal("view", EntityKind::Item, DecaySpec::Permanent)
        .windows(&[Window::AllTime])
        .velocity(true)
        .add();
    assert_eq!(builder.build(), Err(SchemaError::VelocityWithoutWindow { signal: "view".into() }));
}

#[test]
fn the_first_error_is_the_one_returned() {
    let mut builder = SchemaBuilder::new();
    builder
        .signal("Bad", EntityKind::Item, DecaySpec::Permanent)
        .add()
        .signal("also bad", EntityKind::Item, DecaySpec::Permanent)
        .add();
    assert_eq!(builder.build(), Err(SchemaError::InvalidName { signal: "Bad".into() }));
}

#[test]
fn there_are_at_most_1024_signal_types() {
    let mut builder = SchemaBuilder::new();
    for index in 0..=SIGNAL_TYPES_MAX {
        builder.signal(&format!("s{index}"), EntityKind::Item, DecaySpec::Permanent).add();
    }
    assert_eq!(
        builder.build(),
        Err(SchemaError::TooManySignals { signal: "s1024".into(), max: SIGNAL_TYPES_MAX })
    );
}

#[test]
fn events_are_checked() {
    let schema = views_and_likes();
    let event = |signal, weight| Event::new(signal, EntityId::new(1), weight, Timestamp::MIN);
    assert_eq!(
        schema.accept(&event("share", 1.0)),
        Err(SchemaError::UnknownSignal {
            signal: "share".into(),
            known: vec!["view".into(), "like".into()]
        })
    );
    for weight in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1.1e15, -1.1e15] {
        assert!(
            matches!(schema.accept(&event("view", weight)), Err(SchemaError::InvalidWeight { .. })),
            "{weight}"
        );
    }
    for weight in [0.0, -0.0, WEIGHT_MAX, -WEIGHT_MAX, f64::MIN_POSITIVE] {
        assert_eq!(schema.accept(&event("view", weight)).unwrap().weight(), weight);
    }
}

#[test]
fn a_logged_event_of_an_unknown_type_is_an_error() {
    let schema = views_and_likes();
    let logged =
        schema.accept_logged(SignalTypeId::new(2), EntityId::new(1), 1.0, Timestamp::MIN, None);
    let expected = SchemaError::UnknownSignalId { id: SignalTypeId::new(2), signal_count: 2 };
    assert_eq!(logged, Err(expected));
}

#[test]
fn extending_keeps_ids_and_refuses_change_and_removal() {
    let stored = views_and_likes();

    let mut builder = SchemaBuilder::new();
    builder
        .signal("share", EntityKind::Item, DecaySpec::Permanent)
        .add()
        .signal("like", EntityKind::Item, DecaySpec::Permanent)
        .add()
        .signal("view", EntityKind::Item, DecaySpec::Exponential { half_life: HOUR })
        .windows(&[Window::OneHour, Window::AllTime])
        .velocity(true)
        .add();
    let extended = stored.extend(&builder.build().unwrap()).unwrap();
    let names: Vec<_> = extended.signals().iter().map(|signal| signal.name()).collect();
    assert_eq!(names, ["view", "like", "share"]);

    let mut builder = SchemaBuilder::new();
    builder
        .signal("view", EntityKind::Item, DecaySpec::Exponential { half_life: HOUR })
        .windows(&[Window::OneHour, Window::AllTime])
        .velocity(true)
        .add()
        .signal("like", EntityKind::Item, DecaySpec::Permanent)
        .sums(true)
        .add();
    assert_eq!(
        stored.extend(&builder.build().unwrap()),
        Err(SchemaError::Changed {
            signal: "like".into(),
            field: "sums",
            stored: "false".into(),
            requested: "true".into(),
        })
    );
    assert_eq!(
        stored.extend(&one("like", DecaySpec::Permanent).unwrap()),
        Err(SchemaError::Removed { signal: "view".into() })
    );
}

proptest! {
    #[test]
    fn extending_by_oneself_changes_nothing(names in prop::collection::hash_set("[a-z][a-z0-9_]{0,63}", 0..20)) {
        let mut builder = SchemaBuilder::new();
        for name in &names {
            builder.signal(name, EntityKind::Creator, DecaySpec::Permanent).add();
        }
        let schema = builder.build().unwrap();
        prop_assert_eq!(schema.signal_count(), names.len());
        prop_assert_eq!(schema.extend(&schema).unwrap(), schema);
    }
}

#[test]
fn attributes_and_profiles_are_declared_and_checked() {
    let build = |declare: &dyn Fn(&mut SchemaBuilder)| {
        let mut builder = SchemaBuilder::new();
        declare(&mut builder);
        builder.build()
    };
    let schema = build(&|builder| {
        builder
            .attribute("language", EntityKind::Item, AttributeType::Keyword)
            .attribute("language", EntityKind::User, AttributeType::Keywords)
            .profile("front", "old")
            .profile("front", "new");
    })
    .unwrap();
    let of_users = schema.attribute(EntityKind::User, "language").unwrap();
    assert_eq!((of_users.id(), of_users.of_type()), (AttributeId::new(1), AttributeType::Keywords));
    assert_eq!(schema.attribute_by_id(of_users.id()), Some(of_users));
    assert_eq!(schema.attribute(EntityKind::Creator, "language"), None);
    assert_eq!(schema.profiles().collect::<Vec<_>>(), [("front", "new")]);

    let twice = build(&|builder| {
        for _ in 0..2 {
            builder.attribute("a", EntityKind::Item, AttributeType::Float);
        }
    });
    let (kind, attribute) = (EntityKind::Item, "a".to_owned());
    assert_eq!(twice, Err(SchemaError::DuplicateAttribute { kind, attribute }));
    let bad = build(&|builder| {
        builder.attribute("A", EntityKind::Item, AttributeType::Float);
    });
    assert_eq!(bad, Err(SchemaError::InvalidNameOf { what: "attribute", name: "A".into() }));
    let many = build(&|builder| {
        for number in 0..=ATTRIBUTES_MAX {
            builder.attribute(&format!("a{number}"), EntityKind::Item, AttributeType::Float);
        }
    });
    let (what, name) = ("attribute", format!("a{ATTRIBUTES_MAX}"));
    assert_eq!(many, Err(SchemaError::TooMany { what, name, max: ATTRIBUTES_MAX }));
    let long = build(&|builder| {
        builder.profile("p", &"x".repeat(PROFILE_BYTES_MAX + 1));
    });
    let (profile, bytes) = ("p".into(), PROFILE_BYTES_MAX + 1);
    assert_eq!(long, Err(SchemaError::ProfileLength { profile, bytes, max: PROFILE_BYTES_MAX }));
    let uniques = build(&|builder| {
        builder.signal("view", EntityKind::Item, DecaySpec::Permanent).uniques(true).add();
    });
    assert_eq!(uniques, Err(SchemaError::UniquesWithoutWindow { signal: "view".into() }));
}

#[test]
fn a_history_fades_as_a_sum_can() {
    let span = Duration::from_secs(3600);
    for (decay, is_taken) in [
        (DecaySpec::Permanent, true),
        (DecaySpec::Exponential { half_life: span }, true),
        (DecaySpec::Linear { lifetime: span }, false),
    ] {
        let mut builder = SchemaBuilder::new();
        builder.signal("view", EntityKind::Item, decay).history(true).add();
        let refused = SchemaError::HistoryWithLinearDecay { signal: "view".into() };
        assert_eq!(builder.build().err(), (!is_taken).then_some(refused), "{decay:?}");
    }
}

#[test]
fn stored_attributes_stay_and_profiles_may_change() {
    let schema = |of_type: Option<AttributeType>, text: &str| {
        let mut builder = SchemaBuilder::new();
        if let Some(of_type) = of_type {
            builder.attribute("price", EntityKind::Item, of_type);
        }
        builder.profile("front", text).attribute("b", EntityKind::User, AttributeType::Boolean);
        builder.build().unwrap()
    };
    let stored = schema(Some(AttributeType::Float), "old");
    let extended = stored.extend(&schema(Some(AttributeType::Float), "new")).unwrap();
    assert_eq!(extended.profile("front"), Some("new"));
    assert_eq!(extended.attributes(), stored.attributes());
    let (kind, attribute) = (EntityKind::Item, "price".to_owned());
    let changed = stored.extend(&schema(Some(AttributeType::Integer), "old"));
    let (is, wanted) = ("float".into(), "integer".into());
    let expected = SchemaError::AttributeChanged {
        kind,
        attribute: attribute.clone(),
        stored: is,
        requested: wanted,
    };
    assert_eq!(changed, Err(expected));
    let removed = stored.extend(&schema(None, "old"));
    assert_eq!(removed, Err(SchemaError::AttributeRemoved { kind, attribute }));
    let grown = schema(None, "old").extend(&stored).unwrap();
    assert_eq!(grown.attribute(kind, "price").unwrap().id(), AttributeId::new(1));
}

//! The schema of a run, which grows.

use std::time::Duration;

use tidal_types::{AttributeType, DecaySpec, EntityKind, Schema, SchemaBuilder, Window};

/// How many schemas there are; each extends the one before.
pub(super) const SCHEMAS: usize = 3;

/// How many signal types each has.
const SIGNALS: [usize; SCHEMAS] = [2, 4, 6];

const HOUR: Duration = Duration::from_secs(3600);

type Declared = (
    &'static str,
    EntityKind,
    DecaySpec,
    &'static [Window],
    /* velocity */ bool,
    /* sums */ bool,
);

/// Every decay, window and kind, with and without sums and velocity.
const DECLARED: [Declared; 6] = [
    (
        "view",
        EntityKind::Item,
        DecaySpec::Exponential { half_life: Duration::from_secs(12 * 3600) },
        &[Window::OneHour, Window::TwentyFourHours, Window::AllTime],
        true,
        true,
    ),
    ("follow", EntityKind::Creator, DecaySpec::Permanent, &[Window::AllTime], false, false),
    (
        "like",
        EntityKind::Item,
        DecaySpec::Linear { lifetime: Duration::from_secs(4 * 24 * 3600) },
        &[Window::TwentyFourHours, Window::SevenDays],
        false,
        true,
    ),
    (
        "visit",
        EntityKind::User,
        DecaySpec::Exponential { half_life: HOUR },
        &[Window::ThirtyDays],
        true,
        false,
    ),
    ("brief", EntityKind::Item, DecaySpec::Linear { lifetime: HOUR }, &[], false, false),
    (
        "tip",
        EntityKind::Creator,
        DecaySpec::Permanent,
        &[Window::OneHour, Window::SevenDays, Window::AllTime],
        true,
        true,
    ),
];

/// How many attributes each has.
const ATTRIBUTES: [usize; SCHEMAS] = [2, 5, 6];

/// Values that compare, that are sets, and that name entities, of each kind.
const DECLARED_ATTRIBUTES: [(&str, EntityKind, AttributeType); 6] = [
    ("language", EntityKind::Item, AttributeType::Keyword),
    ("maker", EntityKind::Item, AttributeType::Entity(EntityKind::Creator)),
    ("price", EntityKind::Item, AttributeType::Float),
    ("tags", EntityKind::Creator, AttributeType::Keywords),
    ("friend", EntityKind::User, AttributeType::Entity(EntityKind::User)),
    ("owner", EntityKind::Creator, AttributeType::Entity(EntityKind::User)),
];

/// The signal types of which unique actors are kept: with windows that end, with one that
/// does not, and with both.
const UNIQUES: [&str; 4] = ["view", "follow", "like", "tip"];

/// The schema of this number.
pub(super) fn schema(number: usize) -> Schema {
    let mut builder = SchemaBuilder::new();
    let declared = DECLARED.iter().enumerate().take(signal_count(number));
    for (signal, &(name, kind, decay, windows, velocity, sums)) in declared {
        builder
            .signal(name, kind, decay)
            .windows(windows)
            .velocity(velocity)
            .sums(sums)
            .uniques(UNIQUES.contains(&name))
            .history(keeps_history(signal))
            .add();
    }
    for &(name, kind, of_type) in &DECLARED_ATTRIBUTES[..attribute_count(number)] {
        builder.attribute(name, kind, of_type);
    }
    builder.build().unwrap()
}

/// How many attributes the schema of this number has.
pub(super) const fn attribute_count(number: usize) -> usize {
    ATTRIBUTES[number]
}

/// An attribute by its number; one that no schema has beyond the last.
pub(super) fn attribute(number: usize) -> (&'static str, EntityKind, AttributeType) {
    let unheard = ("unheard", EntityKind::Item, AttributeType::Boolean);
    DECLARED_ATTRIBUTES.get(number).copied().unwrap_or(unheard)
}

/// How many signal types the schema of this number has.
pub(super) const fn signal_count(number: usize) -> usize {
    SIGNALS[number]
}

/// The name of a signal type.
pub(super) fn name(signal: usize) -> &'static str {
    DECLARED.get(signal).map_or("unheard", |declared| declared.0)
}

/// Whether it is kept what users did by a signal type: of items, of users and of creators,
/// by each decay that can be.
pub(super) fn keeps_history(signal: usize) -> bool {
    matches!(name(signal), "view" | "visit" | "tip")
}

/// The kind of entity that a signal type is of.
pub(super) fn kind(signal: usize) -> EntityKind {
    DECLARED.get(signal).map_or(EntityKind::Item, |declared| declared.1)
}

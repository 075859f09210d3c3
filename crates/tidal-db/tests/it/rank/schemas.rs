//! Schemas that are drawn: signal types of any decay, and attributes of every type.

use std::time::Duration;

use tidal_db::{AttributeType, DecaySpec, EntityKind, Schema, SchemaBuilder, Window};

use crate::life::Random;

pub(crate) const ITEM: EntityKind = EntityKind::Item;
pub(crate) const CREATOR: EntityKind = EntityKind::Creator;

pub(crate) const HOUR: Duration = Duration::from_secs(3600);
pub(crate) const DAY: Duration = Duration::from_secs(24 * 3600);

/// The most signal types of items.
pub(crate) const SIGNALS: [&str; 4] = ["view", "like", "share", "skip"];

/// The signal type of creators.
pub(crate) const FOLLOW: &str = "follow";

/// The attributes of items: one of each type.
pub(crate) const ATTRIBUTES: [(&str, AttributeType); 7] = [
    ("language", AttributeType::Keyword),
    ("tags", AttributeType::Keywords),
    ("price", AttributeType::Float),
    ("stock", AttributeType::Integer),
    ("sold", AttributeType::Boolean),
    ("posted", AttributeType::Timestamp),
    ("creator", AttributeType::Entity(CREATOR)),
];

/// The attribute of creators.
pub(crate) const COUNTRY: &str = "country";

/// One of these.
pub(crate) fn one<T: Copy>(random: &mut Random, of: &[T]) -> T {
    of[random.below(of.len() as u64) as usize]
}

/// Whether something happens that does so `percent` times of a hundred.
pub(crate) fn chance(random: &mut Random, percent: u64) -> bool {
    random.below(100) < percent
}

/// A schema.
pub(crate) fn drawn(random: &mut Random) -> Schema {
    let mut builder = SchemaBuilder::new();
    let count = 1 + random.below(SIGNALS.len() as u64) as usize;
    for name in &SIGNALS[..count] {
        declare(&mut builder, name, ITEM, random);
    }
    declare(&mut builder, FOLLOW, CREATOR, random);
    for (name, of_type) in ATTRIBUTES {
        builder.attribute(name, ITEM, of_type);
    }
    builder.attribute(COUNTRY, CREATOR, AttributeType::Keyword);
    builder.build().unwrap()
}

fn declare(builder: &mut SchemaBuilder, name: &str, kind: EntityKind, random: &mut Random) {
    let span = one(random, &[HOUR / 60, HOUR, DAY, 30 * DAY, 1000 * DAY]);
    let decay = match random.below(6) {
        0 => DecaySpec::Permanent,
        1 => DecaySpec::Linear { lifetime: span },
        _ => DecaySpec::Exponential { half_life: span },
    };
    let windows: Vec<Window> = Window::ALL.into_iter().filter(|_| chance(random, 40)).collect();
    // A history has no linear decay.
    let is_linear = matches!(decay, DecaySpec::Linear { .. });
    let ends = windows.iter().any(|window| window.duration().is_some());
    builder
        .signal(name, kind, decay)
        .windows(&windows)
        .velocity(ends && chance(random, 50))
        .sums(chance(random, 50))
        .uniques(!windows.is_empty() && chance(random, 30))
        .history(kind == ITEM && !is_linear && chance(random, 50))
        .add();
}

//! The `decay` of a signal type: a table with one span, or the word
//! `permanent`.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};
use tidal_db::DecaySpec;

use super::span;

/// A decay as `schema.toml` has it.
#[derive(Debug, Clone, Copy)]
pub(super) struct DecayEntry(pub(super) DecaySpec);

/// The decay in the words of `schema.toml`.
pub(crate) fn describe(decay: DecaySpec) -> String {
    match decay {
        DecaySpec::Exponential { half_life } => {
            format!("{{ half_life = \"{}\" }}", span::describe(half_life))
        }
        DecaySpec::Linear { lifetime } => {
            format!("{{ lifetime = \"{}\" }}", span::describe(lifetime))
        }
        DecaySpec::Permanent => "\"permanent\"".into(),
    }
}

impl<'de> Deserialize<'de> for DecayEntry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(DecayVisitor)
    }
}

struct DecayVisitor;

impl<'de> Visitor<'de> for DecayVisitor {
    type Value = DecayEntry;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{ half_life = \"7d\" }, { lifetime = \"30d\" } or \"permanent\"")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<DecayEntry, E> {
        match text {
            "permanent" => Ok(DecayEntry(DecaySpec::Permanent)),
            _ => Err(E::invalid_value(de::Unexpected::Str(text), &self)),
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut table: A) -> Result<DecayEntry, A::Error> {
        let Some((field, text)) = table.next_entry::<String, String>()? else {
            return Err(de::Error::invalid_length(0, &self));
        };
        let span = span::parse(&text).map_err(de::Error::custom);
        let decay = match field.as_str() {
            "half_life" => DecaySpec::Exponential { half_life: span? },
            "lifetime" => DecaySpec::Linear { lifetime: span? },
            _ => return Err(de::Error::unknown_field(&field, &["half_life", "lifetime"])),
        };
        match table.next_key::<String>()? {
            None => Ok(DecayEntry(decay)),
            Some(_) => Err(de::Error::invalid_length(2, &self)),
        }
    }
}

//! The `decay` of a signal type: a table with one span, or the word
//! `permanent`.

use std::time::Duration;

use serde::Deserializer;
use serde::de::{Deserialize, Error};
use tidal_db::{DecaySpec, SPAN_MAX};
use toml::{Table, Value};

use super::span;

const FORMS: &str = "{ half_life = \"7d\" }, { lifetime = \"30d\" } or \"permanent\"";

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
        let decay = match Value::deserialize(deserializer)? {
            Value::String(word) if word == "permanent" => Ok(DecaySpec::Permanent),
            Value::Table(table) => of_table(&table),
            other => Err(format!("decay is {FORMS}, not {other}")),
        };
        decay.map(Self).map_err(Error::custom)
    }
}

fn of_table(table: &Table) -> Result<DecaySpec, String> {
    let span = |field: &str| table.get(field).map(|value| span_of(field, value)).transpose();
    let unknown = table.keys().find(|key| !["half_life", "lifetime"].contains(&key.as_str()));
    match (span("half_life")?, span("lifetime")?, unknown) {
        (_, _, Some(key)) => Err(format!("unknown field `{key}` in decay, which is {FORMS}")),
        (Some(half_life), None, None) => Ok(DecaySpec::Exponential { half_life }),
        (None, Some(lifetime), None) => Ok(DecaySpec::Linear { lifetime }),
        (Some(_), Some(_), None) => {
            Err("decay has both half_life and lifetime; keep one of them".into())
        }
        (None, None, None) => Err(format!("decay is empty; it is {FORMS}")),
    }
}

/// The span of a field, in the range that a schema takes.
fn span_of(field: &str, value: &Value) -> Result<Duration, String> {
    let Value::String(text) = value else {
        return Err(format!("{field} is a span in quotes, such as \"7d\", not {value}"));
    };
    let span = span::parse(text).map_err(|problem| format!("{field}: {problem}"))?;
    if span.is_zero() || span > SPAN_MAX {
        return Err(format!(
            "{field} is \"{text}\", and must be more than zero and at most {} (100 years)",
            span::describe(SPAN_MAX)
        ));
    }
    Ok(span)
}

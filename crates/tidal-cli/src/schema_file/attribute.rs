//! The `[[attribute]]` tables: what is known of entities beside what happens to them.

use serde::Deserialize;
use serde::Deserializer;
use serde::de::Error;
use tidal_db::AttributeType;
use toml::{Table, Value};

use super::KindEntry;
use super::list::Listed;
use crate::args;

const FORMS: &str = "\"keyword\", \"keywords\", \"integer\", \"float\", \"boolean\", \"timestamp\" or { entity = \"creator\" }";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AttributeEntry {
    pub(super) name: String,
    #[serde(default)]
    pub(super) kind: KindEntry,
    #[serde(rename = "type")]
    pub(super) of_type: TypeEntry,
}

impl Listed for AttributeEntry {
    const EXPECTED: &'static str =
        "a list: write [[attribute]], with two brackets, for each attribute";
}

/// A type as `schema.toml` has it.
#[derive(Debug)]
pub(super) struct TypeEntry(pub(super) AttributeType);

impl<'de> Deserialize<'de> for TypeEntry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let of_type = match Value::deserialize(deserializer)? {
            Value::String(word) => of_word(&word),
            Value::Table(table) => of_table(&table),
            other => Err(format!("type is {FORMS}, not {other}")),
        };
        of_type.map(Self).map_err(Error::custom)
    }
}

/// The type in the words of `schema.toml`.
pub(crate) fn describe(of_type: AttributeType) -> String {
    match of_type {
        AttributeType::Entity(kind) => format!("{{ entity = \"{kind}\" }}"),
        word => format!("\"{word}\""),
    }
}

fn of_word(word: &str) -> Result<AttributeType, String> {
    let plain = |of_type: &AttributeType| {
        !matches!(of_type, AttributeType::Entity(_)) && of_type.as_str() == word
    };
    let found = AttributeType::ALL.into_iter().find(plain);
    found.ok_or_else(|| format!("type is {FORMS}, not \"{word}\""))
}

fn of_table(table: &Table) -> Result<AttributeType, String> {
    let entity = table.get("entity").filter(|_| table.len() == 1).and_then(Value::as_str);
    let kind = entity.ok_or_else(|| format!("type is {FORMS}, not {table}"))?;
    args::entity_kind(kind)
        .map(AttributeType::Entity)
        .map_err(|problem| format!("entity is \"{kind}\", but {problem}"))
}

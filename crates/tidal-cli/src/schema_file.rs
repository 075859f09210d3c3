//! `schema.toml`: the signal types of a database, as a person declares them.
//!
//! ```toml
//! [[signal]]
//! name = "purchase"
//! kind = "item"
//! decay = { half_life = "7d" }        # or { lifetime = "30d" } or "permanent"
//! windows = ["1h", "24h", "7d", "all"]
//! velocity = true
//! sums = true
//! uniques = true
//! history = true
//! ```
//!
//! Unknown keys are errors. `kind` defaults to item, `windows` to none,
//! `velocity`, `sums`, `uniques` and `history` to false.

mod decay;
mod span;
mod windows;

use std::fmt;
use std::fs;
use std::path::Path;

use serde::de::value::SeqAccessDeserializer;
use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use tidal_db::{EntityKind, Schema, SchemaBuilder};

use crate::args;
use crate::failure::Failure;

pub(crate) use decay::describe as describe_decay;
pub(crate) use span::{describe as describe_span, parse as parse_span};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SchemaFile {
    #[serde(default)]
    signal: Signals,
}

#[derive(Debug, Default)]
struct Signals(Vec<SignalEntry>);

impl<'de> Deserialize<'de> for Signals {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(SignalsVisitor).map(Self)
    }
}

struct SignalsVisitor;

impl<'de> Visitor<'de> for SignalsVisitor {
    type Value = Vec<SignalEntry>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list: write [[signal]], with two brackets, for each signal type")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, entries: A) -> Result<Self::Value, A::Error> {
        Vec::deserialize(SeqAccessDeserializer::new(entries))
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SignalEntry {
    name: String,
    #[serde(default)]
    kind: KindEntry,
    decay: decay::DecayEntry,
    #[serde(default)]
    windows: windows::WindowsEntry,
    #[serde(default)]
    velocity: bool,
    #[serde(default)]
    sums: bool,
    #[serde(default)]
    uniques: bool,
    #[serde(default)]
    history: bool,
}

#[derive(Debug, Deserialize)]
#[serde(try_from = "String")]
struct KindEntry(EntityKind);

impl Default for KindEntry {
    fn default() -> Self {
        Self(EntityKind::Item)
    }
}

impl TryFrom<String> for KindEntry {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        args::entity_kind(&text)
            .map(Self)
            .map_err(|problem| format!("kind is {text:?}, but {problem}"))
    }
}

/// The schema that the file at `path` declares.
pub(crate) fn read(path: &Path) -> Result<Schema, Failure> {
    let text = fs::read_to_string(path).map_err(|error| Failure::io("read", path, &error))?;
    parse(&text).map_err(|failure| failure.within(path.display()))
}

fn parse(text: &str) -> Result<Schema, Failure> {
    let file: SchemaFile = toml::from_str(text).map_err(|error| {
        let line = error.span().map_or(1, |span| {
            text.as_bytes().iter().take(span.start).filter(|byte| **byte == b'\n').count() + 1
        });
        Failure::failed(format!("line {line}: {}", error.message()))
    })?;
    if file.signal.0.is_empty() {
        return Err(Failure::failed("no signal type is declared; add a [[signal]]"));
    }
    let mut builder = SchemaBuilder::new();
    for entry in &file.signal.0 {
        builder
            .signal(&entry.name, entry.kind.0, entry.decay.0)
            .windows(&entry.windows.0)
            .velocity(entry.velocity)
            .sums(entry.sums)
            .uniques(entry.uniques)
            .history(entry.history)
            .add();
    }
    builder.build().map_err(|error| Failure::failed(error.to_string()))
}

#[cfg(test)]
mod tests;

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
//! ```
//!
//! Unknown keys are errors. `kind` defaults to item, `windows` to none,
//! `velocity` and `sums` to false.

mod decay;
mod span;

use std::fs;
use std::path::Path;

use serde::Deserialize;
use tidal_db::{EntityKind, Schema, SchemaBuilder, Window};

use crate::args;
use crate::failure::Failure;

pub(crate) use decay::describe as describe_decay;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SchemaFile {
    #[serde(default)]
    signal: Vec<SignalEntry>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SignalEntry {
    name: String,
    #[serde(default)]
    kind: KindEntry,
    decay: decay::DecayEntry,
    #[serde(default)]
    windows: Vec<WindowEntry>,
    #[serde(default)]
    velocity: bool,
    #[serde(default)]
    sums: bool,
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
        args::entity_kind(&text).map(Self)
    }
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "String")]
struct WindowEntry(Window);

impl TryFrom<String> for WindowEntry {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        args::window(&text).map(Self)
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
    if file.signal.is_empty() {
        return Err(Failure::failed("no signal type is declared; add a [[signal]]"));
    }
    let mut builder = SchemaBuilder::new();
    for entry in &file.signal {
        let windows: Vec<Window> = entry.windows.iter().map(|window| window.0).collect();
        builder
            .signal(&entry.name, entry.kind.0, entry.decay.0)
            .windows(&windows)
            .velocity(entry.velocity)
            .sums(entry.sums)
            .add();
    }
    builder.build().map_err(|error| Failure::failed(error.to_string()))
}

#[cfg(test)]
mod tests;

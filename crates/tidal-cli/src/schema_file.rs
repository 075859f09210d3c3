//! `schema.toml`: the signal types of a database, the attributes of its entities, and
//! its profiles, as a person declares them.
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
//!
//! [[attribute]]
//! name = "maker"
//! kind = "item"
//! type = { entity = "creator" }       # or "keyword", "keywords", "integer", "float",
//!                                     # "boolean" or "timestamp"
//!
//! [profile.front]                     # the keys of a query in JSON
//! by = "score(purchase)"
//! at_most = { of = "maker", max = 2 }
//! ```
//!
//! Unknown keys are errors. `kind` defaults to item, `windows` to none,
//! `velocity`, `sums`, `uniques` and `history` to false.

mod attribute;
mod decay;
mod list;
mod profile;
mod span;
mod windows;

use std::fs;
use std::ops::Range;
use std::path::Path;

use serde::Deserialize;
use tidal_db::{EntityKind, Schema, SchemaBuilder};

use crate::args;
use crate::failure::Failure;

pub(crate) use attribute::describe as describe_type;
pub(crate) use decay::describe as describe_decay;
pub(crate) use span::{describe as describe_span, parse as parse_span};

use attribute::AttributeEntry;
use list::{List, Listed};
use profile::Profiles;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SchemaFile {
    #[serde(default)]
    signal: List<SignalEntry>,
    #[serde(default)]
    attribute: List<AttributeEntry>,
    #[serde(default)]
    profile: Profiles,
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

impl Listed for SignalEntry {
    const EXPECTED: &'static str =
        "a list: write [[signal]], with two brackets, for each signal type";
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
        let line = error.span().map_or(1, |span| line_of(text, &span));
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
    for entry in &file.attribute.0 {
        builder.attribute(&entry.name, entry.kind.0, entry.of_type.0);
    }
    for (name, entries) in &file.profile.0 {
        builder.profile(name.get_ref(), &profile::text(name, entries, text)?);
    }
    builder.build().map_err(|error| Failure::failed(error.to_string()))
}

/// The line on which a part of the text begins, from 1.
fn line_of(text: &str, part: &Range<usize>) -> usize {
    text.as_bytes().iter().take(part.start).filter(|byte| **byte == b'\n').count() + 1
}

#[cfg(test)]
mod tests;

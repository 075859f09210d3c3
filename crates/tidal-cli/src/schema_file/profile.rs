//! The `[profile.NAME]` tables: queries with a name, by the keys that they have in JSON.

use std::collections::BTreeMap;

use serde_json::{Map, Number, Value as Json};
use tidal_db::Query;
use toml::{Spanned, Value};

use super::line_of;
use crate::failure::Failure;

/// The keys of one profile.
pub(super) type Entries = BTreeMap<Spanned<String>, Spanned<Value>>;

/// Every profile, by its name.
#[derive(Debug, Default, serde::Deserialize)]
pub(super) struct Profiles(pub(super) BTreeMap<Spanned<String>, Entries>);

/// The query as the schema keeps it.
///
/// # Errors
/// It is none; the failure names the line of `file` on which it stops being one.
pub(super) fn text(
    name: &Spanned<String>,
    entries: &Entries,
    file: &str,
) -> Result<String, Failure> {
    let at = |line: usize| format!("line {line}, profile {:?}", name.get_ref());
    let mut object = Map::new();
    for (key, value) in entries {
        let of_key = |failure: Failure| failure.within(at(line_of(file, &value.span())));
        if matches!(key.get_ref().as_str(), "at" | "cursor") {
            let problem = format!("{:?} is of one call; leave it out", key.get_ref());
            return Err(of_key(Failure::failed(problem)));
        }
        let value = json(value.get_ref()).map_err(|problem| of_key(Failure::failed(problem)))?;
        object.insert(key.get_ref().clone(), value);
    }
    let problem = match Query::from_json(&Json::Object(object.clone()).to_string()) {
        Ok(query) => return Ok(query.to_json()),
        Err(problem) => problem,
    };
    let culprit = entries.iter().find(|(key, _)| !is_sound(key.get_ref(), &object));
    let line = culprit.map_or_else(|| name.span(), |(_, value)| value.span());
    Err(Failure::from(problem).within(at(line_of(file, &line))))
}

/// Whether a key alone makes a query, or does beside the least that one needs.
fn is_sound(key: &str, object: &Map<String, Json>) -> bool {
    let mut alone = Map::from_iter([("by".to_owned(), Json::from("1"))]);
    alone.extend(object.get(key).map(|value| (key.to_owned(), value.clone())));
    Query::from_json(&Json::Object(alone).to_string()).is_ok()
}

fn json(value: &Value) -> Result<Json, String> {
    Ok(match value {
        Value::String(text) => text.as_str().into(),
        Value::Integer(number) => (*number).into(),
        Value::Float(number) => {
            Number::from_f64(*number).ok_or_else(|| format!("{number} is not finite"))?.into()
        }
        Value::Boolean(boolean) => (*boolean).into(),
        Value::Datetime(time) => time.to_string().into(),
        Value::Array(values) => values.iter().map(json).collect::<Result<_, _>>()?,
        Value::Table(table) => {
            let entry = |(key, value): (&String, &Value)| Ok((key.clone(), json(value)?));
            Json::Object(table.iter().map(entry).collect::<Result<_, String>>()?)
        }
    })
}

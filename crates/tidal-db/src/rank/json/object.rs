//! An object of JSON, read key by key, with errors that say which key.

use serde_json::{Map, Value};
use tidal_types::QueryError;

use crate::rank::language::nearest;

/// A JSON object of which each key is known.
pub(super) struct Object<'a> {
    fields: &'a Map<String, Value>,
    /// What stands behind the name of a key in errors: ` of "at_most"`.
    within: &'static str,
}

impl<'a> Object<'a> {
    /// Takes a value for an object with no other keys than these.
    pub(super) fn of(
        value: &'a Value,
        what: &str,
        within: &'static str,
        known: &[&'static str],
    ) -> Result<Self, QueryError> {
        let Value::Object(fields) = value else {
            return Err(mistyped(what, value, "an object"));
        };
        let unknown = fields.keys().find(|key| !known.contains(&key.as_str()));
        match unknown {
            None => Ok(Self { fields, within }),
            Some(key) => {
                let meant = nearest(key, known.iter().copied());
                let meant = meant.map(|meant| format!(" (did you mean {meant:?}?)"));
                let known: Vec<_> = known.iter().map(|key| format!("{key:?}")).collect();
                Err(malformed(format!(
                    "unknown key {key:?}{within}{}; there are {}",
                    meant.unwrap_or_default(),
                    known.join(", ")
                )))
            }
        }
    }

    /// The value of a key, unless it is absent or null.
    pub(super) fn get(&self, key: &str) -> Option<&'a Value> {
        self.fields.get(key).filter(|value| !value.is_null())
    }

    pub(super) fn text(&self, key: &str) -> Result<Option<&'a str>, QueryError> {
        self.read(key, "a text", Value::as_str)
    }

    pub(super) fn boolean(&self, key: &str) -> Result<Option<bool>, QueryError> {
        self.read(key, "true or false", Value::as_bool)
    }

    /// A whole number from `least` to `most`.
    pub(super) fn whole(
        &self,
        key: &str,
        what: &'static str,
        (least, most): (u64, u64),
    ) -> Result<Option<u64>, QueryError> {
        let Some(value) = self.number(key, "a whole number")? else {
            return Ok(None);
        };
        match value.as_u64() {
            Some(number) if (least..=most).contains(&number) => Ok(Some(number)),
            _ => Err(out_of_range(what, value, format!("a whole number from {least} to {most}"))),
        }
    }

    /// A number from 0 to 1.
    pub(super) fn share(&self, key: &str, what: &'static str) -> Result<Option<f64>, QueryError> {
        let Some(value) = self.number(key, "a number")? else {
            return Ok(None);
        };
        match value.as_f64() {
            Some(number) if (0.0..=1.0).contains(&number) => Ok(Some(number)),
            _ => Err(out_of_range(what, value, "from 0 to 1".into())),
        }
    }

    /// What has to be there.
    pub(super) fn required<T>(&self, key: &str, value: Option<T>) -> Result<T, QueryError> {
        value.ok_or_else(|| malformed(format!("there is no {key:?}{}", self.within)))
    }

    fn number(&self, key: &str, expected: &str) -> Result<Option<&'a Value>, QueryError> {
        self.read(key, expected, |value| value.is_number().then_some(value))
    }

    fn read<T>(
        &self,
        key: &str,
        expected: &str,
        read: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Result<Option<T>, QueryError> {
        let Some(value) = self.get(key) else {
            return Ok(None);
        };
        match read(value) {
            None => Err(mistyped(&format!("{key:?}{}", self.within), value, expected)),
            read => Ok(read),
        }
    }
}

pub(super) fn malformed(problem: impl Into<String>) -> QueryError {
    QueryError::Malformed { problem: problem.into() }
}

pub(super) fn mistyped(what: &str, value: &Value, expected: &str) -> QueryError {
    let found = match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    };
    malformed(format!("{what} is {found}, and must be {expected}"))
}

pub(super) fn out_of_range(what: &'static str, value: &Value, range: String) -> QueryError {
    QueryError::OutOfRange { what, value: value.to_string(), range }
}

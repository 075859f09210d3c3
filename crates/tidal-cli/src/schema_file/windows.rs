//! The `windows` of a signal type: a list of their names.

use serde::Deserializer;
use serde::de::{Deserialize, Error};
use tidal_db::Window;
use toml::Value;

use crate::args;

/// Windows as `schema.toml` has them.
#[derive(Debug, Default)]
pub(super) struct WindowsEntry(pub(super) Vec<Window>);

impl<'de> Deserialize<'de> for WindowsEntry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Value::Array(names) = Value::deserialize(deserializer)? else {
            return Err(Error::custom("windows must be a list, such as [\"1h\", \"24h\"]"));
        };
        names.iter().map(window).collect::<Result<_, _>>().map(Self).map_err(Error::custom)
    }
}

fn window(name: &Value) -> Result<Window, String> {
    // What is not in quotes is no name of a window either.
    args::window(name.as_str().unwrap_or_default())
        .map_err(|problem| format!("windows has {name}, but {problem}"))
}

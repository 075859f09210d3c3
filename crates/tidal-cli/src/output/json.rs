//! JSON on standard output: one value, one line.

use serde_json::{Map, Value};

use super::base64::base64;
use super::print;
use crate::failure::Failure;

/// Prints one JSON value and a line break.
pub(crate) fn print_json(value: &Value) -> Result<(), Failure> {
    print(&format!("{value}\n"))
}

/// Bytes that are usually text: a name or metadata.
///
/// JSON holds text only. Bytes that are UTF-8 are given as they are; others in
/// base64, and a second field `<field>_encoding` says so.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bytes<'a>(pub(crate) Option<&'a [u8]>);

impl Bytes<'_> {
    /// Sets `field`, to null when there are no bytes.
    pub(crate) fn set(self, object: &mut Map<String, Value>, field: &str) {
        let Some(bytes) = self.0 else {
            object.insert(field.into(), Value::Null);
            return;
        };
        match std::str::from_utf8(bytes) {
            Ok(text) => {
                object.insert(field.into(), text.into());
            }
            Err(_) => {
                object.insert(field.into(), base64(bytes).into());
                object.insert(format!("{field}_encoding"), "base64".into());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(bytes: Option<&[u8]>) -> String {
        let mut object = Map::new();
        Bytes(bytes).set(&mut object, "name");
        Value::Object(object).to_string()
    }

    #[test]
    fn text_stays_text_and_bytes_become_base64() {
        assert_eq!(object(None), r#"{"name":null}"#);
        assert_eq!(object(Some("caf\u{e9}".as_bytes())), "{\"name\":\"caf\u{e9}\"}");
        assert_eq!(object(Some(b"caf\xe9")), r#"{"name":"Y2Fm6Q==","name_encoding":"base64"}"#);
    }
}

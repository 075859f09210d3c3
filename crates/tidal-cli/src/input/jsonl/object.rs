//! The values of the keys asked for, out of one JSON object. The rest of the
//! object is checked to be JSON and not kept.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

/// How many values a row gives: entity, time, signal, weight and actor.
pub(super) const SLOTS: usize = 5;

/// The values of one object. One is used for all rows, so that its memory is.
#[derive(Debug, Default)]
pub(super) struct Values {
    slots: [Vec<u8>; SLOTS],
    found: [bool; SLOTS],
}

impl Values {
    /// Reads the object in `line`, or says why it cannot be.
    pub(super) fn read(&mut self, line: &[u8], keys: &[(usize, String)]) -> Result<(), String> {
        self.found = [false; SLOTS];
        self.slots.iter_mut().for_each(Vec::clear);
        let mut problem = None;
        let mut json = serde_json::Deserializer::from_slice(line);
        let reader = ObjectReader { values: self, keys, problem: &mut problem };
        let outcome = reader.deserialize(&mut json).and_then(|()| json.end());
        match (outcome, problem) {
            (Ok(()), None) => Ok(()),
            (Ok(()), Some(problem)) => Err(problem),
            (Err(error), _) => Err(describe(&error)),
        }
    }

    /// The values, empty where there is none.
    pub(super) fn slots(&self) -> [&[u8]; SLOTS] {
        self.slots.each_ref().map(Vec::as_slice)
    }

    /// Which keys the object had.
    pub(super) const fn found(&self) -> [bool; SLOTS] {
        self.found
    }

    fn set(&mut self, slot: usize, key: &str, value: &RawValue) -> Result<(), String> {
        let (Some(bytes), Some(found)) = (self.slots.get_mut(slot), self.found.get_mut(slot))
        else {
            return Ok(());
        };
        if std::mem::replace(found, true) {
            return Err(format!("the key {key:?} is there twice"));
        }
        let text = value.get();
        match text.as_bytes().first() {
            Some(b'"') => {
                let unescaped: Cow<'_, str> =
                    serde_json::from_str::<Text<'_>>(text).map_err(|error| describe(&error))?.0;
                bytes.extend_from_slice(unescaped.as_bytes());
            }
            Some(b'-' | b'0'..=b'9') => bytes.extend_from_slice(text.as_bytes()),
            Some(b'n') => {}
            _ => {
                return Err(format!("the key {key:?} holds neither a string nor a number"));
            }
        }
        Ok(())
    }
}

/// A string, borrowed when it holds no escapes.
#[derive(serde::Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

struct ObjectReader<'v> {
    values: &'v mut Values,
    keys: &'v [(usize, String)],
    problem: &'v mut Option<String>,
}

impl<'de> DeserializeSeed<'de> for ObjectReader<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for ObjectReader<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<(), A::Error> {
        while let Some(Text(key)) = object.next_key()? {
            let mut asked = self.keys.iter().filter(|(_, name)| *name == key).peekable();
            if asked.peek().is_none() {
                object.next_value::<IgnoredAny>()?;
                continue;
            }
            let value: &RawValue = object.next_value()?;
            for (slot, _) in asked {
                if let Err(problem) = self.values.set(*slot, &key, value) {
                    self.problem.get_or_insert(problem);
                }
            }
        }
        Ok(())
    }
}

/// What is wrong and where on the line; the line itself is known.
fn describe(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let problem = text.rsplit_once(" at line ").map_or(text.as_str(), |(problem, _)| problem);
    format!("not a JSON object: {problem} at byte {}", error.column())
}

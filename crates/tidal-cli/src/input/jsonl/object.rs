//! The values of the keys asked for, out of one JSON object. The rest of the
//! object is checked to be JSON and not kept.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::input::Cell;

/// How many values every row gives: entity, time, signal, weight and actor.
pub(super) const SLOTS: usize = 5;

/// The values of one object. One is used for all rows, so that its memory is.
#[derive(Debug, Default)]
pub(super) struct Values {
    slots: [Vec<u8>; SLOTS],
    found: [bool; SLOTS],
    /// The values of the slots behind these; `None` where the object lacks the key.
    more: Vec<Option<Cell>>,
}

impl Values {
    /// Reads the object in `line`, or says why it cannot be.
    pub(super) fn read(&mut self, line: &[u8], keys: &[(usize, String)]) -> Result<(), String> {
        self.found = [false; SLOTS];
        self.slots.iter_mut().for_each(Vec::clear);
        self.more.iter_mut().for_each(|cell| *cell = None);
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

    /// The values of the further slots.
    pub(super) fn more(&self) -> &[Option<Cell>] {
        &self.more
    }

    /// From the next object on, there are this many further slots.
    pub(super) fn take_more(&mut self, count: usize) {
        self.more = vec![None; count];
    }

    /// Which keys the object had, in the order of their slots.
    pub(super) fn found(&self) -> impl Iterator<Item = bool> {
        self.found.iter().copied().chain(self.more.iter().map(Option::is_some))
    }

    fn set(&mut self, slot: usize, key: &str, value: &RawValue) -> Result<(), String> {
        let twice = || Err(format!("the key {key:?} is there twice"));
        let (Some(bytes), Some(found)) = (self.slots.get_mut(slot), self.found.get_mut(slot))
        else {
            return match self.more.get_mut(slot.saturating_sub(SLOTS)) {
                Some(Some(_)) => twice(),
                Some(free) => {
                    *free = Some(cell(key, value)?);
                    Ok(())
                }
                None => Ok(()),
            };
        };
        if std::mem::replace(found, true) {
            return twice();
        }
        match text_of(value)? {
            Some(text) => bytes.extend_from_slice(text.as_bytes()),
            None => return Err(format!("the key {key:?} holds neither a string nor a number")),
        }
        Ok(())
    }
}

/// The text of a string, a number or null; `None` for another value.
fn text_of(value: &RawValue) -> Result<Option<Cow<'_, str>>, String> {
    let text = value.get();
    Ok(match text.as_bytes().first() {
        Some(b'"') => {
            Some(serde_json::from_str::<Text<'_>>(text).map_err(|error| describe(&error))?.0)
        }
        Some(b'-' | b'0'..=b'9') => Some(text.into()),
        Some(b'n') => Some("".into()),
        _ => None,
    })
}

/// A value of one of the further slots.
fn cell(key: &str, value: &RawValue) -> Result<Cell, String> {
    let refused = || format!("the key {key:?} holds an object, or a list of more than texts");
    if let Some(text) = text_of(value)? {
        return Ok(Cell::Text(text.into_owned().into_bytes()));
    }
    if let boolean @ ("true" | "false") = value.get() {
        return Ok(Cell::Text(boolean.into()));
    }
    let values: Vec<&RawValue> = serde_json::from_str(value.get()).map_err(|_| refused())?;
    let word = |value: &RawValue| match text_of(value)? {
        Some(text) => Ok(text.into_owned().into_bytes()),
        None => Err(refused()),
    };
    values.into_iter().map(word).collect::<Result<_, _>>().map(Cell::List)
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

//! Values of attributes as text: on the command line, in files and on the screen.
//!
//! A1. What cannot be a value is refused before any name is taken up for it.

use serde_json::{Map, Value, json};
use tidal_db::{
    AttributeDefinition, AttributeType, AttributeValue, EntityId, EntityKind, KEYWORD_BYTES_MAX,
    KEYWORDS_MAX, QueryError, Schema, TidalDB,
};

use crate::entity;
use crate::failure::Failure;
use crate::import::check_name;
use crate::input::{Cell, TimeFormat};
use crate::output::{Bytes, decimal, excerpt, printable, rfc3339};

/// What is said of an attribute.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Given<'a> {
    /// The entity has none.
    Nothing,
    /// This value.
    Value(AttributeValue),
    /// The entity of that kind which has this name or number.
    Entity(EntityKind, &'a [u8]),
}

/// The attribute of that name.
///
/// # Errors
/// The kind has no such attribute.
pub(crate) fn require<'s>(
    schema: &'s Schema,
    kind: EntityKind,
    name: &str,
) -> Result<&'s AttributeDefinition, Failure> {
    schema.attribute(kind, name).ok_or_else(|| {
        let known = schema.attributes_of(kind).map(|known| known.name().to_owned()).collect();
        QueryError::UnknownAttribute { kind, attribute: name.into(), known }.into()
    })
}

/// Reads a value, or says why it is none. Several keywords stand between separators.
pub(crate) fn read<'a>(
    attribute: &AttributeDefinition,
    cell: &'a Cell,
    separator: u8,
) -> Result<Given<'a>, String> {
    let of_type = attribute.of_type();
    let given = match (cell, of_type) {
        (Cell::Text(text), _) if text.is_empty() => Ok(Given::Nothing),
        (Cell::Text(text), AttributeType::Entity(kind)) => {
            check_name("entity", text).map(|()| Given::Entity(kind, text))
        }
        (Cell::Text(text), AttributeType::Keywords) => {
            keywords(text.split(|byte| *byte == separator).map(<[u8]>::trim_ascii))
        }
        (Cell::Text(text), _) => value(of_type, text).map(Given::Value),
        (Cell::List(words), AttributeType::Keywords) => keywords(words.iter().map(Vec::as_slice)),
        (Cell::List(_), _) => Err("a list is for attributes of type keywords".into()),
    };
    given.map_err(|problem| format!("{} ({of_type}): {problem}", attribute.name()))
}

fn value(of_type: AttributeType, text: &[u8]) -> Result<AttributeValue, String> {
    let word = std::str::from_utf8(text).map_err(|_| not(text, "UTF-8"))?;
    let trimmed = word.trim();
    match of_type {
        AttributeType::Keyword => keyword(text).map(AttributeValue::Keyword),
        AttributeType::Integer => trimmed
            .parse()
            .map(AttributeValue::Integer)
            .map_err(|_| not(text, "a whole number of 64 bits")),
        AttributeType::Float => match trimmed.parse() {
            Ok(number) if f64::is_finite(number) => Ok(AttributeValue::Float(number)),
            _ => Err(not(text, "a finite number")),
        },
        AttributeType::Boolean => match trimmed {
            "true" | "1" => Ok(AttributeValue::Boolean(true)),
            "false" | "0" => Ok(AttributeValue::Boolean(false)),
            _ => Err(not(text, "true or false")),
        },
        AttributeType::Timestamp => TimeFormat::SecondsOrRfc3339
            .read(trimmed)
            .map(AttributeValue::Timestamp)
            .map_err(|_| not(text, "Unix seconds or RFC 3339, from 1970 to 2554")),
        AttributeType::Keywords | AttributeType::Entity(_) => Err(not(text, "one value")),
    }
}

fn not(text: &[u8], what: &str) -> String {
    format!("{} is not {what}", excerpt(text))
}

fn keywords<'w>(words: impl Iterator<Item = &'w [u8]>) -> Result<Given<'static>, String> {
    let words = words.filter(|word| !word.is_empty()).map(keyword);
    let mut words = words.collect::<Result<Vec<String>, _>>()?;
    words.sort_unstable();
    words.dedup();
    match words.len() {
        0 => Ok(Given::Nothing),
        1..=KEYWORDS_MAX => Ok(Given::Value(AttributeValue::Keywords(words))),
        count => Err(format!("{count} keywords are too many; at most {KEYWORDS_MAX} fit")),
    }
}

fn keyword(word: &[u8]) -> Result<String, String> {
    if word.len() > KEYWORD_BYTES_MAX {
        let bytes = word.len();
        return Err(format!(
            "{} has {bytes} bytes, and a keyword has at most {KEYWORD_BYTES_MAX}",
            excerpt(word)
        ));
    }
    String::from_utf8(word.to_vec()).map_err(|_| not(word, "UTF-8"))
}

/// A value for a person. An entity is shown by its name.
pub(crate) fn shown(
    db: &TidalDB,
    of_type: AttributeType,
    value: &AttributeValue,
) -> Result<String, Failure> {
    Ok(match value {
        AttributeValue::Keyword(word) => printable(word.as_bytes()),
        AttributeValue::Integer(number) => number.to_string(),
        AttributeValue::Float(number) => decimal(*number),
        AttributeValue::Boolean(boolean) => boolean.to_string(),
        AttributeValue::Timestamp(time) => rfc3339(*time),
        AttributeValue::Keywords(words) => printable(words.join(", ").as_bytes()),
        AttributeValue::Entity(id) => entity::label(*id, name(db, of_type, *id)?.as_deref()),
    })
}

/// A value in JSON. An entity has its number and its name.
pub(crate) fn json(
    db: &TidalDB,
    of_type: AttributeType,
    value: &AttributeValue,
) -> Result<Value, Failure> {
    Ok(match value {
        AttributeValue::Keyword(word) => json!(word),
        AttributeValue::Integer(number) => json!(number),
        AttributeValue::Float(number) => json!(number),
        AttributeValue::Boolean(boolean) => json!(boolean),
        AttributeValue::Timestamp(time) => rfc3339(*time).into(),
        AttributeValue::Keywords(words) => json!(words),
        AttributeValue::Entity(id) => {
            let mut object = Map::new();
            object.insert("id".into(), id.get().into());
            Bytes(name(db, of_type, *id)?.as_deref()).set(&mut object, "name");
            Value::Object(object)
        }
    })
}

fn name(db: &TidalDB, of_type: AttributeType, id: EntityId) -> Result<Option<Vec<u8>>, Failure> {
    match of_type {
        AttributeType::Entity(kind) => Ok(db.entity_name(kind, id)?),
        _ => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use tidal_db::{SchemaBuilder, Timestamp};

    use super::*;

    fn given(of_type: AttributeType, cell: &Cell) -> Result<Option<AttributeValue>, String> {
        let mut schema = SchemaBuilder::new();
        schema.attribute("a", EntityKind::Item, of_type);
        let schema = schema.build().unwrap();
        read(schema.attribute(EntityKind::Item, "a").unwrap(), cell, b',').map(
            |given| match given {
                Given::Nothing => None,
                Given::Value(value) => Some(value),
                Given::Entity(..) => panic!("no entity was given"),
            },
        )
    }

    fn text(of_type: AttributeType, text: &str) -> Result<Option<AttributeValue>, String> {
        given(of_type, &Cell::Text(text.into()))
    }

    #[test]
    fn each_type_is_read_from_its_text() {
        let words = |words: &[&str]| {
            AttributeValue::Keywords(words.iter().map(|word| (*word).to_owned()).collect())
        };
        for (of_type, written, expected) in [
            (AttributeType::Keyword, " en", AttributeValue::Keyword(" en".into())),
            (AttributeType::Integer, " -7 ", AttributeValue::Integer(-7)),
            (AttributeType::Float, "1e3", AttributeValue::Float(1000.0)),
            (AttributeType::Boolean, "true", AttributeValue::Boolean(true)),
            (AttributeType::Boolean, "0", AttributeValue::Boolean(false)),
            (AttributeType::Timestamp, "60", AttributeValue::Timestamp(Timestamp::from_secs(60))),
            (
                AttributeType::Timestamp,
                "1970-01-02",
                AttributeValue::Timestamp(Timestamp::from_secs(86_400)),
            ),
            (AttributeType::Keywords, "b, a,,b", words(&["a", "b"])),
        ] {
            assert_eq!(text(of_type, written), Ok(Some(expected)), "{of_type} {written}");
            assert_eq!(text(of_type, ""), Ok(None), "{of_type}");
        }
        assert_eq!(text(AttributeType::Keywords, " , "), Ok(None));
        let list = Cell::List(vec![b"b,c".to_vec(), b"a".to_vec()]);
        assert_eq!(given(AttributeType::Keywords, &list), Ok(Some(words(&["a", "b,c"]))));
    }

    #[test]
    fn what_is_no_value_is_told_with_its_attribute() {
        let long = "x".repeat(256);
        let many = (0..65).map(|word| word.to_string()).collect::<Vec<_>>().join(",");
        for (of_type, written, expected) in [
            (AttributeType::Integer, "1.5", "a (integer): \"1.5\" is not a whole number"),
            (AttributeType::Float, "inf", "not a finite number"),
            (AttributeType::Boolean, "yes", "not true or false"),
            (AttributeType::Timestamp, "soon", "not Unix seconds or RFC 3339"),
            (AttributeType::Keyword, &long, "256 bytes"),
            (AttributeType::Keywords, &long, "256 bytes"),
            (AttributeType::Keywords, &many, "65 keywords are too many"),
        ] {
            let problem = text(of_type, written).unwrap_err();
            assert!(problem.contains(expected), "{problem}");
        }
        let bytes = Cell::Text(b"\xff".to_vec());
        assert!(given(AttributeType::Keyword, &bytes).unwrap_err().contains("not UTF-8"));
        let list = Cell::List(vec![b"a".to_vec()]);
        assert!(given(AttributeType::Keyword, &list).unwrap_err().contains("type keywords"));
    }
}

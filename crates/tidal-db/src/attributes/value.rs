//! Values of attributes: what may be written, and their bytes. Little-endian.
//!
//! A value begins with a byte for its type, its place in
//! [`AttributeType::ALL`](tidal_types::AttributeType::ALL), as in a schema:
//!
//! | type byte | type      | bytes behind it                                          |
//! |-----------|-----------|----------------------------------------------------------|
//! | 0         | keyword   | length varint, 1 to 255, then the word, UTF-8            |
//! | 1         | integer   | 8                                                        |
//! | 2         | float     | 8, finite                                                |
//! | 3         | boolean   | 1: 0 false, 1 true                                       |
//! | 4         | timestamp | 8, nanoseconds                                           |
//! | 5         | keywords  | number varint, 1 to 64, then each as a keyword, ascending, each once |
//! | 6 to 8    | entity of item, user, creator | id varint                            |
//!
//! E1. Two values are equal when their bytes are.

use tidal_types::{
    AttributeType, AttributeValue, ByteReader, EntityId, EntityKind, KEYWORD_BYTES_MAX,
    KEYWORDS_MAX, Timestamp, put_varint,
};

/// A value that is sound, with its type.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Keyword(Box<str>),
    Integer(i64),
    Float(f64),
    Boolean(bool),
    Timestamp(Timestamp),
    /// Ascending, each once, at least one.
    Keywords(Box<[Box<str>]>),
    Entity(EntityKind, EntityId),
}

impl Value {
    /// What an application writes to an attribute of this type; nothing for a set without
    /// keywords. Keywords are sorted, and each is kept once.
    ///
    /// # Errors
    /// What is wrong with it, and what can be done.
    pub(crate) fn accept(
        of_type: AttributeType,
        value: AttributeValue,
    ) -> Result<Option<Self>, String> {
        let accepted = match (of_type, value) {
            (AttributeType::Keyword, AttributeValue::Keyword(word)) => Self::Keyword(sound(word)?),
            (AttributeType::Integer, AttributeValue::Integer(number)) => Self::Integer(number),
            (AttributeType::Float, AttributeValue::Float(number)) if number.is_finite() => {
                Self::Float(number)
            }
            (AttributeType::Float, AttributeValue::Float(number)) => {
                return Err(format!("{number} is not finite; write a finite number, or nothing"));
            }
            (AttributeType::Boolean, AttributeValue::Boolean(boolean)) => Self::Boolean(boolean),
            (AttributeType::Timestamp, AttributeValue::Timestamp(time)) => Self::Timestamp(time),
            (AttributeType::Keywords, AttributeValue::Keywords(words)) => return set_of(words),
            (AttributeType::Entity(kind), AttributeValue::Entity(id)) => Self::Entity(kind, id),
            (_, other) => return Err(format!("it cannot be {}", described(&other))),
        };
        Ok(Some(accepted))
    }

    /// What an application reads.
    pub(crate) fn to_public(&self) -> AttributeValue {
        match self {
            Self::Keyword(word) => AttributeValue::Keyword(word.to_string()),
            Self::Integer(number) => AttributeValue::Integer(*number),
            Self::Float(number) => AttributeValue::Float(*number),
            Self::Boolean(boolean) => AttributeValue::Boolean(*boolean),
            Self::Timestamp(time) => AttributeValue::Timestamp(*time),
            Self::Keywords(words) => {
                AttributeValue::Keywords(words.iter().map(ToString::to_string).collect())
            }
            Self::Entity(_, id) => AttributeValue::Entity(*id),
        }
    }

    pub(crate) const fn of_type(&self) -> AttributeType {
        match self {
            Self::Keyword(_) => AttributeType::Keyword,
            Self::Integer(_) => AttributeType::Integer,
            Self::Float(_) => AttributeType::Float,
            Self::Boolean(_) => AttributeType::Boolean,
            Self::Timestamp(_) => AttributeType::Timestamp,
            Self::Keywords(_) => AttributeType::Keywords,
            Self::Entity(kind, _) => AttributeType::Entity(*kind),
        }
    }

    /// The entity that it names.
    pub(crate) const fn entity(&self) -> Option<(EntityKind, EntityId)> {
        match self {
            Self::Entity(kind, id) => Some((*kind, *id)),
            _ => None,
        }
    }

    /// About how many bytes of memory it takes, beside itself.
    pub(crate) fn heap_bytes(&self) -> usize {
        match self {
            Self::Keyword(word) => word.len(),
            Self::Keywords(words) => words.iter().map(|word| size_of_val(word) + word.len()).sum(),
            _ => 0,
        }
    }

    /// Appends its bytes.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        out.push(type_byte(self.of_type()));
        match self {
            Self::Keyword(word) => put_word(word, out),
            Self::Integer(number) => out.extend_from_slice(&number.to_le_bytes()),
            Self::Float(number) => out.extend_from_slice(&number.to_le_bytes()),
            Self::Boolean(boolean) => out.push(u8::from(*boolean)),
            Self::Timestamp(time) => out.extend_from_slice(&time.as_nanos().to_le_bytes()),
            Self::Keywords(words) => {
                put_varint(out, words.len() as u64);
                words.iter().for_each(|word| put_word(word, out));
            }
            Self::Entity(_, id) => put_varint(out, id.get()),
        }
    }

    /// Reads what [`Value::encode`] writes; `None` for anything else.
    pub(crate) fn decode(reader: &mut ByteReader<'_>) -> Option<Self> {
        let of_type = *AttributeType::ALL.get(usize::from(reader.u8()?))?;
        Some(match of_type {
            AttributeType::Keyword => Self::Keyword(take_word(reader)?.into()),
            AttributeType::Integer => Self::Integer(reader.u64()?.cast_signed()),
            AttributeType::Float => Self::Float(reader.f64().filter(|float| float.is_finite())?),
            AttributeType::Boolean => match reader.u8()? {
                0 => Self::Boolean(false),
                1 => Self::Boolean(true),
                _ => return None,
            },
            AttributeType::Timestamp => Self::Timestamp(Timestamp::from_nanos(reader.u64()?)),
            AttributeType::Keywords => Self::Keywords(take_words(reader)?),
            AttributeType::Entity(kind) => Self::Entity(kind, EntityId::new(reader.varint()?)),
        })
    }
}

/// The byte that stands for a type.
pub(crate) fn type_byte(of_type: AttributeType) -> u8 {
    let place = AttributeType::ALL.iter().position(|one| *one == of_type);
    place.and_then(|place| u8::try_from(place).ok()).expect("there are nine types")
}

fn sound(word: String) -> Result<Box<str>, String> {
    match word.len() {
        0 => Err("a keyword is empty; remove the attribute by writing nothing".into()),
        1..=KEYWORD_BYTES_MAX => Ok(word.into()),
        bytes => Err(format!(
            "a keyword has {bytes} bytes, and may have {KEYWORD_BYTES_MAX}; make it shorter"
        )),
    }
}

fn set_of(words: Vec<String>) -> Result<Option<Value>, String> {
    let mut words = words.into_iter().map(sound).collect::<Result<Vec<_>, _>>()?;
    words.sort_unstable();
    words.dedup();
    if words.len() > KEYWORDS_MAX {
        let count = words.len();
        return Err(format!("there are {count} keywords, and may be {KEYWORDS_MAX}; write fewer"));
    }
    Ok((!words.is_empty()).then(|| Value::Keywords(words.into())))
}

fn described(value: &AttributeValue) -> &'static str {
    match value {
        AttributeValue::Keyword(_) => "a keyword",
        AttributeValue::Integer(_) => "an integer",
        AttributeValue::Float(_) => "a float",
        AttributeValue::Boolean(_) => "a boolean",
        AttributeValue::Timestamp(_) => "a timestamp",
        AttributeValue::Keywords(_) => "keywords",
        AttributeValue::Entity(_) => "an entity",
    }
}

fn put_word(word: &str, out: &mut Vec<u8>) {
    put_varint(out, word.len() as u64);
    out.extend_from_slice(word.as_bytes());
}

fn take_word<'a>(reader: &mut ByteReader<'a>) -> Option<&'a str> {
    let length = usize::try_from(reader.varint()?).ok()?;
    if !(1..=KEYWORD_BYTES_MAX).contains(&length) {
        return None;
    }
    std::str::from_utf8(reader.take(length)?).ok()
}

fn take_words(reader: &mut ByteReader<'_>) -> Option<Box<[Box<str>]>> {
    let count = usize::try_from(reader.varint()?).ok()?;
    if !(1..=KEYWORDS_MAX).contains(&count) {
        return None;
    }
    let mut words: Vec<Box<str>> = Vec::with_capacity(count);
    for _ in 0..count {
        let word = take_word(reader)?;
        if words.last().is_some_and(|last| **last >= *word) {
            return None;
        }
        words.push(word.into());
    }
    Some(words.into())
}

#[cfg(test)]
pub(crate) mod tests;

//! Entities as a person names them: by name, or by number where the application
//! chose the ids.

use std::ffi::OsStr;

use tidal_db::{EntityId, EntityKind, IdMode, TidalDB};

use crate::failure::Failure;
use crate::output::{excerpt, printable};

/// The entity of that name or number, if it has an id. Never writes.
pub(crate) fn find(
    db: &TidalDB,
    kind: EntityKind,
    text: &OsStr,
) -> Result<Option<EntityId>, Failure> {
    let bytes = text.as_encoded_bytes();
    match db.id_mode(kind) {
        None => Ok(None),
        Some(IdMode::Named) => Ok(db.find_entity(kind, bytes)?),
        Some(IdMode::Numeric) => number(kind, bytes).map(Some).map_err(Failure::failed),
    }
}

/// The entity of that name or number; a new name is given an id.
pub(crate) fn assign(db: &TidalDB, kind: EntityKind, text: &OsStr) -> Result<EntityId, Failure> {
    assign_bytes(db, kind, text.as_encoded_bytes())
}

/// The same of bytes that do not come from the command line.
pub(crate) fn assign_bytes(
    db: &TidalDB,
    kind: EntityKind,
    text: &[u8],
) -> Result<EntityId, Failure> {
    match db.id_mode(kind) {
        Some(IdMode::Numeric) => number(kind, text).map_err(Failure::failed),
        Some(IdMode::Named) | None => Ok(db.entity_id(kind, text)?),
    }
}

/// The id that these digits say.
pub(crate) fn number(kind: EntityKind, text: &[u8]) -> Result<EntityId, String> {
    let digits = text.trim_ascii();
    let all_digits = digits.iter().all(u8::is_ascii_digit);
    let number = std::str::from_utf8(digits)
        .ok()
        .filter(|_| all_digits)
        .and_then(|digits| digits.parse().ok());
    number.map(EntityId::new).ok_or_else(|| {
        format!("{} is not a number below 2^64, and entities of kind {kind} have numbers in this database", excerpt(text))
    })
}

/// The failure of a command that speaks of an entity nobody knows.
pub(crate) fn unknown(db: &TidalDB, kind: EntityKind, text: &OsStr) -> Failure {
    let name = printable(text.as_encoded_bytes());
    Failure::failed(match db.id_mode(kind) {
        Some(IdMode::Numeric) => {
            format!(
                "no {kind} {name} in this database: no event, no metadata and no attribute is about that number"
            )
        }
        Some(IdMode::Named) => {
            format!("no {kind} \"{name}\" in this database; names are compared byte for byte")
        }
        None => format!("no {kind} \"{name}\" in this database; it has no entity of that kind yet"),
    })
}

/// An entity in a table: its name, or its number when it has none.
pub(crate) fn label(id: EntityId, name: Option<&[u8]>) -> String {
    name.map_or_else(|| id.to_string(), printable)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_digits_only() {
        let read = |text: &str| number(EntityKind::Item, text.as_bytes());
        assert_eq!(read("0"), Ok(EntityId::new(0)));
        assert_eq!(read(" 18446744073709551615 "), Ok(EntityId::new(u64::MAX)));
        for text in ["", " ", "-1", "+1", "1.0", "18446744073709551616", "85123A", "\u{661}"] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}

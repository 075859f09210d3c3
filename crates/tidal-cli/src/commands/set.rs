//! `tidal set`: attributes of one entity.

use serde_json::json;
use tidal_db::AttributeValue;

use crate::args::{Global, SetArgs};
use crate::attribute::{self, Given};
use crate::failure::Failure;
use crate::input::Cell;
use crate::output::{count, excerpt, print, print_json, printable};
use crate::{database, entity};

/// What stands between several keywords.
const SEPARATOR: u8 = b',';

pub(super) fn run(global: &Global, args: &SetArgs) -> Result<(), Failure> {
    let said = args.values.iter().map(|said| taken_apart(said.as_encoded_bytes()));
    let said = said.collect::<Result<Vec<_>, _>>()?;
    for (place, (name, _)) in said.iter().enumerate() {
        if said.iter().take(place).any(|(before, _)| before == name) {
            return Err(Failure::usage(format!("{name} is given twice; keep one of them")));
        }
    }
    let db = database::open(global)?;
    // Every value is checked before a name is taken up.
    let mut given = Vec::with_capacity(said.len());
    for (name, cell) in &said {
        let declared = attribute::require(db.schema(), args.kind, name)?;
        let value = attribute::read(declared, cell, SEPARATOR).map_err(Failure::failed)?;
        given.push((declared, value));
    }
    let only_removes = given.iter().all(|(_, value)| *value == Given::Nothing);
    let id = if only_removes {
        entity::find(&db, args.kind, &args.entity)?
            .ok_or_else(|| entity::unknown(&db, args.kind, &args.entity))?
    } else {
        entity::assign(&db, args.kind, &args.entity)?
    };
    let mut values = Vec::with_capacity(given.len());
    for (declared, value) in given {
        let value = match value {
            Given::Nothing => None,
            Given::Value(value) => Some(value),
            Given::Entity(kind, text) => {
                Some(AttributeValue::Entity(entity::assign_bytes(&db, kind, text)?))
            }
        };
        values.push((declared, value));
    }
    let patch: Vec<_> =
        values.iter().map(|(declared, value)| (declared.name(), value.clone())).collect();
    let seq = db.put_attributes(args.kind, id, &patch)?;
    if global.json {
        let mut object = serde_json::Map::new();
        for (declared, value) in &values {
            let value = value.as_ref();
            let value =
                value.map(|value| attribute::json(&db, declared.of_type(), value)).transpose()?;
            object.insert(declared.name().into(), value.into());
        }
        print_json(
            &json!({ "kind": args.kind.as_str(), "id": id.get(), "attributes": object, "seq": seq.get() }),
        )?;
    } else {
        let mut parts = Vec::with_capacity(values.len());
        for (declared, value) in &values {
            parts.push(match value {
                Some(value) => {
                    let shown = attribute::shown(&db, declared.of_type(), value)?;
                    format!("{} = {shown}", declared.name())
                }
                None => format!("{} removed", declared.name()),
            });
        }
        let name = printable(args.entity.as_encoded_bytes());
        let (kind, record) = (args.kind, count(seq.get()));
        print(&format!("{kind} {name} (id {id}): {}, record {record}\n", parts.join("; ")))?;
    }
    database::close(&db)
}

/// An attribute and what is said of it, of `NAME=VALUE`.
fn taken_apart(said: &[u8]) -> Result<(String, Cell), Failure> {
    let equals = said.iter().position(|byte| *byte == b'=');
    let (name, value) = equals.and_then(|place| said.split_at_checked(place)).ok_or_else(|| {
        Failure::usage(format!(
            "{} is not NAME=VALUE; to remove an attribute, leave VALUE empty",
            excerpt(said)
        ))
    })?;
    let value = value.strip_prefix(b"=").unwrap_or_default();
    Ok((String::from_utf8_lossy(name).into_owned(), Cell::Text(value.to_vec())))
}

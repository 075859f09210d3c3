//! From JSON to a query.

use serde_json::Value;
use tidal_types::{EntityId, EntityKind, QueryError, Timestamp};

use super::QUERY_BYTES_MAX;
use super::object::{Object, malformed, mistyped};
use crate::rank::query::{Cap, Discount, LIMIT_MAX, Query, Spread};
use crate::rfc3339;

const KEYS: [&str; 14] = [
    "kind",
    "by",
    "filter",
    "including_quiet",
    "for_user",
    "unseen_by",
    "at_most",
    "discount",
    "at_least",
    "limit",
    "seed",
    "at",
    "cursor",
    "explain",
];

/// Every whole number.
const ANY: (u64, u64) = (0, u64::MAX);

/// Any number of entities but none.
const SOME: (u64, u64) = (1, u64::MAX);

/// Reads a query from its JSON.
pub(in crate::rank) fn read(json: &str) -> Result<Query, QueryError> {
    if json.len() > QUERY_BYTES_MAX {
        return Err(QueryError::OutOfRange {
            what: "the length of the query",
            value: format!("{} bytes", json.len()),
            range: format!("at most {QUERY_BYTES_MAX} bytes"),
        });
    }
    let value: Value = serde_json::from_str(json).map_err(|error| malformed(error.to_string()))?;
    let object = Object::of(&value, "the query", "", &KEYS)?;
    let mut query = Query::of(kind(&object)?);
    query.by = object.required("by", object.text("by")?)?.parse()?;
    query.filter = object.text("filter")?.map(str::parse).transpose()?;
    query.including_quiet = object.boolean("including_quiet")?.unwrap_or(false);
    query.user = object.whole("for_user", "\"for_user\"", ANY)?.map(EntityId::new);
    query.unseen_by = several(&object, "unseen_by", |value| match value {
        Value::String(signal) => Ok(signal.clone()),
        other => Err(mistyped("\"unseen_by\"", other, "the name of a signal or a list of them")),
    })?;
    query.caps = several(&object, "at_most", cap)?;
    query.discount = object.get("discount").map(discount).transpose()?;
    query.spread = object.get("at_least").map(spread).transpose()?;
    if let Some(limit) = object.whole("limit", "\"limit\"", (1, wide(LIMIT_MAX)))? {
        query.limit = narrow(limit);
    }
    query.seed = object.whole("seed", "\"seed\"", ANY)?.unwrap_or(0);
    query.at = object.get("at").map(time).transpose()?;
    query.cursor = object.text("cursor")?.map(str::to_owned);
    query.explain = object.boolean("explain")?.unwrap_or(false);
    Ok(query)
}

fn kind(object: &Object<'_>) -> Result<EntityKind, QueryError> {
    let Some(name) = object.text("kind")? else {
        return Ok(EntityKind::Item);
    };
    EntityKind::ALL.into_iter().find(|kind| kind.as_str() == name).ok_or_else(|| {
        malformed(format!("\"kind\" is {name:?}, and must be \"item\", \"user\" or \"creator\""))
    })
}

/// The elements of a list, or the one that stands for a list of it.
fn several<T>(
    object: &Object<'_>,
    key: &str,
    read: impl Fn(&Value) -> Result<T, QueryError>,
) -> Result<Vec<T>, QueryError> {
    match object.get(key) {
        None => Ok(Vec::new()),
        Some(Value::Array(list)) => list.iter().map(read).collect(),
        Some(one) => Ok(vec![read(one)?]),
    }
}

fn cap(value: &Value) -> Result<Cap, QueryError> {
    let object = Object::of(value, "\"at_most\"", " of \"at_most\"", &["of", "max"])?;
    let max = object.whole("max", "\"max\" of \"at_most\"", SOME)?;
    Ok(Cap { attribute: attribute(&object)?, max: narrow(object.required("max", max)?) })
}

fn discount(value: &Value) -> Result<Discount, QueryError> {
    let keys = ["of", "factor", "floor"];
    let object = Object::of(value, "\"discount\"", " of \"discount\"", &keys)?;
    let factor = object.share("factor", "\"factor\" of \"discount\"")?;
    let floor = object.share("floor", "\"floor\" of \"discount\"")?;
    Ok(Discount {
        attribute: attribute(&object)?,
        factor: object.required("factor", factor)?,
        floor: floor.unwrap_or(0.0),
    })
}

fn spread(value: &Value) -> Result<Spread, QueryError> {
    let object = Object::of(value, "\"at_least\"", " of \"at_least\"", &["of", "min"])?;
    let min = object.whole("min", "\"min\" of \"at_least\"", SOME)?;
    Ok(Spread { attribute: attribute(&object)?, min: narrow(object.required("min", min)?) })
}

fn attribute(object: &Object<'_>) -> Result<String, QueryError> {
    object.required("of", object.text("of")?).map(str::to_owned)
}

fn time(value: &Value) -> Result<Timestamp, QueryError> {
    let expected =
        "a time such as \"2026-01-31T08:15:00Z\", a date, or whole nanoseconds since 1970";
    match value {
        Value::Number(number) => number
            .as_u64()
            .map(Timestamp::from_nanos)
            .ok_or_else(|| malformed(format!("\"at\" is {number}, and must be {expected}"))),
        Value::String(text) => rfc3339::read(text)
            .ok_or_else(|| malformed(format!("\"at\" is {text:?}, and must be {expected}"))),
        other => Err(mistyped("\"at\"", other, expected)),
    }
}

/// A count; beyond what memory can hold it is the most there can be.
fn narrow(count: u64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

pub(super) fn wide(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

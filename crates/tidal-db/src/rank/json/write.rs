//! From a query to JSON.

use serde_json::{Map, Value, json};
use tidal_types::EntityKind;

use super::read::wide;
use crate::rank::query::{Cap, Discount, LIMIT_DEFAULT, Query, Spread};
use crate::rfc3339;

/// The keys in the order in which they are documented.
pub(super) fn write(query: &Query) -> Value {
    let mut fields = Map::new();
    let mut put = |key: &str, value: Option<Value>| {
        if let Some(value) = value {
            fields.insert(key.into(), value);
        }
    };
    put("kind", (query.kind != EntityKind::Item).then(|| query.kind.as_str().into()));
    put("by", Some(query.by.to_string().into()));
    put("filter", query.filter.as_ref().map(|filter| filter.to_string().into()));
    put("including_quiet", query.including_quiet.then_some(true.into()));
    put("for_user", query.user.map(|user| user.get().into()));
    put("unseen_by", list(&query.unseen_by, |signal| signal.as_str().into()));
    let cap = |cap: &Cap| json!({"of": cap.attribute, "max": wide(cap.max)});
    put("at_most", list(&query.caps, cap));
    let discount = |discount: &Discount| {
        let Discount { attribute, factor, floor } = discount;
        json!({"of": attribute, "factor": factor, "floor": floor})
    };
    put("discount", query.discount.as_ref().map(discount));
    let spread = |spread: &Spread| json!({"of": spread.attribute, "min": wide(spread.min)});
    put("at_least", query.spread.as_ref().map(spread));
    put("limit", (query.limit != LIMIT_DEFAULT).then(|| wide(query.limit).into()));
    put("seed", (query.seed != 0).then(|| query.seed.into()));
    put("at", query.at.map(|at| rfc3339::show(at).into()));
    put("cursor", query.cursor.as_deref().map(Value::from));
    put("explain", query.explain.then_some(true.into()));
    Value::Object(fields)
}

/// One is itself, several are a list.
fn list<T>(all: &[T], element: impl Fn(&T) -> Value) -> Option<Value> {
    match all {
        [] => None,
        [one] => Some(element(one)),
        several => Some(several.iter().map(element).collect()),
    }
}

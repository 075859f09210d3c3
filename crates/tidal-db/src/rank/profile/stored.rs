//! The profiles of a schema: their text is the JSON of a query, without a cursor and
//! without a time.
//!
//! P1. A schema is taken up only if each of its profiles is such a text, and can be answered
//!     under that schema.

use tidal_types::{EntityId, QueryError, Schema, TidalError};

use crate::Result;
use crate::attributes::BoundFilter;
use crate::rank::plan::Bound;
use crate::rank::query::Query;

/// The query of that name.
pub(crate) fn named(schema: &Schema, profile: &str) -> Result<Query> {
    match schema.profile(profile) {
        Some(text) => read(profile, text),
        None => {
            let known = schema.profiles().map(|(name, _)| name.to_owned()).collect();
            Err(QueryError::UnknownProfile { profile: profile.into(), known }.into())
        }
    }
}

/// Refuses a schema with a profile that could not be used (P1).
pub(crate) fn check(schema: &Schema) -> Result<()> {
    for (profile, text) in schema.profiles() {
        let query = read(profile, text)?;
        means_something(query, schema).map_err(|error| of(profile, &error))?;
    }
    Ok(())
}

fn read(profile: &str, text: &str) -> Result<Query> {
    let query = Query::from_json(text).map_err(|error| of(profile, &error))?;
    let moving = [("cursor", query.cursor.is_some()), ("at", query.at.is_some())];
    match moving.into_iter().find(|(_, there)| *there) {
        None => Ok(query),
        Some((key, _)) => {
            let problem = format!("\"{key}\" is of one call; leave it out");
            Err(QueryError::Profile { profile: profile.into(), problem }.into())
        }
    }
}

fn of(profile: &str, error: &dyn std::error::Error) -> TidalError {
    QueryError::Profile { profile: profile.into(), problem: error.to_string() }.into()
}

/// Sees that a query means something under a schema, for whichever user.
fn means_something(query: Query, schema: &Schema) -> Result<()> {
    let query = query.for_user(EntityId::new(0));
    Bound::bind(&query, schema)?;
    let Some(filter) = &query.filter else { return Ok(()) };
    // Names are given out later.
    BoundFilter::bind(filter, schema, query.kind, &|_, _| Ok(None)).map(|_| ())
}

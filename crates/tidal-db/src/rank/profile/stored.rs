//! The profiles of a schema: their text is the JSON of a query, without a cursor and
//! without a time.
//!
//! P1. A schema is taken up only if each of its profiles is such a text, and names signals
//!     and attributes that the schema has of the kind that is ranked.

use tidal_types::{EntityKind, QueryError, Schema, TidalError};

use crate::Result;
use crate::rank::expr::Expr;
use crate::rank::filter::Filter;
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
        names(&query, schema).map_err(|error| of(profile, &error))?;
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

/// Looks up every name of a query.
fn names(query: &Query, schema: &Schema) -> Result<()> {
    let names = Names { schema, kind: query.kind };
    names.of_score(&query.by)?;
    query.filter.as_ref().map_or(Ok(()), |filter| names.of_filter(filter))?;
    query.unseen_by.iter().try_for_each(|signal| names.signal(signal))?;
    query.caps.iter().try_for_each(|cap| names.attribute(&cap.attribute))?;
    query.discount.iter().try_for_each(|discount| names.attribute(&discount.attribute))?;
    query.spread.iter().try_for_each(|spread| names.attribute(&spread.attribute))
}

/// What names can mean in a query about one kind.
struct Names<'a> {
    schema: &'a Schema,
    kind: EntityKind,
}

impl Names<'_> {
    fn signal(&self, name: &str) -> Result<()> {
        let signal = self.schema.require(name)?;
        if signal.kind() == self.kind {
            return Ok(());
        }
        let (kind, asked) = (signal.kind(), self.kind);
        Err(TidalError::SignalOfOtherKind { signal: name.into(), kind, asked })
    }

    fn attribute(&self, name: &str) -> Result<()> {
        if self.schema.attribute(self.kind, name).is_some() {
            return Ok(());
        }
        let known = self.schema.attributes_of(self.kind).map(|known| known.name().to_owned());
        let (kind, attribute) = (self.kind, name.into());
        Err(QueryError::UnknownAttribute { kind, attribute, known: known.collect() }.into())
    }

    fn of_score(&self, score: &Expr) -> Result<()> {
        match score {
            Expr::Number(_) => Ok(()),
            Expr::Signal(figure) => self.signal(&figure.signal),
            Expr::Attribute(name) | Expr::Age(name) => self.attribute(name),
            Expr::Affinity { signal, attribute } => {
                self.signal(signal)?;
                self.attribute(attribute)
            }
            Expr::Neg(inner) => self.of_score(inner),
            Expr::Add(left, right)
            | Expr::Sub(left, right)
            | Expr::Mul(left, right)
            | Expr::Div(left, right) => {
                self.of_score(left)?;
                self.of_score(right)
            }
            Expr::Call(_, arguments) => arguments.iter().try_for_each(|part| self.of_score(part)),
        }
    }

    fn of_filter(&self, filter: &Filter) -> Result<()> {
        match filter {
            Filter::Compare { attribute, .. }
            | Filter::In { attribute, .. }
            | Filter::Between { attribute, .. }
            | Filter::Exists(attribute) => self.attribute(attribute),
            Filter::And(parts) | Filter::Or(parts) => {
                parts.iter().try_for_each(|part| self.of_filter(part))
            }
            Filter::Not(inner) => self.of_filter(inner),
        }
    }
}

//! A question, which the test can read where a query cannot be.

use tidal_db::{EntityId, EntityKind, Expr, Filter, Query, Timestamp};

/// What a query asks.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) kind: EntityKind,
    pub(crate) by: Expr,
    pub(crate) filter: Option<Filter>,
    pub(crate) including_quiet: bool,
    pub(crate) user: Option<EntityId>,
    pub(crate) unseen_by: Vec<String>,
    pub(crate) caps: Vec<(usize, &'static str)>,
    /// Attribute, factor and floor.
    pub(crate) discount: Option<(&'static str, f64, f64)>,
    pub(crate) spread: Option<(usize, &'static str)>,
    pub(crate) at: Option<Timestamp>,
}

impl Asked {
    pub(crate) const fn by(kind: EntityKind, by: Expr) -> Self {
        Self {
            kind,
            by,
            filter: None,
            including_quiet: false,
            user: None,
            unseen_by: Vec::new(),
            caps: Vec::new(),
            discount: None,
            spread: None,
            at: None,
        }
    }

    pub(crate) fn query(&self) -> Query {
        let mut query = Query::of(self.kind).by(self.by.clone());
        if let Some(filter) = &self.filter {
            query = query.filter(filter.clone());
        }
        if self.including_quiet {
            query = query.including_quiet();
        }
        if let Some(user) = self.user {
            query = query.for_user(user);
        }
        for signal in &self.unseen_by {
            query = query.unseen_by(signal);
        }
        for (max, attribute) in &self.caps {
            query = query.at_most(*max, attribute);
        }
        if let Some((attribute, factor, floor)) = self.discount {
            query = query.discount(attribute, factor, floor);
        }
        if let Some((min, attribute)) = self.spread {
            query = query.at_least(min, attribute);
        }
        if let Some(at) = self.at {
            query = query.at(at);
        }
        query
    }
}

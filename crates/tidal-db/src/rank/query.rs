//! Queries: what is asked of a ranking.

use tidal_types::{EntityId, EntityKind, Timestamp};

use super::expr::Expr;
use super::filter::Filter;

/// The most entities of a page.
pub const LIMIT_MAX: usize = 10_000;

/// The entities of a page unless somebody says otherwise.
pub const LIMIT_DEFAULT: usize = 20;

/// A ranking that is asked for; see [`TidalDB::rank`](crate::TidalDB::rank).
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    pub(crate) kind: EntityKind,
    pub(crate) by: Expr,
    pub(crate) filter: Option<Filter>,
    pub(crate) including_quiet: bool,
    pub(crate) user: Option<EntityId>,
    pub(crate) unseen_by: Vec<String>,
    pub(crate) caps: Vec<Cap>,
    pub(crate) discount: Option<Discount>,
    pub(crate) spread: Option<Spread>,
    pub(crate) limit: usize,
    pub(crate) seed: u64,
    pub(crate) at: Option<Timestamp>,
    pub(crate) cursor: Option<String>,
    pub(crate) explain: bool,
}

/// At most so many entities with one value of an attribute, over all pages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cap {
    /// The attribute: of type entity, keyword, keywords, integer or boolean. Of several
    /// keywords each counts.
    pub attribute: String,
    /// How many, at least 1.
    pub max: usize,
}

/// Each further entity with the same value of an attribute counts for less: the value of
/// the k-th behind the first is multiplied by `(1 - floor) * factor^k + floor`. Only
/// positive values are.
#[derive(Debug, Clone, PartialEq)]
pub struct Discount {
    /// The attribute.
    pub attribute: String,
    /// From 0 to 1.
    pub factor: f64,
    /// From 0 to 1.
    pub floor: f64,
}

/// A page has at least so many different values of an attribute, if there are so many to
/// be had: the last entities of a page that would have fewer make room for the best with
/// others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spread {
    /// The attribute.
    pub attribute: String,
    /// How many different values.
    pub min: usize,
}

impl Query {
    /// A ranking of the entities of a kind.
    #[must_use]
    pub const fn of(kind: EntityKind) -> Self {
        Self {
            kind,
            by: Expr::Number(0.0),
            filter: None,
            including_quiet: false,
            user: None,
            unseen_by: Vec::new(),
            caps: Vec::new(),
            discount: None,
            spread: None,
            limit: LIMIT_DEFAULT,
            seed: 0,
            at: None,
            cursor: None,
            explain: false,
        }
    }

    /// A ranking of items.
    #[must_use]
    pub const fn items() -> Self {
        Self::of(EntityKind::Item)
    }

    /// The same of entities of another kind: the built-in [profiles](crate::profile) are of
    /// items.
    #[must_use]
    pub const fn of_kind(mut self, kind: EntityKind) -> Self {
        self.kind = kind;
        self
    }

    /// By what they are ranked, highest first.
    #[must_use]
    pub fn by(mut self, by: impl Into<Expr>) -> Self {
        self.by = by.into();
        self
    }

    /// Which of them may take part. A second filter has to hold too.
    #[must_use]
    pub fn filter(mut self, filter: Filter) -> Self {
        self.filter = Some(match self.filter.take() {
            Some(before) => before.and(filter),
            None => filter,
        });
        self
    }

    /// Entities that have attributes take part too when they have nothing of what they
    /// are ranked by: to show what nobody has seen yet.
    #[must_use]
    pub const fn including_quiet(mut self) -> Self {
        self.including_quiet = true;
        self
    }

    /// For whom it is.
    #[must_use]
    pub const fn for_user(mut self, user: EntityId) -> Self {
        self.user = Some(user);
        self
    }

    /// Only what the user has not had to do with by this signal, which keeps its history.
    #[must_use]
    pub fn unseen_by(mut self, signal: &str) -> Self {
        self.unseen_by.push(signal.into());
        self
    }

    /// At most so many entities with one value of an attribute, over all pages.
    #[must_use]
    pub fn at_most(mut self, max: usize, attribute: &str) -> Self {
        self.caps.push(Cap { attribute: attribute.into(), max });
        self
    }

    /// Each further entity with the same value of an attribute counts for less, see
    /// [`Discount`].
    #[must_use]
    pub fn discount(mut self, attribute: &str, factor: f64, floor: f64) -> Self {
        self.discount = Some(Discount { attribute: attribute.into(), factor, floor });
        self
    }

    /// At least so many different values of an attribute on a page, see [`Spread`].
    #[must_use]
    pub fn at_least(mut self, min: usize, attribute: &str) -> Self {
        self.spread = Some(Spread { attribute: attribute.into(), min });
        self
    }

    /// How many entities a page has, 1 to [`LIMIT_MAX`]; [`LIMIT_DEFAULT`] unless said.
    #[must_use]
    pub const fn limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }

    /// What the draws of exploration follow from: the same seed, the same draws.
    #[must_use]
    pub const fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// At which time, not before the newest event; now unless said.
    #[must_use]
    pub const fn at(mut self, at: Timestamp) -> Self {
        self.at = Some(at);
        self
    }

    /// The page behind the one that had this cursor. The rest of the query is the same,
    /// but for limit, time and explanation.
    #[must_use]
    pub fn after(mut self, cursor: impl Into<String>) -> Self {
        self.cursor = Some(cursor.into());
        self
    }

    /// With an explanation of each place.
    #[must_use]
    pub const fn explained(mut self) -> Self {
        self.explain = true;
        self
    }
}

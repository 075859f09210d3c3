//! A query as JSON: for the program, for profiles in a schema, and for who stores or sends
//! queries.
//!
//! An object with these keys, of which only `by` has to be there. `null` is as if the key
//! were not there; of a key that stands twice the last counts.
//!
//! | key | value | absent |
//! |---|---|---|
//! | `kind` | `"item"`, `"user"` or `"creator"` | `"item"` |
//! | `by` | a score, as text | refused |
//! | `filter` | a filter, as text | all pass |
//! | `including_quiet` | a boolean | `false` |
//! | `for_user` | the id of a user, a whole number | nobody |
//! | `unseen_by` | the name of a signal, or a list of them | |
//! | `at_most` | `{"of": attribute, "max": count}`, or a list of them | |
//! | `discount` | `{"of": attribute, "factor": 0 to 1, "floor": 0 to 1}`; `floor` may be absent and is 0 | |
//! | `at_least` | `{"of": attribute, "min": count}` | |
//! | `limit` | 1 to [`LIMIT_MAX`](super::LIMIT_MAX) | [`LIMIT_DEFAULT`](super::LIMIT_DEFAULT) |
//! | `seed` | a whole number | 0 |
//! | `at` | a time as RFC 3339 or a date, or whole nanoseconds since the Unix epoch | now |
//! | `cursor` | what a page gave | the first page |
//! | `explain` | a boolean | `false` |
//!
//! J1. What a query gives is read as the same query, if its texts are within the limits of
//!     the languages; but for groups of one and times in its filter (Q4).
//! J2. Any other key is an error that names it, here and in the objects within.

mod object;
mod read;
mod write;

#[cfg(test)]
mod tests;

pub(super) use read::read;

use tidal_types::QueryError;

use super::query::Query;

/// The longest JSON of a query, in bytes. A cursor that has seen many entities is most of
/// it.
pub const QUERY_BYTES_MAX: usize = 1 << 20;

impl Query {
    /// Reads a query from its JSON:
    ///
    /// ```
    /// use tidal_db::Query;
    ///
    /// let query = Query::from_json(
    ///     r#"{
    ///         "by": "3 * score(like) + count(view, 1h)",
    ///         "filter": "language = 'en' and price < 20",
    ///         "at_most": {"of": "creator", "max": 2},
    ///         "limit": 50
    ///     }"#,
    /// )?;
    /// assert_eq!(Query::from_json(&query.to_json())?, query);
    /// # Ok::<(), tidal_db::QueryError>(())
    /// ```
    ///
    /// The keys are those of the methods: `kind`, `by`, `filter`, `including_quiet`,
    /// `for_user`, `unseen_by`, `at_most`, `discount`, `at_least`, `limit`, `seed`, `at`,
    /// `cursor` and `explain`. Only `by` has to be there. A time is RFC 3339, a date, or
    /// whole nanoseconds since the Unix epoch.
    ///
    /// # Errors
    /// [`QueryError::Malformed`] for what is not JSON, for an unknown key and for a value
    /// of another type; [`QueryError::OutOfRange`] for a number that is too small or too
    /// large, and for more than 1 MiB; [`QueryError::Syntax`] for a score or a filter.
    /// Names are looked up when the query is run.
    pub fn from_json(json: &str) -> Result<Self, QueryError> {
        read(json)
    }

    /// The query as one line of JSON, with the keys that differ from their defaults.
    /// [`Query::from_json`] reads it.
    #[must_use]
    pub fn to_json(&self) -> String {
        write::write(self).to_string()
    }
}

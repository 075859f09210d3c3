//! The profiles of the schema.

use super::TidalDB;
use crate::rank::Query;
use crate::{Result, rank};

impl TidalDB {
    /// The query that the schema has under this name, to be run as it is or with more:
    /// for a user, with a cursor, a filter, another limit. See [`profile`](crate::profile)
    /// for those that are built in.
    ///
    /// # Errors
    /// [`UnknownProfile`](crate::QueryError::UnknownProfile) with the names there are;
    /// [`Profile`](crate::QueryError::Profile) when a newer program wrote it and this one
    /// does not understand it; [`Closed`](crate::TidalError::Closed).
    pub fn profile(&self, name: &str) -> Result<Query> {
        rank::profile::named(self.state()?.schema(), name)
    }

    /// The names of the profiles that the schema has, in their order.
    #[must_use]
    pub fn profiles(&self) -> Vec<&str> {
        self.schema().profiles().map(|(name, _)| name).collect()
    }
}

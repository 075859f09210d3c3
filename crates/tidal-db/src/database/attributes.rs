//! The attributes of entities.

use std::collections::BTreeMap;

use tidal_types::{AttributeValue, EntityId, EntityKind, Seq};

use super::TidalDB;
use crate::Result;
use crate::batch::Batch;

impl TidalDB {
    /// Changes attributes of an entity, and returns the number of the record. Those that
    /// are named get the value, `None` removes one, and the others stay. Of a name that
    /// comes twice the last counts. When it returns, the change survives a power cut
    /// (unless the database was opened for less) and every read sees it.
    ///
    /// The set of [`AttributeValue::Keywords`] has each keyword once, in any order; a set
    /// without keywords is no value. A value of type
    /// [`Entity`](crate::AttributeType::Entity) is an entity as an actor is: of a kind
    /// that has names, one that has one. Once that entity is
    /// [forgotten](TidalDB::forget), the value reads as removed.
    ///
    /// ```
    /// # use tidal_db::{AttributeType, AttributeValue, EntityId, EntityKind, SchemaBuilder, TidalDB};
    /// # let mut schema = SchemaBuilder::new();
    /// schema.attribute("language", EntityKind::Item, AttributeType::Keyword);
    /// schema.attribute("price", EntityKind::Item, AttributeType::Float);
    /// # let db = TidalDB::in_memory(schema.build()?)?;
    /// let item = EntityId::new(42);
    /// let english = AttributeValue::Keyword("en".into());
    /// db.put_attributes(
    ///     EntityKind::Item,
    ///     item,
    ///     &[("language", Some(english.clone())), ("price", Some(AttributeValue::Float(9.5)))],
    /// )?;
    /// db.put_attributes(EntityKind::Item, item, &[("price", None)])?;
    /// let attributes = db.attributes(EntityKind::Item, item)?;
    /// assert_eq!(attributes, [("language".to_owned(), english)].into());
    /// # Ok::<(), tidal_db::TidalError>(())
    /// ```
    ///
    /// # Errors
    /// [`UnknownAttribute`](crate::QueryError::UnknownAttribute);
    /// [`WrongType`](crate::QueryError::WrongType) when a value is of another type, a float
    /// is not finite, a keyword is empty or longer than
    /// [`KEYWORD_BYTES_MAX`](crate::KEYWORD_BYTES_MAX), or there are more than
    /// [`KEYWORDS_MAX`](crate::KEYWORDS_MAX); nothing was written then. Those of
    /// [`TidalDB::signal`] that concern ids.
    pub fn put_attributes(
        &self,
        kind: EntityKind,
        id: EntityId,
        values: &[(&str, Option<AttributeValue>)],
    ) -> Result<Seq> {
        let values = values.iter().cloned();
        Ok(self.commit(Batch::new().put_attributes(kind, id, values))?.position.seq)
    }

    /// The attributes of an entity, by name; empty when it has none. Keywords are sorted.
    ///
    /// # Errors
    /// What storage says; [`Closed`](crate::TidalError::Closed).
    pub fn attributes(
        &self,
        kind: EntityKind,
        id: EntityId,
    ) -> Result<BTreeMap<String, AttributeValue>> {
        self.state()?.attributes.get(kind, id)
    }
}

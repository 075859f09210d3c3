//! Attributes: what is known of entities beside what happened to them.
//!
//! They are rows over storage, one for each entity that has any, and indexes in memory
//! over those rows, one for each kind of entity.
//!
//! E2. Folding a patch again, in the order of the log and from any point on, comes to the
//!     same rows: it says what values are, and not how they change (V3).
//! E3. A value that names a forgotten entity reads as no value. It may stay in storage
//!     until the database is purged, and no read, index or checksum tells whether it does.
//! E4. An index is made by the first query of its kind, and is exact for each query from
//!     then on: the fold changes the row first and then the index, or notes the change for
//!     who reads next, before anybody is answered.
//! E5. No lock of an index is held while storage is read, but by queries, and for those the
//!     fold does not wait.

mod accept;
mod bound;
mod held;
mod id_set;
mod index;
mod made;
mod row;
mod scan;
mod value;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use tidal_storage::Storage;
use tidal_types::{
    AttributeDefinition, AttributeId, AttributeValue, EntityId, EntityKind, Schema, TidalError,
};

pub(crate) use accept::accept;
pub(crate) use bound::BoundFilter;
pub(crate) use held::HeldAttributes;
pub(crate) use id_set::IdSet;
pub(crate) use index::Ids;
pub(crate) use row::{AttributeRow, AttributeRows, Patch};
pub(crate) use scan::{kinds_that_name, names};
pub(crate) use value::Value;

use self::made::Made;
use crate::Result;
use crate::forgotten::Forgotten;
use crate::overlay::{FrozenRows, Overlay};

/// The attributes of all entities.
#[derive(Debug)]
pub(crate) struct Attributes {
    schema: Arc<Schema>,
    rows: Overlay<AttributeRows>,
    storage: Arc<dyn Storage>,
    forgotten: Arc<Forgotten>,
    indexes: [Made; EntityKind::ALL.len()],
}

impl Attributes {
    /// Those that storage has.
    pub(crate) fn over(
        schema: Arc<Schema>,
        storage: &Arc<dyn Storage>,
        forgotten: Arc<Forgotten>,
    ) -> Self {
        let rows = Overlay::over(Arc::clone(storage));
        let storage = Arc::clone(storage);
        Self { schema, rows, storage, forgotten, indexes: Default::default() }
    }

    /// The same under a schema that extends its own.
    pub(crate) fn extended(self, schema: Arc<Schema>) -> Self {
        Self { schema, ..self }
    }

    /// The same, where these were forgotten.
    pub(crate) fn without(self, forgotten: Arc<Forgotten>) -> Self {
        Self { forgotten, ..self }
    }

    fn made(&self, kind: EntityKind) -> &Made {
        let [items, users, creators] = &self.indexes;
        match kind {
            EntityKind::Item => items,
            EntityKind::User => users,
            EntityKind::Creator => creators,
        }
    }

    /// Folds a patch (E2).
    ///
    /// # Errors
    /// What storage says; nothing has changed then.
    pub(crate) fn apply(&self, kind: EntityKind, id: EntityId, patch: &Patch) -> Result<()> {
        let row = self.rows.change((kind, id), |entry| {
            let row = AttributeRow::patched(entry.as_deref(), patch);
            // What does not read any more need not be kept either.
            *entry = row.and_then(|row| Some(self.as_read(&row)?.into_owned())).map(Arc::new);
            entry.clone()
        })?;
        self.made(kind).put(id, row);
        Ok(())
    }

    /// Removes what is known of an entity.
    ///
    /// # Errors
    /// What storage says; nothing has changed then.
    pub(crate) fn remove(&self, kind: EntityKind, id: EntityId) -> Result<()> {
        // Most have none: nothing is to be written of them.
        if self.rows.get((kind, id))?.is_some() {
            self.rows.change((kind, id), |row| *row = None)?;
            self.made(kind).put(id, None);
        }
        Ok(())
    }

    /// Takes the values that name an entity out of the indexes, once it is in the set of
    /// what was forgotten: an index that is being made has either asked that set since, or
    /// is told here.
    pub(crate) fn forgot(&self, kind: EntityKind, id: EntityId) {
        self.indexes.iter().for_each(|made| made.forgot(kind, id));
    }

    /// The attributes of an entity, by name.
    ///
    /// # Errors
    /// What storage says; [`TidalError::Damaged`].
    pub(crate) fn get(
        &self,
        kind: EntityKind,
        id: EntityId,
    ) -> Result<BTreeMap<String, AttributeValue>> {
        let Some(row) = self.rows.get((kind, id))? else {
            return Ok(BTreeMap::new());
        };
        let Some(row) = self.as_read(&row) else {
            return Ok(BTreeMap::new());
        };
        let named = row.iter().map(|(attribute, value)| {
            let definition = self.defined((kind, id), attribute, value)?;
            Ok((definition.name().to_owned(), value.to_public()))
        });
        named.collect()
    }

    /// The attribute that an entity has this value of.
    ///
    /// # Errors
    /// [`TidalError::Damaged`] when the schema has none of that kind and type: bytes never
    /// get another meaning.
    fn defined(
        &self,
        (kind, id): (EntityKind, EntityId),
        attribute: AttributeId,
        value: &Value,
    ) -> Result<&AttributeDefinition> {
        let of_type = value.of_type();
        let known = self.schema.attribute_by_id(attribute);
        let known = known.filter(|known| known.kind() == kind && known.of_type() == of_type);
        known.ok_or_else(|| {
            let location = format!("the attributes of {kind} {id} in storage");
            let number = attribute.get();
            let problem =
                format!("attribute number {number} of type {of_type} is not in the schema");
            TidalError::Damaged { location, problem }
        })
    }

    /// The row as it reads (E3).
    fn as_read<'a>(&self, row: &'a AttributeRow) -> Option<Cow<'a, AttributeRow>> {
        if self.forgotten.is_empty() || !row.iter().any(|(_, value)| self.is_gone(value)) {
            return Some(Cow::Borrowed(row));
        }
        row.only(|value| !self.is_gone(value)).map(Cow::Owned)
    }

    fn is_gone(&self, value: &Value) -> bool {
        value.entity().is_some_and(|(kind, id)| self.forgotten.contains(kind, id))
    }

    /// What a query reads of the entities of a kind, until it is dropped. Whatever was
    /// answered before is in it. The fold goes on while it is held; who takes hold next may
    /// wait, to take up what has changed, so a thread holds one at a time.
    ///
    /// # Errors
    /// What storage says when the index has to be made; [`TidalError::Damaged`].
    pub(crate) fn hold(&self, kind: EntityKind) -> Result<HeldAttributes<'_>> {
        let made = self.made(kind);
        loop {
            if let Some(ready) = made.ready() {
                return Ok(HeldAttributes::new(ready));
            }
            made.make(|index| {
                // The keyspace has everything else of its entities too.
                if self.schema.attributes_of(kind).next().is_none() {
                    return Ok(());
                }
                self.for_each(kind, &mut |id, row| index.put(id, Some(row))).map(drop)
            })?;
        }
    }

    /// What a checkpoint has to write.
    pub(crate) fn freeze(&self) -> FrozenRows<AttributeRows> {
        self.rows.freeze()
    }

    /// Storage has what was frozen.
    pub(crate) fn settle(&self, frozen: &FrozenRows<AttributeRows>) {
        self.rows.settle(frozen);
    }

    /// Storage does not have what was frozen.
    pub(crate) fn thaw(&self) {
        self.rows.thaw();
    }

    /// About how much memory is taken by what no checkpoint is writing, in bytes.
    pub(crate) fn fresh_bytes(&self) -> u64 {
        self.rows.fresh_bytes()
    }

    /// About how many bytes of memory the indexes take.
    pub(crate) fn index_bytes(&self) -> u64 {
        self.indexes.iter().map(Made::memory_bytes).sum()
    }

    /// About how much memory it takes, in bytes.
    pub(crate) fn memory_bytes(&self) -> u64 {
        self.rows.memory_bytes() + self.index_bytes()
    }
}

#[cfg(test)]
mod tests;

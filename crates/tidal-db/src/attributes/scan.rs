//! Passing over all rows of a kind, in storage and over it.

use std::collections::HashSet;

use tidal_types::{AttributeType, EntityId, EntityKind, Schema, StorageError, TidalError};

use super::{AttributeRow, AttributeRows, Attributes, Value};
use crate::Result;
use crate::checkpoint::{attributes_id, keyspace};
use crate::overlay::Rows;

impl Attributes {
    /// Shows the attributes of every entity of a kind that has any, by id, as they read
    /// (E3), and returns how many entities that are. What changes meanwhile is shown as
    /// before or as after.
    ///
    /// # Errors
    /// What storage says; [`TidalError::Damaged`].
    pub(crate) fn for_each(
        &self,
        kind: EntityKind,
        show: &mut dyn FnMut(EntityId, &AttributeRow),
    ) -> Result<u64> {
        let mut count = 0;
        self.scan(kind, &mut |id, row| {
            if let Some(row) = self.as_read(row) {
                count += 1;
                show(id, &row);
            }
        })?;
        Ok(count)
    }

    /// The same of the rows as they are, whatever they name.
    fn scan(&self, kind: EntityKind, show: &mut dyn FnMut(EntityId, &AttributeRow)) -> Result<()> {
        // What is not in memory any more when this is taken is in the snapshot after it.
        let unsettled = self.rows.unsettled().into_iter();
        let mut unsettled = unsettled.filter(|((of, _), _)| *of == kind).peekable();
        let snapshot = self.storage.snapshot().map_err(unless_closed)?;
        for entry in snapshot.scan_prefix(keyspace(kind), &[]).map_err(unless_closed)? {
            let (key, value) = entry.map_err(unless_closed)?;
            let Some(id) = attributes_id(&key) else {
                continue;
            };
            while let Some(((_, newer), row)) = unsettled.next_if(|((_, newer), _)| *newer < id) {
                row.iter().for_each(|row| show(newer, row));
            }
            match unsettled.next_if(|((_, newer), _)| *newer == id) {
                Some((_, row)) => row.iter().for_each(|row| show(id, row)),
                None => {
                    let row = AttributeRows::decode(&(kind, id), &value)?;
                    row.iter().try_for_each(|(attribute, value)| {
                        self.defined((kind, id), attribute, value).map(drop)
                    })?;
                    show(id, &row);
                }
            }
        }
        for ((_, newer), row) in unsettled {
            row.iter().for_each(|row| show(newer, row));
        }
        Ok(())
    }

    /// The entities with a value that names one of these, though it does not read so any
    /// more (E3).
    ///
    /// # Errors
    /// Those of [`Attributes::for_each`].
    pub(crate) fn naming(
        &self,
        forgotten: &HashSet<(EntityKind, EntityId)>,
    ) -> Result<Vec<(EntityKind, EntityId)>> {
        let mut found = Vec::new();
        for kind in kinds_that_name(&self.schema, forgotten) {
            self.scan(kind, &mut |id, row| {
                if row.iter().any(|(_, value)| names(value, forgotten)) {
                    found.push((kind, id));
                }
            })?;
        }
        Ok(found)
    }

    /// Writes the row of an entity anew without what it names that was forgotten. It reads
    /// as before, and the next checkpoint takes it to storage. Only the thread that folds
    /// may.
    ///
    /// # Errors
    /// What storage says; nothing has changed then.
    pub(crate) fn scrub(&self, kind: EntityKind, id: EntityId) -> Result<()> {
        self.rows.change((kind, id), |row| {
            if let Some(old) = row.take() {
                *row = old.only(|value| !self.is_gone(value)).map(Into::into);
            }
        })
    }
}

/// The kinds of entity with attributes that may name one of these.
pub(crate) fn kinds_that_name(
    schema: &Schema,
    entities: &HashSet<(EntityKind, EntityId)>,
) -> impl Iterator<Item = EntityKind> {
    EntityKind::ALL.into_iter().filter(|kind| {
        schema.attributes_of(*kind).any(|attribute| match attribute.of_type() {
            AttributeType::Entity(named) => entities.iter().any(|(kind, _)| *kind == named),
            _ => false,
        })
    })
}

/// Whether a value names one of these entities.
pub(crate) fn names(value: &Value, entities: &HashSet<(EntityKind, EntityId)>) -> bool {
    value.entity().is_some_and(|entity| entities.contains(&entity))
}

/// A read that races a shutdown finds storage closed.
fn unless_closed(error: StorageError) -> TidalError {
    match error {
        StorageError::Closed { .. } => TidalError::Closed,
        other => other.into(),
    }
}

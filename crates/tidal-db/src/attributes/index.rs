//! What the entities of a kind have, found by value: one column for each attribute.

mod codes;
mod column;
mod ids;

use std::collections::BTreeMap;

use roaring::RoaringTreemap;
use tidal_types::{AttributeId, EntityId, EntityKind};

pub(super) use codes::{code_of_float, code_of_integer};
pub(super) use column::Column;
pub(crate) use ids::Ids;

use super::AttributeRow;

/// The attributes of all entities of a kind, found by value.
#[derive(Debug, Default)]
pub(super) struct KindIndex {
    /// Those that have any attribute.
    entities: RoaringTreemap,
    columns: BTreeMap<AttributeId, Column>,
}

impl KindIndex {
    /// Takes up the row that an entity has from now on.
    pub(super) fn put(&mut self, id: EntityId, row: Option<&AttributeRow>) {
        for (attribute, column) in &mut self.columns {
            column.put(id, row.and_then(|row| row.get(*attribute)));
        }
        for (attribute, value) in row.iter().flat_map(|row| row.iter()) {
            self.columns.entry(attribute).or_insert_with(|| {
                let mut column = Column::of(value);
                column.put(id, Some(value));
                column
            });
        }
        if row.is_some() {
            self.entities.insert(id.get());
        } else {
            self.entities.remove(id.get());
        }
    }

    /// Takes out the values that name a forgotten entity. Its own row was removed before.
    pub(super) fn forgot(&mut self, kind: EntityKind, id: EntityId) {
        let mut bare = RoaringTreemap::new();
        for column in self.columns.values_mut() {
            bare |= column.forgot(kind, id);
        }
        for id in bare {
            let has_any = self.columns.values().any(|column| column.having().contains(id));
            if !has_any {
                self.entities.remove(id);
            }
        }
    }

    pub(super) const fn entities(&self) -> &RoaringTreemap {
        &self.entities
    }

    /// The column of an attribute; `None` when no entity ever had it.
    pub(super) fn column(&self, attribute: AttributeId) -> Option<&Column> {
        self.columns.get(&attribute)
    }

    /// About how much memory it takes, in bytes.
    pub(super) fn memory_bytes(&self) -> u64 {
        let columns: u64 = self.columns.values().map(Column::memory_bytes).sum();
        columns + self.entities.serialized_size() as u64
    }
}

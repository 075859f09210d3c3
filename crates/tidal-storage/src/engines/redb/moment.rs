//! A moment of all tables, with the tables that were looked up in it.

use std::sync::OnceLock;

use ::redb::{Error, ReadOnlyTable, ReadTransaction, TableDefinition, TableError};

use crate::SpaceId;

pub(super) type Table = ReadOnlyTable<&'static [u8], &'static [u8]>;

/// The table of a keyspace.
pub(super) const fn definition(name: &str) -> TableDefinition<'_, &'static [u8], &'static [u8]> {
    TableDefinition::new(name)
}

/// A read transaction. Looking a table up costs as much as reading a key, so each
/// is looked up once.
pub struct Moment {
    transaction: ReadTransaction,
    /// By the number of the keyspace; `None` for one that was not there.
    tables: Vec<OnceLock<Option<Table>>>,
}

impl Moment {
    /// A moment in which keyspaces with numbers below `spaces` were open.
    pub(super) fn new(transaction: ReadTransaction, spaces: usize) -> Self {
        Self { transaction, tables: (0..spaces).map(|_| OnceLock::new()).collect() }
    }

    /// The table of a keyspace, unless it was not there.
    pub(super) fn table(&self, space: SpaceId, name: &str) -> Result<Option<&Table>, Error> {
        // A keyspace that was opened later was not there, or was empty.
        let Some(slot) = self.tables.get(space.index()) else {
            return Ok(None);
        };
        if let Some(table) = slot.get() {
            return Ok(table.as_ref());
        }
        let table = match self.transaction.open_table(definition(name)) {
            Ok(table) => Some(table),
            Err(TableError::TableDoesNotExist(_)) => None,
            Err(error) => return Err(error.into()),
        };
        Ok(slot.get_or_init(|| table).as_ref())
    }
}

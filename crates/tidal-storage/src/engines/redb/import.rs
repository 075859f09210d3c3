//! Reading a table of somebody else's redb file into a keyspace.
//!
//! The file is opened for reading only and never changed, not even repaired.

use std::path::Path;

use ::redb::{
    Error, Key, ReadOnlyDatabase, ReadTransaction, ReadableDatabase, ReadableTable,
    TableDefinition, TableError, TableHandle, Value,
};
use tidal_types::StorageError;

use super::errors::storage_error;
use crate::batch::{check_key, check_value};
use crate::directory::without_panic;
use crate::{AtomicBatch, Durability, KeyspaceName, Result, Storage};

/// A batch is committed once it has this many bytes, or entries.
const BATCH_BYTES: usize = 1 << 20;
const BATCH_ENTRIES: usize = 16_384;

type Bytes = &'static [u8];
type Text = &'static str;

/// What was imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ImportReport {
    /// How many entries.
    pub keys: u64,
    /// Bytes of their keys and values.
    pub bytes: u64,
}

/// Reads a table of the redb file at `path` into a keyspace: keys and values of bytes
/// (`&[u8]`) or of strings (`&str`), either of either, as the bytes that they are. Keys
/// that the keyspace has already get the value of the table; others stay.
///
/// The file is opened for reading only and never changed. All of the table is checked
/// before anything is written. It is then written in batches, the last of them synced;
/// when that fails half-way, what was written stays, and importing again finishes.
///
/// # Errors
///
/// [`StorageError::Import`] when there is no such table, it is of other types or has
/// several values for a key, or the file was not closed when it was last written;
/// [`StorageError::KeyLength`] and [`StorageError::ValueLength`] for an entry that no
/// keyspace takes; [`StorageError::KeyspaceName`]; [`StorageError::Locked`] while somebody
/// has the file open for writing; [`StorageError::UnsupportedVersion`];
/// [`StorageError::Damaged`]; what writing says.
pub fn import_redb(
    path: impl AsRef<Path>,
    table: &str,
    target: &dyn Storage,
    keyspace: &str,
) -> Result<ImportReport> {
    let path = path.as_ref();
    let name = KeyspaceName::from(keyspace);
    name.check()?;
    let transaction = without_panic(path, || begin(path))?;
    let shape = shape(path, &transaction, table)?;
    let each = |visit: Visitor<'_>| match shape {
        Shape::BytesBytes => walk::<Bytes, Bytes>(path, &transaction, table, visit),
        Shape::BytesText => walk::<Bytes, Text>(path, &transaction, table, visit),
        Shape::TextBytes => walk::<Text, Bytes>(path, &transaction, table, visit),
        Shape::TextText => walk::<Text, Text>(path, &transaction, table, visit),
    };
    // Damage shows here, as an error or as a panic of redb, before anything is written.
    without_panic(path, || {
        each(&mut |key, value| {
            check_key(name, key)?;
            check_value(name, value)
        })
    })?;
    let mut report = ImportReport::default();
    let mut batch = AtomicBatch::new();
    let mut bytes = 0;
    each(&mut |key, value| {
        report.keys += 1;
        report.bytes += (key.len() + value.len()) as u64;
        bytes += key.len() + value.len();
        batch.put(name, key, value);
        if bytes >= BATCH_BYTES || batch.len() >= BATCH_ENTRIES {
            bytes = 0;
            target.commit(std::mem::take(&mut batch), Durability::Buffer)?;
        }
        Ok(())
    })?;
    target.commit(batch, Durability::Sync)?;
    Ok(report)
}

/// What sees the entries of a table.
type Visitor<'a> = &'a mut dyn FnMut(&[u8], &[u8]) -> Result<()>;

/// The types of a table's keys and values.
#[derive(Debug, Clone, Copy)]
enum Shape {
    BytesBytes,
    BytesText,
    TextBytes,
    TextText,
}

fn begin(path: &Path) -> Result<ReadTransaction> {
    let database = ReadOnlyDatabase::open(path).map_err(|error| refused(path, error))?;
    database.begin_read().map_err(|error| refused(path, error))
}

/// What kind of table it is.
fn shape(path: &Path, transaction: &ReadTransaction, table: &str) -> Result<Shape> {
    let mut first_error = None;
    for shape in [Shape::BytesBytes, Shape::TextText, Shape::TextBytes, Shape::BytesText] {
        let opened = match shape {
            Shape::BytesBytes => opens::<Bytes, Bytes>(transaction, table),
            Shape::BytesText => opens::<Bytes, Text>(transaction, table),
            Shape::TextBytes => opens::<Text, Bytes>(transaction, table),
            Shape::TextText => opens::<Text, Text>(transaction, table),
        };
        match opened {
            Ok(()) => return Ok(shape),
            Err(TableError::TableDoesNotExist(_)) => {
                let tables = transaction.list_tables().map_err(|error| refused(path, error))?;
                let names: Vec<_> = tables.map(|table| format!("{:?}", table.name())).collect();
                let names = if names.is_empty() { "none".into() } else { names.join(", ") };
                return Err(import_error(path, format!("no table {table:?}; there are {names}")));
            }
            Err(error) => first_error = first_error.or(Some(error)),
        }
    }
    Err(match first_error {
        Some(TableError::TableTypeMismatch { key, value, .. }) => {
            let types = format!("keys of {} and values of {}", key.name(), value.name());
            let wanted = "only &[u8] and &str can be imported";
            import_error(path, format!("table {table:?} has {types}, and {wanted}"))
        }
        Some(TableError::TableIsMultimap(_)) => {
            import_error(path, format!("table {table:?} has several values for a key"))
        }
        Some(error) => refused(path, error),
        None => import_error(path, format!("table {table:?} cannot be opened")),
    })
}

fn opens<K: Key + 'static, V: Value + 'static>(
    transaction: &ReadTransaction,
    table: &str,
) -> Result<(), TableError> {
    transaction.open_table(TableDefinition::<K, V>::new(table)).map(drop)
}

fn walk<K: Key + 'static, V: Value + 'static>(
    path: &Path,
    transaction: &ReadTransaction,
    table: &str,
    visit: Visitor<'_>,
) -> Result<()> {
    let refused = |error: Error| refused(path, error);
    let table = transaction
        .open_table(TableDefinition::<K, V>::new(table))
        .map_err(|error| refused(error.into()))?;
    for entry in table.iter().map_err(|error| refused(error.into()))? {
        let (key, value) = entry.map_err(|error| refused(error.into()))?;
        visit(K::as_bytes(&key.value()).as_ref(), V::as_bytes(&value.value()).as_ref())?;
    }
    Ok(())
}

fn refused(path: &Path, error: impl Into<Error>) -> StorageError {
    match error.into() {
        Error::RepairAborted => import_error(
            path,
            "it was not closed when it was last written; open it once with its own program".into(),
        ),
        other => storage_error(path, "read", other),
    }
}

fn import_error(path: &Path, problem: String) -> StorageError {
    StorageError::Import { path: path.to_path_buf(), problem }
}

#[cfg(test)]
mod tests;

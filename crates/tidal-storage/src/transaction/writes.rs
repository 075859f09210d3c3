//! What a transaction has written so far.
//!
//! V1. A scan holds on to the map that it began with; the next write to that
//!     keyspace copies it, once. A copy costs the map and shares keys and values.
//! V2. While a savepoint is there, every write notes down what it replaced.

use std::collections::BTreeMap;
use std::sync::Arc;

use tidal_types::StorageError;

use crate::{BatchOp, KeyspaceName, Result};

/// What the writes of one transaction may take in memory, in bytes, what
/// savepoints keep for rolling back included: 256 MiB. A write takes its key, its
/// value and 64 bytes.
pub const TRANSACTION_BYTES_MAX: usize = 256 * 1024 * 1024;

/// What a write takes beside its key and its value, in bytes.
const WRITE_BYTES: usize = 64;

/// The value that a key will have; `None` if it will be gone.
pub(super) type Value = Option<Arc<[u8]>>;

/// The writes to one keyspace.
pub(super) type SpaceWrites = BTreeMap<Arc<[u8]>, Value>;

/// A place in a transaction to which it can be rolled back.
#[derive(Debug)]
pub struct Savepoint(Arc<()>);

/// What one write replaced.
#[derive(Debug)]
struct Undo {
    keyspace: Arc<str>,
    key: Arc<[u8]>,
    /// `None` if the key had not been written.
    before: Option<Value>,
}

#[derive(Debug)]
pub(super) struct Writes {
    bytes_max: usize,
    bytes: usize,
    spaces: BTreeMap<Arc<str>, Arc<SpaceWrites>>,
    undo: Vec<Undo>,
    /// The savepoints that are there, and how long the list above was then.
    savepoints: Vec<(Arc<()>, usize)>,
}

impl Writes {
    pub(super) const fn new(bytes_max: usize) -> Self {
        Self {
            bytes_max,
            bytes: 0,
            spaces: BTreeMap::new(),
            undo: Vec::new(),
            savepoints: Vec::new(),
        }
    }

    /// The value that a key will have, if it was written.
    pub(super) fn get(&self, keyspace: KeyspaceName<'_>, key: &[u8]) -> Option<&Value> {
        self.spaces.get(keyspace.as_str())?.get(key)
    }

    /// The writes to a keyspace as they are now.
    pub(super) fn of(&self, keyspace: KeyspaceName<'_>) -> Option<Arc<SpaceWrites>> {
        self.spaces.get(keyspace.as_str()).cloned()
    }

    pub(super) fn set(
        &mut self,
        keyspace: KeyspaceName<'_>,
        key: &[u8],
        value: Option<&[u8]>,
    ) -> Result<()> {
        let before = self.get(keyspace, key).cloned();
        let noted = !self.savepoints.is_empty();
        let replaced = before.as_ref().map_or(0, |before| write_bytes(key, before.as_deref()));
        // What is noted down stays in memory beside what replaces it.
        let freed = if noted { 0 } else { replaced };
        let note = if noted { WRITE_BYTES } else { 0 };
        let bytes = self.bytes - freed + write_bytes(key, value) + note;
        if bytes > self.bytes_max {
            return Err(StorageError::TransactionTooLarge { bytes, max: self.bytes_max });
        }
        self.bytes = bytes;
        let key: Arc<[u8]> = key.into();
        let name = self.put(keyspace.as_str(), Arc::clone(&key), value.map(Arc::from));
        if noted {
            self.undo.push(Undo { keyspace: name, key, before });
        }
        Ok(())
    }

    fn put(&mut self, keyspace: &str, key: Arc<[u8]>, value: Value) -> Arc<str> {
        let known = self.spaces.get_key_value(keyspace).map(|(name, _)| Arc::clone(name));
        let name = known.unwrap_or_else(|| keyspace.into());
        let space = self.spaces.entry(Arc::clone(&name)).or_default();
        Arc::make_mut(space).insert(key, value);
        name
    }

    pub(super) fn savepoint(&mut self) -> Savepoint {
        let mark = Arc::new(());
        self.savepoints.push((Arc::clone(&mark), self.undo.len()));
        Savepoint(mark)
    }

    /// Takes back what was written since a savepoint, which stays; those made
    /// since are gone.
    pub(super) fn roll_back_to(&mut self, savepoint: &Savepoint) -> Result<()> {
        let (index, noted) = self.find(savepoint)?;
        self.savepoints.truncate(index + 1);
        for Undo { keyspace, key, before } in self.undo.split_off(noted).into_iter().rev() {
            let Some(space) = self.spaces.get_mut(&keyspace) else {
                continue;
            };
            let space = Arc::make_mut(space);
            let taken = match before {
                Some(before) => space.insert(Arc::clone(&key), before),
                None => space.remove(&key),
            };
            let taken = taken.expect("what was noted down was written");
            self.bytes -= write_bytes(&key, taken.as_deref()) + WRITE_BYTES;
        }
        Ok(())
    }

    /// Forgets a savepoint and those made since; what was written stays.
    pub(super) fn release(&mut self, savepoint: &Savepoint) -> Result<()> {
        let (index, _) = self.find(savepoint)?;
        self.savepoints.truncate(index);
        if self.savepoints.is_empty() {
            for Undo { key, before, .. } in self.undo.drain(..) {
                let replaced = before.map_or(0, |before| write_bytes(&key, before.as_deref()));
                self.bytes -= replaced + WRITE_BYTES;
            }
        }
        Ok(())
    }

    fn find(&self, savepoint: &Savepoint) -> Result<(usize, usize)> {
        let index = self.savepoints.iter().rposition(|(mark, _)| Arc::ptr_eq(mark, &savepoint.0));
        let found = index.and_then(|index| Some((index, self.savepoints.get(index)?.1)));
        found.ok_or(StorageError::NoSavepoint)
    }

    /// The writes to each keyspace, in the order of their keys.
    pub(super) fn into_parts(self) -> Vec<(String, Vec<BatchOp>)> {
        let spaces = self.spaces.into_iter().filter(|(_, writes)| !writes.is_empty());
        let ops = |writes: &SpaceWrites| {
            let op = |(key, value): (&Arc<[u8]>, &Value)| match value {
                Some(value) => BatchOp::Put { key: key.to_vec(), value: value.to_vec() },
                None => BatchOp::Delete { key: key.to_vec() },
            };
            writes.iter().map(op).collect()
        };
        spaces.map(|(name, writes)| (name.to_string(), ops(&writes))).collect()
    }

    #[cfg(test)]
    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }
}

fn write_bytes(key: &[u8], value: Option<&[u8]>) -> usize {
    key.len() + value.map_or(0, <[u8]>::len) + WRITE_BYTES
}

#[cfg(test)]
mod tests;

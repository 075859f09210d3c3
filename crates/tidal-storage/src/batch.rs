//! Batches: writes as plain data, checked once before any engine sees them.
//!
//! B1. A batch that reaches an engine has keys of 1 to [`KEY_BYTES_MAX`] bytes
//!     and values of at most [`VALUE_BYTES_MAX`].
//! B2. It names a key at most once, with the last operation that was asked for,
//!     and its keys are in ascending order.

use tidal_types::StorageError;

use crate::{KeyspaceName, Result};

/// The longest key, in bytes. The shortest has one.
pub const KEY_BYTES_MAX: usize = tidal_keys::MAX_KEY_LEN;

/// The longest value, in bytes: 64 MiB. Engines hold a value in memory several
/// times while they write it.
pub const VALUE_BYTES_MAX: usize = 64 * 1024 * 1024;

/// One write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BatchOp {
    /// Sets the value of a key, whether or not it had one.
    Put {
        /// The key.
        key: Vec<u8>,
        /// Its value.
        value: Vec<u8>,
    },
    /// Removes a key, whether or not it was there.
    Delete {
        /// The key.
        key: Vec<u8>,
    },
}

impl BatchOp {
    /// The key that is written.
    #[must_use]
    pub fn key(&self) -> &[u8] {
        match self {
            Self::Put { key, .. } | Self::Delete { key } => key,
        }
    }
}

/// Writes to one keyspace, applied together. The last operation on a key wins.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WriteBatch {
    ops: Vec<BatchOp>,
}

impl WriteBatch {
    /// A batch without operations.
    #[must_use]
    pub const fn new() -> Self {
        Self { ops: Vec::new() }
    }

    /// Adds the setting of a key.
    pub fn put(&mut self, key: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) -> &mut Self {
        self.push(BatchOp::Put { key: key.into(), value: value.into() })
    }

    /// Adds the removal of a key.
    pub fn delete(&mut self, key: impl Into<Vec<u8>>) -> &mut Self {
        self.push(BatchOp::Delete { key: key.into() })
    }

    /// Adds an operation.
    pub fn push(&mut self, op: BatchOp) -> &mut Self {
        self.ops.push(op);
        self
    }

    /// The operations, in the order in which they were added.
    #[must_use]
    pub fn ops(&self) -> &[BatchOp] {
        &self.ops
    }

    /// How many operations were added.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.ops.len()
    }

    /// Whether no operation was added.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.ops.is_empty()
    }

    /// The operations as an engine may see them (B1, B2), or what is wrong with
    /// the first that it may not.
    pub(crate) fn into_checked(self, keyspace: KeyspaceName<'_>) -> Result<Vec<BatchOp>> {
        for op in &self.ops {
            check_key(keyspace, op.key())?;
            if let BatchOp::Put { value, .. } = op {
                check_value(keyspace, value)?;
            }
        }
        Ok(last_of_each_key(self.ops))
    }
}

/// Writes to several keyspaces, applied together. The last operation on a key
/// of a keyspace wins.
///
/// ```
/// use tidal_storage::AtomicBatch;
/// use tidal_types::EntityKind;
///
/// let mut batch = AtomicBatch::new();
/// batch.put(EntityKind::Item, b"1", b"a song").put("system", b"applied", b"17").delete(EntityKind::User, b"9");
/// assert_eq!(batch.len(), 3);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AtomicBatch {
    // A batch names few keyspaces, so a list is searched faster than a map.
    parts: Vec<(String, WriteBatch)>,
}

impl AtomicBatch {
    /// A batch without operations.
    #[must_use]
    pub const fn new() -> Self {
        Self { parts: Vec::new() }
    }

    /// Adds the setting of a key.
    pub fn put<'a>(
        &mut self,
        keyspace: impl Into<KeyspaceName<'a>>,
        key: impl Into<Vec<u8>>,
        value: impl Into<Vec<u8>>,
    ) -> &mut Self {
        self.push(keyspace, BatchOp::Put { key: key.into(), value: value.into() })
    }

    /// Adds the removal of a key.
    pub fn delete<'a>(
        &mut self,
        keyspace: impl Into<KeyspaceName<'a>>,
        key: impl Into<Vec<u8>>,
    ) -> &mut Self {
        self.push(keyspace, BatchOp::Delete { key: key.into() })
    }

    /// Adds an operation.
    pub fn push<'a>(&mut self, keyspace: impl Into<KeyspaceName<'a>>, op: BatchOp) -> &mut Self {
        let name = keyspace.into().as_str();
        match self.parts.iter_mut().find(|(known, _)| known == name) {
            Some((_, part)) => part.ops.push(op),
            None => self.parts.push((name.to_owned(), WriteBatch { ops: vec![op] })),
        }
        self
    }

    /// The operations of each keyspace, in the order in which they were added.
    pub fn parts(&self) -> impl Iterator<Item = (KeyspaceName<'_>, &WriteBatch)> {
        self.parts.iter().map(|(name, part)| (KeyspaceName::from(name), part))
    }

    /// How many operations were added.
    #[must_use]
    pub fn len(&self) -> usize {
        self.parts.iter().map(|(_, part)| part.len()).sum()
    }

    /// Whether no operation was added.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.parts.iter().all(|(_, part)| part.is_empty())
    }

    pub(crate) fn into_parts(self) -> Vec<(String, WriteBatch)> {
        self.parts
    }
}

/// Refuses a key that not every engine takes.
pub(crate) fn check_key(keyspace: KeyspaceName<'_>, key: &[u8]) -> Result<()> {
    if (1..=KEY_BYTES_MAX).contains(&key.len()) {
        return Ok(());
    }
    Err(StorageError::KeyLength {
        keyspace: keyspace.as_str().to_owned(),
        bytes: key.len(),
        max: KEY_BYTES_MAX,
    })
}

pub(crate) fn check_value(keyspace: KeyspaceName<'_>, value: &[u8]) -> Result<()> {
    if value.len() <= VALUE_BYTES_MAX {
        return Ok(());
    }
    Err(StorageError::ValueLength {
        keyspace: keyspace.as_str().to_owned(),
        bytes: value.len(),
        max: VALUE_BYTES_MAX,
    })
}

fn last_of_each_key(mut ops: Vec<BatchOp>) -> Vec<BatchOp> {
    if ops.is_sorted_by(|a, b| a.key() < b.key()) {
        return ops;
    }
    // The sort is stable, so of the operations on one key the last stands first.
    ops.reverse();
    ops.sort_by(|a, b| a.key().cmp(b.key()));
    ops.dedup_by(|later, first| later.key() == first.key());
    ops
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn an_engine_sees_the_last_operation_on_each_key_in_order(writes in vec((0..6u8, any::<Option<u8>>()), 0..20)) {
            let mut batch = WriteBatch::new();
            let mut model = BTreeMap::new();
            for &(key, value) in &writes {
                match value {
                    Some(value) => batch.put([key], [value]),
                    None => batch.delete([key]),
                };
                model.insert(key, value);
            }
            let seen: Vec<(u8, Option<u8>)> = batch
                .into_checked("items".into())?
                .into_iter()
                .map(|op| match op {
                    BatchOp::Put { key, value } => (key[0], Some(value[0])),
                    BatchOp::Delete { key } => (key[0], None),
                })
                .collect();
            prop_assert_eq!(seen, model.into_iter().collect::<Vec<_>>());
        }
    }

    #[test]
    fn one_bad_operation_refuses_the_batch() {
        let mut batch = WriteBatch::new();
        batch.put("a", "1").delete([7; KEY_BYTES_MAX + 1]);
        let error = batch.into_checked("items".into()).unwrap_err();
        assert!(matches!(error, StorageError::KeyLength { bytes: 512, max: 511, .. }), "{error}");
    }
}

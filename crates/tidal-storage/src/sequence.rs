//! Sequences: ids that are never given twice.
//!
//! The keyspace [`KeyspaceName::SEQUENCES`] has for the name of each sequence the
//! highest id that was ever reserved. Little-endian.
//!
//! | offset | size | field               |
//! |--------|------|---------------------|
//! | 0      | 1    | version, 1          |
//! | 1      | 8    | highest reserved id |
//!
//! Q1. An id is given only after a durable write has reserved it.
//! Q2. What is stored only grows, by comparison and swap, so two blocks that were
//!     reserved share no id.

use std::num::NonZeroU64;
use std::sync::{Arc, Mutex};

use tidal_types::StorageError;

use crate::batch::check_key;
use crate::sync::lock;
use crate::{Durability, KeyspaceName, Result, Storage, StorageEngine};

/// How many ids a sequence reserves at a time unless told otherwise.
pub const SEQUENCE_BLOCK_IDS: u64 = 1_000;

pub(crate) const DEFAULT_BLOCK_IDS: NonZeroU64 =
    NonZeroU64::new(SEQUENCE_BLOCK_IDS).expect("a block has ids");

const VERSION: u8 = 1;

/// Ids that are never given twice: neither to two threads, nor by two handles of
/// the same name, nor after a crash or a power cut. The first is 1.
///
/// Each handle reserves a block of ids with one durable write and then gives them
/// in ascending order without any, so ids are fast, and those of one handle
/// ascend. What a handle has reserved and not given is lost when it is dropped,
/// or with the process: a sequence has gaps of up to one block then, and two
/// handles take turns by blocks. A block of 1 leaves gaps only where a
/// reservation was interrupted.
///
/// A handle outlives its storage: after the storage was closed it gives what it
/// has reserved, and then fails with [`StorageError::Closed`].
///
/// ```
/// use tidal_storage::{MemoryStorage, StorageExt};
///
/// let storage = MemoryStorage::new();
/// let orders = storage.sequence("orders")?;
/// assert_eq!(orders.next()?, 1);
/// assert_eq!(orders.next()?, 2);
/// # Ok::<(), tidal_storage::StorageError>(())
/// ```
#[derive(Debug)]
pub struct Sequence {
    keyspace: Arc<dyn StorageEngine>,
    name: Vec<u8>,
    block_ids: NonZeroU64,
    reserved: Mutex<Block>,
}

/// Ids that are reserved and not given: those above `given`, up to `last`.
#[derive(Debug, Clone, Copy)]
struct Block {
    given: u64,
    last: u64,
}

impl Sequence {
    pub(crate) fn open<S: Storage + ?Sized>(
        storage: &S,
        name: &str,
        block_ids: NonZeroU64,
    ) -> Result<Self> {
        check_key(KeyspaceName::SEQUENCES, name.as_bytes())?;
        let keyspace = storage.keyspace(KeyspaceName::SEQUENCES.as_str())?;
        let reserved = Mutex::new(Block { given: 0, last: 0 });
        let sequence = Self { keyspace, name: name.as_bytes().to_vec(), block_ids, reserved };
        // A value of something else shows now and not at the first id.
        sequence.stored()?;
        Ok(sequence)
    }

    /// The next id.
    ///
    /// # Errors
    ///
    /// [`StorageError::Overflow`] after `u64::MAX`,
    /// [`StorageError::NotANumber`] if somebody else has written to the keyspace
    /// of sequences, and what a durable write fails with. No id is given then.
    pub fn next(&self) -> Result<u64> {
        let mut block = lock(&self.reserved);
        if block.given == block.last {
            *block = self.reserve()?;
        }
        block.given += 1;
        Ok(block.given)
    }

    /// Reserves the next block, durably.
    fn reserve(&self) -> Result<Block> {
        loop {
            let (stored, given) = self.stored()?;
            let last = given.saturating_add(self.block_ids.get());
            if last == given {
                return Err(StorageError::Overflow {
                    keyspace: self.keyspace.name().to_owned(),
                    key: self.name.clone(),
                });
            }
            let value = encode(last);
            if self.keyspace.compare_and_swap(
                &self.name,
                stored.as_deref(),
                Some(&value),
                Durability::Sync,
            )? {
                return Ok(Block { given, last });
            }
        }
    }

    /// What is stored, and the highest id that was reserved.
    fn stored(&self) -> Result<(Option<Vec<u8>>, u64)> {
        let stored = self.keyspace.get(&self.name)?;
        let reserved = stored.as_deref().map_or(Ok(0), decode);
        let reserved = reserved.map_err(|problem| StorageError::NotANumber {
            keyspace: self.keyspace.name().to_owned(),
            key: self.name.clone(),
            expected: "a sequence",
            problem,
        })?;
        Ok((stored, reserved))
    }
}

fn encode(reserved: u64) -> Vec<u8> {
    [&[VERSION][..], &reserved.to_le_bytes()].concat()
}

fn decode(value: &[u8]) -> Result<u64, String> {
    let (&version, rest) = value.split_first().ok_or("it is empty")?;
    if version != VERSION {
        return Err(format!("it has version {version}, this program knows {VERSION}"));
    }
    let reserved = rest.try_into().map_err(|_| format!("it has {} bytes, not 9", value.len()))?;
    Ok(u64::from_le_bytes(reserved))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{MemoryStorage, StorageExt};

    /// The golden fixture of the format.
    #[test]
    fn what_is_stored_stays_as_it_is() {
        let storage = MemoryStorage::new();
        storage.sequence("orders").unwrap().next().unwrap();
        let keyspace = storage.keyspace("tidal_sequences").unwrap();
        assert_eq!(keyspace.get(b"orders").unwrap().unwrap(), [1, 0xe8, 3, 0, 0, 0, 0, 0, 0]);
    }

    #[test]
    fn what_is_not_a_sequence_is_refused() {
        let storage = MemoryStorage::new();
        let keyspace = storage.keyspace("tidal_sequences").unwrap();
        for (value, problem) in [
            (&b""[..], "it is empty"),
            (&[2, 0, 0, 0, 0, 0, 0, 0, 0], "it has version 2, this program knows 1"),
            (&[1, 0, 0], "it has 3 bytes, not 9"),
            (&[1; 10], "it has 10 bytes, not 9"),
        ] {
            keyspace.put(b"orders", value).unwrap();
            let error = storage.sequence("orders").unwrap_err();
            let text = format!(
                "the value of key \"orders\" in keyspace \"tidal_sequences\" is not a sequence: {problem}"
            );
            assert_eq!(error.to_string(), text);
        }
    }
}

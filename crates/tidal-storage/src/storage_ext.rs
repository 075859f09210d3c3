//! What every storage can do, made of what it must do.

use std::num::NonZeroU64;

use tidal_types::StorageError;

use crate::sequence::DEFAULT_BLOCK_IDS;
use crate::{Durability, Isolation, Result, Sequence, Storage, Transaction};

/// Transactions with retries, and sequences, for every [`Storage`], also as
/// `dyn Storage`.
pub trait StorageExt: Storage {
    /// Runs `work` in a transaction with snapshot isolation and commits it with
    /// the durability [`Buffer`](Durability::Buffer); see
    /// [`transact_with`](Self::transact_with).
    ///
    /// ```
    /// use tidal_storage::{MemoryStorage, Storage, StorageError, StorageExt};
    ///
    /// let storage = MemoryStorage::new();
    /// let left = storage.transact(10, |tx| {
    ///     let stock = tx.get("stock", b"shirt")?.map_or(5, |value| value[0]);
    ///     tx.put("stock", b"shirt", &[stock - 1])?;
    ///     Ok::<_, StorageError>(stock - 1)
    /// })?;
    /// assert_eq!(left, 4);
    /// # Ok::<(), StorageError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`transact_with`](Self::transact_with).
    fn transact<T, E: From<StorageError>>(
        &self,
        retries: u32,
        work: impl FnMut(&Transaction<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        self.transact_with(Isolation::Snapshot, Durability::Buffer, retries, work)
    }

    /// Runs `work` in a transaction and commits it. If that conflicts with what
    /// others have written meanwhile, runs it again in a new transaction, up to
    /// `retries` times; so it should do nothing but read and write by its
    /// transaction. There is no waiting in between: whoever conflicts has met
    /// someone who got on.
    ///
    /// # Errors
    ///
    /// What `work` fails with, which rolls back and is not retried. The last
    /// [`StorageError::Conflict`] or [`StorageError::TransactionTooOld`] once
    /// there are no retries left, with which nothing was written. What
    /// [`Storage::begin`] and [`Transaction::commit`] fail with otherwise.
    fn transact_with<T, E: From<StorageError>>(
        &self,
        isolation: Isolation,
        durability: Durability,
        retries: u32,
        mut work: impl FnMut(&Transaction<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut left = retries;
        loop {
            let transaction = self.begin_with(isolation)?;
            let done = work(&transaction)?;
            match transaction.commit(durability) {
                Ok(()) => return Ok(done),
                Err(StorageError::Conflict { .. } | StorageError::TransactionTooOld { .. })
                    if left > 0 =>
                {
                    left -= 1;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// The sequence of this name, which begins at 1. It reserves
    /// [`SEQUENCE_BLOCK_IDS`](crate::SEQUENCE_BLOCK_IDS) ids at a time.
    ///
    /// # Errors
    ///
    /// As [`sequence_with`](Self::sequence_with).
    fn sequence(&self, name: &str) -> Result<Sequence> {
        self.sequence_with(name, DEFAULT_BLOCK_IDS)
    }

    /// The sequence of this name, reserving so many ids at a time: more make it
    /// faster, fewer leave smaller gaps.
    ///
    /// # Errors
    ///
    /// [`StorageError::KeyLength`] if the name has not 1 to
    /// [`KEY_BYTES_MAX`](crate::KEY_BYTES_MAX) bytes;
    /// [`StorageError::NotANumber`] if somebody else has written to the keyspace
    /// of sequences; and as for every [`StorageEngine`](crate::StorageEngine).
    fn sequence_with(&self, name: &str, block_ids: NonZeroU64) -> Result<Sequence> {
        Sequence::open(self, name, block_ids)
    }
}

impl<S: Storage + ?Sized> StorageExt for S {}

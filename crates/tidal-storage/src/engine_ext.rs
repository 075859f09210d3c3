//! What every engine can do to one key, made of comparison and swap.
//!
//! A counter is its number, little-endian, and nothing else: 8 bytes for a `u64`,
//! 4 for an `f32`.
//!
//! A1. The caller's function runs under no lock. If the key was written
//!     meanwhile, it runs again; whoever has to do so has met someone who got on.

use tidal_types::StorageError;

use crate::{Durability, Result, StorageEngine};

/// Atomic updates of one key, for every [`StorageEngine`], also as
/// `dyn StorageEngine`. They are right under contention, with each other and with
/// every other write, and transactions conflict with them as with any write.
///
/// They have the durability [`Buffer`](Durability::Buffer), as a put does;
/// [`try_fetch_update`](Self::try_fetch_update) takes another, and
/// [`flush`](StorageEngine::flush) makes all before it durable.
///
/// ```
/// use tidal_storage::{MemoryStorage, Storage, StorageEngineExt};
/// use tidal_types::EntityKind;
///
/// let storage = MemoryStorage::new();
/// let items = storage.backend(EntityKind::Item);
/// assert_eq!(items.fetch_and_add_u64(b"views", 3)?, 3);
/// assert_eq!(items.fetch_and_add_u64(b"views", 1)?, 4);
/// assert_eq!(items.compare_and_swap_f32(b"price", |price| price + 0.5)?, 0.5);
/// items.fetch_update(b"tags", |tags| Some([tags.unwrap_or_default(), b"new "].concat()))?;
/// # Ok::<(), tidal_storage::StorageError>(())
/// ```
pub trait StorageEngineExt: StorageEngine {
    /// Adds to the `u64` of a key and returns the sum. An absent key counts as 0.
    ///
    /// # Errors
    ///
    /// [`StorageError::Overflow`] if the sum is no `u64`, and
    /// [`StorageError::NotANumber`] if the value has not 8 bytes; nothing is
    /// written then. Otherwise as for [`StorageEngine`].
    fn fetch_and_add_u64(&self, key: &[u8], delta: u64) -> Result<u64> {
        let mut sum = 0u64;
        self.try_fetch_update(key, Durability::Buffer, |value| {
            let number = value.map_or(Ok(0), |value| {
                number_of(self, key, value, "a u64").map(u64::from_le_bytes)
            })?;
            sum = number.checked_add(delta).ok_or_else(|| StorageError::Overflow {
                keyspace: self.name().to_owned(),
                key: key.to_vec(),
            })?;
            Ok::<_, StorageError>(Some(sum.to_le_bytes().to_vec()))
        })?;
        Ok(sum)
    }

    /// Sets the `f32` of a key to what `f` makes of it and returns that. An absent
    /// key counts as 0. `f` may run more than once.
    ///
    /// Numbers are compared by their bits and stored as they are, so NaN and
    /// infinity are values like others: what `f` makes of them is up to it, and a
    /// NaN does not keep the swap from succeeding.
    ///
    /// # Errors
    ///
    /// [`StorageError::NotANumber`] if the value has not 4 bytes; nothing is
    /// written then. Otherwise as for [`StorageEngine`].
    fn compare_and_swap_f32(&self, key: &[u8], mut f: impl FnMut(f32) -> f32) -> Result<f32> {
        let mut new = 0.0;
        self.try_fetch_update(key, Durability::Buffer, |value| {
            let number = value.map_or(Ok(0.0), |value| {
                number_of(self, key, value, "an f32").map(f32::from_le_bytes)
            })?;
            new = f(number);
            Ok::<_, StorageError>(Some(new.to_le_bytes().to_vec()))
        })?;
        Ok(new)
    }

    /// Sets the value of a key to what `f` makes of it and returns that; `None`
    /// stands for an absent key, before and after. `f` may run more than once.
    ///
    /// # Errors
    ///
    /// As for [`StorageEngine`].
    fn fetch_update(
        &self,
        key: &[u8],
        mut f: impl FnMut(Option<&[u8]>) -> Option<Vec<u8>>,
    ) -> Result<Option<Vec<u8>>> {
        self.try_fetch_update(key, Durability::Buffer, |value| Ok(f(value)))
    }

    /// As [`fetch_update`](Self::fetch_update), with a durability and an `f` that
    /// may refuse.
    ///
    /// # Errors
    ///
    /// What `f` fails with; nothing is written then. Otherwise as for
    /// [`StorageEngine`].
    fn try_fetch_update<E: From<StorageError>>(
        &self,
        key: &[u8],
        durability: Durability,
        mut f: impl FnMut(Option<&[u8]>) -> Result<Option<Vec<u8>>, E>,
    ) -> Result<Option<Vec<u8>>, E> {
        loop {
            let value = self.get(key)?;
            let new = f(value.as_deref())?;
            if self.compare_and_swap(key, value.as_deref(), new.as_deref(), durability)? {
                return Ok(new);
            }
        }
    }
}

impl<E: StorageEngine + ?Sized> StorageEngineExt for E {}

fn number_of<const N: usize>(
    engine: &(impl StorageEngine + ?Sized),
    key: &[u8],
    value: &[u8],
    expected: &'static str,
) -> Result<[u8; N]> {
    value.try_into().map_err(|_| StorageError::NotANumber {
        keyspace: engine.name().to_owned(),
        key: key.to_vec(),
        expected,
        problem: format!("it has {} bytes, not {N}", value.len()),
    })
}

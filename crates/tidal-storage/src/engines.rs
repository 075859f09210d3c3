//! One file, or folder, for each engine.

#[cfg(any(feature = "lmdb", feature = "rocksdb"))]
mod chunks;
#[cfg(feature = "fjall")]
pub(crate) mod fjall;
#[cfg(feature = "hybrid")]
pub(crate) mod hybrid;
#[cfg(feature = "lmdb")]
pub(crate) mod lmdb;
pub(crate) mod memory;
#[cfg(any(feature = "lmdb", feature = "rocksdb"))]
mod moments;
#[cfg(any(feature = "lmdb", feature = "redb", feature = "rocksdb"))]
mod opening;
#[cfg(feature = "redb")]
pub(crate) mod redb;
#[cfg(feature = "rocksdb")]
pub(crate) mod rocksdb;

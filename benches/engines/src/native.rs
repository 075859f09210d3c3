//! The engines by their own interfaces, each used as its documentation shows, with the
//! settings and the durability that tidal-storage gives it. A value is looked at where
//! it lies.

mod environment;
pub(crate) mod fjall;
pub(crate) mod lmdb;
pub(crate) mod redb;
#[cfg(feature = "rocksdb")]
pub(crate) mod rocksdb;

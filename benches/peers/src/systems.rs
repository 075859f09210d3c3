//! The systems, a file each.

pub(crate) mod fjall;
pub(crate) mod postgres;
pub(crate) mod redis;
#[cfg_attr(not(feature = "rocksdb"), path = "systems/no_rocksdb.rs")]
pub(crate) mod rocksdb;
pub(crate) mod sqlite;
pub(crate) mod tidal;

#[cfg(test)]
mod tests;

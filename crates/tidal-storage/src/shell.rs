//! The traits of this crate over any [`Driver`](crate::Driver): checks, limits,
//! deduplication, counters and closing, once for all engines.
//!
//! X1. A driver lives in one place, [`shared::Shared`], and every call borrows it
//!     there; so closing takes it away from everyone at once.
//! X2. No lock is held while the caller's code runs.

mod backend;
mod scan;
mod shared;
mod snapshot;
mod storage;

pub use backend::DriverBackend;
pub use storage::DriverStorage;

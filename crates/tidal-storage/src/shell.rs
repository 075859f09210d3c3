//! The traits of this crate over any [`Driver`](crate::Driver): checks, limits,
//! deduplication, counters and closing, once for all engines.
//!
//! X1. A driver lives in one place, [`shared::Shared`], and every call borrows it
//!     there; so closing takes it away from everyone at once.
//! X2. No lock is held while the caller's code runs.
//! X3. Every write passes the conflict layer, [`conflicts`], whoever makes it.

mod backend;
mod conflicts;
mod scan;
mod shared;
mod snapshot;
mod storage;
mod transactions;

pub use backend::DriverBackend;
pub use conflicts::CONFLICT_BYTES_MAX;
pub(crate) use conflicts::Start;
pub use storage::DriverStorage;
pub(crate) use transactions::Committer;

#[cfg(test)]
mod tests;

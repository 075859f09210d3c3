//! The conformance suite: what every engine has to do, as named cases that anyone who
//! writes an engine can run.
//!
//! A [`Factory`] opens the engine; a [`Case`] does one thing to it and says what came
//! of it. [`conformance_tests!`](crate::conformance_tests) makes a test of each case,
//! so that they run, fail and are filtered by their names like any other test:
//!
//! ```
//! use std::path::Path;
//!
//! use tidal_storage::conformance::Factory;
//! use tidal_storage::{Capabilities, Driver, Memory, MemoryStorage, Result, Storage};
//!
//! /// In memory, so what is reopened is the storage that there is.
//! struct InMemory;
//!
//! impl Factory for InMemory {
//!     fn capabilities(&self) -> Capabilities {
//!         Memory::CAPABILITIES
//!     }
//!
//!     fn open(&self, _directory: &Path) -> Result<Box<dyn Storage>> {
//!         Ok(Box::new(MemoryStorage::new()))
//!     }
//!
//!     fn reopen(&self, storage: Box<dyn Storage>, _directory: &Path) -> Result<Box<dyn Storage>> {
//!         Ok(storage)
//!     }
//! }
//!
//! // One line, in a test of your crate. An engine on disk leaves the last part out.
//! tidal_storage::conformance_tests!(in_memory, crate::InMemory, without persistence);
//!
//! // The same by hand.
//! let case = tidal_storage::conformance::find("crud", "deleting_removes").expect("a case");
//! case.run(&InMemory).into_result()?;
//! # Ok::<(), tidal_storage::conformance::Failure>(())
//! ```
//!
//! The suite needs the feature `conformance`, as a dependency of tests:
//! `tidal-storage = { version = "..", features = ["conformance"] }`.
//!
//! # What is asked
//!
//! | group          | of an engine                                                             |
//! |----------------|--------------------------------------------------------------------------|
//! | `crud`         | single keys: put, get, contains, delete, any bytes, keyspaces, counters  |
//! | `range_scans`  | bounds of every kind, both directions, one moment                        |
//! | `prefix_scans` | exactly what begins so, whatever the bytes                               |
//! | `batches`      | all or nothing, the last operation wins, 100,000 operations              |
//! | `transactions` | own writes, savepoints, conflicts, each anomaly, sequences               |
//! | `durability`   | what is there after reopening, after a kill, and who may open            |
//! | `concurrency`  | threads that read and write side by side                                 |
//! | `errors`       | what is refused, and that it leaves no trace                             |
//!
//! # Rules
//!
//! V1. A case has a storage and a directory of its own, and does not know the engine.
//! V2. A case that fails says its name, where it stands, what it looked at, what it saw
//!     and what it expected. An engine that panics has failed the case.
//! V3. A case that the [capabilities](Factory::capabilities) rule out is
//!     [not applicable](Outcome::NotApplicable), with the reason; it has not passed.
//! V4. No case sleeps or looks at the time.

mod batches;
mod case;
mod check;
mod concurrency;
mod crud;
mod durability;
mod errors;
mod factory;
mod list;
mod prefix_scans;
mod range_scans;
mod subject;
mod transactions;

pub use case::{Case, Needs, Outcome, assert_declared, assert_passes, assert_unless_ruled_out};
pub use check::Failure;
pub use factory::Factory;
pub use list::{cases, find};

use check::{Verdict, fails, holds, joined, same};
use subject::{Subject, keys, shown, text, value};

#[cfg(test)]
mod tests;

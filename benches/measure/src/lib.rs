//! What the benchmarks beside other systems have in common: the words of their command
//! line, what is told of many measurements, tables, and the document that keeps them.
//!
//! A package of its own since [the logs](../../logs/src/main.rs) and
//! [the engines](../../engines/src/main.rs) are workspaces of their own.

mod bare;
mod console;
mod document;
mod machine;
mod options;
mod random;
mod stats;
mod table;

use std::error::Error;

pub use bare::BareFile;
pub use console::{complain, now, say};
pub use document::{at, publish};
pub use machine::describe;
pub use options::Options;
pub use random::Random;
pub use stats::{Samples, Short, turns};
pub use table::Table;

/// What a benchmark answers: whatever went wrong is told as it is.
pub type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

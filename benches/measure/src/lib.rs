//! What the benchmarks that are programs have in common: the words of their command line,
//! what is told of many measurements, tables, the document that keeps them, and which
//! items are asked for.
//!
//! A package of its own since [the logs](../../logs/src/main.rs),
//! [the engines](../../engines/src/main.rs) and [the rankings](../../rank/src/main.rs) are
//! workspaces of their own.

mod axis;
mod bare;
mod console;
mod document;
mod machine;
mod options;
mod random;
mod stats;
mod table;
mod zipf;

use std::error::Error;

pub use axis::{decades, power};
pub use bare::BareFile;
pub use console::{complain, ended, now, say};
pub use document::{at, publish};
pub use machine::{describe, sync_secs};
pub use options::Options;
pub use random::Random;
pub use stats::{Samples, Short, turns};
pub use table::Table;
pub use zipf::{Zipf, spread};

/// What a benchmark answers: whatever went wrong is told as it is.
pub type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

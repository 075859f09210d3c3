//! Taking rows in: what a row means, which entities it names, and how rows
//! become durable commits.
//!
//! I1. A row is accepted, a duplicate or rejected, and counted once.
//! I2. Without rejected rows, what is durable is at any moment a beginning of
//!     the file in whole batches (and perhaps the names of the next one).
//! I3. A rejected row never takes another with it.
//! I4. Rows that were taken before are read, counted, and sent nowhere.

mod chunk;
mod identities;
mod interpreter;
mod origin;
mod patches;
mod pipeline;
mod tally;

pub(crate) use identities::Identities;
pub(crate) use interpreter::{Interpreter, check_name};
pub(crate) use origin::{Meaning, Origin};
pub(crate) use patches::{Patched, Patches};
pub(crate) use pipeline::Pipeline;
pub(crate) use tally::Tally;

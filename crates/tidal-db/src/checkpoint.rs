//! Checkpoints: state and position, in storage.
//!
//! C2. A checkpoint syncs the log first, so storage never holds a record above
//!     what the log can prove.
//! C5. Schema, names, id modes and position are written in one atomic commit,
//!     as of exactly that position. Cells and metadata are written before it:
//!     a cell knows the seq it has applied, and metadata is absolute, so
//!     replaying from the position before comes to the same state.

mod layout;
mod load;
mod write;

pub(crate) use layout::{Head, keyspace, metadata_id, metadata_key};
pub(crate) use load::{Loaded, load};
pub(crate) use write::write;

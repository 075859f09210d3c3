//! Checkpoints: state and position, in storage.
//!
//! C2. A checkpoint syncs the log first, so storage never holds a record above
//!     what the log can prove.
//! C5. Names, producers, id modes and position are written in one atomic commit, as of
//!     exactly that position. Cells and metadata are written before it: a cell
//!     knows the seq it has applied, and metadata is absolute, so replaying from
//!     the position before comes to the same state. The schema comes before the
//!     first cell that needs it, and replay takes an older one for what it is.
//!
//! A storage is bound to its log before the log has its first record, by a head
//! that has applied nothing.

mod layout;
mod load;
mod write;

pub(crate) use layout::{Head, keyspace, metadata_id, metadata_key};
pub(crate) use load::{Loaded, load, load_head, read_head};
pub(crate) use write::{bind, rebind, write};

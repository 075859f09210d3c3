//! Checkpoints: state and position, in storage.
//!
//! C2. The log is synced behind the newest record that anything in a commit comes from,
//!     before the commit; so storage never holds a record above what the log can prove.
//!     Each commit says how far that is, the reach.
//! C4. A checkpoint is fuzzy: it is written while the state goes on, so a cell may be
//!     newer than the checkpoint's position. A cell knows the seq it has applied, and
//!     replay passes over what it has.
//! C5. Names, producers, id modes, what was forgotten and position are written in one
//!     atomic commit, the last, as of exactly that position: they were frozen when it was
//!     the last record folded. Cells, metadata and rows are written before it: metadata and
//!     attributes are absolute, unique actors the same however often they are folded, and a
//!     history knows the last record it has applied, so replaying from the position before
//!     comes to the same state. The schema comes
//!     with the first cell, and replay takes an older one for what it is.
//! C6. How many cells storage has is written with each chunk of them, and so is exact
//!     whatever was cut short.
//!
//! A storage is bound to its log before the log has its first record, by a head
//! that has applied nothing.

mod cells;
mod erase;
mod layout;
mod load;
mod upgrade;
mod write;

pub(crate) use cells::StoredCells;
pub(crate) use erase::erase;
pub(crate) use layout::{
    Head, attributes_id, attributes_key, decode_named_id, history_key, keyspace, metadata_id,
    metadata_key, name_key, named_id_key, names_range, parse_history_key, parse_uniques_key,
    uniques_key,
};
pub(crate) use load::{load, load_head, named_id, read_head};
pub(crate) use upgrade::upgrade;
#[cfg(test)]
pub(crate) use write::put_names;
pub(crate) use write::{COMMIT_BYTES, Writer, bind, note_purged, rebind};

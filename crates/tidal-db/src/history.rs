//! Histories: what each user did to which entity, of the signal types whose schema says so.
//!
//! One row for each user and signal type has an entry for every entity that the user ever
//! acted on by it: the decayed sum of the weights of the user's events, by the decay of the
//! signal type, and the time of the newest. Nothing leaves a row but what is forgotten, and
//! the oldest of a row that is full.
//!
//! H1. A history is folded with the events, by the one thread that folds, in the order of
//!     the log (L1, L2): of events that name a user, that are taken and no repeats, of
//!     signal types that keep it.
//! H2. A row knows the last record that it has applied and takes none twice (L3), whatever
//!     checkpoint it was written by (V3 of the overlay).
//! H3. A forgotten user has no rows. A forgotten entity is in no answer and in no checksum
//!     from the moment on at which it is forgotten, whether or not its entries are still in
//!     the rows; they go with the next change of a row and with a purge. So it makes no
//!     difference to the state which of them went when.
//! H4. A row without entries is none.
//! H5. A row has at most [`HISTORY_ENTITIES_MAX`] entries, so that it is always short enough
//!     for a value in storage. When an event is about one more, the eighth whose newest
//!     event is oldest goes first, of equal times the lower id, after what was forgotten:
//!     the row depends on the log alone, as long as the log was not purged.
//! H6. A row is rid of what was forgotten when it changes, by a pass over what was forgotten
//!     since its last change, or over its entries where those are fewer.

mod affinity;
mod codec;
mod erase;
mod fold;
mod listing;
mod purging;
mod row;
#[cfg(test)]
mod tests;

use tidal_types::{EntityId, EntityKind, SignalTypeId, TidalError};

pub(crate) use affinity::AffinityTable;
pub(crate) use erase::erase;
pub(crate) use listing::each;
pub(crate) use row::{HistoryRow, Row};

pub use row::{HISTORY_ENTITIES_MAX, Seen};

use crate::Result;
use crate::checkpoint::history_key;
use crate::overlay::{Overlay, Rows};

/// The user and the signal type of a row.
pub(crate) type Key = (EntityId, SignalTypeId);

/// The rows of all users.
pub(crate) type Histories = Overlay<HistoryRows>;

/// The kind of row that a history is.
#[derive(Debug)]
pub(crate) struct HistoryRows;

impl Rows for HistoryRows {
    type Key = Key;
    type Row = Row;

    /// Not many, since rows are long.
    const CACHED: usize = 256;

    fn place(&(user, signal): &Key) -> Result<(EntityKind, Vec<u8>)> {
        Ok((EntityKind::User, history_key(user, signal)?))
    }

    fn encode(row: &Row) -> Vec<u8> {
        codec::encode(row)
    }

    fn decode(&(user, signal): &Key, bytes: &[u8]) -> Result<Row> {
        codec::decode(bytes).map_err(|problem| damaged(user, signal, problem))
    }

    fn bytes(row: &Row) -> usize {
        row.bytes()
    }
}

fn damaged(user: EntityId, signal: SignalTypeId, problem: impl Into<String>) -> TidalError {
    let location = format!("history of user {user} by signal type {signal}");
    TidalError::Damaged { location, problem: problem.into() }
}

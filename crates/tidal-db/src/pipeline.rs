//! The way of a write: callers encode and append; one applier thread waits for
//! the log and folds, in the order of the log, and only then answers.
//!
//! W1. Commits are folded in the order of the log, and each record exactly once: those of a
//!     commit in the order of their numbers, but for events, of which those of one entity are.
//! W2. A caller has its answer only after its records are as durable as the
//!     database was opened for and are folded: whoever was answered reads its own
//!     write.
//! W3. What the log did not take is not folded; its callers get the error. So do
//!     those who sent it again meanwhile.
//! W4. The applier is the only thread that changes state. What needs the state to stand
//!     still, a checksum or the freezing of what a checkpoint writes, is done by it,
//!     between two commits.
//! W5. No record is passed over: once one cannot be folded, none is, and every commit is
//!     answered with that. The log has them, and opening folds them.

mod applier;
mod door;
mod forgetting;
mod gate;
mod pending;
mod repeats;
mod setbacks;
mod ticket;
mod triggers;

#[cfg(test)]
mod tests;

pub(crate) use applier::{Applier, Progress};
pub(crate) use gate::{Gate, GateParts};
pub(crate) use pending::UsedIds;
pub(crate) use repeats::Repeat;
pub(crate) use setbacks::Setbacks;
pub use ticket::Ticket;
pub(crate) use triggers::Triggers;

use tidal_wal::Completer;

use crate::Result;
use crate::batch::Committed;
use crate::change::Entry;
use crate::log::Appending;

/// What the applier is asked to do, in the order of the log.
pub(crate) enum Work {
    /// Fold these changes once the log has them.
    Commit(PendingCommit),
    /// Do something while the state stands still.
    Inspect(Box<dyn FnOnce(&mut Applier) + Send>),
}

/// Changes that are in the log's hands.
pub(crate) struct PendingCommit {
    /// Nothing when all of it was sent before.
    pub(crate) appending: Option<Appending>,
    pub(crate) entries: Vec<Entry>,
    /// The places of the batch that were sent before, between those of the entries.
    pub(crate) repeats: Vec<Repeat>,
    /// How long they are as encoded.
    pub(crate) bytes: usize,
    pub(crate) answer: Completer<Result<Committed>>,
}

/// What a commit does that finds no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WhenFull {
    Wait,
    Refuse,
}

/// How many commits may be on their way before callers wait.
pub(crate) const COMMITS_IN_FLIGHT_MAX: usize = 1024;

/// How much the applier may be asked to do at once: every commit in flight and as many
/// checkpoints and checksums, so that who has counted a commit in does not wait for a
/// place here.
pub(crate) const WORK_QUEUED_MAX: usize = 2 * COMMITS_IN_FLIGHT_MAX;

/// How many bytes of records may be on their way before callers wait; one commit
/// may always be.
pub(crate) const BYTES_IN_FLIGHT_MAX: usize = 64 << 20;

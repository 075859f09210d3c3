//! What becomes of the log behind a checkpoint.
//!
//! K1. Nothing is cut that a checkpoint, a cursor or a copy still needs, and nothing in
//!     a database whose storage does not survive a power cut.
//! K2. With [`Retention::For`], the base is durable at the cut before the log is cut
//!     (A1). While the base is read, or cannot be brought forward, nothing is cut; the
//!     next checkpoint tries again.
//! K3. What is kept is sealed once a checkpoint has it, a few segments at a time, and
//!     nothing is sealed that the age lets go.

use std::sync::Arc;

use tidal_storage::Storage;
use tidal_types::{Clock, Position, Seq, Timestamp};

use crate::Result;
use crate::base::{Advanced, KeptBase};
use crate::config::Retention;
use crate::log::RecordLog;

/// How many segments are sealed after a checkpoint at most, so that who waits for it
/// does not wait for a long log to be compressed. It is more than a checkpoint by bytes
/// leaves behind, so that a log that was never sealed is in the end.
const SEALED_AT_ONCE_MAX: usize = 6;

/// What was chosen for the log, and what it takes to do it.
#[derive(Debug, Clone)]
pub(crate) struct Retained {
    pub(crate) retention: Retention,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) base: Arc<KeptBase>,
}

/// Cuts and seals the log behind a durable checkpoint as of `position`, as was chosen.
/// It is asked before each step whether it `may_go_on`.
///
/// # Errors
/// What the log, storage or the base say when the log is cut. That a segment cannot be
/// sealed is logged, since it is read as it is.
pub(crate) fn after_checkpoint(
    retained: &Retained,
    storage: &dyn Storage,
    log: &dyn RecordLog,
    position: Position,
    may_go_on: &dyn Fn() -> bool,
) -> Result<()> {
    let capabilities = storage.capabilities();
    if !(capabilities.persistent && capabilities.survives_power_cut) {
        return Ok(());
    }
    let seal_from = match retained.retention {
        Retention::Forever => Seq::ZERO,
        Retention::UntilCheckpoint => return log.truncate_before(position.seq.next()),
        Retention::For(span) => {
            let youngest = retained.clock.now().saturating_sub(span);
            cut_by_age(&retained.base, log, youngest, position)?;
            log.written_by(youngest)
        }
    };
    for _ in 0..SEALED_AT_ONCE_MAX {
        if !may_go_on() {
            break;
        }
        match log.seal_one(seal_from, position.seq.next()) {
            Ok(true) => {}
            Ok(false) => break,
            Err(error) => {
                tracing::error!(%error, "a segment of the log was not sealed; it stays as it is");
                break;
            }
        }
    }
    Ok(())
}

/// Cuts what was written by `time`, behind the base.
fn cut_by_age(
    base: &KeptBase,
    log: &dyn RecordLog,
    time: Timestamp,
    position: Position,
) -> Result<()> {
    let cut = log.cut(time, position.seq.next());
    if cut <= log.first_seq() {
        return Ok(());
    }
    match base.advance(log, cut.previous())? {
        Advanced::Nowhere => return Ok(()),
        Advanced::IsRead => {
            tracing::info!("the base is being read; the log is cut after a later checkpoint");
            return Ok(());
        }
        Advanced::Absent => {
            tracing::warn!(first = %log.first_seq(), "the log was cut before without a base, so there is none of what is cut now");
        }
        Advanced::Reached => {}
    }
    log.truncate_before(cut)
}

//! Waiting for a record to be durable, and for a cursor to come past it.

use std::time::Duration;

use tidal_types::{Position, Seq, WalError};

use super::Wal;

impl Wal {
    /// Waits until record `seq` is durable, whether or not it was appended yet. Nothing
    /// is synced for it: a log that was not opened as
    /// [`Durable`](crate::Durability::Durable) may take 50 milliseconds to do that when
    /// nobody calls [`Wal::sync`].
    ///
    /// # Errors
    /// [`WalError::Poisoned`] and [`WalError::Closed`] when the log fails or is closed
    /// before that.
    pub fn wait_durable(&self, seq: Seq) -> Result<(), WalError> {
        self.shared.progress.wait_durable(seq, None)
    }

    /// Calls `tell` with [`WalError::Poisoned`] once the log has failed, at once if it has
    /// already, and never when it is closed before that. It is called by whichever thread
    /// the failure came to, and must not wait for this log.
    pub fn on_failure(&self, tell: impl FnOnce(&WalError) + Send + 'static) {
        self.shared.progress.on_failure(Box::new(tell));
    }

    /// Waits until the cursor has committed the record at `position`: whoever reads by it
    /// has applied the record by then. The cursor needs no handle yet.
    ///
    /// # Errors
    /// [`WalError::OtherLog`] when the position is of another log;
    /// [`WalError::NoSuchCursor`], also when it is removed meanwhile;
    /// [`WalError::TimedOut`], which says where it is; [`WalError::Poisoned`] and
    /// [`WalError::Closed`] when the log fails or is closed before that.
    pub fn wait_for_cursor(
        &self,
        name: &str,
        position: Position,
        timeout: Duration,
    ) -> Result<(), WalError> {
        let log_id = self.shared.log_id;
        if position.log_id != log_id {
            return Err(WalError::OtherLog { position, log_id });
        }
        self.shared.progress.wait_for_cursor(name, position.seq, timeout)
    }
}

//! The promise of an answer to a commit.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use tidal_types::TidalError;
use tidal_wal::{Completion, completion};

use crate::Result;
use crate::batch::Committed;

/// The promise of an answer to [`TidalDB::submit`](crate::TidalDB::submit).
///
/// Wait for it, await it, or drop it: the batch is committed all the same.
#[derive(Debug)]
#[must_use = "without its answer nobody knows whether the batch is durable"]
pub struct Ticket {
    answer: Completion<Result<Committed>>,
}

impl Ticket {
    pub(crate) const fn new(answer: Completion<Result<Committed>>) -> Self {
        Self { answer }
    }

    /// A ticket whose answer is known.
    pub(crate) fn answered_with(committed: Committed) -> Self {
        let (answer, pending) = completion();
        answer.complete(Ok(committed));
        Self::new(pending)
    }

    /// Whether waiting would return at once.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.answer.is_done()
    }

    /// Waits until the batch is as durable as the database was opened for and
    /// can be read.
    ///
    /// # Errors
    /// An error whose [`kind`](TidalError::kind) is
    /// [`Space`](tidal_types::ErrorKind::Space) when there was no room: nothing
    /// was written, and a later commit may succeed. One whose kind is
    /// [`Reopen`](tidal_types::ErrorKind::Reopen) when a write or a sync failed:
    /// after reopening all of the batch is there, or nothing of it.
    pub fn wait(self) -> Result<Committed> {
        answered(self.answer.wait())
    }
}

impl Future for Ticket {
    type Output = Result<Committed>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.answer).poll(context).map(answered)
    }
}

/// The applier answers everyone before it ends, unless it panicked.
fn answered(answer: Option<Result<Committed>>) -> Result<Committed> {
    answer.unwrap_or(Err(TidalError::Closed))
}

//! A ticket: the promise of an answer to an append.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tidal_types::{Seq, WalError};

use crate::completion::Completion;

/// The records of one append and their numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    /// The number of the first record.
    pub first: Seq,
    /// The number of the last record.
    pub last: Seq,
}

/// The promise of an answer to an append.
///
/// Wait for it, await it, or drop it: the records are written all the same. When
/// they cannot be, and nobody listens, the next [`Wal::sync`](crate::Wal::sync) or
/// [`Wal::close`](crate::Wal::close) says so. Many tickets can be held at once, so
/// that one thread keeps many appends in flight.
#[derive(Debug)]
#[must_use = "without its answer nobody knows whether the records are durable"]
pub struct Ticket {
    appended: Appended,
    answer: Option<Completion<Result<(), WalError>>>,
}

impl Ticket {
    /// `answer` is `None` when the answer is known to be good.
    pub(crate) const fn new(
        appended: Appended,
        answer: Option<Completion<Result<(), WalError>>>,
    ) -> Self {
        Self { appended, answer }
    }

    /// The numbers the records have, if they come to be in the log.
    #[must_use]
    pub const fn appended(&self) -> Appended {
        self.appended
    }

    /// Whether waiting would return at once.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.answer.as_ref().is_none_or(Completion::is_done)
    }

    /// Waits until the records are as durable as the log was opened for.
    ///
    /// # Errors
    /// [`WalError::NoSpace`] when there was no room: nothing was written, neither
    /// of this nor of any append that waited behind it, and a later append may
    /// succeed, with the same numbers. [`WalError::Indeterminate`] when a write or a
    /// sync failed: after reopening all of the records are there, or none.
    pub fn wait(self) -> Result<Appended, WalError> {
        let answer = self.answer.map_or(Some(Ok(())), Completion::wait);
        answered(self.appended, answer)
    }
}

impl Future for Ticket {
    type Output = Result<Appended, WalError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let appended = self.appended;
        match &mut self.answer {
            None => Poll::Ready(Ok(appended)),
            Some(answer) => Pin::new(answer).poll(context).map(|answer| answered(appended, answer)),
        }
    }
}

fn answered(
    appended: Appended,
    answer: Option<Result<(), WalError>>,
) -> Result<Appended, WalError> {
    answer.unwrap_or_else(|| Err(WalError::Indeterminate { cause: Arc::new(writer_gone()) }))?;
    Ok(appended)
}

/// The writer answers everyone before it ends, unless it panicked.
pub(crate) fn writer_gone() -> WalError {
    WalError::Io {
        operation: "go on writing to",
        path: "the log".into(),
        source: Arc::new(io::Error::other("its writer panicked")),
    }
}

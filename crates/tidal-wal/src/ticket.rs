//! A ticket: the promise of an answer to an append.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tidal_types::{Seq, WalError};

use crate::completion::Completion;
use crate::dedup::Repeat;
use crate::queue::Placed;

/// The records of one append and their numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Appended {
    /// The number of the first new record. When none is new, the number that the next
    /// record gets.
    pub first: Seq,
    /// The number of the last new record. When none is new, the one before `first`.
    pub last: Seq,
    repeats: Vec<Repeat>,
}

/// What became of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It is in the log under this number.
    Appended {
        /// Its number.
        seq: Seq,
    },
    /// A record with its key and its content is in the log already, as durable as
    /// this answer would say of a new one. Nothing was added.
    Duplicate {
        /// The number of the original.
        seq: Seq,
    },
}

impl Appended {
    pub(crate) fn new(placed: Placed) -> Self {
        let Placed { first, new_count, repeats } = placed;
        Self { first, last: first.plus(u64::from(new_count)).previous(), repeats }
    }

    /// What became of each record, in the order of the batch.
    pub fn outcomes(&self) -> impl Iterator<Item = Outcome> {
        let count = self.new_count() + self.repeats.len() as u64;
        let mut repeats = self.repeats.iter().peekable();
        let mut seq = self.first;
        (0..count).map(move |index| {
            if let Some(repeat) = repeats.next_if(|repeat| u64::from(repeat.index) == index) {
                return Outcome::Duplicate { seq: repeat.seq };
            }
            let outcome = Outcome::Appended { seq };
            seq = seq.next();
            outcome
        })
    }

    /// The places in the batch, from 0, of the records that are in the log already, and
    /// their numbers.
    pub fn duplicates(&self) -> impl Iterator<Item = (usize, Seq)> {
        self.repeats.iter().map(|repeat| (repeat.index as usize, repeat.seq))
    }

    /// How many records are new.
    #[must_use]
    pub const fn new_count(&self) -> u64 {
        self.last.next().get() - self.first.get()
    }
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
    pub const fn appended(&self) -> &Appended {
        &self.appended
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
        let answer = match &mut self.answer {
            None => Some(Ok(())),
            Some(answer) => match Pin::new(answer).poll(context) {
                Poll::Ready(answer) => answer,
                Poll::Pending => return Poll::Pending,
            },
        };
        Poll::Ready(answered(self.appended.clone(), answer))
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

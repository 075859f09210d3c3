//! Who runs the writer: a thread of its own, or a simulation, step by step.

use std::path::PathBuf;

use tidal_types::WalError;

use crate::disk::failed;
use crate::sync::{JoinHandle, current_thread_id, spawn};
use crate::ticket::writer_gone;
use crate::writer::Writer;

#[derive(Debug)]
pub(crate) enum Runner {
    Thread(JoinHandle<Result<(), WalError>>),
    #[cfg(any(test, feature = "sim"))]
    Stepped(Box<Writer>),
}

impl Runner {
    /// A thread for the writer of the log at `path`.
    pub(crate) fn spawn(writer: Writer, path: PathBuf) -> Result<Self, WalError> {
        spawn("tidal-wal", move || writer.run_guarded())
            .map(Self::Thread)
            .map_err(failed("start a thread for", path))
    }

    pub(crate) fn is_this_thread(&self) -> bool {
        match self {
            Self::Thread(thread) => thread.thread().id() == current_thread_id(),
            #[cfg(any(test, feature = "sim"))]
            Self::Stepped(_) => false,
        }
    }

    /// Makes the segment that is ordered, if any, unless a thread does.
    #[cfg(any(test, feature = "sim"))]
    pub(crate) fn make_spare(&mut self) {
        if let Self::Stepped(writer) = self {
            writer.spares().make_ordered();
        }
    }

    /// Does one step, unless a thread does.
    #[cfg(any(test, feature = "sim"))]
    pub(crate) fn step(&mut self) {
        if let Self::Stepped(writer) = self {
            writer.step();
        }
    }

    /// Waits until the writer of a closed queue has written what is in it.
    pub(crate) fn finish(self) -> Result<(), WalError> {
        match self {
            Self::Thread(thread) => thread.join().unwrap_or_else(|_| Err(writer_gone())),
            #[cfg(any(test, feature = "sim"))]
            Self::Stepped(writer) => writer.run_guarded(),
        }
    }
}

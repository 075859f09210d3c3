//! Checkpoints: the state of the log's owner beside the deduplication window, so that
//! the log before them can go.

use std::sync::Arc;

use tidal_types::{Seq, WalError};

use crate::checkpoint_file;
use crate::checkpoints::Checkpoints;
use crate::format::{CheckpointFlaw, CheckpointHeader, Maker};
use crate::limits::CHECKPOINT_STATE_BYTES_MAX;
use crate::names;
use crate::tail::TailError;
use crate::wal::Wal;
use crate::window::Entries;
use crate::writer::fail_all;

/// What the owner of a log kept in its newest sound checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnerState {
    /// The record through which the state goes.
    pub through: Seq,
    /// The state, opaque to the log.
    pub state: Vec<u8>,
}

impl Wal {
    /// Writes a checkpoint: the state of the log's owner, which takes account of every
    /// record up to `through`, and the deduplication window. It syncs the log first,
    /// and survives a power cut when it returns.
    ///
    /// Two checkpoints are kept. When the newest one turns out to be damaged, opening
    /// uses the one before, with the log behind it; [`Wal::truncate_before`] leaves
    /// that there. So the first one frees nothing.
    ///
    /// Writers go on meanwhile. A key in the window costs 41 bytes on disk, written
    /// twice as any file of the log; what is copied while appends wait is a pointer
    /// per thousand keys.
    ///
    /// # Errors
    /// [`WalError::CheckpointTooLarge`]: the state has more than
    /// [`CHECKPOINT_STATE_BYTES_MAX`] bytes. [`WalError::CheckpointAhead`]: `through` is
    /// not durable. [`WalError::Truncated`]: the log no longer has what follows on it.
    /// [`WalError::NoSpace`], and [`WalError::Io`] before the file has its
    /// name: the checkpoints are as before. After any other error the log takes no more
    /// records. Those of [`Wal::sync`].
    pub fn checkpoint(&self, through: Seq, state: &[u8]) -> Result<(), WalError> {
        if state.len() > CHECKPOINT_STATE_BYTES_MAX {
            let (bytes, max) = (state.len(), CHECKPOINT_STATE_BYTES_MAX);
            return Err(WalError::CheckpointTooLarge { bytes, max });
        }
        let mut checkpoints = self.shared.checkpoints();
        let (wanted, first) = (through.next(), self.first_seq());
        if wanted < first {
            return Err(WalError::Truncated { wanted, first });
        }
        self.write_checkpoint(&mut checkpoints, Maker::Owner, through, state)
    }

    /// The state in the newest sound checkpoint; `None` when there is none. Then the log
    /// has every record, unless its owner cut it and never kept a state.
    ///
    /// # Errors
    /// [`WalError::Damaged`] when the file was damaged since the log was opened,
    /// [`WalError::Io`].
    pub fn owner_state(&self) -> Result<Option<OwnerState>, WalError> {
        let checkpoints = self.shared.checkpoints();
        let Some(header) = checkpoints.newest_of_owner() else {
            return Ok(None);
        };
        let disk = &*self.shared.disk;
        match checkpoint_file::read(disk, header.number)? {
            Ok(found) if found.header == *header => {
                Ok(Some(OwnerState { through: header.through, state: found.state }))
            }
            other => {
                let path = disk.path(&names::checkpoint(header.number));
                let problem = match other {
                    Err(CheckpointFlaw::Invalid(problem)) => problem,
                    _ => "another checkpoint than the one that was written",
                };
                Err(WalError::Damaged { path, offset: 0, problem: problem.into() })
            }
        }
    }

    /// The record through which the owner's state in the newest sound checkpoint goes.
    #[must_use]
    pub fn checkpointed(&self) -> Option<Seq> {
        self.shared.checkpoints().newest_of_owner().map(|header| header.through)
    }

    /// How many keys the log knows now.
    #[must_use]
    pub fn known_keys(&self) -> usize {
        self.shared.queue.with_dedup(|dedup| dedup.len())
    }

    fn write_checkpoint(
        &self,
        checkpoints: &mut Checkpoints,
        maker: Maker,
        through: Seq,
        state: &[u8],
    ) -> Result<(), WalError> {
        self.sync()?;
        let copy = self.shared.queue.with_dedup(|dedup| dedup.copy());
        if copy.position > self.shared.durable().next_seq {
            // It takes account of what others have appended meanwhile.
            self.sync()?;
        }
        let end = copy.position.previous();
        if through > end {
            return Err(WalError::CheckpointAhead { through, end });
        }
        // Held while the file is written: once the log is closed, its files are
        // someone else's.
        let runner = self.lock_runner();
        if runner.is_none() {
            return Err(WalError::Closed { path: self.shared.disk.path("") });
        }
        if let Some(cause) = self.shared.queue.failure() {
            return Err(WalError::Poisoned { cause });
        }
        let header = CheckpointHeader {
            maker,
            log_id: self.shared.log_id,
            number: checkpoints.next_number(),
            through,
            position: copy.position,
            log_time: copy.log_time,
            entry_count: copy.entries.iter().map(Entries::len).sum::<usize>() as u64,
            state_bytes: state.len() as u64,
        };
        let written = checkpoints.write(&*self.shared.disk, header, &copy.entries, state);
        let noted = written.and_then(|()| {
            let noted = self.shared.floor().note_checkpoint(header.number);
            noted.map_err(TailError::Unsound)
        });
        noted.map_err(|error| match error {
            TailError::NoRoom(error) => error,
            TailError::Unsound(error) => {
                fail_all(&self.shared, Arc::new(error.clone()), Vec::new());
                error
            }
        })
    }

    /// How much of the records before `seq` may go. Writes the checkpoints that the log
    /// needs for itself.
    pub(crate) fn hold_back(
        &self,
        checkpoints: &mut Checkpoints,
        seq: Seq,
    ) -> Result<Seq, WalError> {
        let (_, oldest) = self.shared.segments().before(seq);
        let boundary = oldest
            .and_then(|oldest| self.shared.segments().first_seq_of(oldest))
            .unwrap_or(Seq::FIRST);
        if boundary > self.first_seq() {
            let first_key = self.shared.queue.with_dedup(|dedup| dedup.first_seq());
            while checkpoints.lack_one(boundary, first_key) {
                self.write_checkpoint(checkpoints, Maker::Log, Seq::ZERO, &[])?;
            }
        }
        Ok(checkpoints.needed_from().map_or(seq, |needed| needed.min(seq)))
    }
}

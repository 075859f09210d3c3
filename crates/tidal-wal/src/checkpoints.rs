//! Which checkpoints the log has, and what they need of it.
//!
//! H3. Two sound checkpoints are kept. Others go once a further one has its name,
//!     durably.
//! H4. Truncation leaves what the older of the two needs; so when one of them is
//!     damaged, the other is there with the log behind it. One alone needs the whole
//!     log, and so does the only one with a state of the owner.

use tidal_types::{Seq, WalError};

use crate::checkpoint_file;
use crate::disk::{Disk, failed};
use crate::format::{CheckpointHeader, Maker};
use crate::names;
use crate::tail::TailError;
use crate::window::Entries;

/// How many sound checkpoints are kept.
pub(crate) const CHECKPOINTS_KEPT: usize = 2;

/// The checkpoints of an open log.
#[derive(Debug)]
pub(crate) struct Checkpoints {
    /// The sound ones, oldest first, two at most.
    kept: Vec<CheckpointHeader>,
    /// The numbers of the others.
    superseded: Vec<u64>,
    next_number: u64,
}

impl Checkpoints {
    /// What was found when the log was opened: sound ones, oldest first, and the numbers
    /// of damaged ones.
    pub(crate) fn new(sound: Vec<CheckpointHeader>, damaged: Vec<u64>) -> Self {
        let last = sound.iter().map(|header| header.number).chain(damaged.iter().copied()).max();
        let next_number = last.map_or(0, |last| last.saturating_add(1));
        let mut checkpoints = Self { kept: Vec::new(), superseded: damaged, next_number };
        sound.into_iter().for_each(|header| checkpoints.keep(header));
        checkpoints
    }

    fn keep(&mut self, header: CheckpointHeader) {
        self.kept.push(header);
        let surplus = self.kept.len().saturating_sub(CHECKPOINTS_KEPT);
        self.superseded.extend(self.kept.drain(..surplus).map(|header| header.number));
    }

    /// The number that the next one gets.
    pub(crate) const fn next_number(&self) -> u64 {
        self.next_number
    }

    /// The newest one with a state of the log's owner.
    pub(crate) fn newest_of_owner(&self) -> Option<&CheckpointHeader> {
        self.kept.iter().rev().find(|header| header.maker == Maker::Owner)
    }

    /// Whether the log itself has to make one before records before `boundary` go,
    /// when the window has a key of record `first_key`: that is so as long as the owner
    /// makes none.
    pub(crate) fn lack_one(&self, boundary: Seq, first_key: Option<Seq>) -> bool {
        let by_log = self.kept.iter().all(|header| header.maker == Maker::Log);
        // Damaged files that are alone must not be taken for ones that are needed.
        let has_any = !self.kept.is_empty() || !self.superseded.is_empty();
        let is_needed = has_any || first_key.is_some_and(|seq| seq < boundary);
        by_log && is_needed && self.needed_from().is_none_or(|needed| needed < boundary)
    }

    /// The first record that is needed by the checkpoints that are kept; `None` when
    /// there is none.
    pub(crate) fn needed_from(&self) -> Option<Seq> {
        // One of the log makes up for the window of a damaged one, not for the owner's
        // state: only another of the owner does.
        let of_owner = self.kept.iter().filter(|header| header.maker == Maker::Owner).count();
        if self.kept.len() < CHECKPOINTS_KEPT || of_owner == 1 {
            return self.kept.first().map(|_| Seq::FIRST);
        }
        self.kept.iter().map(CheckpointHeader::needs).min()
    }

    /// Writes a further one, and then removes those that are no longer kept.
    pub(crate) fn write(
        &mut self,
        disk: &dyn Disk,
        header: CheckpointHeader,
        entries: &[Entries; 2],
        state: &[u8],
    ) -> Result<(), TailError> {
        // Whatever becomes of it: a name is not given twice.
        self.next_number = header.number.saturating_add(1);
        let entries = entries.iter().flat_map(Entries::iter);
        checkpoint_file::write(disk, &header, entries, state)?;
        self.keep(header);
        self.remove_superseded(disk).map_err(TailError::Unsound)
    }

    /// Writes those anew that have keys of records for which this holds, without them.
    pub(crate) fn forget_keys(
        &mut self,
        disk: &dyn Disk,
        is_gone: &dyn Fn(Seq) -> bool,
    ) -> Result<(), TailError> {
        for header in &mut self.kept {
            let path = || disk.path(&names::checkpoint(header.number));
            let read = checkpoint_file::read(disk, header.number).map_err(TailError::NoRoom)?;
            let checkpoint = read.map_err(|_| {
                let problem = "it was damaged since the log was opened".to_owned();
                TailError::NoRoom(WalError::Damaged { path: path(), offset: 0, problem })
            })?;
            let kept: Vec<_> =
                checkpoint.entries.iter().filter(|entry| !is_gone(entry.known.seq)).collect();
            if kept.len() < checkpoint.entries.len() {
                let new = CheckpointHeader { entry_count: kept.len() as u64, ..*header };
                checkpoint_file::write(disk, &new, kept.into_iter(), &checkpoint.state)?;
                *header = new;
            }
        }
        Ok(())
    }

    fn remove_superseded(&mut self, disk: &dyn Disk) -> Result<(), WalError> {
        if self.superseded.is_empty() {
            return Ok(());
        }
        for number in self.superseded.drain(..) {
            let name = names::checkpoint(number);
            disk.remove(&name).map_err(failed("remove", disk.path(&name)))?;
        }
        disk.sync_dir().map_err(failed("sync", disk.path("")))
    }
}

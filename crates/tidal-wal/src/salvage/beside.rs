//! What goes along that a log keeps beside its segments: keys of records that were cut
//! off, states of its owner, and cursors.
//!
//! B1. The new log knows each key that the damaged one still knew of the records up to
//!     the damage. Those of records that are taken over it finds in these; those of
//!     earlier ones come from the newest sound checkpoint that speaks of nothing behind
//!     the damage, else from the oldest other one.
//! B2. A state goes along unless it takes account of a record that is given up, or the
//!     log no longer has what follows on it.
//! B3. The new log has two checkpoints or none, so that it can lose one like any other.
//! B4. A cursor goes along, and is put back to the last record that is taken over.

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::sync::Arc;

use tidal_types::{LogId, Seq, Timestamp, WalError};

use crate::LogRecord;
use crate::checkpoint_file;
use crate::cursor_file::CursorFile;
use crate::disk::Disk;
use crate::format::{CheckpointHeader, Floor, Maker, SegmentHeader};
use crate::key::ContentHasher;
use crate::limits::WINDOW_ENTRIES_MAX;
use crate::recovery::{Inspection, checkpoint_damage, of_beside};
use crate::tail::TailError;
use crate::verify::{Problem, describe};
use crate::window::{Entry, Known};

/// How many checkpoints the new log has, if any.
const CHECKPOINTS: u64 = 2;

/// What a salvage makes of checkpoints and cursors.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Beside {
    /// The record through which the newest state of the log's owner goes that is taken
    /// over.
    pub owner_state: Option<Seq>,
    /// The record through which a newer one goes that can be read, and is given up since
    /// it takes account of records that are.
    pub owner_state_lost: Option<Seq>,
    /// How many keys are taken over of records that the damaged log no longer had.
    pub cut_off_keys: u64,
    /// Whether these are all that it still knew: they are not when it was truncated and
    /// no checkpoint that has them is sound. Then a repeat of a record before
    /// [`SalvageReport::first_seq`](crate::SalvageReport::first_seq) is taken for new.
    pub knows_all_keys: bool,
    /// Every cursor, by name.
    pub cursors: Vec<SalvagedCursor>,
    /// What is wrong with checkpoints and cursors, and is left behind.
    pub problems: Vec<Problem>,
}

/// A cursor that is taken over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SalvagedCursor {
    /// Its name.
    pub name: String,
    /// The last record that it had committed.
    pub was: Seq,
    /// The same in the new log, which may end before that.
    pub place: Seq,
}

/// What is written beside the segments of the new log.
#[derive(Debug, Default)]
pub(crate) struct Taken {
    /// The window, as of `position` when what the records up to there add is added.
    entries: VecDeque<Entry>,
    /// The first record that is not in `entries`.
    from: Seq,
    position: Seq,
    log_time: Timestamp,
    /// States, oldest first, with the records through which they go.
    states: Vec<(Seq, Vec<u8>)>,
    has_checkpoints: bool,
    places: BTreeMap<String, Seq>,
}

/// Decides what goes along with the records from the one in `first` up to `last`.
pub(crate) fn look(
    from: &dyn Disk,
    found: &Inspection,
    first: &SegmentHeader,
    last: Seq,
) -> Result<(Beside, Taken), WalError> {
    let mut beside = Beside { problems: problems(from, found, first.log_id), ..Beside::default() };
    let mut taken = Taken { from: first.first_seq, log_time: first.created, ..Taken::default() };
    let sound: Vec<CheckpointHeader> = found
        .checkpoints
        .iter()
        .filter_map(|checkpoint| checkpoint.header.ok())
        .filter(|header| header.log_id == first.log_id)
        .collect();
    take_keys(from, &sound, first, last, &mut beside, &mut taken)?;
    take_states(from, &sound, first, last, &mut beside, &mut taken)?;
    let newest_state = taken.states.last().map_or(Seq::ZERO, |&(through, _)| through);
    taken.position = taken.from.max(newest_state.next());
    // A log from its first record on needs none for its keys.
    taken.has_checkpoints = first.first_seq > Seq::FIRST || !taken.states.is_empty();
    if let Some(slot) = found.cursors.sound().filter(|slot| slot.log_id == first.log_id) {
        for (name, &was) in &slot.places {
            let place = was.min(last);
            taken.places.insert(name.clone(), place);
            beside.cursors.push(SalvagedCursor { name: name.clone(), was, place });
        }
    }
    Ok((beside, taken))
}

/// Whatever is wrong with checkpoints and cursors.
fn problems(from: &dyn Disk, found: &Inspection, log_id: LogId) -> Vec<Problem> {
    let mut problems: Vec<Problem> = Vec::new();
    let findings = of_beside(from, found, &found.segments, Some(log_id));
    for finding in findings.into_iter().chain(checkpoint_damage(from, found)) {
        let problem = describe(&from.path(""), finding);
        if !problems.contains(&problem) {
            problems.push(problem);
        }
    }
    problems
}

fn take_keys(
    from: &dyn Disk,
    sound: &[CheckpointHeader],
    first: &SegmentHeader,
    last: Seq,
    beside: &mut Beside,
    taken: &mut Taken,
) -> Result<(), WalError> {
    let reaches = |header: &&CheckpointHeader| header.position >= first.first_seq;
    let exact = sound.iter().rev().find(|header| reaches(header) && header.position <= last.next());
    let is_whole = first.first_seq == Seq::FIRST;
    beside.knows_all_keys = is_whole || sound.iter().any(|header| reaches(&header));
    if let Some(header) = exact {
        let base = read(from, header)?;
        (taken.from, taken.log_time) = (header.position, header.log_time);
        taken.entries = base.entries.into();
    } else if !is_whole && let Some(header) = sound.iter().find(reaches).or(sound.last()) {
        let is_before =
            |entry: &Entry| entry.known.seq < first.first_seq && entry.log_time <= first.created;
        let entries = read(from, header)?.entries;
        taken.entries = entries.into_iter().filter(is_before).collect();
    }
    let cut_off = taken.entries.iter().filter(|entry| entry.known.seq < first.first_seq);
    beside.cut_off_keys = cut_off.count() as u64;
    Ok(())
}

fn take_states(
    from: &dyn Disk,
    sound: &[CheckpointHeader],
    first: &SegmentHeader,
    last: Seq,
    beside: &mut Beside,
    taken: &mut Taken,
) -> Result<(), WalError> {
    let mut newest = None;
    for header in sound.iter().filter(|header| header.maker == Maker::Owner) {
        newest = Some(header.through);
        if header.through <= last && header.through.next() >= first.first_seq {
            taken.states.push((header.through, read(from, header)?.state));
        }
    }
    // They were made in this order, and an owner may go back.
    taken.states.drain(..taken.states.len().saturating_sub(2));
    beside.owner_state = taken.states.last().map(|&(through, _)| through);
    beside.owner_state_lost = newest.filter(|_| newest != beside.owner_state);
    Ok(())
}

fn read(from: &dyn Disk, header: &CheckpointHeader) -> Result<crate::format::Checkpoint, WalError> {
    checkpoint_file::read(from, header.number)?.map_err(|_| reads_differently(&from.path("")))
}

/// What is told of a log that is not the same when it is read again.
pub(super) fn reads_differently(path: &Path) -> WalError {
    let problem = "it does not read the same twice".into();
    WalError::Damaged { path: path.into(), offset: 0, problem }
}

impl Taken {
    /// Takes account of a record that is copied.
    pub(super) fn see(&mut self, record: &LogRecord<'_>, hasher: &ContentHasher) {
        if !self.has_checkpoints || !(self.from..self.position).contains(&record.seq) {
            return;
        }
        self.log_time = record.log_time;
        if let Some(key) = record.key {
            let fingerprint = hasher.digest(record.kind, record.payload).fingerprint;
            let known = Known { seq: record.seq, fingerprint };
            if self.entries.len() as u64 >= WINDOW_ENTRIES_MAX {
                // More than any window holds, so this one has left it.
                self.entries.pop_front();
            }
            self.entries.push_back(Entry { key, known, log_time: record.log_time });
        }
    }

    /// Writes checkpoints and cursors, durably, and puts into the floor that they are
    /// there.
    pub(super) fn write(
        mut self,
        to: &Arc<dyn Disk>,
        log_id: LogId,
        floor: &mut Floor,
    ) -> Result<(), WalError> {
        if self.has_checkpoints {
            // One that is alone is written twice (B3).
            let maker = if self.states.is_empty() { Maker::Log } else { Maker::Owner };
            while (self.states.len() as u64) < CHECKPOINTS {
                self.states.push(self.states.last().cloned().unwrap_or_default());
            }
            for (number, (through, state)) in (0..).zip(&self.states) {
                let header = CheckpointHeader {
                    maker,
                    log_id,
                    number,
                    through: *through,
                    position: self.position,
                    log_time: self.log_time,
                    entry_count: self.entries.len() as u64,
                    state_bytes: state.len() as u64,
                };
                checkpoint_file::write(&**to, &header, self.entries.iter(), state)
                    .map_err(TailError::into_inner)?;
            }
            floor.next_checkpoint = CHECKPOINTS;
        }
        if !self.places.is_empty() {
            let mut file = CursorFile::open(to, log_id, None, Seq::FIRST)?;
            file.make_room()?;
            file.replace(self.places)?;
            floor.has_cursors = true;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;

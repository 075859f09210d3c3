//! Opening a log: recovery, and the parts of a log in order.

use std::sync::Arc;

use tidal_types::{Position, Seq, WalError};

use crate::WalOptions;
use crate::checkpoints::Checkpoints;
use crate::cursor_file::CursorFile;
use crate::dedup::Dedup;
use crate::disk::{Disk, Lock, failed};
use crate::floor_file::FloorFile;
use crate::format::{Floor, Parent, SegmentNumber};
use crate::names;
use crate::queue::Queue;
use crate::random;
use crate::recovery::{
    Decision, Inspection, checkpoint_damage, decide, inspect_with_window, repair,
};
use crate::segments::Segments;
use crate::shared::{Durable, Files, Shared};
use crate::tail::{Beginning, Tail};
use crate::window::Window;
use crate::writer::Writer;

/// Opens or creates the log on a disk. Its writer does not run yet.
pub(crate) fn open(
    disk: Arc<dyn Disk>,
    lock: Option<Lock>,
    options: &WalOptions,
) -> Result<(Arc<Shared>, Writer), WalError> {
    let mut found = inspect_with_window(&*disk, options.verify_from, options.dedup.window)?;
    let decision = decide(&*disk, &found);
    if let Some(expected) = options.continues {
        continues(&*disk, &decision, expected)?;
    }
    let (mut floor, tail, kept) = match decision {
        Decision::Refuse(error) => return Err(error),
        Decision::Create => {
            remove_temporaries(&*disk, &found)?;
            let beginning = Beginning {
                log_id: random::log_id(&*disk)?,
                parent: None,
                first_seq: Seq::FIRST,
                created: options.clock.now(),
            };
            let tail = Tail::create(&disk, options, beginning)?;
            (FloorFile::open(&disk, None)?, tail, Vec::new())
        }
        Decision::Open(plan) => {
            remove_temporaries(&*disk, &found)?;
            // The segments' names may be no more durable than their bytes: before the
            // floor says that they are there.
            disk.sync_dir().map_err(failed("sync", disk.path("")))?;
            // Before anything that is done on its word.
            let floor = FloorFile::open(&disk, found.floor.sound().copied())?;
            (floor, repair(&disk, options, &found, &plan)?, plan.kept)
        }
    };
    let mut segments = Segments::new(kept);
    if segments.last_number() != Some(tail.header().number) {
        segments.push(tail.header().clone());
    }
    let oldest = segments.first_number().unwrap_or(tail.header().number);
    floor.write(Floor {
        next_checkpoint: found
            .checkpoints
            .last()
            .map_or(0, |newest| newest.number.saturating_add(1)),
        has_cursors: found.cursors.sound().is_some(),
        ..tail.floor(oldest)
    })?;
    let checkpoints = checkpoints(&*disk, &found);
    let standing = tail.standing();
    let window = found.window.take().unwrap_or_else(|| Window::new(options.dedup.window));
    let dedup = Dedup::new(
        Arc::clone(&options.clock),
        options.dedup.max_keys,
        window,
        standing.next_seq,
        standing.log_time,
    );
    let log_id = tail.header().log_id;
    let cursors = found.cursors.sound().cloned();
    let cursors = CursorFile::open(&disk, log_id, cursors, segments.first_seq())?;
    let files = Files { segments, floor, cursors, checkpoints };
    let shared = Arc::new(Shared::new(
        Arc::clone(&disk),
        (log_id, tail.header().root()),
        Queue::new(disk.path(""), options.group_commit, standing.next_seq, dedup),
        Durable::of(&tail),
        files,
    ));
    let clock = Arc::clone(&options.clock);
    let writer = Writer::new(Arc::clone(&shared), tail, options.durability, clock, lock);
    Ok((shared, writer))
}

/// Refuses a log that is not the one that was expected, or ends before it should.
fn continues(disk: &dyn Disk, decision: &Decision, expected: Position) -> Result<(), WalError> {
    let path = disk.path("");
    match decision {
        // It says itself what is wrong.
        Decision::Refuse(_) => Ok(()),
        Decision::Create => {
            let first = names::segment(SegmentNumber::FIRST);
            Err(WalError::Missing { path: disk.path(&first) })
        }
        Decision::Open(plan) => {
            let last = plan.kept.last();
            let found = last.map_or(expected.log_id, |header| header.log_id);
            let parent = last
                .and_then(|header| header.parent)
                .filter(|parent| parent.position.log_id == expected.log_id);
            let end = plan.next_seq.previous();
            match parent {
                Some(Parent { position: taken_over, .. }) if taken_over.seq < expected.seq => {
                    Err(WalError::TakenOverLess { path, taken_over, expected: expected.seq })
                }
                None if found != expected.log_id => {
                    Err(WalError::Foreign { path, found, expected: expected.log_id })
                }
                _ if end < expected.seq => {
                    Err(WalError::EndsEarly { path, end, expected: expected.seq })
                }
                _ => Ok(()),
            }
        }
    }
}

/// The checkpoints of a log that may be opened.
fn checkpoints(disk: &dyn Disk, found: &Inspection) -> Checkpoints {
    for damage in checkpoint_damage(disk, found) {
        tracing::warn!(error = %damage, "a checkpoint of the log is damaged and passed over");
    }
    let sound = found.checkpoints.iter().filter_map(|found| found.header.ok()).collect();
    let damaged = found.checkpoints.iter().filter(|found| found.header.is_err());
    Checkpoints::new(sound, damaged.map(|found| found.number).collect())
}

/// Removes what was under construction when a process ended.
fn remove_temporaries(disk: &dyn Disk, found: &Inspection) -> Result<(), WalError> {
    for name in &found.temporaries {
        disk.remove(name).map_err(failed("remove", disk.path(name)))?;
    }
    Ok(())
}

//! What the fold has changed and an index does not have yet, in the order of the log.

use std::collections::VecDeque;
use std::sync::Arc;

use tidal_types::{EntityId, EntityKind};

use super::super::{AttributeRow, AttributeRows};
use crate::overlay::Rows as _;

/// One change of an index. It says what is, and not how it changes.
#[derive(Debug)]
pub(super) enum Note {
    Put(EntityId, Option<Arc<AttributeRow>>),
    Forgot(EntityKind, EntityId),
}

impl Note {
    fn bytes(&self) -> usize {
        let row = match self {
            Self::Put(_, Some(row)) => AttributeRows::bytes(row),
            Self::Put(_, None) | Self::Forgot(..) => 0,
        };
        size_of::<Self>() + row
    }
}

/// Notes, the oldest first. Without a limit nothing is noted: nobody has asked for the
/// index yet, or notes were lost.
#[derive(Debug, Default)]
pub(super) struct Notes {
    queue: VecDeque<Note>,
    bytes: usize,
    bytes_max: Option<usize>,
}

impl Notes {
    /// None yet, and those to come until they take so many bytes.
    pub(super) const fn with_limit(bytes_max: usize) -> Self {
        Self { queue: VecDeque::new(), bytes: 0, bytes_max: Some(bytes_max) }
    }

    /// From now on they take at most so many bytes.
    pub(super) const fn limit(&mut self, bytes_max: usize) {
        self.bytes_max = Some(bytes_max);
    }

    /// Whether there are none; `None` when nothing is noted.
    pub(super) fn is_caught_up(&self) -> Option<bool> {
        self.bytes_max.map(|_| self.queue.is_empty())
    }

    /// Adds a note, and says whether it did. One beyond the limit is lost, with all others.
    pub(super) fn push(&mut self, note: Note) -> bool {
        let Some(bytes_max) = self.bytes_max else { return false };
        self.bytes += note.bytes();
        if self.bytes > bytes_max {
            *self = Self::default();
            return false;
        }
        self.queue.push_back(note);
        true
    }

    /// Takes all; `None` when nothing is noted.
    pub(super) fn take(&mut self) -> Option<VecDeque<Note>> {
        self.bytes_max?;
        self.bytes = 0;
        Some(std::mem::take(&mut self.queue))
    }

    /// Takes the oldest, at most so many.
    pub(super) fn take_oldest(&mut self, count_max: usize) -> impl Iterator<Item = Note> {
        let Self { queue, bytes, .. } = self;
        let count = count_max.min(queue.len());
        queue.drain(..count).inspect(|note| *bytes -= note.bytes())
    }

    /// About how much memory they take.
    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }
}

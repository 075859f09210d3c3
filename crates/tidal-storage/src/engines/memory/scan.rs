//! A scan that takes a few entries at a time, so that it holds no lock between
//! them and costs what is read of it.

use std::sync::Arc;
use std::vec;

use super::state::Pin;
use crate::sync::read;
use crate::{Direction, KeyRange, KeyValue, Result, SpaceId};

/// Entries that are taken under one lock: the first time few, since many scans
/// want only the first.
const CHUNK_ENTRIES_MIN: usize = 8;
const CHUNK_ENTRIES_MAX: usize = 512;

/// Entries of one pinned moment.
#[derive(Debug)]
pub struct MemoryScan {
    pin: Arc<Pin>,
    space: SpaceId,
    direction: Direction,
    chunk: vec::IntoIter<KeyValue>,
    chunk_entries: usize,
    /// What has not been taken yet; `None` at the end.
    rest: Option<KeyRange>,
}

impl MemoryScan {
    pub(super) fn new(
        pin: Arc<Pin>,
        space: SpaceId,
        range: KeyRange,
        direction: Direction,
    ) -> Self {
        let chunk = Vec::new().into_iter();
        Self { pin, space, direction, chunk, chunk_entries: CHUNK_ENTRIES_MIN, rest: Some(range) }
    }

    fn take_chunk(&mut self) {
        let Some(range) = self.rest.take() else {
            return;
        };
        let chunk: Vec<KeyValue> = {
            let state = read(self.pin.state());
            let entries = state.range(self.space, &range, self.pin.moment());
            let owned = |(key, value): (&[u8], &[u8])| (key.to_vec(), value.to_vec());
            match self.direction {
                Direction::Forward => entries.take(self.chunk_entries).map(owned).collect(),
                Direction::Backward => entries.rev().take(self.chunk_entries).map(owned).collect(),
            }
        };
        if chunk.len() == self.chunk_entries {
            self.rest = chunk.last().and_then(|(key, _)| range.beyond(key.clone(), self.direction));
        }
        self.chunk_entries = (self.chunk_entries * 2).min(CHUNK_ENTRIES_MAX);
        self.chunk = chunk.into_iter();
    }
}

impl Iterator for MemoryScan {
    type Item = Result<KeyValue>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.chunk.len() == 0 {
            self.take_chunk();
        }
        self.chunk.next().map(Ok)
    }
}

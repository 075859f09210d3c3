//! A scan that takes a few entries at a time, so that it borrows nothing from its
//! engine, can move on to another thread, and can be ended by the driver in between.
//!
//! S1. First few entries are taken, since many scans want only the first; then ever
//!     more, and never more than one beyond [`CHUNK_BYTES_MAX`].
//! S2. All chunks are of one moment.

use std::vec;

use crate::{Direction, KeyRange, KeyValue, Result};

const CHUNK_ENTRIES_MIN: usize = 8;
const CHUNK_ENTRIES_MAX: usize = 512;
const CHUNK_BYTES_MAX: usize = 1024 * 1024;

/// What entries are taken from: one keyspace as of one moment.
pub trait ChunkSource {
    /// Puts the first entries of a range into `chunk`, until it is full or the range
    /// ends.
    fn take(&self, range: &KeyRange, direction: Direction, chunk: &mut Chunk) -> Result<()>;
}

/// A few entries, as they are taken.
pub struct Chunk {
    entries: Vec<KeyValue>,
    entries_max: usize,
    bytes: usize,
}

impl Chunk {
    fn new(entries_max: usize) -> Self {
        Self { entries: Vec::with_capacity(entries_max), entries_max, bytes: 0 }
    }

    pub(super) fn push(&mut self, key: &[u8], value: &[u8]) {
        self.bytes += key.len() + value.len();
        self.entries.push((key.to_vec(), value.to_vec()));
    }

    pub(super) fn is_full(&self) -> bool {
        self.entries.len() >= self.entries_max || self.bytes >= CHUNK_BYTES_MAX
    }
}

/// The entries of a range, in chunks.
pub struct Chunks<S> {
    source: S,
    direction: Direction,
    chunk: vec::IntoIter<KeyValue>,
    chunk_entries: usize,
    /// What has not been taken yet; `None` at the end.
    rest: Option<KeyRange>,
}

impl<S: ChunkSource> Chunks<S> {
    pub(super) fn new(source: S, range: KeyRange, direction: Direction) -> Self {
        let (chunk, chunk_entries) = (Vec::new().into_iter(), CHUNK_ENTRIES_MIN);
        Self { source, direction, chunk, chunk_entries, rest: Some(range) }
    }

    /// Takes the next chunk; it is empty at the end. After an error the scan is over.
    fn advance(&mut self) -> Result<()> {
        let Some(range) = self.rest.take() else { return Ok(()) };
        let mut chunk = Chunk::new(self.chunk_entries);
        self.source.take(&range, self.direction, &mut chunk)?;
        if chunk.is_full() {
            let last = chunk.entries.last();
            self.rest = last.and_then(|(key, _)| range.beyond(key.clone(), self.direction));
        }
        self.chunk_entries = (self.chunk_entries * 2).min(CHUNK_ENTRIES_MAX);
        self.chunk = chunk.entries.into_iter();
        Ok(())
    }
}

impl<S: ChunkSource> Iterator for Chunks<S> {
    type Item = Result<KeyValue>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.chunk.len() == 0
            && let Err(error) = self.advance()
        {
            return Some(Err(error));
        }
        self.chunk.next().map(Ok)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::ops::Bound;

    use super::*;

    /// The keys 0 to 99, and how many were taken each time.
    #[derive(Default)]
    struct Hundred {
        taken: RefCell<Vec<usize>>,
        value_bytes: usize,
    }

    impl ChunkSource for &Hundred {
        fn take(&self, range: &KeyRange, direction: Direction, chunk: &mut Chunk) -> Result<()> {
            let bounds = range.bounds();
            let mut keys: Vec<[u8; 1]> = (0..100).map(|key| [key]).collect();
            keys.retain(|key| std::ops::RangeBounds::contains(&bounds, key.as_slice()));
            if direction == Direction::Backward {
                keys.reverse();
            }
            for key in keys {
                if chunk.is_full() {
                    break;
                }
                chunk.push(&key, &vec![0; self.value_bytes]);
            }
            self.taken.borrow_mut().push(chunk.entries.len());
            Ok(())
        }
    }

    fn scan(source: &Hundred, direction: Direction) -> Vec<u8> {
        let range = KeyRange::new(Bound::Included(vec![10]), Bound::Excluded(vec![90]));
        Chunks::new(source, range, direction).map(|entry| entry.unwrap().0[0]).collect()
    }

    #[test]
    fn chunks_grow_and_leave_nothing_out_s1() {
        let source = Hundred::default();
        assert_eq!(scan(&source, Direction::Forward), (10..90).collect::<Vec<_>>());
        assert_eq!(*source.taken.borrow(), [8, 16, 32, 24]);
        let source = Hundred::default();
        assert_eq!(scan(&source, Direction::Backward), (10..90).rev().collect::<Vec<_>>());
    }

    #[test]
    fn large_entries_come_one_beyond_the_bytes_s1() {
        let source = Hundred { value_bytes: CHUNK_BYTES_MAX / 2, ..Hundred::default() };
        assert_eq!(scan(&source, Direction::Forward).len(), 80);
        assert!(source.taken.borrow().iter().all(|&taken| taken <= 2));
    }
}

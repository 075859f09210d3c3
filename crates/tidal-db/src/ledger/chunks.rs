//! A dense array that grows by small pieces, so that nothing is ever copied as a whole
//! and little of it is unused.
//!
//! A1. Items have the numbers 0 to `len`; removing one moves the last into its place.
//! A2. All pieces but the first have room for [`CHUNK`] items; the first grows to that.

use super::table::UNBROKEN;

/// How many items a piece has room for.
const CHUNK: usize = 64;

/// How many the first piece begins with.
const FIRST: usize = 4;

/// The array.
#[derive(Debug)]
pub(super) struct Chunks<T> {
    chunks: Vec<Vec<T>>,
    len: usize,
}

impl<T> Default for Chunks<T> {
    fn default() -> Self {
        Self { chunks: Vec::new(), len: 0 }
    }
}

impl<T> Chunks<T> {
    pub(super) const fn len(&self) -> usize {
        self.len
    }

    pub(super) fn get(&self, place: usize) -> &T {
        let item = self.chunks.get(place / CHUNK).and_then(|chunk| chunk.get(place % CHUNK));
        item.expect(UNBROKEN)
    }

    pub(super) fn get_mut(&mut self, place: usize) -> &mut T {
        let chunk = self.chunks.get_mut(place / CHUNK);
        chunk.and_then(|chunk| chunk.get_mut(place % CHUNK)).expect(UNBROKEN)
    }

    /// Adds an item and says where.
    pub(super) fn push(&mut self, item: T) -> usize {
        let place = self.len;
        if place.is_multiple_of(CHUNK) {
            let room = if place == 0 { FIRST } else { CHUNK };
            self.chunks.push(Vec::with_capacity(room));
        }
        let chunk = self.chunks.last_mut().expect("one was added when there was none");
        if chunk.len() == chunk.capacity() {
            chunk.reserve_exact(chunk.len());
        }
        chunk.push(item);
        self.len += 1;
        place
    }

    /// Takes an item out; the last one, if it is another, has its place then (A1).
    pub(super) fn swap_remove(&mut self, place: usize) -> T {
        let last = self.chunks.last_mut().and_then(Vec::pop).expect(UNBROKEN);
        self.len -= 1;
        if self.len.is_multiple_of(CHUNK) {
            self.chunks.pop();
        }
        if place == self.len { last } else { std::mem::replace(self.get_mut(place), last) }
    }

    /// Bytes on the heap.
    pub(super) fn bytes(&self) -> usize {
        let first = self.chunks.first().map_or(0, Vec::capacity);
        let others = self.chunks.len().saturating_sub(1) * CHUNK;
        (first + others) * size_of::<T>() + self.chunks.capacity() * size_of::<Vec<T>>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_takes_the_place_of_what_is_removed_a1() {
        let mut chunks = Chunks::default();
        for item in 0..200 {
            assert_eq!(chunks.push(item), item);
        }
        assert_eq!(chunks.swap_remove(3), 3);
        assert_eq!((*chunks.get(3), chunks.len()), (199, 199));
        assert_eq!(chunks.swap_remove(198), 198);
        while chunks.len() > 0 {
            chunks.swap_remove(0);
        }
        assert_eq!(chunks.bytes(), chunks.chunks.capacity() * size_of::<Vec<usize>>());
        assert_eq!(chunks.push(7), 0);
        assert_eq!(*chunks.get(0), 7);
    }

    #[test]
    fn little_is_unused_a2() {
        let mut chunks = Chunks::default();
        for items in 1..1000_usize {
            chunks.push(0_u8);
            let room = chunks.bytes() - chunks.chunks.capacity() * size_of::<Vec<u8>>();
            assert!(room < 2 * items.max(FIRST) && room < items + CHUNK, "{items}: {room}");
        }
    }
}

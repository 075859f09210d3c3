//! Which buckets a series has, in one word.
//!
//! | bits  | meaning                                                             |
//! |-------|---------------------------------------------------------------------|
//! | 0-60  | bit a: there is a bucket a places older than the newest             |
//! | 61-62 | the bytes of a bucket's second number: 1, 2, 4 or 8                 |
//! | 63    | a bucket has a first number, of eight bytes, too                    |
//!
//! A(ge) is how many places a bucket is older than the series' newest one. Buckets are
//! kept newest first, so the place of one is the number of younger ones.
//!
//! A1. The newest bucket is the one that holds the cell's newest time, so no bucket
//!     needs its index: as time goes on the bits are shifted.
//! A2. A series in use has its newest bucket; a word without bits is no series.

use super::super::grid::{BUCKETS_MAX, Grid};

const BITS: u64 = (1 << BUCKETS_MAX) - 1;
const BYTES_SHIFT: u32 = 61;
const BYTES_MASK: u64 = 3 << BYTES_SHIFT;
const PAIR: u64 = 1 << 63;

const _: () = assert!(BITS & (BYTES_MASK | PAIR) == 0 && BITS | BYTES_MASK | PAIR == u64::MAX);

/// The buckets of a series, and the form of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Places(u64);

impl Places {
    /// A series of pairs of `f64`, without buckets yet.
    pub(super) const PAIRS: Self = Self(PAIR | BYTES_MASK);

    /// A series of counts of a byte each, without buckets yet.
    pub(super) const fn counts(with_sums: bool) -> Self {
        Self(if with_sums { PAIR } else { 0 })
    }

    pub(super) const fn word(self) -> u64 {
        self.0
    }

    /// The series of a [`Places::word`].
    pub(super) const fn from_word(word: u64) -> Self {
        Self(word)
    }

    pub(super) const fn is_empty(self) -> bool {
        self.0 & BITS == 0
    }

    /// How many buckets there are.
    pub(super) const fn len(self) -> usize {
        (self.0 & BITS).count_ones() as usize
    }

    /// Whether there is a bucket of this age.
    pub(super) const fn has(self, age: u64) -> bool {
        age < BUCKETS_MAX as u64 && self.0 >> age & 1 == 1
    }

    /// How many buckets are younger than this: the place of the one that has this age.
    pub(super) const fn younger(self, age: u64) -> usize {
        // Most events fall into the newest bucket.
        if age == 0 { 0 } else { (self.0 & below(age)).count_ones() as usize }
    }

    /// With a bucket of this age, which is alive.
    pub(super) const fn with(self, age: u64) -> Self {
        Self(self.0 | 1 << age)
    }

    /// The ages of the buckets, newest first.
    pub(super) fn ages(self) -> impl Iterator<Item = u64> {
        let mut left = self.0 & BITS;
        std::iter::from_fn(move || {
            let age = (left != 0).then(|| u64::from(left.trailing_zeros()));
            left &= left.wrapping_sub(1);
            age
        })
    }

    /// The ages of the buckets, oldest first.
    pub(super) fn ages_rev(self) -> impl Iterator<Item = u64> {
        // The lowest bit of a word is found and cleared faster than the highest.
        let mut left = (self.0 & BITS).reverse_bits();
        std::iter::from_fn(move || {
            let age = (left != 0).then(|| u64::from(63 - left.trailing_zeros()));
            left &= left.wrapping_sub(1);
            age
        })
    }

    /// Whether a bucket has a first number beside its last.
    pub(super) const fn has_pairs(self) -> bool {
        self.0 & PAIR != 0
    }

    /// The bytes of a bucket's last number.
    pub(super) const fn last_bytes(self) -> usize {
        1 << (self.0 >> BYTES_SHIFT & 3)
    }

    /// The same series with as many bytes for the last number as `largest` needs, and
    /// no fewer than it had.
    pub(super) const fn holding(self, largest: u64) -> Self {
        let class = match largest {
            0..=0xff => 0,
            0x100..=0xffff => 1,
            0x1_0000..=0xffff_ffff => 2,
            _ => 3,
        };
        let had = self.0 >> BYTES_SHIFT & 3;
        let class = if class < had { had } else { class };
        Self(self.0 & !BYTES_MASK | class << BYTES_SHIFT)
    }

    /// The same series with twice the bytes for the last number, up to eight.
    pub(super) const fn wider(self) -> Self {
        let full = u64::MAX >> (u64::BITS - 8 * self.last_bytes() as u32);
        self.holding(full.saturating_add(1))
    }

    /// The bytes of a bucket.
    pub(super) const fn stride(self) -> usize {
        self.last_bytes() + if self.has_pairs() { 8 } else { 0 }
    }

    /// The buckets that are alive when the cell's newest time goes from `before` to
    /// `newest`.
    pub(super) fn moved_on(self, grid: Grid, before: u64, newest: u64) -> Moved {
        let (index, into) = grid.split(newest);
        let first = newest - into;
        // An empty series has no newest bucket that could be older.
        let by = if before >= first || self.is_empty() { 0 } else { index - grid.index(before) };
        let touched = grid.touched(into);
        let shifted = if by < BUCKETS_MAX as u64 { (self.0 & BITS) << by } else { 0 };
        let places = Self(self.0 & !BITS | shifted & below(touched));
        Moved { places, index, first, touched }
    }
}

/// A series whose newest time has moved on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moved {
    pub(super) places: Places,
    /// The index of the newest bucket.
    index: u64,
    /// Its first instant.
    first: u64,
    /// How many places, from the newest on, are alive.
    touched: u64,
}

impl Moved {
    /// The age of the bucket that holds an instant; `None` when the bucket is dead.
    pub(super) fn age_of(&self, grid: Grid, time: u64) -> Option<u64> {
        if time >= self.first {
            return Some(0);
        }
        let age = self.index - grid.index(time);
        (age < self.touched).then_some(age)
    }

    /// The first instant of a bucket.
    pub(super) fn first_of(&self, grid: Grid, age: u64) -> u64 {
        self.first - age * grid.width()
    }
}

/// The bits of all ages below this one.
const fn below(age: u64) -> u64 {
    if age < BUCKETS_MAX as u64 { (1 << age) - 1 } else { BITS }
}

/// What of a series is inside a span that ends at a time, which is not before the
/// cell's newest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Inside {
    /// The buckets that are inside with at least one instant: the newest ones.
    pub(super) places: Places,
    /// How many instants of the last of them are inside, when not all are.
    pub(super) divided: Option<u64>,
    /// How far behind the first instant of the newest bucket the time is.
    pub(super) since_first: u64,
}

impl Inside {
    pub(super) fn of(places: Places, grid: Grid, newest: u64, at: u64) -> Self {
        let (index, into) = grid.split(at);
        let by = if newest >= at - into { 0 } else { index - grid.index(newest) };
        let since_first = into + by * grid.width();
        let Some(oldest) = (grid.touched(into) - 1).checked_sub(by) else {
            return Self { places: Places::default(), divided: None, since_first };
        };
        let instants = grid.touched_instants(into);
        let divided = (places.has(oldest) && instants < grid.width()).then_some(instants);
        Self { places: Places(places.0 & below(oldest + 1)), divided, since_first }
    }

    /// How many buckets are inside with every instant.
    pub(super) fn whole(&self) -> usize {
        self.places.len() - usize::from(self.divided.is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_says_where_buckets_are_and_how_large() {
        let places = Places::counts(true).with(0).with(3).with(60);
        assert_eq!(places.ages().collect::<Vec<_>>(), [0, 3, 60]);
        assert_eq!((places.len(), places.younger(3), places.younger(60)), (3, 1, 2));
        assert!(places.has(60) && !places.has(61) && !places.has(59));
        assert_eq!(places.stride(), 9);
        assert_eq!(places.ages_rev().collect::<Vec<_>>(), [60, 3, 0]);
        assert_eq!((Places::PAIRS.stride(), Places::PAIRS.len()), (16, 0));
    }

    #[test]
    fn a_count_takes_the_bytes_that_it_needs() {
        let cases = [(0, 1), (255, 1), (256, 2), (65_535, 2), (65_536, 4)];
        for (largest, bytes) in cases.into_iter().chain([
            (u64::from(u32::MAX), 4),
            (u64::from(u32::MAX) + 1, 8),
            (u64::MAX, 8),
        ]) {
            let places = Places::counts(false).with(2).holding(largest);
            assert_eq!((places.last_bytes(), places.len()), (bytes, 1), "{largest}");
            assert_eq!(places.holding(1), places, "never fewer");
        }
    }
}

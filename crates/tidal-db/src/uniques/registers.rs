//! The registers of a sliding HyperLogLog (Y. Chabchoub and G. Hebrail, "Sliding
//! HyperLogLog: Estimating cardinality in a data stream", 2010).
//!
//! The first bits of an actor's hash choose a register, and the place of the first one bit
//! in the rest is its rank. A HyperLogLog keeps the highest rank of each register; this one
//! keeps those that are the highest from some bucket of time on, so that it can be asked
//! for any window.
//!
//! S1. An entry stays as long as none of its register has both a rank at least as high and
//!     a bucket at least as new. So what is there is a function of the set of events.
//! S2. The entries of a register are in the order of buckets, oldest first, each once;
//!     their ranks fall. The first one that a window touches is the highest inside.

/// The bits that choose a register.
const PRECISION: u32 = 10;

/// How many registers there are. The standard error is 1.04 / sqrt of it: 3.25%.
pub(super) const REGISTERS: usize = 1 << PRECISION;

/// The highest rank: that of a hash without a one bit behind those of the register.
pub(super) const RANK_MAX: u64 = (u64::BITS - PRECISION) as u64 + 1;

/// Buckets are below this: an entry has so many bits for one.
pub(super) const BUCKETS_END: u64 = 1 << (REGISTER_SHIFT - RANK_BITS);

const RANK_BITS: u32 = 6;
const REGISTER_SHIFT: u32 = u64::BITS - PRECISION;

const _: () = assert!(RANK_MAX < 1 << RANK_BITS);
// The narrowest bucket, of the shortest window, is a minute long.
const _: () = assert!(u64::MAX / 60_000_000_000 < BUCKETS_END);

/// The registers. An entry is one number: register, bucket, rank, from the top bit down.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Registers(Vec<u64>);

/// How many registers have each rank; rank 0 is that of the empty ones.
pub(super) type Ranks = [u32; RANK_MAX as usize + 1];

const fn register_of(entry: u64) -> u64 {
    entry >> REGISTER_SHIFT
}

const fn bucket_of(entry: u64) -> u64 {
    (entry >> RANK_BITS) % BUCKETS_END
}

const fn rank_of(entry: u64) -> u64 {
    entry % (1 << RANK_BITS)
}

const fn entry(register: u64, bucket: u64, rank: u64) -> u64 {
    (register << REGISTER_SHIFT) | (bucket << RANK_BITS) | rank
}

impl Registers {
    /// Counts whoever has this hash, in a bucket below [`BUCKETS_END`].
    pub(super) fn add(&mut self, hash: u64, bucket: u64) {
        let register = hash >> REGISTER_SHIFT;
        let zeros = u64::from((hash << PRECISION).leading_zeros());
        let rank = zeros.min(RANK_MAX - 1) + 1;
        // Of this register, if there is any: the oldest entry that is not older.
        let place = self.0.partition_point(|known| *known < entry(register, bucket, 0));
        let newer = self.0.get(place).filter(|known| register_of(**known) == register);
        if newer.is_some_and(|known| rank_of(*known) >= rank) {
            return;
        }
        // S1, S2: those that the new one hides stand side by side.
        let end = place + usize::from(newer.is_some_and(|known| bucket_of(*known) == bucket));
        let older = self.0.get(..place).unwrap_or_default();
        let is_hidden = |known: &&u64| register_of(**known) == register && rank_of(**known) <= rank;
        let start = place - older.iter().rev().take_while(is_hidden).count();
        self.0.splice(start..end, [entry(register, bucket, rank)]);
    }

    /// The highest rank of each register in a bucket from `first` on, counted.
    pub(super) fn ranks(&self, first: u64) -> Ranks {
        let mut ranks = [0; RANK_MAX as usize + 1];
        let mut seen = None;
        let mut used = 0;
        for &entry in &self.0 {
            let register = register_of(entry);
            if bucket_of(entry) < first || seen == Some(register) {
                continue;
            }
            seen = Some(register);
            used += 1;
            if let Some(count) =
                usize::try_from(rank_of(entry)).ok().and_then(|rank| ranks.get_mut(rank))
            {
                *count += 1;
            }
        }
        if let Some(empty) = ranks.first_mut() {
            *empty = REGISTERS as u32 - used;
        }
        ranks
    }

    pub(super) fn drop_before(&mut self, oldest: u64) {
        self.0.retain(|entry| bucket_of(*entry) >= oldest);
    }

    /// Drops everything, and the memory that it took.
    pub(super) fn clear(&mut self) {
        self.0 = Vec::new();
    }

    /// Every entry: register, bucket and rank; by register, oldest first.
    pub(super) fn entries(&self) -> impl DoubleEndedIterator<Item = (u64, u64, u64)> {
        self.0.iter().map(|&entry| (register_of(entry), bucket_of(entry), rank_of(entry)))
    }

    /// Registers of entries that stand in that order and are of sound parts.
    pub(super) fn of(entries: impl IntoIterator<Item = (u64, u64, u64)>) -> Self {
        let entries = entries.into_iter();
        Self(entries.map(|(register, bucket, rank)| entry(register, bucket, rank)).collect())
    }

    /// The bytes of memory that they take beside themselves.
    pub(super) const fn bytes(&self) -> usize {
        self.0.capacity() * size_of::<u64>()
    }
}

//! A bounded map of what was read from storage lately.
//!
//! Each shard has two generations. What is used goes into the young one; when that is
//! full it becomes the old one, and what was in that and was not used since is gone. So
//! a shard keeps the last entries that were used, at least as many as a generation has and
//! at most twice as many; or fewer, where entries are weighed and these are heavy.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hash};
use std::sync::{Mutex, MutexGuard};

/// How many shards there are, so that threads seldom wait for each other.
const SHARDS: usize = 16;

/// How many entries a generation of a shard has, unless somebody says otherwise.
const GENERATION: usize = 2048;

#[derive(Debug)]
pub(crate) struct Cache<K, V> {
    shards: [Mutex<Generations<K, V>>; SHARDS],
    hasher: RandomState,
    full: Full<V>,
}

/// When a generation of a shard is full.
#[derive(Debug)]
struct Full<V> {
    /// With so many entries,
    entries: usize,
    /// or with more than this many bytes, but for one entry.
    bytes: usize,
    /// How many an entry has.
    weigh: fn(&V) -> usize,
}

#[derive(Debug)]
struct Generations<K, V> {
    young: HashMap<K, V>,
    old: HashMap<K, V>,
    /// Those of the young one.
    bytes: usize,
}

impl<K, V> Default for Cache<K, V> {
    fn default() -> Self {
        Self::new(GENERATION)
    }
}

impl<K, V> Cache<K, V> {
    /// A cache whose shards have generations of so many entries.
    pub(crate) fn new(generation: usize) -> Self {
        Self::weighing(generation, usize::MAX, |_| 0)
    }

    /// The same, which have no more than this many bytes, but for one entry.
    pub(crate) fn weighing(generation: usize, bytes: usize, weigh: fn(&V) -> usize) -> Self {
        let empty =
            |_| Mutex::new(Generations { young: HashMap::new(), old: HashMap::new(), bytes: 0 });
        let full = Full { entries: generation, bytes, weigh };
        Self { shards: std::array::from_fn(empty), hasher: RandomState::new(), full }
    }
}

impl<K: Eq + Hash, V: Clone> Cache<K, V> {
    pub(crate) fn get<Q>(&self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        let mut shard = self.shard(key);
        if let Some(value) = shard.young.get(key) {
            return Some(value.clone());
        }
        let (key, value) = shard.old.remove_entry(key)?;
        shard.insert(key, value.clone(), &self.full);
        Some(value)
    }

    pub(crate) fn insert(&self, key: K, value: V) {
        self.shard(&key).insert(key, value, &self.full);
    }

    /// How many entries there are.
    pub(crate) fn len(&self) -> usize {
        let shards = self.shards.iter().map(held);
        shards.map(|shard| shard.young.len() + shard.old.len()).sum()
    }

    fn shard<Q: Hash + ?Sized>(&self, key: &Q) -> MutexGuard<'_, Generations<K, V>> {
        let hash = usize::try_from(self.hasher.hash_one(key) % SHARDS as u64).ok();
        let shard = hash.and_then(|shard| self.shards.get(shard));
        held(shard.expect("a remainder is less than its divisor"))
    }
}

impl<K: Eq + Hash, V> Generations<K, V> {
    /// An entry of the same key in the old generation is hidden by the new one until it
    /// goes with its generation.
    fn insert(&mut self, key: K, value: V, full: &Full<V>) {
        let bytes = (full.weigh)(&value);
        let is_heavy = self.bytes.saturating_add(bytes) > full.bytes && !self.young.is_empty();
        if is_heavy || self.young.len() >= full.entries {
            self.old = std::mem::take(&mut self.young);
            self.bytes = 0;
        }
        self.bytes += bytes;
        if let Some(before) = self.young.insert(key, value) {
            self.bytes -= (full.weigh)(&before);
        }
    }
}

fn held<T>(shard: &Mutex<T>) -> MutexGuard<'_, T> {
    shard.lock().expect("no thread panics while it holds a shard of the cache")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_used_stays_and_the_rest_is_bounded() {
        let cache = Cache::default();
        cache.insert(0, 0);
        for key in 1..1_000_000_u32 {
            cache.insert(key, key);
            assert_eq!(cache.get(&0), Some(0), "it was used just before");
        }
        assert!(cache.len() <= 2 * SHARDS * GENERATION);
        assert!(cache.len() >= SHARDS * GENERATION / 2);
        assert_eq!(cache.get(&1), None);
        assert_eq!(cache.get(&999_999), Some(999_999));
    }

    #[test]
    fn heavy_entries_are_fewer() {
        const BYTES: usize = 1000;
        let cache = Cache::weighing(GENERATION, BYTES, |weight: &usize| *weight);
        let held = |cache: &Cache<u32, usize>| -> usize {
            let shards = cache.shards.iter().map(held);
            shards.map(|it| it.young.values().chain(it.old.values()).sum::<usize>()).sum()
        };
        for key in 0..10_000 {
            cache.insert(key, 100);
            // One that grows counts once.
            cache.insert(7, key as usize % 300);
        }
        assert!(held(&cache) <= 2 * SHARDS * BYTES, "{}", held(&cache));
        assert!(held(&cache) >= SHARDS * BYTES / 2, "{}", held(&cache));
        // What is heavier than a generation may be is kept alone.
        cache.insert(9, 50 * BYTES);
        assert_eq!(cache.get(&9), Some(50 * BYTES));
    }

    #[test]
    fn a_newer_value_hides_an_older_one() {
        let cache = Cache::default();
        cache.insert(7, "old");
        for key in 1000..40_000_u32 {
            cache.insert(key, "other");
        }
        cache.insert(7, "new");
        for key in 1000..60_000_u32 {
            cache.insert(key, "other");
            assert_eq!(cache.get(&7), Some("new"));
        }
    }
}

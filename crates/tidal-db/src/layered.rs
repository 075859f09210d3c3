//! A map in two layers over storage, which a checkpoint empties without anybody waiting.
//!
//! Y1. What is written goes into the fresh layer. Freezing makes it the frozen one, by a
//!     move, and begins a new one on top of it.
//! Y2. The frozen layer does not change. It is read until what it holds is in storage,
//!     so whoever finds nothing here and *then* asks storage misses nothing.
//! Y3. A layer that could not be written goes back below the fresh one, whose entries
//!     win.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

/// A layer that a checkpoint writes.
pub(crate) type Frozen<K, V> = Arc<HashMap<K, V>>;

/// A map in two layers.
#[derive(Debug)]
pub(crate) struct Layered<K, V> {
    fresh: HashMap<K, V>,
    frozen: Option<Frozen<K, V>>,
}

impl<K, V> Default for Layered<K, V> {
    fn default() -> Self {
        Self { fresh: HashMap::new(), frozen: None }
    }
}

impl<K: Eq + Hash + Clone, V: Clone> Layered<K, V> {
    pub(crate) fn get<Q>(&self, key: &Q) -> Option<&V>
    where
        K: std::borrow::Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        self.fresh.get(key).or_else(|| self.frozen.as_ref()?.get(key))
    }

    /// Writes an entry, and returns what the fresh layer had in its place.
    pub(crate) fn insert(&mut self, key: K, value: V) -> Option<V> {
        self.fresh.insert(key, value)
    }

    /// What the fresh layer has of a key.
    pub(crate) fn fresh_mut(&mut self, key: &K) -> Option<&mut V> {
        self.fresh.get_mut(key)
    }

    /// The fresh value of a key, made of the one below it, or of none.
    pub(crate) fn fresh_or(&mut self, key: K, below: impl FnOnce() -> V) -> &mut V {
        let frozen = &self.frozen;
        self.fresh.entry(key).or_insert_with_key(|key| {
            frozen.as_ref().and_then(|frozen| frozen.get(key)).cloned().unwrap_or_else(below)
        })
    }

    /// Y1. The layer that a checkpoint before this one could not write is frozen too.
    pub(crate) fn freeze(&mut self) -> Frozen<K, V> {
        self.thaw();
        let frozen = Arc::new(std::mem::take(&mut self.fresh));
        self.frozen = Some(Arc::clone(&frozen));
        frozen
    }

    /// Drops the frozen layer, which storage has, and returns it, so that its memory is
    /// given back behind the lock.
    pub(crate) fn settle(&mut self) -> Option<Frozen<K, V>> {
        self.frozen.take()
    }

    /// Y3.
    pub(crate) fn thaw(&mut self) {
        if let Some(frozen) = self.frozen.take() {
            let mut below = Arc::unwrap_or_clone(frozen);
            below.extend(self.fresh.drain());
            self.fresh = below;
        }
    }

    /// Every entry, those of the fresh layer last.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (&K, &V)> {
        self.frozen.iter().flat_map(|frozen| frozen.iter()).chain(&self.fresh)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, Clone)]
    enum Step {
        Insert(u8, u8),
        Change(u8, u8),
        Freeze,
        /// The frozen layer was written.
        Settle,
        /// It could not be written.
        Thaw,
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            4 => (0..6_u8, any::<u8>()).prop_map(|(key, value)| Step::Insert(key, value)),
            2 => (0..6_u8, any::<u8>()).prop_map(|(key, value)| Step::Change(key, value)),
            2 => Just(Step::Freeze),
            1 => Just(Step::Settle),
            1 => Just(Step::Thaw),
        ]
    }

    proptest! {
        /// What was written last is read, from the layers or else from storage, and a
        /// frozen layer does not change.
        #[test]
        fn layers_over_storage_read_as_one_map(steps in proptest::collection::vec(step(), 0..40)) {
            let mut layered = Layered::default();
            let (mut model, mut storage) = (BTreeMap::new(), BTreeMap::new());
            let mut writing: Option<(Frozen<u8, u8>, BTreeMap<u8, u8>)> = None;
            for step in steps {
                match step {
                    Step::Insert(key, value) => {
                        layered.insert(key, value);
                        model.insert(key, value);
                    }
                    Step::Change(key, value) => {
                        let below = storage.get(&key).copied().unwrap_or(0);
                        let fresh: &mut u8 = layered.fresh_or(key, || below);
                        *fresh = fresh.wrapping_add(value);
                        let expected = model.entry(key).or_insert(0);
                        *expected = u8::wrapping_add(*expected, value);
                    }
                    Step::Freeze => {
                        let frozen = layered.freeze();
                        writing = Some((frozen, model.clone()));
                    }
                    Step::Settle => {
                        if let Some((frozen, as_of)) = writing.take() {
                            storage.extend(frozen.iter());
                            prop_assert_eq!(&storage, &as_of);
                            layered.settle();
                        }
                    }
                    Step::Thaw => {
                        writing = None;
                        layered.thaw();
                    }
                }
                for key in 0..6 {
                    let read = layered.get(&key).or_else(|| storage.get(&key));
                    prop_assert_eq!(read, model.get(&key));
                }
            }
        }
    }
}

//! All keyspaces in memory, and the moments that someone may go back to.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound;
use std::sync::{Arc, RwLock};

use super::history::{History, Moment};
use crate::sync::write;
use crate::{BatchOp, KeyRange, SpaceId, SpaceOp, SpaceSize};

#[derive(Debug, Default)]
struct Space {
    keys: BTreeMap<Vec<u8>, History>,
    size: SpaceSize,
}

impl Space {
    /// Counts a key that has changed from one value to another.
    fn resize(&mut self, key_bytes: usize, before: Option<usize>, after: Option<usize>) {
        let bytes =
            |value: usize| u64::try_from(key_bytes.saturating_add(value)).unwrap_or(u64::MAX);
        if let Some(before) = before {
            self.size.keys -= 1;
            self.size.bytes -= bytes(before);
        }
        if let Some(after) = after {
            self.size.keys += 1;
            self.size.bytes += bytes(after);
        }
    }
}

/// All keyspaces.
#[derive(Debug, Default)]
pub(super) struct State {
    /// The last commit.
    moment: Moment,
    spaces: Vec<Space>,
    /// How often each moment is pinned.
    pins: BTreeMap<Moment, usize>,
    /// Keys that got a newer version while the one before was pinned, with the
    /// moment of that newer version, in order.
    superseded: VecDeque<(Moment, SpaceId, Vec<u8>)>,
}

impl State {
    pub(super) fn add_space(&mut self) -> SpaceId {
        self.spaces.push(Space::default());
        SpaceId::new(self.spaces.len() - 1)
    }

    fn space(&self, space: SpaceId) -> &Space {
        self.spaces.get(space.index()).expect("a keyspace is opened before it is used")
    }

    /// The value of a key at a moment, or now.
    pub(super) fn get(&self, space: SpaceId, key: &[u8], at: Option<Moment>) -> Option<&[u8]> {
        let history = self.space(space).keys.get(key)?;
        at.map_or_else(|| history.now(), |moment| history.at(moment))
    }

    /// The entries in a range at a moment.
    pub(super) fn range<'a>(
        &'a self,
        space: SpaceId,
        range: &'a KeyRange,
        at: Moment,
    ) -> impl DoubleEndedIterator<Item = (&'a [u8], &'a [u8])> {
        let bounds: (Bound<&[u8]>, Bound<&[u8]>) = range.bounds();
        let keys = self.space(space).keys.range::<[u8], _>(bounds);
        keys.filter_map(move |(key, history)| Some((key.as_slice(), history.at(at)?)))
    }

    pub(super) fn size(&self, space: SpaceId) -> SpaceSize {
        self.space(space).size
    }

    /// Applies all of these at the next moment.
    pub(super) fn commit(&mut self, ops: Vec<SpaceOp>) {
        self.moment += 1;
        for SpaceOp { space, op } in ops {
            match op {
                BatchOp::Put { key, value } => self.set(space, key, Some(value)),
                BatchOp::Delete { key } => self.set(space, key, None),
            }
        }
    }

    fn set(&mut self, id: SpaceId, key: Vec<u8>, value: Option<Vec<u8>>) {
        let newest_pin = self.pins.last_key_value().map(|(&moment, _)| moment);
        let space =
            self.spaces.get_mut(id.index()).expect("a keyspace is opened before it is used");
        let (key_bytes, after) = (key.len(), value.as_ref().map(Vec::len));
        let before = match space.keys.entry(key) {
            Entry::Occupied(mut entry) => {
                let before = entry.get().now().map(<[u8]>::len);
                if entry.get_mut().set(self.moment, value, newest_pin) {
                    self.superseded.push_back((self.moment, id, entry.key().clone()));
                }
                if entry.get().is_absent() {
                    entry.remove();
                }
                before
            }
            Entry::Vacant(entry) => {
                if value.is_some() {
                    entry.insert(History::new(self.moment, value));
                }
                None
            }
        };
        space.resize(key_bytes, before, after);
    }

    fn pin(&mut self) -> Moment {
        *self.pins.entry(self.moment).or_default() += 1;
        self.moment
    }

    fn unpin(&mut self, moment: Moment) {
        if let Entry::Occupied(mut pin) = self.pins.entry(moment) {
            *pin.get_mut() -= 1;
            if *pin.get() == 0 {
                pin.remove();
            }
        }
        self.prune();
    }

    /// Drops the versions that no pinned moment sees any longer (M2). A version
    /// that was superseded at a moment is seen only by pins before it.
    fn prune(&mut self) {
        let oldest = self.pins.first_key_value().map_or(Moment::MAX, |(&moment, _)| moment);
        while let Some((_, id, key)) = self.superseded.pop_front_if(|(since, ..)| *since <= oldest)
        {
            let space =
                self.spaces.get_mut(id.index()).expect("a keyspace is opened before it is used");
            if let Entry::Occupied(mut entry) = space.keys.entry(key) {
                entry.get_mut().prune(oldest);
                if entry.get().is_absent() {
                    entry.remove();
                }
            }
        }
    }

    #[cfg(test)]
    pub(super) fn versions(&self) -> usize {
        self.spaces.iter().flat_map(|space| space.keys.values()).map(History::versions).sum()
    }
}

/// A moment that can be read for as long as this lives.
#[derive(Debug)]
pub struct Pin {
    state: Arc<RwLock<State>>,
    moment: Moment,
}

impl Pin {
    pub(super) fn new(state: &Arc<RwLock<State>>) -> Self {
        let moment = write(state).pin();
        Self { state: Arc::clone(state), moment }
    }

    pub(super) const fn moment(&self) -> Moment {
        self.moment
    }

    pub(super) const fn state(&self) -> &Arc<RwLock<State>> {
        &self.state
    }
}

impl Drop for Pin {
    fn drop(&mut self) {
        write(&self.state).unpin(self.moment);
    }
}

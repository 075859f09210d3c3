//! Where the cells are that are not in memory, and how many there are.

use std::fmt::Debug;

use tidal_types::{EntityId, EntityKind, SignalTypeId};

use crate::Result;

/// Where the cells are that are not in memory.
pub(crate) trait CellStore: Debug + Send + Sync {
    /// The bytes of a stored cell.
    #[expect(dead_code, reason = "called once cells can leave memory")]
    fn get(&self, kind: EntityKind, id: EntityId, signal: SignalTypeId) -> Result<Option<Vec<u8>>>;

    /// Every stored cell of a kind as of one moment, by entity and then by signal type.
    fn scan(&self, kind: EntityKind, visit: CellVisitor<'_>) -> Result<()>;
}

/// What sees the cells of a store.
pub(crate) type CellVisitor<'a> = &'a mut dyn FnMut(EntityId, SignalTypeId, &[u8]) -> Result<()>;

/// How many cells of each signal type are stored.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct StoredCounts(Vec<u64>);

impl StoredCounts {
    /// The counts in the order of the signal types' ids.
    pub(crate) const fn new(counts: Vec<u64>) -> Self {
        Self(counts)
    }

    /// The counts in the order of the signal types' ids. Types behind the last have none.
    pub(crate) fn as_slice(&self) -> &[u64] {
        &self.0
    }

    /// Counts one more cell.
    pub(crate) fn add_one(&mut self, signal: SignalTypeId) {
        let place = usize::from(signal.get());
        if self.0.len() <= place {
            self.0.resize(place + 1, 0);
        }
        if let Some(count) = self.0.get_mut(place) {
            *count += 1;
        }
    }
}

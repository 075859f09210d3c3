//! Where the cells are that are not in memory.

use std::fmt::Debug;

use tidal_types::{EntityId, EntityKind, SignalTypeId};

use crate::Result;

/// Reads the cells that storage has.
///
/// What it returns is what was committed: a cell that [`SignalLedger::written`] was told
/// of is found from then on, as it was written or newer.
///
/// [`SignalLedger::written`]: super::SignalLedger::written
pub(crate) trait CellStore: Send + Sync + Debug {
    /// The bytes of a stored cell.
    fn get(&self, kind: EntityKind, id: EntityId, signal: SignalTypeId) -> Result<Option<Vec<u8>>>;

    /// Shows every stored cell of a kind as of one moment, ordered by entity and then by
    /// signal type, until `visit` fails. The moment is not before the call. `visit` may
    /// call [`CellStore::get`].
    fn scan(&self, kind: EntityKind, visit: CellVisitor<'_>) -> Result<()>;

    /// Shows every stored cell of a kind by several threads, in no order that means
    /// anything, while nothing is written. Gives up, and says so by `false`, when it would
    /// read more than so many bytes of what is no cell.
    fn scan_by_threads(
        &self,
        kind: EntityKind,
        other_bytes_max: u64,
        visit: SharedCellVisitor<'_>,
    ) -> Result<bool>;
}

/// What several threads show cells to.
pub(crate) type SharedCellVisitor<'a> =
    &'a (dyn Fn(EntityId, SignalTypeId, &[u8]) -> Result<()> + Sync);

/// What a scan shows a cell to.
pub(crate) type CellVisitor<'a> = &'a mut dyn FnMut(EntityId, SignalTypeId, &[u8]) -> Result<()>;

/// How many cells storage has, by signal type in the order of ids; none of a type beyond.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct StoredCounts(Vec<u64>);

impl StoredCounts {
    /// These counts, in the order of signal types.
    pub(crate) const fn new(counts: Vec<u64>) -> Self {
        Self(counts)
    }

    /// The counts in the order of signal types.
    pub(crate) fn as_slice(&self) -> &[u64] {
        &self.0
    }

    /// How many there are of one signal type.
    pub(crate) fn of(&self, signal: SignalTypeId) -> u64 {
        self.0.get(usize::from(signal.get())).copied().unwrap_or_default()
    }

    /// How many there are of all.
    pub(crate) fn total(&self) -> u64 {
        self.0.iter().sum()
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

    /// Counts one cell less.
    pub(crate) fn take_one(&mut self, signal: SignalTypeId) {
        if let Some(count) = self.0.get_mut(usize::from(signal.get())) {
            *count = count.saturating_sub(1);
        }
    }
}

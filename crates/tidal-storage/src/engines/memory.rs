//! Storage in memory: `BTreeMap`s behind one lock.
//!
//! A key keeps the versions of its value that some snapshot or scan may still
//! read, so these cost nothing to begin, whatever the size of the keyspace, and
//! writers do not copy anything for them.
//!
//! M1. A commit is one step under the lock and gets the next moment; it is seen
//!     whole from that moment on.
//! M2. A version is kept for as long as a pinned moment sees it, and no longer.
//! M3. The same calls give the same answers: there is no thread, no clock and no
//!     hash order in here.

mod history;
mod scan;
mod state;

use std::path::PathBuf;
use std::sync::{Arc, RwLock};

use crate::sync::{read, write};
use crate::{
    Capabilities, Direction, Driver, DriverBackend, DriverStorage, Durability, KeyRange, Result,
    SpaceId, SpaceOp, SpaceSize,
};
use scan::MemoryScan;
use state::{Pin, State};

/// Storage in memory, gone when it is closed.
pub type MemoryStorage = DriverStorage<Memory>;

/// One keyspace of a [`MemoryStorage`].
pub type InMemoryBackend = DriverBackend<Memory>;

/// The driver of [`MemoryStorage`].
#[derive(Debug, Default)]
pub struct Memory {
    state: Arc<RwLock<State>>,
}

impl DriverStorage<Memory> {
    /// A storage without entries.
    #[must_use]
    pub fn new() -> Self {
        Self::over(Memory::default(), PathBuf::from("memory"))
            .expect("keyspaces in memory are always created")
    }

    /// The same as [`MemoryStorage::new`], under the name that every engine has
    /// for tests.
    ///
    /// # Errors
    ///
    /// None.
    #[cfg(any(test, feature = "testing"))]
    pub fn open_temp() -> Result<Self> {
        Ok(Self::new())
    }
}

impl Default for DriverStorage<Memory> {
    fn default() -> Self {
        Self::new()
    }
}

impl Driver for Memory {
    type Snapshot = Arc<Pin>;
    type Scan = MemoryScan;

    const NAME: &'static str = "memory";
    const CAPABILITIES: Capabilities = Capabilities {
        persistent: false,
        exact_key_count: true,
        survives_power_cut: false,
        read_only: false,
        buffer_syncs: false,
    };

    fn keyspace_names(&self) -> Vec<String> {
        Vec::new()
    }

    fn open_keyspace(&mut self, _name: &str) -> Result<SpaceId> {
        Ok(write(&self.state).add_space())
    }

    fn get(
        &self,
        at: Option<&Self::Snapshot>,
        space: SpaceId,
        key: &[u8],
    ) -> Result<Option<Vec<u8>>> {
        let state = read(&self.state);
        Ok(state.get(space, key, at.map(|pin| pin.moment())).map(<[u8]>::to_vec))
    }

    fn contains(&self, at: Option<&Self::Snapshot>, space: SpaceId, key: &[u8]) -> Result<bool> {
        Ok(read(&self.state).get(space, key, at.map(|pin| pin.moment())).is_some())
    }

    fn scan(
        &self,
        at: Option<&Self::Snapshot>,
        space: SpaceId,
        range: KeyRange,
        direction: Direction,
    ) -> Result<Self::Scan> {
        let pin = at.map_or_else(|| Arc::new(Pin::new(&self.state)), Arc::clone);
        Ok(MemoryScan::new(pin, space, range, direction))
    }

    fn commit(&self, ops: Vec<SpaceOp>, _durability: Durability) -> Result<()> {
        write(&self.state).commit(ops);
        Ok(())
    }

    fn snapshot(&self) -> Result<Self::Snapshot> {
        Ok(Arc::new(Pin::new(&self.state)))
    }

    fn sync(&self) -> Result<()> {
        Ok(())
    }

    fn compact(&self, _space: SpaceId) -> Result<()> {
        Ok(())
    }

    fn size(&self, space: SpaceId) -> Result<SpaceSize> {
        Ok(read(&self.state).size(space))
    }

    fn disk_bytes(&self) -> Result<u64> {
        Ok(0)
    }
}

#[cfg(test)]
mod tests;

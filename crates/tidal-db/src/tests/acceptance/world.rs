//! The machine of the acceptance run: a disk, a storage engine, a clock.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tidal_storage::{FjallStorage, Storage};
use tidal_types::{DecaySpec, EntityKind, ManualClock, Schema, SchemaBuilder, Timestamp, Window};
use tidal_wal::sim::SimDisk;

use crate::Retention;
use crate::config::Builder;
use crate::tests::crash_storage::CrashStorage;
use crate::tests::life::Life;

/// The events happen from here on,
pub(super) const START: Timestamp = Timestamp::from_secs(1_700_000_000);
/// to here, when the run begins by the clock.
pub(super) const END: Timestamp = Timestamp::from_secs(1_700_172_800);

/// Large enough that only a batch that does not fit leaves a segment.
const SEGMENT_BYTES: u64 = 512 << 10;

/// Where checkpoints are kept.
pub(super) enum Engine {
    Memory(Arc<CrashStorage>),
    /// In this folder. It is on a real disk, so only the log suffers from power cuts.
    Fjall(PathBuf),
}

/// What is left when a process ends.
pub(super) struct World {
    pub(super) disk: SimDisk,
    pub(super) clock: Arc<ManualClock>,
    engine: Engine,
}

pub(super) fn schema() -> Schema {
    let half_life = Duration::from_secs(12 * 3600);
    let mut builder = SchemaBuilder::new();
    builder
        .signal("view", EntityKind::Item, DecaySpec::Exponential { half_life })
        .windows(&[Window::OneHour, Window::TwentyFourHours, Window::AllTime])
        .velocity(true)
        .sums(true)
        .add()
        .signal("like", EntityKind::Item, DecaySpec::Linear { lifetime: 4 * half_life })
        .windows(&[Window::TwentyFourHours, Window::AllTime])
        .sums(true)
        .add()
        .signal("follow", EntityKind::Creator, DecaySpec::Permanent)
        .windows(&[Window::AllTime])
        .sums(true)
        .add();
    builder.build().unwrap()
}

impl World {
    pub(super) fn new(engine: Engine) -> Self {
        let clock = Arc::new(ManualClock::new(START));
        Self { disk: SimDisk::new(0x5eed), clock, engine }
    }

    fn storage(&self) -> Arc<dyn Storage> {
        match &self.engine {
            Engine::Memory(storage) => Arc::clone(storage) as _,
            Engine::Fjall(path) => Arc::new(FjallStorage::open(path).unwrap()),
        }
    }

    /// Opens the database. What is appended from now on waits for a step of its log.
    pub(super) fn open(&self) -> Life {
        let builder = Builder::new("simulated".into(), Some(schema()))
            .segment_bytes(SEGMENT_BYTES)
            .retain(Retention::UntilCheckpoint)
            .checkpoint_every(u64::MAX)
            .checkpoint_interval(Duration::MAX)
            .clock(Arc::<ManualClock>::clone(&self.clock));
        let life = Life::open(builder, &self.disk, self.storage()).unwrap();
        life.log.hold();
        life
    }

    /// The power was cut under a process, and is back.
    pub(super) fn power_cut(&mut self, life: Life) {
        // Nothing it still does reaches the disk.
        self.disk.die();
        if let Engine::Memory(storage) = &self.engine {
            storage.die();
        }
        drop(life);
        self.disk.power_cut();
        if let Engine::Memory(storage) = &self.engine {
            self.engine = Engine::Memory(storage.after_power_cut());
        }
    }
}

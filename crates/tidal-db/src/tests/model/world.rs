//! The machine of a run, and what its database is called with.

use std::sync::Arc;
use std::time::Duration;

use tidal_types::{DedupKey, Event, ManualClock, Producer, ProducerId, Seq, Timestamp};
use tidal_wal::sim::SimDisk;
use tidal_wal::{DedupOptions, Durability};

use super::action::{Level, PowerCut, Setting};
use super::facts::WINDOW_SECS;
use super::history::{Origin, Record, SentEvent};
use super::schemas;
use crate::config::Builder;
use crate::tests::crash_storage::CrashStorage;
use crate::tests::life::Life;
use crate::{Batch, Result, Retention};

/// The time by the clock when a run begins.
pub(super) const START: Timestamp = Timestamp::from_secs(1_700_000_000);

/// The smallest there are, so that runs come to have several.
const SEGMENT_BYTES: u64 = 16 << 10;

/// So small that a checkpoint takes several commits.
pub(super) const COMMIT_BYTES: usize = 100;

/// What is left when a process ends.
#[derive(Debug)]
pub(super) struct World {
    pub(super) disk: SimDisk,
    pub(super) storage: Arc<CrashStorage>,
    pub(super) clock: Arc<ManualClock>,
    setting: Setting,
    /// Checkpoints by themselves come after so many records; cells are written when memory
    /// is short unless this is never.
    checkpoint_every: u64,
}

impl World {
    pub(super) fn new(setting: &Setting, checkpoint_every: u64) -> Self {
        let disk = SimDisk::new(setting.seed);
        disk.disturb(setting.disturbed);
        let clock = Arc::new(ManualClock::new(START));
        let storage = CrashStorage::new();
        Self { disk, storage, clock, setting: setting.clone(), checkpoint_every }
    }

    /// Opens the database with the schema of this number, or the one it has.
    pub(super) fn open(&self, schema: Option<usize>, see: &mut dyn FnMut(Seq)) -> Result<Life> {
        let schema = schema.map(schemas::schema);
        let retention = match self.setting.cuts_log {
            true => Retention::UntilCheckpoint,
            false => Retention::Forever,
        };
        let dedup =
            DedupOptions { window: Duration::from_secs(WINDOW_SECS), ..DedupOptions::default() };
        let durability = match self.setting.durability {
            Level::Durable => Durability::Durable,
            Level::Written => Durability::Written,
            Level::Buffered => Durability::Buffered,
        };
        let mut builder = Builder::new("simulated".into(), schema)
            .durability(durability)
            .segment_bytes(SEGMENT_BYTES)
            .retain(retention)
            .dedup(dedup)
            .checkpoint_every(self.checkpoint_every)
            .checkpoint_log_bytes(u64::MAX)
            .checkpoint_interval(Duration::MAX)
            .clock(Arc::<ManualClock>::clone(&self.clock));
        builder.commit_bytes = COMMIT_BYTES;
        builder.writes_back = self.writes_by_itself();
        builder.memory_budget = self.setting.memory_budget;
        Life::open_seeing(builder, &self.disk, Arc::clone(&self.storage) as _, see)
    }

    /// Whether the database writes to storage by itself.
    pub(super) const fn writes_by_itself(&self) -> bool {
        self.checkpoint_every < u64::MAX
    }

    /// Nothing that the process still does reaches disk or storage.
    pub(super) fn die(&self) {
        self.disk.die();
        self.storage.die();
    }

    /// The dead process is gone, and with a power cut what was not synced.
    pub(super) fn restart(&mut self, cut: Option<PowerCut>) {
        match cut {
            Some(PowerCut { unsynced }) => {
                self.disk.power_cut();
                self.storage = self.storage.after_crash(unsynced.into());
            }
            None => {
                self.disk.kill();
                self.storage = self.storage.after_kill();
            }
        }
    }
}

/// The id of a producer.
pub(super) const fn producer_id(producer: u8) -> ProducerId {
    ProducerId::from_bytes([producer + 1; 16])
}

/// The batch that a caller sends for these records.
pub(super) fn batch(records: &[Record], with_keys: bool) -> Batch<'static> {
    records.iter().fold(Batch::new(), |batch, record| match record {
        Record::Event(event) => batch.event(sent(*event, with_keys)),
        Record::WriteItem { id, metadata } => batch.write_item(*id, metadata.clone()),
        Record::DeleteItem { id } => batch.delete_item(*id),
        Record::PutAttributes { kind, id, values } => {
            let values = values
                .iter()
                .map(|(attribute, value)| (schemas::attribute(*attribute).0, value.clone()));
            batch.put_attributes(*kind, *id, values)
        }
        Record::Note { producer, note } => {
            batch.producer_note(producer_id(*producer), note.clone())
        }
        Record::Schema(_) | Record::Name { .. } | Record::Forget { .. } => {
            unreachable!("no batch has a schema or a name, or forgets")
        }
    })
}

fn sent(SentEvent { content, from }: SentEvent, with_keys: bool) -> Event<'static> {
    let name = schemas::name(content.signal);
    let mut event = Event::new(name, content.entity, content.weight, content.time);
    event.actor = content.actor;
    match from {
        Origin::Producer { producer, epoch, seq } => {
            event.from_producer(Producer { id: producer_id(producer), epoch, seq })
        }
        Origin::Client(key) if with_keys => event.key(DedupKey::Client([key; 16])),
        Origin::Content if with_keys => event.key(DedupKey::Content),
        Origin::Nothing | Origin::Client(_) | Origin::Content => event,
    }
}

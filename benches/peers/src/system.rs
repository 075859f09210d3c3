//! What a system has to do to be measured, and which ones there are.
//!
//! Y1. Each is opened from a folder, empty or left by one that was killed, with what is in
//!     it; a server is started for it and stopped with it.
//! Y2. Events are as durable as the system's setting makes them once [`Client::settle`] is
//!     back, and whoever sent them reads them. Until then a client has at most
//!     [`IN_FLIGHT`](crate::job::IN_FLIGHT) batches on their way, whatever that is in the
//!     system: commits or calls that are not answered yet, batches that one sync is for, or
//!     that one transaction takes in. A load that sends event by event settles each.
//! Y3. Clients may be used beside each other, each by one thread.

use std::fmt::Debug;
use std::path::Path;

use serde::{Deserialize, Serialize};
use tidal_bench_measure::Result;

use crate::job::{Answer, Event, Place};
use crate::systems;

/// A system that is open.
pub(crate) trait System: Debug + Send + Sync {
    /// Its version, and how it is set up.
    fn about(&self) -> Result<String>;

    /// Somebody new who writes and reads.
    fn client(&self) -> Result<Box<dyn Client>>;
}

/// Somebody who writes and reads.
pub(crate) trait Client: Debug + Send {
    /// Sends events, in one batch.
    fn send(&mut self, events: &[Event]) -> Result<()>;

    /// Waits until everything that was sent is in.
    fn settle(&mut self) -> Result<()>;

    /// How hot an item is just before `end`; zeros for one without events.
    fn read(&mut self, item: u64, end: u64) -> Result<Answer>;

    /// The items with the highest scores, of highest first, with their scores just before
    /// `end`.
    fn top(&mut self, places: usize, end: u64) -> Result<Vec<Place>>;
}

/// One of the systems.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) enum Kind {
    Tidal,
    RedisEverysec,
    RedisAlways,
    Postgres,
    Sqlite,
    RocksDb,
    Fjall,
}

impl Kind {
    pub(crate) const ALL: [Self; 7] = [
        Self::Tidal,
        Self::RedisEverysec,
        Self::RedisAlways,
        Self::Postgres,
        Self::Sqlite,
        Self::RocksDb,
        Self::Fjall,
    ];

    /// What it is called.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Tidal => "tidalDB",
            Self::RedisEverysec => "Redis everysec",
            Self::RedisAlways => "Redis always",
            Self::Postgres => "PostgreSQL",
            Self::Sqlite => "SQLite",
            Self::RocksDb => "RocksDB",
            Self::Fjall => "fjall",
        }
    }

    /// Why it cannot be measured here, if that is so.
    pub(crate) fn missing(self) -> Option<String> {
        match self {
            Self::RedisEverysec | Self::RedisAlways => systems::redis::missing(),
            Self::Postgres => systems::postgres::missing(),
            Self::RocksDb => systems::rocksdb::missing(),
            Self::Tidal | Self::Sqlite | Self::Fjall => None,
        }
    }

    /// Opens it in a folder that is there.
    pub(crate) fn open(self, dir: &Path) -> Result<Box<dyn System>> {
        match self {
            Self::Tidal => systems::tidal::open(dir),
            Self::RedisEverysec => systems::redis::open(dir, systems::redis::Sync::EverySecond),
            Self::RedisAlways => systems::redis::open(dir, systems::redis::Sync::Always),
            Self::Postgres => systems::postgres::open(dir),
            Self::Sqlite => systems::sqlite::open(dir),
            Self::RocksDb => systems::rocksdb::open(dir),
            Self::Fjall => systems::fjall::open(dir),
        }
    }
}

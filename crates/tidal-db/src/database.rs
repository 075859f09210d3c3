//! The facade.

mod as_of;
mod attributes;
mod explain;
mod forget;
mod history;
mod lifecycle;
mod metadata;
mod names;
mod producers;
mod profiles;
mod rank;
mod reads;
mod stats;
mod uniques;
mod writes;

use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use tidal_storage::Storage;
use tidal_types::{Clock, TidalError};

pub use forget::Purged;
pub use stats::{Indexes, Resident, Stats};

use crate::Result;
use crate::checkpointer::Checkpointer;
use crate::directory::Directory;
use crate::log::RecordLog;
use crate::pipeline::{Gate, Progress};
use crate::retention::Retained;
use crate::state::State;

/// An embeddable database for engagement signals.
///
/// Every method takes `&self`, and the database is `Send + Sync`: share it
/// between threads in an [`Arc`](std::sync::Arc). Dropping it loses nothing that
/// was acknowledged; [`TidalDB::shutdown`] also writes a checkpoint, so that the
/// next opening is quick, and tells about errors.
///
/// See the [crate](crate) for an example.
#[derive(Debug)]
pub struct TidalDB {
    pub(crate) parts: Parts,
}

/// What a database is made of.
#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) gate: Gate,
    pub(crate) state: Arc<State>,
    pub(crate) storage: Arc<dyn Storage>,
    pub(crate) log: Arc<dyn RecordLog>,
    pub(crate) progress: Arc<Progress>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) max_future_skew: Duration,
    pub(crate) retained: Retained,
    /// Held by who shuts the database down.
    pub(crate) closing: Mutex<()>,
    pub(crate) applier: Mutex<Option<JoinHandle<()>>>,
    pub(crate) checkpointer: Checkpointer,
    /// Held by who purges log and storage.
    pub(crate) purging: Mutex<()>,
    /// `None` in memory, and once the database is shut down.
    pub(crate) directory: Mutex<Option<Directory>>,
}

impl TidalDB {
    pub(crate) const fn from_parts(parts: Parts) -> Self {
        Self { parts }
    }

    pub(crate) const fn parts(&self) -> &Parts {
        &self.parts
    }

    /// The state, unless the database is shut down.
    pub(crate) fn state(&self) -> Result<&State> {
        if self.parts.gate.is_closed() { Err(TidalError::Closed) } else { Ok(&self.parts.state) }
    }
}

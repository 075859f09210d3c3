//! Opening, checkpoints, shutting down.

use std::path::PathBuf;
use std::thread::{self, JoinHandle};

use tidal_types::{Position, Schema, TidalError};

use super::TidalDB;
use crate::checksum::{self, Checksum};
use crate::config::{Builder, Config};
use crate::{Result, open};

impl TidalDB {
    /// Opens the database in `config.data_dir`, or creates it there, on fjall. Writes
    /// are durable.
    ///
    /// Opening reads the last checkpoint and replays the log behind it. A crash
    /// may have left a torn record that was never acknowledged; it is set aside.
    ///
    /// # Errors
    /// [`Locked`](crate::TidalError::Locked) when it is open elsewhere; a
    /// [`SchemaError`](crate::SchemaError) when the schema changes a signal type
    /// that is stored; [`QueryError::Profile`](crate::QueryError::Profile) when one of its
    /// profiles cannot be used; [`NotADatabase`](crate::TidalError::NotADatabase),
    /// [`UnsupportedFormat`](crate::TidalError::UnsupportedFormat) and
    /// [`EngineMismatch`](crate::TidalError::EngineMismatch) when the directory
    /// is something else; errors of kind [`Damage`](crate::ErrorKind::Damage) when
    /// log or storage are not what was written. Whatever is refused is left as it
    /// was.
    pub fn open(config: Config) -> Result<Self> {
        Self::builder(config).open()
    }

    /// Opens an existing database with the schema it has.
    ///
    /// # Errors
    /// [`NotFound`](crate::TidalError::NotFound) when there is none, and those of
    /// [`TidalDB::open`].
    pub fn open_existing(data_dir: impl Into<PathBuf>) -> Result<Self> {
        Self::builder_existing(data_dir).open()
    }

    /// A database that keeps nothing, for tests of applications.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn in_memory(schema: Schema) -> Result<Self> {
        open::open_in_memory(schema)
    }

    /// Opens a database with more choices.
    #[must_use]
    pub fn builder(config: Config) -> Builder {
        Builder::new(config.data_dir, Some(config.schema))
    }

    /// Opens an existing database, with the schema it has, with more choices.
    #[must_use]
    pub fn builder_existing(data_dir: impl Into<PathBuf>) -> Builder {
        Builder::new(data_dir.into(), None)
    }

    /// The schema, with everything it ever declared.
    #[must_use]
    pub fn schema(&self) -> &Schema {
        self.parts.state.schema()
    }

    /// Writes everything that has changed to storage, durably, and returns the
    /// place in the log that the checkpoint covers: all that was answered before this
    /// call, at least. Opening replays only what comes behind it. Reads and writes go on
    /// meanwhile, and calls that come together may share one checkpoint.
    ///
    /// # Errors
    /// What storage or the log say; nothing is lost then, the checkpoint
    /// before still holds, and the next one writes what this one could not.
    /// [`CheckpointerDied`](crate::TidalError::CheckpointerDied);
    /// [`Closed`](crate::TidalError::Closed).
    pub fn checkpoint(&self) -> Result<Position> {
        if self.parts.gate.is_closed() {
            return Err(TidalError::Closed);
        }
        self.parts.checkpointer.checkpoint()
    }

    /// A digest of the folded state: cells, metadata, names, id modes, producers and
    /// schema.
    /// Two databases that were fed the same records have the same, whatever their
    /// storage engine, their checkpoints, and their commits' sizes. It looks at
    /// everything, and writes wait meanwhile.
    ///
    /// # Errors
    /// What storage says; [`Closed`](crate::TidalError::Closed).
    pub fn checksum(&self) -> Result<Checksum> {
        self.parts.gate.inspect(|applier| match applier.progress.stuck() {
            Some(stuck) => Err(stuck.clone()),
            None => checksum::of(&applier.state, &*applier.storage),
        })?
    }

    /// Commits what was submitted, writes a checkpoint and releases the
    /// directory. Afterwards every call returns
    /// [`Closed`](crate::TidalError::Closed), and a second shutdown does nothing.
    ///
    /// # Errors
    /// The first thing that went wrong. The database is closed all the same, and
    /// everything that was acknowledged is in the log.
    pub fn shutdown(&self) -> Result<()> {
        // Held to the end, so that whoever calls second finds it done.
        let _closing = self.parts.closing.lock().expect(UNPOISONED);
        if self.parts.gate.is_closed() {
            return Ok(());
        }
        let checkpoint = self.checkpoint().map(|_| ());
        checkpoint.and(self.close())
    }

    /// Ends applier and checkpointer, closes log and storage and releases the directory.
    fn close(&self) -> Result<()> {
        if !self.parts.gate.close() {
            return Ok(());
        }
        self.parts.checkpointer.let_go_of_applier();
        let applier = self.parts.applier.lock().expect(UNPOISONED).take();
        let applied = applier.map_or(Ok(()), join);
        self.parts.checkpointer.stop();
        let logged = self.parts.log.close();
        let stored = self.parts.storage.close().map_err(Into::into);
        drop(self.parts.directory.lock().expect(UNPOISONED).take());
        applied.and(logged).and(stored)
    }
}

const UNPOISONED: &str = "no thread panics while it closes the database";

fn join(applier: JoinHandle<()>) -> Result<()> {
    // A waker that holds the last reference drops the database on the applier's
    // own thread, which ends by itself once nobody can send to it.
    if applier.thread().id() == thread::current().id() {
        return Ok(());
    }
    applier.join().map_err(|_| TidalError::Closed)
}

impl Drop for TidalDB {
    fn drop(&mut self) {
        if let Err(error) = self.close() {
            tracing::error!(%error, "the database was dropped and could not be closed cleanly");
        }
    }
}

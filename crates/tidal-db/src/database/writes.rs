//! Events and batches.

use std::time::Duration;

use tidal_types::{
    AcceptedEvent, EntityId, EntityKind, Event, Position, Seq, TidalError, Timestamp, WalError,
};

use super::TidalDB;
use crate::Result;
use crate::attributes;
use crate::batch::{Batch, Committed, Operation};
use crate::change::{Change, Entry};
use crate::kinds::{IdMode, Modes};
use crate::metadata::METADATA_BYTES_MAX;
use crate::pipeline::{Ticket, UsedIds, WhenFull};
use crate::producers::NOTE_BYTES_MAX;
use crate::record;
use crate::state::State;

impl TidalDB {
    /// Records that something happened to an entity, and returns the number of
    /// its record. When it returns, the event survives a power cut (unless the
    /// database was opened for less) and every read sees it.
    ///
    /// # Errors
    /// An error of kind [`Input`](crate::ErrorKind::Input) when the signal type
    /// is unknown, the weight is not finite or larger than
    /// [`WEIGHT_MAX`](crate::WEIGHT_MAX), the time is too far ahead of the clock,
    /// or the id belongs to no name of a named kind; nothing was written then.
    /// For others see [`Ticket::wait`].
    pub fn signal(&self, signal: &str, id: EntityId, weight: f64, at: Timestamp) -> Result<Seq> {
        let committed = self.commit(Batch::new().signal(signal, id, weight, at))?;
        Ok(committed.position.seq)
    }

    /// Records events in one commit: after a crash all of them are there, or
    /// none.
    ///
    /// # Errors
    /// Those of [`TidalDB::signal`]; one bad event refuses them all.
    pub fn signals(&self, events: &[Event<'_>]) -> Result<Committed> {
        self.commit(events.iter().copied().collect())
    }

    /// Commits a batch and waits for it.
    ///
    /// # Errors
    /// Those of [`TidalDB::submit`] and [`Ticket::wait`].
    pub fn commit(&self, batch: Batch<'_>) -> Result<Committed> {
        self.submit(batch)?.wait()
    }

    /// Commits a batch without waiting: the ticket answers once it is durable and
    /// can be read. Batches are committed in the order of the calls. When too
    /// much is in flight, the call waits.
    ///
    /// ```
    /// # use tidal_db::{Batch, DecaySpec, EntityId, EntityKind, SchemaBuilder, TidalDB, Timestamp};
    /// # let mut schema = SchemaBuilder::new();
    /// # schema.signal("view", EntityKind::Item, DecaySpec::Permanent).add();
    /// # let db = TidalDB::in_memory(schema.build()?)?;
    /// let mut tickets = Vec::new();
    /// for item in 1..=3 {
    ///     let batch = Batch::new()
    ///         .signal("view", EntityId::new(item), 1.0, Timestamp::now())
    ///         .write_item(EntityId::new(item), format!("title {item}"));
    ///     tickets.push(db.submit(batch)?); // does not wait for the disk
    /// }
    /// for ticket in tickets {
    ///     ticket.wait()?; // now it is durable
    /// }
    /// # Ok::<(), tidal_db::TidalError>(())
    /// ```
    ///
    /// A batch without operations writes nothing, and is answered with the place
    /// of the last record that can be read.
    ///
    /// An event that tells its producer is taken once, however often it is sent: a
    /// repeat is answered [`Outcome::Duplicate`](crate::Outcome::Duplicate), and not
    /// before the original is durable. A producer submits its events in the order
    /// of their numbers; one that fails has to be submitted again before any later
    /// one.
    ///
    /// So is an event with a key, within the window of deduplication
    /// ([`Builder::dedup`](crate::Builder::dedup)); the answer then has the number of the
    /// original.
    ///
    /// # Errors
    /// Those of [`TidalDB::signal`] that can be told at once;
    /// [`KeyReused`](crate::WalError::KeyReused) when a key is that of another event, and
    /// [`WindowFull`](crate::WalError::WindowFull) when there are too many;
    /// [`ProducerAndKey`](crate::TidalError::ProducerAndKey);
    /// [`Fenced`](crate::TidalError::Fenced) when a newer epoch has taken the
    /// producer over; [`ProducerBehind`](crate::TidalError::ProducerBehind), also
    /// from the ticket, when an earlier commit of the producer failed and it has to
    /// go back to that; [`Closed`](crate::TidalError::Closed).
    pub fn submit(&self, batch: Batch<'_>) -> Result<Ticket> {
        self.submit_when(batch, WhenFull::Wait)
    }

    /// Commits like [`TidalDB::submit`], but never waits: when too much is in flight
    /// the batch is refused.
    ///
    /// # Errors
    /// An error of kind [`Retry`](crate::ErrorKind::Retry),
    /// [`WouldBlock`](crate::WalError::WouldBlock), when 64 MiB or 1,024 commits are in
    /// flight, or when an earlier commit failed and the fate of those behind it is not
    /// known yet: nothing was written, and a later call may succeed. Those of
    /// [`TidalDB::submit`].
    pub fn try_submit(&self, batch: Batch<'_>) -> Result<Ticket> {
        self.submit_when(batch, WhenFull::Refuse)
    }

    fn submit_when(&self, batch: Batch<'_>, when_full: WhenFull) -> Result<Ticket> {
        let state = self.state()?;
        if batch.is_empty() {
            return Ok(Ticket::answered_with(self.nothing_committed()));
        }
        let mut prepared = Prepared::new(self, state, batch.len());
        for operation in batch.into_operations() {
            prepared.add(operation)?;
        }
        let (log_batch, entries, used) = prepared.finish();
        self.parts.gate.commit(log_batch, entries, used, when_full)
    }

    /// Waits until the record at `position` is folded, so that reads see it: what another
    /// thread was answered for, or what it is about to write.
    ///
    /// # Errors
    /// [`OtherLog`](crate::WalError::OtherLog) when the position is of another database;
    /// an error of kind [`Retry`](crate::ErrorKind::Retry),
    /// [`TimedOut`](crate::WalError::TimedOut), when it is not folded within `timeout`;
    /// [`Poisoned`](crate::WalError::Poisoned), without waiting any longer, when the log
    /// has failed and the record will not come; [`Closed`](crate::TidalError::Closed) when
    /// the database is shut down before.
    pub fn wait_applied(&self, position: Position, timeout: Duration) -> Result<()> {
        self.state()?;
        let log_id = self.parts.log.head().log_id;
        if position.log_id != log_id {
            return Err(WalError::OtherLog { position, log_id }.into());
        }
        self.parts.progress.wait_applied(position.seq, timeout)
    }

    fn nothing_committed(&self) -> Committed {
        let log_id = self.parts.log.head().log_id;
        let position = Position { log_id, seq: self.parts.progress.applied() };
        Committed { position, outcomes: Vec::new() }
    }

    /// Writes the metadata of an item, at most [`METADATA_BYTES_MAX`] bytes,
    /// and returns the number of the record.
    ///
    /// # Errors
    /// [`MetadataLength`](crate::TidalError::MetadataLength), and those of
    /// [`TidalDB::signal`] that concern ids.
    pub fn write_item(&self, id: EntityId, metadata: impl Into<Vec<u8>>) -> Result<Seq> {
        Ok(self.commit(Batch::new().write_item(id, metadata))?.position.seq)
    }

    /// Deletes the metadata of an item, if it has any. Its signals and its name
    /// stay.
    ///
    /// # Errors
    /// Those of [`TidalDB::signal`] that concern ids.
    pub fn delete_item(&self, id: EntityId) -> Result<Seq> {
        Ok(self.commit(Batch::new().delete_item(id))?.position.seq)
    }
}

/// A batch on its way through the checks.
struct Prepared<'a> {
    db: &'a TidalDB,
    state: &'a State,
    now: Timestamp,
    log_batch: tidal_wal::Batch,
    entries: Vec<Entry>,
    used: UsedIds,
    payload: Vec<u8>,
}

impl<'a> Prepared<'a> {
    fn new(db: &'a TidalDB, state: &'a State, capacity: usize) -> Self {
        Self {
            db,
            state,
            now: db.parts.clock.now(),
            log_batch: tidal_wal::Batch::new(),
            entries: Vec::with_capacity(capacity),
            used: UsedIds::default(),
            payload: Vec::new(),
        }
    }

    fn add(&mut self, operation: Operation<'_>) -> Result<()> {
        let (mut producer, mut key) = (None, None);
        let change = match operation {
            Operation::Event(event) => {
                (producer, key) = (event.producer, event.key);
                if producer.is_some() && key.is_some() {
                    return Err(TidalError::ProducerAndKey { signal: event.signal.into() });
                }
                Change::Event(self.accept(&event)?)
            }
            Operation::WriteItem { id, metadata } => {
                if metadata.len() > METADATA_BYTES_MAX {
                    let (bytes, max) = (metadata.len(), METADATA_BYTES_MAX);
                    return Err(TidalError::MetadataLength { id, bytes, max });
                }
                self.uses(EntityKind::Item, id)?;
                Change::WriteItem { id, metadata }
            }
            Operation::DeleteItem { id } => {
                self.uses(EntityKind::Item, id)?;
                Change::DeleteItem { id }
            }
            Operation::PutAttributes { kind, id, values } => {
                let patch = attributes::accept(self.state.schema(), kind, values)?;
                let change = Change::PutAttributes { kind, id, patch };
                change.entities().try_for_each(|(kind, id)| self.uses(kind, id))?;
                change
            }
            Operation::Forget { kind, id } => {
                self.uses(kind, id)?;
                // The modes are filled in where the record gets its place in the log.
                Change::Forget { kind, id, modes: Modes::default() }
            }
            Operation::ProducerNote { id, note } => {
                if note.len() > NOTE_BYTES_MAX {
                    let (bytes, max) = (note.len(), NOTE_BYTES_MAX);
                    return Err(TidalError::NoteLength { producer: id, bytes, max });
                }
                Change::ProducerNote { id, note }
            }
        };
        let entry = Entry { change, producer, key };
        record::push(&mut self.log_batch, &entry, &mut self.payload)?;
        self.entries.push(entry);
        Ok(())
    }

    /// What goes through the gate.
    fn finish(self) -> (tidal_wal::Batch, Vec<Entry>, UsedIds) {
        (self.log_batch, self.entries, self.used)
    }

    fn accept(&mut self, event: &Event<'_>) -> Result<AcceptedEvent> {
        let accepted = self.state.schema().accept(event)?;
        let max_future_skew = self.db.parts.max_future_skew;
        if event.timestamp > self.now.saturating_add(max_future_skew) {
            return Err(TidalError::FutureTimestamp {
                signal: event.signal.into(),
                timestamp: event.timestamp,
                now: self.now,
                max_future_skew,
            });
        }
        self.uses(accepted.kind(), accepted.entity())?;
        if let Some(actor) = accepted.actor() {
            self.uses(EntityKind::User, actor)?;
        }
        Ok(accepted)
    }

    /// An id of a named kind must belong to a name, or have belonged to one: what was
    /// forgotten is refused in the gate, unless it was sent before. Names are looked up
    /// one by one, so that who assigns names does not wait for a whole batch.
    fn uses(&mut self, kind: EntityKind, id: EntityId) -> Result<()> {
        let named = self.state.kinds.mode(kind) == Some(IdMode::Named);
        let has_name = named && self.state.names.name(kind, id)?.is_some();
        if named && !has_name && !self.state.forgotten.contains(kind, id) {
            return Err(TidalError::KindIsNamed { kind, id });
        }
        self.used.note(kind, id, named);
        Ok(())
    }
}

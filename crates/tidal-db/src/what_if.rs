//! What if: the same log under another schema, in a new database beside the first.
//!
//! Q1. The source is only read. The copy gets the same records in the same order, each
//!     with the log time it had: names with their ids, metadata, producers with their
//!     notes, and the events of every signal type and the values of every attribute whose
//!     name the new schema has.
//! Q2. The new directory is a database with its last write (Y3), so a replay that is cut
//!     short leaves none.
//! Q3. The new log is one of its own and names no parent: its records are others. Keys
//!     of deduplication stay behind, since what they tell apart was told apart already.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use tidal_types::{
    AcceptedEvent, EntityKind, Event, ManualClock, Producer, Schema, SchemaError, Seq,
    SignalTypeId, TidalError, Timestamp, WalError,
};
use tidal_wal::{Batch, Durability, LogRecord, Wal, WalOptions};

use crate::attributes::Patch;
use crate::change::{Change, Entry};
use crate::checksum::Checksum;
use crate::directory::{self, Directory};
use crate::rank::profile;
use crate::rebuild::Rebuild;
use crate::record;
use crate::verify::beginning;
use crate::{Engine, Result};

/// What was written together and has one log time is written together again, up to so
/// many bytes.
const BATCH_BYTES: usize = 1 << 20;

/// How far a replay is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReplayProgress {
    /// How many records of the log have been read.
    pub records: u64,
    /// How many there are.
    pub records_total: u64,
}

/// What a replay made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replayed {
    /// How many records of the log were read.
    pub records: u64,
    /// How many events were taken over.
    pub events: u64,
    /// What was left out since the new schema has no signal type of that name.
    pub left_out: Vec<LeftOut>,
    /// How often an attribute was written or removed that the new schema does not have.
    pub attributes_left_out: u64,
    /// How many records the new log has.
    pub written: u64,
    /// The checksum of the new database.
    pub checksum: Checksum,
}

/// Events that were left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// The signal type.
    pub signal: String,
    /// How many events of it there are.
    pub events: u64,
}

/// Makes a database in the new or empty directory `to`, on an engine, with another
/// schema, and feeds it the log of the database in `from`, which nobody may have open.
/// Entities, names and their ids, metadata, producers and log times are the same; events
/// of signal types, and attributes, whose name `schema` lacks are left out and counted. `from` is not
/// written.
///
/// When the call returns, the new database survives a power cut; when it fails or is cut
/// short, `to` is refused as [`RestoreUnfinished`](TidalError::RestoreUnfinished), and is
/// to be removed.
///
/// # Errors
/// [`HistoryCut`](TidalError::HistoryCut) when the log of `from` does not begin at record
/// 1; [`SchemaError::Changed`] when a signal type is of another kind of entity, and
/// [`SchemaError::AttributeChanged`] when an attribute is of another type;
/// [`QueryError::Profile`](crate::QueryError::Profile); what is
/// wrong with a damaged log; [`NotFound`](TidalError::NotFound),
/// [`Locked`](TidalError::Locked); those of [`restore`](crate::restore) about `to`.
pub fn replay(
    from: impl AsRef<Path>,
    to: impl AsRef<Path>,
    schema: &Schema,
    engine: Engine,
) -> Result<Replayed> {
    replay_with(from, to, schema, engine, &mut |_| ())
}

/// The same as [`replay`], telling how far it is.
///
/// # Errors
/// Those of [`replay`].
pub fn replay_with(
    from: impl AsRef<Path>,
    to: impl AsRef<Path>,
    schema: &Schema,
    engine: Engine,
    progress: &mut dyn FnMut(ReplayProgress),
) -> Result<Replayed> {
    let (from, to) = (from.as_ref(), to.as_ref());
    profile::check(schema)?;
    directory::check_format(from)?;
    directory::refuse_interrupted_salvage(from)?;
    let Some((first, since)) = beginning(from)? else {
        return Err(TidalError::NotFound { path: from.into() });
    };
    if first != Seq::FIRST {
        return Err(TidalError::HistoryCut { path: from.into(), first, since });
    }
    let log_dir = directory::log_dir(from);
    let stat = tidal_wal::inspect_log(&log_dir)?;
    if let Some(problem) = stat.problem {
        let tidal_wal::Problem { path, offset, problem } = problem;
        return Err(WalError::Damaged { path, offset, problem }.into());
    }
    let records_total = stat.head.map_or(0, |head| head.position.seq.get());
    let target = Directory::begin_restore(to)?;
    let mut copy = Copy::begin(target.path(), schema, engine, since)?;
    let mut outcome = Ok(());
    let mut records = 0;
    tidal_wal::dump(&log_dir, Seq::FIRST, &mut |record| {
        outcome = copy.take(record);
        records += 1;
        if records % 4096 == 0 || records == records_total {
            progress(ReplayProgress { records, records_total });
        }
        if outcome.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    outcome?;
    let replayed = copy.finish(records)?;
    // Q2.
    target.finish_restore(engine.name())?;
    Ok(replayed)
}

/// The database that is made.
struct Copy<'a> {
    schema: &'a Schema,
    mapping: Mapping,
    clock: Arc<ManualClock>,
    wal: Wal,
    rebuild: Rebuild,
    /// What waits to be written, and when it was.
    entries: Vec<Entry>,
    batch: Batch,
    log_time: Timestamp,
    payload: Vec<u8>,
    events: u64,
    left_out: BTreeMap<String, u64>,
    attributes_left_out: u64,
}

impl<'a> Copy<'a> {
    fn begin(path: &Path, schema: &'a Schema, engine: Engine, since: Timestamp) -> Result<Self> {
        let clock = Arc::new(ManualClock::new(since));
        let options = WalOptions {
            durability: Durability::Written,
            clock: Arc::<ManualClock>::clone(&clock),
            ..WalOptions::default()
        };
        let wal = Wal::open(&directory::log_dir(path), options)?;
        let storage = engine.open(&directory::storage_dir(path))?;
        let rebuild = Rebuild::open(storage, wal.head().position.log_id)?;
        let mut copy = Self {
            schema,
            mapping: Mapping::default(),
            clock,
            wal,
            rebuild,
            entries: Vec::new(),
            batch: Batch::new(),
            log_time: since,
            payload: Vec::new(),
            events: 0,
            left_out: BTreeMap::new(),
            attributes_left_out: 0,
        };
        copy.push(Change::Schema(Box::new(schema.clone())), None)?;
        Ok(copy)
    }

    fn take(&mut self, record: &LogRecord<'_>) -> Result<()> {
        if record.log_time != self.log_time {
            self.flush()?;
            self.log_time = record.log_time;
        }
        let change = match record::decode(record, &self.mapping.schema)? {
            Change::Schema(schema) => return self.mapping.take_up(*schema, self.schema),
            Change::Event(event) => match self.mapping.event(&event, self.schema)? {
                Some(event) => {
                    self.events += 1;
                    Change::Event(event)
                }
                None => {
                    let signal = self.mapping.name(event.signal()).to_owned();
                    *self.left_out.entry(signal).or_default() += 1;
                    return Ok(());
                }
            },
            Change::PutAttributes { kind, id, patch } => {
                let (written, kept) = (patch.len(), self.mapping.patch(kind, patch, self.schema));
                self.attributes_left_out += (written - kept.len()) as u64;
                Change::PutAttributes { kind, id, patch: kept }
            }
            other => other,
        };
        self.push(change, record.producer)
    }

    fn push(&mut self, change: Change, producer: Option<Producer>) -> Result<()> {
        let entry = Entry { change, producer, key: None };
        record::push(&mut self.batch, &entry, &mut self.payload)?;
        self.entries.push(entry);
        if self.batch.byte_len() >= BATCH_BYTES { self.flush() } else { Ok(()) }
    }

    /// Writes what waits, at the log time that it had, and folds it.
    fn flush(&mut self) -> Result<()> {
        if self.entries.is_empty() {
            return Ok(());
        }
        self.clock.set(self.log_time);
        let ticket = self.wal.append(&self.batch)?;
        let mut seq = ticket.appended().first;
        // The clock stands still until the group is written.
        ticket.wait()?;
        for Entry { change, producer, .. } in self.entries.drain(..) {
            match change {
                Change::Schema(schema) => self.rebuild.adopt(seq, *schema),
                change => self.rebuild.apply(seq, &change, producer)?,
            }
            seq = seq.next();
        }
        self.batch.clear();
        if self.rebuild.is_due() { self.write() } else { Ok(()) }
    }

    /// C2: the log first.
    fn write(&mut self) -> Result<()> {
        self.wal.sync()?;
        self.rebuild.write()
    }

    fn finish(mut self, records: u64) -> Result<Replayed> {
        self.flush()?;
        self.write()?;
        self.wal.checkpoint(self.rebuild.applied(), &[])?;
        let checksum = self.rebuild.checksum()?;
        let written = self.rebuild.applied().get();
        self.wal.close()?;
        self.rebuild.storage().close()?;
        let left_out = self.left_out.into_iter();
        let left_out = left_out.map(|(signal, events)| LeftOut { signal, events }).collect();
        let attributes_left_out = self.attributes_left_out;
        let events = self.events;
        Ok(Replayed { records, events, left_out, attributes_left_out, written, checksum })
    }
}

/// Which signal type of the new schema an event of the old one is of.
#[derive(Debug, Default)]
struct Mapping {
    /// The schema of the source, at this place of its log.
    schema: Schema,
}

impl Mapping {
    fn take_up(&mut self, schema: Schema, new: &Schema) -> Result<()> {
        for signal in schema.signals() {
            let kind = |kind: EntityKind| kind.to_string();
            if let Some(wanted) = new.signal(signal.name())
                && wanted.kind() != signal.kind()
            {
                return Err(SchemaError::Changed {
                    signal: signal.name().into(),
                    field: "kind",
                    stored: kind(signal.kind()),
                    requested: kind(wanted.kind()),
                }
                .into());
            }
        }
        for attribute in schema.attributes() {
            let (kind, name, stored) = (attribute.kind(), attribute.name(), attribute.of_type());
            if let Some(wanted) = new.attribute(kind, name)
                && wanted.of_type() != stored
            {
                return Err(SchemaError::AttributeChanged {
                    kind,
                    attribute: name.into(),
                    stored: stored.to_string(),
                    requested: wanted.of_type().to_string(),
                }
                .into());
            }
        }
        self.schema = schema;
        Ok(())
    }

    /// The patch under the new schema: of the attributes that this one has.
    fn patch(&self, kind: EntityKind, patch: Patch, new: &Schema) -> Patch {
        let mapped = patch.into_iter().filter_map(|(id, value)| {
            let name = self.schema.attribute_by_id(id)?.name();
            Some((new.attribute(kind, name)?.id(), value))
        });
        let mut patch: Patch = mapped.collect();
        patch.sort_by_key(|(id, _)| *id);
        patch
    }

    fn name(&self, id: SignalTypeId) -> &str {
        self.schema.signal_by_id(id).map_or("", |signal| signal.name())
    }

    /// The event under the new schema, if that has its signal type.
    fn event(&self, event: &AcceptedEvent, new: &Schema) -> Result<Option<AcceptedEvent>> {
        let name = self.name(event.signal());
        if new.signal(name).is_none() {
            return Ok(None);
        }
        let same = Event::new(name, event.entity(), event.weight(), event.timestamp());
        let same = Event { actor: event.actor(), ..same };
        Ok(Some(new.accept(&same)?))
    }
}

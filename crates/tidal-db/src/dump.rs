//! Showing a log that nobody has open, with what its records mean, without changing
//! anything.

use std::ops::ControlFlow;
use std::path::Path;

use tidal_types::{
    AttributeValue, EntityId, EntityKind, Producer, ProducerId, Schema, Seq, SignalTypeId,
    TidalError, Timestamp, WalError,
};
use tidal_wal::{DumpReport, LogRecord, LogStat};

use crate::Result;
use crate::attributes::Value;
use crate::change::Change;
use crate::directory::{self, LogPlace};
use crate::names::Names;
use crate::record;

/// A record of the log, as [`dump`] shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct DumpedRecord {
    /// Its number.
    pub seq: Seq,
    /// When the group it is in was written.
    pub log_time: Timestamp,
    /// Who sent it, if that was told.
    pub producer: Option<Producer>,
    /// What it says.
    pub meaning: Meaning,
}

/// What a record says. Names are those that the log has given up to there.
#[derive(Debug, Clone, PartialEq)]
pub enum Meaning {
    /// From here on the schema is this one.
    Schema(Schema),
    /// Something happened.
    Event {
        /// The signal type.
        signal: SignalTypeId,
        /// Its name, and what kind of entity it is about; `None` when the log was cut
        /// behind the schema that says it.
        declared: Option<(String, EntityKind)>,
        /// To what.
        entity: EntityId,
        /// Its name, if it has one.
        name: Option<Vec<u8>>,
        /// How much it weighs.
        weight: f64,
        /// When it happened.
        timestamp: Timestamp,
        /// The user who caused it, if that was told.
        actor: Option<EntityId>,
        /// The name of that user.
        actor_name: Option<Vec<u8>>,
    },
    /// The metadata of an item is these bytes.
    WriteItem {
        /// The item.
        id: EntityId,
        /// Its name, if it has one.
        name: Option<Vec<u8>>,
        /// The metadata.
        metadata: Vec<u8>,
    },
    /// An item has no metadata.
    DeleteItem {
        /// The item.
        id: EntityId,
        /// Its name, if it has one.
        name: Option<Vec<u8>>,
    },
    /// Some attributes of an entity change.
    PutAttributes {
        /// Of which kind.
        kind: EntityKind,
        /// The entity.
        id: EntityId,
        /// Its name, if it has one.
        name: Option<Vec<u8>>,
        /// The attributes that change, in the order of the schema; `None` where one is
        /// removed.
        values: Vec<(String, Option<AttributeValue>)>,
    },
    /// A name has an id.
    AssignName {
        /// Of which kind.
        kind: EntityKind,
        /// The id.
        id: EntityId,
        /// The name.
        name: Vec<u8>,
    },
    /// A producer noted something.
    ProducerNote {
        /// The producer.
        id: ProducerId,
        /// What it noted.
        note: Vec<u8>,
    },
    /// An entity was forgotten.
    Forget {
        /// Of which kind.
        kind: EntityKind,
        /// The id.
        id: EntityId,
        /// Its name, as long as the log was not purged of it.
        name: Option<Vec<u8>>,
    },
    /// What it said was purged from the log, since it was about an entity that was
    /// forgotten.
    Purged,
    /// What this program cannot read.
    Opaque {
        /// The kind of the record, as its owner counts.
        kind: u8,
        /// The bytes.
        payload: Vec<u8>,
        /// Why not; `None` in a log that is no database's.
        problem: Option<String>,
    },
}

/// Reads the log of the database in `dir` and tells what it is made of, damaged or not.
/// `dir` may also be the directory of a log alone. Nothing is written.
///
/// # Errors
/// [`TidalError::NotFound`] when there is neither; [`WalError::Missing`] when a database
/// has no log; [`TidalError::Locked`] while it is
/// open; [`TidalError::UnsupportedFormat`]; [`TidalError::Io`]. Damage is not an error
/// here, but [`LogStat::problem`].
pub fn inspect_log(dir: impl AsRef<Path>) -> Result<LogStat> {
    let dir = dir.as_ref();
    let place = directory::log_of(dir)?;
    tidal_wal::inspect_log(place.path()).map_err(|error| refused(dir, &place, error))
}

/// Shows every record of the log of the database in `dir` from `from` on, in order,
/// until `visit` breaks off, or the log ends, or it is damaged. The log is read from its
/// beginning, since names and schema are there. `dir` may also be the directory of a log
/// alone, whose records are [`Meaning::Opaque`]. Nothing is written.
///
/// # Errors
/// Those of [`inspect_log`]. Damage is not an error here but in the report.
pub fn dump(
    dir: impl AsRef<Path>,
    from: Seq,
    visit: &mut dyn FnMut(&DumpedRecord) -> ControlFlow<()>,
) -> Result<DumpReport> {
    let dir = dir.as_ref();
    let place = directory::log_of(dir)?;
    let mut reader = match &place {
        LogPlace::Database(_) => Some(Reader::default()),
        LogPlace::Alone(_) => None,
    };
    let mut shown = 0;
    let mut show = |record: &LogRecord<'_>| {
        let meaning = match &mut reader {
            Some(reader) => reader.read(record),
            None => opaque(record, None),
        };
        if record.seq < from {
            return ControlFlow::Continue(());
        }
        shown += 1;
        let LogRecord { seq, log_time, producer, .. } = *record;
        visit(&DumpedRecord { seq, log_time, producer, meaning })
    };
    let report = tidal_wal::dump(place.path(), Seq::ZERO, &mut show)
        .map_err(|error| refused(dir, &place, error))?;
    Ok(DumpReport { records: shown, ..report })
}

fn refused(dir: &Path, place: &LogPlace, error: WalError) -> TidalError {
    match (error, place) {
        (WalError::Locked { .. }, _) => TidalError::Locked { path: dir.into() },
        // It was neither.
        (WalError::Missing { .. }, LogPlace::Alone(_)) => TidalError::NotFound { path: dir.into() },
        (other, _) => other.into(),
    }
}

/// Reads records in the order of the log, with the schema and the names they come under.
#[derive(Default)]
struct Reader {
    schema: Schema,
    names: Names,
}

impl Reader {
    fn read(&mut self, record: &LogRecord<'_>) -> Meaning {
        match record::decode(record, &self.schema) {
            Ok(change) => self.meaning(change),
            Err(error) => self.unknown(record, &error),
        }
    }

    fn meaning(&mut self, change: Change) -> Meaning {
        match change {
            Change::Schema(schema) => {
                self.schema.clone_from(&schema);
                Meaning::Schema(*schema)
            }
            Change::Event(event) => self.event(
                event.signal(),
                event.entity(),
                event.weight(),
                event.timestamp(),
                event.actor(),
            ),
            Change::WriteItem { id, metadata } => {
                Meaning::WriteItem { id, name: self.name(EntityKind::Item, id), metadata }
            }
            Change::DeleteItem { id } => {
                Meaning::DeleteItem { id, name: self.name(EntityKind::Item, id) }
            }
            Change::PutAttributes { kind, id, patch } => {
                let name = self.name(kind, id);
                let values = patch.into_iter().filter_map(|(attribute, value)| {
                    let attribute = self.schema.attribute_by_id(attribute)?.name().to_owned();
                    Some((attribute, value.as_ref().map(Value::to_public)))
                });
                Meaning::PutAttributes { kind, id, name, values: values.collect() }
            }
            Change::AssignName { kind, id, name } => {
                self.names.assign(kind, id, &name).expect(NO_STORAGE);
                Meaning::AssignName { kind, id, name }
            }
            Change::ProducerNote { id, note } => Meaning::ProducerNote { id, note },
            Change::Nothing => Meaning::Purged,
            Change::Forget { kind, id, .. } => {
                let name = self.name(kind, id);
                self.names.forget(kind, id).expect(NO_STORAGE);
                Meaning::Forget { kind, id, name }
            }
        }
    }

    fn event(
        &self,
        signal: SignalTypeId,
        entity: EntityId,
        weight: f64,
        timestamp: Timestamp,
        actor: Option<EntityId>,
    ) -> Meaning {
        let declared = self.schema.signal_by_id(signal);
        let declared = declared.map(|signal| (signal.name().to_owned(), signal.kind()));
        let name = declared.as_ref().and_then(|(_, kind)| self.name(*kind, entity));
        let actor_name = actor.and_then(|actor| self.name(EntityKind::User, actor));
        Meaning::Event { signal, declared, entity, name, weight, timestamp, actor, actor_name }
    }

    /// An event of a log that was cut behind its schema says all but names.
    fn unknown(&self, record: &LogRecord<'_>, error: &TidalError) -> Meaning {
        match record::event_parts(record) {
            Some((signal, entity, weight, timestamp, actor)) if self.schema.signal_count() == 0 => {
                self.event(signal, entity, weight, timestamp, actor)
            }
            _ => opaque(record, Some(error.to_string())),
        }
    }

    fn name(&self, kind: EntityKind, id: EntityId) -> Option<Vec<u8>> {
        self.names.name(kind, id).expect(NO_STORAGE).map(|name| name.to_vec())
    }
}

const NO_STORAGE: &str = "these names are in memory, all of them";

fn opaque(record: &LogRecord<'_>, problem: Option<String>) -> Meaning {
    Meaning::Opaque { kind: record.kind.0, payload: record.payload.to_vec(), problem }
}

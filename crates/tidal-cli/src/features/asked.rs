//! What a row asks: which entity, and when.

use std::collections::HashMap;

use tidal_db::{EntityId, EntityKind, IdMode, TidalDB, Timestamp};

use crate::entity;
use crate::failure::explain;
use crate::import::check_name;
use crate::input::{Fields, TimeFormat, TimeParser};

/// How many names are kept in memory; beyond that the memory starts over, and the
/// database is asked again.
const NAMES_KEPT_MAX: usize = 1 << 20;

/// Reads the fields of rows.
pub(crate) struct Asked<'d> {
    db: &'d TidalDB,
    kind: EntityKind,
    mode: Option<IdMode>,
    time: TimeParser,
    known: HashMap<Box<[u8]>, Option<EntityId>>,
}

/// A row as it is meant; without an id when nobody knows the entity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AskedRow {
    pub(crate) id: Option<EntityId>,
    pub(crate) at: Timestamp,
}

impl<'d> Asked<'d> {
    pub(crate) fn new(db: &'d TidalDB, kind: EntityKind, time: Option<TimeFormat>) -> Self {
        let time = TimeParser::new(time.unwrap_or(TimeFormat::SecondsOrRfc3339));
        Self { db, kind, mode: db.id_mode(kind), time, known: HashMap::new() }
    }

    /// Reads a row, or says why it cannot be answered.
    pub(crate) fn read(&mut self, fields: Fields<'_>) -> Result<AskedRow, String> {
        check_name("entity", fields.entity)?;
        let at = self.time.read(fields.time)?;
        let id = match self.mode {
            None => None,
            Some(IdMode::Numeric) => Some(entity::number(self.kind, fields.entity)?),
            Some(IdMode::Named) => self.find(fields.entity)?,
        };
        Ok(AskedRow { id, at })
    }

    fn find(&mut self, name: &[u8]) -> Result<Option<EntityId>, String> {
        if let Some(id) = self.known.get(name) {
            return Ok(*id);
        }
        let id = self.db.find_entity(self.kind, name).map_err(|error| explain(&error))?;
        if self.known.len() >= NAMES_KEPT_MAX {
            self.known.clear();
        }
        self.known.insert(name.into(), id);
        Ok(id)
    }
}

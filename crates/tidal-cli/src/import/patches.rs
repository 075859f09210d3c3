//! Rows of attributes in, durable commits out, one batch after the other.
//!
//! Putting the same attributes again changes nothing, so no row needs to be known from an
//! earlier run.

use std::ops::Range;

use tidal_db::{
    AttributeDefinition, AttributeValue, Batch, EntityKind, ErrorKind, TidalDB, TidalError,
};

use super::identities::Identity;
use super::{Identities, check_name};
use crate::attribute::{self, Given};
use crate::failure::{Failure, explain};
use crate::input::{Fields, Rejects, Row};
use crate::output::count;

/// How many rows are committed at once, all or none of them.
const ROWS_PER_COMMIT: usize = 10_000;

/// What rows of attributes are about.
#[derive(Debug)]
pub(crate) struct Patched<'s> {
    /// The kind of the entities.
    pub(crate) kind: EntityKind,
    /// The attributes, in the order of the columns that are read for them.
    pub(crate) attributes: Vec<&'s AttributeDefinition>,
    /// What stands between keywords.
    pub(crate) separator: u8,
}

/// Commits rows in batches.
pub(crate) struct Patches<'d> {
    db: &'d TidalDB,
    /// Says a line to the person.
    say: &'d dyn Fn(&str),
    patched: Patched<'d>,
    identities: Identities,
    rejects: Rejects,
    chunk: Vec<Patch>,
    accepted: u64,
    /// Every row up to this line is durable or rejected.
    settled_line: u64,
}

/// A row on its way into the database.
#[derive(Debug)]
struct Patch {
    line: u64,
    raw: Vec<u8>,
    /// Why it is not taken, or what it says.
    said: Result<Said, String>,
}

#[derive(Debug)]
struct Said {
    entity: Identity,
    /// The place of each attribute, and its value.
    values: Vec<(usize, Pending)>,
}

/// A value; that of a link is not known before the names are.
#[derive(Debug)]
enum Pending {
    Known(Option<AttributeValue>),
    Link(EntityKind, Identity),
}

impl<'d> Patches<'d> {
    pub(crate) fn new(
        db: &'d TidalDB,
        patched: Patched<'d>,
        identities: Identities,
        rejects: Rejects,
        say: &'d dyn Fn(&str),
    ) -> Self {
        let (chunk, accepted, settled_line) = (Vec::new(), 0, 0);
        Self { db, say, patched, identities, rejects, chunk, accepted, settled_line }
    }

    /// Takes one row; answers whether that filled a batch.
    ///
    /// # Errors
    /// The database failed; the message says how much of the file is in.
    pub(crate) fn add(&mut self, row: Row<'_>) -> Result<bool, Failure> {
        let said = row.fields.and_then(|fields| self.read(fields));
        self.chunk.push(Patch { line: row.line, raw: row.raw.to_vec(), said });
        if self.chunk.len() < ROWS_PER_COMMIT {
            return Ok(false);
        }
        self.send()?;
        Ok(true)
    }

    /// Commits what is left.
    ///
    /// # Errors
    /// As for [`Patches::add`].
    pub(crate) fn finish(&mut self) -> Result<(), Failure> {
        self.send()?;
        self.rejects.finish(self.say)
    }

    /// How many rows are durable.
    pub(crate) const fn accepted(&self) -> u64 {
        self.accepted
    }

    /// Where rejected rows went.
    pub(crate) const fn rejects(&self) -> &Rejects {
        &self.rejects
    }

    /// What a row says. No name of a row is taken up that has anything wrong with it.
    fn read(&mut self, fields: Fields<'_>) -> Result<Said, String> {
        let Patched { kind, attributes, separator } = &self.patched;
        check_name("entity", fields.entity)?;
        self.identities.check(*kind, fields.entity)?;
        let mut given = Vec::with_capacity(attributes.len());
        for (place, (attribute, cell)) in attributes.iter().zip(fields.more).enumerate() {
            let Some(cell) = cell else {
                continue;
            };
            let value = attribute::read(attribute, cell, *separator)?;
            if let Given::Entity(kind, text) = value {
                self.identities
                    .check(kind, text)
                    .map_err(|problem| format!("{}: {problem}", attribute.name()))?;
            }
            given.push((place, value));
        }
        let entity = self.identities.identify(*kind, fields.entity);
        let pending = |(place, given)| {
            let pending = match given {
                Given::Nothing => Pending::Known(None),
                Given::Value(value) => Pending::Known(Some(value)),
                Given::Entity(kind, text) => {
                    Pending::Link(kind, self.identities.identify(kind, text))
                }
            };
            (place, pending)
        };
        Ok(Said { entity, values: given.into_iter().map(pending).collect() })
    }

    fn send(&mut self) -> Result<(), Failure> {
        let mut chunk = std::mem::take(&mut self.chunk);
        let Some(last_line) = chunk.last().map(|patch| patch.line) else {
            return Ok(());
        };
        self.identities.assign_new(self.db).map_err(|error| self.stopped(&error))?;
        let all = 0..chunk.len();
        self.commit(&mut chunk, all)?;
        for patch in &chunk {
            match &patch.said {
                Ok(_) => self.accepted += 1,
                Err(reason) => self.rejects.add(patch.line, &patch.raw, reason, self.say)?,
            }
        }
        self.settled_line = last_line;
        Ok(())
    }

    /// Commits rows. What the database refuses because of its input is tried again in
    /// halves, down to the very row.
    fn commit(&self, chunk: &mut [Patch], rows: Range<usize>) -> Result<(), Failure> {
        let batch = self.batch(chunk.get(rows.clone()).unwrap_or_default());
        if batch.is_empty() {
            return Ok(());
        }
        match self.db.commit(batch) {
            Ok(_) => Ok(()),
            Err(error) if error.kind() == ErrorKind::Input && rows.len() > 1 => {
                let middle = rows.start + rows.len() / 2;
                self.commit(chunk, rows.start..middle)?;
                self.commit(chunk, middle..rows.end)
            }
            Err(error) if error.kind() == ErrorKind::Input => {
                if let Some(patch) = chunk.get_mut(rows.start) {
                    patch.said = Err(explain(&error));
                }
                Ok(())
            }
            Err(error) => Err(self.stopped(&error)),
        }
    }

    fn batch(&self, rows: &[Patch]) -> Batch<'d> {
        let Patched { kind, attributes, .. } = &self.patched;
        let mut batch = Batch::new();
        for said in rows.iter().filter_map(|patch| patch.said.as_ref().ok()) {
            let id = self.identities.id(*kind, said.entity);
            let values = said.values.iter().filter_map(|(place, pending)| {
                let value = match pending {
                    Pending::Known(value) => value.clone(),
                    Pending::Link(kind, link) => {
                        Some(AttributeValue::Entity(self.identities.id(*kind, *link)))
                    }
                };
                Some((attributes.get(*place)?.name(), value))
            });
            batch = batch.put_attributes(*kind, id, values);
        }
        batch
    }

    fn stopped(&self, error: &TidalError) -> Failure {
        Failure::failed(format!(
            "the import stopped behind line {}, {} rows are acknowledged and durable: {}",
            count(self.settled_line),
            count(self.accepted),
            explain(error),
        ))
    }
}

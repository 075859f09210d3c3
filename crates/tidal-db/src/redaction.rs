//! What of a log goes when the entities that were forgotten are purged.
//!
//! N1. Replaying what is left comes to the same state as replaying the whole, but for the
//!     unique actors, who are no part of the checksum: what a record settles beyond the
//!     entities it names is settled once more by the record that forgets them.
//! N2. Records about forgotten entities become tombstones; who sent them stays, so that
//!     what producers sent stays a repeat. Events about others lose the actor only, and
//!     of attributes that name a forgotten entity it is left that they are removed.
//! N3. The record that forgets stays. It says kind and id and nothing else of the entity.

use std::collections::HashSet;
use std::sync::Arc;

use tidal_types::{EntityId, EntityKind, Schema, Seq};
use tidal_wal::{LogRecord, Redaction};

use crate::Result;
use crate::attributes::Value;
use crate::change::Change;
use crate::record;
use crate::state::State;

/// Says what becomes of each record that it is shown.
pub(crate) type Judge<'a> = &'a mut dyn FnMut(&LogRecord<'_>) -> Result<Redaction>;

/// What was taken out of a log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Redacted {
    pub(crate) tombstones: u64,
    pub(crate) replaced: u64,
    /// How many segments were written anew.
    pub(crate) segments: u64,
}

/// Says what becomes of each record of a log.
#[derive(Debug)]
pub(crate) struct Redactor {
    forgotten: HashSet<(EntityKind, EntityId)>,
    /// The newest. Types keep their kinds for ever, so it does for every record.
    schema: Arc<Schema>,
}

impl Redactor {
    /// For everything that records up to `through` forgot. Of what is forgotten meanwhile
    /// nothing may go yet: its record may be lost still, and what was before it is not.
    pub(crate) fn new(state: &State, through: Seq) -> Self {
        Self { forgotten: state.forgotten.up_to(through), schema: Arc::clone(state.schema()) }
    }

    /// What becomes of a record.
    ///
    /// # Errors
    /// When the record means nothing.
    pub(crate) fn judge(&self, record: &LogRecord<'_>) -> Result<Redaction> {
        let change = record::decode(record, &self.schema)?;
        let is_forgotten = |entity: &(EntityKind, EntityId)| self.forgotten.contains(entity);
        if matches!(change, Change::Forget { .. }) {
            return Ok(Redaction::Keep);
        }
        if change.about().as_ref().is_some_and(is_forgotten) {
            return Ok(Redaction::Tombstone);
        }
        if !change.mentions().any(|entity| is_forgotten(&entity)) {
            return Ok(Redaction::Keep);
        }
        let payload = match change {
            Change::PutAttributes { kind, id, mut patch } => {
                // It removes what was there before, as it reads by now (E3).
                let names = |value: &mut Value| value.entity().as_ref().is_some_and(is_forgotten);
                patch.iter_mut().for_each(|(_, value)| drop(value.take_if(|value| names(value))));
                let mut payload = Vec::new();
                record::encode(&Change::PutAttributes { kind, id, patch }, &mut payload);
                Some(payload)
            }
            _ => record::without_actor(record.payload),
        };
        Ok(payload
            .map_or(Redaction::Keep, |payload| Redaction::Replace { kind: record.kind, payload }))
    }
}

#[cfg(test)]
mod tests;

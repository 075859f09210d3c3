//! Giving ids to names.
//!
//! Storage is asked before the lock is taken, so that nobody waits for it there, and nobody
//! is left with a broken gate where it panics.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use tidal_types::{EntityId, EntityKind, TidalError};
use tidal_wal::Batch;

use super::Gate;
use crate::Result;
use crate::change::Change;
use crate::kinds::IdMode;
use crate::names::Names;
use crate::pipeline::{Ticket, WhenFull};
use crate::record;

impl Gate {
    /// Appends the assignment of ids to those of `names` that have none, and
    /// returns what to wait for. When all of them have one, or are about to get
    /// one, there is nothing to append.
    pub(crate) fn assign(&self, kind: EntityKind, names: &[&[u8]]) -> Result<Option<Ticket>> {
        let known = &self.parts.state.names;
        let seen_last_id = known.last_id(kind);
        let nameless = without_id(known, kind, names)?;
        let mut inner = self.lock();
        let mode = self.parts.state.kinds.mode(kind).or_else(|| inner.pending.mode(kind));
        if mode == Some(IdMode::Numeric) {
            return Err(TidalError::KindIsNumeric { kind });
        }
        // Who gives out an id raises the last one: as long as that stands, what was unknown
        // is so still, or its assignment is on its way.
        let nameless = if known.last_id(kind) == seen_last_id {
            nameless
        } else {
            // What was looked for lately, or assigned since, is found without storage. Still
            // a panic must not poison the gate, which whoever shuts down has to pass.
            let look = AssertUnwindSafe(|| without_id(known, kind, &nameless));
            match catch_unwind(look) {
                Ok(nameless) => nameless?,
                Err(panic) => {
                    drop(inner);
                    resume_unwind(panic);
                }
            }
        };
        let mut batch = Batch::new();
        let mut entries = Vec::new();
        let mut payload = Vec::new();
        let mut last_id = inner.pending.last_id(kind).max(known.last_id(kind));
        let mut assigned = HashMap::new();
        for name in nameless {
            let key = (kind, name.to_vec());
            if inner.pending.names.contains_key(&key) || assigned.contains_key(&key) {
                continue;
            }
            last_id += 1;
            let id = EntityId::new(last_id);
            let entry = Change::AssignName { kind, id, name: name.to_vec() }.into();
            record::push(&mut batch, &entry, &mut payload)?;
            entries.push(entry);
            assigned.insert(key, id);
        }
        if entries.is_empty() {
            return Ok(None);
        }
        let ticket = self.append_all(&mut inner, &batch, entries, WhenFull::Wait)?;
        inner.pending.set_mode(kind, IdMode::Named);
        inner.pending.set_last_id(kind, last_id);
        inner.pending.names.extend(assigned);
        Ok(Some(ticket))
    }

    /// Forgets names whose assignment was waited for.
    pub(crate) fn forget(&self, kind: EntityKind, names: &[&[u8]]) {
        let mut inner = self.lock();
        for name in names {
            inner.pending.names.remove(&(kind, name.to_vec()));
        }
    }
}

/// Those of `names` that have no id.
fn without_id<'a>(known: &Names, kind: EntityKind, names: &[&'a [u8]]) -> Result<Vec<&'a [u8]>> {
    let mut nameless = Vec::new();
    for &name in names {
        if known.find(kind, name)?.is_none() {
            nameless.push(name);
        }
    }
    Ok(nameless)
}

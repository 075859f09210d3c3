//! How many different users acted: a sketch for each entity and each signal type that
//! declares it, in every window of that type.
//!
//! Q1. A sketch is folded from the events that say who acted, in [`State`](crate::state::State)
//!     alone. It is a function of their set (K1), so it does not matter from which
//!     checkpoint they are folded again (V3 of the overlay).
//! Q2. Fewer than 64 users in a window are counted exactly. More are estimated, with a
//!     standard error of 3.25%, from all events behind the beginning of the window and
//!     those before it by less than a bucket, a sixtieth of the type's shortest window
//!     that ends.
//! Q3. No answer is above the number of events in the window, as the ledger counts them at
//!     that time.
//! Q4. Sketches are no part of the checksum: a log that was purged no longer says which
//!     forgotten user acted, so what is made again from it counts those no more.

mod codec;
mod estimate;
mod recent;
mod registers;
mod rows;
mod sketch;
mod times;
mod unnamed;

use std::collections::HashSet;
use std::sync::Arc;

use tidal_storage::Storage;
use tidal_types::{
    AcceptedEvent, EntityId, EntityKind, Schema, SignalTypeDefinition, SignalTypeId, Timestamp,
    Window,
};

pub(crate) use self::rows::{UniqueKey, UniqueRows};
use self::times::{Times, cut};
use crate::Result;
use crate::checkpoint::keyspace;
use crate::overlay::{FrozenRows, Overlay, Rows};

/// Sketches that a checkpoint writes.
pub(crate) type FrozenUniques = FrozenRows<UniqueRows>;

/// Sketches of the users who acted on entities.
#[derive(Debug)]
pub(crate) struct Uniques {
    rows: Overlay<UniqueRows>,
    /// Of each signal type, in the order of ids; `None` where nothing is kept.
    kept: Box<[Option<Kept>]>,
}

#[derive(Debug, Clone, Copy)]
struct Kept {
    kind: EntityKind,
    times: Times,
}

impl Kept {
    fn all(schema: &Schema) -> Box<[Option<Self>]> {
        let kept = |signal: &SignalTypeDefinition| {
            signal.uniques().then(|| Self { kind: signal.kind(), times: Times::of(signal) })
        };
        schema.signals().iter().map(kept).collect()
    }
}

impl Uniques {
    /// The sketches that storage has.
    pub(crate) fn over(schema: &Schema, storage: Arc<dyn Storage>) -> Self {
        Self { rows: Overlay::over(storage), kept: Kept::all(schema) }
    }

    /// The same sketches under a schema that extends theirs.
    pub(crate) fn extended(self, schema: &Schema) -> Self {
        Self { kept: Kept::all(schema), ..self }
    }

    fn kept(&self, signal: SignalTypeId) -> Option<Kept> {
        self.kept.get(usize::from(signal.get())).copied().flatten()
    }

    /// Folds an event.
    ///
    /// # Errors
    /// Those of [`Overlay::change`].
    pub(crate) fn fold(&self, event: &AcceptedEvent) -> Result<()> {
        let Some(Kept { kind, times }) = self.kept(event.signal()) else {
            return Ok(());
        };
        let Some(actor) = event.actor() else {
            return Ok(());
        };
        let key = UniqueKey { kind, id: event.entity(), signal: event.signal() };
        self.rows.change(key, |row| {
            let sketch = Arc::make_mut(row.get_or_insert_default());
            sketch.add(times, actor.get(), event.timestamp().as_nanos());
        })
    }

    /// Removes the sketches of an entity.
    ///
    /// # Errors
    /// Those of [`Overlay::change`].
    pub(crate) fn remove(&self, kind: EntityKind, id: EntityId) -> Result<()> {
        for (signal, kept) in (0..).zip(&self.kept) {
            let key = UniqueKey { kind, id, signal: SignalTypeId::new(signal) };
            if kept.is_some_and(|kept| kept.kind == kind) && self.rows.get(key)?.is_some() {
                self.rows.change(key, |row| *row = None)?;
            }
        }
        Ok(())
    }

    /// How many different users acted on an entity in the window that ends at `at`, by its
    /// sketch (Q2).
    ///
    /// # Errors
    /// Those of [`Overlay::get`].
    pub(crate) fn count(
        &self,
        signal: SignalTypeId,
        id: EntityId,
        window: Window,
        at: Timestamp,
    ) -> Result<f64> {
        let Some(Kept { kind, times }) = self.kept(signal) else {
            return Ok(0.0);
        };
        let sketch = self.rows.get(UniqueKey { kind, id, signal })?;
        Ok(sketch.map_or(0.0, |sketch| sketch.count(times, cut(window, at))))
    }

    /// Shows every sketch, as it is encoded.
    ///
    /// # Errors
    /// What storage says.
    pub(crate) fn for_each(
        &self,
        storage: &dyn Storage,
        show: &mut dyn FnMut(UniqueKey, &[u8]),
    ) -> Result<()> {
        // What is not in memory any more when this is taken is in the snapshot after it.
        let unsettled = self.rows.unsettled();
        let snapshot = storage.snapshot()?;
        for kind in EntityKind::ALL {
            for entry in snapshot.scan_prefix(keyspace(kind), &[])? {
                let (key, value) = entry?;
                if let Some(key) = UniqueKey::parse(kind, &key)
                    && !unsettled.contains_key(&key)
                {
                    show(key, &value);
                }
            }
        }
        for (key, row) in &unsettled {
            if let Some(row) = row {
                show(*key, &UniqueRows::encode(row));
            }
        }
        Ok(())
    }

    /// The sketches in storage that name any of these users.
    ///
    /// # Errors
    /// What storage says; [`TidalError::Damaged`](tidal_types::TidalError::Damaged).
    pub(crate) fn naming(
        &self,
        storage: &dyn Storage,
        users: &HashSet<EntityId>,
    ) -> Result<Vec<UniqueKey>> {
        let mut keys = Vec::new();
        if users.is_empty() || self.kept.iter().all(Option::is_none) {
            return Ok(keys);
        }
        each_naming(storage, users, &mut |key, _| {
            keys.push(key);
            Ok(())
        })?;
        Ok(keys)
    }

    /// Takes the ids of these users out of some sketches (U2). Only the applier may.
    ///
    /// # Errors
    /// Those of [`Overlay::change`].
    pub(crate) fn unname(&self, keys: &[UniqueKey], users: &HashSet<EntityId>) -> Result<()> {
        for &key in keys {
            self.rows.change(key, |row| {
                if let Some(row) = row {
                    Arc::make_mut(row).unname(key, users);
                }
            })?;
        }
        Ok(())
    }

    pub(crate) fn freeze(&self) -> FrozenUniques {
        self.rows.freeze()
    }

    pub(crate) fn settle(&self, frozen: &FrozenUniques) {
        self.rows.settle(frozen);
    }

    pub(crate) fn thaw(&self) {
        self.rows.thaw();
    }

    /// About how much memory is taken by what no checkpoint is writing, in bytes.
    pub(crate) fn fresh_bytes(&self) -> u64 {
        self.rows.fresh_bytes()
    }

    /// About how much memory is taken by what storage does not have yet, in bytes.
    pub(crate) fn memory_bytes(&self) -> u64 {
        self.rows.memory_bytes()
    }
}

/// Takes the ids of these users out of the sketches of a storage that nobody else writes:
/// shows each sketch that named one, by its place, with the bytes it is to have (U2).
///
/// # Errors
/// What storage or `show` say; [`TidalError::Damaged`](tidal_types::TidalError::Damaged).
pub(crate) fn unname_stored(
    storage: &dyn Storage,
    users: &HashSet<EntityId>,
    show: &mut dyn FnMut(EntityKind, Vec<u8>, Vec<u8>) -> Result<()>,
) -> Result<()> {
    each_naming(storage, users, &mut |key, mut sketch| {
        sketch.unname(key, users);
        let (kind, place) = UniqueRows::place(&key)?;
        show(kind, place, UniqueRows::encode(&sketch))
    })
}

fn each_naming(
    storage: &dyn Storage,
    users: &HashSet<EntityId>,
    show: &mut dyn FnMut(UniqueKey, sketch::Sketch) -> Result<()>,
) -> Result<()> {
    if users.is_empty() {
        return Ok(());
    }
    let snapshot = storage.snapshot()?;
    for kind in EntityKind::ALL {
        for entry in snapshot.scan_prefix(keyspace(kind), &[])? {
            let (key, value) = entry?;
            if let Some(key) = UniqueKey::parse(kind, &key) {
                let sketch = UniqueRows::decode(&key, &value)?;
                if sketch.names_any(users) {
                    show(key, sketch)?;
                }
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;

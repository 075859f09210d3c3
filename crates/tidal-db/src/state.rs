//! Everything that is folded from the log.
//!
//! L1 to L3 hold for all of it: [`State::apply`] is the only way to change it,
//! live and in replay; it reads no clock and no randomness; and applying the
//! records of a stretch of the log again, from any point that storage was
//! written at, comes to the same state.

use std::sync::{Arc, RwLock, RwLockReadGuard};

use tidal_types::{EntityKind, Schema, Seq};

use crate::change::Change;
use crate::kinds::{IdMode, Kinds};
use crate::ledger::SignalLedger;
use crate::metadata::MetadataOverlay;
use crate::names::Names;

/// The state of a database in memory.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) ledger: SignalLedger,
    pub(crate) metadata: MetadataOverlay,
    pub(crate) kinds: Kinds,
    names: RwLock<Names>,
}

impl State {
    /// The state before the first record.
    pub(crate) fn new(schema: Arc<Schema>) -> Self {
        Self {
            ledger: SignalLedger::new(schema),
            metadata: MetadataOverlay::default(),
            kinds: Kinds::default(),
            names: RwLock::default(),
        }
    }

    pub(crate) fn schema(&self) -> &Arc<Schema> {
        self.ledger.schema()
    }

    pub(crate) fn names(&self) -> RwLockReadGuard<'_, Names> {
        self.names.read().expect("no thread panics while it changes the names")
    }

    /// Changes the names; for loading and for the checkpoint.
    pub(crate) fn with_names<T>(&self, change: impl FnOnce(&mut Names) -> T) -> T {
        change(&mut self.names.write().expect("no thread panics while it changes the names"))
    }

    /// Folds the change that record `seq` stands for. The schema is fixed for
    /// the life of a state: [`State::extended`] takes up another.
    pub(crate) fn apply(&self, seq: Seq, change: &Change) {
        match change {
            Change::Schema(_) => {}
            Change::Event(event) => {
                self.kinds.settle(event.kind(), IdMode::Numeric);
                if event.actor().is_some() {
                    self.kinds.settle(EntityKind::User, IdMode::Numeric);
                }
                self.ledger.apply(seq, event);
            }
            Change::WriteItem { id, metadata } => {
                self.kinds.settle(EntityKind::Item, IdMode::Numeric);
                self.metadata.put(*id, metadata);
            }
            Change::DeleteItem { id } => {
                self.kinds.settle(EntityKind::Item, IdMode::Numeric);
                self.metadata.delete(*id);
            }
            Change::AssignName { kind, id, name } => {
                self.kinds.settle(*kind, IdMode::Named);
                self.with_names(|names| names.assign(*kind, *id, name));
            }
        }
    }

    /// The same state under a schema that extends its own.
    pub(crate) fn extended(self, schema: Arc<Schema>) -> Self {
        Self { ledger: self.ledger.extended(schema), ..self }
    }

    /// About how much memory it takes, in bytes.
    pub(crate) fn memory_bytes(&self) -> u64 {
        self.ledger.memory_bytes() + self.metadata.memory_bytes() + self.names().memory_bytes()
    }
}

//! Everything that is folded from the log.
//!
//! L1 to L3 hold for all of it: [`State::apply`] is the only way to change it,
//! live and in replay; it reads no clock and no randomness; and applying the
//! records of a stretch of the log again, from any point that storage was
//! written at, comes to the same state.

mod frozen;

use std::sync::{Arc, RwLock, RwLockReadGuard};

use tidal_storage::Storage;
use tidal_types::{
    AcceptedEvent, EntityId, EntityKind, Producer, QueryError, Schema, Seq, SignalTypeDefinition,
    TidalError, Timestamp, Window,
};

pub(crate) use frozen::FrozenState;

use crate::Result;
use crate::attributes::Attributes;
use crate::change::Change;
use crate::checkpoint::StoredCells;
use crate::forgotten::Forgotten;
use crate::history::{HISTORY_ENTITIES_MAX, Histories};
use crate::kinds::{IdMode, Kinds, Modes};
use crate::ledger::{SignalLedger, StoredCounts};
use crate::metadata::MetadataOverlay;
use crate::names::Names;
use crate::producers::Producers;
use crate::uniques::Uniques;

/// A record as it is folded.
pub(crate) type Decoded = (Seq, Change, Option<Producer>);

/// The state of a database in memory.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) ledger: SignalLedger,
    pub(crate) metadata: MetadataOverlay,
    pub(crate) attributes: Attributes,
    pub(crate) kinds: Kinds,
    pub(crate) forgotten: Arc<Forgotten>,
    pub(crate) names: Names,
    pub(crate) uniques: Uniques,
    pub(crate) histories: Histories,
    /// How many entities a history has at most; tests need fewer to see one full.
    pub(crate) history_entities_max: usize,
    producers: RwLock<Producers>,
}

impl State {
    /// The state that storage has, which has so many cells; nothing of it is loaded.
    pub(crate) fn over(
        schema: Arc<Schema>,
        storage: &Arc<dyn Storage>,
        memory_budget: Option<u64>,
        stored: StoredCounts,
    ) -> Self {
        let cells = Arc::new(StoredCells::of(Arc::clone(storage)));
        let forgotten = Arc::default();
        let uniques = Uniques::over(&schema, Arc::clone(storage));
        Self {
            attributes: Attributes::over(Arc::clone(&schema), storage, Arc::clone(&forgotten)),
            ledger: SignalLedger::over(schema, cells, memory_budget, stored),
            metadata: MetadataOverlay::default(),
            kinds: Kinds::default(),
            forgotten,
            names: Names::over(Arc::clone(storage)),
            uniques,
            histories: Histories::over(Arc::clone(storage)),
            history_entities_max: HISTORY_ENTITIES_MAX,
            producers: RwLock::default(),
        }
    }

    pub(crate) fn schema(&self) -> &Arc<Schema> {
        self.ledger.schema()
    }

    pub(crate) fn producers(&self) -> RwLockReadGuard<'_, Producers> {
        self.producers.read().expect("no thread panics while it changes the producers")
    }

    /// Changes the producers; for loading and for the checkpoint.
    pub(crate) fn with_producers<T>(&self, change: impl FnOnce(&mut Producers) -> T) -> T {
        let mut producers =
            self.producers.write().expect("no thread panics while it changes the producers");
        change(&mut producers)
    }

    /// Folds the change that record `seq` stands for, unless its producer sent it
    /// before. The schema is fixed for the life of a state: [`State::extended`]
    /// takes up another.
    ///
    /// # Errors
    /// What storage says, which is asked for what is not in memory. The change may then
    /// be folded in part: nothing may be folded behind it, and no checkpoint written.
    pub(crate) fn apply(
        &self,
        seq: Seq,
        change: &Change,
        producer: Option<Producer>,
    ) -> Result<()> {
        if !self.takes(change, producer) {
            return Ok(());
        }
        match change {
            Change::Schema(_) | Change::Nothing => {}
            Change::Event(event) => {
                self.settle_kinds(event);
                self.fold_history(seq, event)?;
                self.ledger.apply(seq, event)?;
                self.uniques.fold(event)?;
            }
            Change::WriteItem { id, metadata } => {
                self.kinds.settle(EntityKind::Item, IdMode::Numeric);
                self.metadata.put(*id, metadata);
            }
            Change::DeleteItem { id } => {
                self.kinds.settle(EntityKind::Item, IdMode::Numeric);
                self.metadata.delete(*id);
            }
            Change::PutAttributes { kind, id, patch } => {
                for (kind, _) in change.entities() {
                    self.kinds.settle(kind, IdMode::Numeric);
                }
                self.attributes.apply(*kind, *id, patch)?;
            }
            Change::AssignName { kind, id, name } => {
                self.kinds.settle(*kind, IdMode::Named);
                self.names.assign(*kind, *id, name)?;
            }
            Change::ProducerNote { id, note } => {
                self.with_producers(|producers| producers.fold_note(*id, note));
            }
            Change::Forget { kind, id, modes } => self.forget(seq, *kind, *id, modes)?,
        }
        Ok(())
    }

    /// Folds a run of records, to the same state as [`State::apply`] of one after the
    /// other. The events between two other changes are folded by several threads where
    /// they are many.
    ///
    /// # Errors
    /// Those of [`State::apply`]. Events behind the one that failed may be folded then.
    pub(crate) fn apply_run(&self, run: &[Decoded]) -> Result<()> {
        let run = run.iter().map(|(seq, change, producer)| (*seq, change, *producer));
        self.apply_each(run, |events| self.ledger.apply_run(events)).map_err(|(_, error)| error)
    }

    /// The same, by this thread alone; a failure says of which record it is.
    pub(crate) fn apply_commit<'a>(
        &self,
        commit: impl Iterator<Item = (Seq, &'a Change, Option<Producer>)>,
    ) -> Result<(), (Seq, TidalError)> {
        self.apply_each(commit, |events| self.ledger.apply_together(events))
    }

    fn apply_each<'a>(
        &self,
        run: impl Iterator<Item = (Seq, &'a Change, Option<Producer>)>,
        fold: impl Fn(&[(Seq, AcceptedEvent)]) -> Result<(), (Seq, TidalError)>,
    ) -> Result<(), (Seq, TidalError)> {
        let mut events = Vec::with_capacity(run.size_hint().1.unwrap_or_default());
        for (seq, change, producer) in run {
            let of_record = |error| (seq, error);
            if let Change::Event(event) = change {
                if self.takes(change, producer) {
                    self.settle_kinds(event);
                    self.uniques.fold(event).map_err(of_record)?;
                    self.fold_history(seq, event).map_err(of_record)?;
                    events.push((seq, *event));
                }
            } else {
                // It may forget what the events are about.
                fold(&events)?;
                events.clear();
                self.apply(seq, change, producer).map_err(of_record)?;
            }
        }
        fold(&events)
    }

    /// Whether a change is to be folded: its producer did not send it before, and it is
    /// about nothing that was forgotten.
    fn takes(&self, change: &Change, producer: Option<Producer>) -> bool {
        let is_repeat = producer
            .is_some_and(|producer| !self.with_producers(|producers| producers.fold(producer)));
        // An id is never used again (F1). None that follows gets past the gate.
        !is_repeat && !self.forgotten.covers(change)
    }

    fn settle_kinds(&self, event: &AcceptedEvent) {
        self.kinds.settle(event.kind(), IdMode::Numeric);
        if event.actor().is_some() {
            self.kinds.settle(EntityKind::User, IdMode::Numeric);
        }
    }

    /// Folds that an entity was forgotten. What the records about it settled for others,
    /// the id modes and that the id was given out, this one says too, since the log may
    /// be purged of those records: of a name and not yet of an event behind it, say, which
    /// alone would make the kind numeric.
    fn forget(&self, seq: Seq, forgotten: EntityKind, id: EntityId, modes: &Modes) -> Result<()> {
        for (kind, mode) in EntityKind::ALL.into_iter().zip(modes) {
            if let Some(mode) = mode {
                self.kinds.restore(kind, *mode);
            }
        }
        // Whoever sees the entity in this set sees nothing of it any more.
        self.ledger.remove(seq, forgotten, id)?;
        self.uniques.remove(forgotten, id)?;
        if forgotten == EntityKind::Item {
            self.metadata.delete(id);
        }
        self.attributes.remove(forgotten, id)?;
        if forgotten == EntityKind::User {
            self.forget_histories(id)?;
        }
        if self.kinds.mode(forgotten) == Some(IdMode::Named) {
            self.names.forget(forgotten, id)?;
        }
        self.forgotten.insert(forgotten, id, seq);
        self.attributes.forgot(forgotten, id);
        Ok(())
    }

    /// The same state, where these were forgotten.
    pub(crate) fn without(self, forgotten: Forgotten) -> Self {
        let forgotten = Arc::new(forgotten);
        let attributes = self.attributes.without(Arc::clone(&forgotten));
        Self { forgotten, attributes, ..self }
    }

    /// The same state under a schema that extends its own.
    pub(crate) fn extended(self, schema: Arc<Schema>) -> Self {
        let attributes = self.attributes.extended(Arc::clone(&schema));
        let uniques = self.uniques.extended(&schema);
        Self { ledger: self.ledger.extended(schema), attributes, uniques, ..self }
    }

    /// How many different users acted on an entity in the window that ends at `at`: what
    /// its sketch says, and no more than the events that the ledger counts there. `None`
    /// when it has no events.
    ///
    /// # Errors
    /// [`QueryError::NotKept`]; [`TidalError::WindowNotDeclared`];
    /// what storage says.
    pub(crate) fn unique_actors(
        &self,
        signal: &SignalTypeDefinition,
        id: EntityId,
        window: Window,
        at: Timestamp,
    ) -> Result<Option<f64>> {
        if !signal.uniques() {
            let (what, declare) = ("unique actors", "uniques(true)");
            return Err(QueryError::NotKept { signal: signal.name().into(), what, declare }.into());
        }
        let Some(events) = self.ledger.count_of_cell(signal, id, window, at)? else {
            return Ok(None);
        };
        let actors = self.uniques.count(signal.id(), id, window, at)?;
        Ok(Some(actors.min(events as f64)))
    }

    /// About how much memory is taken by what is neither a cell nor a name, and is neither
    /// in storage nor being written, in bytes.
    pub(crate) fn overlay_bytes(&self) -> u64 {
        self.metadata.fresh_bytes()
            + self.attributes.fresh_bytes()
            + self.uniques.fresh_bytes()
            + self.histories.fresh_bytes()
    }

    /// About how much memory it takes, in bytes.
    pub(crate) fn memory_bytes(&self) -> u64 {
        self.ledger.memory_bytes()
            + self.metadata.memory_bytes()
            + self.attributes.memory_bytes()
            + self.names.memory_bytes()
            + self.uniques.memory_bytes()
            + self.histories.memory_bytes()
            + self.producers().memory_bytes()
            + self.forgotten.memory_bytes()
    }
}

//! The fold of histories: what an event, and a forgotten user, does to them; and the rows
//! that reads are made of.

use std::sync::Arc;

use tidal_types::{
    AcceptedEvent, EntityId, EntityKind, QueryError, Seq, SignalTypeDefinition, TidalError,
};

use super::{HistoryRow, Key, Row, damaged};
use crate::Result;
use crate::ledger::RawEvent;
use crate::state::State;

impl State {
    /// Folds an event of record `seq`, which is taken, into the history of the user who
    /// caused it, if its signal type keeps one (H1).
    ///
    /// # Errors
    /// What storage says; nothing has happened then, and the record can be folded again.
    pub(crate) fn fold_history(&self, seq: Seq, event: &AcceptedEvent) -> Result<()> {
        let Some(user) = event.actor() else {
            return Ok(());
        };
        let definition = self.schema().signal_by_id(event.signal());
        let Some(definition) = definition.filter(|signal| signal.history()) else {
            return Ok(());
        };
        // None gets past the gate, as of the entity.
        if self.forgotten.contains(EntityKind::User, user) {
            return Ok(());
        }
        self.change_history((user, definition.id()), |row| {
            row.purge(definition.kind(), &self.forgotten);
            let rate = definition.rate_per_sec();
            let act = (event.entity(), RawEvent::of(event));
            row.apply(seq, rate, act, self.history_entities_max);
        })
    }

    fn change_history(&self, key: Key, change: impl FnOnce(&mut Row)) -> Result<()> {
        let end = self.ledger.log_end();
        self.histories.change(key, |entry| {
            let row = entry.get_or_insert_default();
            check(key, row, end)?;
            change(Arc::make_mut(row));
            Ok(())
        })?
    }

    /// Takes what was forgotten out of a row (H3), which is none then if nothing is left
    /// of it (H4).
    ///
    /// # Errors
    /// What storage says; the row is as it was then.
    pub(super) fn purge_history(&self, (user, signal): Key) -> Result<()> {
        let Some(definition) = self.schema().signal_by_id(signal) else {
            return Ok(());
        };
        self.histories.change((user, signal), |entry| {
            if let Some(row) = entry {
                let row = Arc::make_mut(row);
                row.purge(definition.kind(), &self.forgotten);
                if row.ids().next().is_none() {
                    *entry = None;
                }
            }
        })
    }

    /// Folds that a user was forgotten: the user has no rows any more.
    ///
    /// # Errors
    /// What storage says; some rows may be gone then, and the record can be folded again.
    pub(crate) fn forget_histories(&self, user: EntityId) -> Result<()> {
        for signal in self.schema().signals().iter().filter(|signal| signal.history()) {
            let key = (user, signal.id());
            if self.histories.get(key)?.is_some() {
                self.histories.change(key, |row| *row = None)?;
            }
        }
        Ok(())
    }

    /// What a user did by a signal type, without what was forgotten; `None` when that is
    /// nothing.
    ///
    /// # Errors
    /// [`QueryError::NotKept`] when the signal type keeps no history; what storage says.
    pub(crate) fn history_of(
        &self,
        signal: &SignalTypeDefinition,
        user: EntityId,
    ) -> Result<Option<Arc<HistoryRow>>> {
        let Some(mut row) = self.history_row(signal, user)? else {
            return Ok(None);
        };
        // The set is asked behind the row, so that it has all that was forgotten in it.
        let (gone, _) = row.forgotten_of(signal.kind(), &self.forgotten);
        if !gone.is_empty() {
            Arc::make_mut(&mut row).remove(&gone);
        }
        let is_empty = row.ids().next().is_none();
        let rate = signal.rate_per_sec();
        Ok((!is_empty).then(|| Arc::new(HistoryRow::new(row, rate))))
    }

    /// Whether a user ever acted on an entity by a signal type.
    ///
    /// # Errors
    /// Those of [`State::history_of`].
    pub(crate) fn has_seen(
        &self,
        signal: &SignalTypeDefinition,
        user: EntityId,
        id: EntityId,
    ) -> Result<bool> {
        let row = self.history_row(signal, user)?;
        let has_entry = row.is_some_and(|row| row.contains(id));
        Ok(has_entry && !self.forgotten.contains(signal.kind(), id))
    }

    fn history_row(
        &self,
        signal: &SignalTypeDefinition,
        user: EntityId,
    ) -> Result<Option<Arc<Row>>> {
        if !signal.history() {
            return Err(QueryError::NotKept {
                signal: signal.name().into(),
                what: "history",
                declare: "history = true",
            }
            .into());
        }
        let key = (user, signal.id());
        let row = self.histories.get(key)?;
        row.iter().try_for_each(|row| check(key, row, self.ledger.log_end()))?;
        Ok(row)
    }
}

/// Refuses a row that is ahead of the log: it would pass over events that are still to
/// come.
fn check((user, signal): Key, row: &Row, end: Seq) -> Result<(), TidalError> {
    if row.applied <= end {
        return Ok(());
    }
    let problem = format!(
        "it has applied record {}, and the log ends at {end}; restore a backup, or rebuild \
         storage from the log",
        row.applied
    );
    Err(damaged(user, signal, problem))
}

//! What was forgotten goes from the histories of an open database.
//!
//! Which rows hold it is looked for beside the applier, in a snapshot; only the rows that
//! do are changed by it, a few at a time, so nobody waits for a purge (G82). What is changed
//! is in no answer and no checksum (H3), so there is no record of it.

use std::collections::HashSet;

use tidal_types::{EntityId, EntityKind};

use super::{Key, listing};
use crate::{Result, TidalDB};

/// For so many rows the applier is held up at once, at most.
const ROWS_AT_ONCE: usize = 16;

impl TidalDB {
    /// Takes these forgotten entities out of the rows of all users. The next checkpoint
    /// writes them.
    pub(crate) fn purge_histories(
        &self,
        forgotten: &HashSet<(EntityKind, EntityId)>,
    ) -> Result<()> {
        for some in self.rows_with(forgotten)?.chunks(ROWS_AT_ONCE) {
            let some = some.to_vec();
            self.parts.gate.inspect(move |applier| {
                some.into_iter().try_for_each(|key| applier.state.purge_history(key))
            })??;
            self.write_if_many()?;
        }
        Ok(())
    }

    /// The rows that have any of these entities. No other comes to have one: what was
    /// forgotten is written by nobody.
    fn rows_with(&self, forgotten: &HashSet<(EntityKind, EntityId)>) -> Result<Vec<Key>> {
        let state = self.state()?;
        let mut keys = Vec::new();
        listing::each_row(state, &*self.parts.storage, &mut |key, row| {
            let kind = state.schema().signal_by_id(key.1).map(|signal| signal.kind());
            if row.ids().any(|id| kind.is_some_and(|kind| forgotten.contains(&(kind, id)))) {
                keys.push(key);
            }
            Ok(())
        })?;
        Ok(keys)
    }
}

//! What a commit has to do with entities that were forgotten, or that it forgets.
//!
//! Judged under the gate's lock, against what is folded: a commit that forgets, or that
//! uses what is about to be forgotten, first waits for everything on its way. So no
//! record about an entity ever stands behind the one that forgets it, and that one says
//! what the records before it have settled.

use std::collections::HashSet;

use tidal_types::{EntityId, EntityKind, TidalError};
use tidal_wal::Batch;

use super::pending::UsedIds;
use crate::Result;
use crate::change::{Change, Entry};
use crate::kinds::{IdMode, Modes};
use crate::record;
use crate::state::State;

/// The entities that a commit forgets.
pub(super) fn of(entries: &[Entry]) -> impl Iterator<Item = (EntityKind, EntityId)> {
    entries.iter().filter_map(|entry| match entry.change {
        Change::Forget { kind, id, .. } => Some((kind, id)),
        _ => None,
    })
}

/// Whether a commit forgets something.
pub(super) fn is_in(entries: &[Entry]) -> bool {
    of(entries).next().is_some()
}

/// Whether a commit uses one of these entities.
pub(super) fn concerns(pending: &HashSet<(EntityKind, EntityId)>, entries: &[Entry]) -> bool {
    let mut used = entries.iter().flat_map(|entry| entry.change.entities());
    !pending.is_empty() && used.any(|entity| pending.contains(&entity))
}

/// A commit that forgets, with the id modes that are settled before it and by it.
pub(super) fn fill_in(
    mut settled: Modes,
    used: UsedIds,
    mut entries: Vec<Entry>,
) -> Result<(Batch, Vec<Entry>)> {
    for (kind, _) in used.iter() {
        if let Some(mode) = settled.get_mut(kind.index()) {
            mode.get_or_insert(IdMode::Numeric);
        }
    }
    let (mut batch, mut payload) = (Batch::new(), Vec::new());
    for entry in &mut entries {
        if let Change::Forget { modes, .. } = &mut entry.change {
            *modes = settled;
        }
        record::push(&mut batch, entry, &mut payload)?;
    }
    Ok((batch, entries))
}

/// Refuses entries that use an entity that was forgotten, or that one before them
/// forgets. To forget it again is no use of it.
pub(super) fn check(state: &State, entries: &[Entry]) -> Result<()> {
    if state.forgotten.is_empty() && !is_in(entries) {
        return Ok(());
    }
    let mut forgotten = HashSet::new();
    for entry in entries {
        if let Change::Forget { kind, id, .. } = entry.change {
            forgotten.insert((kind, id));
            continue;
        }
        for (kind, id) in entry.change.entities() {
            if forgotten.contains(&(kind, id)) || state.forgotten.contains(kind, id) {
                return Err(TidalError::Forgotten { kind, id });
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a commit settles itself stands before what it forgets, or in its own record.
    #[test]
    fn a_record_that_forgets_says_what_its_own_commit_settles() {
        let id = EntityId::new(7);
        let mut used = UsedIds::default();
        used.note(EntityKind::Item, id, false);
        used.note(EntityKind::User, id, true);
        let change = Change::Forget { kind: EntityKind::Item, id, modes: Modes::default() };
        let settled = [None, Some(IdMode::Named), None];
        let (_, entries) = fill_in(settled, used, vec![change.into()]).unwrap();
        let modes = [Some(IdMode::Numeric), Some(IdMode::Named), None];
        assert_eq!(entries, [Change::Forget { kind: EntityKind::Item, id, modes }.into()]);
    }
}

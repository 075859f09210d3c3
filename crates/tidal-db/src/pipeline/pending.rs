//! What is decided by commits that are still on their way, and what a commit
//! asks of it.

use std::collections::{HashMap, HashSet};

use tidal_types::{EntityId, EntityKind, ProducerId};

use crate::kinds::IdMode;
use crate::producers::Last;

/// What commits that are not folded yet will decide.
#[derive(Debug, Default)]
pub(super) struct Pending {
    modes: [Option<IdMode>; EntityKind::ALL.len()],
    pub(super) names: HashMap<(EntityKind, Vec<u8>), EntityId>,
    last_ids: [u64; EntityKind::ALL.len()],
    /// The last event of each producer.
    pub(super) producers: HashMap<ProducerId, Last>,
    pub(super) forgotten: HashSet<(EntityKind, EntityId)>,
}

impl Pending {
    pub(super) fn mode(&self, kind: EntityKind) -> Option<IdMode> {
        self.modes.get(kind.index()).copied().flatten()
    }

    pub(super) fn set_mode(&mut self, kind: EntityKind, mode: IdMode) {
        if let Some(pending) = self.modes.get_mut(kind.index()) {
            pending.get_or_insert(mode);
        }
    }

    pub(super) fn last_id(&self, kind: EntityKind) -> u64 {
        self.last_ids.get(kind.index()).copied().unwrap_or_default()
    }

    pub(super) fn set_last_id(&mut self, kind: EntityKind, last_id: u64) {
        if let Some(pending) = self.last_ids.get_mut(kind.index()) {
            *pending = last_id;
        }
    }
}

/// The kinds whose entities a commit names by id.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct UsedIds([Option<UsedId>; EntityKind::ALL.len()]);

/// One of the ids that a commit uses of a kind, for the error.
#[derive(Debug, Clone, Copy)]
pub(super) struct UsedId {
    pub(super) id: EntityId,
    /// Whether every id of the kind was found to have a name.
    pub(super) has_name: bool,
}

impl UsedIds {
    pub(crate) fn note(&mut self, kind: EntityKind, id: EntityId, has_name: bool) {
        if let Some(slot) = self.0.get_mut(kind.index()) {
            let used = slot.get_or_insert(UsedId { id, has_name });
            used.has_name &= has_name;
        }
    }

    pub(super) fn iter(self) -> impl Iterator<Item = (EntityKind, UsedId)> {
        EntityKind::ALL.into_iter().zip(self.0).filter_map(|(kind, used)| Some((kind, used?)))
    }
}

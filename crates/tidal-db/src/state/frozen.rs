//! What a checkpoint has to write as of exactly one record.

use tidal_types::{EntityKind, Position, Timestamp};

use super::State;
use crate::attributes::AttributeRows;
use crate::forgotten::FrozenForgotten;
use crate::history::HistoryRows;
use crate::kinds::IdMode;
use crate::metadata::FrozenMetadata;
use crate::names::FrozenNames;
use crate::overlay::FrozenRows;
use crate::producers::FrozenProducers;
use crate::uniques::FrozenUniques;

/// For so many producers the applier waits at once, at most.
const PRODUCERS_AT_ONCE: usize = 256;

/// The state as of one record, but for the cells, as far as storage does not have it.
#[derive(Debug)]
pub(crate) struct FrozenState {
    pub(crate) position: Position,
    pub(crate) newest: Option<Timestamp>,
    pub(crate) modes: [Option<IdMode>; EntityKind::ALL.len()],
    pub(crate) names: FrozenNames,
    pub(crate) producers: FrozenProducers,
    pub(crate) metadata: FrozenMetadata,
    pub(crate) attributes: FrozenRows<AttributeRows>,
    pub(crate) forgotten: FrozenForgotten,
    pub(crate) uniques: FrozenUniques,
    pub(crate) histories: FrozenRows<HistoryRows>,
}

impl FrozenState {
    /// Whether any row has changed, of which records need not tell: a purge changes some
    /// beside the fold.
    pub(crate) fn has_rows(&self) -> bool {
        !self.attributes.is_empty() || !self.uniques.is_empty() || !self.histories.is_empty()
    }
}

impl State {
    /// What a checkpoint has to write as of `position`, the last record that was folded.
    /// Reads see it until it is settled or thawed. It takes the same short time whatever
    /// there is, unless the checkpoint before has neither been settled nor thawed.
    pub(crate) fn freeze(&self, position: Position) -> FrozenState {
        FrozenState {
            position,
            newest: self.ledger.newest_event(),
            modes: self.kinds.modes(),
            names: self.names.freeze(),
            producers: self.with_producers(crate::producers::Producers::freeze),
            metadata: self.metadata.freeze(),
            attributes: self.attributes.freeze(),
            forgotten: self.forgotten.freeze(),
            uniques: self.uniques.freeze(),
            histories: self.histories.freeze(),
        }
    }

    /// Storage has what was frozen.
    pub(crate) fn settle(&self, frozen: &FrozenState) {
        self.names.settle(&frozen.names);
        let producers: Vec<_> = frozen.producers.iter().collect();
        for some in producers.chunks(PRODUCERS_AT_ONCE) {
            self.with_producers(|producers| {
                some.iter().for_each(|&(&id, state)| producers.restore(id, state.clone()));
            });
        }
        self.with_producers(crate::producers::Producers::settle);
        self.metadata.settle();
        self.attributes.settle(&frozen.attributes);
        self.forgotten.settle();
        self.uniques.settle(&frozen.uniques);
        self.histories.settle(&frozen.histories);
    }

    /// Storage does not have what was frozen, or not all of it: the next checkpoint
    /// writes it.
    pub(crate) fn thaw(&self) {
        self.names.thaw();
        self.with_producers(crate::producers::Producers::thaw);
        self.metadata.thaw();
        self.attributes.thaw();
        self.forgotten.thaw();
        self.uniques.thaw();
        self.histories.thaw();
    }
}

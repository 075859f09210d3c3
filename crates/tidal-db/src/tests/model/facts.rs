//! What the records that were sent come to, in maps and by the definitions.

use std::collections::{BTreeMap, BTreeSet};

use tidal_types::{AttributeValue, EntityId, EntityKind, Seq, Timestamp};

use super::history::{Content, Origin, Record, Sent, SentEvent, named_by};
use super::schemas;
use crate::tests::reference::Reference;
use crate::{IdMode, ProducerState};

/// How long a key is known at least, and half as long as it is at most.
pub(super) const WINDOW_SECS: u64 = 600;

#[derive(Debug, Default)]
pub(super) struct Facts {
    pub(super) records: u64,
    /// The number of the schema; `None` before the first.
    pub(super) schema: Option<usize>,
    pub(super) modes: BTreeMap<EntityKind, IdMode>,
    pub(super) names: BTreeMap<(EntityKind, Vec<u8>), EntityId>,
    pub(super) last_ids: BTreeMap<EntityKind, u64>,
    pub(super) forgotten: BTreeSet<(EntityKind, EntityId)>,
    pub(super) metadata: BTreeMap<EntityId, Vec<u8>>,
    /// By entity, and then by the number of the attribute.
    pub(super) attributes: BTreeMap<(EntityKind, EntityId), BTreeMap<usize, AttributeValue>>,
    pub(super) producers: BTreeMap<u8, ProducerState>,
    pub(super) cells: BTreeMap<(usize, EntityId), Reference>,
    /// Who acted on each, and when.
    pub(super) actors: BTreeMap<(usize, EntityId), Vec<(EntityId, Timestamp)>>,
    /// What each user did, by signal type.
    pub(super) histories: BTreeMap<(usize, EntityId), BTreeMap<EntityId, Reference>>,
    pub(super) newest: Option<Timestamp>,
    /// The events that were known by their keys, with their numbers and log times; the
    /// last one of each key.
    pub(super) clients: BTreeMap<u8, Keyed>,
    /// And those that were known by their contents.
    pub(super) contents: Vec<Keyed>,
}

/// An event with a key.
#[derive(Debug, Clone, Copy)]
pub(super) struct Keyed {
    pub(super) content: Content,
    pub(super) seq: Seq,
    log_time: Timestamp,
}

impl Keyed {
    /// R20: log time is cut into epochs as long as the window, and a key is known in its
    /// own and in the next one.
    pub(super) fn is_known(&self, now: Timestamp) -> bool {
        let epoch = |time: Timestamp| time.as_secs() / WINDOW_SECS;
        epoch(now) <= epoch(self.log_time) + 1
    }
}

impl Facts {
    /// What these records come to.
    pub(super) fn of(sent: &[Sent]) -> Self {
        let mut facts = Self::default();
        facts.fold_all(sent);
        facts
    }

    pub(super) fn fold_all(&mut self, sent: &[Sent]) {
        sent.iter().for_each(|sent| self.fold(sent));
    }

    fn fold(&mut self, sent: &Sent) {
        self.records += 1;
        match &sent.record {
            Record::Schema(number) => self.schema = Some(*number),
            Record::Event(event) => self.fold_event(*event, sent.log_time),
            Record::WriteItem { id, metadata } => {
                self.settle(EntityKind::Item, IdMode::Numeric);
                self.metadata.insert(*id, metadata.clone());
            }
            Record::DeleteItem { id } => {
                self.settle(EntityKind::Item, IdMode::Numeric);
                self.metadata.remove(id);
            }
            Record::PutAttributes { kind, id, values } => {
                for (kind, _) in sent.record.entities() {
                    self.settle(kind, IdMode::Numeric);
                }
                let row = self.attributes.entry((*kind, *id)).or_default();
                for (attribute, value) in values {
                    match value {
                        Some(value) => row.insert(*attribute, value.clone()),
                        None => row.remove(attribute),
                    };
                }
            }
            Record::Name { kind, id, name } => {
                self.settle(*kind, IdMode::Named);
                self.names.insert((*kind, name.clone()), *id);
                self.last_ids.insert(*kind, id.get());
            }
            Record::Note { producer, note } => {
                self.producers.entry(*producer).or_default().note.clone_from(note);
            }
            Record::Forget { kind, id } => self.forget(*kind, *id),
        }
    }

    fn fold_event(&mut self, SentEvent { content, from }: SentEvent, log_time: Timestamp) {
        let keyed = Keyed { content, seq: Seq::new(self.records), log_time };
        match from {
            Origin::Nothing => {}
            Origin::Producer { producer, epoch, seq } => {
                let state = self.producers.entry(producer).or_default();
                (state.epoch, state.seq) = (epoch, seq);
            }
            Origin::Client(key) => {
                self.clients.insert(key, keyed);
            }
            Origin::Content => self.contents.push(keyed),
        }
        self.settle(schemas::kind(content.signal), IdMode::Numeric);
        if content.actor.is_some() {
            self.settle(EntityKind::User, IdMode::Numeric);
        }
        if let Some(actor) = content.actor {
            let acted = self.actors.entry((content.signal, content.entity)).or_default();
            acted.push((actor, content.time));
        }
        let cell = self.cells.entry((content.signal, content.entity)).or_default();
        cell.push(content.time.as_nanos(), content.weight);
        if let Some(user) = content.actor.filter(|_| schemas::keeps_history(content.signal)) {
            let history = self.histories.entry((content.signal, user)).or_default();
            let acts = history.entry(content.entity).or_default();
            acts.push(content.time.as_nanos(), content.weight);
        }
        self.newest = self.newest.max(Some(content.time));
    }

    /// G80, G81: nothing of it stays but that it was forgotten, and when the newest event
    /// was.
    fn forget(&mut self, kind: EntityKind, id: EntityId) {
        self.settle(kind, IdMode::Numeric);
        let is_other =
            |(signal, of): &(usize, EntityId)| (schemas::kind(*signal), *of) != (kind, id);
        self.cells.retain(|cell, _| is_other(cell));
        self.actors.retain(|cell, _| is_other(cell));
        if kind == EntityKind::Item {
            self.metadata.remove(&id);
        }
        // G95: neither what is known of it, nor where it is the value.
        self.attributes.remove(&(kind, id));
        for row in self.attributes.values_mut() {
            row.retain(|attribute, value| named_by(*attribute, value) != Some((kind, id)));
        }
        self.histories.retain(|(_, user), _| (EntityKind::User, *user) != (kind, id));
        for ((signal, _), history) in &mut self.histories {
            history.retain(|of, _| (schemas::kind(*signal), *of) != (kind, id));
        }
        self.names.retain(|(of, _), known| (*of, *known) != (kind, id));
        self.forgotten.insert((kind, id));
    }

    /// The first record of a kind decides.
    pub(super) fn settle(&mut self, kind: EntityKind, mode: IdMode) {
        self.modes.entry(kind).or_insert(mode);
    }

    pub(super) fn is_named(&self, kind: EntityKind) -> bool {
        self.modes.get(&kind) == Some(&IdMode::Named)
    }

    /// Whether an event or a write may use this id, unless it was forgotten.
    pub(super) fn may_use(&self, kind: EntityKind, id: EntityId) -> bool {
        !self.is_named(kind)
            || self.forgotten.contains(&(kind, id))
            || self.names.iter().any(|((of, _), known)| *of == kind && *known == id)
    }
}

//! A state with attributes of every type, over a storage that outlives it.

use std::sync::Arc;

use proptest::prelude::*;
use tidal_storage::{MemoryStorage, Storage};
use tidal_types::{
    AttributeType, AttributeValue, EntityId, EntityKind, LogId, Schema, SchemaBuilder, Seq,
};

use crate::attributes::{accept, value};
use crate::change::Change;
use crate::kinds::IdMode;
use crate::rebuild::Rebuild;
use crate::state::State;

pub(in crate::attributes) const ITEM: EntityKind = EntityKind::Item;

/// An attribute of each type, of items, and a link between users.
pub(in crate::attributes) const ATTRIBUTES: [(&str, EntityKind, AttributeType); 9] = [
    ("language", ITEM, AttributeType::Keyword),
    ("size", ITEM, AttributeType::Integer),
    ("price", ITEM, AttributeType::Float),
    ("sold", ITEM, AttributeType::Boolean),
    ("released", ITEM, AttributeType::Timestamp),
    ("tags", ITEM, AttributeType::Keywords),
    ("maker", ITEM, AttributeType::Entity(EntityKind::Creator)),
    ("friend", EntityKind::User, AttributeType::Entity(EntityKind::User)),
    ("age", EntityKind::User, AttributeType::Integer),
];

/// The kinds that have attributes.
pub(in crate::attributes) const fn kinds() -> [EntityKind; 2] {
    [ITEM, EntityKind::User]
}

pub(in crate::attributes) fn schema() -> Schema {
    let mut builder = SchemaBuilder::new();
    for (name, kind, of_type) in ATTRIBUTES {
        builder.attribute(name, kind, of_type);
    }
    builder.build().unwrap()
}

#[derive(Debug, Clone)]
pub(in crate::attributes) enum Step {
    /// An attribute, by its place, of an entity.
    Put(usize, u64, Option<AttributeValue>),
    Forget(EntityKind, u64),
    Checkpoint,
    /// The state is lost, and made again from storage and what was folded since.
    Crash,
}

pub(in crate::attributes) fn steps() -> impl Strategy<Value = Vec<Step>> {
    let put = (0..ATTRIBUTES.len(), 1..6_u64).prop_flat_map(|(place, id)| {
        let (_, _, of_type) = ATTRIBUTES[place];
        prop::option::weighted(0.8, value::tests::value(of_type))
            .prop_map(move |value| Step::Put(place, id, value))
    });
    let kind = prop::sample::select(EntityKind::ALL.to_vec());
    let step = prop_oneof![
        20 => put,
        1 => (kind, 1..6_u64).prop_map(|(kind, id)| Step::Forget(kind, id)),
        2 => Just(Step::Checkpoint),
        1 => Just(Step::Crash),
    ];
    prop::collection::vec(step, 0..60)
}

/// A state, the storage it is over, and everything that was folded.
#[derive(Debug)]
pub(in crate::attributes) struct Fixture {
    pub(in crate::attributes) storage: Arc<dyn Storage>,
    pub(in crate::attributes) rebuild: Rebuild,
    pub(in crate::attributes) folded: Vec<Change>,
}

const LOG: LogId = LogId::from_bytes([7; 16]);

impl Fixture {
    pub(in crate::attributes) fn new() -> Self {
        let storage: Arc<dyn Storage> = Arc::new(MemoryStorage::new());
        let mut rebuild = Rebuild::open(Arc::clone(&storage), LOG).unwrap();
        rebuild.adopt(Seq::FIRST, schema());
        Self { storage, rebuild, folded: Vec::new() }
    }

    pub(in crate::attributes) fn state(&self) -> &State {
        self.rebuild.state()
    }

    pub(in crate::attributes) fn take(&mut self, step: &Step) {
        match step {
            Step::Put(place, id, value) => {
                let (name, kind, _) = ATTRIBUTES[*place];
                self.put(kind, *id, &[(name, value.clone())]);
            }
            Step::Forget(kind, id) => self.forget(*kind, *id),
            Step::Checkpoint => self.rebuild.write().unwrap(),
            Step::Crash => {
                self.rebuild = Rebuild::open(Arc::clone(&self.storage), LOG).unwrap();
                let applied = self.rebuild.applied();
                if applied == Seq::ZERO {
                    self.rebuild.adopt(Seq::FIRST, schema());
                }
                for (number, change) in self.folded.iter().enumerate() {
                    let seq = Seq::new(number as u64 + 2);
                    if seq > applied {
                        self.rebuild.apply(seq, change, None).unwrap();
                    }
                }
            }
        }
    }

    /// What the gate lets through: nothing that names who was forgotten.
    pub(in crate::attributes) fn put(
        &mut self,
        kind: EntityKind,
        id: u64,
        values: &[(&str, Option<AttributeValue>)],
    ) {
        let values = values.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
        let patch = accept(self.state().schema(), kind, values.collect()).unwrap();
        let change = Change::PutAttributes { kind, id: EntityId::new(id), patch };
        let forgotten = &self.state().forgotten;
        if !change.entities().any(|(kind, id)| forgotten.contains(kind, id)) {
            self.fold(change);
        }
    }

    pub(in crate::attributes) fn forget(&mut self, kind: EntityKind, id: u64) {
        let mut modes = self.state().kinds.modes();
        modes[kind.index()].get_or_insert(IdMode::Numeric);
        self.fold(Change::Forget { kind, id: EntityId::new(id), modes });
    }

    fn fold(&mut self, change: Change) {
        let seq = self.rebuild.applied().next();
        self.rebuild.apply(seq, &change, None).unwrap();
        self.folded.push(change);
    }
}

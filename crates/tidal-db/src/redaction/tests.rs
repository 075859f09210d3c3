use proptest::prelude::*;
use tidal_storage::{MemoryStorage, Storage};
use tidal_types::{
    AttributeType, AttributeValue, DecaySpec, Event, Producer, ProducerId, SchemaBuilder, Seq,
    Timestamp, Window,
};
use tidal_wal::RecordKind;

use super::*;
use crate::attributes::accept;
use crate::checksum;
use crate::kinds::IdMode;
use crate::ledger::StoredCounts;

/// A signal type on each kind.
fn schema() -> Arc<Schema> {
    let mut builder = SchemaBuilder::new();
    for (name, kind) in ["view", "greet", "follow"].into_iter().zip(EntityKind::ALL) {
        builder
            .signal(name, kind, DecaySpec::Permanent)
            .windows(&[Window::AllTime])
            .history(kind != EntityKind::Creator)
            .add();
        builder.attribute("word", kind, AttributeType::Keyword);
    }
    for (kind, linked) in LINKS {
        builder.attribute("link", kind, AttributeType::Entity(linked));
    }
    Arc::new(builder.build().unwrap())
}

/// Whom the attribute `link` of each kind names.
const LINKS: [(EntityKind, EntityKind); 3] = [
    (EntityKind::Item, EntityKind::Creator),
    (EntityKind::User, EntityKind::User),
    (EntityKind::Creator, EntityKind::Item),
];

fn empty() -> State {
    let storage: Arc<dyn Storage> = Arc::new(MemoryStorage::new());
    State::over(schema(), &storage, None, StoredCounts::default())
}

/// A record as it is in a log.
#[derive(Debug, Clone)]
struct Logged {
    seq: Seq,
    kind: RecordKind,
    payload: Vec<u8>,
    producer: Option<Producer>,
}

impl Logged {
    fn of(seq: Seq, change: &Change, producer: Option<Producer>) -> Self {
        let mut payload = Vec::new();
        let kind = record::encode(change, &mut payload);
        Self { seq, kind, payload, producer }
    }

    fn record(&self) -> LogRecord<'_> {
        LogRecord {
            seq: self.seq,
            kind: self.kind,
            log_time: Timestamp::MIN,
            key: None,
            producer: self.producer,
            payload: &self.payload,
        }
    }

    fn redacted(self, redactor: &Redactor) -> Self {
        match redactor.judge(&self.record()).unwrap() {
            Redaction::Keep => self,
            Redaction::Tombstone => {
                Self { kind: RecordKind::TOMBSTONE, payload: Vec::new(), ..self }
            }
            Redaction::Replace { kind, payload } => Self { kind, payload, ..self },
        }
    }
}

/// One thing that is written, if the gate lets it through.
#[derive(Debug, Clone)]
enum Write {
    Event { kind: usize, id: u64, actor: Option<u64>, sent: bool },
    Item(u64, Option<u8>),
    Name { kind: usize, name: u8 },
    Put { kind: usize, id: u64, word: Option<u8>, link: Option<Option<u64>> },
    Forget { kind: usize, id: u64 },
}

fn write() -> impl Strategy<Value = Write> {
    let id = 1..4_u64;
    prop_oneof![
        4 => (0..3_usize, id.clone(), prop::option::of(id.clone()), any::<bool>())
            .prop_map(|(kind, id, actor, sent)| Write::Event { kind, id, actor, sent }),
        2 => (id.clone(), any::<Option<u8>>()).prop_map(|(id, text)| Write::Item(id, text)),
        3 => (0..3_usize, 0..3_u8).prop_map(|(kind, name)| Write::Name { kind, name }),
        4 => (0..3_usize, id.clone(), any::<Option<u8>>(), prop::option::of(prop::option::of(id.clone())))
            .prop_map(|(kind, id, word, link)| Write::Put { kind, id, word, link }),
        1 => (0..3_usize, id).prop_map(|(kind, id)| Write::Forget { kind, id }),
    ]
}

/// What a database writes, and the state that it comes to.
struct Life {
    state: State,
    log: Vec<Logged>,
    sent: u64,
}

impl Life {
    fn change(&self, write: &Write) -> Change {
        let kind = |index: usize| EntityKind::ALL[index];
        match *write {
            Write::Event { kind, id, actor, .. } => {
                let signal = ["view", "greet", "follow"][kind];
                let at = Timestamp::from_secs(id);
                let event = Event {
                    actor: actor.map(EntityId::new),
                    ..Event::new(signal, EntityId::new(id), 1.5, at)
                };
                Change::Event(self.state.schema().accept(&event).unwrap())
            }
            Write::Item(id, None) => Change::DeleteItem { id: EntityId::new(id) },
            Write::Item(id, Some(text)) => {
                Change::WriteItem { id: EntityId::new(id), metadata: vec![text] }
            }
            Write::Put { kind: index, id, word, link } => {
                let word = word.map(|word| AttributeValue::Keyword(word.to_string()));
                let link = link.map(|link| link.map(EntityId::new).map(AttributeValue::Entity));
                let values = [("word".to_owned(), word)].into_iter();
                let values = values.chain(link.map(|link| ("link".to_owned(), link))).collect();
                let patch = accept(self.state.schema(), kind(index), values).unwrap();
                Change::PutAttributes { kind: kind(index), id: EntityId::new(id), patch }
            }
            Write::Name { kind: index, name } => {
                let id = EntityId::new(self.state.names.last_id(kind(index)) + 1);
                Change::AssignName { kind: kind(index), id, name: vec![b'a' + name] }
            }
            Write::Forget { kind: index, id } => {
                let mut modes = self.state.kinds.modes();
                modes[index].get_or_insert(IdMode::Numeric);
                Change::Forget { kind: kind(index), id: EntityId::new(id), modes }
            }
        }
    }

    /// What the gate refuses: names and numbers mixed, and what was forgotten.
    fn allows(&self, change: &Change) -> bool {
        let is_forget = matches!(change, Change::Forget { .. });
        let mut used = change.entities();
        if let Change::AssignName { kind, name, .. } = change {
            return self.state.kinds.mode(*kind) != Some(IdMode::Numeric)
                && self.state.names.find(*kind, name).unwrap().is_none();
        }
        used.all(|(kind, id)| {
            let has_id = self.state.kinds.mode(kind) != Some(IdMode::Named)
                || self.state.names.name(kind, id).unwrap().is_some();
            let forgotten = self.state.forgotten.contains(kind, id);
            if is_forget { has_id || forgotten } else { has_id && !forgotten }
        })
    }

    fn write(&mut self, write: &Write) {
        let change = self.change(write);
        if !self.allows(&change) {
            return;
        }
        let producer = matches!(write, Write::Event { sent: true, .. }).then(|| {
            self.sent += 1;
            Producer { id: ProducerId::from_bytes([7; 16]), epoch: 1, seq: self.sent }
        });
        let seq = Seq::new(self.log.len() as u64 + 1);
        self.state.apply(seq, &change, producer).unwrap();
        self.log.push(Logged::of(seq, &change, producer));
    }
}

fn lived(writes: &[Write]) -> Life {
    let mut life = Life { state: empty(), log: Vec::new(), sent: 0 };
    writes.iter().for_each(|write| life.write(write));
    life
}

fn replayed(log: &[Logged]) -> State {
    let state = empty();
    for logged in log {
        let change = record::decode(&logged.record(), state.schema()).unwrap();
        state.apply(logged.seq, &change, logged.producer).unwrap();
    }
    state
}

fn last_ids(state: &State) -> [u64; 3] {
    EntityKind::ALL.map(|kind| state.names.last_id(kind))
}

proptest! {
    /// G82 and N1: however much of a log was purged, as when it is cut short between two
    /// segments, replay comes to the state of before.
    #[test]
    fn a_purged_log_replays_to_the_same_state(
        writes in prop::collection::vec(write(), 1..40),
        purged: u64,
    ) {
        let life = lived(&writes);
        let redactor = Redactor::new(&life.state, Seq::new(u64::MAX));
        let is_purged = |index: usize| purged >> (index % 64) & 1 == 1;
        let log: Vec<_> = life.log.iter().cloned().enumerate()
            .map(|(index, logged)| if is_purged(index) { logged.redacted(&redactor) } else { logged })
            .collect();
        let again = replayed(&log);
        let of = |state| checksum::of(state, &MemoryStorage::new()).unwrap();
        prop_assert_eq!(of(&again), of(&life.state));
        prop_assert_eq!(last_ids(&again), last_ids(&life.state));
    }

    /// G82: nothing that names a forgotten entity is left, but that it was forgotten.
    #[test]
    fn a_purged_log_names_no_forgotten_entity(writes in prop::collection::vec(write(), 1..40)) {
        let life = lived(&writes);
        let redactor = Redactor::new(&life.state, Seq::new(u64::MAX));
        for logged in life.log {
            let logged = logged.redacted(&redactor);
            let change = record::decode(&logged.record(), life.state.schema()).unwrap();
            if matches!(change, Change::Forget { .. }) {
                continue;
            }
            for (kind, id) in change.entities() {
                prop_assert!(!life.state.forgotten.contains(kind, id), "{change:?}");
            }
        }
    }
}

/// N1: an event behind a name that is purged before it does not make the kind numeric.
#[test]
fn a_kind_keeps_its_mode_when_a_log_is_half_purged() {
    let name = Write::Name { kind: 1, name: 0 };
    let greet = Write::Event { kind: 1, id: 1, actor: None, sent: false };
    let mut life = lived(&[name, greet, Write::Forget { kind: 1, id: 1 }]);
    let redactor = Redactor::new(&life.state, Seq::new(u64::MAX));
    life.log[0] = life.log[0].clone().redacted(&redactor);
    let again = replayed(&life.log);
    assert_eq!(again.kinds.mode(EntityKind::User), Some(IdMode::Named));
    assert_eq!(last_ids(&again), [0, 1, 0]);
}

/// N2
#[test]
fn each_record_becomes_what_it_should() {
    let item = Write::Item(1, Some(7));
    let by_user = Write::Event { kind: 0, id: 1, actor: Some(2), sent: true };
    let other = Write::Event { kind: 0, id: 3, actor: Some(1), sent: false };
    let writes = [item, by_user, other, Write::Forget { kind: 1, id: 2 }];
    let life = lived(&writes);
    let judged = |life: &Life| -> Vec<_> {
        let redactor = Redactor::new(&life.state, Seq::new(u64::MAX));
        life.log.iter().map(|logged| redactor.judge(&logged.record()).unwrap()).collect()
    };
    // The event counts on; its flags and its last byte were the actor's.
    let event = &life.log[1].payload;
    let mut payload = event[..event.len() - 1].to_vec();
    payload[0] = 0;
    let replace = Redaction::Replace { kind: RecordKind(2), payload };
    assert_eq!(judged(&life), [Redaction::Keep, replace, Redaction::Keep, Redaction::Keep]);

    let mut life = life;
    life.write(&Write::Forget { kind: 0, id: 1 });
    let keep = Redaction::Keep;
    let tombstone = Redaction::Tombstone;
    assert_eq!(judged(&life), [tombstone.clone(), tombstone, keep.clone(), keep.clone(), keep]);
}

/// Of what is forgotten while a log is purged, the records stay: the one that forgets it
/// may be lost still.
#[test]
fn only_what_was_forgotten_in_time_is_purged() {
    let item = |number| Write::Item(number, Some(7));
    let forget = |id| Write::Forget { kind: 0, id };
    let life = lived(&[item(1), item(2), forget(1), forget(2)]);
    let judged = |through| -> Vec<_> {
        let redactor = Redactor::new(&life.state, Seq::new(through));
        life.log[..2].iter().map(|logged| redactor.judge(&logged.record()).unwrap()).collect()
    };
    assert_eq!(judged(2), [Redaction::Keep, Redaction::Keep]);
    assert_eq!(judged(3), [Redaction::Tombstone, Redaction::Keep]);
    assert_eq!(judged(4), [Redaction::Tombstone, Redaction::Tombstone]);
}

//! Makes records of what was drawn.

use std::time::Duration;

use tidal_types::{AttributeType, AttributeValue, EntityId, EntityKind, Timestamp};

use super::action::{From, Op, When};
use super::facts::Facts;
use super::history::{Content, Origin, Record, SentEvent};
use super::judge::TOO_FAR;
use super::schemas;
use super::world::START;

const WEIGHTS: [f64; 8] = [1.0, 1.0, 1.0, 2.5, -1.0, 0.0, 1e-3, 1e6];

/// So long, seconds, is the longest bucket of a window, and the longest week of them.
const BUCKETS_SECS: u64 = 43_200 * 7;

/// The buckets of a day, in seconds.
const DAY_BUCKET_SECS: u64 = 1440;

/// The last of these is at the end of all ids.
const ENTITIES: u8 = 11;

/// A batch in the making: what is relative is relative to what comes before it, here and
/// in the log.
pub(super) struct Resolver<'a> {
    pub(super) facts: &'a Facts,
    pub(super) now: Timestamp,
    /// Makes each metadata and each note another one.
    pub(super) counter: &'a mut u64,
    pub(super) batch: Vec<Record>,
}

impl Resolver<'_> {
    pub(super) fn add(&mut self, op: &Op) {
        let record = match *op {
            Op::Put { entity, attribute, ref values } => self.put(entity, attribute, values),
            Op::Event { signal, entity, weight, when, actor, from } => {
                let signals = self.facts.schema.map_or(1, schemas::signal_count);
                let is_known = signal != u8::MAX;
                let signal = if is_known { usize::from(signal) % signals } else { usize::MAX };
                let content = Content {
                    signal,
                    entity: self.entity(schemas::kind(signal), entity),
                    weight: WEIGHTS[usize::from(weight)],
                    time: self.time(when),
                    actor: actor.map(|actor| self.entity(EntityKind::User, actor)),
                };
                Record::Event(self.event(content, from))
            }
            Op::Write { entity, bytes } => {
                let id = self.entity(EntityKind::Item, entity);
                let mut metadata = self.text();
                metadata.resize(metadata.len() + usize::from(bytes), b'.');
                Record::WriteItem { id, metadata }
            }
            Op::Delete { entity } => {
                Record::DeleteItem { id: self.entity(EntityKind::Item, entity) }
            }
            Op::Note { producer } => Record::Note { producer, note: self.text() },
        };
        self.batch.push(record);
    }

    fn put(&self, entity: u8, attribute: u8, values: &[Option<u8>]) -> Record {
        let known = self.facts.schema.map_or(1, schemas::attribute_count);
        let is_known = attribute != u8::MAX;
        let first = if is_known { usize::from(attribute) % known } else { usize::MAX };
        let (_, kind, _) = schemas::attribute(first);
        let same = (first..known).filter(|other| schemas::attribute(*other).1 == kind);
        let numbers: Vec<usize> = if is_known { same.collect() } else { vec![first] };
        let value = |attribute, value: u8| match schemas::attribute(attribute).2 {
            AttributeType::Keyword => AttributeValue::Keyword(format!("word {value}")),
            AttributeType::Float => AttributeValue::Float(f64::from(value) / 2.0),
            AttributeType::Keywords => {
                AttributeValue::Keywords((0..value % 4 + 1).map(|word| word.to_string()).collect())
            }
            AttributeType::Entity(kind) => AttributeValue::Entity(self.entity(kind, value)),
            _ => AttributeValue::Boolean(true),
        };
        let values = values.iter().zip(numbers);
        let values = values
            .map(|(drawn, attribute)| (attribute, drawn.map(|drawn| value(attribute, drawn))));
        Record::PutAttributes { kind, id: self.entity(kind, entity), values: values.collect() }
    }

    fn text(&mut self) -> Vec<u8> {
        *self.counter += 1;
        self.counter.to_string().into_bytes()
    }

    /// Mostly one that has a name, where names are used.
    pub(super) fn entity(&self, kind: EntityKind, number: u8) -> EntityId {
        let last_id = self.facts.last_ids.get(&kind).copied().unwrap_or_default();
        match number {
            ENTITIES => EntityId::new(u64::MAX),
            _ if self.facts.is_named(kind) => EntityId::new(1 + u64::from(number) % last_id),
            _ => EntityId::new(u64::from(number)),
        }
    }

    fn time(&self, when: When) -> Timestamp {
        match when {
            When::Late(secs) => self.now.saturating_sub(Duration::from_secs(secs.into())),
            When::Tie(number) => {
                let edge = START.as_secs() / BUCKETS_SECS * BUCKETS_SECS;
                let edge = edge - u64::from(number / 3) * DAY_BUCKET_SECS;
                let before = Duration::from_nanos(u64::from(number % 3));
                Timestamp::from_secs(edge).saturating_sub(before)
            }
            When::Ahead(secs) => self.now.saturating_add(Duration::from_secs(secs.into())),
            When::TooFar => self.now.saturating_add(TOO_FAR),
        }
    }

    fn event(&self, content: Content, from: From) -> SentEvent {
        let produced = |producer, (epoch, seq)| SentEvent {
            content,
            from: Origin::Producer { producer, epoch, seq },
        };
        match from {
            From::Nothing => SentEvent { content, from: Origin::Nothing },
            From::Next { producer, skip } => {
                let (epoch, seq) = self.last(producer);
                produced(producer, (epoch, seq + 1 + u64::from(skip)))
            }
            From::Again { producer, back } => {
                let (epoch, seq) = self.last(producer);
                produced(producer, (epoch, seq.saturating_sub(back.into())))
            }
            From::NewEpoch { producer } => produced(producer, (self.last(producer).0 + 1, 0)),
            From::OldEpoch { producer } => {
                let (epoch, seq) = self.last(producer);
                produced(producer, (epoch.saturating_sub(1), seq + 1))
            }
            From::Client { key, is_other } => {
                let known = self.facts.clients.get(&key).filter(|_| !is_other);
                let content = known.map_or(content, |keyed| keyed.content);
                SentEvent { content, from: Origin::Client(key) }
            }
            From::Content { is_again } => {
                let known = self.facts.contents.last().filter(|_| is_again);
                let content = known.map_or(content, |keyed| keyed.content);
                SentEvent { content, from: Origin::Content }
            }
        }
    }

    /// The last event that a producer sent, here or before.
    fn last(&self, producer: u8) -> (u32, u64) {
        let known = self.facts.producers.get(&producer).map(|state| (state.epoch, state.seq));
        let here = self.batch.iter().filter_map(|record| match record {
            Record::Event(SentEvent {
                from: Origin::Producer { producer: of, epoch, seq },
                ..
            }) if *of == producer => Some((*epoch, *seq)),
            _ => None,
        });
        here.chain(known).max().unwrap_or((1, 0))
    }
}

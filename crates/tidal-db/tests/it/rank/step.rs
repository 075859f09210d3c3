//! What happens to a database between two questions.

use std::time::Duration;

use tidal_db::{AttributeValue, Batch, EntityId, EntityKind, Event, Timestamp};

use super::model::Told;
use super::schemas::{ATTRIBUTES, COUNTRY, CREATOR, DAY, FOLLOW, HOUR, ITEM, SIGNALS, chance, one};
use super::world::World;
use crate::life::Random;

/// Users who act.
pub(crate) const USERS: u64 = 5;

pub(crate) const LANGUAGES: [&str; 3] = ["de", "en", "fr"];
pub(crate) const TAGS: [&str; 5] = ["calm", "film", "music", "new", "sale"];
pub(crate) const PRICES: [f64; 6] = [-2.5, 0.0, 0.5, 9.99, 20.0, 1e6];

/// So many events are in a commit at most.
const COMMIT: u64 = 400;

/// The largest weight of an event, the smallest, and those that most have.
const WEIGHTS: [f64; 10] = [1.0, 1.0, 1.0, 2.0, 0.5, 0.25, -1.0, -3.0, 0.0, 1e15];

/// Something that happens; what it is exactly follows from its seed.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Step {
    /// So many events, late ones and equal ones among them.
    Events { seed: u64, count: u64 },
    /// Attributes of so many entities change.
    Attributes { seed: u64, count: u64 },
    /// An entity of any kind is forgotten.
    Forget { seed: u64 },
    /// A checkpoint is written.
    Checkpoint,
    /// Storage takes so many more commits, of events too where memory is short; then a
    /// checkpoint is tried, and the process ends.
    Interrupted { seed: u64, commits: usize },
    /// Events are sent, and the process ends without waiting for any answer.
    Crash { seed: u64 },
    /// Shut down, and opened.
    Reopen,
    /// Nothing, for a while.
    Wait { seed: u64 },
}

impl Step {
    pub(crate) fn take(self, world: &mut World) {
        match self {
            Self::Events { seed, count } => {
                for batch in events(world, &mut Random(seed | 1), count) {
                    world.db().commit(batch).unwrap();
                }
            }
            Self::Attributes { seed, count } => attributes(world, &mut Random(seed | 1), count),
            Self::Forget { seed } => forget(world, &mut Random(seed | 1)),
            Self::Checkpoint => {
                world.db().checkpoint().unwrap();
            }
            Self::Interrupted { seed, commits } => {
                world.storage_fails_after(commits);
                for batch in events(world, &mut Random(seed | 1), 20) {
                    world.db().commit(batch).unwrap();
                }
                // Unless it needs no more commits than storage takes.
                world.cut_short += u64::from(world.db().checkpoint().is_err());
                world.crash();
            }
            Self::Crash { seed } => {
                for batch in events(world, &mut Random(seed | 1), 20) {
                    drop(world.db().submit(batch).unwrap());
                }
                world.crash();
            }
            Self::Reopen => world.shut_down(),
            Self::Wait { seed } => {
                let times = [Duration::from_secs(1), HOUR, DAY, 29 * DAY, 400 * DAY];
                world.wait(one(&mut Random(seed | 1), &times));
            }
        }
    }
}

/// An entity; the lower its number, the more often.
fn entity(world: &World, random: &mut Random) -> EntityId {
    let entities = world.setting.entities;
    let end = if chance(random, 50) { entities } else { 1 + random.below(entities) };
    world.setting.entity(random.below(end))
}

/// A time up to now, often the same.
fn time(world: &World, random: &mut Random) -> Timestamp {
    let secs = match random.below(4) {
        0 => 0,
        1 => world.setting.span / 2,
        _ => random.below(world.setting.span + 1),
    };
    world.now().saturating_sub(Duration::from_secs(secs))
}

fn events(world: &mut World, random: &mut Random, count: u64) -> Vec<Batch<'static>> {
    let mut batches = Vec::new();
    for first in (0..count).step_by(COMMIT as usize) {
        let mut batch = Batch::new();
        for _ in first..count.min(first + COMMIT) {
            let signals = world.setting.schema.signal_count() as u64;
            let signal = *SIGNALS
                .get(random.below(signals) as usize)
                .filter(|name| world.setting.schema.signal(name).is_some())
                .unwrap_or(&FOLLOW);
            let kind = if signal == FOLLOW { CREATOR } else { ITEM };
            let (id, at) = (entity(world, random), time(world, random));
            let heavy = if chance(random, 95) { WEIGHTS.len() - 1 } else { WEIGHTS.len() };
            let weight = one(random, &WEIGHTS[..heavy]);
            let actor = EntityId::new(1 + random.below(USERS));
            let actor = (chance(random, 60) && !world.model.is_forgotten(EntityKind::User, actor))
                .then_some(actor);
            if world.model.is_forgotten(kind, id) {
                continue;
            }
            let event = Event::new(signal, id, weight, at);
            batch.push(actor.map_or(event, |actor| event.by(actor)));
            world.model.tell(Told { signal, kind, id, actor });
        }
        if !batch.is_empty() {
            batches.push(batch);
        }
    }
    batches
}

fn attributes(world: &mut World, random: &mut Random, count: u64) {
    let mut batch = Batch::new();
    for _ in 0..count {
        let id = entity(world, random);
        let kind = if chance(random, 85) { ITEM } else { CREATOR };
        if world.model.is_forgotten(kind, id) {
            continue;
        }
        let mut patch = Vec::new();
        if kind == CREATOR {
            let country = AttributeValue::Keyword(one(random, &LANGUAGES).into());
            patch.push((COUNTRY, Some(country).filter(|_| chance(random, 80))));
        } else {
            // Now and then nothing is left.
            let is_cleared = chance(random, 8);
            for (name, _) in ATTRIBUTES {
                if is_cleared {
                    patch.push((name, None));
                } else if chance(random, 50) {
                    patch.push((name, value(world, random, name)));
                }
            }
        }
        if patch.is_empty() {
            continue;
        }
        batch = batch.put_attributes(kind, id, patch.clone());
        world.model.put(kind, id, patch);
    }
    if !batch.is_empty() {
        world.db().commit(batch).unwrap();
    }
}

/// A value of an attribute of items; `None` one time in ten.
fn value(world: &World, random: &mut Random, name: &str) -> Option<AttributeValue> {
    if chance(random, 10) {
        return None;
    }
    Some(match name {
        "language" => AttributeValue::Keyword(one(random, &LANGUAGES).into()),
        "tags" => {
            let tags = TAGS.into_iter().filter(|_| chance(random, 30)).map(str::to_owned);
            let tags: Vec<String> = tags.collect();
            return (!tags.is_empty()).then_some(AttributeValue::Keywords(tags));
        }
        "price" => AttributeValue::Float(one(random, &PRICES)),
        "stock" => AttributeValue::Integer(random.below(9).cast_signed() - 2),
        "sold" => AttributeValue::Boolean(chance(random, 50)),
        "posted" => {
            // Some are still to come.
            let ahead = world.now().saturating_add(Duration::from_secs(600));
            let secs = random.below(world.setting.span + 1200);
            AttributeValue::Timestamp(ahead.saturating_sub(Duration::from_secs(secs)))
        }
        _ => {
            let creator = world.setting.entity(random.below(world.setting.entities.min(7)));
            if world.model.is_forgotten(CREATOR, creator) {
                return None;
            }
            AttributeValue::Entity(creator)
        }
    })
}

fn forget(world: &mut World, random: &mut Random) {
    let (kind, id) = match random.below(10) {
        0 => (EntityKind::User, EntityId::new(1 + random.below(USERS))),
        1 | 2 => (CREATOR, world.setting.entity(random.below(world.setting.entities.min(7)))),
        _ => (ITEM, entity(world, random)),
    };
    world.db().forget(kind, id).unwrap();
    world.model.forget(kind, id);
}

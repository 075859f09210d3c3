//! In what two states differ, in bounded memory.
//!
//! Every entry of a state (a cell, a name, the metadata of an item, the attributes of an entity) falls into one of a
//! fixed number of buckets by its key, and each bucket has a digest of its entries. Only
//! the entries of buckets that differ are then held and compared, and only so many.
//!
//! D1. Unique actors are compared as long as no user was ever forgotten: a log that was
//!     purged of one tells of fewer of them than the state that was folded before.

use std::collections::BTreeMap;
use std::fmt;

use tidal_types::{EntityId, EntityKind, ProducerId, Schema, SignalTypeId};

use crate::Result;
use crate::checksum;
use crate::history;
use crate::kinds::IdMode;
use crate::rebuild::Rebuild;
use crate::record::{encode_schema, kind_byte, kind_of};

/// How many buckets there are: a power of two.
const BUCKETS: usize = 1 << 16;

/// Of how many entries the bytes are held at most, but for one bucket.
const ENTRIES_HELD_MAX: u64 = 200_000;

/// How much of a value is shown.
const SHOWN_BYTES_MAX: usize = 60;

/// What two states differ in.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Differences {
    /// The first ones, by kind of entry and then by id.
    pub first: Vec<Difference>,
    /// How many there are; at least so many when not all could be counted.
    pub count: u64,
    /// Whether all were counted.
    pub is_exact: bool,
}

/// One entry that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The entry.
    pub what: Differing,
    /// What it is by the log; `None` when the log does not know it.
    pub recomputed: Option<String>,
    /// What is stored; `None` when nothing is.
    pub stored: Option<String>,
}

/// An entry of the state.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Differing {
    /// The schema.
    Schema,
    /// Whether the entities of a kind have names.
    IdMode(EntityKind),
    /// The name of an entity.
    Name(EntityKind, EntityId),
    /// The cell of a signal type and an entity.
    Cell(String, EntityId),
    /// The metadata of an item.
    Metadata(EntityId),
    /// The attributes of an entity.
    Attributes(EntityKind, EntityId),
    /// What is known of a producer.
    Producer(ProducerId),
    /// The unique actors of a signal type and an entity.
    UniqueActors(String, EntityId),
    /// What a user did by a signal type.
    History(String, EntityId),
}

impl fmt::Display for Differing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Schema => f.write_str("schema"),
            Self::IdMode(kind) => write!(f, "id mode of {kind}"),
            Self::Name(kind, id) => write!(f, "name of {kind} {id}"),
            Self::Cell(signal, id) => write!(f, "cell {signal} of {id}"),
            Self::Metadata(id) => write!(f, "metadata of {id}"),
            Self::Attributes(kind, id) => write!(f, "attributes of {kind} {id}"),
            Self::Producer(id) => write!(f, "producer {id}"),
            Self::UniqueActors(signal, id) => write!(f, "unique actors {signal} of {id}"),
            Self::History(signal, user) => write!(f, "history {signal} of user {user}"),
        }
    }
}

/// An entry by its part and two numbers.
type Key = (u8, u64, u64);

const SCHEMA: u8 = 0;
const ID_MODE: u8 = 1;
const NAME: u8 = 2;
const CELL: u8 = 3;
const METADATA: u8 = 4;
const PRODUCER: u8 = 5;
const ATTRIBUTES: u8 = 6;
const UNIQUES: u8 = 7;
const HISTORY: u8 = 8;

/// Whether a state that was made again has the unique actors that are stored, where they
/// can be compared (D1).
pub(super) fn same_uniques(recomputed: &Rebuild, stored: &Rebuild) -> Result<bool> {
    if !has_uniques(recomputed, stored) {
        return Ok(true);
    }
    let mut digests = [Bucket::default(); 2];
    for (digest, rebuild) in digests.iter_mut().zip([recomputed, stored]) {
        each_unique(rebuild, &mut |key, bytes| digest.add(key, bytes))?;
    }
    let [ours, theirs] = digests;
    Ok(ours == theirs)
}

/// D1.
fn has_uniques(recomputed: &Rebuild, stored: &Rebuild) -> bool {
    let forgotten = [recomputed, stored].map(|rebuild| rebuild.state().forgotten.sorted());
    !forgotten.iter().flatten().any(|(kind, _)| *kind == EntityKind::User)
}

/// In what a state that was made again differs from the one that is stored.
pub(super) fn between(
    recomputed: &Rebuild,
    stored: &Rebuild,
    first_max: usize,
) -> Result<Differences> {
    let uniques = has_uniques(recomputed, stored);
    let (ours, theirs) = (Buckets::of(recomputed, uniques)?, Buckets::of(stored, uniques)?);
    let mut chosen = vec![false; BUCKETS];
    let (mut held, mut is_exact) = (0, true);
    let pairs = ours.0.iter().zip(&theirs.0).zip(&mut chosen);
    for ((our, their), is_chosen) in pairs.filter(|((our, their), _)| our != their) {
        let entries = our.entries + their.entries;
        if held > 0 && held + entries > ENTRIES_HELD_MAX {
            is_exact = false;
            continue;
        }
        held += entries;
        *is_chosen = true;
    }
    let hold = |rebuild| hold(rebuild, uniques, &chosen);
    let (ours, theirs) = (hold(recomputed)?, hold(stored)?);
    let missing = theirs.keys().filter(|key| !ours.contains_key(*key));
    let changed = ours.iter().filter(|(key, bytes)| theirs.get(*key) != Some(*bytes));
    let mut keys: Vec<Key> = changed.map(|(key, _)| *key).chain(missing.copied()).collect();
    keys.sort_unstable();
    let difference = |key: &Key| {
        Ok(Difference {
            what: name_of(*key, recomputed.state().schema(), stored.state().schema()),
            recomputed: ours.get(key).map(|bytes| shown(recomputed, *key, bytes)).transpose()?,
            stored: theirs.get(key).map(|bytes| shown(stored, *key, bytes)).transpose()?,
        })
    };
    let first = keys.iter().take(first_max).map(difference).collect::<Result<_>>()?;
    Ok(Differences { first, count: keys.len() as u64, is_exact })
}

/// The digest of some entries, in any order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Bucket {
    sum: u128,
    entries: u64,
}

impl Bucket {
    fn add(&mut self, key: Key, bytes: &[u8]) {
        let mut hasher = blake3::Hasher::new();
        for number in [u64::from(key.0), key.1, key.2] {
            hasher.update(&number.to_le_bytes());
        }
        hasher.update(bytes);
        let mut digest = [0; 16];
        hasher.finalize_xof().fill(&mut digest);
        self.sum = self.sum.wrapping_add(u128::from_le_bytes(digest));
        self.entries += 1;
    }
}

struct Buckets(Vec<Bucket>);

impl Buckets {
    fn of(rebuild: &Rebuild, uniques: bool) -> Result<Self> {
        let mut buckets = vec![Bucket::default(); BUCKETS];
        each(rebuild, uniques, &mut |key, bytes| {
            if let Some(bucket) = buckets.get_mut(bucket_of(key)) {
                bucket.add(key, bytes);
            }
        })?;
        Ok(Self(buckets))
    }
}

/// A multiplicative hash spreads ids that follow each other.
fn bucket_of((part, a, b): Key) -> usize {
    let mixed = [u64::from(part), a, b].into_iter().fold(0_u64, |hash, number| {
        (hash.rotate_left(23) ^ number).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    });
    (mixed >> 48) as usize % BUCKETS
}

/// The entries of the chosen buckets.
fn hold(rebuild: &Rebuild, uniques: bool, chosen: &[bool]) -> Result<BTreeMap<Key, Vec<u8>>> {
    let mut held = BTreeMap::new();
    each(rebuild, uniques, &mut |key, bytes| {
        if chosen.get(bucket_of(key)).is_some_and(|chosen| *chosen) {
            held.insert(key, bytes.to_vec());
        }
    })?;
    Ok(held)
}

/// Shows every entry that the checksum covers, each once, and the unique actors.
fn each(rebuild: &Rebuild, uniques: bool, show: &mut dyn FnMut(Key, &[u8])) -> Result<()> {
    let state = rebuild.state();
    let mut bytes = Vec::new();
    encode_schema(state.schema(), &mut bytes);
    show((SCHEMA, 0, 0), &bytes);
    for kind in EntityKind::ALL {
        let number = u64::from(kind_byte(kind));
        show((ID_MODE, number, 0), &[IdMode::to_byte(state.kinds.mode(kind))]);
        checksum::names(state, rebuild.storage(), kind, &mut |id, name| {
            show((NAME, number, id.get()), name);
        })?;
    }
    state.ledger.for_each_sorted(|signal, id, cell| {
        bytes.clear();
        cell.encode_canonical(&mut bytes);
        show((CELL, u64::from(signal.get()), id.get()), &bytes);
    })?;
    checksum::metadata(state, rebuild.storage(), &mut |id, metadata| {
        show((METADATA, id.get(), 0), metadata);
    })?;
    for kind in EntityKind::ALL {
        state.attributes.for_each(kind, &mut |id, row| {
            show((ATTRIBUTES, u64::from(kind_byte(kind)), id.get()), &row.encode());
        })?;
    }
    for (id, producer) in state.producers().sorted() {
        bytes.clear();
        bytes.extend_from_slice(&producer.epoch.to_le_bytes());
        bytes.extend_from_slice(&producer.seq.to_le_bytes());
        bytes.extend_from_slice(&producer.note);
        let id = u128::from_le_bytes(id.to_bytes());
        show((PRODUCER, (id >> 64) as u64, id as u64), &bytes);
    }
    history::each(state, rebuild.storage(), &mut |(user, signal), bytes| {
        show((HISTORY, u64::from(signal.get()), user.get()), bytes);
    })?;
    if uniques { each_unique(rebuild, show) } else { Ok(()) }
}

fn each_unique(rebuild: &Rebuild, show: &mut dyn FnMut(Key, &[u8])) -> Result<()> {
    rebuild.state().uniques.for_each(rebuild.storage(), &mut |key, bytes| {
        show((UNIQUES, u64::from(key.signal.get()), key.id.get()), bytes);
    })
}

fn name_of((part, a, b): Key, recomputed: &Schema, stored: &Schema) -> Differing {
    match part {
        ID_MODE => Differing::IdMode(name_kind(a)),
        NAME => Differing::Name(name_kind(a), EntityId::new(b)),
        CELL => Differing::Cell(name_of_signal(a, recomputed, stored), EntityId::new(b)),
        UNIQUES => Differing::UniqueActors(name_of_signal(a, recomputed, stored), EntityId::new(b)),
        HISTORY => Differing::History(name_of_signal(a, recomputed, stored), EntityId::new(b)),
        METADATA => Differing::Metadata(EntityId::new(a)),
        ATTRIBUTES => Differing::Attributes(name_kind(a), EntityId::new(b)),
        PRODUCER => {
            let id = u128::from(a) << 64 | u128::from(b);
            Differing::Producer(ProducerId::from_bytes(id.to_le_bytes()))
        }
        _ => Differing::Schema,
    }
}

fn name_of_signal(number: u64, recomputed: &Schema, stored: &Schema) -> String {
    let id = signal_id(number);
    let signal = recomputed.signal_by_id(id).or_else(|| stored.signal_by_id(id));
    signal.map_or_else(|| id.to_string(), |signal| signal.name().to_owned())
}

fn signal_id(number: u64) -> SignalTypeId {
    SignalTypeId::new(u16::try_from(number).unwrap_or(u16::MAX))
}

/// A value for a person: what can be said of it, and the digest of its bytes, which
/// tells apart what looks the same.
fn shown(rebuild: &Rebuild, (part, a, b): Key, bytes: &[u8]) -> Result<String> {
    let state = rebuild.state();
    let digest = blake3::hash(bytes).to_hex();
    let digest: String = digest.chars().take(8).collect();
    let text = match part {
        ID_MODE => match state.kinds.mode(name_kind(a)) {
            None => "undecided".into(),
            Some(IdMode::Numeric) => "numeric".into(),
            Some(IdMode::Named) => "named".into(),
        },
        CELL => match (state.schema().signal_by_id(signal_id(a)), state.ledger.newest_event()) {
            (Some(signal), Some(at)) => {
                format!("score {} at {at}", state.ledger.score(signal, EntityId::new(b), at)?)
            }
            _ => String::new(),
        },
        UNIQUES => match (state.schema().signal_by_id(signal_id(a)), state.ledger.newest_event()) {
            (Some(signal), Some(at)) => {
                let counted = signal.windows().iter().map(|&window| {
                    let actors = state.uniques.count(signal.id(), EntityId::new(b), window, at)?;
                    Ok(format!("{actors} in {window}"))
                });
                let counted: Vec<String> = counted.collect::<Result<_>>()?;
                format!("{} at {at}", counted.join(", "))
            }
            _ => String::new(),
        },
        NAME | METADATA => {
            let start = bytes.get(..SHOWN_BYTES_MAX).unwrap_or(bytes);
            format!("{:?}", String::from_utf8_lossy(start))
        }
        ATTRIBUTES => format!("{:?}", state.attributes.get(name_kind(a), EntityId::new(b))?),
        HISTORY => {
            let count = bytes.first_chunk().map(|count| u64::from_le_bytes(*count));
            format!("{} entities", count.unwrap_or_default())
        }
        SCHEMA => format!("{} signal types", state.schema().signal_count()),
        _ => format!("{} bytes", bytes.len()),
    };
    Ok(format!("{text} (digest {digest})"))
}

fn name_kind(number: u64) -> EntityKind {
    u8::try_from(number).ok().and_then(kind_of).unwrap_or(EntityKind::Item)
}

//! One attribute of all entities of a kind: the entities of each value, and the values of
//! each entity.
//!
//! K2. A value is a code of 64 bits: of a number or a time one that has its order, of an
//!     entity its id, of a boolean 0 or 1, of a keyword a number that it got here. A
//!     keyword that no entity has any more gives its number up; it is never used again.

use std::collections::{BTreeMap, HashMap};
use std::ops::RangeBounds;
use std::sync::Arc;

use roaring::RoaringTreemap;
use tidal_types::{EntityId, EntityKind};

use super::codes::{Scale, code_of_float, code_of_integer, code_of_time};
use super::ids::{Ids, union};
use crate::attributes::Value;
use crate::id_hash::ByIdHash;

/// One attribute of all entities of a kind.
#[derive(Debug)]
pub(in crate::attributes) struct Column {
    coding: Coding,
    by_code: BTreeMap<u64, Ids>,
    codes: HashMap<EntityId, Codes, ByIdHash>,
    /// The entities that have it.
    having: RoaringTreemap,
}

/// What codes stand for.
#[derive(Debug)]
enum Coding {
    Numbers(Scale),
    Entities(EntityKind),
    Words(Words),
}

/// The keywords of an attribute and their numbers.
#[derive(Debug, Default)]
struct Words {
    numbers: HashMap<Arc<str>, u64>,
    words: HashMap<u64, Arc<str>>,
    next: u64,
}

/// The codes of one entity, ascending.
#[derive(Debug, PartialEq)]
enum Codes {
    One(u64),
    Many(Box<[u64]>),
}

impl Codes {
    fn as_slice(&self) -> &[u64] {
        match self {
            Self::One(code) => std::slice::from_ref(code),
            Self::Many(codes) => codes,
        }
    }
}

impl Column {
    /// A column for values like this one.
    pub(super) fn of(value: &Value) -> Self {
        let coding = match value {
            Value::Integer(_) => Coding::Numbers(Scale::Integer),
            Value::Float(_) => Coding::Numbers(Scale::Float),
            Value::Timestamp(_) => Coding::Numbers(Scale::Time),
            Value::Boolean(_) => Coding::Numbers(Scale::Boolean),
            Value::Entity(kind, _) => Coding::Entities(*kind),
            Value::Keyword(_) | Value::Keywords(_) => Coding::Words(Words::default()),
        };
        let (by_code, codes, having) = Default::default();
        Self { coding, by_code, codes, having }
    }

    /// Takes up the value that an entity has from now on.
    pub(super) fn put(&mut self, id: EntityId, value: Option<&Value>) {
        let new = value.map(|value| self.code(value));
        let old = match &new {
            Some(new) if self.codes.get(&id) == Some(new) => return,
            _ => self.codes.remove(&id),
        };
        for code in new.iter().flat_map(Codes::as_slice) {
            self.by_code.entry(*code).or_default().insert(id);
        }
        let kept = |code: &u64| new.as_ref().is_some_and(|new| new.as_slice().contains(code));
        for code in old.iter().flat_map(Codes::as_slice).filter(|code| !kept(code)) {
            self.take_out(*code, id);
        }
        match new {
            Some(new) => {
                self.codes.insert(id, new);
                self.having.insert(id.get());
            }
            None => {
                self.having.remove(id.get());
            }
        }
    }

    fn take_out(&mut self, code: u64, id: EntityId) {
        let Some(ids) = self.by_code.get_mut(&code) else {
            return;
        };
        ids.remove(id);
        if ids.is_empty() {
            self.by_code.remove(&code);
            if let Coding::Words(words) = &mut self.coding
                && let Some(word) = words.words.remove(&code)
            {
                words.numbers.remove(&word);
            }
        }
    }

    /// Takes out the value that names an entity, and returns who had it.
    pub(super) fn forgot(&mut self, kind: EntityKind, id: EntityId) -> RoaringTreemap {
        let names_it = matches!(self.coding, Coding::Entities(named) if named == kind);
        let Some(ids) = names_it.then(|| self.by_code.remove(&id.get())).flatten() else {
            return RoaringTreemap::new();
        };
        for id in ids.iter() {
            self.codes.remove(&id);
            self.having.remove(id.get());
        }
        union([&ids].into_iter())
    }

    fn code(&mut self, value: &Value) -> Codes {
        match value {
            Value::Keywords(words) => {
                let mut codes: Box<[u64]> = words.iter().map(|word| self.number(word)).collect();
                codes.sort_unstable();
                Codes::Many(codes)
            }
            Value::Keyword(word) => Codes::One(self.number(word)),
            Value::Integer(number) => Codes::One(code_of_integer(*number)),
            Value::Float(number) => Codes::One(code_of_float(*number)),
            Value::Boolean(boolean) => Codes::One(u64::from(*boolean)),
            Value::Timestamp(time) => Codes::One(code_of_time(*time)),
            Value::Entity(_, id) => Codes::One(id.get()),
        }
    }

    /// The number of a keyword, which gets one if it has none.
    fn number(&mut self, word: &str) -> u64 {
        let Coding::Words(words) = &mut self.coding else {
            return 0;
        };
        if let Some(number) = words.numbers.get(word) {
            return *number;
        }
        let (number, word) = (words.next, Arc::<str>::from(word));
        words.next += 1;
        words.numbers.insert(Arc::clone(&word), number);
        words.words.insert(number, word);
        number
    }

    /// The entities that have the attribute.
    pub(in crate::attributes) const fn having(&self) -> &RoaringTreemap {
        &self.having
    }

    /// The entities with a code in this range.
    pub(in crate::attributes) fn within(&self, range: impl RangeBounds<u64>) -> RoaringTreemap {
        union(self.by_code.range(range).map(|(_, ids)| ids))
    }

    /// How many entities have a code in this range, or `max` if it is more; it looks at no
    /// more values than that.
    pub(in crate::attributes) fn count_within(
        &self,
        range: impl RangeBounds<u64>,
        max: u64,
    ) -> u64 {
        let mut count = 0;
        for ids in self.by_code.range(range).map(|(_, ids)| ids) {
            count += ids.len();
            if count >= max {
                return max;
            }
        }
        count
    }

    /// How many entities have one of these codes.
    pub(in crate::attributes) fn count_with_any(&self, codes: impl Iterator<Item = u64>) -> u64 {
        codes.filter_map(|code| self.by_code.get(&code)).map(Ids::len).sum()
    }

    /// The entities with one of these codes.
    pub(in crate::attributes) fn with_any(
        &self,
        codes: impl Iterator<Item = u64>,
    ) -> RoaringTreemap {
        union(codes.filter_map(|code| self.by_code.get(&code)))
    }

    /// The code of a keyword that some entity has.
    pub(in crate::attributes) fn code_of_word(&self, word: &str) -> Option<u64> {
        match &self.coding {
            Coding::Words(words) => words.numbers.get(word).copied(),
            _ => None,
        }
    }

    /// The codes of an entity, ascending.
    pub(in crate::attributes) fn codes(&self, id: EntityId) -> &[u64] {
        self.codes.get(&id).map_or(&[], Codes::as_slice)
    }

    /// The value of an entity, where it is a number.
    pub(in crate::attributes) fn number_of(&self, id: EntityId) -> Option<f64> {
        let Coding::Numbers(scale) = self.coding else {
            return None;
        };
        self.codes(id).first().map(|code| scale.number(*code))
    }

    /// The numbers and their entities, ascending; none where values are no numbers.
    pub(in crate::attributes) fn by_number(&self) -> impl DoubleEndedIterator<Item = (f64, &Ids)> {
        let scale = match self.coding {
            Coding::Numbers(scale) => Some(scale),
            _ => None,
        };
        scale.into_iter().flat_map(|scale| {
            self.by_code.iter().map(move |(code, ids)| (scale.number(*code), ids))
        })
    }

    /// About how much memory it takes, in bytes.
    pub(super) fn memory_bytes(&self) -> u64 {
        // An entry of a hash table or of a tree, with the room that is free beside it.
        const PER_ENTITY: u64 = 36;
        const PER_CODE: u64 = 60;
        const PER_WORD: u64 = 90;
        let words: u64 = match &self.coding {
            Coding::Words(words) => {
                words.numbers.keys().map(|word| PER_WORD + word.len() as u64).sum()
            }
            _ => 0,
        };
        let many = self.codes.values().map(|codes| match codes {
            Codes::One(_) => 0,
            Codes::Many(codes) => size_of_val(&**codes) as u64,
        });
        let ids: u64 = self.by_code.values().map(|ids| PER_CODE + ids.heap_bytes()).sum();
        let having = self.having.serialized_size() as u64;
        words + self.codes.len() as u64 * PER_ENTITY + many.sum::<u64>() + ids + having
    }
}

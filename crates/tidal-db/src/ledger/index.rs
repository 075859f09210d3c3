//! The indexes of one signal type: for each measure that a query has asked for, the
//! entities at both ends of its order.
//!
//! They are derived from the cells, made by the first query that needs them and never
//! written, so a crash cannot leave them wrong.
//!
//! J1. What was folded before a query takes hold is in what it holds. The fold notes the
//!     entities that it concerns while it has their shard, and a query begins by reading
//!     the cells of those that are noted.
//! J2. The bound of an entity in a list holds from the newest event on. An entity that is
//!     not in a list has a bound behind the list's floor, or is noted.
//! J3. A list is as of its newest catching up, and a read is never of an earlier time: it
//!     moves on to it, as reads of cells do.
//! J4. The fold takes none of these locks but, for an instant, that of the notes of a
//!     shard. An index is locked before a shard, never behind one, and several indexes in
//!     the order of their signal types. Whoever holds one must not ask for it again.
//! J5. Memory is bounded: entries by list, notes by shard, and while a list is made by
//!     entity (F3). Where notes overflow, the lists are dropped, and made again by the next
//!     query.

mod build;
mod ends;
mod held;
mod list;
mod ordered;
mod tracking;

use std::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};

use roaring::RoaringTreemap;
use tidal_types::Timestamp;

pub(crate) use self::ends::Ends;
pub(crate) use self::held::Held;
pub(super) use self::list::List;
pub(super) use self::ordered::End;

use self::tracking::Tracking;
use super::measure::{MEASURES, What};

/// How much the indexes may keep.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Entries of a list, at each end.
    pub(super) entries: usize,
    /// Entities that are noted, by shard and signal type.
    pub(super) notes: usize,
}

impl Limits {
    pub(super) const DEFAULT: Self = Self { entries: 65_536, notes: 4096 };
}

/// The indexes of one signal type.
#[derive(Debug)]
pub(super) struct Index {
    /// What the fold sees of them.
    tracking: Tracking,
    lists: RwLock<Lists>,
}

/// All that is locked together.
#[derive(Debug, Default)]
pub(super) struct Lists {
    by_measure: [Option<Box<List>>; MEASURES],
    /// For each measure, how many shortfalls the last list stood that was worn.
    patience: [u32; MEASURES],
    /// The entities that have a cell, if there is any list.
    members: RoaringTreemap,
    /// The newest event when they were made or caught up last.
    as_of: Timestamp,
}

impl Index {
    pub(super) fn new(limits: Limits) -> Self {
        Self { tracking: Tracking::new(limits.notes), lists: RwLock::default() }
    }

    pub(super) const fn tracking(&self) -> &Tracking {
        &self.tracking
    }

    /// How many lists there are, and how many bytes all of it takes, about.
    pub(super) fn size(&self) -> (u64, u64) {
        let lists = self.read();
        let all = lists.by_measure.iter().flatten();
        let bytes: usize = all.clone().map(|list| list.bytes()).sum();
        let members = lists.members.serialized_size();
        (all.count() as u64, (bytes + members + self.tracking.bytes()) as u64)
    }

    fn read(&self) -> RwLockReadGuard<'_, Lists> {
        self.lists.read().expect(UNPOISONED)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Lists> {
        self.lists.write().expect(UNPOISONED)
    }
}

const UNPOISONED: &str = "no thread panics while it changes an index";

impl Lists {
    /// The list of a measure that was asked for when this was locked.
    pub(super) fn list(&self, what: What) -> &List {
        self.get(what).expect("what is held is what was asked for")
    }

    fn get(&self, what: What) -> Option<&List> {
        self.by_measure.get(what.number())?.as_deref()
    }

    pub(super) const fn members(&self) -> &RoaringTreemap {
        &self.members
    }

    /// The newest event that they know of.
    pub(super) const fn as_of(&self) -> Timestamp {
        self.as_of
    }
}

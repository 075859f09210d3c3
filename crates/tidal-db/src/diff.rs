//! How a ranking moved between two databases.
//!
//! Kendall's tau (M. G. Kendall 1938, "A new measure of rank correlation") over the
//! entities that are among the first in both: of all pairs of them, the share that has
//! the same order in both, less the share that has the opposite one. It is 1 when they
//! have the same order and -1 when it is turned around.

use std::collections::HashMap;

use tidal_types::{EntityId, EntityKind, TidalError, Timestamp};

use crate::kinds::IdMode;
use crate::ledger::By;
use crate::{Ranked, Result, TidalDB};

/// How the first of a ranking moved from one database, A, to another, B.
#[derive(Debug, Clone, PartialEq)]
pub struct RankingDiff {
    /// The time at which both were read.
    pub at: Timestamp,
    /// Those that are among the first in A, by their rank there, and then those that are
    /// among the first in B only, by theirs.
    pub moved: Vec<Moved>,
    /// How many are among the first in both.
    pub in_both: usize,
    /// How many are in A only: they left.
    pub left: usize,
    /// How many are in B only: they entered.
    pub entered: usize,
    /// The mean, over those in both, of how many ranks they moved, up or down; 0 when
    /// there are none.
    pub mean_move: f64,
    /// Kendall's tau over those in both, from -1 to 1; `None` for fewer than two.
    pub kendall_tau: Option<f64>,
}

/// One entity, and where it is.
#[derive(Debug, Clone, PartialEq)]
pub struct Moved {
    /// Its name, where the entities of its kind have names.
    pub name: Option<Vec<u8>>,
    /// Its place in A; `None` when it is not among the first there.
    pub a: Option<Ranked>,
    /// Its place in B.
    pub b: Option<Ranked>,
}

impl Moved {
    /// How many ranks it rose from A to B, negative when it fell; `None` when it is not
    /// among the first in both.
    #[must_use]
    pub fn rise(&self) -> Option<i64> {
        let rank = |ranked: Option<&Ranked>| i64::try_from(ranked?.rank).ok();
        Some(rank(self.a.as_ref())? - rank(self.b.as_ref())?)
    }
}

/// Compares the first `limit` of a ranking in two databases, each read at `at`, or at
/// the newest event of both. Entities are the same when they have the same name, or,
/// where entities of the kind have no names, the same id.
///
/// # Errors
/// [`KindIsNumeric`](TidalError::KindIsNumeric) when the kind has names in one of them
/// only; those of [`TidalDB::top_at`].
pub fn diff(
    a: &TidalDB,
    b: &TidalDB,
    signal: &str,
    by: By,
    limit: usize,
    at: Option<Timestamp>,
) -> Result<RankingDiff> {
    let kind = a.schema().require(signal)?.kind();
    let newest = a.newest_event().max(b.newest_event());
    let at = at.or(newest).unwrap_or_default();
    let has_names = has_names(a, b, kind)?;
    let mut moved = Vec::new();
    let mut places: HashMap<Key, usize> = HashMap::new();
    for ranked in a.top_at(signal, by, limit, at)? {
        let (key, name) = key(a, kind, ranked.id, has_names)?;
        places.insert(key, moved.len());
        moved.push(Moved { name, a: Some(ranked), b: None });
    }
    for ranked in b.top_at(signal, by, limit, at)? {
        let (key, name) = key(b, kind, ranked.id, has_names)?;
        match places.get(&key).and_then(|&place| moved.get_mut(place)) {
            Some(known) => known.b = Some(ranked),
            None => moved.push(Moved { name, a: None, b: Some(ranked) }),
        }
    }
    Ok(summary(at, moved))
}

/// What an entity is known by in both databases.
#[derive(PartialEq, Eq, Hash)]
enum Key {
    Name(Vec<u8>),
    Id(EntityId),
}

fn key(
    db: &TidalDB,
    kind: EntityKind,
    id: EntityId,
    has_names: bool,
) -> Result<(Key, Option<Vec<u8>>)> {
    let name = if has_names { db.entity_name(kind, id)? } else { None };
    let key = name.clone().map_or(Key::Id(id), Key::Name);
    Ok((key, name))
}

fn has_names(a: &TidalDB, b: &TidalDB, kind: EntityKind) -> Result<bool> {
    match (a.id_mode(kind), b.id_mode(kind)) {
        (Some(a), Some(b)) if a != b => Err(TidalError::KindIsNumeric { kind }),
        (a, b) => Ok(a.or(b) == Some(IdMode::Named)),
    }
}

fn summary(at: Timestamp, moved: Vec<Moved>) -> RankingDiff {
    let rises: Vec<i64> = moved.iter().filter_map(Moved::rise).collect();
    let in_both = rises.len();
    let left = moved.iter().filter(|moved| moved.b.is_none()).count();
    let entered = moved.len() - in_both - left;
    let total: u64 = rises.iter().map(|rise| rise.unsigned_abs()).sum();
    let mean_move = if in_both == 0 { 0.0 } else { total as f64 / in_both as f64 };
    let ranks = moved.iter().filter(|moved| moved.a.is_some());
    let ranks: Vec<usize> = ranks.filter_map(|moved| Some(moved.b.as_ref()?.rank)).collect();
    RankingDiff { at, in_both, left, entered, mean_move, kendall_tau: kendall_tau(&ranks), moved }
}

/// Kendall's tau of ranks that are listed in the order of the other ranking. No two are
/// the same.
fn kendall_tau(ranks: &[usize]) -> Option<f64> {
    let pairs = ranks.len() * ranks.len().saturating_sub(1) / 2;
    let mut before: Vec<usize> = Vec::with_capacity(ranks.len());
    let mut inversions = 0;
    for &rank in ranks {
        let place = before.partition_point(|&other| other < rank);
        inversions += before.len() - place;
        before.insert(place, rank);
    }
    (pairs > 0).then(|| 1.0 - 2.0 * inversions as f64 / pairs as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tau_is_the_share_of_pairs_in_order_less_that_of_pairs_out_of_order() {
        for (ranks, expected) in [
            (&[][..], None),
            (&[4], None),
            (&[1, 2, 3, 9], Some(1.0)),
            (&[9, 3, 2, 1], Some(-1.0)),
            (&[2, 1, 3], Some(1.0 / 3.0)),
            (&[1, 3, 4, 2], Some(2.0 / 6.0)),
        ] {
            let tau = kendall_tau(ranks);
            let close = match (tau, expected) {
                (Some(tau), Some(expected)) => (tau - expected).abs() < 1e-12,
                (tau, expected) => tau == expected,
            };
            assert!(close, "{ranks:?}: {tau:?}");
        }
    }
}

//! The threshold algorithm (Fagin, Lotem and Naor, "Optimal aggregation algorithms for
//! middleware", 2003), for any expression of leaves that have lists.
//!
//! Lists are walked from their ends. Whoever is met is evaluated at once. Of all who were
//! not, each leaf is between the bounds of its lists (E2), so their values are in the
//! bounds of the expression over these. When nothing with the largest of them can enter
//! the page, the page is exact.
//!
//! T1. Which list is walked next decides how soon that is, and never what is answered.
//! T2. Where lists cannot tell, since they have ended or everything is equal, the rest is
//!     passed through by id, as far as one with the highest value that is still possible
//!     would enter the page. So of a thousand equal ones the first few are looked at.

use super::super::evaluate::Stack;
use super::super::interval::Interval;
use super::super::page::Method;
use super::{End, Finder, List, Source};
use crate::Result;
use crate::ledger::RankKey;
use tidal_types::EntityId;

/// So many entities are evaluated before the bound is computed again,
const STRIDE: u64 = 4;

/// or so many entries of a list are looked at.
const STRIDE_LOOKS: usize = 64;

/// As many turns of others make a list due, whatever its last turn brought.
const PATIENCE: u64 = 16;

/// Lists are given up for passing by id when so large a share of all entities has been
/// looked at in them.
const SHARE: u64 = 4;

/// So many turns may end with nothing left but ties.
const TIED_TURNS: u32 = 8;

/// Walks the lists until the page is exact.
pub(super) fn run<S: Source>(finder: &mut Finder<'_, S>) -> Result<Method> {
    let source = finder.source;
    let mut walks = Walks::new(source, finder.wanted.leaves);
    let budget = source.population() / SHARE + (finder.wanted.limit as u64).saturating_mul(64);
    let mut tied_turns = 0;
    loop {
        let limit = walks.limit(finder, source.is_by_key());
        if finder.best.is_before(limit, EntityId::new(0)) {
            return Ok(Method::Threshold);
        }
        tied_turns += u32::from(finder.best.is_before(limit, EntityId::new(u64::MAX)));
        let goes_on = finder.looked_at <= budget && tied_turns < TIED_TURNS;
        let Some(walk) = goes_on.then(|| walks.next()).flatten() else {
            return pass_the_rest(finder, limit);
        };
        // Where one list tells all, nothing can be decided before the page is full.
        let missing = if walks.walks.len() == 1 { finder.best.missing() } else { 0 };
        let enough = finder.evaluated + STRIDE.max(missing as u64);
        for _ in 0..STRIDE_LOOKS.max(missing) {
            let Some(id) = walks.step(walk) else { break };
            finder.meet(id)?;
            if finder.evaluated == enough {
                break;
            }
        }
    }
}

/// See T2. Nobody who was not met has a key above `limit`.
fn pass_the_rest<S: Source>(finder: &mut Finder<'_, S>, limit: RankKey) -> Result<Method> {
    let source = finder.source;
    let (ids, method) = match source.passing() {
        Some((passing, ids)) if passing < source.population() => (ids, Method::Candidates),
        _ => (source.everyone(), Method::Scan),
    };
    for id in ids {
        if finder.best.is_before(limit, id) {
            return Ok(Method::Threshold);
        }
        finder.pass(id)?;
    }
    Ok(method)
}

/// All lists, and how far they were walked.
struct Walks<'a> {
    walks: Vec<Walk<'a>>,
    /// What holds each leaf of those who were not met.
    leaves: Vec<Interval>,
    /// What holds them, whatever the lists say.
    ranges: Vec<Interval>,
    stack: Stack,
    /// The highest value of them when it was computed last, and which list was walked since.
    highest: f64,
    last: Option<usize>,
    turn: u64,
}

struct Walk<'a> {
    list: List<'a>,
    /// It has ended, or its bound has come to what entities have that are in no list.
    is_spent: bool,
    /// By how much its last turn lowered the highest value.
    gain: f64,
    /// When that was.
    turn: u64,
}

impl<'a> Walks<'a> {
    fn new(source: &'a impl Source, leaves: usize) -> Self {
        let ranges: Vec<Interval> = (0..leaves).map(|leaf| source.range(leaf)).collect();
        let walks = source.lists().into_iter();
        let walks = walks.map(|list| Walk { list, is_spent: false, gain: f64::MAX, turn: 0 });
        Self {
            walks: walks.collect(),
            leaves: ranges.clone(),
            ranges,
            stack: Stack::default(),
            highest: f64::MAX,
            last: None,
            turn: 0,
        }
    }

    /// The highest key that somebody can have who was not met.
    fn limit<S: Source>(&mut self, finder: &Finder<'_, S>, is_by_key: bool) -> RankKey {
        self.leaves.clone_from(&self.ranges);
        for walk in &mut self.walks {
            let (leaf, bound) = (walk.list.leaf, walk.list.entries.bound());
            walk.is_spent |= if is_by_key {
                walk.list.entries.key_bound() == Some(RankKey::ZERO)
            } else {
                bound == walk.list.absent
            };
            if let Some(interval) = self.leaves.get_mut(leaf) {
                *interval = match walk.list.end {
                    End::Highest => interval.min(Interval::point(bound)),
                    End::Lowest => interval.max(Interval::point(bound)),
                };
            }
        }
        let highest = finder.wanted.program.bounds(&self.leaves, &mut self.stack).hi();
        if let Some(walk) = self.last.take().and_then(|last| self.walks.get_mut(last)) {
            walk.gain = self.highest - highest;
        }
        self.highest = highest;
        if is_by_key {
            let mut keys = self.walks.iter().filter_map(|walk| walk.list.entries.key_bound());
            return keys.next().unwrap_or(RankKey::plain(f64::MAX));
        }
        RankKey::plain(highest)
    }

    /// The list to walk next: the one whose last turn has gained the most, unless another
    /// has waited too long. `None` when all are spent.
    fn next(&mut self) -> Option<usize> {
        self.turn += 1;
        let turn = self.turn;
        let open = self.walks.iter().enumerate().filter(|(_, walk)| !walk.is_spent);
        let urgency = |walk: &Walk<'_>| {
            let is_due = turn - walk.turn > PATIENCE;
            (is_due, walk.gain)
        };
        let (next, _) = open.max_by(|(_, a), (_, b)| {
            let (a, b) = (urgency(a), urgency(b));
            a.0.cmp(&b.0).then(a.1.total_cmp(&b.1))
        })?;
        self.last = Some(next);
        if let Some(walk) = self.walks.get_mut(next) {
            walk.turn = turn;
        }
        Some(next)
    }

    fn step(&mut self, walk: usize) -> Option<EntityId> {
        let walk = self.walks.get_mut(walk)?;
        let id = walk.list.entries.next();
        walk.is_spent |= id.is_none();
        id
    }
}

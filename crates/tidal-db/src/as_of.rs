//! As-of reads: the features of entities as they were at earlier times, asked of
//! the log.
//!
//! An event e happened at a time `t(e)` and was logged at a time `l(e)`, that of the
//! group it is in. A row (entity, T) sees
//!
//! | clock | the events of the entity with              |
//! |-------|--------------------------------------------|
//! | event | `t(e) <= T`                                |
//! | known | `t(e) <= T` and `l(e) <= T`                |
//!
//! so by known time a row holds nothing that was written after T, however early it
//! happened. Of the events that a row sees, with weights `w(e)`,
//!
//! | feature           | is                                                        |
//! |-------------------|-----------------------------------------------------------|
//! | score, half-life  | the sum of `w(e) * exp(-lambda * (T - t(e)))`             |
//! | score, lifetime L | the sum of `w(e) * max(0, 1 - (T - t(e)) / L)`            |
//! | score, permanent  | the sum of `w(e)`                                         |
//! | count over W      | how many have `T - W < t(e)`; over all time, all of them  |
//! | sum over W        | the sum of `w(e)` of those                                |
//! | velocity over W   | that count, divided by W in seconds                       |
//!
//! Nothing is counted in buckets, so counts are exact where those of the present are
//! estimates. A repeat that the database did not take is not in the log and counts
//! nowhere. An entity without events has zeros, as in every read.
//!
//! A1. A count is exact. A score or sum is off by rounding only, relative to the sum of
//!     the absolute contributions: nothing is added that is later subtracted.
//! A2. The answer does not depend on the order of the rows, on repeated rows, or, up to
//!     the rounding of scores, on how the rows are divided into passes over the log.
//! A3. Beside the rows and the answer, a pass holds at most [`VALUES_AT_ONCE_MAX`]
//!     accumulators, of 32 bytes at most.
//! A4. A time that the kept log cannot answer is refused.

mod base;
mod features;
mod lane;
mod pass;
mod plan;
mod ranges;
mod request;

use tidal_types::{AcceptedEvent, EntityId, Seq, TidalError, Timestamp, WalError};

use crate::Result;

pub(crate) use self::base::Base;
pub use self::features::{AsOfFeatures, FeatureColumn, FeatureValue, FeatureValues};
pub(crate) use self::plan::Plan;
pub(crate) use self::request::Measure;
pub use self::request::{AsOf, AsOfClock};

use self::pass::Pass;

/// How many accumulators, rows times features, are in memory at once. What asks for
/// more is answered in several passes over the log.
const VALUES_AT_ONCE_MAX: usize = 4_000_000;

/// What sees the events of a log, and when each was logged.
pub(crate) type Take<'a> = &'a mut dyn FnMut(&AcceptedEvent, Timestamp);

/// A row, and its place in the request.
type PlacedRow = (EntityId, Timestamp, usize);

/// The columns of the features of `rows`, by as many calls of `scan` as there are
/// passes, and how many these were. A call shows every event behind `base` in the order
/// of the log. An entity that was forgotten has zeros, whatever log and base still hold.
pub(crate) fn answer(
    plan: &Plan<'_>,
    rows: &[(EntityId, Timestamp)],
    rows_per_pass: usize,
    is_forgotten: impl Fn(EntityId) -> bool,
    base: Option<&dyn Base>,
    mut scan: impl FnMut(Take<'_>) -> Result<()>,
) -> Result<(Vec<FeatureColumn>, usize)> {
    let placed = rows.iter().enumerate().map(|(place, &(id, at))| (id, at, place));
    let mut sorted: Vec<PlacedRow> = placed.filter(|&(id, _, _)| !is_forgotten(id)).collect();
    sorted.sort_unstable();
    let mut columns = plan.blank(rows.len());
    let mut pass_count = 0;
    for part in passes(&sorted, rows_per_pass) {
        pass_count += 1;
        let mut pass = Pass::new(plan, part);
        scan(&mut |event, log_time| pass.take(event, log_time))?;
        pass.finish();
        for &(id, at, place) in part {
            plan.fill(&mut columns, place, &pass.read(id, at), |signal, measure| {
                base.map(|base| base.value(signal, id, measure, at)).transpose()
            })?;
        }
    }
    Ok((columns, pass_count))
}

/// The rows in stretches of at most `rows_max`. Those of one entity are in one stretch,
/// unless they are more than that.
fn passes(sorted: &[PlacedRow], rows_max: usize) -> Vec<&[PlacedRow]> {
    let mut passes = Vec::new();
    let mut rest = sorted;
    while !rest.is_empty() {
        let end = stretch(rest, rows_max.max(1));
        let (part, behind) = rest.split_at(end);
        passes.push(part);
        rest = behind;
    }
    passes
}

/// How many rows the first stretch takes.
fn stretch(rows: &[PlacedRow], rows_max: usize) -> usize {
    let Some((cut, _, _)) = rows.get(rows_max) else {
        return rows.len();
    };
    // Before the entity that would be divided, if there is another one.
    match rows.partition_point(|(id, _, _)| id < cut) {
        0 => rows_max,
        whole => whole,
    }
}

/// A4: refuses the rows that cannot be answered from `base` and a log that begins at
/// `log_start`.
pub(crate) fn check_reach(
    log_start: Seq,
    base: Option<&dyn Base>,
    clock: AsOfClock,
    rows: &[(EntityId, Timestamp)],
) -> Result<()> {
    if log_start > base.map_or(Seq::FIRST, Base::next_seq) {
        return Err(TidalError::PastNotKept { log_start, from: None });
    }
    let from = base.map_or(Timestamp::MIN, |base| base.answers_from(clock));
    if rows.iter().any(|&(_, at)| at < from) {
        return Err(TidalError::PastNotKept { log_start, from: Some(from) });
    }
    Ok(())
}

/// What it means here that the log was cut while it was read.
pub(crate) fn cut_meanwhile(error: TidalError) -> TidalError {
    match error {
        TidalError::Wal(WalError::Truncated { first, .. }) => {
            TidalError::PastNotKept { log_start: first, from: None }
        }
        other => other,
    }
}

#[cfg(test)]
mod tests;

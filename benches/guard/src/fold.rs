//! Folding events into cells: by the ledger alone, and behind the whole way of a write.

use std::path::Path;
use std::sync::Arc;

use tidal_bench_measure::{Random, Result};
use tidal_db::{Seq, SignalLedger, TidalDB};

use crate::Work;
use crate::world::{schema, send, views};

const FEW: u64 = 100;
const MANY: u64 = 50_000;
const EVENTS: usize = 100_000;

/// Cells that have had hundreds of events each before.
pub(crate) fn few(_dir: &Path) -> Result<Work> {
    apply(EVENTS / 2, (0..EVENTS as u64).map(|index| index % FEW))
}

/// Cells with two events each on average at the end, which are made meanwhile.
pub(crate) fn many(_dir: &Path) -> Result<Work> {
    let mut random = Random::new(0x5eed);
    apply(0, (0..EVENTS).map(move |_| random.below(MANY)))
}

/// An operation is an event; the first `before` of them are folded before.
fn apply(before: usize, items: impl Iterator<Item = u64>) -> Result<Work> {
    let schema = Arc::new(schema()?);
    let ledger = SignalLedger::new(Arc::clone(&schema));
    let accept = |event| schema.accept(event);
    let events = views(items).iter().map(accept).collect::<std::result::Result<Vec<_>, _>>()?;
    let events: Vec<_> = (1..).map(Seq::new).zip(events).collect();
    let apply =
        move |events: &[_]| events.iter().try_for_each(|(seq, event)| ledger.apply(*seq, event));
    let (first, rest) = events.split_at(before);
    apply(first)?;
    let rest = rest.to_vec();
    Ok(Work { operations: rest.len() as u64, run: Box::new(move || Ok(apply(&rest)?)) })
}

/// An operation is an event, from the check of its signal type to its answer, in a database
/// in memory.
pub(crate) fn commit(_dir: &Path) -> Result<Work> {
    let db = TidalDB::in_memory(schema()?)?;
    let mut random = Random::new(0x5eed);
    let events = views((0..EVENTS).map(|_| random.below(MANY)));
    Ok(Work { operations: events.len() as u64, run: Box::new(move || send(&db, &events)) })
}

//! Replay: folding what the log has behind the last checkpoint, when it is opened.
//!
//! Records are read and decoded by one thread and folded by another, which has helpers
//! for long runs of events, to the same state as one by one. A
//! schema is taken up between two stretches, when everything before it is folded, since
//! another schema makes another state.
//!
//! R1. Replay keeps to the memory budget as live folding does: between two runs, the
//!     thread that folds writes cells to storage while too many are dirty, and rows once
//!     they take [`ROW_BYTES_MAX`]. Cells know what they have applied, and rows may come
//!     early (V3), so an opening that is cut short there is simply done again.
//! R2. Where many cells are about to be asked for, one pass over storage brings all of
//!     them; how many is known from the first run and the length of the log.

use std::mem;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;

use tidal_storage::Storage;
use tidal_types::{Schema, Seq, TidalError};
use tidal_wal::LogRecord;

use crate::Result;
use crate::change::Change;
use crate::checkpoint::{COMMIT_BYTES, Writer};
use crate::log::RecordLog;
use crate::record;
use crate::state::{Decoded, State};

/// How many records go from one thread to the other at once: enough to be folded by
/// several.
const RUN: usize = 16 * 1024;

/// A run that has this many bytes of records is one, however few they are.
const RUN_BYTES: usize = 4 << 20;

/// Metadata and rows that storage does not have are written once they take this much
/// memory, in bytes. Tests come there with few.
const ROW_BYTES_MAX: u64 = if cfg!(test) { 4 << 10 } else { 64 << 20 };

/// How many such runs may wait.
const RUNS_AHEAD: usize = 4;

/// The state as of the end of the log, from one that has applied everything before
/// `from`. Cells that memory has no room for go to `storage`, which the state is over.
///
/// # Errors
/// What the log or storage say; records that mean nothing.
pub(crate) fn replay(
    log: &dyn RecordLog,
    storage: &dyn Storage,
    mut state: State,
    mut from: Seq,
) -> Result<State> {
    while let Some((seq, schema)) = fold_up_to_schema(log, storage, &state, from)? {
        state = take_up(state, schema, seq)?;
        from = seq.next();
    }
    Ok(state)
}

/// Folds every record up to the next schema, which is returned.
fn fold_up_to_schema(
    log: &dyn RecordLog,
    storage: &dyn Storage,
    state: &State,
    from: Seq,
) -> Result<Option<(Seq, Schema)>> {
    let mut found = None;
    let mut run = Vec::with_capacity(RUN);
    let mut bytes = 0;
    thread::scope(|scope| {
        let (sender, receiver) = sync_channel(RUNS_AHEAD);
        let folder = scope.spawn(move || fold(log, storage, state, receiver));
        let mut visit = |record: &LogRecord<'_>| {
            match record::decode(record, state.schema())? {
                Change::Schema(schema) => {
                    found = Some((record.seq, *schema));
                    // Ends the reading; nobody is told.
                    return Err(TidalError::Closed);
                }
                change => run.push((record.seq, change, record.producer)),
            }
            bytes += record.payload.len();
            if run.len() < RUN && bytes < RUN_BYTES {
                return Ok(());
            }
            bytes = 0;
            let run = mem::replace(&mut run, Vec::with_capacity(RUN));
            // When it fails the other thread has, and says why.
            sender.send(run).map_err(|_| TidalError::Closed)
        };
        let read = log.read_from(from, &mut visit);
        drop(sender.send(run));
        drop(sender);
        folder.join().expect("the fold does not panic")?;
        match found {
            Some(found) => Ok(Some(found)),
            None => read.map(|()| None),
        }
    })
}

fn fold(
    log: &dyn RecordLog,
    storage: &dyn Storage,
    state: &State,
    runs: Receiver<Vec<Decoded>>,
) -> Result<()> {
    let sync = || log.sync_to_head();
    let mut writer = Writer::new(storage, &sync, state, &|| true, COMMIT_BYTES);
    let end = log.head().seq;
    let mut is_preloaded = false;
    for run in runs {
        let loads = state.ledger.loads();
        state.apply_run(&run)?;
        let loads = state.ledger.loads() - loads;
        if !is_preloaded && state.ledger.preload_pays(loads_ahead(&run, loads, end)) {
            // R2.
            state.ledger.preload()?;
            is_preloaded = true;
        }
        writer.write_back()?;
        if state.overlay_bytes() >= ROW_BYTES_MAX {
            writer.early_rows()?;
        }
    }
    Ok(())
}

/// About how many cells the rest of the log asks storage for, when a run of records has
/// asked for so many. A later run asks for fewer, since more is in memory: for half as
/// many, on average.
fn loads_ahead(run: &[Decoded], loads: u64, end: Seq) -> u64 {
    let Some((last, ..)) = run.last() else {
        return 0;
    };
    let ahead = end.get().saturating_sub(last.get());
    let per_record = u128::from(loads) * u128::from(ahead) / (2 * run.len() as u128);
    u64::try_from(per_record).unwrap_or(u64::MAX)
}

/// Whether a schema has all signal types and attributes of another, and maybe more.
fn extends(schema: &Schema, other: &Schema) -> bool {
    schema.signals().starts_with(other.signals())
        && schema.attributes().starts_with(other.attributes())
}

/// The state under the schema of a record. An interrupted checkpoint may have
/// put a newer schema into storage, which then extends the record's.
pub(crate) fn take_up(state: State, schema: Schema, seq: Seq) -> Result<State> {
    let known = state.schema();
    if extends(&schema, known) {
        // Profiles, which replace each other, are those of the last record in the end.
        let is_same = schema == **known;
        return Ok(if is_same { state } else { state.extended(Arc::new(schema)) });
    }
    if extends(known, &schema) {
        return Ok(state);
    }
    Err(TidalError::Damaged {
        location: format!("log record {seq}"),
        problem: "its schema does not extend the one before".into(),
    })
}

#[cfg(test)]
mod tests;

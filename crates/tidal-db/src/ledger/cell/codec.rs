//! The bytes of a cell. This file is their home; the numbers they are made of
//! are in `varint.rs`. A series of buckets and a time are read with the schema's
//! definition of the signal type at hand, which never changes.
//!
//! | field       | encoding  |                                                   |
//! |-------------|-----------|---------------------------------------------------|
//! | version     | one byte  | [`VERSION`]                                       |
//! | applied seq | unsigned  | at least the number of events                     |
//! | **state**   |           | what a checksum covers                            |
//! | form        | one byte  | 1 to 4: that many events; [`BUCKETED`]: buckets   |
//!
//! Then, for each event of a sparse cell, in the order of arrival:
//!
//! | field       | encoding  |                                                   |
//! |-------------|-----------|---------------------------------------------------|
//! | time        | signed    | less that of the event before (wrapping), or 0    |
//! | weight      | `f64`     | at most [`WEIGHT_MAX`] in either direction        |
//!
//! or for a bucketed cell:
//!
//! | field       | encoding  |                                                   |
//! |-------------|-----------|---------------------------------------------------|
//! | count       | unsigned  | more than a sparse cell keeps                     |
//! | weight sum  | `f64`     |                                                   |
//! | newest time | unsigned  | nanoseconds since the epoch                       |
//! | *exponential:* sum | `f64` |                                                |
//! | *exponential:* age of the sum | unsigned | newest time less the sum's time   |
//! | *linear:* series |      | per bucket: sum of weights, moment, both `f64`    |
//! | *each window that ends, shortest first:* series | | per bucket: count, unsigned, at least 1; if the schema asks for sums, sum of weights, `f64` |
//!
//! A series is the number of its buckets (unsigned) and then the buckets, newest
//! first. The newest is the one that holds the newest time; each of the others
//! begins with how many places it is older than the one before (unsigned, at
//! least 1).
//!
//! F1. A decoder takes exactly the bytes that an encoder writes: whatever decodes
//!     encodes to the same bytes.
//! F2. Memory is asked for only up to the limits, never as the bytes say.
//! F3. Whatever decodes can be folded on and read without overflow or NaN.

use tidal_types::{Seq, WEIGHT_MAX};

use super::super::grid::{BUCKETS_MAX, Grid, NANOS_PER_SEC};
use super::super::shape::{Decay, Shape};
use super::bucketed::{Bucketed, Fading};
use super::damage::CellDamage;
use super::decayed::Decayed;
use super::event::RawEvent;
use super::linear::{LinearBuckets, WeightBucket};
use super::series::Bucket;
use super::sparse::{SPARSE_EVENTS_MAX, Sparse};
use super::varint::{Reader, put_f64, put_i64, put_u64};
use super::window::{CountBucket, WindowBuckets};
use super::{Cell, State};

/// The format that this file describes.
pub(super) const VERSION: u8 = 1;

/// The form of a cell with buckets.
const BUCKETED: u8 = 5;

const _: () = assert!(BUCKETED as usize == SPARSE_EVENTS_MAX + 1);

/// No sum is larger: as many events as there are seqs, each with the largest
/// weight, and as much again for rounding.
const SUM_MAX: f64 = 2.0 * WEIGHT_MAX * u64::MAX as f64;

pub(super) fn encode(cell: &Cell, out: &mut Vec<u8>) {
    out.push(VERSION);
    put_u64(out, cell.applied.get());
    encode_state(&cell.state, out);
}

pub(super) fn encode_state(state: &State, out: &mut Vec<u8>) {
    match state {
        State::Sparse(sparse) => encode_sparse(sparse, out),
        State::Bucketed(bucketed) => encode_bucketed(bucketed, out),
    }
}

pub(super) fn decode(bytes: &[u8], shape: &Shape) -> Result<Cell, CellDamage> {
    let mut reader = Reader::new(bytes);
    match reader.u8()? {
        VERSION => {}
        other => return Err(CellDamage::Version(other)),
    }
    let applied = reader.u64()?;
    let (count, state) = match reader.u8()? {
        BUCKETED => {
            let bucketed = decode_bucketed(&mut reader, shape)?;
            (bucketed.count, State::Bucketed(Box::new(bucketed)))
        }
        len => (u64::from(len), State::Sparse(decode_sparse(&mut reader, len)?)),
    };
    reader.finish()?;
    // Each event had a seq of its own, and so the count cannot overflow.
    if count > applied {
        return Err(CellDamage::Count);
    }
    Ok(Cell { applied: Seq::new(applied), state })
}

fn encode_sparse(sparse: &Sparse, out: &mut Vec<u8>) {
    out.push(sparse.len.get());
    let mut before = 0_u64;
    for event in sparse.events() {
        put_i64(out, event.time.wrapping_sub(before).cast_signed());
        put_f64(out, event.weight);
        before = event.time;
    }
}

fn decode_sparse(reader: &mut Reader<'_>, len: u8) -> Result<Sparse, CellDamage> {
    let mut before = 0_u64;
    let mut event = || -> Result<RawEvent, CellDamage> {
        let time = before.wrapping_add(reader.i64()?.cast_unsigned());
        before = time;
        Ok(RawEvent { time, weight: reader.f64(WEIGHT_MAX)? })
    };
    if !(1..BUCKETED).contains(&len) {
        return Err(CellDamage::Form(len));
    }
    let mut sparse = Sparse::first(event()?);
    for _ in 1..len {
        if !sparse.push(event()?) {
            return Err(CellDamage::Form(len));
        }
    }
    Ok(sparse)
}

fn encode_bucketed(bucketed: &Bucketed, out: &mut Vec<u8>) {
    out.push(BUCKETED);
    put_u64(out, bucketed.count);
    put_f64(out, bucketed.weight_sum);
    put_u64(out, bucketed.newest);
    match &bucketed.fading {
        Fading::Exponential(decayed) => {
            put_f64(out, decayed.sum);
            put_u64(out, bucketed.newest - decayed.since);
        }
        Fading::Linear(linear) => encode_series(out, &linear.buckets, |out, _, bucket| {
            put_f64(out, bucket.sum);
            put_f64(out, bucket.moment);
        }),
        Fading::Permanent => {}
    }
    for window in &bucketed.windows {
        encode_series(out, &window.buckets, |out, place, bucket| {
            put_u64(out, bucket.count());
            if let Some(sum) = window.sums.get(place) {
                put_f64(out, *sum);
            }
        });
    }
}

fn decode_bucketed(reader: &mut Reader<'_>, shape: &Shape) -> Result<Bucketed, CellDamage> {
    let count = reader.u64()?;
    if count <= SPARSE_EVENTS_MAX as u64 {
        return Err(CellDamage::Count);
    }
    let weight_sum = reader.f64(SUM_MAX)?;
    let newest = reader.u64()?;
    let fading = match shape.decay {
        Decay::Exponential { .. } => {
            let sum = reader.f64(SUM_MAX)?;
            let since = newest.checked_sub(reader.u64()?).ok_or(CellDamage::OutOfRange)?;
            Fading::Exponential(Decayed { sum, since })
        }
        Decay::Linear(grid) => Fading::Linear(decode_linear(reader, grid, newest)?),
        Decay::Permanent => Fading::Permanent,
    };
    let mut windows = Vec::with_capacity(shape.windows.len());
    let mut narrower = 0;
    for grid in &shape.windows {
        let window = decode_window(reader, *grid, shape.sums, newest)?;
        // A window holds what a shorter one holds, and all there is while its
        // span reaches back before the epoch.
        let all = grid.cut(newest).is_none();
        if window.total < narrower || window.total > count || (all && window.total < count) {
            return Err(CellDamage::Count);
        }
        narrower = window.total;
        windows.push(window);
    }
    Ok(Bucketed { count, weight_sum, newest, fading, windows: windows.into() })
}

fn decode_linear(
    reader: &mut Reader<'_>,
    grid: Grid,
    newest: u64,
) -> Result<LinearBuckets, CellDamage> {
    let moment_max = SUM_MAX * (grid.width() as f64 / NANOS_PER_SEC);
    let buckets = decode_series(reader, grid, newest, |reader, index| {
        let (sum, moment) = (reader.f64(SUM_MAX)?, reader.f64(moment_max)?);
        Ok(WeightBucket { index, sum, moment })
    })?;
    Ok(LinearBuckets { buckets })
}

fn decode_window(
    reader: &mut Reader<'_>,
    grid: Grid,
    with_sums: bool,
    newest: u64,
) -> Result<WindowBuckets, CellDamage> {
    let mut sums = Vec::new();
    let mut total = 0_u64;
    let buckets = decode_series(reader, grid, newest, |reader, index| {
        let count = reader.u64()?;
        total = total.checked_add(count).filter(|_| count > 0).ok_or(CellDamage::Count)?;
        if with_sums {
            sums.push(reader.f64(SUM_MAX)?);
        }
        Ok(CountBucket::new(index, count))
    })?;
    sums.reverse();
    Ok(WindowBuckets { buckets, sums, total })
}

fn encode_series<B: Bucket>(
    out: &mut Vec<u8>,
    buckets: &[B],
    put: impl Fn(&mut Vec<u8>, usize, &B),
) {
    put_u64(out, buckets.len() as u64);
    let mut newer = None;
    for (place, bucket) in buckets.iter().enumerate().rev() {
        if let Some(newer) = newer.replace(bucket.index()) {
            put_u64(out, newer - bucket.index());
        }
        put(out, place, bucket);
    }
}

/// The buckets of a series, oldest first. `take` is given them newest first, with
/// their indexes.
fn decode_series<B>(
    reader: &mut Reader<'_>,
    grid: Grid,
    newest: u64,
    mut take: impl FnMut(&mut Reader<'_>, u64) -> Result<B, CellDamage>,
) -> Result<Vec<B>, CellDamage> {
    let len = usize::try_from(reader.u64()?).map_err(|_| CellDamage::Buckets)?;
    if !(1..=BUCKETS_MAX).contains(&len) {
        return Err(CellDamage::Buckets);
    }
    let mut buckets = Vec::with_capacity(len);
    let mut index = grid.index(newest);
    buckets.push(take(reader, index)?);
    for _ in 1..len {
        let gap = reader.u64()?;
        let older = index.checked_sub(gap).filter(|older| gap > 0 && !grid.is_dead(*older, newest));
        index = older.ok_or(CellDamage::Buckets)?;
        buckets.push(take(reader, index)?);
    }
    buckets.reverse();
    Ok(buckets)
}

#[cfg(test)]
mod tests;

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
use super::block::{Block, Fading, Header, SLIDING_MAX};
use super::bucketed::Bucketed;
use super::damage::CellDamage;
use super::decayed::Decayed;
use super::event::RawEvent;
use super::places::Places;
use super::sparse::{SPARSE_EVENTS_MAX, Sparse};
use super::varint::{Reader, put_f64, put_i64, put_u64};
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
            (bucketed.events(), State::Bucketed(bucketed))
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
    let header = bucketed.block.header();
    out.push(BUCKETED);
    put_u64(out, header.count);
    put_f64(out, header.weight_sum);
    put_u64(out, header.newest);
    match header.fading() {
        Fading::Exponential(decayed) => {
            put_f64(out, decayed.sum);
            put_u64(out, header.newest - decayed.since);
        }
        Fading::Linear(places) => {
            let mut series = SeriesWriter::new(out, places.len());
            for (age, sum, moment) in bucketed.linear_buckets() {
                series.begin(age);
                put_f64(series.out, sum);
                put_f64(series.out, moment);
            }
        }
        Fading::Permanent => {}
    }
    for (place, len) in bucketed.window_lens().enumerate() {
        let mut series = SeriesWriter::new(out, len);
        for (age, count, sum) in bucketed.window_buckets(place) {
            series.begin(age);
            put_u64(series.out, count);
            if let Some(sum) = sum {
                put_f64(series.out, sum);
            }
        }
    }
}

fn decode_bucketed(reader: &mut Reader<'_>, shape: &Shape) -> Result<Bucketed, CellDamage> {
    let count = reader.u64()?;
    if count <= SPARSE_EVENTS_MAX as u64 {
        return Err(CellDamage::Count);
    }
    let weight_sum = reader.f64(SUM_MAX)?;
    let newest = reader.u64()?;
    let mut buckets = Vec::new();
    let fading = match shape.decay {
        Decay::Exponential { .. } => {
            let sum = reader.f64(SUM_MAX)?;
            let since = newest.checked_sub(reader.u64()?).ok_or(CellDamage::OutOfRange)?;
            Fading::Exponential(Decayed { sum, since })
        }
        Decay::Linear(grid) => Fading::Linear(decode_linear(reader, grid, newest, &mut buckets)?),
        Decay::Permanent => Fading::Permanent,
    };
    let mut windows = [Places::default(); SLIDING_MAX];
    let mut counted: [Counted; SLIDING_MAX] = Default::default();
    let mut narrower = 0;
    for ((grid, places), counted) in shape.windows.iter().zip(&mut windows).zip(&mut counted) {
        *places = decode_window(reader, *grid, shape.sums, newest, counted)?;
        // A window holds what a shorter one holds, and all there is while its
        // span reaches back before the epoch.
        let all = grid.cut(newest).is_none();
        if counted.total < narrower || counted.total > count || (all && counted.total < count) {
            return Err(CellDamage::Count);
        }
        narrower = counted.total;
    }
    // In memory the longest window comes first.
    for (places, counted) in windows.iter().zip(&counted).rev() {
        counted.put(*places, &mut buckets);
    }
    let mut header = Header::new(fading, windows);
    (header.count, header.weight_sum, header.newest) = (count, weight_sum, newest);
    Ok(Bucketed { block: Block::new(header, &buckets) })
}

fn decode_linear(
    reader: &mut Reader<'_>,
    grid: Grid,
    newest: u64,
    buckets: &mut Vec<u8>,
) -> Result<Places, CellDamage> {
    let moment_max = SUM_MAX * (grid.width() as f64 / NANOS_PER_SEC);
    decode_series(reader, grid, newest, Places::PAIRS, |reader| {
        for max in [SUM_MAX, moment_max] {
            buckets.extend(reader.f64(max)?.to_le_bytes());
        }
        Ok(())
    })
}

/// The buckets of a window, before it is known how large the largest is.
#[derive(Debug, Default)]
struct Counted {
    buckets: Vec<(u64, f64)>,
    total: u64,
}

impl Counted {
    fn put(&self, places: Places, out: &mut Vec<u8>) {
        for &(count, sum) in &self.buckets {
            if places.has_pairs() {
                out.extend(sum.to_le_bytes());
            }
            let count = count.to_le_bytes();
            out.extend(count.get(..places.last_bytes()).unwrap_or_default());
        }
    }
}

fn decode_window(
    reader: &mut Reader<'_>,
    grid: Grid,
    with_sums: bool,
    newest: u64,
    counted: &mut Counted,
) -> Result<Places, CellDamage> {
    let mut largest = 0;
    let places = decode_series(reader, grid, newest, Places::counts(with_sums), |reader| {
        let count = reader.u64()?;
        let total = counted.total.checked_add(count).filter(|_| count > 0);
        counted.total = total.ok_or(CellDamage::Count)?;
        largest = largest.max(count);
        let sum = if with_sums { reader.f64(SUM_MAX)? } else { 0.0 };
        counted.buckets.push((count, sum));
        Ok(())
    })?;
    Ok(places.holding(largest))
}

/// Writes the number of buckets and the gaps between them.
struct SeriesWriter<'a> {
    out: &'a mut Vec<u8>,
    newer: Option<u64>,
}

impl<'a> SeriesWriter<'a> {
    fn new(out: &'a mut Vec<u8>, len: usize) -> Self {
        put_u64(out, len as u64);
        Self { out, newer: None }
    }

    /// Begins the bucket of an age.
    fn begin(&mut self, age: u64) {
        if let Some(newer) = self.newer.replace(age) {
            put_u64(self.out, age - newer);
        }
    }
}

/// Where the buckets of a series are; `take` reads what is in them, newest first.
fn decode_series(
    reader: &mut Reader<'_>,
    grid: Grid,
    newest: u64,
    empty: Places,
    mut take: impl FnMut(&mut Reader<'_>) -> Result<(), CellDamage>,
) -> Result<Places, CellDamage> {
    let len = usize::try_from(reader.u64()?).map_err(|_| CellDamage::Buckets)?;
    if !(1..=BUCKETS_MAX).contains(&len) {
        return Err(CellDamage::Buckets);
    }
    let (index, into) = grid.split(newest);
    let mut places = empty.with(0);
    let mut age = 0_u64;
    take(reader)?;
    for _ in 1..len {
        let gap = reader.u64()?;
        let older = age.checked_add(gap).filter(|_| gap > 0);
        let alive = older.filter(|older| *older < grid.touched(into) && *older <= index);
        age = alive.ok_or(CellDamage::Buckets)?;
        places = places.with(age);
        take(reader)?;
    }
    Ok(places)
}

#[cfg(test)]
mod tests;

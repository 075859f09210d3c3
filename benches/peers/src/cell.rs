//! An item as the key-value engines and SQLite keep it: a decayed sum, and what the buckets
//! of its windows have, as bytes.
//!
//! Little-endian; a bucket without events is not there.
//!
//! | offset | size    | field                                                          |
//! |--------|---------|----------------------------------------------------------------|
//! | 0      | 8       | the sum, an f64, at the time of                                |
//! | 8      | 8       | the newest event, in milliseconds                              |
//! | 16     |         | for each of [`WINDOWS`]:                                       |
//! |        | 1       | how many buckets follow, oldest first                          |
//! |        | 1       | of each the number, as the rest of a division by 64            |
//! |        | 1 to 8  | and its count, 7 bits a byte, lowest first                     |
//!
//! C1. A window keeps the bucket of the newest event and sixty before it: no window that
//!     ends behind the newest event reaches further back. Others are left out whenever a
//!     cell is written, so that it has an upper size.
//! C2. Cells are sums: in whatever order and groups events are added and cells merged, the
//!     counts are the same, and the sum is but for its last digits.
//! C3. Bytes that no cell writes are an error.

use tidal_bench_measure::Result;

use crate::job::{Answer, Decayed, Event, WINDOWS, Window};

/// The buckets before the newest that a window may reach.
const REACH: u64 = 60;

/// The places for the counts of buckets: a power of two beyond [`REACH`].
const PLACES: usize = 64;

/// The most that a bucket counts, so that no sum of a window overflows.
const COUNT_MAX: u64 = (1 << 56) - 1;

/// The bytes of the sum and its time.
const HEAD: usize = 16;

/// An item, unpacked.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cell {
    decayed: Decayed,
    windows: [Ring; WINDOWS.len()],
}

/// The counts of a window, each in the place of the rest of its bucket's number.
#[derive(Debug, Clone)]
struct Ring {
    /// A bit for each place that has a count; what other places hold is of no meaning.
    taken: u64,
    counts: [u64; PLACES],
}

impl Default for Ring {
    fn default() -> Self {
        Self { taken: 0, counts: [0; PLACES] }
    }
}

impl Cell {
    /// Makes it that of an item without events.
    pub(crate) const fn clear(&mut self) {
        self.decayed = Decayed { sum: 0.0, since: 0 };
        let [a, b, c] = &mut self.windows;
        (a.taken, b.taken, c.taken) = (0, 0, 0);
    }

    /// Adds an event, late or not.
    pub(crate) fn add(&mut self, event: &Event) {
        self.fold(Decayed { sum: event.weight, since: event.time });
        for (window, ring) in WINDOWS.into_iter().zip(&mut self.windows) {
            ring.add(window.bucket(self.decayed.since), window.bucket(event.time), 1);
        }
    }

    /// Adds what a cell of these bytes has.
    ///
    /// # Errors
    ///
    /// The bytes are those of no cell; some of it may have been added.
    pub(crate) fn merge(&mut self, bytes: &[u8]) -> Result<()> {
        let decayed = decayed(bytes)?;
        self.fold(decayed);
        let mut rest = bytes.get(HEAD..).unwrap_or_default();
        for (window, ring) in WINDOWS.into_iter().zip(&mut self.windows) {
            let mut buckets = Buckets::begin(rest, window.bucket(decayed.since))?;
            let newest = window.bucket(self.decayed.since);
            for (bucket, count) in &mut buckets {
                ring.add(newest, bucket, count);
            }
            rest = buckets.end()?;
        }
        nothing_left(rest)
    }

    /// Adds a sum, and leaves out the buckets that are then too old.
    fn fold(&mut self, other: Decayed) {
        let before = self.decayed.since;
        self.decayed.add(other.sum, other.since);
        if self.decayed.since > before {
            for (window, ring) in WINDOWS.into_iter().zip(&mut self.windows) {
                ring.advance(window.bucket(before), window.bucket(self.decayed.since));
            }
        }
    }

    /// Appends its bytes.
    pub(crate) fn write(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.decayed.sum.to_le_bytes());
        bytes.extend_from_slice(&self.decayed.since.to_le_bytes());
        for (window, ring) in WINDOWS.into_iter().zip(&self.windows) {
            ring.write(window.bucket(self.decayed.since), bytes);
        }
    }

    /// The sum, by which items are ranked.
    pub(crate) const fn decayed(&self) -> Decayed {
        self.decayed
    }
}

impl Ring {
    /// Makes room for a newer bucket.
    const fn advance(&mut self, from: u64, to: u64) {
        let by = to - from;
        self.taken &= if by > REACH {
            0
        } else {
            let kept = (1 << (REACH + 1 - by)) - 1_u64;
            kept.rotate_left((to.wrapping_sub(REACH) % PLACES as u64) as u32)
        };
    }

    /// Adds to a bucket that is not newer than the newest one.
    fn add(&mut self, newest: u64, bucket: u64, count: u64) {
        if newest - bucket > REACH {
            return;
        }
        let place = (bucket % PLACES as u64) as usize;
        if let Some(held) = self.counts.get_mut(place) {
            let is_taken = self.taken >> place & 1 == 1;
            *held = if is_taken { (*held + count).min(COUNT_MAX) } else { count };
            self.taken |= 1 << place;
        }
    }

    fn write(&self, newest: u64, bytes: &mut Vec<u8>) {
        let oldest = newest.wrapping_sub(REACH);
        let mut taken = self.taken.rotate_right((oldest % PLACES as u64) as u32);
        bytes.push(taken.count_ones() as u8);
        while taken != 0 {
            let place = oldest.wrapping_add(u64::from(taken.trailing_zeros())) % PLACES as u64;
            taken &= taken - 1;
            bytes.push(place as u8);
            let mut count = self.counts.get(place as usize).copied().unwrap_or_default();
            while count >= 0x80 {
                bytes.push(count as u8 | 0x80);
                count >>= 7;
            }
            bytes.push(count as u8);
        }
    }
}

/// The sum of the cell of these bytes.
///
/// # Errors
///
/// The bytes begin as no cell does.
pub(crate) fn decayed(bytes: &[u8]) -> Result<Decayed> {
    let (sum, rest) = bytes.split_first_chunk().ok_or_else(damaged)?;
    let (since, _) = rest.split_first_chunk().ok_or_else(damaged)?;
    let (sum, since) = (f64::from_le_bytes(*sum), u64::from_le_bytes(*since));
    if sum.is_finite() && sum >= 0.0 { Ok(Decayed { sum, since }) } else { Err(damaged()) }
}

/// What an item of these bytes is asked for, just before `end`.
///
/// # Errors
///
/// The bytes are those of no cell.
pub(crate) fn answer(bytes: &[u8], end: u64) -> Result<Answer> {
    let decayed = decayed(bytes)?;
    let mut answer = Answer { score: decayed.at(end), ..Answer::default() };
    let mut rest = bytes.get(HEAD..).unwrap_or_default();
    for (window, count) in WINDOWS.into_iter().zip(&mut answer.counts) {
        rest = counted(window, decayed.since, rest, end, count)?;
    }
    nothing_left(rest)?;
    Ok(answer)
}

/// Counts one window, and gives back the bytes of those that follow.
fn counted<'a>(
    window: Window,
    since: u64,
    bytes: &'a [u8],
    end: u64,
    count: &mut u64,
) -> Result<&'a [u8]> {
    let mut buckets = Buckets::begin(bytes, window.bucket(since))?;
    *count = window.count(end, &mut buckets);
    buckets.end()
}

/// The buckets of a window as they are read, oldest first. It ends early where the bytes are
/// damaged, which [`Buckets::end`] tells.
struct Buckets<'a> {
    bytes: &'a [u8],
    newest: u64,
    left: u8,
    /// The next one is at most so far before the newest.
    age_max: u64,
}

impl<'a> Buckets<'a> {
    fn begin(bytes: &'a [u8], newest: u64) -> Result<Self> {
        let (&left, bytes) = bytes.split_first().ok_or_else(damaged)?;
        Ok(Self { bytes, newest, left, age_max: REACH })
    }

    fn read(&mut self) -> Option<(u64, u64)> {
        let (&place, mut bytes) = self.bytes.split_first()?;
        let age = self.newest.wrapping_sub(u64::from(place)) % PLACES as u64;
        if usize::from(place) >= PLACES || age > self.age_max || age > self.newest {
            return None;
        }
        let (mut count, mut shift) = (0, 0);
        loop {
            let (&byte, rest) = bytes.split_first()?;
            bytes = rest;
            count |= u64::from(byte & 0x7f) << shift;
            shift += 7;
            if byte < 0x80 {
                break;
            }
            if COUNT_MAX >> shift == 0 {
                return None;
            }
        }
        // What follows the newest bucket cannot be, unless nothing follows.
        if count == 0 || (age == 0 && self.left > 1) {
            return None;
        }
        self.age_max = age.saturating_sub(1);
        self.bytes = bytes;
        self.left -= 1;
        Some((self.newest - age, count))
    }

    /// What follows the window.
    fn end(self) -> Result<&'a [u8]> {
        if self.left == 0 { Ok(self.bytes) } else { Err(damaged()) }
    }
}

impl Iterator for Buckets<'_> {
    type Item = (u64, u64);

    fn next(&mut self) -> Option<Self::Item> {
        if self.left == 0 { None } else { self.read() }
    }
}

fn nothing_left(bytes: &[u8]) -> Result<()> {
    if bytes.is_empty() { Ok(()) } else { Err(damaged()) }
}

fn damaged() -> Box<dyn std::error::Error + Send + Sync> {
    "the bytes of an item are damaged".into()
}

#[cfg(test)]
mod tests;

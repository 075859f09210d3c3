//! The bytes of a history in storage.
//!
//! | size   | field                                                                |
//! |--------|----------------------------------------------------------------------|
//! | 1      | version, 1                                                           |
//! | 1      | unit of the gaps: 0 for nanoseconds, 1 micro-, 2 milliseconds, 3 seconds: the longest that divides all of them |
//! | varint | the last record that was folded into it                              |
//! | 8      | time of the newest event, nanoseconds                                |
//! | varint | number of entries, at least one, at most [`HISTORY_ENTITIES_MAX`]    |
//!
//! An entry, for each entity, by id:
//!
//! | size   | field                                                                |
//! |--------|----------------------------------------------------------------------|
//! | varint | id; behind the first, less the id before, less one                   |
//! | varint | gap from its newest event to the newest of all                       |
//! | varint | gap from the time of its sum to its newest event                     |
//! | varint | sum, the bits of an `f64` with the order of the bytes reversed        |
//!
//! An entity that was seen once, among others whose ids are near, takes 8 bytes where times
//! are whole seconds and the weight is 1, and up to 22 where neither is so.
//!
//! The canonical form, which the checksum covers, has the state and not the record: count 8,
//! then by entity: id 8, time of the newest event 8, sum 8, time of the sum 8. Fixed
//! integers are little-endian.
//!
//! Each row has one encoding, and a reader takes no other.

use std::collections::BTreeMap;

use tidal_storage::VALUE_BYTES_MAX;
use tidal_types::{ByteReader, EntityId, Seq, WEIGHT_MAX, put_varint};

use super::row::{Acts, HISTORY_ENTITIES_MAX, Row};
use crate::ledger::Decayed;

/// The version of this layout.
const VERSION: u8 = 1;

/// The units of the gaps in nanoseconds, by their numbers.
const UNITS: [u64; 4] = [1, 1_000, 1_000_000, 1_000_000_000];

/// No sum of weights is larger: a log does not have more records than a number can count.
const SUM_MAX: f64 = 2.0 * WEIGHT_MAX * u64::MAX as f64;

/// The longest that a varint is, in bytes.
const VARINT_MAX: usize = 10;

/// No row takes more bytes: its head, and entries of four varints.
const ROW_BYTES_MAX: usize =
    2 + VARINT_MAX + 8 + VARINT_MAX + HISTORY_ENTITIES_MAX * 4 * VARINT_MAX;

// Else a history could come to be that no checkpoint can write.
const _: () = assert!(ROW_BYTES_MAX <= VALUE_BYTES_MAX, "any row fits into a value of storage");

/// The gaps of an entry, in nanoseconds.
const fn gaps(acts: &Acts, newest: u64) -> [u64; 2] {
    [newest.saturating_sub(acts.newest), acts.newest.saturating_sub(acts.decayed.since)]
}

/// The longest unit that divides all gaps, and its number.
fn unit_of(gaps: impl Iterator<Item = [u64; 2]>) -> (u8, u64) {
    let mut longest = UNITS.len() - 1;
    for gap in gaps.flatten() {
        while longest > 0 && !UNITS.get(longest).is_some_and(|unit| gap.is_multiple_of(*unit)) {
            longest -= 1;
        }
    }
    (longest as u8, UNITS.get(longest).copied().unwrap_or(1))
}

pub(super) fn encode(row: &Row) -> Vec<u8> {
    let newest = row.entries.values().map(|acts| acts.newest).max().unwrap_or_default();
    let (number, unit) = unit_of(row.entries.values().map(|acts| gaps(acts, newest)));
    let mut out = vec![VERSION, number];
    put_varint(&mut out, row.applied.get());
    out.extend_from_slice(&newest.to_le_bytes());
    put_varint(&mut out, row.entries.len() as u64);
    let mut next = 0;
    for (&id, acts) in &row.entries {
        put_varint(&mut out, id.get().wrapping_sub(next));
        next = id.get().wrapping_add(1);
        for gap in gaps(acts, newest) {
            put_varint(&mut out, gap / unit);
        }
        put_varint(&mut out, acts.decayed.sum.to_bits().swap_bytes());
    }
    out
}

/// The row of these bytes, or what is wrong with them.
pub(super) fn decode(bytes: &[u8]) -> Result<Row, String> {
    const TRUNCATED: &str = "the bytes end too early, or a number is not encoded as it would be";
    let mut reader = ByteReader::new(bytes);
    let version = reader.u8().ok_or(TRUNCATED)?;
    if version != VERSION {
        return Err(format!("format {version} is not {VERSION}, the one this program knows"));
    }
    let number = reader.u8().ok_or(TRUNCATED)?;
    let unit = *UNITS.get(usize::from(number)).ok_or("there is no such unit of time")?;
    let applied = Seq::new(reader.varint().ok_or(TRUNCATED)?);
    let newest = reader.u64().ok_or(TRUNCATED)?;
    let count = reader.varint().ok_or(TRUNCATED)?;
    if applied == Seq::ZERO || count == 0 {
        return Err("it has no entries, or applied no record".into());
    }
    if count > HISTORY_ENTITIES_MAX as u64 {
        return Err(format!("it has {count} entries, more than any history"));
    }
    let mut entries = BTreeMap::new();
    let mut next = Some(0_u64);
    // Nothing is made room for by the count: each entry takes at least four bytes.
    for _ in 0..count {
        let [id, to_newest, to_sum, sum] =
            [(); 4].map(|()| reader.varint()).map(|number| number.ok_or(TRUNCATED));
        let id = next.and_then(|next| next.checked_add(id.ok()?));
        let before = |time: u64, gap: u64| time.checked_sub(gap.checked_mul(unit)?);
        let time = before(newest, to_newest?);
        let since = time.and_then(|time| before(time, to_sum.ok()?));
        let sum = f64::from_bits(sum?.swap_bytes());
        let (Some(id), Some(time), Some(since)) = (id, time, since) else {
            return Err("an id or a time is out of range".into());
        };
        // NaN fails the comparison too.
        if !(-SUM_MAX..=SUM_MAX).contains(&sum) {
            return Err("a sum is out of range".into());
        }
        let acts = Acts { decayed: Decayed { sum, since }, newest: time };
        entries.insert(EntityId::new(id), acts);
        next = id.checked_add(1);
    }
    if !reader.is_empty() {
        return Err("there are bytes after the end".into());
    }
    let is_newest = entries.values().any(|acts| acts.newest == newest);
    if !is_newest || unit_of(entries.values().map(|acts| gaps(acts, newest))) != (number, unit) {
        return Err("its times are not encoded as they would be".into());
    }
    Ok(Row { applied, entries, forgotten_known: 0 })
}

/// What the checksum covers of a row, without what `is_forgotten`; `None` when nothing is
/// left of it.
pub(super) fn canonical(row: &Row, is_forgotten: impl Fn(EntityId) -> bool) -> Option<Vec<u8>> {
    let left: Vec<_> = row.entries.iter().filter(|&(&id, _)| !is_forgotten(id)).collect();
    if left.is_empty() {
        return None;
    }
    let mut out = (left.len() as u64).to_le_bytes().to_vec();
    for (id, Acts { decayed, newest }) in left {
        for number in [id.get(), *newest, decayed.sum.to_bits(), decayed.since] {
            out.extend_from_slice(&number.to_le_bytes());
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests;

//! The numbers in a bucket of a busy cell, in memory: a first one of eight bytes, if
//! there is one, and a last one of 1, 2, 4 or 8. Little-endian.
//!
//! N1. A bucket has as many bytes as its [`Places`] say; of one that is shorter, which
//!     there is none of, numbers read 0.

use super::places::Places;

/// The sum of weights of a bucket that has one.
pub(super) fn first_number(bucket: &[u8]) -> f64 {
    bucket.first_chunk().map_or(0.0, |bytes| f64::from_le_bytes(*bytes))
}

/// The moment of a bucket of a linear score.
pub(super) fn last_number(bucket: &[u8]) -> f64 {
    bucket.last_chunk().map_or(0.0, |bytes| f64::from_le_bytes(*bytes))
}

pub(super) fn put_first(bucket: &mut [u8], number: f64) {
    if let Some(bytes) = bucket.first_chunk_mut() {
        *bytes = number.to_le_bytes();
    }
}

pub(super) fn put_last(bucket: &mut [u8], number: f64) {
    if let Some(bytes) = bucket.last_chunk_mut() {
        *bytes = number.to_le_bytes();
    }
}

/// The number of events of a bucket of a window.
pub(super) fn count_at(bucket: &[u8], places: Places) -> u64 {
    match places.last_bytes() {
        1 => bucket.last().map_or(0, |byte| u64::from(*byte)),
        2 => bucket.last_chunk().map_or(0, |bytes| u64::from(u16::from_le_bytes(*bytes))),
        4 => bucket.last_chunk().map_or(0, |bytes| u64::from(u32::from_le_bytes(*bytes))),
        _ => bucket.last_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes)),
    }
}

/// Counts one more event; `false` when the number has no bytes for that.
#[must_use]
pub(super) fn count_one(bucket: &mut [u8], places: Places) -> bool {
    fn one<const BYTES: usize>(
        bucket: &mut [u8],
        more: impl FnOnce([u8; BYTES]) -> Option<[u8; BYTES]>,
    ) -> bool {
        let counted = bucket.last_chunk_mut().and_then(|bytes| {
            *bytes = more(*bytes)?;
            Some(())
        });
        counted.is_some()
    }
    match places.last_bytes() {
        1 => one(bucket, |[a]| Some([a.checked_add(1)?])),
        2 => one(bucket, |a| Some(u16::from_le_bytes(a).checked_add(1)?.to_le_bytes())),
        4 => one(bucket, |a| Some(u32::from_le_bytes(a).checked_add(1)?.to_le_bytes())),
        _ => one(bucket, |a| Some(u64::from_le_bytes(a).checked_add(1)?.to_le_bytes())),
    }
}

/// Sets the number of events, which fits.
#[cfg(test)]
pub(super) fn put_count(bucket: &mut [u8], places: Places, count: u64) {
    let bytes = count.to_le_bytes();
    let len = places.last_bytes();
    let last = bucket.len().saturating_sub(len);
    if let (Some(room), Some(bytes)) = (bucket.get_mut(last..), bytes.get(..len)) {
        room.copy_from_slice(bytes);
    }
}

/// The number of events of all of these buckets, of `stride` bytes each.
pub(super) fn total(buckets: &[u8], stride: usize) -> u64 {
    fn of<const STRIDE: usize>(buckets: &[u8], count: impl Fn(&[u8; STRIDE]) -> u64) -> u64 {
        buckets.as_chunks().0.iter().map(count).sum()
    }
    match stride {
        1 => of::<1>(buckets, |&[a]| u64::from(a)),
        2 => of::<2>(buckets, |&a| u64::from(u16::from_le_bytes(a))),
        4 => of::<4>(buckets, |&a| u64::from(u32::from_le_bytes(a))),
        8 => of::<8>(buckets, |&a| u64::from_le_bytes(a)),
        9 => of::<9>(buckets, |&[.., a]| u64::from(a)),
        10 => of::<10>(buckets, |&[.., a, b]| u64::from(u16::from_le_bytes([a, b]))),
        12 => of::<12>(buckets, |&[.., a, b, c, d]| u64::from(u32::from_le_bytes([a, b, c, d]))),
        _ => of::<16>(buckets, |bucket| {
            bucket.last_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_of_every_width_are_read_one_by_one_and_together() {
        for largest in [200, 60_000, 4_000_000_000, u64::MAX / 4] {
            for with_sums in [false, true] {
                let places = Places::counts(with_sums).holding(largest);
                let stride = places.stride();
                let mut buckets = vec![0xaa; 3 * stride];
                for (bucket, less) in buckets.chunks_exact_mut(stride).zip(0..) {
                    put_first(bucket, if with_sums { -1.5 } else { 0.0 });
                    put_count(bucket, places, largest - less);
                }
                for (bucket, less) in buckets.chunks_exact(stride).zip(0..) {
                    assert_eq!(count_at(bucket, places), largest - less);
                    assert!(!with_sums || first_number(bucket) == -1.5);
                }
                assert_eq!(total(&buckets, stride), 3 * largest - 3);
            }
        }
    }
}

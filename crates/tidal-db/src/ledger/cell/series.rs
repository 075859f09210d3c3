//! Buckets in order of time, found fast where events mostly fall: in the newest.

use super::super::grid::{BUCKETS_MAX, Grid};

/// A bucket that knows its place on its grid.
pub(super) trait Bucket: Copy {
    fn index(&self) -> u64;
}

/// The place of the bucket `index`: `Ok` where it is, `Err` where it belongs.
pub(super) fn place<B: Bucket>(buckets: &[B], index: u64) -> Result<usize, usize> {
    match buckets.last() {
        Some(newest) if newest.index() == index => Ok(buckets.len() - 1),
        Some(newest) if newest.index() > index => buckets.binary_search_by_key(&index, B::index),
        _ => Err(buckets.len()),
    }
}

/// How many buckets, from the oldest on, are dead at the time `newest`.
pub(super) fn dead<B: Bucket>(buckets: &[B], grid: Grid, newest: u64) -> usize {
    buckets.iter().take_while(|bucket| grid.is_dead(bucket.index(), newest)).count()
}

/// Inserts at a place that [`place`] gave. Room doubles, up to what can live.
pub(super) fn insert<T>(items: &mut Vec<T>, place: usize, item: T) {
    if items.len() == items.capacity() {
        let room = items.len().max(4).min(BUCKETS_MAX.saturating_sub(items.len()));
        items.reserve_exact(room.max(1));
    }
    items.insert(place, item);
}

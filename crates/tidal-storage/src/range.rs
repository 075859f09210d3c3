//! Ranges of keys.

use std::ops::{
    Bound, Range, RangeBounds, RangeFrom, RangeFull, RangeInclusive, RangeTo, RangeToInclusive,
};

use crate::KEY_BYTES_MAX;

/// Which way a scan goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Direction {
    /// From the lowest key to the highest.
    #[default]
    Forward,
    /// From the highest key to the lowest.
    Backward,
}

/// A range of keys. Made of any Rust range over things that are bytes, of a
/// prefix, or of two bounds. The bounds may be any bytes, whatever a key may be;
/// a range whose start lies behind its end contains nothing.
///
/// ```
/// use tidal_storage::KeyRange;
///
/// assert!(KeyRange::from(b"a"..b"c").contains(b"b"));
/// assert!(KeyRange::prefix(b"b").contains(b"bb"));
/// assert!(!KeyRange::from(b"c"..b"a").contains(b"b"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct KeyRange {
    start: Bound<Vec<u8>>,
    end: Bound<Vec<u8>>,
}

impl KeyRange {
    /// The keys between two bounds.
    #[must_use]
    pub const fn new(start: Bound<Vec<u8>>, end: Bound<Vec<u8>>) -> Self {
        Self { start, end }
    }

    /// Every key.
    #[must_use]
    pub const fn all() -> Self {
        Self::new(Bound::Unbounded, Bound::Unbounded)
    }

    /// The keys that begin with `prefix`; with the empty prefix, every key.
    #[must_use]
    pub fn prefix(prefix: &[u8]) -> Self {
        let mut end = prefix.to_vec();
        // The first byte string behind all that begin so: the last byte that can
        // grow grows, and those after it fall away.
        while let Some(last) = end.last_mut() {
            if let Some(grown) = last.checked_add(1) {
                *last = grown;
                return Self::new(Bound::Included(prefix.to_vec()), Bound::Excluded(end));
            }
            end.pop();
        }
        Self::new(Bound::Included(prefix.to_vec()), Bound::Unbounded)
    }

    /// The two bounds.
    #[must_use]
    pub fn bounds(&self) -> (Bound<&[u8]>, Bound<&[u8]>) {
        (self.start.as_ref().map(Vec::as_slice), self.end.as_ref().map(Vec::as_slice))
    }

    /// Whether `key` lies in the range.
    #[must_use]
    pub fn contains(&self, key: &[u8]) -> bool {
        RangeBounds::<[u8]>::contains(&self.bounds(), key)
    }

    /// The same range in the form that every engine takes: a bound is 1 to
    /// [`KEY_BYTES_MAX`] bytes long, and the start lies before the end, or on it
    /// if both are included. `None` if no key can lie in the range.
    #[must_use]
    pub fn normalized(self) -> Option<Self> {
        let start = match self.start {
            // No key is empty, and none is longer than the limit: whatever lies
            // behind a longer bound lies behind its cut.
            Bound::Included(key) | Bound::Excluded(key) if key.is_empty() => Bound::Unbounded,
            Bound::Included(key) | Bound::Excluded(key) if key.len() > KEY_BYTES_MAX => {
                Bound::Excluded(cut(key))
            }
            start => start,
        };
        let end = match self.end {
            Bound::Included(key) | Bound::Excluded(key) if key.is_empty() => return None,
            Bound::Included(key) | Bound::Excluded(key) if key.len() > KEY_BYTES_MAX => {
                Bound::Included(cut(key))
            }
            end => end,
        };
        let inverted = match (&start, &end) {
            (Bound::Unbounded, _) | (_, Bound::Unbounded) => false,
            (Bound::Included(start), Bound::Included(end)) => start > end,
            (
                Bound::Included(start) | Bound::Excluded(start),
                Bound::Included(end) | Bound::Excluded(end),
            ) => start >= end,
        };
        if inverted { None } else { Some(Self { start, end }) }
    }

    /// What is left of the range once a scan has handed out `key`.
    #[must_use]
    pub(crate) fn beyond(self, key: Vec<u8>, direction: Direction) -> Option<Self> {
        let rest = match direction {
            Direction::Forward => Self { start: Bound::Excluded(key), end: self.end },
            Direction::Backward => Self { start: self.start, end: Bound::Excluded(key) },
        };
        rest.normalized()
    }

    /// What of the range a scan has gone through once it has handed out `key`.
    #[must_use]
    pub(crate) fn through(self, key: Vec<u8>, direction: Direction) -> Self {
        match direction {
            Direction::Forward => Self { start: self.start, end: Bound::Included(key) },
            Direction::Backward => Self { start: Bound::Included(key), end: self.end },
        }
    }
}

fn cut(mut key: Vec<u8>) -> Vec<u8> {
    key.truncate(KEY_BYTES_MAX);
    key
}

impl From<RangeFull> for KeyRange {
    fn from(_: RangeFull) -> Self {
        Self::all()
    }
}

impl<K: Into<Vec<u8>>> From<Range<K>> for KeyRange {
    fn from(range: Range<K>) -> Self {
        Self::new(Bound::Included(range.start.into()), Bound::Excluded(range.end.into()))
    }
}

impl<K: Into<Vec<u8>>> From<RangeInclusive<K>> for KeyRange {
    fn from(range: RangeInclusive<K>) -> Self {
        let (start, end) = range.into_inner();
        Self::new(Bound::Included(start.into()), Bound::Included(end.into()))
    }
}

impl<K: Into<Vec<u8>>> From<RangeFrom<K>> for KeyRange {
    fn from(range: RangeFrom<K>) -> Self {
        Self::new(Bound::Included(range.start.into()), Bound::Unbounded)
    }
}

impl<K: Into<Vec<u8>>> From<RangeTo<K>> for KeyRange {
    fn from(range: RangeTo<K>) -> Self {
        Self::new(Bound::Unbounded, Bound::Excluded(range.end.into()))
    }
}

impl<K: Into<Vec<u8>>> From<RangeToInclusive<K>> for KeyRange {
    fn from(range: RangeToInclusive<K>) -> Self {
        Self::new(Bound::Unbounded, Bound::Included(range.end.into()))
    }
}

/// A start and an end, the end not included, as `tidal_keys::prefix_range` gives
/// them.
impl From<(Vec<u8>, Vec<u8>)> for KeyRange {
    fn from((start, end): (Vec<u8>, Vec<u8>)) -> Self {
        Self::from(start..end)
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;

    /// Short ones, and ones around the longest length, that often share a
    /// beginning.
    fn any_bytes() -> impl Strategy<Value = Vec<u8>> {
        let tail = vec(select([0x00, 0x61, 0xff].as_slice()), 0..4);
        (select([0, KEY_BYTES_MAX - 2].as_slice()), select([0x61, 0xff].as_slice()), tail)
            .prop_map(|(length, byte, tail)| [vec![byte; length], tail].concat())
    }

    fn any_bound() -> impl Strategy<Value = Bound<Vec<u8>>> {
        prop_oneof![
            Just(Bound::Unbounded),
            any_bytes().prop_map(Bound::Included),
            any_bytes().prop_map(Bound::Excluded)
        ]
    }

    proptest! {
        #[test]
        fn normalizing_keeps_every_key(start in any_bound(), end in any_bound(), key in any_bytes()) {
            prop_assume!((1..=KEY_BYTES_MAX).contains(&key.len()));
            let range = KeyRange::new(start, end);
            let normalized = range.clone().normalized();
            prop_assert_eq!(normalized.is_some_and(|range| range.contains(&key)), range.contains(&key));
        }

        #[test]
        fn a_normalized_range_is_one_every_engine_takes(start in any_bound(), end in any_bound()) {
            if let Some(range) = KeyRange::new(start, end).normalized() {
                let bounds = range.bounds();
                for bound in [bounds.0, bounds.1] {
                    if let Bound::Included(key) | Bound::Excluded(key) = bound {
                        prop_assert!((1..=KEY_BYTES_MAX).contains(&key.len()));
                    }
                }
                // The standard library panics for a range that is inverted.
                let map = std::collections::BTreeMap::<Vec<u8>, ()>::new();
                prop_assert_eq!(map.range::<[u8], _>(bounds).count(), 0);
            }
        }

        #[test]
        fn a_prefix_contains_what_begins_with_it(prefix in any_bytes(), key in any_bytes()) {
            prop_assert_eq!(KeyRange::prefix(&prefix).contains(&key), key.starts_with(&prefix));
        }
    }

    #[test]
    fn no_key_is_left_beyond_the_last() {
        let all = KeyRange::from(b"a"..=b"b");
        assert_eq!(all.clone().beyond(b"b".to_vec(), Direction::Forward), None);
        assert_eq!(all.clone().beyond(b"a".to_vec(), Direction::Backward), None);
        let rest = all.beyond(b"a".to_vec(), Direction::Forward).unwrap();
        assert!(rest.contains(b"b") && !rest.contains(b"a"));
    }
}

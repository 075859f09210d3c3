//! What a serializable transaction has read so far.
//!
//! Keys that were absent are kept like others, and a scan is kept as the range
//! that it has gone through. So whatever could change an answer lies in here.

use std::collections::{BTreeMap, BTreeSet};

use crate::{KeyRange, KeyspaceName};

/// How many keys and ranges are kept for each keyspace. Beyond it, all of the
/// keyspace counts as read: memory stays bounded, and more transactions conflict.
pub const TRANSACTION_READS_MAX: usize = 64 * 1024;

/// What was read of one keyspace.
#[derive(Debug, Default)]
pub(crate) struct SpaceReads {
    pub(crate) keys: BTreeSet<Vec<u8>>,
    /// [Normalized](KeyRange::normalized) ones.
    pub(crate) ranges: Vec<KeyRange>,
    /// Whether that is one range, of every key.
    everything: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Reads {
    spaces: BTreeMap<String, SpaceReads>,
}

impl Reads {
    pub(super) fn add_key(&mut self, keyspace: KeyspaceName<'_>, key: &[u8]) {
        let space = self.space(keyspace);
        if !space.everything && !space.keys.contains(key) {
            space.keys.insert(key.to_vec());
            space.bound();
        }
    }

    pub(super) fn add_range(&mut self, keyspace: KeyspaceName<'_>, range: KeyRange) {
        let space = self.space(keyspace);
        // The same scan again and again is kept once.
        if !space.everything && space.ranges.last() != Some(&range) {
            space.ranges.push(range);
            space.bound();
        }
    }

    pub(crate) fn spaces(&self) -> impl Iterator<Item = (&str, &SpaceReads)> {
        self.spaces.iter().map(|(name, reads)| (name.as_str(), reads))
    }

    fn space(&mut self, keyspace: KeyspaceName<'_>) -> &mut SpaceReads {
        self.spaces.entry(keyspace.as_str().to_owned()).or_default()
    }
}

impl SpaceReads {
    fn bound(&mut self) {
        if self.keys.len() + self.ranges.len() > TRANSACTION_READS_MAX {
            self.keys.clear();
            self.ranges = vec![KeyRange::all()];
            self.everything = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn very_many_reads_count_as_all_of_their_keyspace() {
        let mut reads = Reads::default();
        for n in 0..=TRANSACTION_READS_MAX {
            reads.add_key("items".into(), &n.to_le_bytes());
        }
        reads.add_key("items".into(), b"one more");
        reads.add_key("users".into(), b"key");
        let kept: Vec<_> = reads
            .spaces()
            .map(|(name, space)| (name, space.keys.len(), space.ranges.len()))
            .collect();
        assert_eq!(kept, [("items", 0, 1), ("users", 1, 0)]);
    }
}

//! The keys that records have in the log, and the digests behind them.

use tidal_types::LogId;

use crate::RecordKind;

/// What the keys of a log's digests are derived for.
const CONTEXT: &str = "tidalDB tidal-wal v1 deduplication by content";

/// The deduplication key of a record in the log. Those that clients chose and
/// those of contents never meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RecordKey {
    /// The client chose it.
    Client([u8; 16]),
    /// It is the digest of the content: BLAKE3 of kind and payload, keyed by the
    /// identity of the log, or of the first of the line that it was salvaged from
    /// ([`Parent::root`](crate::Parent::root)), the first 128 bits.
    Content([u8; 16]),
}

/// What the content of a record comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ContentDigest {
    /// The key of the content.
    pub(crate) key: [u8; 16],
    /// What tells contents apart that have the same key.
    pub(crate) fingerprint: u64,
}

/// Digests contents for one line of logs, see `format/parent.rs`. No other has the same
/// keys, so nobody can prepare two contents that meet in a log to come.
#[derive(Debug)]
pub(crate) struct ContentHasher([u8; 32]);

impl ContentHasher {
    /// `root` is the first log of the line.
    pub(crate) fn new(root: LogId) -> Self {
        Self(blake3::derive_key(CONTEXT, &root.to_bytes()))
    }

    /// The digest of a record: its kind, one byte, then its payload.
    pub(crate) fn digest(&self, kind: RecordKind, payload: &[u8]) -> ContentDigest {
        let mut hasher = blake3::Hasher::new_keyed(&self.0);
        hasher.update(&[kind.0]);
        hasher.update(payload);
        let digest = hasher.finalize();
        let mut reader = tidal_types::ByteReader::new(digest.as_bytes());
        let halves = reader.array().zip(reader.u64());
        let (key, fingerprint) = halves.expect("a BLAKE3 digest has 32 bytes");
        ContentDigest { key, fingerprint }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// R25: content keys are kept in logs, so they must not change.
    #[test]
    fn digests_are_what_they_were() {
        let hasher = ContentHasher::new(LogId::from_bytes(*b"0123456789abcdef"));
        let digest = hasher.digest(RecordKind(7), b"payload");
        let key: String = digest.key.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(
            (key.as_str(), digest.fingerprint),
            ("4bef6ae6fd3c173c6c3dd4c172729e83", 1_653_289_078_266_571_830)
        );
    }

    #[test]
    fn kind_payload_and_log_all_matter() {
        let hasher = ContentHasher::new(LogId::from_bytes([1; 16]));
        let other = ContentHasher::new(LogId::from_bytes([2; 16]));
        let digest = hasher.digest(RecordKind(7), b"x");
        assert_eq!(digest, hasher.digest(RecordKind(7), b"x"));
        for another in [
            hasher.digest(RecordKind(8), b"x"),
            hasher.digest(RecordKind(7), b"y"),
            other.digest(RecordKind(7), b"x"),
        ] {
            assert_ne!(digest.key, another.key);
            assert_ne!(digest.fingerprint, another.fingerprint);
        }
    }
}

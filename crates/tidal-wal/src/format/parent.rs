//! The parent of a log, as the header of a segment has it. Little-endian.
//!
//! | size | field                                               |
//! |------|-----------------------------------------------------|
//! | 16   | LogId of the parent                                 |
//! | 8    | last seq taken over                                 |
//! | 32   | digest of the parent's chain behind the last group taken over |
//! | 16   | LogId of the root: the first log of the line, which has no parent |
//!
//! All zero means that there is no parent: no log has that LogId.
//!
//! The keys of contents are made from the root's identity, so they are the same in all
//! logs of a line: what repeats a record that was taken over, or one that was cut off
//! before and that only a checkpoint knows by its key, is a repeat in the new log too.

use tidal_types::{ByteReader, LogId, Position, Seq};

use super::Digest;

/// The length of it, in bytes.
pub(crate) const PARENT_BYTES: usize = 72;

const NO_LOG: LogId = LogId::from_bytes([0; 16]);

/// The log whose records another one took over when it was salvaged, and how far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parent {
    /// The last record that was taken over; [`Seq::ZERO`], or the one before the first
    /// that the parent still had, when there was none.
    pub position: Position,
    /// The digest of the parent's chain there.
    pub digest: Digest,
    /// The first log of the line, from whose identity the keys of contents are made: the
    /// parent, unless that was salvaged itself.
    pub root: LogId,
}

impl Parent {
    pub(crate) fn encode(parent: Option<&Self>) -> [u8; PARENT_BYTES] {
        let mut bytes = [0; PARENT_BYTES];
        if let Some(Self { position, digest, root }) = parent {
            let (log_id, rest) = bytes.split_at_mut(16);
            let (seq, rest) = rest.split_at_mut(8);
            let (digest_bytes, root_bytes) = rest.split_at_mut(32);
            log_id.copy_from_slice(&position.log_id.to_bytes());
            seq.copy_from_slice(&position.seq.get().to_le_bytes());
            digest_bytes.copy_from_slice(&digest.to_bytes());
            root_bytes.copy_from_slice(&root.to_bytes());
        }
        bytes
    }

    /// Takes it off the bytes: the outer `None` when there are too few, or when
    /// something is said of no log, or of one without a root.
    #[expect(clippy::option_option, reason = "no parent is a decoded value")]
    pub(crate) fn decode(bytes: &mut ByteReader<'_>) -> Option<Option<Self>> {
        let log_id = LogId::from_bytes(bytes.array()?);
        let seq = Seq::new(bytes.u64()?);
        let digest = Digest::from_bytes(bytes.array()?);
        let root = LogId::from_bytes(bytes.array()?);
        if log_id != NO_LOG && root != NO_LOG {
            return Some(Some(Self { position: Position { log_id, seq }, digest, root }));
        }
        let says_nothing = log_id == root && seq == Seq::ZERO && digest == Digest::ZERO;
        says_nothing.then_some(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parent() -> Parent {
        let position = Position { log_id: LogId::from_bytes([1; 16]), seq: Seq::new(258) };
        let root = LogId::from_bytes([3; 16]);
        Parent { position, digest: Digest::from_bytes([2; 32]), root }
    }

    /// R25: the bytes of version 1 do not change.
    #[test]
    fn a_parent_is_what_it_was() {
        let bytes = Parent::encode(Some(&parent()));
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(
            hex,
            ["01".repeat(16), "0201000000000000".into(), "02".repeat(32), "03".repeat(16)].concat()
        );
        assert_eq!(Parent::decode(&mut ByteReader::new(&bytes)), Some(Some(parent())));
        assert_eq!(Parent::encode(None), [0; PARENT_BYTES]);
    }

    #[test]
    fn nothing_is_said_of_no_log() {
        let none = Parent::encode(None);
        assert_eq!(Parent::decode(&mut ByteReader::new(&none)), Some(None));
        for offset in 16..PARENT_BYTES {
            let mut bytes = none;
            bytes[offset] = 1;
            assert_eq!(Parent::decode(&mut ByteReader::new(&bytes)), None, "{offset}");
        }
        for length in 0..PARENT_BYTES {
            assert_eq!(Parent::decode(&mut ByteReader::new(&none[..length])), None);
        }
    }
}

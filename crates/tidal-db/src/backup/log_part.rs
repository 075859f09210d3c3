//! What the manifest of a backup says of the log, as the extras of the manifest of
//! storage. Little-endian.
//!
//! | size | field                                                             |
//! |------|-------------------------------------------------------------------|
//! | 1    | version, 1                                                        |
//! | 8    | last record that anything in storage may come from                |
//! | 8    | first record in the log                                           |
//! | 8    | last record in the log                                            |
//! | 32   | digest of the chain behind it                                     |
//! | 4    | number of files; for each, in ascending order of names:           |
//! | 1, n | ... length of its name, the name                                  |
//! | 8    | ... length of the file                                            |
//! | 32   | ... BLAKE3 of the file                                            |
//!
//! The LogId and the applied record are the manifest's own log position.

use tidal_types::{ByteReader, Seq};
use tidal_wal::Digest;

const VERSION: u8 = 1;

/// What a manifest says of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LogPart {
    pub(super) reach: Seq,
    pub(super) first_seq: Seq,
    pub(super) last_seq: Seq,
    pub(super) digest: Digest,
    pub(super) files: Vec<LogFile>,
}

/// One file of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LogFile {
    pub(super) name: String,
    pub(super) bytes: u64,
    pub(super) digest: [u8; 32],
}

impl LogPart {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![VERSION];
        for seq in [self.reach, self.first_seq, self.last_seq] {
            bytes.extend_from_slice(&seq.get().to_le_bytes());
        }
        bytes.extend_from_slice(&self.digest.to_bytes());
        let count = u32::try_from(self.files.len()).expect("a log has few files");
        bytes.extend_from_slice(&count.to_le_bytes());
        for file in &self.files {
            bytes.push(u8::try_from(file.name.len()).expect("the names of a log are short"));
            bytes.extend_from_slice(file.name.as_bytes());
            bytes.extend_from_slice(&file.bytes.to_le_bytes());
            bytes.extend_from_slice(&file.digest);
        }
        bytes
    }

    /// `None` when the bytes are of another version, or not what was written.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut reader = ByteReader::new(bytes);
        if reader.u8()? != VERSION {
            return None;
        }
        let [reach, first_seq, last_seq] =
            [Seq::new(reader.u64()?), Seq::new(reader.u64()?), Seq::new(reader.u64()?)];
        let digest = Digest::from_bytes(reader.array()?);
        let mut files = Vec::new();
        // Each is taken off the bytes, so a count that is too high ends with them.
        for _ in 0..reader.u32()? {
            let length = usize::from(reader.u8()?);
            files.push(LogFile {
                name: String::from_utf8(reader.take(length)?.to_vec()).ok()?,
                bytes: reader.u64()?,
                digest: reader.array()?,
            });
        }
        let is_sound = files.is_sorted_by(|one, next| one.name < next.name)
            && files.iter().all(|file| !file.name.contains(['/', '\\']));
        let part = Self { reach, first_seq, last_seq, digest, files };
        (reader.is_empty() && is_sound).then_some(part)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const GOLDEN: &str = "010300000000000000010000000000000005000000000000\
        0007070707070707070707070707070707070707070707070707070707070707070100000005464c4f4f52\
        09000000000000000808080808080808080808080808080808080808080808080808080808080808";

    fn part() -> LogPart {
        let file = LogFile { name: "FLOOR".into(), bytes: 9, digest: [8; 32] };
        LogPart {
            reach: Seq::new(3),
            first_seq: Seq::FIRST,
            last_seq: Seq::new(5),
            digest: Digest::from_bytes([7; 32]),
            files: vec![file],
        }
    }

    /// R25: the bytes of version 1 do not change.
    #[test]
    fn the_bytes_are_those_of_version_1() {
        let hex: String = part().encode().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, GOLDEN);
        assert_eq!(LogPart::decode(&part().encode()), Some(part()));
    }

    #[test]
    fn what_is_cut_short_or_another_version_is_refused() {
        let bytes = part().encode();
        for length in 0..bytes.len() {
            assert_eq!(LogPart::decode(&bytes[..length]), None, "{length}");
        }
        assert_eq!(LogPart::decode(&[&bytes[..], &[0]].concat()), None);
        assert_eq!(LogPart::decode(&[&[2], &bytes[1..]].concat()), None);
        let mut outside = part();
        outside.files[0].name = "../FLOOR".into();
        assert_eq!(LogPart::decode(&outside.encode()), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_refused_or_read(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Some(part) = LogPart::decode(&bytes) {
                prop_assert_eq!(part.encode(), bytes);
            }
        }
    }
}

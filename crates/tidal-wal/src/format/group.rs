//! A group: the records that one sync covers. Little-endian.
//!
//! | offset | size | field                                                     |
//! |--------|------|-----------------------------------------------------------|
//! | 0      | 4    | magic `TGRP`                                              |
//! | 4      | 4    | CRC32C of all after, header and body                      |
//! | 8      | 8    | nonce of the segment                                      |
//! | 16     | 4    | length of the body                                        |
//! | 20     | 4    | number of records                                         |
//! | 24     | 8    | seq of the first record, or of the next one in a marker   |
//! | 32     | 8    | log time, nanoseconds; never before that of the group before |
//! | 40     | 8    | promise: all below this offset of the log was synced      |
//! | 48     | 1    | kind: 1 records, 2 marker (no records)                    |
//! | 49     | 7    | zero (byte 49 is kept for compression)                    |
//! | 56     | 32   | digest of the chain after this group                      |
//! | 88     | n    | body: records, see `record.rs`                            |
//! | 88 + n |      | zero up to the next multiple of the alignment             |
//!
//! Offsets of the log count from the first byte of the first segment.
//!
//! U1. A group begins at a multiple of the segment's alignment and never spans
//!     segments, so no later write touches a block of that size that holds part of it. A
//!     disk that tears a larger unit than the alignment needs a larger alignment.
//! U2. Checks come before trust: length, then nonce and checksum, then chain, then
//!     the fields, then the records. So what passes as far as the chain was
//!     written by a log, whole, and is never taken for a torn write.
//! U3. The promise never exceeds what a sync has confirmed.

use tidal_types::{ByteReader, Seq, Timestamp};

use super::{ChainInput, Digest};
use crate::limits::GROUP_BYTES_MAX;

/// The length of a group's header, in bytes.
pub(crate) const GROUP_HEADER_BYTES: usize = 88;

const MAGIC: [u8; 4] = *b"TGRP";
const CRC_END: usize = 8;
const CHAINED_END: usize = 56;

/// What a group is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum GroupKind {
    /// It holds records.
    Records,
    /// It holds none, and says how far the log is synced.
    Marker,
}

/// What the header of a group says, apart from lengths and checksums.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct GroupHeader {
    pub(crate) nonce: u64,
    pub(crate) body_bytes: u32,
    pub(crate) record_count: u32,
    pub(crate) first_seq: Seq,
    pub(crate) log_time: Timestamp,
    pub(crate) promise: u64,
    pub(crate) kind: GroupKind,
    pub(crate) digest: Digest,
}

/// Why bytes are not the next group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum GroupFlaw {
    /// Nothing was ever written here.
    Zero,
    Magic,
    Length,
    Checksum,
    Nonce,
    Chain,
    Fields,
    /// A block of a sealed segment that cannot be unpacked.
    Block,
}

impl GroupFlaw {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Zero => "zeros where a group should begin",
            Self::Magic => "not the beginning of a group",
            Self::Length => "a group longer than the rest of its segment",
            Self::Checksum => "a group with the wrong checksum",
            Self::Nonce => "a group of another segment",
            Self::Chain => "a group that does not follow from the one before",
            Self::Block => "a block of a sealed segment that is not what was written",
            Self::Fields => {
                "a whole group that this program cannot read; a newer one may have written it"
            }
        }
    }
}

impl GroupHeader {
    /// Completes a group: `group` is room for a header and then the body.
    /// Returns the digest of the chain after it.
    pub(crate) fn seal(&self, group: &mut [u8], previous: Digest) -> Option<Digest> {
        let (header, body) = group.split_first_chunk_mut::<GROUP_HEADER_BYTES>()?;
        let mut fields = Vec::with_capacity(GROUP_HEADER_BYTES);
        fields.extend_from_slice(&MAGIC);
        fields.extend_from_slice(&[0; 4]);
        fields.extend_from_slice(&self.nonce.to_le_bytes());
        fields.extend_from_slice(&self.body_bytes.to_le_bytes());
        fields.extend_from_slice(&self.record_count.to_le_bytes());
        fields.extend_from_slice(&self.first_seq.get().to_le_bytes());
        fields.extend_from_slice(&self.log_time.as_nanos().to_le_bytes());
        fields.extend_from_slice(&self.promise.to_le_bytes());
        fields.push(match self.kind {
            GroupKind::Records => 1,
            GroupKind::Marker => 2,
        });
        fields.resize(CHAINED_END, 0);
        let digest = previous.after(ChainInput { header_fields: fields.get(CRC_END..)?, body });
        fields.extend_from_slice(&digest.to_bytes());
        header.copy_from_slice(&fields);
        let crc = crc32c::crc32c(group.get(CRC_END..)?);
        group.get_mut(CRC_END - 4..CRC_END)?.copy_from_slice(&crc.to_le_bytes());
        Some(digest)
    }

    /// Reads the lengths out of a header, before anything is trusted: how many
    /// bytes header and body take, if that fits into `room`.
    pub(crate) fn extent(header: &[u8], room: u64) -> Result<usize, GroupFlaw> {
        let mut reader = ByteReader::new(header);
        match reader.array() {
            Some(MAGIC) => {}
            Some([0, 0, 0, 0]) => return Err(GroupFlaw::Zero),
            _ => return Err(GroupFlaw::Magic),
        }
        let body_bytes = reader.take(12).and_then(|_| reader.u32()).ok_or(GroupFlaw::Length)?;
        let body_bytes = usize::try_from(body_bytes).map_err(|_| GroupFlaw::Length)?;
        let extent = GROUP_HEADER_BYTES + body_bytes;
        if body_bytes > GROUP_BYTES_MAX || extent as u64 > room {
            return Err(GroupFlaw::Length);
        }
        Ok(extent)
    }

    /// The group with these bytes, header and body, as [`GroupHeader::extent`]
    /// measured them, if it is the one after `previous` in the segment of this
    /// nonce.
    pub(crate) fn decode(group: &[u8], nonce: u64, previous: Digest) -> Result<Self, GroupFlaw> {
        check_bytes(group, nonce)?;
        let (header, body) = group.split_at_checked(GROUP_HEADER_BYTES).ok_or(GroupFlaw::Length)?;
        let (fields, digest) = header
            .get(CRC_END..)
            .and_then(|after_crc| after_crc.split_at_checked(CHAINED_END - CRC_END))
            .ok_or(GroupFlaw::Length)?;
        if previous.after(ChainInput { header_fields: fields, body }).to_bytes() != *digest {
            return Err(GroupFlaw::Chain);
        }
        Self::fields(ByteReader::new(group.get(CRC_END..).unwrap_or_default()))
            .ok_or(GroupFlaw::Fields)
    }

    /// The nonce that a group has, before anything is checked.
    pub(crate) fn nonce_of(group: &[u8]) -> Option<u64> {
        ByteReader::new(group.get(CRC_END..)?).u64()
    }

    /// The header of a group, wherever in the segment it lies and whatever is before
    /// it; `None` when these bytes are no group of this segment.
    pub(crate) fn anywhere(group: &[u8], nonce: u64) -> Option<Self> {
        check_bytes(group, nonce).ok()?;
        Self::fields(ByteReader::new(group.get(CRC_END..)?))
    }

    /// Makes the checksum right again, for who changes a group on purpose; with the
    /// digest of all before it, its own digest too, which is returned.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(crate) fn reseal(group: &mut [u8], previous: Option<Digest>) -> Option<Digest> {
        let (header, body) = group.split_first_chunk_mut::<GROUP_HEADER_BYTES>()?;
        if let Some(previous) = previous {
            let header_fields = header.get(CRC_END..CHAINED_END)?;
            let digest = previous.after(ChainInput { header_fields, body });
            header.get_mut(CHAINED_END..)?.copy_from_slice(&digest.to_bytes());
        }
        let digest = Digest::from_bytes(*header.last_chunk()?);
        let crc = crc32c::crc32c(group.get(CRC_END..)?);
        group.get_mut(CRC_END - 4..CRC_END)?.copy_from_slice(&crc.to_le_bytes());
        Some(digest)
    }

    fn fields(mut reader: ByteReader<'_>) -> Option<Self> {
        let nonce = reader.u64()?;
        let body_bytes = reader.u32()?;
        let record_count = reader.u32()?;
        let first_seq = Seq::new(reader.u64()?);
        let log_time = Timestamp::from_nanos(reader.u64()?);
        let promise = reader.u64()?;
        let kind = match reader.array::<8>()? {
            [1, 0, 0, 0, 0, 0, 0, 0] if record_count > 0 => GroupKind::Records,
            [2, 0, 0, 0, 0, 0, 0, 0] if record_count == 0 && body_bytes == 0 => GroupKind::Marker,
            _ => return None,
        };
        let digest = Digest::from_bytes(reader.array()?);
        Some(Self { nonce, body_bytes, record_count, first_seq, log_time, promise, kind, digest })
    }

    /// The first seq after this group.
    pub(crate) fn next_seq(&self) -> Seq {
        self.first_seq.plus(u64::from(self.record_count))
    }
}

/// Nonce first, since it costs nothing: bytes of a payload that look like groups
/// are passed over without a checksum each.
fn check_bytes(group: &[u8], nonce: u64) -> Result<(), GroupFlaw> {
    let mut reader = ByteReader::new(group);
    let crc = reader.take(4).and_then(|_| reader.u32()).ok_or(GroupFlaw::Length)?;
    let covered = reader.rest();
    if reader.u64() != Some(nonce) {
        return Err(GroupFlaw::Nonce);
    }
    if crc32c::crc32c(covered) == crc { Ok(()) } else { Err(GroupFlaw::Checksum) }
}

/// `offset`, rounded up to a multiple of `alignment`.
pub(crate) const fn align_up(offset: u64, alignment: u32) -> u64 {
    offset.next_multiple_of(alignment as u64)
}

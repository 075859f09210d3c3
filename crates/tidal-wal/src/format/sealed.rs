//! A sealed segment: one that takes no more groups, compressed. Little-endian.
//!
//! It begins with the page of any segment (`segment.rs`), in version 2, with these
//! fields beside:
//!
//! | offset | size | field                                                         |
//! |--------|------|---------------------------------------------------------------|
//! | 200    | 32   | digest of the chain at the end of the segment as it was written |
//! | 232    | 32   | digest of the chain at the end of the groups that are here    |
//! | 264    | 8    | end of the last group of the segment as it was written        |
//! | 272    | 8    | end of the last group that is here, in the segment as it is read |
//! | 280    | 8    | seq after that of the last record                             |
//! | 288    | 8    | length of this file                                           |
//! | 296    | 8    | number of tombstones                                          |
//! | 304    | 8    | number of times that a record was replaced                    |
//! | 312    | 8    | zero                                                          |
//!
//! Behind the page follow blocks up to the end of the file. Unpacked, they are the bytes
//! of the segment from byte 4,096 on, up to the end of its last group:
//!
//! | offset | size | field                                                         |
//! |--------|------|---------------------------------------------------------------|
//! | 0      | 4    | CRC32C of all after, header and bytes                         |
//! | 4      | 4    | number of bytes that follow the header                        |
//! | 8      | 4    | number of bytes of the segment that they are                  |
//! | 12     | 1    | how they are packed: 0 not at all, 1 as a block of LZ4        |
//! | 13     | 3    | zero                                                          |
//! | 16     | 8    | where they are, in the segment as it is read                  |
//! | 24     | n    | the bytes                                                     |
//!
//! J1. The groups of a segment that was not rewritten are what was written, bit for bit.
//!     Their chain ends in the digest at the original end.
//! J2. The groups of a rewritten one have a chain of their own, from the same beginning.
//!     It ends in the digest of what is here. Who comes to that end goes on with the
//!     digest at the original end, which the next segment names.
//! J3. Length, then checksum, then unpacking; and no length is longer than that of a
//!     block.

use tidal_types::{ByteReader, Seq};

use super::{Digest, SEGMENT_HEADER_BYTES, SegmentHeader};
use crate::limits::SEGMENT_FILE_BYTES_MAX;

/// The version of a sealed segment.
pub(crate) const SEALED_VERSION: u16 = 2;

/// How many bytes of a segment a block holds at most.
pub(crate) const SEALED_BLOCK_BYTES: usize = 64 << 10;

/// The longest that a segment can become by replaced records.
pub(crate) const SEALED_BODY_END_MAX: u64 = 2 * SEGMENT_FILE_BYTES_MAX;

const STORED: u8 = 0;
const LZ4: u8 = 1;

/// What the header of a sealed segment says beside that of any segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Seal {
    pub(crate) end_digest: Digest,
    pub(crate) body_digest: Digest,
    pub(crate) end: u64,
    pub(crate) body_end: u64,
    pub(crate) next_seq: Seq,
    pub(crate) stored_bytes: u64,
    pub(crate) tombstones: u64,
    pub(crate) replaced: u64,
}

impl Seal {
    pub(super) fn encode(&self, page: &mut Vec<u8>) {
        page.extend_from_slice(&self.end_digest.to_bytes());
        page.extend_from_slice(&self.body_digest.to_bytes());
        for field in [
            self.end,
            self.body_end,
            self.next_seq.get(),
            self.stored_bytes,
            self.tombstones,
            self.replaced,
        ] {
            page.extend_from_slice(&field.to_le_bytes());
        }
    }

    pub(super) fn decode(page: &mut ByteReader<'_>) -> Option<Self> {
        Some(Self {
            end_digest: Digest::from_bytes(page.array()?),
            body_digest: Digest::from_bytes(page.array()?),
            end: page.u64()?,
            body_end: page.u64()?,
            next_seq: Seq::new(page.u64()?),
            stored_bytes: page.u64()?,
            tombstones: page.u64()?,
            replaced: page.u64()?,
        })
    }

    /// Whether the records are not all as they were written.
    pub(crate) fn is_rewritten(&self) -> bool {
        self.body_digest != self.end_digest
    }

    /// Whether it can be that of a segment with this header.
    pub(super) fn is_possible_in(&self, header: &SegmentHeader) -> bool {
        let begin = SEGMENT_HEADER_BYTES as u64;
        let is_whole = |end: u64| end.is_multiple_of(u64::from(header.alignment));
        let is_changed = self.body_end != self.end || self.tombstones != 0 || self.replaced != 0;
        (begin..=header.file_bytes).contains(&self.end)
            && is_whole(self.end)
            && (begin..=SEALED_BODY_END_MAX).contains(&self.body_end)
            && is_whole(self.body_end)
            && header.base_offset.checked_add(self.body_end).is_some()
            && header.first_seq <= self.next_seq
            && self.tombstones <= self.next_seq.get() - header.first_seq.get()
            && self.stored_bytes >= begin
            && self.is_rewritten() == is_changed
    }
}

/// The header of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BlockHeader {
    crc: u32,
    /// How many bytes follow it.
    pub(crate) packed_bytes: usize,
    /// How many bytes of the segment they are.
    pub(crate) bytes: usize,
    packing: u8,
    /// Where they are, in the segment as it is read.
    pub(crate) offset: u64,
}

/// Why a block cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BlockFlaw;

impl BlockHeader {
    /// The length of the header, in bytes.
    pub(crate) const BYTES: usize = 24;

    /// The block of these bytes of a segment, which lie at `offset` there, header and
    /// all.
    pub(crate) fn pack(bytes: &[u8], offset: u64) -> Vec<u8> {
        let packed = lz4_flex::block::compress(bytes);
        let (packing, packed) =
            if packed.len() < bytes.len() { (LZ4, packed.as_slice()) } else { (STORED, bytes) };
        let length = |bytes: &[u8]| u32::try_from(bytes.len()).expect("a block is far below 4 GiB");
        let mut covered = Vec::with_capacity(Self::BYTES + packed.len());
        covered.extend_from_slice(&length(packed).to_le_bytes());
        covered.extend_from_slice(&length(bytes).to_le_bytes());
        covered.extend_from_slice(&[packing, 0, 0, 0]);
        covered.extend_from_slice(&offset.to_le_bytes());
        covered.extend_from_slice(packed);
        let crc = crc32c::crc32c(&covered);
        covered.splice(0..0, crc.to_le_bytes());
        covered
    }

    /// Reads the lengths, before anything is trusted.
    pub(crate) fn decode(header: &[u8]) -> Result<Self, BlockFlaw> {
        let fields = |mut reader: ByteReader<'_>| {
            let header = Self {
                crc: reader.u32()?,
                packed_bytes: usize::try_from(reader.u32()?).ok()?,
                bytes: usize::try_from(reader.u32()?).ok()?,
                packing: reader.u8()?,
                offset: (reader.array()? == [0; 3]).then(|| reader.u64())??,
            };
            let is_possible = match header.packing {
                STORED => header.packed_bytes == header.bytes,
                LZ4 => header.packed_bytes < header.bytes,
                _ => false,
            };
            let lengths = 1..=SEALED_BLOCK_BYTES;
            (lengths.contains(&header.bytes) && is_possible).then_some(header)
        };
        fields(ByteReader::new(header)).ok_or(BlockFlaw)
    }

    /// Unpacks a block, header and all, into room for its bytes (J3).
    pub(crate) fn unpack(&self, block: &[u8], room: &mut [u8]) -> Result<(), BlockFlaw> {
        let covered = block.get(4..).ok_or(BlockFlaw)?;
        let packed = block.get(Self::BYTES..).ok_or(BlockFlaw)?;
        if crc32c::crc32c(covered) != self.crc {
            return Err(BlockFlaw);
        }
        if self.packing == STORED {
            let is_whole = packed.len() == room.len();
            return is_whole.then(|| room.copy_from_slice(packed)).ok_or(BlockFlaw);
        }
        let length = lz4_flex::block::decompress_into(packed, room).map_err(|_| BlockFlaw)?;
        if length == room.len() { Ok(()) } else { Err(BlockFlaw) }
    }

    /// Makes the checksum of a block right again, for who changes it on purpose.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(crate) fn reseal(block: &mut [u8]) {
        if let Some((crc, covered)) = block.split_first_chunk_mut() {
            *crc = crc32c::crc32c(covered).to_le_bytes();
        }
    }
}

#[cfg(test)]
mod tests;

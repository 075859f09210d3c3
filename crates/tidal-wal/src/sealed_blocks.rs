//! The blocks of a sealed segment, unpacked one after the other.
//!
//! J4. What is unpacked is the segment as it is read, from its first group to the end of
//!     its last one, without a gap. The first block that cannot be used is where it ends.

use std::io;

use crate::disk::DiskFile;
use crate::format::{
    BlockFlaw, BlockHeader, SEALED_BLOCK_BYTES, SEALED_BODY_END_MAX, SEGMENT_HEADER_BYTES, Seal,
};

/// Where in the file the next block is.
#[derive(Debug)]
pub(crate) struct Blocks {
    next: u64,
    /// Where the blocks end.
    end: u64,
    /// The last block that was read, as it is in the file.
    block: Vec<u8>,
}

impl Blocks {
    /// Those of a segment whose file has `file_bytes`.
    pub(crate) fn new(seal: &Seal, file_bytes: u64) -> Self {
        let end = seal.stored_bytes.min(file_bytes);
        Self { next: SEGMENT_HEADER_BYTES as u64, end, block: Vec::new() }
    }

    /// Begins anew with the first one.
    pub(crate) const fn start_over(&mut self) {
        self.next = SEGMENT_HEADER_BYTES as u64;
    }

    /// Reads the next block, which must be the one of the bytes at `offset` of the
    /// segment.
    pub(crate) fn read(
        &mut self,
        file: &dyn DiskFile,
        offset: u64,
    ) -> io::Result<Result<BlockHeader, BlockFlaw>> {
        let Some(header) = self.bytes(file, BlockHeader::BYTES)? else {
            return Ok(Err(BlockFlaw));
        };
        let header = match BlockHeader::decode(header) {
            Ok(header) if header.offset == offset => header,
            _ => return Ok(Err(BlockFlaw)),
        };
        let extent = BlockHeader::BYTES + header.packed_bytes;
        Ok(self.bytes(file, extent)?.map(|_| header).ok_or(BlockFlaw))
    }

    /// Unpacks the block that was read, and goes on to the one behind it.
    pub(crate) fn unpack(
        &mut self,
        header: &BlockHeader,
        room: &mut [u8],
    ) -> Result<(), BlockFlaw> {
        header.unpack(&self.block, room)?;
        self.next += self.block.len() as u64;
        Ok(())
    }

    /// Whether there is no block behind the last one.
    pub(crate) const fn at_end(&self) -> bool {
        self.next == self.end
    }

    /// The bytes at the next block, if the file has so many.
    fn bytes(&mut self, file: &dyn DiskFile, length: usize) -> io::Result<Option<&[u8]>> {
        if self.end.saturating_sub(self.next) < length as u64 {
            return Ok(None);
        }
        self.block.resize(length, 0);
        file.read_exact_at(&mut self.block, self.next)?;
        Ok(Some(&self.block))
    }
}

/// What the blocks of a damaged sealed segment are, as far as they can be unpacked: each
/// where it was, and zeros between. `file` is all of the file. A block lies no further on
/// than those before it can reach, so a short file takes little room.
pub(crate) fn unpack_sound(file: &[u8]) -> Vec<u8> {
    let mut segment = Vec::new();
    let mut end_max = SEGMENT_HEADER_BYTES as u64;
    let mut rest = file.get(SEGMENT_HEADER_BYTES..).unwrap_or_default();
    while let Ok(header) = BlockHeader::decode(rest) {
        let extent = BlockHeader::BYTES + header.packed_bytes;
        let Some((block, behind)) = rest.split_at_checked(extent) else {
            break;
        };
        rest = behind;
        end_max = (end_max + SEALED_BLOCK_BYTES as u64).min(SEALED_BODY_END_MAX);
        let mut bytes = vec![0; header.bytes];
        let from = usize::try_from(header.offset).ok().filter(|&from| {
            let end = from.saturating_add(header.bytes) as u64;
            from >= segment.len() && end <= end_max
        });
        if let Some(from) = from
            && header.unpack(block, &mut bytes).is_ok()
        {
            segment.resize(from, 0);
            segment.extend_from_slice(&bytes);
        }
    }
    segment
}

#[cfg(test)]
mod tests {
    use super::*;

    /// R19: a block that says that it lies far away takes no room up to there.
    #[test]
    fn a_short_file_takes_little_room() {
        let begin = SEGMENT_HEADER_BYTES as u64;
        let block = [7; 100];
        for (offset, expected) in [
            (begin, SEGMENT_HEADER_BYTES + 100),
            (begin + SEALED_BLOCK_BYTES as u64 - 100, SEGMENT_HEADER_BYTES + SEALED_BLOCK_BYTES),
            (begin + SEALED_BLOCK_BYTES as u64, 0),
            (SEALED_BODY_END_MAX - 100, 0),
            (u64::MAX, 0),
        ] {
            let mut file = vec![0; SEGMENT_HEADER_BYTES];
            file.extend(BlockHeader::pack(&block, offset));
            assert_eq!(unpack_sound(&file).len(), expected, "{offset}");
        }
    }
}

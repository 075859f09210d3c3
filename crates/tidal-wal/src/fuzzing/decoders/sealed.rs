//! The blocks of a sealed segment, and the walk over one.

use super::{ALIGNMENT, NONCE};
use crate::format::{
    BlockHeader, Digest, SEALED_BLOCK_BYTES, SEGMENT_HEADER_BYTES, Seal, SegmentHeader,
    SegmentNumber, align_up,
};
use crate::read_buffer::ReadBuffer;
use crate::sealed_blocks::unpack_sound;
use crate::sim::SimDisk;
use crate::walk::walk;
use crate::{LogId, Seq, Timestamp};

/// Reads any bytes as blocks, and packed into blocks as the groups of a segment.
pub(super) fn decode(bytes: &[u8]) {
    let mut block = bytes.to_vec();
    decode_block(&block);
    BlockHeader::reseal(&mut block);
    decode_block(&block);
    walk_blocks(&block, (SEGMENT_HEADER_BYTES + bytes.len()) as u64);

    let mut blocks = Vec::new();
    let mut offset = SEGMENT_HEADER_BYTES as u64;
    // Short ones, so that a group may lie in several.
    for piece in bytes.chunks(700) {
        blocks.extend(BlockHeader::pack(piece, offset));
        offset += piece.len() as u64;
    }
    walk_blocks(&blocks, offset);
}

fn decode_block(block: &[u8]) {
    let Ok(header) = BlockHeader::decode(block) else {
        return;
    };
    assert!((1..=SEALED_BLOCK_BYTES).contains(&header.bytes));
    assert!(header.packed_bytes <= header.bytes);
    let extent = BlockHeader::BYTES + header.packed_bytes;
    if let Some(block) = block.get(..extent) {
        let mut bytes = vec![0; header.bytes];
        if header.unpack(block, &mut bytes).is_ok() {
            let again = BlockHeader::pack(&bytes, header.offset);
            let found = BlockHeader::decode(&again).expect("what is packed is a block");
            assert_eq!((found.bytes, found.offset), (header.bytes, header.offset));
        }
    }
}

/// A segment with these blocks, which ends at `end`.
fn walk_blocks(blocks: &[u8], end: u64) {
    let end = align_up(end, ALIGNMENT);
    let digest = Digest::from_bytes([9; 32]);
    let mut header = SegmentHeader {
        alignment: ALIGNMENT,
        log_id: LogId::from_bytes(*b"0123456789abcdef"),
        number: SegmentNumber::new(3),
        first_seq: Seq::new(100),
        base_offset: 1 << 20,
        file_bytes: end,
        nonce: NONCE,
        created: Timestamp::from_secs(1_700_000_000),
        in_flight_bytes_max: u64::MAX,
        previous_end: 8192,
        previous_digest: digest,
        parent: None,
        seal: None,
    };
    header.seal = Some(Seal {
        end_digest: digest,
        body_digest: digest,
        end,
        body_end: end,
        next_seq: Seq::new(1 << 40),
        stored_bytes: (SEGMENT_HEADER_BYTES + blocks.len()) as u64,
        tombstones: 0,
        replaced: 0,
    });
    let mut file = header.encode();
    file.extend_from_slice(blocks);
    assert!(unpack_sound(&file).len() as u64 <= end.max(1 << 32));
    let disk = SimDisk::new(0);
    disk.put("segment", &file);
    let buffer = ReadBuffer::open_segment(&disk, "segment", &header, file.len() as u64);
    let mut buffer = buffer.expect("the file is there");
    let mut next = header.first_seq;
    let found = walk(&mut buffer, &header, None, &mut |record, _| {
        assert_eq!(record.seq, next, "records out of order");
        next = record.seq.next();
    })
    .expect("nothing fails on this disk");
    assert!(found.end <= end && found.end.is_multiple_of(ALIGNMENT.into()));
}

//! Every decoder, and the walk over a segment, on the same bytes.
//!
//! Random bytes do not get past a checksum, so each is also given the bytes with the
//! checksums made right.

mod sealed;

use tidal_types::{ByteReader, LogId, Seq, Timestamp};

use crate::format::{
    Before, CHECKPOINT_DIGEST_BYTES, CHECKPOINT_HEADER_BYTES, Checkpoint, CheckpointHeader,
    CursorFlaw, CursorSlot, Digest, Floor, GROUP_HEADER_BYTES, GroupFlaw, GroupHeader,
    SEGMENT_HEADER_BYTES, SegmentHeader, SegmentNumber, align_up, put_entry, read_record,
};
use crate::read_buffer::ReadBuffer;
use crate::sim::SimDisk;
use crate::walk::{Stop, Walk, walk};

/// That of the golden fixtures, so that they get as far as they can.
const NONCE: u64 = 0x1122_3344_5566_7788;
const ALIGNMENT: u32 = 512;

/// Reads any bytes as each of the structures of a log. Panics when a property of
/// reading does not hold.
pub fn decode(bytes: &[u8]) {
    decode_records(bytes);
    decode_floor(bytes);
    decode_cursors(bytes);
    decode_checkpoint(bytes);
    decode_segment_header(bytes);
    decode_group(bytes);
    walk_segment(bytes);
    sealed::decode(bytes);
}

fn decode_records(bytes: &[u8]) {
    let mut body = ByteReader::new(bytes);
    let mut before = Before::default();
    let mut rest = bytes.len();
    while let Some(frame) = read_record(&mut body, &mut before) {
        assert!(frame.payload.len() < rest, "a record without a frame");
        rest = body.rest().len();
    }
}

fn decode_floor(bytes: &[u8]) {
    if let Ok(newest) = Floor::decode_newest(bytes) {
        assert!(newest.is_none_or(|floor| bytes.len() >= floor.encode().len()));
    }
    // At least one slot, and never more than two.
    let mut file = b"TIDALFLR".to_vec();
    file.extend_from_slice(bytes);
    file.resize(file.len().clamp(4096, 8192).next_multiple_of(4096), 0);
    Floor::reseal(&mut file);
    match Floor::decode_newest(&file) {
        Ok(Some(floor)) => {
            let slots = file.chunks(4096);
            assert!(slots.into_iter().any(|slot| slot == floor.encode()), "not what is there");
        }
        Ok(None) => panic!("a sound slot is passed over"),
        Err(_) => {}
    }
}

fn decode_cursors(bytes: &[u8]) {
    let length = 2 * CursorSlot::BYTES;
    let mut file = b"TIDALCUR".to_vec();
    file.extend_from_slice(bytes);
    file.resize(length, 0);
    for is_sealed in [false, true] {
        if is_sealed {
            CursorSlot::reseal(&mut file);
        }
        match CursorSlot::decode_newest(&file) {
            Ok(newest) => {
                let mut slots = file.chunks(CursorSlot::BYTES);
                assert!(slots.any(|slot| slot == newest.encode()), "not what is there");
            }
            Err(CursorFlaw::NoSlot) => assert!(!is_sealed, "a sound slot is passed over"),
            Err(CursorFlaw::Fields | CursorFlaw::Version(_)) => {}
        }
    }
    let mut rest = bytes.to_vec();
    CursorSlot::reseal(&mut rest);
    if let Ok(newest) = CursorSlot::decode_newest(&rest) {
        assert!(rest.len() >= newest.encode().len());
    }
}

fn decode_checkpoint(bytes: &[u8]) {
    let mut file = bytes.to_vec();
    check_checkpoint(&file);
    Checkpoint::reseal(&mut file);
    check_checkpoint(&file);
    // With all that comes before what differs between checkpoints.
    let mut file = b"TIDALCKP\x01\0\x01\0\0\0\0\0".to_vec();
    file.extend_from_slice(bytes);
    file.resize(file.len().max(CHECKPOINT_HEADER_BYTES) + CHECKPOINT_DIGEST_BYTES, 0);
    Checkpoint::reseal(&mut file);
    check_checkpoint(&file);
}

fn check_checkpoint(file: &[u8]) {
    let Ok(extent) = CheckpointHeader::extent(file) else {
        return;
    };
    if extent != file.len() as u64 {
        return;
    }
    if let Ok(checkpoint) = Checkpoint::decode(file) {
        let mut again = checkpoint.header.encode();
        checkpoint.entries.iter().for_each(|entry| put_entry(&mut again, entry));
        again.extend_from_slice(&checkpoint.state);
        assert_eq!(file.strip_prefix(&*again).map(<[u8]>::len), Some(CHECKPOINT_DIGEST_BYTES));
    }
}

fn decode_segment_header(bytes: &[u8]) {
    let mut page = bytes.to_vec();
    page.resize(SEGMENT_HEADER_BYTES, 0);
    for is_sealed in [false, true] {
        if is_sealed {
            SegmentHeader::reseal(&mut page);
        }
        if let Ok(header) = SegmentHeader::decode(&page) {
            assert!(header.encode() == page, "what is read is not what is there");
        }
    }
}

fn decode_group(bytes: &[u8]) {
    let room = bytes.len() as u64;
    let Ok(extent) = GroupHeader::extent(bytes, room) else {
        return;
    };
    assert!((GROUP_HEADER_BYTES..=bytes.len()).contains(&extent));
    let mut group = bytes.get(..extent).unwrap_or_default().to_vec();
    // The chain of the fixtures begins like this; of anything else it is broken.
    let previous = Digest::from_bytes([9; 32]);
    check_group(&group, previous);
    GroupHeader::reseal(&mut group, None);
    check_group(&group, previous);
    GroupHeader::reseal(&mut group, Some(previous));
    check_group(&group, previous);
    let outcome = GroupHeader::decode(&group, NONCE, previous);
    assert!(
        matches!(outcome, Ok(_) | Err(GroupFlaw::Fields | GroupFlaw::Nonce)),
        "a sealed group: {outcome:?}"
    );
    if let Some(other) = bytes.last() {
        let other = Digest::from_bytes([other.wrapping_add(10); 32]);
        let outcome = GroupHeader::decode(&group, NONCE, other);
        assert!(outcome.is_err() || other == previous, "a group of another history");
    }
}

fn check_group(group: &[u8], previous: Digest) {
    if let Ok(header) = GroupHeader::decode(group, NONCE, previous) {
        assert_eq!(header.body_bytes as usize + GROUP_HEADER_BYTES, group.len());
        let anywhere = GroupHeader::anywhere(group, NONCE);
        assert_eq!(anywhere.map(|found| found.promise), Some(header.promise));
    }
}

/// The bytes as the groups of a segment: as they are, and sealed into a chain.
fn walk_segment(bytes: &[u8]) {
    let length = align_up((SEGMENT_HEADER_BYTES + bytes.len()) as u64, ALIGNMENT);
    let header = SegmentHeader {
        alignment: ALIGNMENT,
        log_id: LogId::from_bytes(*b"0123456789abcdef"),
        number: SegmentNumber::new(3),
        first_seq: Seq::new(100),
        base_offset: 1 << 20,
        file_bytes: length,
        nonce: NONCE,
        created: Timestamp::from_secs(1_700_000_000),
        in_flight_bytes_max: u64::MAX,
        previous_end: 8192,
        previous_digest: Digest::from_bytes([9; 32]),
        parent: None,
        seal: None,
    };
    let mut file = header.encode();
    file.extend_from_slice(bytes);
    file.resize(usize::try_from(length).unwrap_or(file.len()), 0);
    check_walk(&file, &header);
    for with_chain in [false, true] {
        seal_groups(&mut file, &header, with_chain);
        check_walk(&file, &header);
    }
}

/// Makes every group of a segment right as far as nonce and checksum go, and if asked the
/// chain, up to where there is no group. The digest of the chain at that end.
pub(super) fn seal_groups(file: &mut [u8], header: &SegmentHeader, with_chain: bool) -> Digest {
    let mut digest = header.previous_digest;
    let mut offset = SEGMENT_HEADER_BYTES;
    while let Some(rest) = file.get_mut(offset..) {
        let Ok(extent) = GroupHeader::extent(rest, rest.len() as u64) else {
            break;
        };
        let group = rest.get_mut(..extent).unwrap_or_default();
        // The nonce is the segment's; else it would be of no interest here.
        if let Some(nonce) = group.get_mut(8..16) {
            nonce.copy_from_slice(&header.nonce.to_le_bytes());
        }
        digest = GroupHeader::reseal(group, with_chain.then_some(digest)).unwrap_or(digest);
        offset = (offset + extent).next_multiple_of(header.alignment as usize);
    }
    digest
}

fn check_walk(file: &[u8], header: &SegmentHeader) {
    let (mut records, mut bytes, mut next) = (0, 0, header.first_seq);
    let disk = SimDisk::new(0);
    disk.put("segment", file);
    let buffer = ReadBuffer::open(&disk, "segment", file.len() as u64);
    let mut buffer = buffer.expect("the file is there");
    let found: Walk = walk(&mut buffer, header, None, &mut |record, _| {
        assert_eq!(record.seq, next, "records out of order");
        next = record.seq.next();
        records += 1;
        bytes += record.payload.len();
    })
    .expect("nothing fails on this disk");
    // The last group may be refused after some of its records were seen.
    assert!(found.records <= records);
    assert!(bytes <= file.len(), "more bytes than the file has");
    assert!(found.end <= file.len() as u64 && found.end.is_multiple_of(ALIGNMENT.into()));
    assert_eq!(found.next_seq, Seq::new(header.first_seq.get() + found.records));
    if let Stop::Broken { dirty_end, .. } = found.stop {
        assert!((found.end + 1..=file.len() as u64).contains(&dirty_end));
    }
}

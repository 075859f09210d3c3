use proptest::prelude::*;
use tidal_types::{ByteReader, LogId, Position, Producer, ProducerId, Seq, Timestamp};

use super::*;
use crate::RecordKey;
use crate::window::{Entry, Known};

const NONCE: u64 = 0x1122_3344_5566_7788;

fn header() -> SegmentHeader {
    SegmentHeader {
        alignment: 512,
        log_id: LogId::from_bytes(*b"0123456789abcdef"),
        number: SegmentNumber::new(3),
        first_seq: Seq::new(100),
        base_offset: 1 << 20,
        file_bytes: 16 << 10,
        nonce: NONCE,
        created: Timestamp::from_secs(1_700_000_000),
        in_flight_bytes_max: 4096,
        previous_end: 8192,
        previous_digest: Digest::from_bytes([9; 32]),
        parent: None,
        seal: None,
    }
}

fn parent(seq: u64) -> Parent {
    let position = Position { log_id: LogId::from_bytes(*b"fedcba9876543210"), seq: Seq::new(seq) };
    let root = LogId::from_bytes([10; 16]);
    Parent { position, digest: Digest::from_bytes([8; 32]), root }
}

fn group(body: &[u8], record_count: u32) -> Vec<u8> {
    let header = GroupHeader {
        nonce: NONCE,
        body_bytes: body.len() as u32,
        record_count,
        first_seq: Seq::new(100),
        log_time: Timestamp::from_secs(1_700_000_001),
        promise: 4096,
        kind: if record_count == 0 { GroupKind::Marker } else { GroupKind::Records },
        digest: Digest::ZERO,
    };
    let mut bytes = vec![0; GROUP_HEADER_BYTES];
    bytes.extend_from_slice(body);
    header.seal(&mut bytes, Digest::from_bytes([9; 32])).unwrap();
    bytes
}

fn put(body: &mut Vec<u8>, kind: u8, payload: &[u8]) {
    let frame = Frame { kind: RecordKind(kind), key: None, producer: None, payload };
    put_record(body, &mut Before::default(), frame);
}

fn producer(seq: u64) -> Producer {
    Producer { id: ProducerId::from_bytes(*b"producer-of-test"), epoch: 3, seq }
}

/// A batch of records with these producers; their payloads are `abc`.
fn batch_of(producers: &[Option<Producer>]) -> Vec<u8> {
    let (mut body, mut before) = (Vec::new(), Before::default());
    for &producer in producers {
        put_record(
            &mut body,
            &mut before,
            Frame { kind: RecordKind(7), key: None, producer, payload: b"abc" },
        );
    }
    body
}

/// The producers of the records of a body that is one group's.
fn producers_of(body: &[u8]) -> Option<Vec<Option<Producer>>> {
    let (mut body, mut before) = (ByteReader::new(body), Before::default());
    let mut producers = Vec::new();
    while !body.is_empty() {
        producers.push(read_record(&mut body, &mut before)?.producer);
    }
    Some(producers)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// R25: the bytes of version 1 do not change.
#[test]
fn the_format_is_what_it_was() {
    let mut body = Vec::new();
    put(&mut body, 7, b"payload");
    assert_eq!(hex(&body), "0707007061796c6f6164");
    assert_eq!(hex(&group(&body, 1)), include_str!("fixtures/group-v1.hex").trim());
    let page = header().encode();
    assert_eq!(hex(&page[..256]), include_str!("fixtures/segment-v1.hex").trim());
    assert!(page[256..4092].iter().all(|&byte| byte == 0));
    assert_eq!(hex(&page[4092..]), "7ff51f97");
    let floor = Floor {
        log_id: LogId::from_bytes(*b"0123456789abcdef"),
        generation: 5,
        synced_offset: 12_345,
        next_seq: Seq::new(77),
        oldest_segment: SegmentNumber::new(2),
        digest: Digest::from_bytes([9; 32]),
        next_checkpoint: 0x0304,
        has_cursors: true,
    };
    assert_eq!(hex(&floor.encode()[..106]), include_str!("fixtures/floor-v1.hex").trim());
}

/// R25: nor do those of records with producers.
#[test]
fn the_format_of_producers_is_what_it_was() {
    let other = Producer { epoch: 4, ..producer(11) };
    let body = batch_of(&[Some(producer(9)), Some(producer(10)), Some(other), None, None]);
    assert_eq!(hex(&body), include_str!("fixtures/producers-v1.hex").trim());
}

/// R25: nor do those of a log with a parent, and how its chain begins.
#[test]
fn the_format_of_a_child_is_what_it_was() {
    let child = SegmentHeader { parent: Some(parent(258)), ..header() };
    let page = child.encode();
    let expected = [
        "66656463626139383736353433323130",
        "0201000000000000",
        &"08".repeat(32),
        &"0a".repeat(16),
    ];
    assert_eq!(hex(&page[128..200]), expected.concat());
    assert_eq!(SegmentHeader::decode(&page), Ok(child));
    let log_id = header().log_id;
    assert_eq!(
        Digest::genesis(log_id, None).to_string(),
        "e93a1bacbb9890fe4b7178798f48f647bebac262f2f4389c9e343d3f4d088a84"
    );
    assert_eq!(
        Digest::genesis(log_id, Some(&parent(258))).to_string(),
        "50cffcf9256aa0f8548b0ba710200220d1023cf43098e091ab9869e08bcb465e"
    );
    assert_ne!(
        Digest::genesis(log_id, Some(&parent(258))),
        Digest::genesis(log_id, Some(&parent(259)))
    );
}

/// R2: only a log with a parent begins later than at record 1, and not behind what it
/// took over.
#[test]
fn the_first_segment_begins_a_log() {
    let begin = |first_seq, parent: Option<Parent>| {
        let header = SegmentHeader {
            number: SegmentNumber::FIRST,
            first_seq: Seq::new(first_seq),
            base_offset: 0,
            previous_digest: Digest::genesis(header().log_id, parent.as_ref()),
            parent,
            ..header()
        };
        SegmentHeader::decode(&header.encode()).is_ok()
    };
    for (first_seq, reaches, sound) in [
        (1, None, true),
        (2, None, false),
        (0, None, false),
        (1, Some(0), true),
        (2, Some(0), false),
        (1, Some(9), true),
        (10, Some(9), true),
        (11, Some(9), false),
        (0, Some(9), false),
    ] {
        assert_eq!(begin(first_seq, reaches.map(parent)), sound, "{first_seq} {reaches:?}");
    }
}

/// R25: nor do those of records with keys.
#[test]
fn the_format_of_keys_is_what_it_was() {
    let (mut body, mut before) = (Vec::new(), Before::default());
    let keys = [RecordKey::Client(*b"key-of-a-client!"), RecordKey::Content([0xab; 16])];
    for (key, producer) in keys.into_iter().zip([None, Some(producer(9))]) {
        let frame = Frame { kind: RecordKind(7), key: Some(key), producer, payload: b"abc" };
        let key_at = put_record(&mut body, &mut before, frame);
        assert_eq!(body[key_at - 1] & 3, if producer.is_none() { 1 } else { 2 });
    }
    assert_eq!(hex(&body), include_str!("fixtures/keys-v1.hex").trim());
}

fn checkpoint() -> Checkpoint {
    let entry = |key, seq| Entry {
        key,
        known: Known { seq: Seq::new(seq), fingerprint: 0x0123_4567_89ab_cdef },
        log_time: Timestamp::from_secs(1_700_000_000 + seq),
    };
    let entries = vec![
        entry(RecordKey::Client(*b"key-of-a-client!"), 40),
        entry(RecordKey::Content([0xab; 16]), 41),
    ];
    let header = CheckpointHeader {
        maker: Maker::Owner,
        log_id: LogId::from_bytes(*b"0123456789abcdef"),
        number: 3,
        through: Seq::new(44),
        position: Seq::new(77),
        log_time: Timestamp::from_secs(1_700_000_041),
        entry_count: 2,
        state_bytes: 5,
    };
    Checkpoint { header, entries, state: b"state".to_vec() }
}

fn encoded(checkpoint: &Checkpoint) -> Vec<u8> {
    let mut bytes = checkpoint.header.encode();
    checkpoint.entries.iter().for_each(|entry| put_entry(&mut bytes, entry));
    bytes.extend_from_slice(&checkpoint.state);
    sealed(bytes)
}

fn sealed(mut bytes: Vec<u8>) -> Vec<u8> {
    let digest = blake3::hash(&bytes);
    bytes.extend_from_slice(digest.as_bytes());
    bytes
}

/// R25
#[test]
fn the_format_of_checkpoints_is_what_it_was() {
    let bytes = encoded(&checkpoint());
    assert_eq!(hex(&bytes), include_str!("fixtures/checkpoint-v1.hex").trim());
    assert_eq!(Checkpoint::decode(&bytes), Ok(checkpoint()));
    assert_eq!(CheckpointHeader::extent(&bytes), Ok(bytes.len() as u64));
}

/// R5: another version, and fields that mean nothing, are refused and not passed over.
#[test]
fn a_checkpoint_that_says_what_no_program_of_this_version_does_is_refused() {
    let sound = encoded(&checkpoint());
    let covered = &sound[..sound.len() - 32];
    for (offset, byte, version) in
        [(8, 2, 2), (10, 0, 1), (10, 3, 1), (11, 1, 1), (80, 0, 1), (80, 3, 1), (97, 76, 1)]
    {
        let mut bytes = covered.to_vec();
        bytes[offset] = byte;
        let flaw = Checkpoint::decode(&sealed(bytes));
        assert_eq!(flaw, Err(CheckpointFlaw::Version(version)), "byte {offset}");
    }
    // Entries out of order, behind the position or after its time, and a state that
    // goes beyond what the log has.
    type Change = fn(&mut Checkpoint);
    let changes: [Change; 4] = [
        |checkpoint| checkpoint.entries.reverse(),
        |checkpoint| checkpoint.header.position = Seq::new(41),
        |checkpoint| checkpoint.header.log_time = Timestamp::from_secs(1_700_000_040),
        |checkpoint| checkpoint.header.through = Seq::new(77),
    ];
    for (index, change) in changes.into_iter().enumerate() {
        let mut checkpoint = checkpoint();
        change(&mut checkpoint);
        let flaw = Checkpoint::decode(&encoded(&checkpoint));
        assert_eq!(flaw, Err(CheckpointFlaw::Version(1)), "change {index}");
    }
}

/// R19: lengths beyond the limits are refused before anything is read.
#[test]
fn a_checkpoint_is_no_longer_than_the_limits() {
    for (offset, count) in [(64, (1_u64 << 25) + 1), (64, u64::MAX), (72, (64 << 20) + 1)] {
        let mut bytes = encoded(&checkpoint());
        bytes[offset..offset + 8].copy_from_slice(&count.to_le_bytes());
        let flaw = CheckpointHeader::extent(&bytes).unwrap_err();
        assert!(matches!(flaw, CheckpointFlaw::Invalid(_)), "{flaw:?}");
    }
}

#[test]
fn a_producer_that_follows_directly_costs_nothing() {
    let plain = batch_of(&[None; 10]).len();
    let following: Vec<_> = (0..10).map(|seq| Some(producer(seq))).collect();
    assert_eq!(batch_of(&following).len(), plain + 28);
    let gaps: Vec<_> = (0..10).map(|seq| Some(producer(seq * 2))).collect();
    assert_eq!(batch_of(&gaps).len(), plain + 280);
    assert_eq!(producers_of(&batch_of(&gaps)), Some(gaps));
}

/// E1: batches are read one behind the other, and each also without the one
/// before it.
#[test]
fn a_batch_does_not_lean_on_the_one_before() {
    let first = batch_of(&[Some(producer(1)), Some(producer(2))]);
    let second = batch_of(&[Some(producer(3)), Some(producer(4))]);
    let all: Vec<_> = (1..=4).map(|seq| Some(producer(seq))).collect();
    assert_eq!(producers_of(&[first, second.clone()].concat()), Some(all[..].to_vec()));
    assert_eq!(producers_of(&second), Some(all[2..].to_vec()));
}

#[test]
fn a_producer_that_follows_on_nothing_is_refused() {
    assert_eq!(producers_of(b"\x00\x07\x08"), None, "at the beginning");
    let mut body = batch_of(&[Some(producer(1)), None]);
    body.extend_from_slice(b"\x00\x07\x08");
    assert_eq!(producers_of(&body), None, "behind a record without one");
    let mut body = batch_of(&[Some(producer(u64::MAX))]);
    body.extend_from_slice(b"\x00\x07\x08");
    assert_eq!(producers_of(&body), None, "at the end of the numbers");
}

#[test]
fn unknown_flags_are_refused() {
    // Enough bytes for a key and a producer.
    let rest = [0; 44];
    for flags in (1..=u8::MAX).filter(|flags| ![1, 2, 4, 5, 6].contains(flags)) {
        let body = [&[0, 7, flags], &rest[..]].concat();
        let record = read_record(&mut ByteReader::new(&body), &mut Before::default());
        assert_eq!(record, None, "{flags:#010b}");
    }
}

#[test]
fn headers_round_trip_and_unknown_ones_are_refused() {
    let mut page = header().encode();
    assert_eq!(SegmentHeader::decode(&page), Ok(header()));
    let reseal = |page: &mut Vec<u8>| {
        let crc = crc32c::crc32c(&page[..4092]);
        page[4092..].copy_from_slice(&crc.to_le_bytes());
    };
    page[8] = 3;
    reseal(&mut page);
    assert_eq!(SegmentHeader::decode(&page), Err(HeaderFlaw::Version(3)));
    for offset in [10, 12, 56, 150, 200, 248, 4091] {
        let mut page = header().encode();
        page[offset] = 1;
        reseal(&mut page);
        assert!(matches!(SegmentHeader::decode(&page), Err(HeaderFlaw::Invalid(_))), "{offset}");
    }
    assert!(SegmentHeader::decode(&page[..4000]).is_err());
}

fn sealed_header() -> SegmentHeader {
    let seal = Seal {
        end_digest: Digest::from_bytes([5; 32]),
        body_digest: Digest::from_bytes([6; 32]),
        end: 12_288,
        body_end: 9216,
        next_seq: Seq::new(130),
        stored_bytes: 5000,
        tombstones: 7,
        replaced: 2,
    };
    SegmentHeader { seal: Some(seal), ..header() }
}

/// R25: today's bytes, up to where only zeros and the checksum follow.
#[test]
fn a_sealed_header_is_laid_out_as_documented() {
    let page = sealed_header().encode();
    let hex: String = page[..320].iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hex, include_str!("fixtures/sealed-header-v2.hex").trim_end());
    assert!(page[320..4092].iter().all(|&byte| byte == 0));
    assert_eq!(SegmentHeader::decode(&page), Ok(sealed_header()));
}

/// R19: what no sealed segment says, however sound its checksum.
#[test]
fn impossible_seals_are_refused() {
    let sound = sealed_header();
    let seal = sound.seal.unwrap();
    let unchanged = Seal {
        body_digest: seal.end_digest,
        body_end: seal.end,
        tombstones: 0,
        replaced: 0,
        ..seal
    };
    let header = |seal| SegmentHeader { seal: Some(seal), ..sound.clone() };
    let plain = header(unchanged);
    assert_eq!(SegmentHeader::decode(&plain.encode()), Ok(plain));
    for seal in [
        Seal { end: 12_289, ..seal },
        Seal { end: 16_896, ..seal },
        Seal { end: 2048, ..seal },
        Seal { body_end: 9217, ..seal },
        Seal { body_end: 2048, ..seal },
        Seal { body_end: 1 << 40, ..seal },
        Seal { next_seq: Seq::new(99), ..seal },
        Seal { tombstones: 31, ..seal },
        Seal { stored_bytes: 4095, ..seal },
        Seal { tombstones: 1, ..unchanged },
        Seal { replaced: 1, ..unchanged },
        Seal { body_end: 9216, ..unchanged },
        Seal { body_digest: seal.body_digest, ..unchanged },
    ] {
        let decoded = SegmentHeader::decode(&header(seal).encode());
        assert!(matches!(decoded, Err(HeaderFlaw::Invalid(_))), "{seal:?}");
    }
    let mut page = sound.encode();
    page[10] = 0;
    SegmentHeader::reseal(&mut page);
    assert!(SegmentHeader::decode(&page).is_err(), "the flag says what the digests say");
}

/// R19: every flip of a bit in a group or a header is noticed.
#[test]
fn every_flipped_bit_is_noticed() {
    let mut body = Vec::new();
    put(&mut body, 7, b"payload");
    let sound = group(&body, 1);
    let previous = Digest::from_bytes([9; 32]);
    let check = |bytes: &[u8]| {
        let extent = GroupHeader::extent(bytes, bytes.len() as u64)?;
        GroupHeader::decode(&bytes[..extent], NONCE, previous)
    };
    assert_eq!(check(&sound).unwrap().record_count, 1);
    for bit in 0..sound.len() * 8 {
        let mut flipped = sound.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(check(&flipped).is_err(), "bit {bit}");
    }
    let page = header().encode();
    for bit in 0..page.len() * 8 {
        let mut flipped = page.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(SegmentHeader::decode(&flipped).is_err(), "bit {bit}");
    }
}

#[test]
fn a_torn_slot_of_the_floor_leaves_the_other() {
    let slot = |generation| Floor {
        log_id: LogId::from_bytes([1; 16]),
        generation,
        synced_offset: generation * 1000,
        next_seq: Seq::new(generation),
        oldest_segment: SegmentNumber::FIRST,
        digest: Digest::ZERO,
        next_checkpoint: generation,
        has_cursors: generation == 5,
    };
    let mut file = vec![0; FLOOR_BYTES as usize];
    assert_eq!(Floor::decode_newest(&file), Ok(None));
    for generation in 4..=5 {
        let slot = slot(generation);
        let offset = slot.slot_offset() as usize;
        file[offset..offset + 4096].copy_from_slice(&slot.encode());
    }
    assert_eq!(Floor::decode_newest(&file), Ok(Some(slot(5))));
    file[4096 + 50] ^= 1;
    assert_eq!(Floor::decode_newest(&file), Ok(Some(slot(4))));
    assert_eq!(Floor::decode_newest(&file[..100]), Ok(None));
    // A sound slot of another version, or with more in it, is not passed over.
    for (offset, version) in [(8, 2), (104, 1), (105, 1)] {
        let mut slot = slot(6).encode();
        slot[offset] = 2;
        let crc = crc32c::crc32c(&slot[..4092]);
        slot[4092..].copy_from_slice(&crc.to_le_bytes());
        let mut file = file.clone();
        file[..4096].copy_from_slice(&slot);
        assert_eq!(Floor::decode_newest(&file), Err(version));
    }
}

proptest! {
    /// R19: reading is total.
    #[test]
    fn reading_arbitrary_bytes_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..300), room: u64) {
        if let Ok(extent) = GroupHeader::extent(&bytes, room) {
            prop_assert!(extent as u64 <= room);
            if let Some(group) = bytes.get(..extent) {
                prop_assert!(GroupHeader::decode(group, 0, Digest::ZERO).is_err());
                prop_assert_eq!(GroupHeader::anywhere(group, 0), None);
            }
        }
        prop_assert!(Checkpoint::decode(&bytes).is_err());
        prop_assert!(CheckpointHeader::extent(&bytes).is_err());
        prop_assert!(Checkpoint::decode(&sealed(bytes.clone())).is_err());
        let mut body = ByteReader::new(&bytes);
        let mut before = Before::default();
        while read_record(&mut body, &mut before).is_some() {}
    }

    #[test]
    fn records_round_trip(records in prop::collection::vec((any::<u8>(), 0_u8..3, prop::option::of((0_u8..2, 0_u32..2, prop_oneof![0_u64..4, Just(u64::MAX)])), prop::collection::vec(any::<u8>(), 0..300)), 0..20)) {
        let frames = records.iter().map(|(kind, key, producer, payload)| Frame {
            kind: RecordKind(*kind),
            key: match key {
                0 => None,
                1 => Some(RecordKey::Client([*kind; 16])),
                _ => Some(RecordKey::Content([*kind; 16])),
            },
            producer: producer.map(|(id, epoch, seq)| Producer { id: ProducerId::from_bytes([id; 16]), epoch, seq }),
            payload,
        });
        let (mut body, mut before) = (Vec::new(), Before::default());
        for frame in frames.clone() {
            put_record(&mut body, &mut before, frame);
        }
        let (mut reader, mut before) = (ByteReader::new(&body), Before::default());
        for frame in frames {
            prop_assert_eq!(read_record(&mut reader, &mut before), Some(frame));
        }
        prop_assert!(reader.is_empty());
    }
}

use proptest::prelude::*;

use super::*;

fn slot(generation: u64, places: &[(&str, u64)]) -> CursorSlot {
    let places = places.iter().map(|&(name, seq)| (name.to_owned(), Seq::new(seq))).collect();
    CursorSlot { log_id: LogId::from_bytes(*b"0123456789abcdef"), generation, places }
}

fn file(slots: &[CursorSlot]) -> Vec<u8> {
    let mut file = vec![0; CURSOR_FILE_BYTES as usize];
    for slot in slots {
        let offset = slot.slot_offset() as usize;
        file[offset..offset + SLOT_BYTES].copy_from_slice(&slot.encode());
    }
    file
}

/// Changes bytes of a slot and makes its checksum right again.
fn forged(slot: &CursorSlot, change: impl FnOnce(&mut [u8])) -> Vec<u8> {
    let mut bytes = slot.encode();
    change(&mut bytes);
    let crc = crc32c::crc32c(&bytes[..CRC_OFFSET]);
    bytes[CRC_OFFSET..].copy_from_slice(&crc.to_le_bytes());
    bytes
}

/// R25: the bytes of version 1 do not change.
#[test]
fn the_format_is_what_it_was() {
    let bytes = slot(5, &[("feed", 7), ("search-2", 300)]).encode();
    let hex: String = bytes[..200].iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hex, include_str!("../fixtures/cursors-v1.hex").trim());
    assert!(bytes[200..CRC_OFFSET].iter().all(|&byte| byte == 0));
    assert_eq!(bytes.len(), SLOT_BYTES);
}

#[test]
fn the_newest_sound_slot_counts() {
    let [older, newer] = [slot(4, &[("a", 1)]), slot(5, &[("a", 2)])];
    let mut both = file(&[older.clone(), newer.clone()]);
    assert_eq!(CursorSlot::decode_newest(&both), Ok(newer));
    both[SLOT_BYTES + 50] ^= 1;
    assert_eq!(CursorSlot::decode_newest(&both), Ok(older));
    both[50] ^= 1;
    assert_eq!(CursorSlot::decode_newest(&both), Err(CursorFlaw::NoSlot));
    assert_eq!(CursorSlot::decode_newest(&both[..100]), Err(CursorFlaw::NoSlot));
}

/// R19, R25: a slot with a right checksum is still not trusted.
#[test]
fn a_sound_slot_that_says_what_none_can_is_refused() {
    let good = slot(4, &[("abc", 1), ("abd", 2)]);
    assert_eq!(CursorSlot::decode_newest(&forged(&good, |_| ())), Ok(good.clone()));
    let cases: [(&str, usize, u8); 8] = [
        ("a field that must be zero", 10, 1),
        ("more cursors than there can be", 13, 1),
        ("a cursor that is not there", 12, 3),
        ("a name that is too long", HEADER_BYTES, 65),
        ("an empty name", HEADER_BYTES, 0),
        ("a letter that is not allowed", HEADER_BYTES + 8, b'A'),
        ("names out of order", HEADER_BYTES + 8, b'b'),
        ("bytes behind the name", HEADER_BYTES + 20, 1),
    ];
    for (what, offset, byte) in cases {
        let bytes = forged(&good, |bytes| bytes[offset] = byte);
        assert_eq!(CursorSlot::decode_newest(&bytes), Err(CursorFlaw::Fields), "{what}");
    }
    let newer = forged(&good, |bytes| bytes[8] = 2);
    assert_eq!(CursorSlot::decode_newest(&newer), Err(CursorFlaw::Version(2)));
}

#[test]
fn names_are_short_and_plain() {
    for name in ["a", "0", "feed_2-b", &"x".repeat(64)] {
        assert!(is_cursor_name(name.as_bytes()), "{name}");
    }
    for name in ["", "A", "a b", "a.b", "a/b", "ä", &"x".repeat(65)] {
        assert!(!is_cursor_name(name.as_bytes()), "{name}");
    }
}

proptest! {
    #[test]
    fn places_round_trip(generation in 0..=COUNT_MAX, places in prop::collection::btree_map("[a-z0-9_-]{1,64}", any::<u64>().prop_map(Seq::new), 0..=CURSORS_MAX)) {
        let slot = CursorSlot { places, ..slot(generation, &[]) };
        prop_assert_eq!(CursorSlot::decode_newest(&slot.encode()), Ok(slot));
    }

    /// R19: reading is total.
    #[test]
    fn a_changed_slot_never_panics(places in prop::collection::btree_map("[a-z]{1,9}", Just(Seq::FIRST), 0..5), offset in 0..300_usize, byte: u8) {
        let good = CursorSlot { places, ..slot(4, &[]) };
        let bytes = forged(&good, |bytes| bytes[offset] = byte);
        if let Ok(read) = CursorSlot::decode_newest(&bytes) {
            prop_assert_eq!(read.encode(), bytes);
        }
    }
}

use proptest::prelude::*;

use super::golden::{Golden, options};
use super::{decode, open_damaged};
use crate::Wal;
use crate::testing::read_from;
use tidal_types::Seq;

/// The golden fixtures, which are the fuzzer's first inputs too.
const FIXTURES: [&str; 7] = [
    include_str!("../format/fixtures/checkpoint-v1.hex"),
    include_str!("../format/fixtures/cursors-v1.hex"),
    include_str!("../format/fixtures/floor-v1.hex"),
    include_str!("../format/fixtures/group-v1.hex"),
    include_str!("../format/fixtures/keys-v1.hex"),
    include_str!("../format/fixtures/producers-v1.hex"),
    include_str!("../format/fixtures/segment-v1.hex"),
];

fn fixture(hex: &str) -> Vec<u8> {
    let digits = hex.trim().as_bytes().chunks(2);
    digits.map(|two| u8::from_str_radix(str::from_utf8(two).unwrap(), 16).unwrap()).collect()
}

#[test]
fn the_log_that_is_damaged_is_sound() {
    for is_closed in [false, true] {
        let golden = Golden::get(is_closed);
        let log = Wal::open_stepped(&golden.disk(), options()).unwrap();
        assert_eq!(read_from(&log, Seq::FIRST).unwrap(), golden.payloads);
        assert_eq!(log.segment_count(), 3);
    }
}

/// Where to change a file: anywhere, or in the first bytes of a block, where headers are.
fn places() -> impl Strategy<Value = u16> {
    prop_oneof![0_u16..8192, (0_u16..12, 0_u16..128).prop_map(|(block, byte)| block * 512 + byte)]
}

/// A change of a log: what it is, of which file, where, and two numbers.
fn changes() -> impl Strategy<Value = Vec<u8>> {
    let change = (0_u8..8, 0_u8..8, places(), any::<u8>(), 0_u16..8192).prop_map(
        |(kind, file, place, value, from)| {
            let mut bytes = vec![kind, file];
            bytes.extend(place.to_le_bytes());
            bytes.push(value);
            if kind == 4 {
                bytes.extend(from.to_le_bytes());
            }
            bytes
        },
    );
    (0_u8..8, prop::collection::vec(change, 0..6))
        .prop_map(|(choice, changes)| [vec![choice], changes.concat()].concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// R19: the decoders and the walk, on any bytes and behind any fixture with a changed byte.
    #[test]
    fn decoding_is_total(
        index in 0..FIXTURES.len(),
        cut in 0_usize..300,
        (place, value) in (0_usize..100, any::<u8>()),
        bytes in prop::collection::vec(any::<u8>(), 0..1500),
    ) {
        decode(&bytes);
        let mut fixture = fixture(FIXTURES[index]);
        fixture.truncate(cut);
        fixture.get_mut(place).into_iter().for_each(|byte| *byte = value);
        decode(&[fixture, bytes].concat());
    }

    /// R5, R6, R14, R19, R20: a log that was changed anywhere, also by someone who makes the
    /// checksums right again, and the chain.
    #[test]
    fn a_damaged_log_opens_to_what_was_written_or_is_refused(script in changes()) {
        open_damaged(&script);
    }
}

/// A script of any bytes does something, and ends.
#[test]
fn any_script_is_understood() {
    for byte in 0..=u8::MAX {
        open_damaged(&[byte; 40]);
    }
}

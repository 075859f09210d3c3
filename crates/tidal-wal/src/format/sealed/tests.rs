use proptest::prelude::*;

use super::*;

fn unpack(block: &[u8]) -> Result<Vec<u8>, BlockFlaw> {
    let header = BlockHeader::decode(block)?;
    if block.len() != BlockHeader::BYTES + header.packed_bytes {
        return Err(BlockFlaw);
    }
    let mut bytes = vec![0; header.bytes];
    header.unpack(block, &mut bytes)?;
    Ok(bytes)
}

/// R25: today's bytes.
#[test]
fn a_block_is_laid_out_as_documented() {
    let golden = [
        include_str!("../fixtures/block-stored-v2.hex"),
        include_str!("../fixtures/block-lz4-v2.hex"),
    ];
    let compressible = [b"sixteen bytes of ".as_slice(); 8].concat();
    let contents = [b"incompressible".as_slice(), &compressible];
    for (golden, content) in golden.map(str::trim_end).into_iter().zip(contents) {
        assert_eq!(to_hex(&BlockHeader::pack(content, 4096)), golden);
        let block = from_hex(golden);
        assert_eq!(unpack(&block).as_deref(), Ok(content));
        assert_eq!(BlockHeader::decode(&block).unwrap().offset, 4096);
    }
    assert_eq!(golden.map(|block| from_hex(block.trim_end())[12]), [STORED, LZ4]);
}

fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn from_hex(line: &str) -> Vec<u8> {
    let digit = |digit: u8| (digit as char).to_digit(16).unwrap() as u8;
    line.as_bytes().chunks(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
}

proptest! {
    #[test]
    fn blocks_round_trip(bytes in prop::collection::vec(0_u8..4, 1..3000), offset in 0..u64::MAX) {
        let block = BlockHeader::pack(&bytes, offset);
        prop_assert_eq!(BlockHeader::decode(&block).unwrap().offset, offset);
        prop_assert_eq!(unpack(&block), Ok(bytes));
    }

    /// R19: with its checksum made right, any block is refused or unpacks to the length
    /// that it says.
    #[test]
    fn any_bytes_are_refused_or_unpacked(mut block in prop::collection::vec(any::<u8>(), 0..200)) {
        BlockHeader::reseal(&mut block);
        if let Ok(bytes) = unpack(&block) {
            prop_assert_eq!(bytes.len(), BlockHeader::decode(&block).unwrap().bytes);
        }
    }
}

/// R19: what a block may not say, however sound its checksum.
#[test]
fn impossible_lengths_and_packings_are_refused() {
    let sound = BlockHeader::pack(&[7; 100], 4096);
    unpack(&sound).unwrap();
    let more = (SEALED_BLOCK_BYTES as u32 + 1).to_le_bytes();
    for (at, field) in [
        (4, &1000_u32.to_le_bytes()[..]),
        (8, &more[..]),
        (8, &[0; 4]),
        (8, &[99, 0, 0, 0]),
        (8, &[101, 0, 0, 0]),
        (12, &[0]),
        (12, &[2]),
        (13, &[1]),
        (15, &[1]),
    ] {
        let mut block = sound.clone();
        block[at..at + field.len()].copy_from_slice(field);
        BlockHeader::reseal(&mut block);
        assert_eq!(unpack(&block), Err(BlockFlaw), "{at} {field:?}");
    }
    for end in 0..sound.len() {
        assert_eq!(unpack(&sound[..end]), Err(BlockFlaw), "{end}");
    }
    for at in 0..sound.len() {
        let mut flipped = sound.clone();
        flipped[at] ^= 4;
        // Where it lies is for who reads it to compare, but the checksum covers it too.
        assert_eq!(unpack(&flipped), Err(BlockFlaw), "{at}");
    }
}

//! A sound log, damaged as some bytes say, and opened.

use tidal_types::{ByteReader, Seq, WalError};

use super::decoders::seal_groups;
use super::golden::{Golden, options, record};
use crate::format::{
    BlockHeader, Checkpoint, CursorSlot, Floor, SEGMENT_HEADER_BYTES, SegmentHeader,
};
use crate::names;
use crate::sim::SimDisk;
use crate::{Batch, Wal};

/// How many changes one input makes at most.
const CHANGES_MAX: usize = 64;

/// Where the digest of the segment before stands in a header.
const PREVIOUS_DIGEST: std::ops::Range<usize> = 96..128;

/// What is made right again after the changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Seal {
    Nothing,
    /// The checksums of headers, of the floor, and of what is beside the segments.
    Pages,
    /// Those, and the checksums of all groups.
    Checksums,
    /// Those, and the chain.
    Everything,
}

/// Changes a log as `script` says, and opens it. Panics when a property of reading
/// does not hold: the first byte chooses the log and what is made right again after
/// the changes, each further five to eight bytes are a change.
pub fn open_damaged(script: &[u8]) {
    let mut script = ByteReader::new(script);
    let choice = script.u8().unwrap_or_default();
    let golden = Golden::get(choice & 1 == 0);
    let seal = match choice >> 1 & 3 {
        0 => Seal::Nothing,
        1 => Seal::Pages,
        2 => Seal::Checksums,
        _ => Seal::Everything,
    };
    let disk = golden.disk();
    for _ in 0..CHANGES_MAX {
        if change(&disk, &mut script).is_none() {
            break;
        }
    }
    if seal != Seal::Nothing {
        reseal(&disk, seal);
    }
    // Whoever makes the chain right writes a log of their own, and whoever makes checksums
    // right may say anything of keys and cursors.
    let written = (seal != Seal::Everything).then_some(&*golden.payloads);
    let knows_keys = seal == Seal::Nothing;
    let Ok(first) = records(&disk, written, knows_keys) else {
        return;
    };
    let again = records(&disk, written, knows_keys).expect("what opened once opens again");
    assert_eq!(first, again, "V3: the records of the second opening");
}

/// One change of one file; `None` at the end of the script.
fn change(disk: &SimDisk, script: &mut ByteReader<'_>) -> Option<()> {
    let kind = script.u8()?;
    let names = disk.names();
    let pick = |index: u8| names.get(usize::from(index).checked_rem(names.len())?);
    let name = pick(script.u8()?)?;
    let place = usize::from(script.u16()?);
    let value = script.u8()?;
    let mut bytes = disk.cached(name)?;
    let length = bytes.len();
    let place = place.checked_rem(length.max(1))?;
    match kind % 8 {
        0 => *bytes.get_mut(place)? = value,
        1 => *bytes.get_mut(place)? ^= 1 << (value % 8),
        2 => {
            let end = (place + usize::from(value)).min(length);
            bytes.get_mut(place..end)?.fill(0);
        }
        3 => {
            // A number, as large or as small as they get, where numbers stand.
            let number = [0, 1, u64::from(u32::MAX), u64::MAX, 1 << 62, 511, length as u64];
            let number = number.get(usize::from(value).checked_rem(number.len())?)?;
            let place = place - place % 4;
            let width = (length - place).min(8);
            bytes
                .get_mut(place..place + width)?
                .copy_from_slice(number.to_le_bytes().get(..width)?);
        }
        4 => {
            // A block in the place of another.
            let from = usize::from(script.u16()?).checked_rem(length.max(1))? / 512 * 512;
            let to = place / 512 * 512;
            let block = bytes.get(from..(from + 512).min(length))?.to_vec();
            let end = (to + block.len()).min(length);
            bytes.get_mut(to..end)?.copy_from_slice(block.get(..end - to)?);
        }
        5 => bytes.truncate(place),
        6 => {
            let other = disk.cached(pick(value)?)?;
            let segment = names::segment(crate::format::SegmentNumber::new(u64::from(value % 8)));
            disk.put(&segment, &other);
            return Some(());
        }
        _ => {
            disk.take(name);
            return Some(());
        }
    }
    disk.put(name, &bytes);
    Some(())
}

/// Makes checksums right again, and the chain through all segments.
fn reseal(disk: &SimDisk, seal: Seal) {
    let mut previous = None;
    for name in disk.names() {
        let Some(mut bytes) = disk.cached(&name) else {
            continue;
        };
        if name == names::FLOOR {
            Floor::reseal(&mut bytes);
        } else if name == names::CURSORS {
            CursorSlot::reseal(&mut bytes);
        } else if names::parse_checkpoint(&name).is_some() {
            Checkpoint::reseal(&mut bytes);
        } else if names::parse_segment(&name).is_some() {
            if seal == Seal::Everything
                && let (Some(previous), Some(digest)) = (previous, bytes.get_mut(PREVIOUS_DIGEST))
            {
                let previous: crate::Digest = previous;
                digest.copy_from_slice(&previous.to_bytes());
            }
            if let Some(page) = bytes.get_mut(..4096) {
                SegmentHeader::reseal(page);
            }
            if seal != Seal::Pages
                && let Ok(header) = SegmentHeader::decode(&bytes)
            {
                previous = Some(match header.seal {
                    Some(sealed) => {
                        reseal_blocks(&mut bytes);
                        sealed.end_digest
                    }
                    None => seal_groups(&mut bytes, &header, seal == Seal::Everything),
                });
            }
        }
        disk.put(&name, &bytes);
    }
}

/// Makes the checksums of the blocks of a sealed segment right, up to where there is none.
fn reseal_blocks(file: &mut [u8]) {
    let mut rest = file.get_mut(SEGMENT_HEADER_BYTES..).unwrap_or_default();
    while let Ok(header) = BlockHeader::decode(rest) {
        let Some((block, behind)) =
            rest.split_at_mut_checked(BlockHeader::BYTES + header.packed_bytes)
        else {
            break;
        };
        BlockHeader::reseal(block);
        rest = behind;
    }
}

/// Opens the log, reads it all and closes it; compares with what was written, if that
/// is known, and sends again what has a key.
fn records(
    disk: &SimDisk,
    written: Option<&[Vec<u8>]>,
    knows_keys: bool,
) -> Result<Vec<(Seq, Vec<u8>)>, WalError> {
    let log = Wal::open_stepped(disk, options())?;
    let mut reader = log.reader(log.first_seq());
    let mut records: Vec<(Seq, Vec<u8>)> = Vec::new();
    while let Some(record) = reader.next_record().expect("opening has verified every record") {
        if let Some((before, _)) = records.last() {
            assert_eq!(record.seq, before.next(), "V1: a gap");
        }
        if let Some(written) = written {
            let index = usize::try_from(record.seq.get()).ok().and_then(|seq| seq.checked_sub(1));
            let sent = index.and_then(|index| written.get(index));
            assert_eq!(sent.map(Vec::as_slice), Some(record.payload), "V2: made up");
        }
        records.push((record.seq, record.payload.to_vec()));
    }
    for cursor in log.cursors() {
        log.cursor(&cursor.name).expect("a cursor that is listed is there");
    }
    log.owner_state().expect("opening has read the checkpoints");
    for (seq, payload) in
        records.iter().filter(|(seq, _)| knows_keys && matches!(seq.get() % 4, 1 | 2))
    {
        let mut batch = Batch::new();
        batch.push_record(record(seq.get(), payload)).expect("it was taken once");
        let ticket = log.append(&batch).expect("a sound disk takes what is written");
        log.step();
        let appended = ticket.wait().expect("a sound disk takes what is written");
        assert_eq!(appended.duplicates().next(), Some((0, *seq)), "R20: a key is forgotten");
    }
    log.close().expect("a sound disk takes what is written");
    Ok(records)
}

//! The bytes of a log on disk. One file a structure, each the only home of its
//! layout.

mod chain;
mod checkpoint;
mod cursors;
mod floor;
mod group;
mod parent;
mod record;
mod sealed;
mod segment;

pub(crate) use chain::ChainInput;
pub use chain::Digest;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) use checkpoint::CHECKPOINT_DIGEST_BYTES;
pub(crate) use checkpoint::{
    CHECKPOINT_HEADER_BYTES, Checkpoint, CheckpointFlaw, CheckpointHeader, Maker, put_entry,
};
pub(crate) use cursors::{CURSOR_FILE_BYTES, CursorFlaw, CursorSlot, is_cursor_name};
pub(crate) use floor::{FLOOR_BYTES, Floor};
pub(crate) use group::{GROUP_HEADER_BYTES, GroupFlaw, GroupHeader, GroupKind, align_up};
pub use parent::Parent;
pub use record::RecordKind;
pub(crate) use record::{Before, Frame, put_record, put_redacted, read_record};
pub(crate) use sealed::{
    BlockFlaw, BlockHeader, SEALED_BLOCK_BYTES, SEALED_BODY_END_MAX, SEALED_VERSION, Seal,
};
pub(crate) use segment::{HeaderFlaw, SEGMENT_HEADER_BYTES, SegmentHeader, SegmentNumber};

/// The version of the format that this program reads and writes. Sealed segments have
/// the next one.
pub const FORMAT_VERSION: u16 = 1;

/// Makes right again the checksum at the end of each slot of a file.
#[cfg(any(test, feature = "fuzzing"))]
fn reseal_slots(file: &mut [u8], slot_bytes: usize, crc_offset: usize) {
    for slot in file.chunks_mut(slot_bytes) {
        if let Some((covered, crc)) = slot.split_at_mut_checked(crc_offset)
            && let Some(crc) = crc.first_chunk_mut()
        {
            *crc = crc32c::crc32c(covered).to_le_bytes();
        }
    }
}

#[cfg(test)]
mod tests;

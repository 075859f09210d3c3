//! The part of a file that is held in memory, which moves along as the file is read.
//!
//! B1. Every byte is read once, front to back. What was kept are the bytes that were
//!     looked at.
//! B2. It holds what was asked for at once and has not been let go of, and a piece or
//!     two beside. Whoever asks for a length that came from disk has checked it.
//! B3. Nothing behind the end is read: what is written there meanwhile is not seen.
//! B4. A sealed segment is read as what it was before: places are places in that. Where
//!     a block of it cannot be used, it ends.

use std::io;
use std::sync::Arc;

use crate::disk::{Disk, DiskFile};
use crate::format::{BlockFlaw, SEGMENT_HEADER_BYTES, SegmentHeader};
use crate::limits::READ_BYTES;
use crate::sealed_blocks::Blocks;

/// A file that is read from some place to its end, or to where it may be read.
#[derive(Debug)]
pub(crate) struct ReadBuffer {
    file: Arc<dyn DiskFile>,
    /// Where in the file the bytes that are held begin.
    begin: u64,
    /// Where they are in memory. The rest is room that need not be zeroed again.
    bytes: Vec<u8>,
    start: usize,
    filled: usize,
    /// Bytes before it are not needed any more.
    needed: u64,
    /// Where reading ends, in the file.
    end: u64,
    kept: Option<Kept>,
    /// Of a sealed segment.
    blocks: Option<Blocks>,
    /// Whether it ends early, since the next block cannot be used.
    is_broken: bool,
}

/// The bytes of a stretch of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Kept {
    from: u64,
    bytes: Vec<u8>,
}

impl Kept {
    /// The bytes between two places of the file, as far as they were kept.
    pub(crate) fn between(&self, from: u64, to: u64) -> &[u8] {
        let place = |offset: u64| {
            let place = usize::try_from(offset.saturating_sub(self.from));
            place.map_or(self.bytes.len(), |place| place.min(self.bytes.len()))
        };
        self.bytes.get(place(from)..place(to)).unwrap_or_default()
    }

    /// Adds what lies at `offset`. Zeros are only counted: nobody asks for those behind
    /// the last byte that is something else.
    fn add(&mut self, offset: u64, bytes: &[u8]) {
        if !is_zero(bytes) {
            self.fill_to(offset);
            self.bytes.extend_from_slice(bytes);
        }
    }

    fn fill_to(&mut self, end: u64) {
        let length = usize::try_from(end.saturating_sub(self.from)).unwrap_or(self.bytes.len());
        self.bytes.resize(length, 0);
    }
}

impl ReadBuffer {
    /// From the beginning of a file to `end`, which it has.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(crate) fn open(disk: &dyn Disk, name: &str, end: u64) -> io::Result<Self> {
        Ok(Self::of_file(disk.open_read(name)?, end))
    }

    fn of_file(file: Arc<dyn DiskFile>, end: u64) -> Self {
        Self {
            file,
            begin: 0,
            bytes: Vec::new(),
            start: 0,
            filled: 0,
            needed: 0,
            end,
            kept: None,
            blocks: None,
            is_broken: false,
        }
    }

    /// The groups of a segment whose file has `file_bytes`, from the first one on.
    pub(crate) fn open_segment(
        disk: &dyn Disk,
        name: &str,
        header: &SegmentHeader,
        file_bytes: u64,
    ) -> io::Result<Self> {
        Ok(Self::of_segment(disk.open_read(name)?, header, file_bytes))
    }

    /// The same of a file that is open.
    pub(crate) fn of_segment(
        file: Arc<dyn DiskFile>,
        header: &SegmentHeader,
        file_bytes: u64,
    ) -> Self {
        let Some(seal) = &header.seal else {
            return Self::of_file(file, header.file_bytes.min(file_bytes));
        };
        let mut buffer = Self::of_file(file, seal.body_end);
        buffer.blocks = Some(Blocks::new(seal, file_bytes));
        buffer.start_over(SEGMENT_HEADER_BYTES as u64);
        buffer
    }

    /// Whether it ends where it does since the file is damaged there.
    pub(crate) const fn is_broken(&self) -> bool {
        self.is_broken
    }

    /// From here on it keeps what it is not told to let go of.
    pub(crate) fn keep(&mut self) {
        self.kept = Some(Kept { from: self.needed, bytes: Vec::new() });
    }

    /// Whether it keeps what was passed.
    pub(crate) const fn keeps(&self) -> bool {
        self.kept.is_some()
    }

    /// Where reading ends, in the file.
    pub(crate) const fn end(&self) -> u64 {
        self.end
    }

    /// No more may be read than up to `end`.
    pub(crate) fn limit(&mut self, end: u64) {
        self.end = self.end.min(end);
    }

    /// More of the file may be read.
    pub(crate) fn extend(&mut self, end: u64) {
        self.end = self.end.max(end);
    }

    /// The bytes from `offset` on, `length` of them, or fewer where reading ends.
    /// `offset` is not before what was let go of.
    pub(crate) fn reach(&mut self, offset: u64, length: usize) -> io::Result<&[u8]> {
        let wanted = offset.saturating_add(length as u64);
        while self.held_end() < wanted.min(self.end) {
            self.fill()?;
        }
        Ok(self.held(offset, length))
    }

    /// The same, of what is in memory already.
    pub(crate) fn held(&self, offset: u64, length: usize) -> &[u8] {
        let filled = self.bytes.get(self.start..self.filled).unwrap_or_default();
        let from = usize::try_from(offset.saturating_sub(self.begin)).unwrap_or(usize::MAX);
        let rest = filled.get(from..).unwrap_or_default();
        rest.get(..length).unwrap_or(rest)
    }

    /// Lets go of everything before `offset`, before anything was passed.
    pub(crate) fn let_go(&mut self, offset: u64) {
        self.needed = self.needed.max(offset);
        if let Some(kept) = &mut self.kept {
            kept.from = self.needed;
        }
    }

    /// Goes on to `offset`, and keeps what it passes if it was told to.
    pub(crate) fn pass(&mut self, offset: u64) {
        if let Some(mut kept) = self.kept.take() {
            self.keep_up_to(&mut kept, offset);
            self.kept = Some(kept);
        }
        self.needed = self.needed.max(offset);
    }

    /// What it keeps, up to `end`.
    pub(crate) fn into_kept(mut self, end: u64) -> Kept {
        let mut kept = self.kept.take().unwrap_or_default();
        self.keep_up_to(&mut kept, end);
        kept.fill_to(end);
        kept
    }

    fn keep_up_to(&self, kept: &mut Kept, offset: u64) {
        let length = usize::try_from(offset.saturating_sub(self.needed)).unwrap_or_default();
        kept.add(self.needed, self.held(self.needed, length));
    }

    /// Forgets what it has read and begins anew at `offset`.
    pub(crate) fn start_over(&mut self, offset: u64) {
        self.begin = offset;
        self.needed = offset;
        self.start = 0;
        self.filled = 0;
        if let Some(blocks) = &mut self.blocks {
            self.begin = SEGMENT_HEADER_BYTES as u64;
            self.is_broken = false;
            blocks.start_over();
        }
    }

    fn held_end(&self) -> u64 {
        self.begin + (self.filled - self.start) as u64
    }

    /// Reads the next piece.
    fn fill(&mut self) -> io::Result<()> {
        let gone = usize::try_from(self.needed.saturating_sub(self.begin)).unwrap_or(usize::MAX);
        let gone = gone.min(self.filled - self.start);
        self.start += gone;
        self.begin += gone as u64;
        let offset = self.held_end();
        if let Some(mut blocks) = self.blocks.take() {
            let outcome = self.fill_from(&mut blocks, offset);
            self.blocks = Some(blocks);
            return outcome;
        }
        let length = self.end.saturating_sub(offset).min(READ_BYTES as u64);
        let length = usize::try_from(length).unwrap_or(READ_BYTES);
        let file = Arc::clone(&self.file);
        file.read_exact_at(self.room(length), offset)?;
        self.filled += length;
        Ok(())
    }

    /// Unpacks the next block (B4).
    fn fill_from(&mut self, blocks: &mut Blocks, offset: u64) -> io::Result<()> {
        let file = Arc::clone(&self.file);
        let block = blocks.read(&*file, offset)?;
        let rest = self.end.saturating_sub(offset);
        let unpacked = block.and_then(|block| {
            blocks.unpack(&block, self.room(block.bytes))?;
            // The last block ends where the segment does, and the file.
            let is_last = block.bytes as u64 >= rest;
            let fits = block.bytes as u64 <= rest && is_last == blocks.at_end();
            fits.then_some(block.bytes).ok_or(BlockFlaw)
        });
        match unpacked {
            Ok(length) => self.filled += length,
            Err(BlockFlaw) => {
                self.end = offset;
                self.is_broken = true;
            }
        }
        Ok(())
    }

    /// Room for so many bytes behind those that are held.
    fn room(&mut self, length: usize) -> &mut [u8] {
        if self.start > 0 {
            self.bytes.copy_within(self.start..self.filled, 0);
            self.filled -= self.start;
            self.start = 0;
        }
        let end = self.filled + length;
        if self.bytes.len() < end {
            self.bytes.resize(end, 0);
        }
        self.bytes.get_mut(self.filled..end).unwrap_or_default()
    }
}

/// Whether all of the bytes are zero. It looks at all of them, since that can be done
/// many at a time.
pub(crate) fn is_zero(bytes: &[u8]) -> bool {
    bytes.iter().fold(0, |any, byte| any | byte) == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::SimDisk;

    const END: u64 = 3 * READ_BYTES as u64 + 777;

    /// A file without zeros, no two pieces of which are alike.
    fn content() -> Vec<u8> {
        (0..END).map(|offset| (offset % 251) as u8 + 1).collect()
    }

    fn buffer(content: &[u8], end: u64) -> (SimDisk, ReadBuffer) {
        let disk = SimDisk::new(7);
        disk.put("file", content);
        let buffer = ReadBuffer::open(&disk, "file", end).unwrap();
        (disk, buffer)
    }

    #[test]
    fn what_is_reached_is_what_the_file_holds_and_no_more_is_held() {
        let content = content();
        for step in [1000, READ_BYTES - 1, READ_BYTES, 2 * READ_BYTES + 5] {
            let (_, mut buffer) = buffer(&content, END);
            for from in (0..content.len()).step_by(step) {
                buffer.let_go(from as u64);
                let to = content.len().min(from + step);
                assert_eq!(buffer.reach(from as u64, step).unwrap(), &content[from..to]);
                assert!(buffer.bytes.len() <= step + READ_BYTES, "{}", buffer.bytes.len());
            }
            assert_eq!(buffer.reach(END, 1).unwrap(), b"");
        }
    }

    #[test]
    fn nothing_behind_the_end_is_read_until_it_may_be() {
        let content = content();
        let (disk, mut buffer) = buffer(&content, 1000);
        assert_eq!(buffer.reach(900, 500).unwrap(), &content[900..1000]);
        let mut changed = content;
        changed[900..1200].fill(9);
        disk.put("file", &changed);
        buffer.extend(1200);
        assert_eq!(buffer.reach(1000, 500).unwrap(), [9; 200]);
        // What was read once is not read again, unless it is started over.
        assert_ne!(buffer.reach(900, 100).unwrap(), [9; 100]);
        buffer.start_over(900);
        assert_eq!(buffer.reach(900, 300).unwrap(), [9; 300]);
    }

    #[test]
    fn what_is_kept_begins_where_it_was_let_go_of_and_has_its_zeros() {
        let mut content = content();
        let (from, dirty) = (5000, 2 * READ_BYTES + 512);
        content[6000..dirty].fill(0);
        content[dirty + 512..].fill(0);
        for from in [from, 6144] {
            let (_, mut buffer) = buffer(&content, END);
            buffer.keep();
            buffer.let_go(from);
            for offset in (6144..END).step_by(512) {
                buffer.reach(offset, 512).unwrap();
                buffer.pass(offset + 512);
            }
            let held = buffer.kept.as_ref().map_or(0, |kept| kept.bytes.len());
            assert_eq!(held as u64, dirty as u64 + 512 - from, "zeros at the end are held");
            let end = dirty as u64 + 1024;
            let kept = buffer.into_kept(end);
            assert_eq!(kept.between(from, end), &content[from as usize..dirty + 1024]);
            assert_eq!(kept.between(6500, 7000), [0; 500]);
            assert_eq!(kept.between(end, END), b"");
        }
    }

    #[test]
    fn one_byte_that_is_not_zero_is_seen() {
        let mut bytes = [0; 512];
        assert!(is_zero(&bytes));
        for place in 0..bytes.len() {
            bytes[place] = 1;
            assert!(!is_zero(&bytes), "{place}");
            bytes[place] = 0;
        }
    }
}

//! The header of a segment file. Little-endian.
//!
//! | offset | size | field                                                        |
//! |--------|------|--------------------------------------------------------------|
//! | 0      | 8    | magic `TIDALWAL`                                             |
//! | 8      | 2    | format version: 1, or 2 when it is sealed, see `sealed.rs`   |
//! | 10     | 2    | flags: bit 0 in a sealed segment whose records were rewritten |
//! | 12     | 4    | alignment of groups                                          |
//! | 16     | 16   | LogId                                                        |
//! | 32     | 8    | segment number                                               |
//! | 40     | 8    | first seq                                                    |
//! | 48     | 8    | base offset: the lengths of all earlier segments             |
//! | 56     | 8    | length of the segment; unless it is sealed, of this file     |
//! | 64     | 8    | nonce, random; every group of the segment repeats it         |
//! | 72     | 8    | log time of creation, nanoseconds                            |
//! | 80     | 8    | most bytes that are ever written and not yet synced          |
//! | 88     | 8    | end of the last group of the previous segment, in that file  |
//! | 96     | 32   | digest of the chain at that end                              |
//! | 128    | 16   | LogId of the parent log, zero when there is none             |
//! | 144    | 8    | last seq taken over from the parent                          |
//! | 152    | 32   | digest of the parent at that seq                             |
//! | 184    | 16   | LogId of the root of the line of logs, zero without a parent |
//! | 200    | 120  | sealed segment: see `sealed.rs`, else zero                   |
//! | 320    | 3772 | zero                                                         |
//! | 4092   | 4    | CRC32C of all before; here in every version                  |
//!
//! H1. A header is complete and synced before the file has its name, so a bad
//!     header is damage, never a torn write.
//! H2. The header takes a whole page, so that no write to a group can touch it,
//!     whatever the disk's sector size.
//! H3. A log that took over the records of another one names it, its parent, in every
//!     segment. Only such a log may begin later than at record 1, since its parent may
//!     have been truncated, and never behind what it took over.

use tidal_types::{ByteReader, LogId, Seq, Timestamp};

use super::{Digest, FORMAT_VERSION, Parent, SEALED_VERSION, Seal};
use crate::limits::{ALIGNMENTS, SEGMENT_FILE_BYTES_MAX};

/// The length of the header, in bytes.
pub(crate) const SEGMENT_HEADER_BYTES: usize = 4096;

const MAGIC: [u8; 8] = *b"TIDALWAL";
const CRC_OFFSET: usize = SEGMENT_HEADER_BYTES - 4;

/// The number of a segment: dense and increasing from zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SegmentNumber(u64);

impl SegmentNumber {
    pub(crate) const FIRST: Self = Self(0);

    pub(crate) const fn new(number: u64) -> Self {
        Self(number)
    }

    pub(crate) const fn get(self) -> u64 {
        self.0
    }

    pub(crate) const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

/// What the header of a segment says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SegmentHeader {
    pub(crate) alignment: u32,
    pub(crate) log_id: LogId,
    pub(crate) number: SegmentNumber,
    pub(crate) first_seq: Seq,
    pub(crate) base_offset: u64,
    pub(crate) file_bytes: u64,
    pub(crate) nonce: u64,
    pub(crate) created: Timestamp,
    pub(crate) in_flight_bytes_max: u64,
    pub(crate) previous_end: u64,
    pub(crate) previous_digest: Digest,
    pub(crate) parent: Option<Parent>,
    /// What there is beside when the segment is sealed.
    pub(crate) seal: Option<Seal>,
}

/// The flag of a sealed segment whose records are not all as they were written.
const REWRITTEN: u16 = 1;

/// Why a header cannot be used.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum HeaderFlaw {
    /// Another format version; the checksum is right.
    Version(u16),
    /// Anything else.
    Invalid(&'static str),
}

impl SegmentHeader {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(SEGMENT_HEADER_BYTES);
        bytes.extend_from_slice(&MAGIC);
        let version = if self.seal.is_some() { SEALED_VERSION } else { FORMAT_VERSION };
        bytes.extend_from_slice(&version.to_le_bytes());
        let is_rewritten = self.seal.is_some_and(|seal| seal.is_rewritten());
        bytes.extend_from_slice(&(u16::from(is_rewritten) * REWRITTEN).to_le_bytes());
        bytes.extend_from_slice(&self.alignment.to_le_bytes());
        bytes.extend_from_slice(&self.log_id.to_bytes());
        for field in [
            self.number.get(),
            self.first_seq.get(),
            self.base_offset,
            self.file_bytes,
            self.nonce,
            self.created.as_nanos(),
            self.in_flight_bytes_max,
            self.previous_end,
        ] {
            bytes.extend_from_slice(&field.to_le_bytes());
        }
        bytes.extend_from_slice(&self.previous_digest.to_bytes());
        bytes.extend_from_slice(&Parent::encode(self.parent.as_ref()));
        if let Some(seal) = &self.seal {
            seal.encode(&mut bytes);
        }
        bytes.resize(CRC_OFFSET, 0);
        bytes.extend_from_slice(&crc32c::crc32c(&bytes).to_le_bytes());
        bytes
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, HeaderFlaw> {
        const SHORT: HeaderFlaw = HeaderFlaw::Invalid("the file is shorter than a segment header");
        let mut page = ByteReader::new(bytes);
        let mut covered = ByteReader::new(page.take(CRC_OFFSET).ok_or(SHORT)?);
        let crc = page.u32().ok_or(SHORT)?;
        if covered.array() != Some(MAGIC) {
            return Err(HeaderFlaw::Invalid("the segment header has the wrong magic"));
        }
        if crc32c::crc32c(bytes.get(..CRC_OFFSET).ok_or(SHORT)?) != crc {
            return Err(HeaderFlaw::Invalid("the segment header has the wrong checksum"));
        }
        let version = covered.u16().ok_or(SHORT)?;
        if version != FORMAT_VERSION && version != SEALED_VERSION {
            return Err(HeaderFlaw::Version(version));
        }
        let flags = covered.u16().ok_or(SHORT)?;
        let header = Self {
            alignment: covered.u32().ok_or(SHORT)?,
            log_id: LogId::from_bytes(covered.array().ok_or(SHORT)?),
            number: SegmentNumber::new(covered.u64().ok_or(SHORT)?),
            first_seq: Seq::new(covered.u64().ok_or(SHORT)?),
            base_offset: covered.u64().ok_or(SHORT)?,
            file_bytes: covered.u64().ok_or(SHORT)?,
            nonce: covered.u64().ok_or(SHORT)?,
            created: Timestamp::from_nanos(covered.u64().ok_or(SHORT)?),
            in_flight_bytes_max: covered.u64().ok_or(SHORT)?,
            previous_end: covered.u64().ok_or(SHORT)?,
            previous_digest: Digest::from_bytes(covered.array().ok_or(SHORT)?),
            parent: Parent::decode(&mut covered)
                .ok_or(HeaderFlaw::Invalid("the segment header has an impossible parent"))?,
            seal: match version {
                SEALED_VERSION => Some(Seal::decode(&mut covered).ok_or(SHORT)?),
                _ => None,
            },
        };
        let is_rewritten = header.seal.is_some_and(|seal| seal.is_rewritten());
        if flags != u16::from(is_rewritten) * REWRITTEN
            || covered.rest().iter().any(|&byte| byte != 0)
        {
            return Err(HeaderFlaw::Invalid(
                "the segment uses features this program does not know",
            ));
        }
        header.check()?;
        Ok(header)
    }

    /// The first log of the line that this one is of, which may be itself.
    pub(crate) fn root(&self) -> LogId {
        self.parent.map_or(self.log_id, |parent| parent.root)
    }

    /// How long the file is.
    pub(crate) fn stored_bytes(&self) -> u64 {
        self.seal.map_or(self.file_bytes, |seal| seal.stored_bytes)
    }

    /// Where reading the groups ends, in the segment as it is read.
    pub(crate) fn body_end(&self) -> u64 {
        self.seal.map_or(self.file_bytes, |seal| seal.body_end)
    }

    /// Makes the checksum right again, for who changes a header on purpose.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(crate) fn reseal(page: &mut [u8]) {
        if let Some((covered, crc)) = page.split_at_mut_checked(CRC_OFFSET)
            && let Some(crc) = crc.first_chunk_mut()
        {
            *crc = crc32c::crc32c(covered).to_le_bytes();
        }
    }

    /// What no header says, however sound its checksum.
    fn check(&self) -> Result<(), HeaderFlaw> {
        if !ALIGNMENTS.contains(&self.alignment) {
            return Err(HeaderFlaw::Invalid("the segment header has an impossible alignment"));
        }
        let lengths = SEGMENT_HEADER_BYTES as u64..=SEGMENT_FILE_BYTES_MAX;
        if !lengths.contains(&self.file_bytes)
            || !self.file_bytes.is_multiple_of(u64::from(self.alignment))
            || self.base_offset.checked_add(self.file_bytes).is_none()
        {
            return Err(HeaderFlaw::Invalid("the segment header has an impossible length"));
        }
        if self.seal.is_some_and(|seal| !seal.is_possible_in(self)) {
            return Err(HeaderFlaw::Invalid("the segment header has an impossible seal"));
        }
        let first_seq_max = self.parent.map_or(Seq::FIRST, |parent| parent.position.seq.next());
        let begins = self.base_offset == 0
            && (Seq::FIRST..=first_seq_max).contains(&self.first_seq)
            && self.previous_digest == Digest::genesis(self.log_id, self.parent.as_ref());
        if self.number == SegmentNumber::FIRST && !begins {
            return Err(HeaderFlaw::Invalid("the first segment does not begin a log"));
        }
        Ok(())
    }
}

//! What the first pages of a data file say, before LMDB maps it.
//!
//! LMDB believes its file: a page beyond the end of it is a fault that ends the
//! process. So we look first. The file begins with two meta pages, of which each
//! commit writes the older one, in the byte order of the machine. On a machine with
//! words of 64 bits, and in each of the two:
//!
//! | offset | size | field                                     |
//! |--------|------|-------------------------------------------|
//! | 10     | 2    | flags of the page; 0x08 for a meta page   |
//! | 16     | 4    | magic, 0xBEEFC0DE                         |
//! | 20     | 4    | version, 1                                |
//! | 40     | 4    | bytes of a page, where the second begins  |
//! | 80     | 8    | root of the tree of free pages            |
//! | 128    | 8    | root of the tree of keyspaces             |
//! | 136    | 8    | number of the last page that was ever used |
//! | 144    | 8    | number of the transaction                 |
//!
//! The pages up to the last one need not all be in the file: one that was used and
//! given back within a transaction is never written. So a file that is too short
//! is only refused if something that can be reached is missing, which
//! [`reach`](super::reach) finds out.

use std::fs::File;
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::path::Path;

use tidal_types::StorageError;

use super::reach;
use crate::Result;
use crate::directory::io_error;

/// The format of LMDB that we know.
pub(super) const FORMAT_VERSION: u8 = 1;

const META_BYTES: usize = 152;
const META_PAGE: u16 = 0x08;
const MAGIC: u32 = 0xBEEF_C0DE;
const PAGE_BYTES_MIN: u32 = 512;
const PAGE_BYTES_MAX: u32 = 65536;

/// What one meta page says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Meta {
    page_bytes: u32,
    roots: [u64; 2],
    last_page: u64,
    transaction: u64,
}

/// Refuses a data file that LMDB must not map, and changes nothing.
pub(super) fn check(directory: &Path, file: &Path) -> Result<()> {
    let failed = |operation| move |error| io_error(file, operation, error);
    let mut data = File::open(file).map_err(failed("open"))?;
    let length = data.metadata().map_err(failed("read the size of"))?.len();
    let mut read_meta = |offset: u64| {
        let mut bytes = [0; META_BYTES];
        data.seek(SeekFrom::Start(offset)).map_err(failed("read"))?;
        match data.read_exact(&mut bytes) {
            Ok(()) => parse(directory, &bytes),
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => {
                Err(damaged(directory, "its file is cut short"))
            }
            Err(error) => Err(failed("read")(error)),
        }
    };
    let first = read_meta(0)?;
    let second = read_meta(first.page_bytes.into())?;
    if second.page_bytes != first.page_bytes {
        return Err(damaged(directory, "its meta pages differ in the size of a page"));
    }
    let newest = if second.transaction > first.transaction { second } else { first };
    let bytes = newest
        .last_page
        .checked_add(1)
        .and_then(|pages| pages.checked_mul(newest.page_bytes.into()))
        .filter(|&bytes| i64::try_from(bytes).is_ok())
        .ok_or_else(|| damaged(directory, "its meta page speaks of more pages than can be"))?;
    if length < bytes
        && !reach::is_whole(&mut data, length, newest.page_bytes, newest.roots)
            .map_err(failed("read"))?
    {
        return Err(damaged(directory, "its file is cut short"));
    }
    Ok(())
}

fn parse(directory: &Path, bytes: &[u8; META_BYTES]) -> Result<Meta> {
    let [flags_low, flags_high] = field(bytes, 10);
    let magic = u32::from_ne_bytes(field(bytes, 16));
    if u16::from_ne_bytes([flags_low, flags_high]) & META_PAGE == 0 || magic != MAGIC {
        return Err(damaged(directory, "its file does not begin as one of LMDB"));
    }
    let version = u32::from_ne_bytes(field(bytes, 20));
    if version != u32::from(FORMAT_VERSION) {
        return Err(StorageError::UnsupportedVersion {
            path: directory.to_path_buf(),
            found: u8::try_from(version).unwrap_or(u8::MAX),
            supported: FORMAT_VERSION,
        });
    }
    let page_bytes = u32::from_ne_bytes(field(bytes, 40));
    if !(PAGE_BYTES_MIN..=PAGE_BYTES_MAX).contains(&page_bytes) || !page_bytes.is_power_of_two() {
        return Err(damaged(directory, "its meta page has a page size that cannot be"));
    }
    Ok(Meta {
        page_bytes,
        roots: [u64::from_ne_bytes(field(bytes, 80)), u64::from_ne_bytes(field(bytes, 128))],
        last_page: u64::from_ne_bytes(field(bytes, 136)),
        transaction: u64::from_ne_bytes(field(bytes, 144)),
    })
}

fn field<const N: usize>(bytes: &[u8; META_BYTES], offset: usize) -> [u8; N] {
    let field = bytes.get(offset..).and_then(|rest| rest.first_chunk());
    *field.expect("every field lies in a meta page")
}

fn damaged(directory: &Path, problem: &str) -> StorageError {
    StorageError::Damaged { path: directory.to_path_buf(), problem: problem.to_owned() }
}

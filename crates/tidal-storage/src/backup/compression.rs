//! How the body of a chunk is compressed.

use crate::Result;
use std::path::Path;

use tidal_types::StorageError;

/// The level of zstd: its default, a third smaller than lz4 at a third of the
/// speed.
#[cfg(feature = "compression")]
const ZSTD_LEVEL: i32 = 3;

/// How the chunks of a backup are compressed. One that does not get smaller is
/// stored as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Compression {
    /// Not at all.
    None,
    /// With lz4: faster than most disks.
    #[default]
    Lz4,
    /// With zstd: smaller and slower. Behind the feature `compression`.
    #[cfg(feature = "compression")]
    Zstd,
}

pub(super) const NONE: u8 = 0;
pub(super) const LZ4: u8 = 1;
pub(super) const ZSTD: u8 = 2;

impl Compression {
    /// The body as it is stored, and the number of how.
    pub(super) fn pack(self, body: &[u8]) -> (u8, Option<Vec<u8>>) {
        let (code, packed) = match self {
            Self::None => return (NONE, None),
            Self::Lz4 => (LZ4, lz4_flex::block::compress(body)),
            #[cfg(feature = "compression")]
            Self::Zstd => match zstd::bulk::compress(body, ZSTD_LEVEL) {
                Ok(packed) => (ZSTD, packed),
                // Without memory for it the body is stored as it is.
                Err(_) => return (NONE, None),
            },
        };
        if packed.len() < body.len() { (code, Some(packed)) } else { (NONE, None) }
    }
}

/// The body of `bytes` bytes that is stored as `packed`. The caller has bounded
/// `bytes`; a body of another length is damage.
pub(super) fn unpack(path: &Path, code: u8, packed: Vec<u8>, bytes: usize) -> Result<Vec<u8>> {
    let body = match code {
        NONE => Some(packed),
        LZ4 => {
            let mut body = vec![0; bytes];
            let length = lz4_flex::block::decompress_into(&packed, &mut body).ok();
            length.filter(|&length| length == bytes).map(|_| body)
        }
        ZSTD => unpack_zstd(path, &packed, bytes)?,
        _ => None,
    };
    body.filter(|body| body.len() == bytes).ok_or_else(|| StorageError::BackupDamaged {
        path: path.to_path_buf(),
        problem: "its body does not unpack to what it should".to_owned(),
    })
}

#[cfg(feature = "compression")]
#[expect(clippy::unnecessary_wraps, reason = "without the feature it is an error")]
fn unpack_zstd(_path: &Path, packed: &[u8], bytes: usize) -> Result<Option<Vec<u8>>> {
    Ok(zstd::bulk::decompress(packed, bytes).ok())
}

#[cfg(not(feature = "compression"))]
fn unpack_zstd(path: &Path, _packed: &[u8], _bytes: usize) -> Result<Option<Vec<u8>>> {
    Err(StorageError::CompressionMissing {
        path: path.to_path_buf(),
        compression: "zstd",
        feature: "compression",
    })
}

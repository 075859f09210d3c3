//! Where the bytes come from: a file or standard input, compressed or not.
//!
//! Gzip is recognised by its first two bytes, so a compressed stream on
//! standard input works too. Files of several gzip members are read to the end.

use std::fs::{File, Metadata};
use std::io::{self, Cursor, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use flate2::read::MultiGzDecoder;

use super::background::Background;
use crate::failure::Failure;

const GZIP_MAGIC: &[u8] = &[0x1f, 0x8b];

/// Where an import reads.
#[derive(Debug)]
pub(crate) struct Source {
    /// What a message calls it.
    pub(crate) name: String,
    /// Its size, when that is known before reading. What is added later is not read.
    pub(crate) bytes_total: Option<u64>,
    /// What tells a file from another one, and from itself once it has changed.
    pub(crate) state: FileState,
    bytes_read: Arc<AtomicU64>,
}

/// What tells a file from another one, and from itself once it has changed: its
/// length, when it was written, and where the system has one, its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct FileState(Option<(u64, Option<SystemTime>, u64)>);

impl FileState {
    fn of(metadata: &Metadata) -> Self {
        Self(
            metadata
                .is_file()
                .then(|| (metadata.len(), metadata.modified().ok(), number(metadata))),
        )
    }

    /// The state of the file at a path now.
    pub(crate) fn at(path: &Path) -> Self {
        path.metadata().map_or(Self(None), |metadata| Self::of(&metadata))
    }
}

#[cfg(unix)]
fn number(metadata: &Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(metadata)
}

#[cfg(not(unix))]
fn number(_metadata: &Metadata) -> u64 {
    0
}

impl Source {
    /// Opens the file, or standard input when the path is `-`; answers the
    /// source and a reader of its decompressed bytes.
    pub(crate) fn open(path: &Path) -> Result<(Self, Box<dyn Read>), Failure> {
        let bytes_read = Arc::new(AtomicU64::new(0));
        let mut state = FileState::default();
        let (name, bytes_total, input): (_, _, Box<dyn Read + Send>) = if is_stdin(path) {
            ("standard input".into(), None, Box::new(io::stdin()))
        } else {
            let file = File::open(path).map_err(|error| Failure::io("read", path, &error))?;
            let metadata = file.metadata().map_err(|error| Failure::io("read", path, &error))?;
            if metadata.is_dir() {
                return Err(Failure::failed(format!(
                    "{} is a directory; name a file in it",
                    path.display()
                )));
            }
            state = FileState::of(&metadata);
            let bytes_total = metadata.is_file().then_some(metadata.len());
            let input = file.take(bytes_total.unwrap_or(u64::MAX));
            (path.display().to_string(), bytes_total, Box::new(input))
        };
        let counted = Counted { input, bytes_read: Arc::clone(&bytes_read) };
        let reader = decompressed(counted)
            .map_err(|error| Failure::failed(format!("cannot read {name}: {error}")))?;
        Ok((Self { name, bytes_total, state, bytes_read }, reader))
    }

    /// How many bytes were read so far, before decompression.
    pub(crate) fn bytes_read(&self) -> u64 {
        self.bytes_read.load(Ordering::Relaxed)
    }
}

/// Whether the path means standard input.
pub(crate) fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// Whether the path is a file that can be read again from its beginning.
pub(crate) fn is_regular(path: &Path) -> bool {
    !is_stdin(path) && path.metadata().is_ok_and(|metadata| metadata.is_file())
}

fn decompressed(mut input: impl Read + Send + 'static) -> io::Result<Box<dyn Read>> {
    let mut magic = Vec::new();
    input.by_ref().take(2).read_to_end(&mut magic)?;
    let compressed = magic == GZIP_MAGIC;
    let whole = Cursor::new(magic).chain(input);
    Ok(if compressed {
        Box::new(Background::spawn(MultiGzDecoder::new(whole))?)
    } else {
        Box::new(whole)
    })
}

struct Counted {
    input: Box<dyn Read + Send>,
    bytes_read: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let count = self.input.read(room)?;
        self.bytes_read.fetch_add(u64::try_from(count).unwrap_or(u64::MAX), Ordering::Relaxed);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn gzip(plain: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(plain).unwrap();
        encoder.finish().unwrap()
    }

    fn read(bytes: Vec<u8>) -> io::Result<Vec<u8>> {
        let mut received = Vec::new();
        decompressed(Cursor::new(bytes))?.read_to_end(&mut received)?;
        Ok(received)
    }

    #[test]
    fn plain_and_compressed_bytes_read_the_same() {
        for plain in [b"".as_slice(), b"a", b"a,b\n1,2\n"] {
            assert_eq!(read(plain.to_vec()).unwrap(), plain);
            assert_eq!(read(gzip(plain)).unwrap(), plain);
        }
    }

    #[test]
    fn every_member_of_a_gzip_file_is_read() {
        let bytes = [gzip(b"one\n"), gzip(b"two\n")].concat();
        assert_eq!(read(bytes).unwrap(), b"one\ntwo\n");
    }

    #[test]
    fn a_cut_gzip_file_is_an_error() {
        let mut bytes = gzip(&[b'x'; 10_000]);
        bytes.truncate(bytes.len() - 9);
        assert!(read(bytes).is_err());
    }
}

//! The least that a durable append can be: one write into a file that is there
//! already, and one sync.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::Path;

const NAME: &str = "bare";
const FILE_BYTES: usize = 64 << 20;

/// A file of zeros that blocks are written to, from its beginning again once it is full.
#[derive(Debug)]
pub struct BareFile {
    file: File,
    block: Vec<u8>,
    offset: usize,
}

impl BareFile {
    /// A new file in `dir`, for blocks of `block_bytes`.
    ///
    /// # Errors
    ///
    /// What the operating system says.
    pub fn create(dir: &Path, block_bytes: usize) -> io::Result<Self> {
        let mut file =
            OpenOptions::new().create_new(true).read(true).write(true).open(dir.join(NAME))?;
        file.write_all(&vec![0; FILE_BYTES])?;
        file.sync_all()?;
        Ok(Self { file, block: vec![7; block_bytes], offset: 0 })
    }

    /// Removes the file from `dir`.
    ///
    /// # Errors
    ///
    /// What the operating system says.
    pub fn remove(dir: &Path) -> io::Result<()> {
        fs::remove_file(dir.join(NAME))
    }

    /// Writes a block and syncs it.
    ///
    /// # Errors
    ///
    /// What the operating system says.
    pub fn append(&mut self) -> io::Result<()> {
        if self.offset + self.block.len() > FILE_BYTES {
            self.offset = 0;
        }
        self.file.write_all_at(&self.block, self.offset as u64)?;
        self.file.sync_data()?;
        self.offset += self.block.len();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_stand_behind_each_other_in_a_file_that_does_not_grow() {
        let dir = tempfile::tempdir().unwrap();
        let mut file = BareFile::create(dir.path(), FILE_BYTES / 2).unwrap();
        let content = || fs::read(dir.path().join(NAME)).unwrap();
        file.append().unwrap();
        assert!(content().iter().rposition(|&byte| byte == 7) == Some(FILE_BYTES / 2 - 1));
        file.append().unwrap();
        file.append().unwrap();
        assert!(content() == vec![7; FILE_BYTES]);
    }
}

//! A file of data that is there as a whole or not at all; or standard output.
//!
//! O1. Under its name the file is either what was there before or the whole new one,
//!     durable. Until then it grows beside it, with `.part` behind the name; that goes
//!     when the command fails, and stays when the program is killed.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::failure::Failure;

/// Where data goes.
pub(crate) struct OutFile {
    writer: BufWriter<Box<dyn Write>>,
    path: PathBuf,
    /// The file as it grows; `None` for what cannot be renamed.
    part: Option<Part>,
    /// Nobody reads any more.
    is_closed: bool,
}

struct Part {
    path: PathBuf,
    file: File,
}

impl OutFile {
    /// A file that will be at `path`; standard output for `-`. What is there and no
    /// regular file, such as a pipe, is written to as it is.
    ///
    /// # Errors
    /// It cannot be created.
    pub(crate) fn create(path: &Path) -> Result<Self, Failure> {
        let out = |writer: Box<dyn Write>, part| Self {
            writer: BufWriter::new(writer),
            path: path.into(),
            part,
            is_closed: false,
        };
        if path.as_os_str() == "-" {
            return Ok(out(Box::new(io::stdout()), None));
        }
        let create =
            |path: &Path| File::create(path).map_err(|error| Failure::io("create", path, &error));
        if path.metadata().is_ok_and(|metadata| !metadata.is_file()) {
            return Ok(out(Box::new(create(path)?), None));
        }
        let mut name = path.as_os_str().to_owned();
        name.push(".part");
        let part = PathBuf::from(name);
        let file = create(&part)?;
        let writer = file.try_clone().map_err(|error| Failure::io("write", &part, &error))?;
        Ok(out(Box::new(writer), Some(Part { path: part, file })))
    }

    /// Writes data. Once a pipe is closed by its reader, it goes nowhere.
    ///
    /// # Errors
    /// It cannot be written.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        if self.is_closed {
            return Ok(());
        }
        let written = self.writer.write_all(bytes);
        self.unless_closed("write", written)
    }

    /// Whether nobody reads any more.
    pub(crate) const fn is_closed(&self) -> bool {
        self.is_closed
    }

    /// Puts the file at its place, durably.
    ///
    /// # Errors
    /// It cannot be written; then nothing has changed at its place.
    pub(crate) fn finish(mut self) -> Result<(), Failure> {
        let flushed = self.writer.flush();
        self.unless_closed("write", flushed)?;
        let Some(part) = &self.part else {
            return Ok(());
        };
        let failed = |operation, error| Failure::io(operation, &self.path, &error);
        part.file.sync_all().map_err(|error| failed("sync", error))?;
        fs::rename(&part.path, &self.path).map_err(|error| failed("create", error))?;
        self.part = None;
        let parent = self.path.parent().filter(|parent| !parent.as_os_str().is_empty());
        File::open(parent.unwrap_or(Path::new(".")))
            .and_then(|directory| directory.sync_all())
            .map_err(|error| Failure::io("sync the directory of", &self.path, &error))
    }

    fn unless_closed(&mut self, operation: &str, done: io::Result<()>) -> Result<(), Failure> {
        match done {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.is_closed = true;
                Ok(())
            }
            Err(error) if self.path.as_os_str() == "-" => {
                Err(Failure::failed(format!("cannot write to standard output: {error}")))
            }
            Err(error) => Err(Failure::io(operation, &self.path, &error)),
        }
    }
}

impl Drop for OutFile {
    fn drop(&mut self) {
        if let Some(part) = self.part.take() {
            // The command has failed and says why; a file that stays is no harm.
            fs::remove_file(part.path).unwrap_or_default();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// O1
    #[test]
    fn the_file_is_there_when_it_is_whole() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("out.csv");
        fs::write(&path, "before").unwrap();
        let mut out = OutFile::create(&path).unwrap();
        out.write(b"half").unwrap();
        drop(out);
        assert_eq!(fs::read_to_string(&path).unwrap(), "before");
        let mut out = OutFile::create(&path).unwrap();
        out.write(b"whole").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "before");
        out.finish().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "whole");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
        assert!(OutFile::create(&dir.path().join("no").join("out.csv")).is_err());
    }
}

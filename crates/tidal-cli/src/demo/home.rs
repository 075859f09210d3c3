//! Where the demonstration keeps its database.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use tidal_db::Timestamp;

use crate::failure::Failure;
use crate::output::note;

/// A directory for a database. A temporary one is removed when this is dropped,
/// whatever happened before.
#[derive(Debug)]
pub(crate) struct Home {
    path: PathBuf,
    temporary: bool,
}

impl Home {
    /// The directory at `keep`, which must be new or empty, or a fresh temporary
    /// one.
    pub(crate) fn new(keep: Option<&Path>) -> Result<Self, Failure> {
        match keep {
            Some(path) => Self::kept(path),
            None => Self::temporary(),
        }
    }

    /// The directory.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    fn kept(path: &Path) -> Result<Self, Failure> {
        fs::create_dir_all(path).map_err(|error| Failure::io("create", path, &error))?;
        let mut entries = fs::read_dir(path).map_err(|error| Failure::io("read", path, &error))?;
        if entries.next().is_some() {
            return Err(Failure::failed(format!(
                "{} is not empty; keep the demonstration in a new directory",
                path.display()
            )));
        }
        Ok(Self { path: path.to_owned(), temporary: false })
    }

    fn temporary() -> Result<Self, Failure> {
        let nanos = Timestamp::now().as_nanos();
        let path = std::env::temp_dir().join(format!("tidal-demo-{}-{nanos}", std::process::id()));
        // Fails when somebody else has made it, and then it is not ours.
        fs::create_dir(&path).map_err(|error| Failure::io("create", &path, &error))?;
        Ok(Self { path, temporary: true })
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        if !self.temporary {
            return;
        }
        match fs::remove_dir_all(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                note(&format!("cannot remove {}: {error}; remove it by hand", self.path.display()));
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_temporary_home_goes_and_a_kept_one_stays() {
        let temporary = Home::new(None).unwrap();
        let path = temporary.path().to_owned();
        fs::write(path.join("file"), "x").unwrap();
        drop(temporary);
        assert!(!path.exists());

        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("kept");
        drop(Home::new(Some(&path)).unwrap());
        assert!(path.exists());
        fs::write(path.join("file"), "x").unwrap();
        assert!(Home::new(Some(&path)).unwrap_err().message().contains("not empty"));
    }
}

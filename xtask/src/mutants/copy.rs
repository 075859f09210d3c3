//! A copy of the workspace's sources, in which faults are made.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::failure::{Failure, Result};

/// What is left out of the copy, at the root.
const LEFT_OUT: [&str; 2] = [".git", "target"];

/// A copy of the sources, and where it is built.
pub(super) struct Copy {
    pub(super) root: PathBuf,
    /// Not the folder of the checkout's own builds, so that neither waits for the
    /// other.
    pub(super) target: PathBuf,
}

impl Copy {
    /// Copies the workspace at `root` to below `folder`, in place of an earlier copy.
    /// What was built there before stays.
    pub(super) fn of(root: &Path, folder: &Path) -> Result<Self> {
        let copy = Self { root: folder.join("sources"), target: folder.join("target") };
        copy.fill(root).map_err(|error| {
            let to = copy.root.display();
            Failure::failed(format!("cannot copy the workspace to {to}: {error}"))
        })?;
        Ok(copy)
    }

    fn fill(&self, from: &Path) -> io::Result<()> {
        if self.root.exists() {
            fs::remove_dir_all(&self.root)?;
        }
        fs::create_dir_all(&self.root)?;
        for entry in fs::read_dir(from)? {
            let name = entry?.file_name();
            if !LEFT_OUT.iter().any(|left_out| name == *left_out) {
                copy(&from.join(&name), &self.root.join(&name))?;
            }
        }
        Ok(())
    }

    pub(super) fn read(&self, file: &str) -> Result<String> {
        fs::read_to_string(self.root.join(file))
            .map_err(|error| Failure::failed(format!("cannot read the copy of {file}: {error}")))
    }

    pub(super) fn write(&self, file: &str, text: &str) -> Result<()> {
        fs::write(self.root.join(file), text)
            .map_err(|error| Failure::failed(format!("cannot write the copy of {file}: {error}")))
    }
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    if !from.is_dir() {
        // Written anew and not copied with its times: cargo goes by them.
        return fs::write(to, fs::read(from)?);
    }
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let name = entry?.file_name();
        copy(&from.join(&name), &to.join(&name))?;
    }
    Ok(())
}

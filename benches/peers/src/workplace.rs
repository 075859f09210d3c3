//! The folder of a run: all that is measured lies in it.
//!
//! F1. It goes when the run ends, however that ends: a process of its own, which an
//!     interrupt from the keyboard does not reach, waits for that and removes it.
//! F2. Nothing is removed but a folder of such a name.

use std::fs::{self, Permissions};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use tidal_bench_measure::{Result, at, complain, now};

/// How the names of such folders begin: not with much, since sockets lie in them, whose
/// paths are short.
const PREFIX: &str = "peers-";

/// Killed servers may still write for a moment.
const REMOVE_MAX: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(50);

#[derive(Debug)]
pub(crate) struct Workplace {
    dir: PathBuf,
    sweeper: Child,
}

impl Workplace {
    /// A new one in this folder.
    pub(crate) fn new(parent: &Path) -> Result<Self> {
        // A server may have a user of its own, who has to reach its files.
        let open_to_all = Permissions::from_mode(0o755);
        let mut builder = tempfile::Builder::new();
        builder.prefix(PREFIX).permissions(open_to_all);
        let folder = builder.tempdir_in(parent).map_err(|error| at(parent, &error))?;
        let sweeper = Command::new(std::env::current_exe()?)
            .arg("sweep")
            .arg(folder.path())
            .process_group(0)
            .stdin(Stdio::piped())
            .spawn()?;
        Ok(Self { dir: folder.keep(), sweeper })
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }
}

impl Drop for Workplace {
    fn drop(&mut self) {
        drop(self.sweeper.stdin.take());
        if let Err(error) = self.sweeper.wait() {
            complain(&format!("{} may be left: {error}", self.dir.display()));
        }
    }
}

/// Waits until `input` ends, which is when nobody holds its other end any more, and removes
/// the folder.
///
/// # Errors
///
/// It has not the name of such a folder, or cannot be removed.
pub(crate) fn sweep(dir: &Path, mut input: impl Read) -> Result<()> {
    let name = dir.file_name().and_then(|name| name.to_str());
    if !name.is_some_and(|name| name.starts_with(PREFIX)) {
        return Err(format!("{} is no folder of a run", dir.display()).into());
    }
    io::copy(&mut input, &mut io::sink())?;
    let since = now();
    loop {
        match fs::remove_dir_all(dir) {
            Ok(()) => return Ok(()),
            Err(error) if error.kind() == ErrorKind::NotFound && !dir.exists() => return Ok(()),
            Err(error) if since.elapsed() > REMOVE_MAX => return Err(at(dir, &error).into()),
            Err(_) => thread::park_timeout(PAUSE),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f1_a_folder_goes_when_the_input_ends_and_not_before() {
        let parent = tempfile::tempdir().unwrap();
        let dir = parent.path().join(format!("{PREFIX}1"));
        fs::create_dir_all(dir.join("a/b")).unwrap();
        let (input, output) = io::pipe().unwrap();
        thread::scope(|scope| {
            let sweeper = scope.spawn(|| sweep(&dir, input));
            assert!(dir.join("a/b").exists());
            drop(output);
            sweeper.join().unwrap().unwrap();
        });
        assert!(!dir.exists());
        sweep(&dir, io::empty()).unwrap();
    }

    #[test]
    fn f2_another_folder_stays() {
        let dir = tempfile::tempdir().unwrap();
        assert!(sweep(dir.path(), io::empty()).is_err());
        assert!(dir.path().exists());
    }
}

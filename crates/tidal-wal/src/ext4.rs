//! An ext4 whose power can be cut, for tests of this crate and of others.
//!
//! It lies in a file that is mounted through a loop device. The power is cut by the
//! request `EXT4_IOC_SHUTDOWN` without a flush of the journal: from then on nothing
//! reaches the disk, neither pages nor metadata that were not synced. The page cache of
//! the file below stays: what is tested is that a program syncs all that it has to, files
//! and directories, not that the disk below keeps what was synced.
//!
//! X1. All of it happens in a mount namespace of its own ([`alone`]), so whatever ends the
//!     test, the kernel takes mount and loop device away with its last process.
//! X2. Where root, `unshare`, `mkfs.ext4`, a loop device or a program that can send the
//!     request is missing, the reason is told, for a test to skip.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Set where a test runs in a namespace of its own.
const ALONE: &str = "TIDAL_EXT4_ALONE";

const UNSHARE: [&str; 4] = ["unshare", "--mount", "--propagation", "private"];

/// `_IOR('X', 125, u32)`, and the flag for no flush of the journal. The request needs a
/// C call that safe Rust does not have, so it is sent by a program that has: the first of
/// these that is there. Nothing of it is on the file system that goes down.
const SHUTDOWN: [[&str; 3]; 2] = [
    [
        "perl",
        "-e",
        "open(my $f, '<', $ARGV[0]) or die; my $n = pack('L', 2); ioctl($f, 0x8004587D, $n) or die",
    ],
    [
        "python3",
        "-c",
        "import fcntl, os, struct, sys; fcntl.ioctl(os.open(sys.argv[1], os.O_RDONLY), 0x8004587D, struct.pack('I', 2))",
    ],
];

/// Where the calling test finds itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// In a mount namespace of its own: it goes on.
    Alone,
    /// Among all others: it ran again in a namespace of its own, which went well, and
    /// said this.
    Ran(String),
    /// Among all others, and it cannot run alone, for this reason.
    Skipped(String),
}

/// Runs the calling test again in a mount namespace of its own, unless it is in one.
/// `test` is its whole name.
///
/// # Errors
/// What the test complained of when it failed there.
pub fn alone(test: &str) -> Result<Place, String> {
    if std::env::var_os(ALONE).is_some() {
        return Ok(Place::Alone);
    }
    if let Err(reason) = run(&[&UNSHARE[..], &["true"]].concat(), &[]) {
        return Ok(Place::Skipped(format!("no mounts of its own: {reason}")));
    }
    let [program, arguments @ ..] = UNSHARE;
    let this = std::env::current_exe().map_err(|error| error.to_string())?;
    let output = Command::new(program)
        .args(arguments)
        .arg(this)
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env(ALONE, "1")
        .output()
        .map_err(|error| format!("`{program}` does not start: {error}"))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if output.status.success() {
        Ok(Place::Ran(text(&output.stdout)))
    } else {
        Err(text(&output.stdout) + &text(&output.stderr))
    }
}

/// Runs a command; what it complained of when it fails or is not there.
fn run(words: &[&str], paths: &[&Path]) -> Result<(), String> {
    let Some((program, arguments)) = words.split_first() else {
        return Err("no command".into());
    };
    match Command::new(program).args(arguments).args(paths).output() {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => {
            let complaint = String::from_utf8_lossy(&output.stderr);
            Err(format!("`{program}` failed: {}", complaint.trim()))
        }
        Err(error) => Err(format!("`{program}` does not start: {error}")),
    }
}

/// A file system in a file.
#[derive(Debug)]
pub struct Ext4 {
    image: PathBuf,
    mount: PathBuf,
    shutdown: [&'static str; 3],
    is_mounted: bool,
}

impl Ext4 {
    /// A new one of this size in the directory `dir`, mounted, and known to lose what is
    /// not synced.
    ///
    /// # Errors
    /// Why there can be none.
    pub fn new(dir: &Path, bytes: u64) -> Result<Self, String> {
        let has = |[program, ..]: &[&str; 3]| run(&[program, "--version"], &[]).is_ok();
        let shutdown = SHUTDOWN.into_iter().find(has).ok_or("neither perl nor python3")?;
        let (image, mount) = (dir.join("image"), dir.join("mount"));
        let made = std::fs::create_dir(&mount).and_then(|()| std::fs::File::create(&image));
        made.and_then(|file| file.set_len(bytes)).map_err(|error| error.to_string())?;
        run(&["mkfs.ext4", "-q", "-F"], &[&image])?;
        let mut ext4 = Self { image, mount, shutdown, is_mounted: false };
        ext4.mount()?;
        // The request is known here, and does what it should.
        ext4.cut_power()?;
        if std::fs::write(ext4.mount.join("after"), "x").is_ok() {
            return Err("the shutdown of ext4 does nothing here".into());
        }
        ext4.restart()?;
        Ok(ext4)
    }

    /// The root of the file system.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.mount
    }

    /// From now on nothing reaches the disk.
    ///
    /// # Errors
    /// What the program complained of that sends the request.
    pub fn cut_power(&self) -> Result<(), String> {
        run(&self.shutdown, &[&self.mount])
    }

    /// The power is back. Nobody may have a file open there.
    ///
    /// # Errors
    /// What `umount` or `mount` complained of.
    pub fn restart(&mut self) -> Result<(), String> {
        run(&["umount"], &[&self.mount])?;
        self.is_mounted = false;
        self.mount()
    }

    fn mount(&mut self) -> Result<(), String> {
        run(&["mount", "-t", "ext4", "-o", "loop"], &[&self.image, &self.mount])?;
        self.is_mounted = true;
        Ok(())
    }
}

impl Drop for Ext4 {
    fn drop(&mut self) {
        if self.is_mounted {
            // What is still open there goes with the namespace (X1).
            drop(run(&["umount", "--lazy"], &[&self.mount]));
        }
    }
}

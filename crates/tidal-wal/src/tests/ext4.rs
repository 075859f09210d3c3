//! Power cuts on a real file system.
//!
//! A process appends to a log on an ext4 of its own, in a file that is mounted through a
//! loop device. The power is cut by the request `EXT4_IOC_SHUTDOWN` without a flush of
//! the journal: from then on nothing reaches the disk, neither pages nor metadata that
//! were not synced. Mounted again, the log must hold what was answered.
//!
//! The page cache of the file below stays: what is tested is that the log syncs all that
//! it has to, files and directories, not that the disk below keeps what was synced.
//!
//! X1. All of it happens in a mount namespace of its own, so whatever ends the test,
//!     the kernel takes mount and loop device away with its last process.
//! X2. Where root, `unshare`, `mkfs.ext4`, a loop device or a program that can send the
//!     request is missing, the test says which, and skips.

use std::io::{Write as _, stdout};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::child::{Sending, Story, check, run};
use crate::sim::Rng;

const INSIDE: &str = "TIDAL_WAL_EXT4";
const IMAGE_BYTES: u64 = 64 << 20;
const ROUNDS: u64 = 10;

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

/// Runs a command; what it complained of when it fails or is not there.
fn command(words: &[&str], paths: &[&Path]) -> Result<(), String> {
    let output = Command::new(words[0]).args(&words[1..]).args(paths).output();
    match output {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(format!(
            "`{}` failed: {}",
            words[0],
            String::from_utf8_lossy(&output.stderr).trim()
        )),
        Err(error) => Err(format!("`{}` does not start: {error}", words[0])),
    }
}

/// A file system in a file.
struct Image {
    file: PathBuf,
    mount: PathBuf,
    shutdown: [&'static str; 3],
    is_mounted: bool,
}

impl Image {
    /// A new one, mounted; otherwise why there can be none.
    fn new(dir: &Path) -> Result<Self, String> {
        let has = |program: &[&str; 3]| command(&[program[0], "--version"], &[]).is_ok();
        let shutdown = SHUTDOWN.into_iter().find(has).ok_or("neither perl nor python3")?;
        let mut image =
            Self { file: dir.join("image"), mount: dir.join("mount"), shutdown, is_mounted: false };
        std::fs::create_dir(&image.mount).unwrap();
        std::fs::File::create(&image.file).unwrap().set_len(IMAGE_BYTES).unwrap();
        command(&["mkfs.ext4", "-q", "-F"], &[&image.file])?;
        image.mount()?;
        // The request is known here, and does what it should.
        image.cut_power()?;
        if std::fs::write(image.mount.join("after"), "x").is_ok() {
            return Err("the shutdown of ext4 does nothing here".into());
        }
        image.restart();
        Ok(image)
    }

    fn mount(&mut self) -> Result<(), String> {
        command(&["mount", "-t", "ext4", "-o", "loop"], &[&self.file, &self.mount])?;
        self.is_mounted = true;
        Ok(())
    }

    /// Nothing is written any more.
    fn cut_power(&self) -> Result<(), String> {
        command(&self.shutdown, &[&self.mount])
    }

    /// The power is back.
    fn restart(&mut self) {
        command(&["umount"], &[&self.mount]).unwrap();
        self.is_mounted = false;
        self.mount().unwrap();
    }
}

impl Drop for Image {
    fn drop(&mut self) {
        if self.is_mounted {
            command(&["umount", "--lazy"], &[&self.mount]).unwrap();
        }
    }
}

/// R1, R12, R20: what was answered survives a power cut on a real file system, files and
/// directories, whenever it comes; and is there once, where it is sent again.
#[test]
fn power_cuts_on_ext4_lose_nothing_that_was_answered() {
    if std::env::var_os(INSIDE).is_some() {
        return inside();
    }
    let alone = ["unshare", "--mount", "--propagation", "private"];
    if let Err(reason) = command(&[&alone[..], &["true"]].concat(), &[]) {
        println!("skipped: no mounts of its own: {reason}");
        return;
    }
    let test = "tests::ext4::power_cuts_on_ext4_lose_nothing_that_was_answered";
    let output = Command::new(alone[0])
        .args(&alone[1..])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env(INSIDE, "1")
        .output()
        .unwrap();
    stdout().write_all(&output.stdout).unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{complaint}");
}

/// In the mount namespace.
fn inside() {
    let dir = tempfile::tempdir().unwrap();
    let mut image = match Image::new(dir.path()) {
        Ok(image) => image,
        Err(reason) => {
            println!("skipped: no ext4 to cut the power of: {reason}");
            return;
        }
    };
    let seed = 0x5eed_0004;
    println!("seed {seed:#x}");
    let mut rng = Rng::new(seed);
    let mut there = 0;
    for (name, sending) in [("durable", Sending::Durable), ("keyed", Sending::Keyed)] {
        let log = image.mount.join(name);
        let mut story = Story::default();
        there = 0;
        for round in 0..ROUNDS {
            run(&log, sending, &mut story, 1 + rng.below(200), &|_| {
                image.cut_power().unwrap();
            });
            image.restart();
            let before = there;
            there = check(&log, &story);
            assert!(there >= story.answered.max(before), "R1: {name} {round}: {there}, {story:?}");
        }
    }
    // The same cuts take away what was only written, or they would prove nothing.
    let log = image.mount.join("written");
    let mut lost = 0;
    for _ in 0..3 {
        let mut story = Story::default();
        run(&log, Sending::Written, &mut story, 1 + rng.below(200), &|_| {
            image.cut_power().unwrap();
        });
        image.restart();
        let there = check(&log, &story);
        lost += story.answered.saturating_sub(there);
        std::fs::remove_dir_all(&log).unwrap();
    }
    assert!(lost > 0, "the power was not cut");
    println!("{there} durable records over {ROUNDS} cuts; {lost} lost that were only written");
}

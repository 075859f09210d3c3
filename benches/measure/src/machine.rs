//! The machine it was measured on, as far as it matters.

use std::fs;
use std::path::Path;
use std::thread;

use crate::{BareFile, Result, Samples, Short, now};

/// A write of this many bytes and a sync is what the disk is known by.
const BLOCK_BYTES: usize = 512;
const SYNCS: usize = 300;

/// A sentence about the machine and the disk that `dir` is on, which is written to.
///
/// # Errors
///
/// What the operating system says.
pub fn describe(dir: &Path) -> Result<String> {
    let cores = thread::available_parallelism()?;
    let processor = field("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown".into());
    let memory = field("/proc/meminfo", "MemTotal")
        .and_then(|kib| kib.split(' ').next()?.parse::<f64>().ok())
        .map_or_else(|| "unknown".into(), |kib| format!("{:.0} GiB", kib / f64::from(1 << 20)));
    let date = jiff::Timestamp::now().strftime("%Y-%m-%d");
    Ok(format!(
        "Measured on {date} with {cores} cores ({processor}), {memory} of memory and a disk \
         that takes {} ms to write {BLOCK_BYTES} bytes and sync them.\n",
        Short(sync_secs(dir, SYNCS)? * 1e3),
    ))
}

/// What it takes to write 512 bytes to the disk that `dir` is on and sync them, in seconds: the
/// median of so many.
///
/// # Errors
///
/// What the operating system says.
pub fn sync_secs(dir: &Path, syncs: usize) -> Result<f64> {
    let mut file = BareFile::create(dir, BLOCK_BYTES)?;
    let mut samples = Samples::default();
    for _ in 0..syncs {
        let started = now();
        file.append()?;
        samples.push(started.elapsed().as_secs_f64());
    }
    BareFile::remove(dir)?;
    Ok(samples.median())
}

/// What stands behind a name and a colon in one of the kernel's files.
fn field(path: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().into())
}

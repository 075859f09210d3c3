//! The processes of a system: what memory they have, and their end.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tidal_bench_measure::{Result, now};

/// How long giving memory back may take.
const GONE_MAX: Duration = Duration::from_secs(60);

/// A process and all that it started, in this order.
pub(crate) fn tree(root: u32) -> Vec<u32> {
    let parents = parents();
    let mut found = vec![root];
    let mut next = 0;
    while let Some(&parent) = found.get(next) {
        found.extend(parents.iter().filter(|(_, of)| *of == parent).map(|(pid, _)| pid));
        next += 1;
    }
    found
}

/// Each process and its parent.
fn parents() -> Vec<(u32, u32)> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    let parent = |name: &str| {
        let pid: u32 = name.parse().ok()?;
        // pid (name) state parent; a name may have blanks and brackets.
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let (_, rest) = stat.rsplit_once(')')?;
        Some((pid, rest.split_whitespace().nth(1)?.parse().ok()?))
    };
    entries.flatten().filter_map(|entry| parent(entry.file_name().to_str()?)).collect()
}

/// The bytes of memory that processes have, each page that several share counted once.
pub(crate) fn memory(processes: &[u32]) -> u64 {
    processes.iter().filter_map(|&pid| proportional(pid)).sum()
}

fn proportional(pid: u32) -> Option<u64> {
    let kib = field(pid, "smaps_rollup", "Pss:")?;
    Some(1024 * kib.strip_suffix(" kB")?.parse::<u64>().ok()?)
}

/// The bytes that processes have had written to the disk.
pub(crate) fn written(processes: &[u32]) -> u64 {
    let of = |&pid: &u32| field(pid, "io", "write_bytes:")?.parse::<u64>().ok();
    processes.iter().filter_map(of).sum()
}

/// What stands behind a name in one of the kernel's files about a process.
fn field(pid: u32, file: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(format!("/proc/{pid}/{file}")).ok()?;
    let value = text.lines().find_map(|line| line.strip_prefix(name))?;
    Some(value.trim().to_owned())
}

/// Kills processes, without warning. Whoever is gone already is passed over.
///
/// # Errors
///
/// What the operating system says.
pub(crate) fn kill(processes: &[u32]) -> Result<()> {
    for &process in processes {
        let Some(pid) = i32::try_from(process).ok().and_then(Pid::from_raw) else { continue };
        match kill_process(pid, Signal::KILL) {
            Ok(()) | Err(rustix::io::Errno::SRCH) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Waits until processes that were killed are gone, with all that they held.
///
/// # Errors
///
/// One is there still after [`GONE_MAX`].
pub(crate) fn wait(processes: &[u32]) -> Result<()> {
    let started = now();
    for &pid in processes {
        while Path::new(&format!("/proc/{pid}")).exists() {
            if started.elapsed() > GONE_MAX {
                return Err(format!("the process {pid} was killed and does not end").into());
            }
            thread::park_timeout(Duration::from_millis(1));
        }
    }
    Ok(())
}

/// The bytes that the files below a folder take on the disk.
///
/// # Errors
///
/// What the operating system says; a file that went away meanwhile is none.
pub(crate) fn disk(folder: &Path) -> Result<u64> {
    use std::os::unix::fs::MetadataExt as _;
    let mut bytes = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        match entry.metadata() {
            Ok(found) if found.is_dir() => bytes += disk(&entry.path())?,
            Ok(found) => bytes += 512 * found.blocks(),
            Err(_) => {}
        }
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead as _, BufReader};
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn a_tree_is_found_and_killed() {
        let mut child = Command::new("sh")
            .args(["-c", "sleep 60 & echo started; wait"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let found = tree(child.id());
        assert_eq!((found.len(), found[0]), (2, child.id()));
        assert!(memory(&found) > 0);
        kill(&found).unwrap();
        assert!(!child.wait().unwrap().success());
        wait(&found).unwrap();
        assert_eq!(memory(&found), 0);
    }

    #[test]
    fn files_are_counted_below_a_folder() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("a")).unwrap();
        fs::write(dir.path().join("a/b"), vec![1; 10_000]).unwrap();
        let bytes = disk(dir.path()).unwrap();
        assert!((10_000..100_000).contains(&bytes), "{bytes}");
    }
}

//! The processes of a system: what memory they have, and their end.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process};
use tidal_bench_measure::{Result, at, now};

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

/// The bytes of memory that processes have for themselves and share with each other, each
/// page counted once. The pages of files are not among them, whether they are mapped or
/// read: the kernel keeps those, for whoever asks for them, and gives them up for others.
///
/// # Errors
///
/// A process that is there may not be looked at.
pub(crate) fn memory(processes: &[u32]) -> Result<u64> {
    let kib = sum(processes, "smaps_rollup", &["Pss_Anon:", "Pss_Shmem:"])?;
    Ok(1024 * kib)
}

/// The bytes that processes have had written to the disk, with those of their children
/// that have ended.
///
/// # Errors
///
/// A process that is there may not be looked at.
pub(crate) fn written(processes: &[u32]) -> Result<u64> {
    sum(processes, "io", &["write_bytes:"])
}

/// The sum of what stands behind these names in one of the kernel's files about processes.
/// One that has ended has nothing any more.
fn sum(processes: &[u32], file: &str, names: &[&str]) -> Result<u64> {
    let mut sum = 0;
    for pid in processes {
        let path = PathBuf::from(format!("/proc/{pid}/{file}"));
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            // Its memory goes before it does.
            Err(error) if Errno::from_io_error(&error) == Some(Errno::SRCH) => continue,
            Err(_) if has_ended(*pid) => continue,
            Err(error) => return Err(at(&path, &error).into()),
        };
        for name in names {
            let value = text.lines().find_map(|line| line.strip_prefix(name));
            let number = value.and_then(|value| value.split_whitespace().next());
            let number: u64 =
                number.ok_or_else(|| format!("{} has no {name}", path.display()))?.parse()?;
            sum += number;
        }
    }
    Ok(sum)
}

/// Whether a process is gone, or waits for nothing but its parent to take note of that: in
/// a container there may be nobody who does.
fn has_ended(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"));
    stat.map_or(true, |stat| {
        stat.rsplit_once(')').is_none_or(|(_, rest)| rest.trim_start().starts_with(['Z', 'X']))
    })
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
            Ok(()) | Err(Errno::SRCH) => {}
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
        while !has_ended(pid) {
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
        assert!(memory(&found).unwrap() > 0);
        kill(&found).unwrap();
        // The child has ended, though its parent has not taken note of it yet.
        wait(&found[..1]).unwrap();
        assert_eq!(memory(&found[..1]).unwrap(), 0);
        assert!(!child.wait().unwrap().success());
        wait(&found).unwrap();
        assert_eq!(memory(&found).unwrap(), 0);
    }

    #[test]
    fn a_buffer_is_memory_and_nobody_has_none() {
        let own = [std::process::id()];
        let before = memory(&own).unwrap();
        let buffer = std::hint::black_box(vec![1_u8; 128 << 20]);
        // Other tests of this process may take and give memory meanwhile.
        assert!(memory(&own).unwrap() > before + (64 << 20));
        drop(buffer);
        assert_eq!((memory(&[u32::MAX]).unwrap(), written(&[u32::MAX]).unwrap()), (0, 0));
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

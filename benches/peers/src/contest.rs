//! A system and a data set: it is taken in, the system is killed, and asked again.
//!
//! C1. Whatever a system does, only its row is lost: the others are measured.
//! C2. All processes of a system are killed, servers too, and its folder is removed.
//! C3. Each restart begins with the files as they were when the system was killed, all of
//!     them on the disk, and in the kernel's cache too.

use std::fs;
use std::io::{BufRead as _, BufReader, ErrorKind};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tidal_bench_measure::{Result, Samples, at};

use crate::data::DataSet;
use crate::processes;
use crate::server;
use crate::system::Kind;
use crate::worker::{Filled, Order, Served, Task, Told};

/// How often it is opened again.
const RESTARTS: usize = 3;

/// The folders of the system, and of what it is opened from again.
const FILES: &str = "files";
const COPY: &str = "copy";

/// Memory is looked at so often, so far apart.
const LOOKS: usize = 5;
const BETWEEN_LOOKS: Duration = Duration::from_millis(200);

/// What was found about a system and a data set.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Row {
    pub(crate) system: Kind,
    pub(crate) set: DataSet,
    /// On how many cores, if not on all.
    pub(crate) cores: Option<usize>,
    /// Why there is nothing, or not everything.
    pub(crate) failure: Option<String>,
    pub(crate) filled: Filled,
    /// What the last one found.
    pub(crate) served: Served,
    /// What opening took each time, in milliseconds.
    pub(crate) openings: Vec<f64>,
    /// Bytes of memory when everything was in, beyond what there was before.
    pub(crate) memory: f64,
    /// Bytes on the disk when it was killed.
    pub(crate) disk: f64,
}

/// How long things may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    /// For taking in, in seconds.
    pub(crate) budget: f64,
    /// For a round, in seconds.
    pub(crate) round: f64,
}

/// Measures, with files in new folders below `dir`.
pub(crate) fn measure(
    system: Kind,
    set: DataSet,
    cores: Option<usize>,
    pace: Pace,
    dir: &Path,
) -> Row {
    if let Some(why) = system.missing() {
        return Row::skipped(system, set, cores, why);
    }
    let mut row = Row { failure: None, ..Row::skipped(system, set, cores, String::new()) };
    let measured = row.fill_in(pace, dir).and_then(|()| row.is_checked());
    let removed = remove(&dir.join(FILES)).and_then(|()| remove(&dir.join(COPY)));
    row.failure = measured.and(removed).err().map(|error| error.to_string());
    row
}

impl Row {
    /// A system that was not measured.
    pub(crate) fn skipped(system: Kind, set: DataSet, cores: Option<usize>, why: String) -> Self {
        Self {
            system,
            set,
            cores,
            failure: Some(why),
            filled: Filled::default(),
            served: Served::default(),
            openings: Vec::new(),
            memory: 0.0,
            disk: 0.0,
        }
    }

    fn fill_in(&mut self, pace: Pace, dir: &Path) -> Result<()> {
        let files = dir.join(FILES);
        fs::create_dir(&files)?;
        let Pace { budget, round } = pace;
        let Self { system, set, cores, .. } = *self;
        let order = |task, dir: &Path| {
            let dir = dir.into();
            Order { task, system, set, dir, cores, budget, round }
        };
        let filler = Worker::start(&order(Task::Fill, &files))?;
        let (filler, filled) = filler.answer::<Filled>()?;
        let memory = filler.memory()?;
        filler.kill()?;
        // What the kernel has yet to write is no work of a system that opens.
        sync(&files)?;
        self.memory = memory - filled.before as f64;
        self.disk = processes::disk(&files)? as f64;
        self.filled = filled;
        if let Some(seconds) = self.filled.too_long {
            return Err(format!("all events would have taken {:.0} minutes", seconds / 60.0).into());
        }
        let files_again = dir.join(COPY);
        for _ in 1..RESTARTS {
            copy(&files, &files_again)?;
            sync(&files_again)?;
            let open = order(Task::Open, &files_again);
            let (worker, served) = Worker::start(&open)?.answer::<Served>()?;
            worker.kill()?;
            fs::remove_dir_all(&files_again)?;
            self.openings.push(served.opening);
        }
        let (worker, served) = Worker::start(&order(Task::Serve, &files))?.answer::<Served>()?;
        worker.kill()?;
        self.openings.push(served.opening);
        self.served = served;
        Ok(())
    }

    fn is_checked(&self) -> Result<()> {
        match &self.served.wrong {
            Some(wrong) => Err(format!("wrong answers: {wrong}").into()),
            None => Ok(()),
        }
    }

    /// Whether all events were taken in.
    pub(crate) const fn is_whole(&self) -> bool {
        self.filled.events > 0 && self.filled.too_long.is_none()
    }

    /// Whether its answers were compared with those that they have to be, and are those;
    /// otherwise nothing of it counts.
    pub(crate) const fn is_right(&self) -> bool {
        self.served.checked && self.served.wrong.is_none()
    }
}

/// Removes a folder, if it is there.
fn remove(dir: &Path) -> Result<()> {
    match fs::remove_dir_all(dir) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(at(dir, &error).into()),
        _ => Ok(()),
    }
}

/// Copies a folder, with owners and rights.
fn copy(from: &Path, to: &Path) -> Result<()> {
    let status = Command::new("cp").arg("-a").arg(from).arg(to).status()?;
    done(status, || format!("{} cannot be copied", from.display()))
}

/// Waits until all that was written to the disk of a folder is on it.
fn sync(dir: &Path) -> Result<()> {
    let status = Command::new("sync").arg("--file-system").arg(dir).status()?;
    done(status, || format!("the disk of {} cannot be synced", dir.display()))
}

fn done(status: ExitStatus, otherwise: impl FnOnce() -> String) -> Result<()> {
    if status.success() { Ok(()) } else { Err(otherwise().into()) }
}

/// A process that carries out an order, killed with all that it started at the latest when
/// it is dropped.
#[derive(Debug)]
struct Worker(Child);

impl Worker {
    fn start(order: &Order) -> Result<Self> {
        let child = server::dependent(&std::env::current_exe()?)
            .arg("worker")
            .arg(serde_json::to_string(order)?)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        Ok(Self(child))
    }

    /// Waits for what it found.
    fn answer<T: DeserializeOwned>(mut self) -> Result<(Self, T)> {
        let output = self.0.stdout.as_mut().ok_or("a worker has an output")?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        if line.is_empty() {
            return Err("its process ended early".into());
        }
        Ok((self, serde_json::from_str::<Told<T>>(&line)??))
    }

    fn processes(&self) -> Vec<u32> {
        processes::tree(self.0.id())
    }

    /// The memory of its processes: the median of several looks.
    fn memory(&self) -> Result<f64> {
        let mut looks = Samples::default();
        for _ in 0..LOOKS {
            looks.push(processes::memory(&self.processes())? as f64);
            thread::park_timeout(BETWEEN_LOOKS);
        }
        Ok(looks.median())
    }

    fn kill(mut self) -> Result<()> {
        self.end()
    }

    fn end(&mut self) -> Result<()> {
        let processes = self.processes();
        processes::kill(&processes)?;
        self.0.wait()?;
        processes::wait(&processes)
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        if let Err(error) = self.end() {
            tidal_bench_measure::complain(&format!("a process may be left: {error}"));
        }
    }
}

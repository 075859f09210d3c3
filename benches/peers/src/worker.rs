//! What is done in a process of its own, so that it can be killed: it takes a data set in,
//! or opens what another left behind and answers. It tells its findings, or what went wrong,
//! on its output, in a line, and then waits for its end.

mod fill;
mod serve;

use std::io::{self, Read as _, Write as _};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use tidal_bench_measure::Result;

pub(crate) use fill::Filled;
pub(crate) use serve::Served;

use crate::data::{Data, DataSet};
use crate::system::{Kind, System};

/// What is measured is measured so often.
const ROUNDS: usize = 5;

/// What a process is to do.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Order {
    pub(crate) task: Task,
    pub(crate) system: Kind,
    pub(crate) set: DataSet,
    /// Where the system has its files.
    pub(crate) dir: PathBuf,
    /// On how many cores, if not on all.
    pub(crate) cores: Option<usize>,
    /// How many seconds taking the data in may last.
    pub(crate) budget: f64,
    /// How long a round is, in seconds.
    pub(crate) round: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Task {
    /// Takes the data in.
    Fill,
    /// Opens, and answers one question.
    Open,
    /// Opens, is checked, and answers many.
    Serve,
}

/// What a process tells: its findings, or why there are none.
pub(crate) type Told<T> = std::result::Result<T, String>;

/// Carries out the order, which is one line of JSON, and does not come back while its
/// input is open, unless something went wrong, which it has told then.
///
/// # Errors
///
/// The order cannot be read, or the output not be written.
pub(crate) fn run(order: &str) -> Result<()> {
    let order: Order = serde_json::from_str(order)?;
    // What was opened stays open, and the data in memory, until the process is killed.
    let data = match prepare(&order) {
        Ok(data) => data,
        Err(error) => return tell_failure(&*error),
    };
    match carry_out(&order, &data) {
        Ok((_system, found)) => {
            tell(&found)?;
            io::stdin().read_to_end(&mut Vec::new())?;
            Ok(())
        }
        Err(error) => tell_failure(&*error),
    }
}

fn tell_failure(error: &dyn std::error::Error) -> Result<()> {
    tell(&serde_json::to_string(&Told::<()>::Err(error.to_string()))?)
}

fn tell(line: &str) -> Result<()> {
    let mut output = io::stdout().lock();
    writeln!(output, "{line}")?;
    Ok(output.flush()?)
}

fn prepare(order: &Order) -> Result<Data> {
    if let Some(cores) = order.cores {
        stay_on(cores)?;
    }
    Ok(order.set.load()?.ok_or("there is no such data")?)
}

/// Does it, and answers what is open, and its findings as a line.
fn carry_out(order: &Order, data: &Data) -> Result<(Box<dyn System>, String)> {
    match order.task {
        Task::Fill => {
            let (system, filled) = fill::run(order, data)?;
            Ok((system, serde_json::to_string(&Told::Ok(filled))?))
        }
        Task::Open | Task::Serve => {
            let (system, served) = serve::run(order, data)?;
            Ok((system, serde_json::to_string(&Told::Ok(served))?))
        }
    }
}

/// Keeps this process, and what it starts, on the first cores.
fn stay_on(cores: usize) -> Result<()> {
    let mut set = rustix::thread::CpuSet::new();
    for core in 0..cores {
        set.set(core);
    }
    Ok(rustix::thread::sched_setaffinity(None, &set)?)
}

//! `tidal wal`: looking at a log without opening it, and salvaging one.

mod dump;
mod salvage;
mod stat;

use std::path::PathBuf;

use serde_json::{Value, json};
use tidal_db::{Parent, Problem};

use crate::args::{Global, WalArgs, WalCommand};
use crate::failure::Failure;

pub(super) fn run(global: &Global, args: &WalArgs) -> Result<(), Failure> {
    match &args.command {
        WalCommand::Stat(args) => stat::run(global, args),
        WalCommand::Dump(args) => dump::run(global, args),
        WalCommand::Salvage(args) => salvage::run(global, args),
    }
}

/// The directory that a command names, else the database.
fn dir(global: &Global, named: Option<&PathBuf>) -> Result<PathBuf, Failure> {
    named.map_or_else(|| crate::database::data_dir(global), |dir| Ok(dir.clone()))
}

fn problem_json(problem: &Problem) -> Value {
    json!({
        "path": problem.path.to_string_lossy(),
        "offset": problem.offset,
        "problem": problem.problem,
    })
}

fn problem_text(problem: &Problem) -> String {
    format!("{} at byte {}: {}", problem.path.display(), problem.offset, problem.problem)
}

fn parent_json(parent: &Parent) -> Value {
    json!({
        "log_id": parent.position.log_id.to_string(),
        "seq": parent.position.seq.get(),
        "digest": parent.digest.to_string(),
    })
}

//! What is wrong with a command line although each part of it is right, as far
//! as that can be said without a database or a file.
//!
//! An option that would do nothing is refused: whoever gave it expects more.

use std::path::Path;

use super::{Cli, Command, FeaturesArgs, Global, ImportArgs};
use crate::failure::Failure;

impl Cli {
    /// Refuses parts that do not go together.
    ///
    /// # Errors
    /// Wrong usage.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        match &self.command {
            Command::Import(args) => import(args),
            Command::ImportAttributes(args) => reject_is_a_file(args.reject.as_deref()),
            Command::Features(args) => features(args, self.global.json),
            Command::Demo(_) => demo(&self.global),
            Command::Backup(_)
            | Command::Restore(_)
            | Command::VerifyBackup(_)
            | Command::Diff(_)
            | Command::Migrate(_) => without_db(&self.global),
            _ => Ok(()),
        }
    }
}

fn import(args: &ImportArgs) -> Result<(), Failure> {
    if args.time_format.is_some() && args.time_column.is_none() {
        return Err(Failure::usage(
            "--time-format says how a column of times is written; add --time-column COL, or leave it out",
        ));
    }
    reject_is_a_file(args.reject.as_deref())
}

fn features(args: &FeaturesArgs, json: bool) -> Result<(), Failure> {
    if json && args.out.as_os_str() == "-" {
        return Err(Failure::usage(
            "--json and --out - would both print to standard output; name a file with --out",
        ));
    }
    reject_is_a_file(args.reject.as_deref())
}

fn reject_is_a_file(reject: Option<&Path>) -> Result<(), Failure> {
    match reject {
        Some(path) if path.as_os_str() == "-" => Err(Failure::usage(
            "--reject needs a file, since standard output carries data; name one, such as --reject rejected.csv",
        )),
        _ => Ok(()),
    }
}

/// `TIDAL_DB` alone is no mistake: it stands there for the other commands.
fn demo(global: &Global) -> Result<(), Failure> {
    match &global.db {
        Some(path) => Err(Failure::usage(format!(
            "the demonstration makes a database of its own; to keep it in {}, say tidal demo --keep {0}",
            path.display()
        ))),
        None => Ok(()),
    }
}

/// These commands name their directories themselves.
fn without_db(global: &Global) -> Result<(), Failure> {
    match &global.db {
        Some(path) => Err(Failure::usage(format!(
            "this command takes its directories without --db; say {} at its place, see --help",
            path.display()
        ))),
        None => Ok(()),
    }
}

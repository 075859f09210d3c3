//! The commands, one file each, and the way from the command line to them.

mod backup;
mod checkpoint;
mod demo;
mod diff;
mod explain;
mod features;
mod forget;
mod get;
mod help;
mod history;
mod import;
mod import_attributes;
mod init;
mod migrate;
mod put;
mod rank;
mod replay;
mod restore;
mod set;
mod signal;
mod staleness;
mod stats;
mod top;
mod usage;
mod verify;
mod verify_backup;
mod wal;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser;

use crate::args::{Cli, Command};
use crate::failure::Failure;

/// Runs the program.
pub(crate) fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    match Cli::try_parse_from(args) {
        Ok(cli) => match cli.check().and_then(|()| dispatch(&cli)) {
            Ok(()) => ExitCode::SUCCESS,
            Err(failure) => failure.report(),
        },
        Err(error) => usage::report(&error),
    }
}

fn dispatch(cli: &Cli) -> Result<(), Failure> {
    let global = &cli.global;
    match &cli.command {
        Command::Init(args) => init::run(global, args),
        Command::Import(args) => import::run(global, args),
        Command::Features(args) => features::run(global, args),
        Command::Signal(args) => signal::run(global, args),
        Command::Set(args) => set::run(global, args),
        Command::ImportAttributes(args) => import_attributes::run(global, args),
        Command::Get(args) => get::run(global, args),
        Command::Top(args) => top::run(global, args),
        Command::History(args) => history::run(global, args),
        Command::Rank(args) => rank::run(global, args),
        Command::Explain(args) => explain::run(global, args),
        Command::Put(args) => put::run(global, args),
        Command::Delete(args) => put::delete(global, args),
        Command::Forget(args) => forget::run(global, args),
        Command::Purge => forget::purge(global),
        Command::Stats => stats::run(global),
        Command::Verify(args) => verify::run(global, args),
        Command::Wal(args) => wal::run(global, args),
        Command::Checkpoint => checkpoint::run(global),
        Command::Backup(args) => backup::run(global, args),
        Command::Restore(args) => restore::run(global, args),
        Command::VerifyBackup(args) => verify_backup::run(global, args),
        Command::Migrate(args) => migrate::run(global, args),
        Command::Replay(args) => replay::run(global, args),
        Command::Diff(args) => diff::run(global, args),
        Command::Demo(args) => demo::run(global, args),
        Command::Help(args) => help::run(args),
    }
}

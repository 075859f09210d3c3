//! `tidal help`: `--help`, said in front.

use std::iter;

use clap::Parser;
use clap::error::ErrorKind;

use crate::args::{Cli, HelpArgs};
use crate::failure::Failure;
use crate::output::print;

pub(super) fn run(args: &HelpArgs) -> Result<(), Failure> {
    let line = iter::once("tidal").chain(args.command.as_deref()).chain(iter::once("--help"));
    match Cli::try_parse_from(line) {
        Err(help) if help.kind() == ErrorKind::DisplayHelp => print(&help.render().to_string()),
        _ => {
            let name = args.command.as_deref().unwrap_or_default();
            Err(Failure::usage(format!("no command {name:?}; see --help")))
        }
    }
}

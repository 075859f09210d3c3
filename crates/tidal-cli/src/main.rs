//! The `tidal` program: tidalDB on the command line.
//!
//! P1. Standard output carries data only; everything said to a person goes to
//!     standard error, one line at a time, beginning with `tidal: `.
//! P2. Exit code 0 is done, 1 is failed, 2 is wrong usage.
//! P3. Whatever a command reports as written is durable.

mod args;
mod attribute;
mod commands;
mod database;
mod demo;
mod entity;
mod failure;
mod features;
mod import;
mod input;
mod moment;
mod output;
mod schema_file;
mod stopwatch;

use std::process::ExitCode;

fn main() -> ExitCode {
    commands::run(std::env::args_os())
}

//! What clap has to say, in the program's own form: help as it is, a mistake in
//! one line.

use std::io;
use std::process::ExitCode;

use clap::Error;
use clap::error::ErrorKind;

use crate::failure::Failure;

/// Shows help, or says what is wrong with the command line.
pub(crate) fn report(error: &Error) -> ExitCode {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => match show(error) {
            Ok(()) => ExitCode::SUCCESS,
            Err(problem) => {
                Failure::failed(format!("cannot write to standard output: {problem}")).report()
            }
        },
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => match show(error) {
            Ok(()) => ExitCode::from(2),
            Err(_) => Failure::usage("no command given; see --help").report(),
        },
        _ => Failure::usage(one_line(&error.render().to_string())).report(),
    }
}

fn show(error: &Error) -> io::Result<()> {
    match error.print() {
        Err(problem) if problem.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        shown => shown,
    }
}

/// The part of clap's message that says what is wrong, without the usage.
fn one_line(text: &str) -> String {
    let problem = text.strip_prefix("error: ").unwrap_or(text);
    let end = ["\n\nUsage:", "\n\nFor more information"]
        .iter()
        .filter_map(|mark| problem.find(mark))
        .min();
    let problem = problem.get(..end.unwrap_or(problem.len())).unwrap_or(problem);
    let lines: Vec<&str> = problem.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    format!("{}; see --help", lines.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usage_is_left_out() {
        let text = "error: the following required arguments were not provided:\n  --schema <FILE>\n\nUsage: tidal init\n\nFor more information, try '--help'.\n";
        assert_eq!(
            one_line(text),
            "the following required arguments were not provided: --schema <FILE>; see --help"
        );
        assert_eq!(one_line("error: bad\n\n  tip: good\n"), "bad tip: good; see --help");
    }
}

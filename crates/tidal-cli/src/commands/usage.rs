//! What clap has to say, in the program's own form: help as it is, a mistake in
//! one line.

use std::io;
use std::process::ExitCode;

use clap::Error;
use clap::error::{ContextKind, ContextValue, ErrorKind};

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
        _ => {
            let problem = first_sentence(&error.render().to_string());
            let meant = suggestion(error)
                .map_or_else(String::new, |meant| format!(" (did you mean {meant}?)"));
            Failure::usage(format!("{problem}{meant}; see --help")).report()
        }
    }
}

fn show(error: &Error) -> io::Result<()> {
    match error.print() {
        Err(problem) if problem.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        shown => shown,
    }
}

/// The part of clap's message that says what is wrong: its first paragraph,
/// without the tips and the usage.
fn first_sentence(text: &str) -> String {
    let problem = text.strip_prefix("error: ").unwrap_or(text);
    let problem = problem.split("\n\n").next().unwrap_or_default();
    let lines: Vec<&str> = problem.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    lines.join(" ")
}

/// The command or option that is spelled nearly so.
fn suggestion(error: &Error) -> Option<&str> {
    let kinds = [ContextKind::SuggestedSubcommand, ContextKind::SuggestedArg];
    kinds.into_iter().find_map(|kind| match error.get(kind)? {
        ContextValue::String(text) => Some(text.as_str()),
        // The most similar comes last.
        ContextValue::Strings(texts) => texts.last().map(String::as_str),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tips_and_the_usage_are_left_out() {
        let text = "error: the following required arguments were not provided:\n  --schema <FILE>\n\nUsage: tidal init\n\nFor more information, try '--help'.\n";
        assert_eq!(
            first_sentence(text),
            "the following required arguments were not provided: --schema <FILE>"
        );
        assert_eq!(first_sentence("error: bad\n\n  tip: good\n"), "bad");
    }
}

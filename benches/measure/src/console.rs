//! The clock, and what a person sees.

use std::process::ExitCode;
use std::time::Instant;

use crate::Result;

/// The time, which is what is measured.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "a benchmark measures time")]
pub fn now() -> Instant {
    Instant::now()
}

/// Prints what the program is for.
#[expect(clippy::print_stdout, reason = "the tables are what the program is for")]
pub fn say(text: &str) {
    println!("{text}");
}

/// What is being done, and what went wrong.
#[expect(clippy::print_stderr, reason = "a person waits for minutes")]
pub fn complain(text: &str) {
    eprintln!("{text}");
}

/// How a program ends, which says what went wrong.
#[must_use]
pub fn ended(result: Result<()>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&format!("error: {error}"));
            ExitCode::FAILURE
        }
    }
}

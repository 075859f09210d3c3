//! The clock, and what a person sees.

use std::time::Instant;

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

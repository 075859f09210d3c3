//! The only place that prints.

/// A line on standard output.
#[expect(clippy::print_stdout, reason = "a chore reports on the terminal")]
pub(crate) fn say(line: &str) {
    println!("{line}");
}

/// A line on standard error.
#[expect(clippy::print_stderr, reason = "a chore complains on the terminal")]
pub(crate) fn complain(line: &str) {
    eprintln!("{line}");
}

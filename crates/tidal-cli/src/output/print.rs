//! The two streams.
//!
//! A reader that has seen enough closes the pipe (`tidal top view | head -1`);
//! that is no failure, and the program ends as if it had been read to the end.

use std::io::{self, Write};

use crate::failure::Failure;

/// Writes data to standard output, whole or not at all as far as a closed pipe
/// lets it.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(Failure::failed(format!("cannot write to standard output: {error}"))),
    }
}

/// Says one line to the person, on standard error.
pub(crate) fn note(message: &str) {
    note_as_is(&one_line(message));
}

/// Says a line that has its blanks for a reason.
pub(crate) fn note_as_is(line: &str) {
    let line = format!("tidal: {line}\n");
    // Without a standard error there is nobody left to tell.
    io::stderr().lock().write_all(line.as_bytes()).unwrap_or_default();
}

/// The message with every run of white space that holds a line break made one
/// space.
fn one_line(message: &str) -> String {
    message.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_stays_on_one_line() {
        assert_eq!(one_line("a: b\n\n   | c\r\n"), "a: b | c");
        assert_eq!(one_line("a  b"), "a  b");
    }
}

//! What a case says when it has seen something wrong.

use std::fmt::{self, Debug};
use std::panic::Location;
use std::thread::ScopedJoinHandle;

use crate::{Result, StorageError};

/// How much of a value is shown, in characters.
const SHOWN_CHARS_MAX: usize = 600;

/// What a case found: a message, and where the case says so.
#[derive(Debug, Clone)]
pub struct Failure {
    case: String,
    message: String,
    location: Option<&'static Location<'static>>,
}

/// What comes of a case.
pub(super) type Verdict<T = ()> = std::result::Result<T, Failure>;

impl Failure {
    #[track_caller]
    pub(super) fn new(message: impl Into<String>) -> Self {
        let location = Some(Location::caller());
        Self { case: String::new(), message: message.into(), location }
    }

    /// What an engine said when it panicked.
    pub(super) fn panicked(message: &str) -> Self {
        let message = format!("the engine panicked: {message}");
        Self { case: String::new(), message, location: None }
    }

    pub(super) fn of_case(mut self, group: &str, name: &str) -> Self {
        self.case = format!("{group}::{name}");
        self
    }

    /// What was looked at, what was seen, and what was expected.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "conformance case {} failed: {}", self.case, self.message)?;
        match self.location {
            Some(location) => write!(f, " (at {location})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Failure {}

impl From<StorageError> for Failure {
    #[track_caller]
    fn from(error: StorageError) -> Self {
        Self::new(format!("an unexpected error: {error} ({error:?})"))
    }
}

/// Compares what was seen with what was expected.
#[track_caller]
pub(super) fn same<A: PartialEq<B> + Debug, B: Debug>(what: &str, seen: A, expected: B) -> Verdict {
    if seen == expected {
        return Ok(());
    }
    Err(Failure::new(format!("{what}: seen {}, expected {}", cut(&seen), cut(&expected))))
}

/// What has to be true.
#[track_caller]
pub(super) fn holds(what: &str, holds: bool) -> Verdict {
    if holds { Ok(()) } else { Err(Failure::new(format!("it does not hold that {what}"))) }
}

/// A call that has to fail, and the error that it has to fail with.
#[track_caller]
pub(super) fn fails<T>(
    what: &str,
    result: Result<T>,
    is_right: impl FnOnce(&StorageError) -> bool,
) -> Verdict {
    match result {
        Err(error) if is_right(&error) => Ok(()),
        Err(error) => Err(Failure::new(format!("{what}: the wrong error: {error:?}"))),
        Ok(_) => Err(Failure::new(format!("{what}: no error, where one was expected"))),
    }
}

/// What a thread has to say.
#[track_caller]
pub(super) fn joined<T>(thread: ScopedJoinHandle<'_, Verdict<T>>) -> Verdict<T> {
    thread.join().unwrap_or_else(|_| Err(Failure::new("a thread panicked")))
}

fn cut(value: &dyn Debug) -> String {
    let mut shown = format!("{value:?}");
    if let Some((end, _)) = shown.char_indices().nth(SHOWN_CHARS_MAX) {
        let bytes = shown.len();
        shown.truncate(end);
        shown = format!("{shown}... ({bytes} bytes)");
    }
    shown
}

//! One named case, and what comes of running it.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::subject::Subject;
use super::{Factory, Failure, Verdict, find};
use crate::Capabilities;

/// What a case needs an engine to be able to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// Nothing but what every engine does.
    Nothing,
    /// [`Capabilities::persistent`].
    Persistence,
}

impl Needs {
    /// Why a case does not apply to an engine, if it does not.
    #[must_use]
    pub const fn ruled_out_by(self, capabilities: Capabilities) -> Option<&'static str> {
        match self {
            Self::Persistence if !capabilities.persistent => {
                Some("the engine keeps nothing on disk")
            }
            Self::Nothing | Self::Persistence => None,
        }
    }
}

/// One thing that an engine has to get right.
#[derive(Debug, Clone, Copy)]
pub struct Case {
    pub(super) group: &'static str,
    pub(super) name: &'static str,
    pub(super) needs: Needs,
    pub(super) body: fn(Subject<'_>) -> Verdict,
}

impl Case {
    /// The group that it is in.
    #[must_use]
    pub const fn group(&self) -> &'static str {
        self.group
    }

    /// What it tests; with the group, no other case's.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// What it needs.
    #[must_use]
    pub const fn needs(&self) -> Needs {
        self.needs
    }

    /// Runs it, on a storage and in a directory of its own.
    #[must_use]
    pub fn run(&self, factory: &dyn Factory) -> Outcome {
        if let Some(reason) = self.needs.ruled_out_by(factory.capabilities()) {
            return Outcome::NotApplicable(reason);
        }
        let body = AssertUnwindSafe(|| (self.body)(Subject::new(factory)?));
        let verdict = catch_unwind(body).unwrap_or_else(|panic| {
            let message = panic.downcast_ref::<String>().map(String::as_str);
            let message = message.or_else(|| panic.downcast_ref::<&str>().copied());
            Err(Failure::panicked(message.unwrap_or("without a message")))
        });
        match verdict {
            Ok(()) => Outcome::Passed,
            Err(failure) => Outcome::Failed(failure.of_case(self.group, self.name)),
        }
    }
}

/// What came of a case.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// The engine does this.
    Passed,
    /// The engine cannot be asked this, for this reason.
    NotApplicable(&'static str),
    /// The engine gets this wrong.
    Failed(Failure),
}

impl Outcome {
    /// The outcome for whoever only wants to know of failures.
    ///
    /// # Errors
    ///
    /// The failure.
    pub fn into_result(self) -> Result<(), Failure> {
        match self {
            Self::Passed | Self::NotApplicable(_) => Ok(()),
            Self::Failed(failure) => Err(failure),
        }
    }
}

/// The body of a test: runs a case, which has to apply.
///
/// # Panics
///
/// If the engine fails the case, or cannot be asked; the message says which.
pub fn assert_passes(factory: &dyn Factory, group: &str, name: &str) {
    match find(group, name).map(|case| case.run(factory)) {
        Some(Outcome::Passed) => {}
        Some(Outcome::Failed(failure)) => panic!("{failure}"),
        Some(Outcome::NotApplicable(reason)) => panic!(
            "{group}::{name} is not applicable: {reason}; say `without persistence` in `conformance_tests!`"
        ),
        None => panic!("there is no case {group}::{name}"),
    }
}

/// The body of a test that is ignored, since the engine was declared unable: runs the
/// case if it applies all the same.
///
/// # Panics
///
/// If the engine fails the case.
pub fn assert_unless_ruled_out(factory: &dyn Factory, group: &str, name: &str) {
    if let Some(Outcome::Failed(failure)) = find(group, name).map(|case| case.run(factory)) {
        panic!("{failure}");
    }
}

/// The body of the test that the macro was told what the capabilities say, and that the
/// storage says the same as the factory.
///
/// # Panics
///
/// If not.
pub fn assert_declared(factory: &dyn Factory, persistent: bool) {
    let capabilities = factory.capabilities();
    assert_eq!(
        capabilities.persistent, persistent,
        "`without persistence` in `conformance_tests!` goes with engines that are not persistent"
    );
    match Subject::new(factory) {
        Ok(subject) => assert_eq!(subject.storage().capabilities(), capabilities),
        Err(failure) => panic!("{failure}"),
    }
}

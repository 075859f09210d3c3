//! Why a chore ended without success.

/// Why a chore ended without success.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The words on the command line were not understood.
    Usage(String),
    /// Something was checked or run, and did not pass.
    Failed(String),
}

/// What a chore answers.
pub(crate) type Result<T> = std::result::Result<T, Failure>;

impl Failure {
    /// Something did not pass; `problem` says what, and where.
    pub(crate) fn failed(problem: impl Into<String>) -> Self {
        Self::Failed(problem.into())
    }
}

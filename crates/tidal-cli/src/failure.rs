//! How a command fails: one line for a person and an exit code for a script.
//!
//! F1. The line says what is wrong and what to do about it.
//! F2. Under it, a text of a query language is shown with a caret where it is wrong.

use std::fmt::Display;
use std::io;
use std::path::Path;
use std::process::ExitCode;

use tidal_db::{QueryError, SchemaError, TidalError};

use crate::output::{note, note_as_is, rfc3339};

const EXIT_FAILED: u8 = 1;
const EXIT_USAGE: u8 = 2;

/// Why a command did not do what it was asked to.
#[derive(Debug)]
pub(crate) struct Failure {
    exit_code: u8,
    message: String,
    /// What is shown under the message, line by line.
    under: Vec<String>,
}

impl Failure {
    /// The command was right and could not be done: exit code 1.
    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Self { exit_code: EXIT_FAILED, message: message.into(), under: Vec::new() }
    }

    /// The command line is wrong: exit code 2.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self { exit_code: EXIT_USAGE, message: message.into(), under: Vec::new() }
    }

    /// The same failure, when it is the command line that is wrong.
    pub(crate) fn of_usage(self) -> Self {
        Self { exit_code: EXIT_USAGE, ..self }
    }

    /// A file operation was refused: exit code 1.
    pub(crate) fn io(operation: &str, path: &Path, error: &io::Error) -> Self {
        Self::failed(format!("cannot {operation} {}: {error}", path.display()))
    }

    /// The same failure, said in a wider context.
    pub(crate) fn within(self, context: impl Display) -> Self {
        Self { message: format!("{context}: {}", self.message), ..self }
    }

    /// The same failure, with another thing to try.
    pub(crate) fn hinting(self, hint: impl Display) -> Self {
        Self { message: format!("{}; {hint}", self.message), ..self }
    }

    /// Tells the person and answers the exit code.
    pub(crate) fn report(&self) -> ExitCode {
        note(&self.message);
        self.under.iter().for_each(|line| note_as_is(line));
        ExitCode::from(self.exit_code)
    }

    #[cfg(test)]
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    #[cfg(test)]
    pub(crate) fn under(&self) -> &[String] {
        &self.under
    }

    #[cfg(test)]
    pub(crate) fn is_usage(&self) -> bool {
        self.exit_code == EXIT_USAGE
    }
}

impl From<TidalError> for Failure {
    fn from(error: TidalError) -> Self {
        match error {
            TidalError::Query(error) => error.into(),
            other => Self::failed(explain(&other)),
        }
    }
}

impl From<QueryError> for Failure {
    /// The first line says what is wrong; what follows points at it.
    fn from(error: QueryError) -> Self {
        let text = error.to_string();
        let mut lines = text.lines().map(str::to_owned);
        let message = lines.next().unwrap_or_default();
        Self { exit_code: EXIT_FAILED, message, under: lines.collect() }
    }
}

/// What an error of the database means to someone at a command line.
pub(crate) fn explain(error: &TidalError) -> String {
    match error {
        TidalError::NotFound { path } => {
            let path = path.display();
            format!(
                "no database at {path}; create one with `tidal --db {path} init --schema schema.toml`"
            )
        }
        TidalError::BeforeNewest { at, newest } => format!(
            "no read at {}: the newest event is at {}; use `--at last` or a later time, or `tidal features` for the past",
            rfc3339(*at),
            rfc3339(*newest),
        ),
        TidalError::PastNotKept { log_start, from: Some(from) } => format!(
            "the log of this database begins at record {log_start}, and what came before is kept as of {}; ask for that time or a later one",
            rfc3339(*from)
        ),
        TidalError::FutureTimestamp { timestamp, now, max_future_skew, .. } => format!(
            "time {} is more than {} s ahead of the clock, {}; check the unit of the time and the clock",
            rfc3339(*timestamp),
            max_future_skew.as_secs(),
            rfc3339(*now),
        ),
        TidalError::HistoryCut { path, first, since } => format!(
            "the log of {} was cut; it has the records from {first} on, written from {} on, and nothing says what came before",
            path.display(),
            rfc3339(*since),
        ),
        TidalError::Schema(SchemaError::UnknownSignal { signal, known }) => {
            format!("no signal type {signal:?} in this database; it has {}", known.join(", "))
        }
        TidalError::SalvageInterrupted { path } => {
            let path = path.display();
            format!(
                "a salvage of {path} was cut short; finish it with `tidal wal salvage {path} --yes`"
            )
        }
        TidalError::KindIsNamed { kind, id } => {
            format!(
                "entities of kind {kind} have names in this database, and none has the number {id}; use the name"
            )
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use tidal_db::Timestamp;

    use super::*;

    #[test]
    fn a_read_before_the_newest_event_is_pointed_to_last() {
        let error = TidalError::BeforeNewest {
            at: Timestamp::from_secs(0),
            newest: Timestamp::from_secs(60),
        };
        let text = explain(&error);
        assert!(text.contains("1970-01-01T00:01:00Z") && text.contains("--at last"), "{text}");
    }

    #[test]
    fn what_points_into_a_text_stays_under_the_message() {
        let problem = "score(lik) * * 2".parse::<tidal_db::Expr>().unwrap_err();
        let failure = Failure::from(TidalError::Query(problem)).within("--by").of_usage();
        assert!(failure.message().starts_with("--by: at character 14: "), "{failure:?}");
        assert_eq!(failure.under(), ["  score(lik) * * 2", "               ^"]);
        assert!(failure.is_usage());
    }

    #[test]
    fn a_missing_database_is_told_how_to_begin() {
        let text = explain(&TidalError::NotFound { path: "shop".into() });
        assert!(text.contains("tidal --db shop init"), "{text}");
    }
}

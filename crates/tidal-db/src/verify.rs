//! Checking a database that nobody has open, without changing anything.

mod deep;
mod differences;

use std::path::Path;

use tidal_types::{Schema, TidalError};
use tidal_wal::{LogRecord, VerifyReport};

use crate::Result;
use crate::change::Change;
use crate::directory;
use crate::record;

pub(crate) use deep::beginning;
pub use deep::{DeepOptions, DeepReport, DeepState, verify_deep};
pub use differences::{Difference, Differences, Differing};

/// Checks the log of the database in `data_dir`: every segment, every group's
/// checksum and chain, and that every record means something under the schema in
/// force at its place. It never writes, and takes no more than a segment of the
/// log into memory at a time.
///
/// Storage is not looked at: its engine checks its own checksums whenever it
/// reads, and everything in it can be made again from a log that reaches back to
/// its first record. Where the log was cut behind checkpoints, storage has the
/// only copy of what came before, and opening the database is the check.
/// [`verify_deep`] compares storage with the log.
///
/// # Errors
/// [`NotFound`](TidalError::NotFound) and
/// [`NotADatabase`](TidalError::NotADatabase);
/// [`UnsupportedFormat`](TidalError::UnsupportedFormat);
/// [`Locked`](TidalError::Locked) while the database is open;
/// [`SalvageInterrupted`](TidalError::SalvageInterrupted). Damage is not an
/// error here but a problem in the report.
pub fn verify(data_dir: impl AsRef<Path>) -> Result<VerifyReport> {
    let data_dir = data_dir.as_ref();
    directory::check_format(data_dir)?;
    directory::refuse_interrupted_salvage(data_dir)?;
    let log_dir = directory::log_dir(data_dir);
    let mut meanings = Meanings { schema: None };
    let report = match tidal_wal::verify(&log_dir, &mut |record| meanings.problem_of(record)) {
        Ok(report) => report,
        Err(tidal_wal::WalError::Locked { .. }) => {
            return Err(TidalError::Locked { path: data_dir.into() });
        }
        Err(error) => return Err(error.into()),
    };
    Ok(report)
}

/// Reads records in the order of the log, with the schema they come under.
struct Meanings {
    /// `None` until the log shows one: a log that was cut begins behind its first
    /// schema, and its events cannot be judged until the next.
    schema: Option<Schema>,
}

impl Meanings {
    fn problem_of(&mut self, record: &LogRecord<'_>) -> Option<String> {
        if self.schema.is_none()
            && record.seq != tidal_types::Seq::FIRST
            && !record::is_schema(record)
        {
            return None;
        }
        let empty = Schema::default();
        match record::decode(record, self.schema.as_ref().unwrap_or(&empty)) {
            Ok(Change::Schema(schema)) => {
                self.schema = Some(*schema);
                None
            }
            Ok(_) => None,
            Err(TidalError::Damaged { problem, .. }) => Some(problem),
            Err(other) => Some(other.to_string()),
        }
    }
}

//! Transactions, and the sequences that are made like them.

mod anomalies;
mod commits;
mod conflicts;
mod savepoints;
mod sequences;

pub(super) use anomalies::*;
pub(super) use commits::*;
pub(super) use conflicts::*;
pub(super) use savepoints::*;
pub(super) use sequences::*;

use super::{Failure, Subject, Verdict, fails, holds, keys, same, shown, text, value};
use crate::{Result, StorageError};

/// A commit that has to conflict over this key.
#[track_caller]
fn conflicts(result: Result<()>, keyspace: &str, key: &[u8]) -> Verdict {
    fails(
        &format!("a commit over {}", key.escape_ascii()),
        result,
        |error| matches!(error, StorageError::Conflict { keyspace: told, key: named } if told == keyspace && named == key),
    )
}

//! Options of the commands about backups and engines.

use std::path::PathBuf;

use clap::Args;
use tidal_db::{Compression, Engine, Timestamp};

use crate::moment::Moment;

const BACKUP_EXAMPLE: &str = "\
Example:
  tidal backup shop /backups/shop-monday
  tidal verify-backup /backups/shop-monday

The database must not be open elsewhere; a program that has it open calls `backup` of
the library, and goes on writing meanwhile.";

const RESTORE_EXAMPLE: &str = "\
Example:
  tidal restore /backups/shop-monday shop
  tidal restore /backups/shop-monday before --until 2011-06-01T12:00:00Z

--until is the time when something was written, not when its event happened.";

const VERIFY_EXAMPLE: &str = "\
Example:
  tidal verify-backup /backups/shop-monday

Exits with 1 when anything is damaged, missing or too much.";

const MIGRATE_EXAMPLE: &str = "\
Example:
  tidal migrate shop shop-on-redb --to redb";

/// Options of `backup`.
#[derive(Debug, Args)]
#[command(after_help = BACKUP_EXAMPLE)]
pub(crate) struct BackupArgs {
    /// The database.
    #[arg(value_name = "DB")]
    pub(crate) database: PathBuf,
    /// Where the backup goes, a new or empty directory.
    #[arg(value_name = "DEST")]
    pub(crate) dest: PathBuf,
    /// How it is compressed: none, lz4, or zstd where this program was built with it.
    #[arg(long, value_name = "NAME", default_value = "lz4", value_parser = compression)]
    pub(crate) compression: Compression,
}

/// Options of `restore`.
#[derive(Debug, Args)]
#[command(after_help = RESTORE_EXAMPLE)]
pub(crate) struct RestoreArgs {
    /// The backup.
    #[arg(value_name = "BACKUP")]
    pub(crate) backup: PathBuf,
    /// Where the database goes, a new or empty directory.
    #[arg(value_name = "DB")]
    pub(crate) database: PathBuf,
    /// The storage engine; without it, that of the database that was backed up.
    #[arg(long, value_name = "NAME", value_parser = engine)]
    pub(crate) engine: Option<Engine>,
    /// Leave out what was written after this time: RFC 3339, or Unix seconds.
    #[arg(long, value_name = "TIME", allow_negative_numbers = true, value_parser = time)]
    pub(crate) until: Option<Timestamp>,
}

/// Options of `verify-backup`.
#[derive(Debug, Args)]
#[command(after_help = VERIFY_EXAMPLE)]
pub(crate) struct VerifyBackupArgs {
    /// The backup.
    #[arg(value_name = "BACKUP")]
    pub(crate) backup: PathBuf,
}

/// Options of `migrate`.
#[derive(Debug, Args)]
#[command(after_help = MIGRATE_EXAMPLE)]
pub(crate) struct MigrateArgs {
    /// The database, which stays as it is.
    #[arg(value_name = "DB")]
    pub(crate) database: PathBuf,
    /// Where the copy goes, a new or empty directory.
    #[arg(value_name = "NEW")]
    pub(crate) new: PathBuf,
    /// The storage engine of the copy.
    #[arg(long, value_name = "NAME", value_parser = engine)]
    pub(crate) to: Engine,
}

/// An engine by its name; one that this program lacks is told with what has it.
pub(super) fn engine(name: &str) -> Result<Engine, String> {
    Engine::require(name).map_err(|error| error.to_string())
}

fn compression(name: &str) -> Result<Compression, String> {
    match name {
        "none" => Ok(Compression::None),
        "lz4" => Ok(Compression::Lz4),
        #[cfg(feature = "compression")]
        "zstd" => Ok(Compression::Zstd),
        #[cfg(not(feature = "compression"))]
        "zstd" => {
            Err("this program was built without it; build it with the feature \"compression\""
                .into())
        }
        _ => Err("there are none, lz4 and zstd".into()),
    }
}

/// A time that is written out: a backup has no now.
fn time(text: &str) -> Result<Timestamp, String> {
    match Moment::parse(text)? {
        Moment::At(time) => Ok(time),
        Moment::Now | Moment::Last => Err("it must be RFC 3339 or Unix seconds".into()),
    }
}

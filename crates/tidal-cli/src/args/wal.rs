//! Options of the commands that look at a log, or save what is left of one.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::number::whole;

const WAL_EXAMPLE: &str = "\
Example:
  tidal wal stat shop
  tidal wal dump shop --from 1000 --limit 20
  tidal wal salvage shop

None of them needs the database to open, and only `salvage --yes` writes.";

const STAT_EXAMPLE: &str = "\
Example:
  tidal wal stat shop --json

Exits with 1 when the log is damaged, and tells it as far as it is sound.";

const DUMP_EXAMPLE: &str = "\
Example:
  tidal wal dump shop --from 1000 --limit 20
  tidal wal dump shop --json > records.jsonl

With --json, each record is one JSON value on a line of its own. Ends where the log is
damaged, and then exits with 1.";

const SALVAGE_EXAMPLE: &str = "\
Example:
  tidal wal salvage shop                     # what would be taken over, and what given up
  tidal wal salvage shop --yes               # do it; the damaged log is kept beside the new one
  tidal wal salvage shop --to rescued --yes  # only a log, somewhere else";

/// Options of `wal`.
#[derive(Debug, Args)]
#[command(after_help = WAL_EXAMPLE)]
pub(crate) struct WalArgs {
    #[command(subcommand)]
    pub(crate) command: WalCommand,
}

/// The commands under `wal`.
#[derive(Debug, Subcommand)]
pub(crate) enum WalCommand {
    /// Show what the log is made of: identity, numbers, segments, digest. Never writes.
    Stat(StatArgs),
    /// Show the records of the log, one a line. Never writes.
    Dump(DumpArgs),
    /// Take over what lies before the damage of a log
    ///
    /// For a log that opening refuses, when there is no backup. Without --yes nothing is
    /// changed. With it the database opens as of the last record before the damage, and
    /// what came after is given up.
    #[command(verbatim_doc_comment)]
    Salvage(SalvageArgs),
}

/// Options of `wal stat`.
#[derive(Debug, Args)]
#[command(after_help = STAT_EXAMPLE)]
pub(crate) struct StatArgs {
    /// A database, or the directory of a log alone; without it, --db.
    #[arg(value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
}

/// Options of `wal dump`.
#[derive(Debug, Args)]
#[command(after_help = DUMP_EXAMPLE)]
pub(crate) struct DumpArgs {
    /// A database, or the directory of a log alone; without it, --db.
    #[arg(value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
    /// The number of the first record to show; without it, the first there is.
    #[arg(long, value_name = "SEQ", default_value_t = 0, hide_default_value = true, allow_negative_numbers = true, value_parser = |text: &str| whole::<u64>(text, 0..=u64::MAX))]
    pub(crate) from: u64,
    /// How many to show; without it, all.
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = |text: &str| whole::<u64>(text, 0..=u64::MAX))]
    pub(crate) limit: Option<u64>,
}

/// Options of `wal salvage`.
#[derive(Debug, Args)]
#[command(after_help = SALVAGE_EXAMPLE)]
pub(crate) struct SalvageArgs {
    /// A database, or with --to the directory of a log alone; without it, --db.
    #[arg(value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
    /// Do it. Without it, only say what would be done.
    #[arg(long)]
    pub(crate) yes: bool,
    /// Where storage holds more than the log that is left, put it aside and have it made again from the log.
    #[arg(long, conflicts_with = "to")]
    pub(crate) rebuild_storage: bool,
    /// Make the log here, a new or empty directory, and leave everything else alone.
    #[arg(long, value_name = "DIR")]
    pub(crate) to: Option<PathBuf>,
}

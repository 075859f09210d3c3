//! The command line: what may be said, and how `--help` explains it.
//!
//! This interface is fixed; scripts depend on it.

mod attributes;
mod backup;
mod check;
mod features;
mod history;
mod import;
mod number;
mod rank;
mod read;
mod wal;
mod write;

use std::env;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::failure::Failure;

pub(crate) use attributes::{ImportAttributesArgs, SetArgs};
pub(crate) use backup::{BackupArgs, MigrateArgs, RestoreArgs, VerifyBackupArgs};
pub(crate) use features::FeaturesArgs;
pub(crate) use history::{DiffArgs, ReplayArgs, VerifyArgs};
pub(crate) use import::ImportArgs;
pub(crate) use rank::RankArgs;
pub(crate) use read::{By, ExplainArgs, GetArgs, HistoryArgs, TopArgs, entity_kind, window};
pub(crate) use wal::{DumpArgs, SalvageArgs, StatArgs, WalArgs, WalCommand};
pub(crate) use write::{DeleteArgs, ForgetArgs, InitArgs, PutArgs, SignalArgs};

const EXAMPLES: &str = "\
Example:
  tidal --db shop init --schema schema.toml
  tidal --db shop import --signal purchase --entity-column StockCode --time-column InvoiceDate sales.csv.gz
  tidal --db shop top purchase --at last
  tidal --db shop rank --by 'score(purchase) + 0.1 * count(purchase, 24h)' --at last

Exit codes: 0 done, 1 failed, 2 wrong usage.
`tidal demo` shows what it does, without any data of yours.";

/// tidalDB: a database for engagement signals.
///
/// It takes in what happens to items, users and creators (a view, a like, a
/// purchase) and says at any moment how hot each one is: a time-decayed score,
/// counts and sums over sliding windows, velocity, and rankings made of these.
#[derive(Debug, Parser)]
#[command(
    name = "tidal",
    version,
    arg_required_else_help = true,
    disable_help_subcommand = true,
    after_help = EXAMPLES,
    verbatim_doc_comment
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What may stand anywhere on the line.
#[derive(Debug, Args)]
pub(crate) struct Global {
    /// The directory of the database [env: TIDAL_DB].
    #[arg(long, global = true, value_name = "DIR", help_heading = "Anywhere on the line")]
    pub(crate) db: Option<PathBuf>,
    /// Print one JSON value on one line instead of text.
    #[arg(long, global = true, help_heading = "Anywhere on the line")]
    pub(crate) json: bool,
}

impl Global {
    /// The directory of the database, which every command but `demo` needs:
    /// the option, else the variable. An empty variable is none.
    pub(crate) fn db(&self) -> Result<PathBuf, Failure> {
        let variable =
            || env::var_os("TIDAL_DB").filter(|value| !value.is_empty()).map(PathBuf::from);
        self.db.clone().or_else(variable).ok_or_else(|| {
            Failure::usage("no database given; add --db DIR, or set TIDAL_DB to its directory")
        })
    }
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Create a database, or add signal types, attributes and profiles to one.
    Init(InitArgs),
    /// Read events from a CSV or JSONL file
    ///
    /// CSV: a line break is LF or CRLF; a field in double quotes may hold delimiters,
    /// line breaks and doubled quotes. JSONL: one object on each line; numbers and
    /// strings both serve as ids, times and weights, and null or an absent key is an
    /// empty field. Empty lines are skipped. Files may be compressed with gzip.
    #[command(verbatim_doc_comment)]
    Import(ImportArgs),
    /// Write one event.
    Signal(SignalArgs),
    /// Change attributes of one entity.
    Set(SetArgs),
    /// Read attributes of entities from a CSV or JSONL file.
    ImportAttributes(ImportAttributesArgs),
    /// Show one entity: its metadata, attributes, scores, counts, sums and velocities.
    Get(GetArgs),
    /// Rank entities by a signal.
    Top(TopArgs),
    /// Rank entities by a score that is made up, or by a profile of the schema
    ///
    /// One of PROFILE, --query and --by says what is asked. The other options come on top
    /// of what a profile or a file says: a further filter has to hold too.
    #[command(verbatim_doc_comment)]
    Rank(RankArgs),
    /// Show what a user did by a signal: each entity once, the newest first
    ///
    /// For signal types that declare `history = true`, from events that name their user.
    #[command(verbatim_doc_comment)]
    History(HistoryArgs),
    /// Write the features of entities as they were at given times, such as a training set
    ///
    /// Scores, counts, sums and velocities are made again from the log, each row as of a time
    /// of its own, by their definition: counts are exact, also where `tidal get` estimates.
    #[command(verbatim_doc_comment)]
    Features(FeaturesArgs),
    /// Take one entity's score apart: its events or buckets, weights and decay.
    Explain(ExplainArgs),
    /// Store metadata for an item.
    Put(PutArgs),
    /// Delete the metadata of an item; its signals and its name stay.
    Delete(DeleteArgs),
    /// Forget entities: signals, metadata and names, in the state and in the files
    ///
    /// For people's right to be forgotten. Without --yes nothing is changed. With it,
    /// nothing in the database tells of them any more but that an entity with that number
    /// was forgotten; the number is never used again, and the name gets another when it
    /// comes back. Events that a forgotten user caused count on, without saying who
    /// caused them. Not reached: backups and other copies, what other programs have read
    /// from the log, and places in the files of storage that its engine has freed and not
    /// used again; `tidal migrate` to a new directory leaves those behind.
    #[command(verbatim_doc_comment)]
    Forget(ForgetArgs),
    /// Take out of the files what was forgotten and is still there
    ///
    /// `tidal forget` does this by itself. It is for what a program forgot, and for a
    /// forget that was cut short.
    #[command(verbatim_doc_comment, after_help = "Example:\n  tidal --db shop purge")]
    Purge,
    /// Show the size of the database and the checksum of its state
    ///
    /// The checksum depends on what was written and on nothing else: two databases
    /// that were fed the same have the same.
    #[command(verbatim_doc_comment, after_help = "Example:\n  tidal --db shop stats --json")]
    Stats,
    /// Read every byte of the log and report damage. Never writes
    ///
    /// Only the log is checked, unless --deep is given. Storage is checked by opening it,
    /// as every other command does, such as `tidal stats`. Exits with 1 when something is
    /// damaged.
    #[command(verbatim_doc_comment)]
    Verify(VerifyArgs),
    /// Look at the log, or save what is left of a damaged one
    ///
    /// These work on a database that does not open, and on a log that another program
    /// keeps with tidal-wal alone.
    #[command(verbatim_doc_comment)]
    Wal(WalArgs),
    /// Write the state to storage, so that opening has no log to replay
    ///
    /// Commands that write do this at their end, and the database does it by itself
    /// every million records; nothing is lost without it.
    #[command(verbatim_doc_comment, after_help = "Example:\n  tidal --db shop checkpoint")]
    Checkpoint,
    /// Write a backup of a database: its state, and the log behind the last checkpoint.
    Backup(BackupArgs),
    /// Make a database of a backup, on any engine, or as it was at an earlier time
    ///
    /// The new database has the checksum of the one that was backed up. Its log has an
    /// identity of its own and names the other as its parent.
    #[command(verbatim_doc_comment)]
    Restore(RestoreArgs),
    /// Read every byte of a backup and report damage. Never writes.
    VerifyBackup(VerifyBackupArgs),
    /// Copy a database onto another storage engine; both have the same checksum.
    Migrate(MigrateArgs),
    /// What if: make another database of the same log, with other half-lives
    ///
    /// The new database has the same entities, names, metadata and log times, under the
    /// schema of the file: other decays and windows, more or fewer signal types. Events
    /// of signal types that the file lacks are left out and counted. It needs the whole
    /// log. `tidal diff` shows what moved.
    #[command(verbatim_doc_comment)]
    Replay(ReplayArgs),
    /// Show how the top of a ranking moved between two databases
    ///
    /// Entities are matched by name, or by number where they have none. Kendall's tau is
    /// 1 when those in both tops have the same order, and -1 when it is turned around: of
    /// all pairs of them, the share in the same order less the share in the opposite one.
    #[command(verbatim_doc_comment)]
    Diff(DiffArgs),
    /// Make up a stream of events, take it in and show what comes out
    ///
    /// The events are the same on every run but for their times, which end now.
    /// Without --keep the database lies in a temporary directory and is removed.
    #[command(verbatim_doc_comment)]
    Demo(DemoArgs),
    /// Show this help, or that of a command.
    Help(HelpArgs),
}

const DEMO_EXAMPLE: &str = "\
Example:
  tidal demo --keep tides
  tidal --db tides top like --limit 5";

/// Options of `demo`.
#[derive(Debug, Args)]
#[command(after_help = DEMO_EXAMPLE)]
pub(crate) struct DemoArgs {
    /// How many events to make up.
    #[arg(long, value_name = "N", default_value_t = 200_000, allow_negative_numbers = true, value_parser = |text: &str| number::whole::<u64>(text, 1..=100_000_000))]
    pub(crate) events: u64,
    /// Keep the database here; the directory must be new or empty.
    #[arg(long, value_name = "DIR")]
    pub(crate) keep: Option<PathBuf>,
}

/// Options of `help`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  tidal help import")]
pub(crate) struct HelpArgs {
    /// The command; without it, all of them.
    #[arg(value_name = "COMMAND")]
    pub(crate) command: Option<String>,
}

#[cfg(test)]
mod tests;

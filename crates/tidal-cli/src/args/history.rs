//! Options of the commands that ask the log.

use std::path::PathBuf;

use clap::Args;
use tidal_db::{Engine, Window};

use super::backup::engine;
use super::number::whole;
use super::read::{By, window};
use crate::moment::Moment;

const VERIFY_EXAMPLE: &str = "\
Example:
  tidal --db shop verify
  tidal --db shop verify --deep";

const REPLAY_EXAMPLE: &str = "\
Example:
  tidal --db shop replay --schema slower.toml --to shop-slower
  tidal diff shop shop-slower --signal purchase --top 20";

const DIFF_EXAMPLE: &str = "\
Example:
  tidal diff shop shop-slower
  tidal diff shop shop-slower --signal view --by count --window 24h --json";

/// Options of `verify`.
#[derive(Debug, Args)]
#[command(after_help = VERIFY_EXAMPLE)]
pub(crate) struct VerifyArgs {
    /// Make the state again from the log, and compare it with what is stored
    ///
    /// From the first record, or from the base where the log was cut by age. The database
    /// is not written; copies of its storage go to the scratch directory.
    #[arg(verbatim_doc_comment, long)]
    pub(crate) deep: bool,
    /// A new or empty directory to work in, removed at the end; one for temporary files if left out.
    #[arg(long, value_name = "DIR", requires = "deep")]
    pub(crate) scratch: Option<PathBuf>,
    /// How many differences to show.
    #[arg(long, value_name = "N", default_value_t = 20, requires = "deep", allow_negative_numbers = true, value_parser = |text: &str| whole::<usize>(text, 0..=u64::MAX))]
    pub(crate) differences: usize,
}

/// Options of `replay`.
#[derive(Debug, Args)]
#[command(after_help = REPLAY_EXAMPLE)]
pub(crate) struct ReplayArgs {
    /// The file that declares the signal types of the new database, as for `init`.
    #[arg(long, value_name = "FILE")]
    pub(crate) schema: PathBuf,
    /// Where the new database goes, a new or empty directory.
    #[arg(long, value_name = "DIR")]
    pub(crate) to: PathBuf,
    /// The storage engine of the new database; fjall if left out.
    #[arg(long, value_name = "NAME", value_parser = engine)]
    pub(crate) engine: Option<Engine>,
}

/// Options of `diff`.
#[derive(Debug, Args)]
#[command(after_help = DIFF_EXAMPLE)]
pub(crate) struct DiffArgs {
    /// The database to start from.
    #[arg(value_name = "A")]
    pub(crate) a: PathBuf,
    /// The one to compare it with.
    #[arg(value_name = "B")]
    pub(crate) b: PathBuf,
    /// The signal type; every one that both have if left out.
    #[arg(long, value_name = "SIGNAL")]
    pub(crate) signal: Option<String>,
    /// How many of each ranking to compare.
    #[arg(long, value_name = "N", default_value_t = 10, allow_negative_numbers = true, value_parser = |text: &str| whole::<usize>(text, 1..=1_000_000))]
    pub(crate) top: usize,
    /// What to rank by. count and velocity need a --window.
    #[arg(long, value_name = "score|count|velocity", hide_possible_values = true, value_enum, default_value_t = By::Score)]
    pub(crate) by: By,
    /// The window of a count or velocity, one that both schemas declare.
    #[arg(long, value_name = "1h|24h|7d|30d|all", value_parser = window)]
    pub(crate) window: Option<Window>,
    /// The time of both: RFC 3339 (UTC if it has no zone), Unix seconds, now or last (the newest event of the two).
    #[arg(long, value_name = "T", default_value = "last", allow_negative_numbers = true, value_parser = Moment::parse)]
    pub(crate) at: Moment,
}

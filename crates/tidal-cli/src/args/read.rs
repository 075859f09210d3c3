//! Options of the commands that read.

use std::ffi::OsString;

use clap::{Args, ValueEnum};
use tidal_db::{EntityKind, Window};

use super::number::whole;
use crate::moment::Moment;

const GET_EXAMPLE: &str = "\
Example:
  tidal --db shop get 85123A --at last --json

An entity is known when it has a name, events, metadata or attributes; an unknown one exits
with 1.
Velocity is in events per second. Before a name that begins with a dash, write --.";

const TOP_EXAMPLE: &str = "\
Examples:
  tidal --db shop top purchase --limit 20
  tidal --db shop top view --by velocity --window 1h
  tidal --db shop top view --by count --window all --at last

Velocity is in events per second. Equal values rank by the lower id.";

const EXPLAIN_EXAMPLE: &str = "\
Examples:
  tidal --db shop explain purchase 85123A --at last
  tidal --db shop explain purchase 85123A --at last --from-log --parts 20

Each part's contribution to the score is its weight (the sum of its events' weights) times
its factor (what the decay leaves of each unit). Parts are sorted by contribution, highest
first, and sum to the score.";

const HISTORY_EXAMPLE: &str = "\
Examples:
  tidal --db shop history 17850 --signal purchase --at last
  tidal --db shop history 17850 --signal purchase --limit 100 --json

The score is the decayed sum of the weights of this user's events. Of equal times the
lower id comes first.";

/// Options of `history`.
#[derive(Debug, Args)]
#[command(after_help = HISTORY_EXAMPLE)]
pub(crate) struct HistoryArgs {
    /// The name of the user, or the number where users are numeric.
    #[arg(value_name = "USER")]
    pub(crate) user: OsString,
    /// The signal type, one that declares `history = true`.
    #[arg(long, value_name = "SIGNAL")]
    pub(crate) signal: String,
    /// How many entities to show.
    #[arg(long, value_name = "N", default_value_t = 10, allow_negative_numbers = true, value_parser = |text: &str| whole::<usize>(text, 0..=u64::MAX))]
    pub(crate) limit: usize,
    /// The time: RFC 3339 (UTC if it has no zone), Unix seconds, now or last (the newest event).
    #[arg(long, value_name = "T", default_value = "now", allow_negative_numbers = true, value_parser = Moment::parse)]
    pub(crate) at: Moment,
}

/// Options of `explain`.
#[derive(Debug, Args)]
#[command(after_help = EXPLAIN_EXAMPLE)]
pub(crate) struct ExplainArgs {
    /// The signal type.
    #[arg(value_name = "SIGNAL")]
    pub(crate) signal: String,
    /// The name of the entity, or its number when its kind is numeric.
    #[arg(value_name = "ENTITY")]
    pub(crate) entity: OsString,
    /// The time: RFC 3339 (UTC if it has no zone), Unix seconds, now or last (the newest event).
    #[arg(long, value_name = "T", default_value = "now", allow_negative_numbers = true, value_parser = Moment::parse)]
    pub(crate) at: Moment,
    /// Read the log, and show every event that it keeps.
    #[arg(long)]
    pub(crate) from_log: bool,
    /// Group events by hour, day or days when the log has more than this.
    #[arg(long, value_name = "N", requires = "from_log", default_value_t = 100, allow_negative_numbers = true, value_parser = |text: &str| whole::<usize>(text, 1..=1_000_000))]
    pub(crate) parts: usize,
}

/// Options of `get`.
#[derive(Debug, Args)]
#[command(after_help = GET_EXAMPLE)]
pub(crate) struct GetArgs {
    /// The name of the entity, or its number when its kind is numeric.
    #[arg(value_name = "ENTITY")]
    pub(crate) entity: OsString,
    /// The kind of the entity: item, user or creator.
    #[arg(long, value_name = "KIND", default_value = "item", value_parser = entity_kind)]
    pub(crate) kind: EntityKind,
    /// The time: RFC 3339 (UTC if it has no zone), Unix seconds, now or last (the newest event).
    #[arg(long, value_name = "T", default_value = "now", allow_negative_numbers = true, value_parser = Moment::parse)]
    pub(crate) at: Moment,
}

/// Options of `top`.
#[derive(Debug, Args)]
#[command(after_help = TOP_EXAMPLE)]
pub(crate) struct TopArgs {
    /// The signal type.
    #[arg(value_name = "SIGNAL")]
    pub(crate) signal: String,
    /// What to rank by. count and velocity need a --window.
    #[arg(long, value_name = "score|count|velocity", hide_possible_values = true, value_enum, default_value_t = By::Score)]
    pub(crate) by: By,
    /// The window of a count or velocity, one that the schema declares.
    #[arg(long, value_name = "1h|24h|7d|30d|all", value_parser = window)]
    pub(crate) window: Option<Window>,
    /// How many to show.
    #[arg(long, value_name = "N", default_value_t = 10, allow_negative_numbers = true, value_parser = |text: &str| whole::<usize>(text, 0..=u64::MAX))]
    pub(crate) limit: usize,
    /// The time: RFC 3339 (UTC if it has no zone), Unix seconds, now or last (the newest event).
    #[arg(long, value_name = "T", default_value = "now", allow_negative_numbers = true, value_parser = Moment::parse)]
    pub(crate) at: Moment,
}

/// What a ranking goes by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum By {
    /// The decayed score.
    Score,
    /// The number of events in a window.
    Count,
    /// The events per second over a window.
    Velocity,
}

impl By {
    /// The word on the command line and in JSON.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Score => "score",
            Self::Count => "count",
            Self::Velocity => "velocity",
        }
    }
}

/// The entity kind of that name.
pub(crate) fn entity_kind(text: &str) -> Result<EntityKind, String> {
    EntityKind::ALL
        .into_iter()
        .find(|kind| kind.as_str() == text)
        .ok_or_else(|| "a kind is item, user or creator".into())
}

/// The window of that name.
pub(crate) fn window(text: &str) -> Result<Window, String> {
    Window::ALL
        .into_iter()
        .find(|window| window.as_str() == text)
        .ok_or_else(|| "a window is 1h, 24h, 7d, 30d or all".into())
}

//! Options of the commands that write one thing.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;
use tidal_db::{Engine, EntityKind, Retention};

use super::backup::engine;
use super::number;
use super::read::entity_kind;
use crate::moment::Moment;
use crate::schema_file::parse_span;

const INIT_EXAMPLE: &str = "\
Example:
  tidal --db shop init --schema schema.toml
  tidal --db shop init --schema schema.toml --retain 30d

where schema.toml says, for each signal type:
  [[signal]]
  name = \"purchase\"                      # a-z, 0-9 and _
  kind = \"item\"                          # item (if left out), user or creator
  decay = { half_life = \"7d\" }           # or { lifetime = \"30d\" } or \"permanent\"
  windows = [\"1h\", \"24h\", \"7d\", \"all\"]   # of 1h, 24h, 7d, 30d, all; none if left out
  velocity = true                        # false if left out
  sums = true                            # false if left out
  uniques = true                         # how many users acted; false if left out
  history = true                         # what each user did; false if left out
Spans have the units s, m, h, d and w.

It may also say what is known of entities, and name queries for `tidal rank`:
  [[attribute]]
  name = \"maker\"                         # a-z, 0-9 and _
  kind = \"item\"                          # item (if left out), user or creator
  type = { entity = \"creator\" }          # or \"keyword\", \"keywords\", \"integer\", \"float\",
                                         # \"boolean\" or \"timestamp\"
  [profile.front]                        # any name, and the keys of a query in JSON
  by = \"score(purchase) + 0.1 * count(purchase, 24h)\"
  at_most = { of = \"maker\", max = 2 }

A signal type or an attribute that is stored can never be changed or removed; a profile can be
changed.";

const SIGNAL_EXAMPLE: &str = "\
Example:
  tidal --db shop signal purchase 85123A --weight 6 --actor 17850
  tidal --db shop signal view 85123A --time 2011-12-09T12:50:00Z

A new name is taken up. The event is durable when the command ends.";

const PUT_EXAMPLE: &str = "\
Example:
  tidal --db shop put 85123A '{\"title\":\"White hanging heart\"}'
  tidal --db shop put 85123A --file heart.json

A new name is taken up. What was stored before is replaced.";

const DELETE_EXAMPLE: &str = "\
Example:
  tidal --db shop delete 85123A";

const FORGET_EXAMPLE: &str = "\
Examples:
  tidal --db shop forget user 17850          # says whom it would forget
  tidal --db shop forget user 17850 14527 --yes

It reads the whole log and rewrites storage, so forget many at once.";

/// Options of `init`.
#[derive(Debug, Args)]
#[command(after_help = INIT_EXAMPLE)]
pub(crate) struct InitArgs {
    /// The file that declares the signal types, attributes and profiles.
    #[arg(long, value_name = "FILE")]
    pub(crate) schema: PathBuf,
    /// The storage engine of a new database; fjall if left out. A database that is there stays on its own.
    #[arg(long, value_name = "NAME", value_parser = engine)]
    pub(crate) engine: Option<Engine>,
    /// How long the log is kept: forever, until-checkpoint, or a span such as 30d
    ///
    /// The choice is kept in the database and holds until another is made; forever before
    /// there was one. With a span, whole files of the log go once all in them was written
    /// longer ago, and the state before the rest is kept. What is gone cannot be asked
    /// about: replay needs the whole log.
    #[arg(verbatim_doc_comment, long, value_name = "SPAN", value_parser = retention)]
    pub(crate) retain: Option<Retention>,
}

/// How long the log is kept.
fn retention(text: &str) -> Result<Retention, String> {
    match text {
        "forever" => Ok(Retention::Forever),
        "until-checkpoint" => Ok(Retention::UntilCheckpoint),
        span => parse_span(span)
            .map(Retention::For)
            .map_err(|problem| format!("{problem}; it may also be forever or until-checkpoint")),
    }
}

/// Options of `signal`.
#[derive(Debug, Args)]
#[command(after_help = SIGNAL_EXAMPLE)]
pub(crate) struct SignalArgs {
    /// The signal type.
    #[arg(value_name = "NAME")]
    pub(crate) signal: String,
    /// The name of the entity, or its number when its kind is numeric.
    #[arg(value_name = "ENTITY")]
    pub(crate) entity: OsString,
    /// How much the event counts; negative for what takes away.
    #[arg(long, value_name = "W", default_value_t = 1.0, allow_negative_numbers = true, value_parser = number::weight)]
    pub(crate) weight: f64,
    /// The time: RFC 3339 (UTC if it has no zone), Unix seconds, now or last (the newest event).
    #[arg(long, value_name = "T", default_value = "now", allow_negative_numbers = true, value_parser = Moment::parse)]
    pub(crate) time: Moment,
    /// The user who caused it
    ///
    /// For signal types with uniques or history, and for `tidal replay`, which may declare
    /// them. The name is taken up like that of an entity.
    #[arg(verbatim_doc_comment, long, value_name = "USER")]
    pub(crate) actor: Option<OsString>,
}

/// Options of `put`.
#[derive(Debug, Args)]
#[command(after_help = PUT_EXAMPLE)]
pub(crate) struct PutArgs {
    /// The name of the item, or its number when items are numeric.
    #[arg(value_name = "ENTITY")]
    pub(crate) entity: OsString,
    /// The metadata: any text.
    #[arg(value_name = "VALUE", required_unless_present = "file", conflicts_with = "file")]
    pub(crate) value: Option<OsString>,
    /// Take the metadata from this file, byte for byte.
    #[arg(long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
}

/// Options of `delete`.
#[derive(Debug, Args)]
#[command(after_help = DELETE_EXAMPLE)]
pub(crate) struct DeleteArgs {
    /// The name of the item, or its number when items are numeric.
    #[arg(value_name = "ENTITY")]
    pub(crate) entity: OsString,
}

/// Options of `forget`.
#[derive(Debug, Args)]
#[command(after_help = FORGET_EXAMPLE)]
pub(crate) struct ForgetArgs {
    /// The kind of the entities: item, user or creator.
    #[arg(value_name = "KIND", value_parser = entity_kind)]
    pub(crate) kind: EntityKind,
    /// Their names, or their numbers when the kind is numeric.
    #[arg(value_name = "ENTITY", required = true)]
    pub(crate) entities: Vec<OsString>,
    /// Do it. Without it, only say whom.
    #[arg(long)]
    pub(crate) yes: bool,
}

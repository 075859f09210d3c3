//! Options of `features`.

use std::path::PathBuf;

use clap::Args;
use tidal_db::{EntityKind, Window};

use super::read::{entity_kind, window};
use crate::input::{Delimiter, TimeFormat};

const EXAMPLES: &str = "\
Examples:
  tidal --db shop features --requests rows.csv --out training.csv
  tidal --db shop features --requests rows.csv --out training.csv --known-by \\
        --entity-column StockCode --time-column at --score purchase --count purchase:7d
  head -1000 rows.csv | tidal --db shop features --requests - --out - > some.csv

What is written:
  every row that could be read, as it stands, and behind its columns one for each feature: the
  scores first, then counts, sums and velocities, named like purchase_score and
  purchase_count_7d. The rows stay in their order. A count is a whole number of events, exact
  to the instant; a score or sum is in the unit of the weights; a velocity is in events per
  second. An entity without events has zeros, and so has one that the database does not know.

What is rejected:
  a row without an entity or a time; a time or number that cannot be read; a time before 1970;
  another number of columns than the header; a broken quote.

A row sees an event that happened at its very time. So that a row about an event does not hold
that event, let it ask for an instant earlier, such as one second.

The log is read once for as many rows as fit into memory. FILE is there as a whole or not at
all.";

/// Options of `features`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct FeaturesArgs {
    /// The rows that are asked about: CSV, also with gzip, or - for standard input.
    #[arg(long, value_name = "FILE")]
    pub(crate) requests: PathBuf,
    /// Where the rows with their features go, or - for standard output.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    /// Show a row only what was written by its time, not what happened by its time and was
    /// written later
    ///
    /// For training sets that must not hold what nobody could know. A history that was
    /// imported counts as written when it was imported.
    #[arg(verbatim_doc_comment, long)]
    pub(crate) known_by: bool,
    /// The column of the entity [default: entity; 1 with --no-header].
    #[arg(long, value_name = "COL")]
    pub(crate) entity_column: Option<String>,
    /// The column of the time [default: time; 2 with --no-header].
    #[arg(long, value_name = "COL")]
    pub(crate) time_column: Option<String>,
    /// How times are written: unix, unix-ms, unix-ns, rfc3339 or a pattern
    ///
    /// As for `tidal import`: without this option, Unix seconds if it is an integer, else
    /// RFC 3339. A time without zone is UTC.
    #[arg(verbatim_doc_comment, long, value_name = "FORMAT", value_parser = TimeFormat::parse)]
    pub(crate) time_format: Option<TimeFormat>,
    /// What separates the columns: one byte, or \t for a tab; by default a comma, in .tsv a tab.
    #[arg(long, value_name = "C", value_parser = Delimiter::parse)]
    pub(crate) delimiter: Option<Delimiter>,
    /// The first line is a row; columns are numbers from 1.
    #[arg(long)]
    pub(crate) no_header: bool,
    /// The kind of the entities: item, user or creator.
    #[arg(long, value_name = "KIND", default_value = "item", value_parser = entity_kind)]
    pub(crate) kind: EntityKind,
    /// A decayed score; may be given again. Without any feature: all that the schema declares.
    #[arg(long, value_name = "SIGNAL", help_heading = "Features")]
    pub(crate) score: Vec<String>,
    /// How many events there were in a window: 1h, 24h, 7d, 30d or all.
    #[arg(long, value_name = "SIGNAL:WINDOW", value_parser = windowed, help_heading = "Features")]
    pub(crate) count: Vec<Windowed>,
    /// The sum of the weights of these events.
    #[arg(long, value_name = "SIGNAL:WINDOW", value_parser = windowed, help_heading = "Features")]
    pub(crate) sum: Vec<Windowed>,
    /// The events per second over a window that ends.
    #[arg(long, value_name = "SIGNAL:WINDOW", value_parser = windowed, help_heading = "Features")]
    pub(crate) velocity: Vec<Windowed>,
    /// Collect rejected rows here, columns unchanged, and exit with 0 all the same.
    #[arg(long, value_name = "FILE")]
    pub(crate) reject: Option<PathBuf>,
}

/// A signal type over a window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Windowed {
    pub(crate) signal: String,
    pub(crate) window: Window,
}

/// Reads `view:1h`.
fn windowed(text: &str) -> Result<Windowed, String> {
    let (signal, name) = text
        .rsplit_once(':')
        .ok_or("a signal type and a window are divided by a colon, as in view:24h")?;
    Ok(Windowed { signal: signal.into(), window: window(name)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_stands_behind_its_signal_type() {
        let expected = Windowed { signal: "view".into(), window: Window::SevenDays };
        assert_eq!(windowed("view:7d"), Ok(expected));
        for text in ["view", "view:", "view:2h", ":7d:"] {
            assert!(windowed(text).is_err(), "{text}");
        }
    }
}

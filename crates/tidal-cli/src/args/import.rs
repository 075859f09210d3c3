//! Options of `import`.

use std::path::PathBuf;

use clap::{ArgGroup, Args};
use tidal_db::EntityKind;

use super::number::whole;
use super::read::entity_kind;
use crate::input::{Delimiter, Format, TimeFormat};

const EXAMPLES: &str = "\
Examples:
  tidal --db shop import --signal purchase --entity-column StockCode --time-column InvoiceDate \\
        --weight-column Quantity --actor-column CustomerID sales.csv.gz
  tidal --db forum import --no-header --delimiter ' ' --signal answer --entity-column 2 \\
        --time-column 3 --actor-column 1 answers.txt.gz
  zcat events.jsonl.gz | tidal --db app import --format jsonl --signal-column type \\
        --entity-column video --time-column at --time-format unix-ms --reject bad.jsonl -

What is rejected:
  a row without an entity or a time; a time, weight or number that cannot be read; a time
  before 1970 or more than an hour ahead of the clock; a weight that is not finite or beyond
  1e15; an unknown signal type; a name longer than 255 bytes; another number of columns than
  the header (without a header: too few); a broken quote. The other rows are in.

When an import is stopped, by Ctrl-C too, what is in is a beginning of the file in whole
batches: what was acknowledged before is in, and `tidal stats` shows the newest event.

Running it again:
  counts nothing twice, also after it was stopped. The same import is one of a file with the
  same content, compressed or not, under the same options for format, columns, times and
  signals; other rows or options are a new import. Rows that were taken before are counted as
  duplicates. Rows that were rejected are not taken by running the import again once a later
  row is in: mend the file of --reject and import that. Standard input is always new, unless
  --source names it.";

/// Options of `import`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, group = ArgGroup::new("signal_source").required(true).args(["signal", "signal_column"]))]
pub(crate) struct ImportArgs {
    /// The file, or - for standard input
    ///
    /// The ending says what it is: .csv and .txt are separated by commas, .tsv by
    /// tabs, .jsonl holds JSON; each also with .gz.
    #[arg(verbatim_doc_comment, value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// The format, if the ending does not say it; of standard input: csv.
    #[arg(long, value_name = "csv|jsonl", value_parser = Format::parse)]
    pub(crate) format: Option<Format>,
    /// What separates the columns of CSV: one byte, or \t for a tab.
    #[arg(long, value_name = "C", value_parser = Delimiter::parse)]
    pub(crate) delimiter: Option<Delimiter>,
    /// The first line of CSV is a row; columns are numbers from 1.
    #[arg(long)]
    pub(crate) no_header: bool,
    /// The column of the entity
    ///
    /// COL is a name in the header, a number with --no-header, or a top-level key in
    /// JSONL.
    #[arg(verbatim_doc_comment, long, value_name = "COL")]
    pub(crate) entity_column: String,
    /// The column of the time. Without it, every event happens now.
    #[arg(long, value_name = "COL")]
    pub(crate) time_column: Option<String>,
    /// How times are written: unix, unix-ms, unix-ns, rfc3339 or a pattern
    ///
    /// A pattern has the directives of strptime, such as "%d.%m.%Y %H:%M". Without
    /// this option: Unix seconds if it is an integer, else RFC 3339. A time without
    /// zone is UTC, one without a time of day is midnight.
    #[arg(verbatim_doc_comment, long, value_name = "FORMAT", value_parser = TimeFormat::parse)]
    pub(crate) time_format: Option<TimeFormat>,
    /// The signal type of every row.
    #[arg(long, value_name = "NAME")]
    pub(crate) signal: Option<String>,
    /// The column of the signal type.
    #[arg(long, value_name = "COL")]
    pub(crate) signal_column: Option<String>,
    /// The column of the weight. An empty field, or no column, is 1.
    #[arg(long, value_name = "COL")]
    pub(crate) weight_column: Option<String>,
    /// The column of the user who acted. An empty field is nobody
    ///
    /// For signal types with uniques or history, and for `tidal replay`, which may declare
    /// them.
    #[arg(verbatim_doc_comment, long, value_name = "COL")]
    pub(crate) actor_column: Option<String>,
    /// The kind of the entities: item, user or creator; by default the signal's.
    #[arg(long, value_name = "KIND", value_parser = entity_kind)]
    pub(crate) kind: Option<EntityKind>,
    /// The entity column holds numbers that the application chose, not names
    ///
    /// The first write fixes this for an entity kind; later imports need not repeat
    /// it.
    #[arg(verbatim_doc_comment, long)]
    pub(crate) numeric_ids: bool,
    /// Collect rejected rows here, columns unchanged, and exit with 0 all the same.
    #[arg(long, value_name = "FILE")]
    pub(crate) reject: Option<PathBuf>,
    /// A name for where the rows come from, instead of what the file holds
    ///
    /// A file that has grown since its last import under that name goes on where it
    /// ended; one whose rows up to there have changed is refused. Hand over whole
    /// lines only: a line that is still being written would be taken as it is.
    /// Standard input can have a name too.
    #[arg(verbatim_doc_comment, long, value_name = "NAME", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub(crate) source: Option<String>,
    /// How many rows are committed at once, all or none of them.
    #[arg(long, value_name = "N", default_value_t = 10_000, allow_negative_numbers = true, value_parser = |text: &str| whole::<u32>(text, 1..=1_000_000))]
    pub(crate) batch: u32,
}

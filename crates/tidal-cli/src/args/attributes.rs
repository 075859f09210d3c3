//! Options of the commands that write attributes.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;
use tidal_db::EntityKind;

use super::read::entity_kind;
use crate::input::{Delimiter, Format};

const SET_EXAMPLE: &str = "\
Examples:
  tidal --db shop set 85123A price=2.55 maker=otter tags=kitchen,heart
  tidal --db shop set 85123A price=                 # it has no price any more
  tidal --db shop set otter country=FR --kind creator

Attributes that are not named stay as they are. A time is RFC 3339 or Unix seconds, a boolean
true or false, several keywords are divided by commas, and an entity is given by its name, or
by its number when its kind is numeric. New names are taken up.";

const IMPORT_EXAMPLES: &str = "\
Examples:
  tidal --db shop import-attributes --entity-column StockCode --columns price=UnitPrice products.csv
  tidal --db films import-attributes --entity-column id --separator '|' films.csv.gz
  tidal --db films import-attributes --entity-column id films.jsonl --reject bad.jsonl

An empty field takes the attribute away, and so does null in JSONL; a key that a JSON object
lacks leaves it as it is. In JSONL, several keywords may be a list.

What is rejected:
  a row without an entity, or with a value that is not of the type of its attribute; another
  number of columns than the header (without a header: too few); a broken quote. The other
  rows are in. Running it again with the same rows changes nothing.";

/// Options of `set`.
#[derive(Debug, Args)]
#[command(after_help = SET_EXAMPLE)]
pub(crate) struct SetArgs {
    /// The name of the entity, or its number when its kind is numeric.
    #[arg(value_name = "ENTITY")]
    pub(crate) entity: OsString,
    /// Attributes with their values; without a value, the attribute is removed.
    #[arg(value_name = "NAME=VALUE", required = true)]
    pub(crate) values: Vec<OsString>,
    /// The kind of the entity: item, user or creator.
    #[arg(long, value_name = "KIND", default_value = "item", value_parser = entity_kind)]
    pub(crate) kind: EntityKind,
}

/// Options of `import-attributes`.
#[derive(Debug, Args)]
#[command(after_help = IMPORT_EXAMPLES)]
pub(crate) struct ImportAttributesArgs {
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
    /// The column of the entity.
    #[arg(long, value_name = "COL")]
    pub(crate) entity_column: String,
    /// The kind of the entities: item, user or creator.
    #[arg(long, value_name = "KIND", default_value = "item", value_parser = entity_kind)]
    pub(crate) kind: EntityKind,
    /// The attributes, each with its column; without this option, every attribute of the kind
    /// that the header or the JSON has a column for.
    #[arg(long, value_name = "NAME=COL", value_delimiter = ',', value_parser = column)]
    pub(crate) columns: Vec<(String, String)>,
    /// What stands between several keywords: one byte, or \t for a tab.
    #[arg(long, value_name = "C", default_value = ",", value_parser = Delimiter::parse)]
    pub(crate) separator: Delimiter,
    /// The entity column holds numbers that the application chose, not names
    ///
    /// The first write fixes this for an entity kind; later imports need not repeat
    /// it.
    #[arg(verbatim_doc_comment, long)]
    pub(crate) numeric_ids: bool,
    /// Collect rejected rows here, columns unchanged, and exit with 0 all the same.
    #[arg(long, value_name = "FILE")]
    pub(crate) reject: Option<PathBuf>,
}

/// Reads `price=UnitPrice`.
fn column(text: &str) -> Result<(String, String), String> {
    let (name, column) = text
        .split_once('=')
        .filter(|(name, column)| !name.is_empty() && !column.is_empty())
        .ok_or("an attribute and its column are divided by =, as in price=UnitPrice")?;
    Ok((name.into(), column.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_stands_behind_its_attribute() {
        assert_eq!(column("price=a=b"), Ok(("price".into(), "a=b".into())));
        for text in ["price", "price=", "=a", ""] {
            assert!(column(text).is_err(), "{text}");
        }
    }
}

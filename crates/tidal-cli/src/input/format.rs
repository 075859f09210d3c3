//! What a file is, by its ending or by what the user says.
//!
//! | ending          | format | delimiter |
//! |-----------------|--------|-----------|
//! | `.csv`, `.txt`  | csv    | comma     |
//! | `.tsv`          | csv    | tab       |
//! | `.jsonl`        | jsonl  |           |
//! | `-` (the input) | csv    | comma     |
//!
//! Each ending may be followed by `.gz`. What the user says wins.

use std::path::Path;

use super::Delimiter;
use super::source::is_stdin;
use crate::failure::Failure;

/// A format of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// Columns between delimiters.
    Csv,
    /// A JSON object on each line.
    Jsonl,
}

impl Format {
    /// Reads `csv` or `jsonl`.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        match text {
            "csv" => Ok(Self::Csv),
            "jsonl" => Ok(Self::Jsonl),
            _ => {
                Err("a format is csv or jsonl; tab-separated files are csv with --delimiter '\\t'"
                    .into())
            }
        }
    }
}

/// How to split a file into rows and columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    /// CSV with this delimiter, with or without a header.
    Csv { delimiter: Delimiter, header: bool },
    /// JSONL.
    Jsonl,
}

impl Layout {
    /// The layout of the file at `path`.
    ///
    /// # Errors
    /// Wrong usage: nobody says what the file is, or CSV options are given for
    /// JSONL.
    pub(crate) fn of(
        path: &Path,
        format: Option<Format>,
        delimiter: Option<Delimiter>,
        header: bool,
    ) -> Result<Self, Failure> {
        let ending = Ending::of(path);
        let format = match (format, ending) {
            (Some(format), _) => format,
            (None, Ending::Commas | Ending::Tabs) => Format::Csv,
            (None, Ending::Jsonl) => Format::Jsonl,
            (None, Ending::Unknown) if is_stdin(path) => Format::Csv,
            (None, Ending::Unknown) => {
                return Err(Failure::usage(format!(
                    "cannot tell the format of {} by its ending; say --format csv or --format jsonl",
                    path.display()
                )));
            }
        };
        match format {
            Format::Csv => {
                let default =
                    if ending == Ending::Tabs { Delimiter::TAB } else { Delimiter::COMMA };
                Ok(Self::Csv { delimiter: delimiter.unwrap_or(default), header })
            }
            Format::Jsonl if delimiter.is_some() || !header => Err(Failure::usage(
                "--delimiter and --no-header are for CSV, and this is JSONL; leave them out",
            )),
            Format::Jsonl => Ok(Self::Jsonl),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    Commas,
    Tabs,
    Jsonl,
    Unknown,
}

impl Ending {
    fn of(path: &Path) -> Self {
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
        let name = name.strip_suffix(".gz").unwrap_or(&name);
        match name.rsplit_once('.') {
            Some((_, "csv" | "txt")) => Self::Commas,
            Some((_, "tsv")) => Self::Tabs,
            Some((_, "jsonl")) => Self::Jsonl,
            _ => Self::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn csv(delimiter: Delimiter) -> Layout {
        Layout::Csv { delimiter, header: true }
    }

    #[test]
    fn the_ending_says_what_a_file_is() {
        let cases = [
            ("a.csv", csv(Delimiter::COMMA)),
            ("dir.jsonl/a.CSV.GZ", csv(Delimiter::COMMA)),
            ("a.tsv", csv(Delimiter::TAB)),
            ("a.tsv.gz", csv(Delimiter::TAB)),
            ("a.txt", csv(Delimiter::COMMA)),
            ("a.jsonl", Layout::Jsonl),
            ("a.b.jsonl.gz", Layout::Jsonl),
            ("-", csv(Delimiter::COMMA)),
        ];
        for (path, layout) in cases {
            assert_eq!(Layout::of(Path::new(path), None, None, true).unwrap(), layout, "{path}");
        }
    }

    #[test]
    fn what_the_user_says_wins() {
        let of = |path: &str, format, delimiter| {
            Layout::of(Path::new(path), format, delimiter, true).unwrap()
        };
        assert_eq!(of("a.csv", Some(Format::Jsonl), None), Layout::Jsonl);
        assert_eq!(of("a.dat", Some(Format::Csv), None), csv(Delimiter::COMMA));
        assert_eq!(of("a.tsv", Some(Format::Csv), None), csv(Delimiter::TAB));
        assert_eq!(of("a.tsv", None, Some(Delimiter::COMMA)), csv(Delimiter::COMMA));
    }

    #[test]
    fn an_unknown_ending_and_csv_options_for_jsonl_are_wrong_usage() {
        let refused = |path: &str, delimiter, header| {
            Layout::of(Path::new(path), None, delimiter, header).unwrap_err()
        };
        for failure in [
            refused("a.dat", None, true),
            refused("csv", None, true),
            refused("a.jsonl", Some(Delimiter::TAB), true),
            refused("a.jsonl", None, false),
        ] {
            assert!(failure.is_usage(), "{}", failure.message());
        }
    }
}

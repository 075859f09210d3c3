//! What the command line asks for.

use std::path::PathBuf;
use std::time::Duration;

use crate::Result;

/// A part of the measurements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Append,
    Size,
    Open,
}

#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Options {
    /// The document whose tables are to be replaced.
    pub(crate) update: Option<PathBuf>,
    dir: Option<PathBuf>,
    only: Option<Part>,
    quick: bool,
}

impl Options {
    pub(crate) fn parse(words: impl IntoIterator<Item = String>) -> Result<Self> {
        let mut options = Self::default();
        let mut words = words.into_iter();
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| format!("{word} needs a value"));
            match word.as_str() {
                "--quick" => options.quick = true,
                "--update" => options.update = Some(value()?.into()),
                "--dir" => options.dir = Some(value()?.into()),
                "--only" => options.only = Some(part(&value()?)?),
                _ => return Err(format!("`{word}` is not an option").into()),
            }
        }
        Ok(options)
    }

    pub(crate) fn does(&self, part: Part) -> bool {
        self.only.is_none_or(|only| only == part)
    }

    /// Where the logs are written: on a disk, and not in the memory that a folder for
    /// temporary files may be.
    pub(crate) fn dir(&self) -> Result<PathBuf> {
        if let Some(dir) = &self.dir {
            return Ok(dir.clone());
        }
        let program = std::env::current_exe()?;
        Ok(program.parent().ok_or("this program lies in no folder")?.into())
    }

    /// How often everything is measured, each time in another order.
    pub(crate) const fn rounds(&self) -> usize {
        if self.quick { 3 } else { 12 }
    }

    /// How often each log is opened.
    pub(crate) const fn openings(&self) -> usize {
        if self.quick { 1 } else { 5 }
    }

    /// How long one measurement takes.
    pub(crate) const fn slice(&self) -> Duration {
        Duration::from_millis(if self.quick { 30 } else { 120 })
    }

    /// What part of the records is written to be opened: one in so many.
    pub(crate) const fn share(&self) -> usize {
        if self.quick { 100 } else { 1 }
    }
}

fn part(name: &str) -> Result<Part> {
    Ok(match name {
        "append" => Part::Append,
        "size" => Part::Size,
        "open" => Part::Open,
        _ => return Err(format!("`{name}` is none of append, size, open").into()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Options> {
        Options::parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn options_are_understood() {
        let all = parse("--update a.md --dir b --only size --quick").unwrap();
        let expected = Options {
            update: Some("a.md".into()),
            dir: Some("b".into()),
            only: Some(Part::Size),
            quick: true,
        };
        assert_eq!(all, expected);
        assert!(all.does(Part::Size) && !all.does(Part::Open));
        assert!(parse("").unwrap().does(Part::Open));
    }

    #[test]
    fn what_is_no_option_is_refused() {
        for line in ["--slow", "--update", "--only reading"] {
            assert!(parse(line).is_err(), "{line}");
        }
    }
}

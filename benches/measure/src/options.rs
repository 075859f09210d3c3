//! What the command line asks for.

use std::path::PathBuf;

use crate::Result;

/// The words that every comparison understands: `--update FILE`, `--dir FOLDER`,
/// `--only PART` and `--quick`.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// The document whose tables are to be replaced.
    pub update: Option<PathBuf>,
    /// The one part that is to be measured.
    pub only: Option<String>,
    /// Whether it is only to be seen that all works.
    pub quick: bool,
    dir: Option<PathBuf>,
}

impl Options {
    /// The options that these words are.
    ///
    /// # Errors
    ///
    /// Says which word is no option, or no one of `parts`, or lacks its value.
    pub fn parse(words: impl IntoIterator<Item = String>, parts: &[&str]) -> Result<Self> {
        let mut options = Self::default();
        let mut words = words.into_iter();
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| format!("{word} needs a value"));
            match word.as_str() {
                "--quick" => options.quick = true,
                "--update" => options.update = Some(value()?.into()),
                "--dir" => options.dir = Some(value()?.into()),
                "--only" => {
                    let part = value()?;
                    if !parts.contains(&part.as_str()) {
                        return Err(format!("`{part}` is none of {}", parts.join(", ")).into());
                    }
                    options.only = Some(part);
                }
                _ => return Err(format!("`{word}` is not an option").into()),
            }
        }
        Ok(options)
    }

    /// Whether this part is measured.
    #[must_use]
    pub fn does(&self, part: &str) -> bool {
        self.only.as_ref().is_none_or(|only| only == part)
    }

    /// Where files are written: on a disk, and not in the memory that a folder for
    /// temporary files may be.
    ///
    /// # Errors
    ///
    /// What the operating system says.
    pub fn dir(&self) -> Result<PathBuf> {
        if let Some(dir) = &self.dir {
            return Ok(dir.clone());
        }
        let program = std::env::current_exe()?;
        Ok(program.parent().ok_or("this program lies in no folder")?.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Options> {
        Options::parse(line.split_whitespace().map(str::to_owned), &["size", "open"])
    }

    #[test]
    fn options_are_understood() {
        let all = parse("--update a.md --dir b --only size --quick").unwrap();
        let expected = Options {
            update: Some("a.md".into()),
            dir: Some("b".into()),
            only: Some("size".into()),
            quick: true,
        };
        assert_eq!(all, expected);
        assert!(all.does("size") && !all.does("open"));
        assert!(parse("").unwrap().does("open"));
    }

    #[test]
    fn what_is_no_option_is_refused() {
        for line in ["--slow", "--update", "--only reading"] {
            assert!(parse(line).is_err(), "{line}");
        }
    }
}

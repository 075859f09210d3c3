//! Where rejected rows go: the first of them are named on standard error, all
//! of them are collected in a file if there is one.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::failure::Failure;
use crate::output::count;

/// How many rejected rows are named one by one.
const NAMED_MAX: u64 = 20;

/// The rejected rows of an import.
#[derive(Debug)]
pub(crate) struct Rejects {
    path: Option<PathBuf>,
    /// `None` before the file is begun, and without one.
    file: Option<BufWriter<File>>,
    count: u64,
}

impl Rejects {
    /// Rows will be collected in the file at `path`, if there is one. Nothing is
    /// touched yet.
    ///
    /// # Errors
    /// The file is the one that is read.
    pub(crate) fn check(path: Option<&Path>, input: &Path) -> Result<Self, Failure> {
        if let Some(path) = path.filter(|path| same_file(path, input)) {
            return Err(Failure::failed(format!(
                "--reject would overwrite {}, which is read; choose another file",
                path.display()
            )));
        }
        Ok(Self { path: path.map(Path::to_owned), file: None, count: 0 })
    }

    /// Moves the rows that an earlier run of the same import rejected out of the way,
    /// and says where they are: those that can be read by now count as repeats, so
    /// they are nowhere else.
    ///
    /// # Errors
    /// The file cannot be moved.
    pub(crate) fn keep_earlier(&self, header: &[u8]) -> Result<Option<PathBuf>, Failure> {
        let Some(path) = &self.path else {
            return Ok(None);
        };
        let has_rows = path
            .metadata()
            .is_ok_and(|metadata| metadata.is_file() && metadata.len() > header.len() as u64 + 1);
        if !has_rows {
            return Ok(None);
        }
        let mut names = (1_u32..).map(|number| {
            let mut name = path.as_os_str().to_owned();
            name.push(format!(".{number}"));
            PathBuf::from(name)
        });
        let kept = names.find(|name| !name.exists()).unwrap_or_default();
        fs::rename(path, &kept).map_err(|error| Failure::io("move", path, &error))?;
        Ok(Some(kept))
    }

    /// Begins the file with `header`.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(crate) fn begin(&mut self, header: &[u8]) -> Result<(), Failure> {
        let Some(path) = &self.path else {
            return Ok(());
        };
        let file = File::create(path).map_err(|error| Failure::io("create", path, &error))?;
        self.file = Some(BufWriter::new(file));
        if header.is_empty() { Ok(()) } else { self.write(header) }
    }

    /// Takes a row, and says it with `say` if it is one of the first.
    pub(crate) fn add(
        &mut self,
        line: u64,
        raw: &[u8],
        reason: &str,
        say: impl FnOnce(&str),
    ) -> Result<(), Failure> {
        self.count += 1;
        if self.count <= NAMED_MAX {
            say(&format!("line {line}: {reason}"));
        }
        self.write(raw)
    }

    /// How many rows were rejected.
    pub(crate) const fn count(&self) -> u64 {
        self.count
    }

    /// Whether the rows are collected in a file.
    pub(crate) const fn collected(&self) -> bool {
        self.file.is_some()
    }

    /// Ends the file, and says with `say` how many rows were not named.
    pub(crate) fn finish(&mut self, say: impl FnOnce(&str)) -> Result<(), Failure> {
        if self.count > NAMED_MAX {
            say(&format!("{} more rejected rows are not shown", count(self.count - NAMED_MAX)));
        }
        match (&mut self.file, &self.path) {
            (Some(file), Some(path)) => {
                file.flush().map_err(|error| Failure::io("write", path, &error))
            }
            _ => Ok(()),
        }
    }

    /// Writes a row as it stood; one that ended with its file gets a line break.
    fn write(&mut self, raw: &[u8]) -> Result<(), Failure> {
        let (Some(file), Some(path)) = (&mut self.file, &self.path) else {
            return Ok(());
        };
        let line_break: &[u8] = if raw.ends_with(b"\n") { b"" } else { b"\n" };
        let written: io::Result<()> = file.write_all(raw).and_then(|()| file.write_all(line_break));
        written.map_err(|error| Failure::io("write", path, &error))
    }
}

/// Whether both paths lead to the same file, which is there.
pub(crate) fn same_file(one: &Path, other: &Path) -> bool {
    match (one.canonicalize(), other.canonicalize()) {
        (Ok(one), Ok(other)) => one == other,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_rows_are_named_and_all_are_collected() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("bad.csv");
        let mut rejects = Rejects::check(Some(&path), Path::new("-")).unwrap();
        rejects.begin(b"e,t\r\n").unwrap();
        let mut said = Vec::new();
        for line in 2..24 {
            rejects
                .add(line, format!("row {line}\n").as_bytes(), "no time", |text| {
                    said.push(text.to_owned())
                })
                .unwrap();
        }
        rejects.add(24, b"the last", "no time", |text| said.push(text.to_owned())).unwrap();
        rejects.finish(|text| said.push(text.to_owned())).unwrap();
        assert_eq!(said.len(), 21);
        assert_eq!(said[0], "line 2: no time");
        assert_eq!(said[20], "3 more rejected rows are not shown");
        let written = fs::read_to_string(&path).unwrap();
        assert!(
            written.starts_with("e,t\r\nrow 2\n") && written.ends_with("row 23\nthe last\n"),
            "{written}"
        );
    }

    #[test]
    fn the_input_is_never_overwritten() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.csv");
        fs::write(&path, "e\n1\n").unwrap();
        let other_name = dir.path().join(".").join("a.csv");
        assert!(
            Rejects::check(Some(&other_name), &path).unwrap_err().message().contains("overwrite")
        );
        assert_eq!(fs::read_to_string(&path).unwrap(), "e\n1\n");
    }
}

//! What was chosen for a database and holds until another choice is made.
//!
//! The file `SETTINGS` in its directory is text, each line ended by a newline:
//!
//! ```text
//! tidalDB settings 1
//! retain for 2592000000000000 ns
//! ```
//!
//! | line   | what follows it                                      | without it |
//! |--------|------------------------------------------------------|------------|
//! | retain | `forever`, `until-checkpoint`, or `for` and a number of nanoseconds | forever |
//!
//! E1. The file is there whole or not at all, and changes with one rename. A database
//!     without it is one in which nothing was chosen.
//! E2. It is of one directory: a backup does not take it along, and what is restored
//!     begins with nothing chosen, so that nothing is cut that nobody asked to cut.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tidal_types::TidalError;

use crate::Result;
use crate::config::Retention;
use crate::directory::{failed, replace_durable};

const FILE: &str = "SETTINGS";
const HEADER_PREFIX: &str = "tidalDB settings ";
const VERSION: &str = "1";
const RETAIN: &str = "retain ";
/// Settings are a few dozen bytes; whatever is longer is none.
const BYTES_MAX: u64 = 4096;
const NANOS_PER_SEC: u128 = 1_000_000_000;

/// What was chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Settings {
    pub(crate) retention: Retention,
}

impl Settings {
    /// What is chosen for the database in a directory.
    ///
    /// # Errors
    /// [`TidalError::UnsupportedFormat`] when a newer program wrote it;
    /// [`TidalError::Damaged`]; [`TidalError::Io`].
    pub(crate) fn read(dir: &Path) -> Result<Self> {
        let file = file(dir);
        let length = match fs::metadata(&file) {
            Ok(metadata) => metadata.len(),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(failed("read", &file)(error)),
        };
        let malformed = || TidalError::Damaged {
            location: file.display().to_string(),
            problem: "it does not say what was chosen; remove it and choose again".into(),
        };
        if length > BYTES_MAX {
            return Err(malformed());
        }
        let text = String::from_utf8(fs::read(&file).map_err(failed("read", &file))?)
            .map_err(|_| malformed())?;
        let version = text
            .lines()
            .next()
            .and_then(|line| line.strip_prefix(HEADER_PREFIX))
            .ok_or_else(malformed)?;
        if version != VERSION {
            return Err(TidalError::UnsupportedFormat {
                path: file.clone(),
                found: version.into(),
                supported: VERSION.into(),
            });
        }
        Self::parse(&text).ok_or_else(malformed)
    }

    /// Keeps the choice, durably.
    pub(crate) fn write(self, dir: &Path) -> Result<()> {
        replace_durable(dir, &file(dir), self.text().as_bytes())
    }

    fn text(self) -> String {
        let retain = match self.retention {
            Retention::Forever => "forever".into(),
            Retention::UntilCheckpoint => "until-checkpoint".into(),
            Retention::For(span) => format!("for {} ns", span.as_nanos()),
        };
        format!("{HEADER_PREFIX}{VERSION}\n{RETAIN}{retain}\n")
    }

    fn parse(text: &str) -> Option<Self> {
        let mut settings = Self::default();
        if !text.ends_with('\n') {
            return None;
        }
        for line in text.lines().skip(1) {
            settings.retention = match line.strip_prefix(RETAIN)? {
                "forever" => Retention::Forever,
                "until-checkpoint" => Retention::UntilCheckpoint,
                span => {
                    let nanos = span.strip_prefix("for ")?.strip_suffix(" ns")?;
                    Retention::For(span_of(nanos.parse().ok()?)?)
                }
            };
        }
        Some(settings)
    }
}

fn span_of(nanos: u128) -> Option<Duration> {
    let secs = u64::try_from(nanos / NANOS_PER_SEC).ok()?;
    Some(Duration::new(secs, u32::try_from(nanos % NANOS_PER_SEC).ok()?))
}

fn file(dir: &Path) -> PathBuf {
    dir.join(FILE)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MONTH: Duration = Duration::from_secs(30 * 86_400);

    /// R25: the text of version 1 does not change.
    #[test]
    fn settings_are_what_they_were() {
        for (retention, line) in [
            (Retention::Forever, "retain forever"),
            (Retention::UntilCheckpoint, "retain until-checkpoint"),
            (Retention::For(MONTH), "retain for 2592000000000000 ns"),
            (Retention::For(Duration::MAX), "retain for 18446744073709551615999999999 ns"),
        ] {
            let settings = Settings { retention };
            assert_eq!(settings.text(), format!("tidalDB settings 1\n{line}\n"));
            let dir = tempfile::tempdir().unwrap();
            settings.write(dir.path()).unwrap();
            assert_eq!(Settings::read(dir.path()).unwrap(), settings);
            assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
        }
    }

    #[test]
    fn what_was_not_written_by_this_program_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(Settings::read(dir.path()).unwrap(), Settings::default());
        for text in [
            "",
            "retain forever\n",
            "tidalDB settings 1",
            "tidalDB settings 1\nretain forever",
            "tidalDB settings 1\nretain for 5 s\n",
            "tidalDB settings 1\nretain for -5 ns\n",
            "tidalDB settings 1\nretain for 99999999999999999999999999999999999999999 ns\n",
            "tidalDB settings 1\nretain for 340282366920938463463374607431768211455 ns\n",
            "tidalDB settings 1\nkeep forever\n",
            "tidalDB settings 1\n\n",
        ] {
            fs::write(file(dir.path()), text).unwrap();
            let refusal = Settings::read(dir.path()).map_err(|error| error.kind());
            assert_eq!(refusal, Err(tidal_types::ErrorKind::Damage), "{text:?}");
        }
        fs::write(file(dir.path()), "tidalDB settings 2\n").unwrap();
        let refusal = Settings::read(dir.path()).map_err(|error| error.kind());
        assert_eq!(refusal, Err(tidal_types::ErrorKind::Environment));
        fs::write(file(dir.path()), "x".repeat(5000)).unwrap();
        assert!(Settings::read(dir.path()).is_err());
    }
}

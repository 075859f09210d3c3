//! The fixture: a directory of its own and few verbs.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;
use tempfile::TempDir;

/// Two signal types on items, one on creators.
pub(crate) const SCHEMA: &str = r#"
[[signal]]
name = "purchase"
kind = "item"
decay = { half_life = "7d" }
windows = ["1h", "24h", "7d", "all"]
velocity = true
sums = true

[[signal]]
name = "view"
decay = { lifetime = "30d" }
windows = ["all"]

[[signal]]
name = "follow"
kind = "creator"
decay = "permanent"
windows = ["24h", "all"]
"#;

/// A directory with perhaps a database in it.
pub(crate) struct Bench {
    dir: TempDir,
}

impl Bench {
    /// A directory with `schema.toml` and no database.
    pub(crate) fn empty() -> Self {
        let bench = Self { dir: tempfile::tempdir().unwrap() };
        bench.write("schema.toml", SCHEMA.as_bytes());
        bench
    }

    /// A directory with a database that has no events.
    pub(crate) fn new() -> Self {
        let bench = Self::empty();
        bench.run(&["init", "--schema", "schema.toml"]).ok();
        bench
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn db(&self) -> PathBuf {
        self.path("db")
    }

    pub(crate) fn write(&self, name: &str, bytes: &[u8]) {
        fs::write(self.path(name), bytes).unwrap();
    }

    pub(crate) fn write_gz(&self, name: &str, bytes: &[u8]) {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        self.write(name, &encoder.finish().unwrap());
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// The program with these arguments and nothing added, at home in the
    /// directory.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tidal"));
        command.current_dir(self.dir.path()).env_remove("TIDAL_DB").args(args);
        command
    }

    /// Runs `tidal --db db` with these arguments.
    pub(crate) fn run(&self, args: &[&str]) -> Ran {
        Ran::of(self.command(&["--db", "db"]).args(args).stdin(Stdio::null()))
    }

    /// Runs `tidal --db db` with these arguments and this on standard input.
    pub(crate) fn pipe(&self, args: &[&str], input: &[u8]) -> Ran {
        self.write("stdin", input);
        let stdin = fs::File::open(self.path("stdin")).unwrap();
        Ran::of(self.command(&["--db", "db"]).args(args).stdin(stdin))
    }

    /// Imports a CSV file with the columns `item` and `at` as purchases.
    pub(crate) fn import(&self, name: &str, more: &[&str]) -> Ran {
        let args = [
            "import",
            "--json",
            "--signal",
            "purchase",
            "--entity-column",
            "item",
            "--time-column",
            "at",
        ];
        self.run(&[&args, more, &[name]].concat())
    }

    /// Imports the online-retail file as purchases.
    pub(crate) fn import_online_retail(&self, path: &Path) -> Ran {
        let args = [
            "import",
            "--json",
            "--signal",
            "purchase",
            "--entity-column",
            "StockCode",
            "--time-column",
            "InvoiceDate",
            "--weight-column",
            "Quantity",
            "--actor-column",
            "CustomerID",
        ];
        self.run(&[&args, [path.to_str().unwrap()].as_slice()].concat())
    }

    /// The exact count of all events of an entity.
    pub(crate) fn count(&self, signal: &str, entity: &str) -> u64 {
        let value = self.run(&["--json", "get", entity, "--at", "last"]).ok().json();
        value["signals"][signal]["count"]["all"].as_u64().unwrap()
    }
}

/// What a run left behind.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    pub(crate) fn of(command: &mut Command) -> Self {
        let Output { status, stdout, stderr } = command.output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let ran = Self { code: status.code(), stdout: text(stdout), stderr: text(stderr) };
        for line in ran.stderr.lines() {
            assert!(line.starts_with("tidal: ") || ran.is_help(), "not one of our lines: {line}");
        }
        ran
    }

    fn is_help(&self) -> bool {
        self.stderr.contains("Usage: tidal")
    }

    /// The run went well.
    #[track_caller]
    pub(crate) fn ok(self) -> Self {
        assert_eq!(self.code, Some(0), "{self:#?}");
        self
    }

    /// The run failed, and said so in one line that contains `expected`.
    #[track_caller]
    pub(crate) fn fails(self, code: i32, expected: &str) -> Self {
        assert_eq!(self.code, Some(code), "{self:#?}");
        assert!(self.stderr.lines().last().unwrap_or_default().contains(expected), "{self:#?}");
        self
    }

    /// Standard output as one JSON value on one line.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.stdout.matches('\n').count(), 1, "{self:#?}");
        serde_json::from_str(&self.stdout).unwrap()
    }
}

/// The keys of a JSON object, in order.
#[track_caller]
pub(crate) fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

/// The real data, or a message that the test skips.
pub(crate) fn real_data(name: &str) -> Option<PathBuf> {
    let found = std::env::var_os("TIDAL_TEST_DATA")
        .map(|dir| Path::new(&dir).join(name))
        .filter(|path| path.exists());
    if found.is_none() {
        skip(name);
    }
    found
}

fn skip(name: &str) {
    eprintln!("skipped: TIDAL_TEST_DATA is not set or has no {name}");
}

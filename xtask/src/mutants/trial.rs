//! Building the copy with a fault in it, and running the tests that have to notice.

use std::collections::BTreeMap;
use std::fmt;
use std::io::Read;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use super::copy::Copy;
use super::fault::{Fault, Program, Test};
use crate::failure::{Failure, Result};
use crate::workspace;

/// How long a test may run before it counts as hanging.
const TIME_MAX: Duration = Duration::from_secs(120);

/// What became of a fault.
pub(super) enum Outcome {
    /// Every test that has to notice it failed.
    Caught,
    /// The same, by not ending, where that is an answer.
    Hung,
    /// This test did not fail.
    Survived(String),
    /// This test did not end, and should have failed.
    NeverEnded(String),
    /// What the compiler said.
    DoesNotCompile(String),
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Caught => f.write_str("caught"),
            Self::Hung => f.write_str("caught, by a test that never ended"),
            Self::Survived(test) => write!(f, "SURVIVED {test}"),
            Self::NeverEnded(test) => write!(f, "NEVER ENDED {test}"),
            Self::DoesNotCompile(complaint) => write!(f, "DOES NOT COMPILE\n{complaint}"),
        }
    }
}

/// How a test ended.
enum End {
    Passed,
    Failed,
    Never,
}

/// The copy in which faults are tried, one after the other.
pub(super) struct Trials<'a> {
    copy: &'a Copy,
    /// What was built since the sources changed last.
    built: BTreeMap<Program, PathBuf>,
}

impl<'a> Trials<'a> {
    pub(super) const fn new(copy: &'a Copy) -> Self {
        Self { copy, built: BTreeMap::new() }
    }

    /// A test must pass without a fault: one that fails anyway notices nothing.
    pub(super) fn expect_pass(&mut self, test: &Test) -> Result<()> {
        let program = self.build(&test.program)?.map_err(Failure::failed)?;
        match self.run_test(test, &program)? {
            End::Passed => Ok(()),
            End::Failed | End::Never => {
                let Test { program, name } = test;
                Err(Failure::failed(format!("without any fault, {program} {name} fails")))
            }
        }
    }

    /// Tries one fault, and takes it out again.
    pub(super) fn run(&mut self, fault: &Fault) -> Result<Outcome> {
        let sound = self.copy.read(&fault.file)?;
        let faulty = fault.applied_to(&sound).ok_or_else(|| {
            let Fault { name, file, .. } = fault;
            Failure::failed(format!("{name}: its edit does not fit {file} exactly once"))
        })?;
        self.copy.write(&fault.file, &faulty)?;
        self.built.clear();
        let outcome = self.outcome(fault);
        self.copy.write(&fault.file, &sound)?;
        self.built.clear();
        outcome
    }

    fn outcome(&mut self, fault: &Fault) -> Result<Outcome> {
        let mut outcome = Outcome::Caught;
        for test in &fault.tests {
            let program = match self.build(&test.program)? {
                Ok(program) => program,
                Err(complaint) => return Ok(Outcome::DoesNotCompile(complaint)),
            };
            match self.run_test(test, &program)? {
                End::Failed => {}
                End::Passed => return Ok(Outcome::Survived(test.name.clone())),
                End::Never if fault.may_hang => outcome = Outcome::Hung,
                End::Never => return Ok(Outcome::NeverEnded(test.name.clone())),
            }
        }
        Ok(outcome)
    }

    /// The program of tests, or what the compiler said.
    fn build(&mut self, program: &Program) -> Result<std::result::Result<PathBuf, String>> {
        if let Some(built) = self.built.get(program) {
            return Ok(Ok(built.clone()));
        }
        let mut cargo = Command::new(workspace::cargo());
        cargo.args(["test", "--locked", "--no-run", "--package", &program.package]);
        match program.target.as_str() {
            "lib" => cargo.arg("--lib"),
            target => cargo.args(["--test", target]),
        };
        let output = cargo
            .arg("--message-format=json-render-diagnostics")
            .env("CARGO_TARGET_DIR", &self.copy.target)
            .current_dir(&self.copy.root)
            .output()
            .map_err(|error| Failure::failed(format!("cannot start cargo: {error}")))?;
        if !output.status.success() {
            return Ok(Err(String::from_utf8_lossy(&output.stderr).into_owned()));
        }
        let built = executable(&output, program).ok_or_else(|| {
            Failure::failed(format!("cargo names no program of tests for {program}"))
        })?;
        self.built.insert(program.clone(), built.clone());
        Ok(Ok(built))
    }

    /// Runs one test until it ends, or for [`TIME_MAX`].
    fn run_test(&self, test: &Test, program: &PathBuf) -> Result<End> {
        let cannot = |error| Failure::failed(format!("cannot run {}: {error}", program.display()));
        let package = self.copy.root.join("crates").join(&test.program.package);
        let mut child = Command::new(program)
            .args(["--exact", &test.name])
            .env("CARGO_MANIFEST_DIR", &package)
            .current_dir(&package)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(cannot)?;
        let mut stdout = child.stdout.take().expect("it was asked for");
        let (sender, ended) = mpsc::channel();
        let reader = thread::spawn(move || {
            let mut text = Vec::new();
            let read = stdout.read_to_end(&mut text);
            // Nobody listens any more once the time is over.
            drop(sender.send(read.map(|_| text)));
        });
        let text = match ended.recv_timeout(TIME_MAX) {
            Ok(text) => text.map_err(cannot)?,
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                child.kill().map_err(cannot)?;
                child.wait().map_err(cannot)?;
                return Ok(End::Never);
            }
        };
        drop(reader.join());
        let status = child.wait().map_err(cannot)?;
        if !status.success() {
            return Ok(End::Failed);
        }
        if String::from_utf8_lossy(&text).contains("1 passed") {
            return Ok(End::Passed);
        }
        Err(Failure::failed(format!("{} has no test {}", test.program, test.name)))
    }
}

/// The program that cargo says it built.
fn executable(output: &Output, program: &Program) -> Option<PathBuf> {
    let text = String::from_utf8_lossy(&output.stdout);
    let messages = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut programs = messages.filter_map(|message| {
        let is_test = message.pointer("/profile/test")?.as_bool()?;
        let name = message.pointer("/target/name")?.as_str()?.replace('_', "-");
        let expected = if program.target == "lib" { &program.package } else { &program.target };
        let path = message.get("executable")?.as_str()?;
        (is_test && name == *expected).then(|| PathBuf::from(path))
    });
    programs.next()
}

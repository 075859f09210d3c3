//! Steps: what is run, how it is announced, and the table at the end.
//!
//! P1. The first step that fails ends the run, and the last line says which one
//!     it was.
//! P2. A command is announced as it could be typed.

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process;
use std::time::{Duration, Instant};

use crate::console;
use crate::failure::{Failure, Result};
use crate::workspace;

/// What is said of a step that passed.
const PASSED: &str = "passed";

/// One thing that passes or fails.
pub(crate) struct Step {
    name: &'static str,
    action: Action,
}

/// What a step does.
enum Action {
    Command(Command),
    /// A check of this program over the workspace in the given folder. It
    /// answers one line that says what was checked.
    Check(fn(&Path) -> Result<String>),
    /// Nothing, and why: what a person must not overlook.
    LeftOut(String),
}

/// A command that is run in the root of the workspace.
#[derive(Clone)]
pub(crate) struct Command {
    program: PathBuf,
    args: Vec<OsString>,
    variables: Vec<(&'static str, OsString)>,
}

impl Step {
    /// A step that runs a command.
    pub(crate) const fn command(name: &'static str, command: Command) -> Self {
        Self { name, action: Action::Command(command) }
    }

    /// A step that is a check of this program.
    pub(crate) const fn check(name: &'static str, check: fn(&Path) -> Result<String>) -> Self {
        Self { name, action: Action::Check(check) }
    }

    /// A step that says loudly that something is not built or not tested.
    pub(crate) const fn left_out(name: &'static str, why: String) -> Self {
        Self { name, action: Action::LeftOut(why) }
    }

    /// What the table says of it once it is over.
    fn outcome(&self) -> String {
        match &self.action {
            Action::Command(_) | Action::Check(_) => PASSED.to_owned(),
            Action::LeftOut(why) => format!("LEFT OUT: {why}"),
        }
    }

    fn run(&self, root: &Path) -> Result<()> {
        match &self.action {
            Action::LeftOut(why) => {
                let line = "!".repeat(72);
                let what = format!("{} IS LEFT OUT: {why}", self.name.to_uppercase());
                console::say(&format!("{line}\n!!  {what}\n{line}"));
                Ok(())
            }
            Action::Command(command) => command.run(root),
            Action::Check(check) => check(root).map(|checked| console::say(&checked)),
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.action {
            Action::Command(command) => command.fmt(f),
            Action::Check(_) => write!(f, "cargo xtask {}", self.name),
            Action::LeftOut(why) => write!(f, "left out, {why}"),
        }
    }
}

impl Command {
    /// `program` with the words of `line`, which are divided by spaces.
    pub(crate) fn new(program: impl Into<PathBuf>, line: &str) -> Self {
        let args = line.split_whitespace().map(OsString::from).collect();
        Self { program: program.into(), args, variables: Vec::new() }
    }

    /// Cargo with the words of `line`.
    pub(crate) fn cargo(line: &str) -> Self {
        Self::new(workspace::cargo(), line)
    }

    /// One more argument, which may hold spaces.
    pub(crate) fn arg(mut self, arg: impl Into<OsString>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// Sets a variable of the environment.
    pub(crate) fn variable(mut self, name: &'static str, value: impl Into<OsString>) -> Self {
        self.variables.push((name, value.into()));
        self
    }

    /// Runs it in the folder `root`.
    pub(crate) fn run(&self, root: &Path) -> Result<()> {
        let status = process::Command::new(&self.program)
            .args(&self.args)
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .current_dir(root)
            .status()
            .map_err(|error| Failure::failed(format!("cannot start `{self}`: {error}")))?;
        if status.success() {
            return Ok(());
        }
        Err(Failure::failed(format!("`{self}` ended with {status}")))
    }
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, value) in &self.variables {
            write!(f, "{name}={} ", quoted(&value.to_string_lossy()))?;
        }
        // Cargo is announced by its name: which one it is, is not of interest.
        if self.program == workspace::cargo() {
            write!(f, "cargo")?;
        } else {
            write!(f, "{}", quoted(&self.program.to_string_lossy()))?;
        }
        self.args.iter().try_for_each(|arg| write!(f, " {}", quoted(&arg.to_string_lossy())))
    }
}

/// The word, in quotes when a shell would divide it.
fn quoted(word: &str) -> String {
    if !word.is_empty() && !word.contains(|c: char| c.is_whitespace() || "'\"$`\\".contains(c)) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// Runs the steps in order.
pub(crate) fn run(steps: &[Step]) -> Result<()> {
    let root = workspace::root()?;
    let mut over = Vec::with_capacity(steps.len());
    for (index, step) in steps.iter().enumerate() {
        console::say(&format!("==> {} ({}/{}): {step}", step.name, index + 1, steps.len()));
        let started = now();
        let outcome = step.run(&root);
        let took = started.elapsed();
        if let Err(failure) = outcome {
            let Failure::Failed(problem) = failure else {
                return Err(failure);
            };
            console::complain(&problem);
            if steps.len() > 1 {
                let not_run = steps.len() - index - 1;
                console::say(&table(&over, Some((step.name, took)), not_run));
            }
            return Err(Failure::failed(format!("step `{}` failed: {step}", step.name)));
        }
        let outcome = step.outcome();
        if outcome == PASSED {
            console::say(&format!("    {} passed in {}\n", step.name, Seconds(took)));
        }
        over.push((step.name, took, outcome));
    }
    if steps.len() > 1 {
        console::say(&table(&over, None, 0));
    }
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "a person wants to know which step is slow")]
fn now() -> Instant {
    Instant::now()
}

/// The summary: a line for each step that ran, and one for the whole.
fn table(
    over: &[(&str, Duration, String)],
    failed: Option<(&str, Duration)>,
    not_run: usize,
) -> String {
    let line = |name: &str, took: Duration, outcome: &str| {
        format!("{name:<24} {:>10}  {outcome}\n", Seconds(took).to_string())
    };
    let mut table = line_of_headings();
    for (name, took, outcome) in over {
        table.push_str(&line(name, *took, outcome));
    }
    if let Some((name, took)) = failed {
        table.push_str(&line(name, took, "FAILED"));
    }
    let total = over.iter().map(|&(_, took, _)| took).chain(failed.map(|(_, took)| took)).sum();
    let left_out = over.iter().filter(|(_, _, outcome)| outcome != PASSED);
    let left_out: Vec<&str> = left_out.map(|&(name, ..)| name).collect();
    let outcome = match (failed, not_run) {
        (None, _) if !left_out.is_empty() => format!("passed, without {}", left_out.join(", ")),
        (None, _) => PASSED.to_owned(),
        (Some(_), 0) => "FAILED".to_owned(),
        (Some(_), steps) => format!("FAILED, {steps} not run"),
    };
    table.push_str(&line("all", total, &outcome));
    table
}

fn line_of_headings() -> String {
    format!("{:<24} {:>10}  outcome\n", "step", "took")
}

struct Seconds(Duration);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.1} s", self.0.as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_shown_as_it_could_be_typed() {
        let command =
            Command::new("sh", "-c").arg("exit 3").variable("RUSTDOCFLAGS", "-D warnings");
        assert_eq!(command.to_string(), "RUSTDOCFLAGS='-D warnings' sh -c 'exit 3'");
        assert_eq!(Command::cargo("fmt --check").to_string(), "cargo fmt --check");
        assert_eq!(quoted("it's"), r"'it'\''s'");
    }

    #[test]
    fn a_step_after_a_failed_one_is_not_run() {
        fn never(_: &Path) -> Result<String> {
            panic!("this step comes after one that failed")
        }
        let steps = [
            Step::check("first", |_| Ok("fine".into())),
            Step::check("second", |_| Err(Failure::failed("broken"))),
            Step::check("third", never),
        ];
        let Err(Failure::Failed(problem)) = run(&steps) else { panic!("the second step fails") };
        assert_eq!(problem, "step `second` failed: cargo xtask second");
    }

    #[test]
    fn a_command_that_fails_or_does_not_start_is_a_failure() {
        for command in
            [Command::cargo("no-such-command-of-cargo"), Command::new("no-such-program", "")]
        {
            assert!(run(&[Step::command("command", command)]).is_err());
        }
        assert!(run(&[Step::command("command", Command::cargo("--version"))]).is_ok());
    }

    #[test]
    fn the_table_tells_what_passed_what_failed_and_what_was_left_out() {
        let second = Duration::from_secs(1);
        let passed = ("lint", second, PASSED.to_owned());
        let text = table(std::slice::from_ref(&passed), Some(("test", second)), 2);
        let expected = [
            "step                           took  outcome",
            "lint                          1.0 s  passed",
            "test                          1.0 s  FAILED",
            "all                           2.0 s  FAILED, 2 not run",
        ];
        assert_eq!(text.lines().collect::<Vec<_>>(), expected);
        let left_out = Step::left_out("engine", "no compiler".to_owned());
        let text = table(&[("engine", Duration::ZERO, left_out.outcome()), passed], None, 0);
        let expected = [
            "step                           took  outcome",
            "engine                        0.0 s  LEFT OUT: no compiler",
            "lint                          1.0 s  passed",
            "all                           1.0 s  passed, without engine",
        ];
        assert_eq!(text.lines().collect::<Vec<_>>(), expected);
    }
}

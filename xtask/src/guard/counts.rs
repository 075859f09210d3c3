//! The counts that are kept in the repository, and their file.
//!
//! A line that begins with `#` is a comment. A line `NAME: VALUE` says what the counts were
//! taken with, each of [`environment::NAMES`] once. A line `CASE COUNT` says how many
//! instructions an operation of a case takes, with one digit behind the point.

use std::fmt;
use std::fs;
use std::path::Path;

use super::UPDATE;
use super::environment::{self, Environment};
use crate::failure::{Failure, Result};

/// The file, in the repository.
pub(super) const KEPT: &str = "benches/guard/counts.txt";

/// What the file begins with.
const COMMENT: &str = "\
# How many instructions an operation takes under callgrind, and what that was counted with.
# `cargo xtask bench --check` compares with it; with `--update` it writes this file anew.
";

/// How many instructions an operation takes, in tenths of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Count(u64);

impl Count {
    /// `None` where there was no operation, or nothing was counted.
    pub(super) fn of(instructions: u64, operations: u64) -> Option<Self> {
        let tenths = instructions.checked_mul(10)?.checked_div(operations)?;
        (tenths > 0).then_some(Self(tenths))
    }

    /// In tenths of an instruction.
    pub(super) const fn tenths(self) -> u64 {
        self.0
    }

    fn parse(text: &str) -> Option<Self> {
        let (whole, tenth) = text.split_once('.')?;
        let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if tenth.len() != 1 || !is_digits(whole) || !is_digits(tenth) {
            return None;
        }
        let whole: u64 = whole.parse().ok()?;
        let tenths = whole.checked_mul(10)?.checked_add(tenth.parse().ok()?)?;
        (tenths > 0).then_some(Self(tenths))
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}.{}", self.0 / 10, self.0 % 10))
    }
}

/// The count of each case, and what they were taken with.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) environment: Environment,
    /// In the order of the program. No name is there twice.
    pub(super) cases: Vec<(String, Count)>,
}

impl Counts {
    /// The counts that are kept.
    pub(super) fn read(root: &Path) -> Result<Self> {
        let text = fs::read_to_string(root.join(KEPT)).map_err(|error| error.to_string());
        text.and_then(|text| Self::parse(&text)).map_err(|problem| {
            Failure::failed(format!("{KEPT}: {problem}; `{UPDATE}` writes it anew"))
        })
    }

    /// Keeps these.
    pub(super) fn write(&self, root: &Path) -> Result<()> {
        fs::write(root.join(KEPT), self.to_string())
            .map_err(|error| Failure::failed(format!("cannot write {KEPT}: {error}")))
    }

    /// How many instructions this case takes.
    pub(super) fn of(&self, case: &str) -> Option<Count> {
        self.cases.iter().find(|(name, _)| name == case).map(|&(_, count)| count)
    }

    fn parse(text: &str) -> std::result::Result<Self, String> {
        let mut environment: Vec<(&str, &str)> = Vec::new();
        let mut cases: Vec<(String, Count)> = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let wrong = |problem: &str| Err(format!("line {}: {problem}", index + 1));
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            if let Some((name, value)) = line.split_once(": ") {
                if !environment::NAMES.contains(&name) {
                    return wrong("nothing of that name is known of how counts are taken");
                }
                if environment.iter().any(|(other, _)| *other == name) {
                    return wrong("that is said twice");
                }
                environment.push((name, value));
            } else {
                let case = line.split_once(' ');
                let case = case.and_then(|(name, count)| Some((name, Count::parse(count.trim())?)));
                let Some((name, count)) = case else {
                    return wrong("that is not the name of a case and its count");
                };
                if cases.iter().any(|(other, _)| other == name) {
                    return wrong("that case is there twice");
                }
                cases.push((name.to_owned(), count));
            }
        }
        let environment = Environment::of(|name| {
            let known = environment.iter().find(|(known, _)| *known == name);
            known
                .map(|(_, value)| (*value).to_owned())
                .ok_or_else(|| format!("`{name}` is missing"))
        })?;
        if cases.is_empty() {
            return Err("there is no case in it".into());
        }
        Ok(Self { environment, cases })
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{COMMENT}\n{}\n", self.environment)?;
        self.cases.iter().try_for_each(|(name, count)| writeln!(f, "{name:<20} {count:>14}"))
    }
}

#[cfg(test)]
mod tests;

//! How much is measured.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tidal_bench_measure::{self as measure, Result};

/// A part of the measurements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Append,
    Size,
    Open,
}

impl Part {
    const NAMES: [&str; 3] = ["append", "size", "open"];

    const fn name(self) -> &'static str {
        let [append, size, open] = Self::NAMES;
        match self {
            Self::Append => append,
            Self::Size => size,
            Self::Open => open,
        }
    }
}

#[derive(Debug)]
pub(crate) struct Options(measure::Options);

impl Options {
    pub(crate) fn parse(words: impl IntoIterator<Item = String>) -> Result<Self> {
        Ok(Self(measure::Options::parse(words, &Part::NAMES)?))
    }

    pub(crate) fn does(&self, part: Part) -> bool {
        self.0.does(part.name())
    }

    pub(crate) fn dir(&self) -> Result<PathBuf> {
        self.0.dir()
    }

    /// The document whose tables are to be replaced.
    pub(crate) fn update(&self) -> Option<&Path> {
        self.0.update.as_deref()
    }

    /// How often everything is measured, each time in another order.
    pub(crate) const fn rounds(&self) -> usize {
        if self.0.quick { 3 } else { 12 }
    }

    /// How often each log is opened.
    pub(crate) const fn openings(&self) -> usize {
        if self.0.quick { 1 } else { 5 }
    }

    /// How long one measurement takes.
    pub(crate) const fn slice(&self) -> Duration {
        Duration::from_millis(if self.0.quick { 30 } else { 120 })
    }

    /// What part of the records is written to be opened: one in so many.
    pub(crate) const fn share(&self) -> usize {
        if self.0.quick { 100 } else { 1 }
    }
}

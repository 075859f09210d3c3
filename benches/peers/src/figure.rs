//! What is told of a system and a data set, figure by figure.

use tidal_bench_measure::{Samples, Short};

use crate::contest::Row;
use crate::load::Load;

/// One thing that is measured of all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Figure {
    /// Events that one client sends in batches.
    Batches,
    /// What is done under a load.
    Under(Load),
    /// The score and the counts of an item.
    Read,
    /// The ranking.
    Top,
    /// From the start after a kill to the first answer.
    Restart,
    Memory,
    Disk,
    /// What went to the disk while one client sent events in batches.
    Written,
}

impl Figure {
    pub(crate) const ALL: [Self; 12] = [
        Self::Batches,
        Self::Under(Load::Batches { clients: 8 }),
        Self::Under(Load::OneByOne { clients: 1 }),
        Self::Under(Load::OneByOne { clients: 8 }),
        Self::Under(Load::Mixed { clients: 1 }),
        Self::Under(Load::Mixed { clients: 8 }),
        Self::Read,
        Self::Top,
        Self::Restart,
        Self::Memory,
        Self::Disk,
        Self::Written,
    ];

    /// What it is, with its unit.
    pub(crate) fn title(self) -> String {
        let load = |what: &str, clients: u64| match clients {
            1 => format!("{what}, 1 client, per second"),
            _ => format!("{what}, {clients} clients, per second"),
        };
        match self {
            Self::Batches => load("events in batches", 1),
            Self::Under(Load::Batches { clients }) => load("events in batches", clients),
            Self::Under(Load::OneByOne { clients }) => load("events one by one", clients),
            Self::Under(Load::Mixed { clients }) => load("nine reads to one event", clients),
            Self::Read => "score and three counts of an item, us".into(),
            Self::Top => "top 100, us".into(),
            Self::Restart => "restart to the first answer, ms".into(),
            Self::Memory => "memory, bytes per item".into(),
            Self::Disk => "disk, bytes per item".into(),
            Self::Written => "written, bytes per event in batches".into(),
        }
    }

    /// Whether more of it is better.
    pub(crate) const fn is_rate(self) -> bool {
        matches!(self, Self::Batches | Self::Under(_))
    }

    /// What was measured; nothing where it was not, or the answers were not checked, or wrong.
    pub(crate) fn of(self, row: &Row) -> Samples {
        let items = row.filled.items as f64;
        let samples = match self {
            _ if !row.is_right() => Vec::new(),
            Self::Batches => row.filled.batches.clone(),
            Self::Under(load) => {
                let place = Load::ALL.iter().position(|&other| other == load);
                place.and_then(|place| row.filled.loads.get(place)).cloned().unwrap_or_default()
            }
            Self::Read => row.served.read.medians.clone(),
            Self::Top => row.served.top.medians.clone(),
            Self::Restart => row.openings.clone(),
            // What is there of a data set that is not whole tells nothing.
            Self::Memory | Self::Disk | Self::Written if !row.is_whole() => Vec::new(),
            Self::Memory => vec![row.memory / items],
            Self::Disk => vec![row.disk / items],
            Self::Written => vec![row.filled.written as f64 / row.filled.first as f64],
        };
        // What is nothing, or less, was lost in what is measured beside it.
        samples.into_iter().filter(|&sample| sample.is_finite() && sample > 0.0).collect()
    }

    /// How many times better `ours` is than `theirs`, median by median; `None` when
    /// either was not measured.
    pub(crate) fn times_better(self, ours: &Row, theirs: &Row) -> Option<f64> {
        let (ours, theirs) = (self.of(ours), self.of(theirs));
        if ours.is_empty() || theirs.is_empty() {
            return None;
        }
        let ratio = ours.median() / theirs.median();
        Some(if self.is_rate() { ratio } else { 1.0 / ratio })
    }
}

/// A number of a table: with its spread, or that it is missing.
pub(crate) fn shown(samples: &Samples) -> String {
    match samples.len() {
        0 => "not measured".into(),
        1 => Short(samples.median()).to_string(),
        _ => samples.to_string(),
    }
}

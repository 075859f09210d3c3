//! What happened: the streams that all systems take in.

mod generated;
mod mathoverflow;
mod retail;

use std::collections::HashMap;
use std::hash::Hash;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tidal_bench_measure::{Result, Short};

pub(crate) use generated::Popular;

use crate::job::{ALIGNED, Event};

/// The variable of the environment that names the folder of the real data.
pub(crate) const FOLDER: &str = "TIDAL_TEST_DATA";

/// A stream of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) enum DataSet {
    /// A shop's sales of a year: 531,285 lines.
    Retail,
    /// Answers and comments of six years: 506,550.
    Mathoverflow,
    /// Made up, over so many items.
    Generated(u64),
}

/// The events of a data set in the order in which they are sent.
#[derive(Debug)]
pub(crate) struct Data {
    pub(crate) events: Vec<Event>,
    /// Items have the numbers from 1 to this.
    pub(crate) items: u64,
    /// When it is read: just before this instant, which is behind all events.
    pub(crate) end: u64,
}

impl DataSet {
    /// What it is called.
    pub(crate) fn name(self) -> String {
        match self {
            Self::Retail => "online-retail".into(),
            Self::Mathoverflow => "sx-mathoverflow".into(),
            Self::Generated(items) => format!("{} items", Short(items as f64)),
        }
    }

    /// Whether it can be loaded.
    pub(crate) fn is_here(self) -> bool {
        match self {
            Self::Generated(_) => true,
            Self::Retail | Self::Mathoverflow => folder().is_some(),
        }
    }

    /// The events, all of them in memory; `None` when the folder of real data is not there.
    ///
    /// # Errors
    ///
    /// What the operating system says of a file, and what is wrong in it.
    pub(crate) fn load(self) -> Result<Option<Data>> {
        let (events, items) = match (self, folder()) {
            (Self::Generated(items), _) => (generated::events(items), items),
            (_, None) => return Ok(None),
            (Self::Retail, Some(folder)) => retail::events(&folder)?,
            (Self::Mathoverflow, Some(folder)) => mathoverflow::events(&folder)?,
        };
        let newest = events.iter().map(|event| event.time).max().unwrap_or_default();
        Ok(Some(Data { events, items, end: (newest / ALIGNED + 1) * ALIGNED }))
    }
}

/// Numbers for what has other names, from 1, in the order in which they are met.
#[derive(Debug)]
struct Numbers<T>(HashMap<T, u64>);

impl<T> Default for Numbers<T> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<T: Eq + Hash> Numbers<T> {
    fn of(&mut self, name: T) -> u64 {
        let next = self.count() + 1;
        *self.0.entry(name).or_insert(next)
    }

    fn count(&self) -> u64 {
        self.0.len() as u64
    }
}

fn folder() -> Option<PathBuf> {
    std::env::var_os(FOLDER).filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// What a file of the real data holds, unpacked as it is read.
fn unpacked(path: &Path) -> Result<impl std::io::Read + use<>> {
    let file = std::fs::File::open(path).map_err(|error| tidal_bench_measure::at(path, &error))?;
    Ok(flate2::read::GzDecoder::new(file))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn real_data_is_read_whole() {
        for (set, events, items) in
            [(DataSet::Retail, 531_285, 3_941), (DataSet::Mathoverflow, 506_550, 21_980)]
        {
            let Some(data) = set.load().unwrap() else {
                println!("skipped: {FOLDER} is not set");
                return;
            };
            assert_eq!((data.events.len(), data.items), (events, items), "{}", set.name());
            assert!(data.events.iter().all(|event| (1..=items).contains(&event.item)));
            assert!(data.events.iter().all(|event| event.time < data.end && event.weight > 0.0));
        }
    }
}

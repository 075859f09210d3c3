//! Answers and comments: an item for each user who got one, in the order of time.

use std::io::{BufRead as _, BufReader};
use std::path::Path;

use tidal_bench_measure::Result;

use super::{Numbers, unpacked};
use crate::job::Event;

const FILES: [&str; 3] = ["a2q", "c2q", "c2a"];

pub(super) fn events(folder: &Path) -> Result<(Vec<Event>, u64)> {
    let mut items = Numbers::default();
    let mut events = Vec::new();
    for file in FILES {
        let path = folder.join(format!("sx-mathoverflow/sx-mathoverflow-{file}.txt.gz"));
        for (number, line) in BufReader::new(unpacked(&path)?).lines().enumerate() {
            let line = line?;
            let mut words = line.split(' ').skip(1).map(str::parse::<u64>);
            let (Some(Ok(user)), Some(Ok(seconds))) = (words.next(), words.next()) else {
                return Err(format!("{}: line {}: {line}", path.display(), number + 1).into());
            };
            events.push(Event { item: items.of(user), weight: 1.0, time: 1000 * seconds });
        }
    }
    events.sort_by_key(|event| event.time);
    Ok((events, items.count()))
}

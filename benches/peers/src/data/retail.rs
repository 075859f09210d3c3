//! Sales: an item for each code of an article, and the number of pieces as the weight.
//! Lines that take pieces back are left out.

use std::path::Path;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use tidal_bench_measure::Result;

use super::{Numbers, unpacked};
use crate::job::Event;

/// The columns of the file.
const CODE: usize = 1;
const PIECES: usize = 3;
const TIME: usize = 4;

pub(super) fn events(folder: &Path) -> Result<(Vec<Event>, u64)> {
    let path = folder.join("online-retail/online-retail.csv.gz");
    let mut items = Numbers::default();
    let mut events = Vec::new();
    for (number, line) in csv::Reader::from_reader(unpacked(&path)?).records().enumerate() {
        let line = line?;
        let column = |place: usize| {
            line.get(place).ok_or_else(|| format!("{}: line {}", path.display(), number + 2))
        };
        let weight: f64 = column(PIECES)?.parse()?;
        if weight > 0.0 {
            let item = items.of(column(CODE)?.to_owned());
            events.push(Event { item, weight, time: millis(column(TIME)?)? });
        }
    }
    Ok((events, items.count()))
}

/// A time of the file, which is taken as UTC.
fn millis(text: &str) -> Result<u64> {
    let time: DateTime = text.parse()?;
    Ok(time.to_zoned(TimeZone::UTC)?.timestamp().as_millisecond().try_into()?)
}

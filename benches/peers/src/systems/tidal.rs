//! tidalDB, with its defaults: on fjall, and durable before an answer.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tidal_bench_measure::Result;
use tidal_db::{
    Batch, By, Clock, Config, DecaySpec, EntityId, EntityKind, Schema, SchemaBuilder, Ticket,
    TidalDB, Timestamp, Window,
};

use crate::job::{Answer, Event, IN_FLIGHT, Place};
use crate::system::{Client, System};

const SIGNAL: &str = "view";
const WINDOWS: [Window; 3] = [Window::OneHour, Window::TwentyFourHours, Window::SevenDays];

#[derive(Debug)]
struct Tidal(Arc<TidalDB>);

pub(crate) fn open(dir: &Path) -> Result<Box<dyn System>> {
    let config = Config { data_dir: dir.into(), schema: schema()? };
    Ok(Box::new(Tidal(Arc::new(TidalDB::builder(config).clock(Arc::new(Past)).open()?))))
}

fn schema() -> Result<Schema> {
    let half_life = Duration::from_secs(86_400);
    let mut builder = SchemaBuilder::new();
    builder
        .signal(SIGNAL, EntityKind::Item, DecaySpec::Exponential { half_life })
        .windows(&WINDOWS)
        .add();
    Ok(builder.build()?)
}

/// A clock that no event is ahead of: what is measured happened years ago, and each reading
/// says of when it is.
#[derive(Debug)]
struct Past;

impl Clock for Past {
    fn now(&self) -> Timestamp {
        Timestamp::from_secs(1_800_000_000)
    }
}

/// The last instant before a millisecond.
const fn before(end: u64) -> Timestamp {
    Timestamp::from_nanos(end * 1_000_000 - 1)
}

impl System for Tidal {
    fn about(&self) -> Result<String> {
        Ok(format!(
            "{}, on fjall, `Durable`, all else as it is by default; up to {IN_FLIGHT} commits on \
             their way",
            env!("CARGO_PKG_VERSION")
        ))
    }

    fn client(&self) -> Result<Box<dyn Client>> {
        Ok(Box::new(Writer { db: Arc::clone(&self.0), in_flight: VecDeque::new() }))
    }
}

#[derive(Debug)]
struct Writer {
    db: Arc<TidalDB>,
    in_flight: VecDeque<Ticket>,
}

impl Client for Writer {
    fn send(&mut self, events: &[Event]) -> Result<()> {
        let mut batch = Batch::new();
        for event in events {
            let time = Timestamp::from_nanos(event.time * 1_000_000);
            batch = batch.signal(SIGNAL, EntityId::new(event.item), event.weight, time);
        }
        self.in_flight.push_back(self.db.submit(batch)?);
        if self.in_flight.len() >= IN_FLIGHT
            && let Some(ticket) = self.in_flight.pop_front()
        {
            ticket.wait()?;
        }
        Ok(())
    }

    fn settle(&mut self) -> Result<()> {
        while let Some(ticket) = self.in_flight.pop_front() {
            ticket.wait()?;
        }
        Ok(())
    }

    fn read(&mut self, item: u64, end: u64) -> Result<Answer> {
        let reading = self.db.read_at(SIGNAL, EntityId::new(item), WINDOWS, before(end))?;
        Ok(Answer { score: reading.score, counts: reading.counts })
    }

    fn top(&mut self, places: usize, end: u64) -> Result<Vec<Place>> {
        let top = self.db.top_at(SIGNAL, By::Score, places, before(end))?;
        Ok(top
            .into_iter()
            .map(|place| Place { item: place.id.get(), score: place.value })
            .collect())
    }
}

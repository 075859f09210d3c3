//! The databases that are asked, and how they are filled: items with events under Zipf's
//! law over thirty days, so that scores, windows and ages are as far apart as they are in
//! use.

use std::collections::VecDeque;
use std::time::Duration;

use tidal_bench_measure::{Random, Result, Zipf};
use tidal_db::{
    AttributeType, AttributeValue, Batch, DecaySpec, EntityId, EntityKind, Schema, SchemaBuilder,
    Ticket, TidalDB, Timestamp, Window,
};

/// How many items a database has, unless their number is what is measured.
pub(crate) const ITEMS: u64 = 1_000_000;

pub(crate) const VIEW: &str = "view";
pub(crate) const LIKE: &str = "like";
pub(crate) const SHARE: &str = "share";

/// The signal types of items, and their half-lives in hours.
pub(crate) const SIGNALS: [(&str, u64); 3] = [(VIEW, 48), (LIKE, 6), (SHARE, 14 * 24)];

/// The time of the first event.
const START: Timestamp = Timestamp::from_secs(1_700_000_000);

/// How long before now that is, whatever the number of events.
const SPAN: Duration = Duration::from_secs(30 * 24 * 3600);

/// Of so many events one is not a view.
const OTHERS: u64 = 5;

/// How many operations a commit has.
const BATCH: usize = 1000;
const IN_FLIGHT: usize = 8;

/// Three signal types, the first with a window of a day, and two attributes.
pub(crate) fn schema() -> Result<Schema> {
    let mut builder = SchemaBuilder::new();
    for (name, hours) in SIGNALS {
        let half_life = Duration::from_secs(hours * 3600);
        let signal = builder.signal(name, EntityKind::Item, DecaySpec::Exponential { half_life });
        let windows: &[Window] = if name == VIEW { &[Window::TwentyFourHours] } else { &[] };
        signal.windows(windows).add();
    }
    builder.attribute("percent", EntityKind::Item, AttributeType::Keyword);
    builder.attribute("tenth", EntityKind::Item, AttributeType::Keyword);
    Ok(builder.build()?)
}

/// An event for each item and as many more, under Zipf's law.
#[derive(Debug, Clone)]
pub(crate) struct Traffic {
    items: u64,
    index: u64,
    events: u64,
    zipf: Zipf,
    random: Random,
}

impl Traffic {
    /// The traffic that makes items 1 to `items` known, and then has `more` events.
    pub(crate) fn new(items: u64, more: u64) -> Self {
        let zipf = Zipf::new(items, 1.0);
        Self { items, index: 0, events: items + more, zipf, random: Random::new(0xfeed) }
    }

    /// The time of the newest event.
    pub(crate) fn newest(&self) -> Timestamp {
        START.saturating_add(SPAN)
    }

    /// Sends so many of the events to come, in batches of which several are in flight.
    pub(crate) fn send(&mut self, db: &TidalDB, count: u64) -> Result<()> {
        let mut sender = Sender::new(db);
        for _ in 0..count {
            // Each item has a view first.
            let is_first = self.index < self.items;
            let item = if is_first { self.index + 1 } else { self.zipf.next().unwrap_or(1) };
            let signal = if is_first { VIEW } else { self.signal() };
            let at = self.time();
            sender.add(|batch| batch.signal(signal, EntityId::new(item), 1.0, at))?;
            self.index += 1;
        }
        sender.finish()
    }

    /// Of the next event: one of [`OTHERS`] is not a view.
    const fn signal(&mut self) -> &'static str {
        match self.random.below(2 * OTHERS) {
            0 => LIKE,
            1 => SHARE,
            _ => VIEW,
        }
    }

    /// The time of the next event: so far apart that all of them fill the span.
    fn time(&self) -> Timestamp {
        let share = self.index.min(self.events) as f64 / self.events as f64;
        START.saturating_add(SPAN.mul_f64(share))
    }
}

/// A database in memory of so many items, five events for each and their attributes; and
/// the time of its newest event.
pub(crate) fn filled(items: u64) -> Result<(TidalDB, Timestamp)> {
    let db = TidalDB::in_memory(schema()?)?;
    let mut traffic = Traffic::new(items, 4 * items);
    traffic.send(&db, 5 * items)?;
    describe(&db, items)?;
    Ok((db, traffic.newest()))
}

/// Gives each item its attributes: one of a hundred values and one of ten.
pub(crate) fn describe(db: &TidalDB, items: u64) -> Result<()> {
    let mut sender = Sender::new(db);
    for item in 1..=items {
        // Not by the last digits, which ranks under Zipf's law may go by.
        let mixed = item.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
        let value = |of: u64| Some(AttributeValue::Keyword(format!("v{}", mixed % of)));
        let values = [("percent", value(100)), ("tenth", value(10))];
        sender.add(|batch| batch.put_attributes(EntityKind::Item, EntityId::new(item), values))?;
    }
    sender.finish()
}

/// Sends operations in batches.
struct Sender<'a> {
    db: &'a TidalDB,
    batch: Batch<'a>,
    in_flight: VecDeque<Ticket>,
}

impl<'a> Sender<'a> {
    fn new(db: &'a TidalDB) -> Self {
        Self { db, batch: Batch::new(), in_flight: VecDeque::new() }
    }

    fn add(&mut self, add: impl FnOnce(Batch<'a>) -> Batch<'a>) -> Result<()> {
        self.batch = add(std::mem::take(&mut self.batch));
        if self.batch.len() < BATCH { Ok(()) } else { self.submit() }
    }

    fn submit(&mut self) -> Result<()> {
        self.in_flight.push_back(self.db.submit(std::mem::take(&mut self.batch))?);
        if self.in_flight.len() >= IN_FLIGHT
            && let Some(ticket) = self.in_flight.pop_front()
        {
            ticket.wait()?;
        }
        Ok(())
    }

    fn finish(mut self) -> Result<()> {
        if !self.batch.is_empty() {
            self.submit()?;
        }
        for ticket in self.in_flight {
            ticket.wait()?;
        }
        Ok(())
    }
}

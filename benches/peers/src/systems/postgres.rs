//! PostgreSQL, with a row for each item and a row for each of its buckets.
//!
//! Up to [`IN_FLIGHT`] batches, then or as soon as the client settles, are
//! [one statement](postgres/write.sql), so one transaction and one round trip: many changes
//! to a commit, as the documentation advises
//! (<https://www.postgresql.org/docs/15/populate.html>).
//! The client sums it up by item and bucket first: an upsert for each event would write the
//! row of a popular item hundreds of times in a batch. Old buckets of an item are removed
//! by its own writes, once in a day of events. A read is [one statement](postgres/read.sql)
//! too, and the top is read off an index. The crate's clients wait for each answer, so
//! a client cannot have several statements on their way instead.
//!
//! Settings, for a machine that has nothing else to do:
//!
//! - `shared_buffers` a quarter of memory, `huge_pages try`
//!   (<https://www.postgresql.org/docs/15/runtime-config-resource.html>), and
//!   `effective_cache_size` three quarters
//!   (<https://wiki.postgresql.org/wiki/Tuning_Your_PostgreSQL_Server>).
//! - `max_wal_size 8GB`, `min_wal_size 2GB` and `checkpoint_timeout 15min`, so that pages are
//!   written to the log whole and to their files less often
//!   (<https://www.postgresql.org/docs/15/wal-configuration.html>), and `wal_compression lz4`
//!   (<https://www.postgresql.org/docs/15/runtime-config-wal.html>).
//! - `fsync on` and `synchronous_commit on`, as by default: durable before an answer.
//! - `random_page_cost 1.1`, for disks that need not seek
//!   (<https://www.postgresql.org/docs/15/runtime-config-query.html>). `jit off`: it pays for
//!   long queries only (<https://www.postgresql.org/docs/15/jit-decision.html>).
//! - A client plans each statement once (`plan_cache_mode force_generic_plan`), without scans
//!   of whole tables, and joins by loops: tables may still be empty then, and all statements
//!   go by index (<https://www.postgresql.org/docs/15/sql-prepare.html>). The documentation
//!   calls the switches for that crude, and they are: what it recommends instead, statistics
//!   that are up to date, nobody has of a table that is empty
//!   (<https://www.postgresql.org/docs/15/runtime-config-query.html>).
//! - A socket of the file system; where the folder's path is too long for one, a free
//!   loopback port.

mod rows;
mod setup;

use std::path::Path;

use postgres::error::SqlState;
use postgres::{Client as Connection, Statement};
use tidal_bench_measure::Result;

use crate::job::{Answer, Decayed, Event, IN_FLIGHT, Place, WINDOWS, score_of};
use crate::server::Server;
use crate::system::{Client, System};
use rows::Rows;
use setup::Address;

pub(crate) use setup::missing;
#[cfg(test)]
pub(super) use setup::program;

const SCHEMA: &str = include_str!("postgres/schema.sql");
const WRITE: &str = include_str!("postgres/write.sql");
const READ: &str = include_str!("postgres/read.sql");
const TOP: &str = "SELECT id, rank FROM item ORDER BY rank DESC LIMIT $1";

pub(crate) fn open(dir: &Path) -> Result<Box<dyn System>> {
    Ok(Box::new(start(dir)?))
}

fn start(dir: &Path) -> Result<Postgres> {
    let (server, address, mut connection) = setup::start(dir)?;
    connection.batch_execute(SCHEMA)?;
    Ok(Postgres { address, _server: server })
}

#[derive(Debug)]
struct Postgres {
    address: Address,
    _server: Server,
}

impl System for Postgres {
    fn about(&self) -> Result<String> {
        let mut connection = self.address.connect()?;
        let mut setting = |name: &str| -> Result<String> {
            let row = connection.query_one("SELECT current_setting($1)", &[&name])?;
            Ok(row.try_get(0)?)
        };
        let version = setting("server_version")?;
        let mut told = Vec::new();
        for name in setup::TOLD {
            told.push(format!("`{name} {}`", setting(name)?));
        }
        let by = self.address.kind();
        Ok(format!(
            "{version}, {}; a statement for up to {IN_FLIGHT} batches, by {by}",
            told.join(", ")
        ))
    }

    fn client(&self) -> Result<Box<dyn Client>> {
        let mut connection = self.address.connect()?;
        let (write, read) = (connection.prepare(WRITE)?, connection.prepare(READ)?);
        let top = connection.prepare(TOP)?;
        let (unsent, rows) = (Vec::new(), Rows::default());
        Ok(Box::new(Writer { connection, write, read, top, unsent, batches: 0, rows }))
    }
}

struct Writer {
    connection: Connection,
    write: Statement,
    read: Statement,
    top: Statement,
    /// The events of so many batches that are still to be sent.
    unsent: Vec<Event>,
    batches: usize,
    rows: Rows,
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer").finish_non_exhaustive()
    }
}

impl Client for Writer {
    fn send(&mut self, events: &[Event]) -> Result<()> {
        self.unsent.extend_from_slice(events);
        self.batches += 1;
        if self.batches < IN_FLIGHT { Ok(()) } else { self.settle() }
    }

    fn settle(&mut self) -> Result<()> {
        if self.batches == 0 {
            return Ok(());
        }
        self.rows.fill(&self.unsent)?;
        loop {
            match self.connection.execute(&self.write, &self.rows.parameters()) {
                Ok(_) => break,
                Err(error) if is_passing(&error) => {}
                Err(error) => return Err(error.into()),
            }
        }
        self.unsent.clear();
        self.batches = 0;
        Ok(())
    }

    fn read(&mut self, item: u64, end: u64) -> Result<Answer> {
        self.settle()?;
        let [hour, day, week] = WINDOWS.map(|window| {
            let (oldest, share) = window.oldest(end);
            (oldest as i32, window.bucket(end - 1) as i32, share)
        });
        let row = self.connection.query_opt(
            &self.read,
            &[&(item as i64), &hour.0, &hour.1, &day.0, &day.1, &week.0, &week.1],
        )?;
        let Some(row) = row else { return Ok(Answer::default()) };
        let decayed = Decayed { sum: row.try_get(0)?, since: row.try_get::<_, i64>(1)? as u64 };
        let mut answer = Answer { score: decayed.at(end), ..Answer::default() };
        let windows = answer.counts.iter_mut().zip([hour, day, week]);
        for (column, (count, (_, _, share))) in (2..).step_by(2).zip(windows) {
            let (whole, oldest): (i64, i64) = (row.try_get(column)?, row.try_get(column + 1)?);
            *count = whole as u64 + (oldest as f64 * share).round() as u64;
        }
        Ok(answer)
    }

    fn top(&mut self, places: usize, end: u64) -> Result<Vec<Place>> {
        self.settle()?;
        let rows = self.connection.query(&self.top, &[&(places as i64)])?;
        let place = |row: postgres::Row| {
            let (item, rank): (i64, f64) = (row.try_get(0)?, row.try_get(1)?);
            Ok(Place { item: item as u64, score: score_of(rank, end) })
        };
        rows.into_iter().map(place).collect()
    }
}

/// Whether a transaction has only been in the way of another, and is to be tried again.
fn is_passing(error: &postgres::Error) -> bool {
    error.code().is_some_and(|code| {
        [SqlState::T_R_DEADLOCK_DETECTED, SqlState::T_R_SERIALIZATION_FAILURE].contains(code)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_keeps_few_buckets_that_no_window_reaches() {
        if missing().is_some() {
            return;
        }
        let dir = tempfile::tempdir().unwrap();
        let postgres = start(dir.path()).unwrap();
        let mut client = postgres.client().unwrap();
        // For a month, every ten minutes.
        let events: Vec<_> =
            (0..4320).map(|turn| Event { item: 1, weight: 1.0, time: turn * 600_000 }).collect();
        for batch in events.chunks(100) {
            client.send(batch).unwrap();
        }
        client.settle().unwrap();
        let mut connection = postgres.address.connect().unwrap();
        let row = connection.query_one("SELECT count(*) FROM bucket WHERE item = 1", &[]).unwrap();
        let rows: i64 = row.get(0);
        // What is reached, and what a day and a batch have added since it was last cleared.
        assert!((100..=550).contains(&rows), "{rows}");
        assert_eq!(client.read(1, 4320 * 600_000).unwrap().counts, [6, 144, 1008]);
        // Much later the same buckets are there, and none counts.
        assert_eq!(client.read(1, 9000 * 600_000).unwrap().counts, [0; 3]);
    }

    #[test]
    fn two_who_write_the_same_items_both_get_through() {
        if missing().is_some() {
            return;
        }
        let dir = tempfile::tempdir().unwrap();
        let postgres = start(dir.path()).unwrap();
        let [there, back] = [false, true].map(|is_back| {
            let mut client = postgres.client().unwrap();
            std::thread::spawn(move || {
                let item = |turn: u64| if is_back { 100 - turn } else { turn + 1 };
                let events: Vec<_> = (0..100)
                    .map(|turn| Event { item: item(turn), weight: 1.0, time: 600_000 })
                    .collect();
                for _ in 0..50 {
                    client.send(&events).unwrap();
                    client.settle().unwrap();
                }
            })
        });
        there.join().unwrap();
        back.join().unwrap();
        let mut client = postgres.client().unwrap();
        for item in 1..=100 {
            assert_eq!(client.read(item, 1_200_000).unwrap().counts, [100; 3]);
        }
    }
}

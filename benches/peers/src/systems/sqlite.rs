//! SQLite: a row for each item, with an index by rank; the buckets are packed into the row.
//!
//! Packed, since a table of buckets `WITHOUT ROWID` takes three more changes of a B-tree for
//! each event: measured with a million events over 100 thousand items in batches of 1,000,
//! it takes twice the processor's time, and reads are no faster.
//!
//! All writes go through one connection, and each client reads by its own: as SQLite has one
//! writer at a time, and as another connection that writes makes a connection's cache of
//! pages worthless. Up to [`IN_FLIGHT`] batches of a client, then or as soon as it settles,
//! are added by one transaction, as the documentation advises
//! (<https://www.sqlite.org/faq.html#q19>), with those of all clients that wait for the
//! writer. It sorts events by item, reads, adds to and writes back the row of each.
//!
//! - `journal_mode = WAL` with `synchronous = FULL`: a transaction that was committed
//!   survives a power cut (<https://www.sqlite.org/pragma.html#pragma_synchronous>).
//! - Built with `HAVE_FDATASYNC` (<https://www.sqlite.org/compile.html>), by the main
//!   workspace's `.cargo/config.toml`: otherwise it syncs with `fsync`, which commits the
//!   file's times as well and takes longer.
//! - `wal_autocheckpoint`: a larger log makes writes faster and reads slower; measured, those
//!   are not (<https://www.sqlite.org/wal.html#performance_considerations>).
//! - `mmap_size`, of the whole database: <https://www.sqlite.org/mmap.html>.
//! - `cache_size`: <https://www.sqlite.org/pragma.html#pragma_cache_size>.
//! - Statements are prepared once: <https://www.sqlite.org/c3ref/prepare.html>.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rusqlite::{CachedStatement, Connection, OptionalExtension as _, TransactionBehavior};
use tidal_bench_measure::Result;

use crate::cell::{self, Cell};
use crate::group::Group;
use crate::job::{Answer, Event, IN_FLIGHT, Place, score_of};
use crate::system::{Client, System};

const FILE: &str = "items.sqlite";

/// Of a connection that writes, in KiB, and of one that reads, which has the map.
const WRITER_CACHE: i64 = 1 << 20;
const READER_CACHE: i64 = 16 << 10;

/// What it is compiled with.
const FLAGS: Option<&str> = option_env!("LIBSQLITE3_FLAGS");

/// SQLite itself allows no more than two gigabytes.
const MMAP_BYTES: i64 = 2 << 30;

/// Pages of 4 KiB in the log before they are moved to the database.
const CHECKPOINT_PAGES: i64 = 16_384;

/// How long a connection waits for another one that has a lock.
const BUSY: Duration = Duration::from_secs(60);

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS item (id INTEGER PRIMARY KEY, rank REAL NOT NULL, cell BLOB NOT NULL);
    CREATE INDEX IF NOT EXISTS item_by_rank ON item (rank);
";
const SELECT: &str = "SELECT cell FROM item WHERE id = ?1";
const INSERT: &str = "INSERT INTO item (id, rank, cell) VALUES (?1, ?2, ?3)";
const UPDATE: &str = "UPDATE item SET rank = ?2, cell = ?3 WHERE id = ?1";
const TOP: &str = "SELECT id, rank FROM item ORDER BY rank DESC LIMIT ?1";

#[derive(Debug)]
struct Sqlite {
    path: PathBuf,
    writer: Mutex<Writer>,
    /// What the writer has yet to add.
    waiting: Mutex<Vec<Event>>,
    group: Group,
}

#[derive(Debug)]
struct Writer {
    connection: Connection,
    events: Vec<Event>,
    cell: Cell,
    bytes: Vec<u8>,
}

pub(crate) fn open(dir: &Path) -> Result<Box<dyn System>> {
    let path = dir.join(FILE);
    let connection = connect(&path, WRITER_CACHE)?;
    connection.execute_batch(SCHEMA)?;
    let writer =
        Writer { connection, events: Vec::new(), cell: Cell::default(), bytes: Vec::new() };
    Ok(Box::new(Shared(Arc::new(Sqlite {
        path,
        writer: Mutex::new(writer),
        waiting: Mutex::default(),
        group: Group::default(),
    }))))
}

fn connect(path: &Path, cache: i64) -> Result<Connection> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(BUSY)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
    connection.pragma_update(None, "mmap_size", MMAP_BYTES)?;
    connection.pragma_update(None, "cache_size", -cache)?;
    Ok(connection)
}

#[derive(Debug, Clone)]
struct Shared(Arc<Sqlite>);

impl System for Shared {
    fn about(&self) -> Result<String> {
        let writer = self.0.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let asked = |name: &str| {
            let value = writer
                .connection
                .pragma_query_value(None, name, |row| row.get::<_, rusqlite::types::Value>(0))?;
            Ok::<_, rusqlite::Error>(match value {
                rusqlite::types::Value::Integer(number) => format!("{name} = {number}"),
                rusqlite::types::Value::Text(text) => format!("{name} = {text}"),
                other => format!("{name} = {other:?}"),
            })
        };
        let names =
            ["journal_mode", "synchronous", "wal_autocheckpoint", "mmap_size", "cache_size"];
        let settings = names.into_iter().map(asked).collect::<std::result::Result<Vec<_>, _>>()?;
        let is_data = FLAGS.is_some_and(|flags| flags.contains("HAVE_FDATASYNC"));
        let sync = if is_data { "fdatasync" } else { "fsync" };
        let version: String =
            writer.connection.query_row("SELECT sqlite_version()", [], |row| row.get(0))?;
        Ok(format!(
            "{version}, {}, by {sync}; one connection writes, a transaction for up to {IN_FLIGHT} batches and all \
             clients that wait",
            settings.join(", ")
        ))
    }

    fn client(&self) -> Result<Box<dyn Client>> {
        Ok(Box::new(User {
            sqlite: self.clone(),
            connection: connect(&self.0.path, READER_CACHE)?,
            unwritten: 0,
        }))
    }
}

impl Sqlite {
    /// Adds the events of all clients that wait.
    fn write(&self) -> Result<()> {
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let Writer { connection, events, cell, bytes } = &mut *writer;
        events.clear();
        events.append(&mut self.waiting.lock().unwrap_or_else(PoisonError::into_inner));
        events.sort_unstable_by_key(|event| event.item);
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        {
            let mut select = transaction.prepare_cached(SELECT)?;
            let mut insert = transaction.prepare_cached(INSERT)?;
            let mut update = transaction.prepare_cached(UPDATE)?;
            for of_item in events.chunk_by(|a, b| a.item == b.item) {
                let Some(&Event { item, .. }) = of_item.first() else { continue };
                let id = i64::try_from(item)?;
                cell.clear();
                let is_there = find(&mut select, id, |old| cell.merge(old))?.is_some();
                for event in of_item {
                    cell.add(event);
                }
                bytes.clear();
                cell.write(bytes);
                let change = if is_there { &mut update } else { &mut insert };
                change.execute((id, cell.decayed().rank(), bytes.as_slice()))?;
            }
        }
        Ok(transaction.commit()?)
    }
}

/// What a function makes of the cell of an item, without a copy of it.
fn find<T>(
    select: &mut CachedStatement<'_>,
    id: i64,
    function: impl FnOnce(&[u8]) -> Result<T>,
) -> Result<Option<T>> {
    let read = |row: &rusqlite::Row<'_>| Ok(function(row.get_ref(0)?.as_blob()?));
    select.query_row([id], read).optional()?.transpose()
}

#[derive(Debug)]
struct User {
    sqlite: Shared,
    connection: Connection,
    /// So many batches are not known to be written.
    unwritten: usize,
}

impl Client for User {
    fn send(&mut self, events: &[Event]) -> Result<()> {
        let waiting = &self.sqlite.0.waiting;
        waiting.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(events);
        self.unwritten += 1;
        if self.unwritten < IN_FLIGHT { Ok(()) } else { self.settle() }
    }

    fn settle(&mut self) -> Result<()> {
        if self.unwritten > 0 {
            let sqlite = &self.sqlite.0;
            sqlite.group.share(|| sqlite.write())?;
            self.unwritten = 0;
        }
        Ok(())
    }

    fn read(&mut self, item: u64, end: u64) -> Result<Answer> {
        self.settle()?;
        let mut select = self.connection.prepare_cached(SELECT)?;
        let answer = find(&mut select, i64::try_from(item)?, |bytes| cell::answer(bytes, end))?;
        Ok(answer.unwrap_or_default())
    }

    fn top(&mut self, places: usize, end: u64) -> Result<Vec<Place>> {
        self.settle()?;
        let mut select = self.connection.prepare_cached(TOP)?;
        let place = |row: &rusqlite::Row<'_>| {
            let (item, rank): (i64, f64) = (row.get(0)?, row.get(1)?);
            Ok(Place { item: item.cast_unsigned(), score: score_of(rank, end) })
        };
        let places = select.query_map([i64::try_from(places)?], place)?;
        Ok(places.collect::<std::result::Result<_, _>>()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_built_as_distributions_do() {
        let dir = tempfile::tempdir().unwrap();
        let about = open(dir.path()).unwrap().about().unwrap();
        assert!(about.contains("by fdatasync;"), "{about}");
    }
}

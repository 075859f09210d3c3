//! Redis, with a hash for each item and a sorted set of all.
//!
//! A batch is one call of [a script](redis/script.lua), up to [`IN_FLIGHT`] of them on
//! their way in a pipeline (<https://redis.io/docs/latest/develop/using-commands/pipelining/>).
//! The hash of an item has its decayed sum in `s`, the time of that in `t`, and a count in a
//! field for each bucket, `4 * bucket + window`: numbers, which a listpack keeps in few
//! bytes. Buckets that no window reaches are removed when an item opens new ones, so a hash
//! has some 200 fields at most. The sorted set has the logarithm of what a sum would have
//! been at the epoch, which orders items for ever. That is better than what most teams do,
//! who have a job that writes all scores anew now and then.
//!
//! A read is one `HGETALL`, and the client sums up: most items have few buckets, and
//! a script would have to read as many fields.
//!
//! Settings:
//!
//! - `appendonly yes`, with `appendfsync` as asked, and no snapshots beside it (`save ""`):
//!   a restart reads the log alone, and the fork for a snapshot would only take time from
//!   what is measured. The log's base is a snapshot anyway (`aof-use-rdb-preamble yes`),
//!   and it is rewritten when it has doubled, both as by default
//!   (<https://redis.io/docs/latest/operate/oss_and_stack/management/persistence/>).
//! - A socket of the file system, which has up to half again the throughput of the loopback
//!   interface
//!   (<https://redis.io/docs/latest/operate/oss_and_stack/management/optimization/benchmarks/>);
//!   where the folder's path is too long for one, a free loopback port.
//! - `hash-max-listpack-entries 512` as by default, so that a hash stays compact
//!   (<https://redis.io/docs/latest/operate/oss_and_stack/management/optimization/memory-optimization/>).
//! - No `maxmemory`: nothing is thrown away.

use std::path::{Path, PathBuf};

use redis::{Cmd, Connection, ConnectionAddr, ConnectionLike, IntoConnectionInfo, Value, cmd};
use rustix::process::Signal;
use tidal_bench_measure::Result;

use crate::job::{Answer, Decayed, Event, IN_FLIGHT, Place, WINDOWS, score_of};
use crate::server::{self, Server, Start};
use crate::system::{Client, System};

const PROGRAM: &str = "redis-server";
const SCRIPT: &str = include_str!("redis/script.lua");
/// The sorted set; items are keys that are numbers.
const RANKS: &str = "r";
/// What the path of a socket may have, with the byte that ends it.
const SOCKET_BYTES_MAX: usize = 107;

/// When what was written is synced.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Sync {
    /// Before an answer.
    Always,
    /// Every second.
    EverySecond,
}

impl Sync {
    const fn name(self) -> &'static str {
        match self {
            Self::Always => "always",
            Self::EverySecond => "everysec",
        }
    }
}

pub(crate) fn missing() -> Option<String> {
    let is_there = program().is_some();
    let reason = || format!("`{PROGRAM}` is missing: install Debian's package `redis-server`");
    server::missing().or_else(|| (!is_there).then(reason))
}

pub(super) fn program() -> Option<PathBuf> {
    server::find(PROGRAM, [])
}

pub(crate) fn open(dir: &Path, sync: Sync) -> Result<Box<dyn System>> {
    Ok(Box::new(start(dir, sync)?))
}

fn start(dir: &Path, sync: Sync) -> Result<Redis> {
    let program = program().ok_or_else(|| missing().unwrap_or_default())?;
    let dir = dir.canonicalize()?;
    let socket = dir.join("redis.sock");
    let (address, listen) = if socket.as_os_str().len() <= SOCKET_BYTES_MAX {
        // It works in its folder.
        (ConnectionAddr::Unix(socket), "--port 0 --unixsocket redis.sock".into())
    } else {
        let port = server::free_port()?;
        (ConnectionAddr::Tcp("127.0.0.1".into(), port), format!("--port {port} --bind 127.0.0.1"))
    };
    let settings = format!("--appendonly yes --appendfsync {}", sync.name());
    let words = listen.split(' ').chain(settings.split(' ')).chain(["--save", "", "--dir", "."]);
    let start = Start {
        program: &program,
        arguments: words.map(Into::into).collect(),
        dir: &dir,
        user: None,
        stop: Signal::TERM,
    };
    let (server, _) = start.run(|| connect(&address))?;
    Ok(Redis { address, sync, _server: server })
}

/// Connects once everything is loaded: until then an answer is an error, `LOADING`.
fn connect(address: &ConnectionAddr) -> Result<Connection> {
    let mut connection =
        redis::Client::open(address.clone().into_connection_info()?)?.get_connection()?;
    cmd("PING").exec(&mut connection)?;
    Ok(connection)
}

#[derive(Debug)]
struct Redis {
    address: ConnectionAddr,
    sync: Sync,
    _server: Server,
}

impl System for Redis {
    fn about(&self) -> Result<String> {
        let info: String = cmd("INFO").arg("server").query(&mut connect(&self.address)?)?;
        let version = info.lines().find_map(|line| line.strip_prefix("redis_version:"));
        let by = if let ConnectionAddr::Unix(_) = self.address { "a Unix socket" } else { "TCP" };
        Ok(format!(
            "{}, `appendonly yes`, `appendfsync {}`, `save \"\"`, all else as it is by default; a \
             Lua script for each batch, up to {IN_FLIGHT} on their way, by {by}",
            version.ok_or("no version")?,
            self.sync.name()
        ))
    }

    fn client(&self) -> Result<Box<dyn Client>> {
        let mut connection = connect(&self.address)?;
        let script = cmd("SCRIPT").arg("LOAD").arg(SCRIPT).query(&mut connection)?;
        Ok(Box::new(Writer { connection, script, packed: Vec::new(), in_flight: 0 }))
    }
}

struct Writer {
    connection: Connection,
    /// The script's digest, which it is called by.
    script: String,
    packed: Vec<u8>,
    in_flight: usize,
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer").field("in_flight", &self.in_flight).finish_non_exhaustive()
    }
}

impl Writer {
    fn take_answer(&mut self) -> Result<()> {
        self.in_flight -= 1;
        self.connection.recv_response()?.extract_error()?;
        Ok(())
    }

    /// The answer to a command that is not one of those on their way.
    fn ask(&mut self, command: &Cmd) -> Result<Vec<Value>> {
        self.settle()?;
        match self.connection.req_command(command)?.extract_error()? {
            Value::Array(values) => Ok(values),
            other => Err(format!("an answer that is no array: {other:?}").into()),
        }
    }
}

impl Client for Writer {
    fn send(&mut self, events: &[Event]) -> Result<()> {
        if events.is_empty() {
            return Ok(());
        }
        let mut call = Cmd::with_capacity(4 + 3 * events.len(), 64 + 32 * events.len());
        call.arg("EVALSHA").arg(&self.script).arg(1).arg(RANKS);
        for event in events {
            call.arg(event.item).arg(event.weight).arg(event.time);
        }
        self.packed.clear();
        call.write_packed_command(&mut self.packed);
        self.connection.send_packed_command(&self.packed)?;
        self.in_flight += 1;
        if self.in_flight >= IN_FLIGHT { self.take_answer() } else { Ok(()) }
    }

    fn settle(&mut self) -> Result<()> {
        while self.in_flight > 0 {
            self.take_answer()?;
        }
        Ok(())
    }

    fn read(&mut self, item: u64, end: u64) -> Result<Answer> {
        let fields = self.ask(cmd("HGETALL").arg(item))?;
        let mut decayed = Decayed::default();
        let mut buckets: [Vec<(u64, u64)>; WINDOWS.len()] = Default::default();
        for (field, value) in pairs(&fields) {
            match field? {
                "s" => decayed.sum = value?.parse()?,
                "t" => decayed.since = value?.parse()?,
                number => {
                    let number: u64 = number.parse()?;
                    let window = buckets.get_mut(number as usize % 4).ok_or("no such window")?;
                    window.push((number / 4, value?.parse()?));
                }
            }
        }
        let mut answer = Answer { score: decayed.at(end), ..Answer::default() };
        for ((count, window), buckets) in answer.counts.iter_mut().zip(WINDOWS).zip(buckets) {
            *count = window.count(end, buckets);
        }
        Ok(answer)
    }

    fn top(&mut self, places: usize, end: u64) -> Result<Vec<Place>> {
        let last = places as i64 - 1;
        let range = cmd("ZRANGE").arg(RANKS).arg(0).arg(last).arg("REV").arg("WITHSCORES").take();
        let members = self.ask(&range)?;
        let place = |(item, rank): (Result<&str>, Result<&str>)| {
            Ok(Place { item: item?.parse()?, score: score_of(rank?.parse()?, end) })
        };
        pairs(&members).map(place).collect()
    }
}

/// Values as they come, two by two.
fn pairs(values: &[Value]) -> impl Iterator<Item = (Result<&str>, Result<&str>)> {
    let (pairs, _) = values.as_chunks::<2>();
    pairs.iter().map(|[first, second]| (text(first), text(second)))
}

fn text(value: &Value) -> Result<&str> {
    match value {
        Value::BulkString(bytes) => Ok(str::from_utf8(bytes)?),
        other => Err(format!("a value that is no text: {other:?}").into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_keeps_few_buckets_that_no_window_reaches() {
        if missing().is_some() {
            return;
        }
        let dir = tempfile::tempdir().unwrap();
        let redis = start(dir.path(), Sync::EverySecond).unwrap();
        let mut client = redis.client().unwrap();
        // For a month, every ten minutes.
        let events: Vec<_> =
            (0..4320).map(|turn| Event { item: 1, weight: 1.0, time: turn * 600_000 }).collect();
        for batch in events.chunks(100) {
            client.send(batch).unwrap();
        }
        client.settle().unwrap();
        let fields: u64 = cmd("HLEN").arg(1).query(&mut connect(&redis.address).unwrap()).unwrap();
        assert!((100..=300).contains(&fields), "{fields}");
        assert_eq!(client.read(1, 4320 * 600_000).unwrap().counts, [6, 144, 1008]);
        // Much later the same buckets are there, and none counts.
        assert_eq!(client.read(1, 9000 * 600_000).unwrap().counts, [0; 3]);
    }
}

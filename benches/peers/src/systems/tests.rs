//! Every system that is here answers as plain sums of the same events do, also after it
//! was closed and opened again, and a server after it was killed.

use std::path::PathBuf;

use crate::data::DataSet;
use crate::job::{BATCH, PLACES};
use crate::oracle::Oracle;
use crate::server;
use crate::system::Kind;
use crate::systems::{postgres, redis};

/// So many items have ten times as many events, one in sixteen late.
const ITEMS: u64 = 2000;

fn answers_as_plain_sums_do(kind: Kind) {
    if let Some(reason) = kind.missing() {
        println!("skipped: {}: {reason}", kind.name());
        return;
    }
    let data = DataSet::Generated(ITEMS).load().unwrap().unwrap();
    let oracle = Oracle::new(&data);
    let dir = tempfile::tempdir().unwrap();
    let system = kind.open(dir.path()).unwrap();
    assert!(!system.about().unwrap().is_empty());
    let mut client = system.client().unwrap();
    let (batches, single) = data.events.split_at(data.events.len() - 50);
    for batch in batches.chunks(BATCH) {
        client.send(batch).unwrap();
    }
    client.settle().unwrap();
    for event in single {
        client.send(std::slice::from_ref(event)).unwrap();
        client.settle().unwrap();
    }
    let checked = oracle.check(&mut *client);
    assert!(checked.is_ok(), "{}: {checked:?}", kind.name());
    assert!(client.top(PLACES, data.end).unwrap().len() == PLACES);
    drop((client, system));
    let system = kind.open(dir.path()).unwrap();
    let checked = oracle.check(&mut *system.client().unwrap());
    assert!(checked.is_ok(), "{} opened again: {checked:?}", kind.name());
}

#[test]
fn tidal_answers_as_plain_sums_do() {
    answers_as_plain_sums_do(Kind::Tidal);
}

#[test]
fn redis_everysec_answers_as_plain_sums_do() {
    answers_as_plain_sums_do(Kind::RedisEverysec);
}

#[test]
fn redis_always_answers_as_plain_sums_do() {
    answers_as_plain_sums_do(Kind::RedisAlways);
}

#[test]
fn postgres_answers_as_plain_sums_do() {
    answers_as_plain_sums_do(Kind::Postgres);
}

#[test]
fn sqlite_answers_as_plain_sums_do() {
    answers_as_plain_sums_do(Kind::Sqlite);
}

#[test]
fn rocksdb_answers_as_plain_sums_do() {
    answers_as_plain_sums_do(Kind::RocksDb);
}

#[test]
fn fjall_answers_as_plain_sums_do() {
    answers_as_plain_sums_do(Kind::Fjall);
}

/// What was settled is there when the server's processes were killed, without a stop.
fn keeps_its_answers_when_killed(kind: Kind, program: Option<PathBuf>) {
    if let Some(reason) = kind.missing() {
        println!("skipped: {}: {reason}", kind.name());
        return;
    }
    let data = DataSet::Generated(ITEMS).load().unwrap().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let system = kind.open(dir.path()).unwrap();
    let mut client = system.client().unwrap();
    for batch in data.events.chunks(BATCH) {
        client.send(batch).unwrap();
    }
    client.settle().unwrap();
    server::kill(&program.unwrap(), dir.path()).unwrap();
    assert!(client.read(1, data.end).is_err(), "{} was not killed", kind.name());
    let again = kind.open(dir.path()).unwrap();
    let checked = Oracle::new(&data).check(&mut *again.client().unwrap());
    assert!(checked.is_ok(), "{}: {checked:?}", kind.name());
}

#[test]
fn redis_always_keeps_its_answers_when_killed() {
    keeps_its_answers_when_killed(Kind::RedisAlways, redis::program());
}

#[test]
fn postgres_keeps_its_answers_when_killed() {
    keeps_its_answers_when_killed(Kind::Postgres, postgres::program("postgres"));
}

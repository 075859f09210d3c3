//! What users did: what is kept of it, what becomes of it when somebody is forgotten, and
//! that whoever makes the state again comes to the same.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use flate2::read::GzDecoder;
use tidal_db::{
    Batch, Builder, Config, DecaySpec, DedupKey, DedupOptions, DeepOptions, Differing, Engine,
    EntityKind, ErrorKind, Event, FjallStorage, ManualClock, MemoryStorage, Outcome, Producer,
    ProducerId, QueryError, Retention, Schema, SchemaBuilder, Seen, Seq, Storage, TidalDB,
    TidalError, Timestamp, migrate, replay, restore, verify_deep,
};
use tidal_keys::{Tag, parse_key};
use tidal_storage::KeyspaceName;

use crate::fixture::{NOW, ago, id, real_data};
use crate::interrupted::Interrupted;

const ITEM: EntityKind = EntityKind::Item;
const USER: EntityKind = EntityKind::User;
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(86_400);

/// Every kind of entity, and one signal type that keeps nothing.
fn schema(half_life: Duration) -> Schema {
    let mut builder = SchemaBuilder::new();
    builder
        .signal("view", ITEM, DecaySpec::Exponential { half_life })
        .history(true)
        .add()
        .signal("greet", USER, DecaySpec::Permanent)
        .history(true)
        .add()
        .signal("skip", ITEM, DecaySpec::Permanent)
        .add();
    builder.build().unwrap()
}

fn on_day(dir: &Path, day: u32) -> Builder {
    let config = Config { data_dir: dir.into(), schema: schema(HOUR) };
    TidalDB::builder(config)
        .clock(Arc::new(ManualClock::new(NOW.saturating_add(DAY * day))))
        .segment_bytes(16 << 10)
}

fn builder(dir: &Path) -> Builder {
    on_day(dir, 0)
}

fn open(dir: &Path) -> TidalDB {
    builder(dir).open().unwrap()
}

fn view(user: u64, item: u64, secs_ago: u64) -> Event<'static> {
    Event::new("view", id(item), 1.0, ago(secs_ago)).by(id(user))
}

fn greet(user: u64, other: u64) -> Event<'static> {
    Event::new("greet", id(other), 2.0, ago(9)).by(id(user))
}

/// The items and users of a user's history, newest first.
fn seen(db: &TidalDB, signal: &str, user: u64) -> Vec<u64> {
    let seen = db.history(signal, id(user), 99).unwrap();
    seen.iter().map(|seen| seen.id.get()).collect()
}

/// Users 1, 2 and 3 view items 1 to 9 and greet each other.
fn feed(db: &TidalDB) {
    for round in 0..30 {
        let user = 1 + round % 3;
        let view = view(user, 1 + round % 9, 4000 - round * 100);
        db.signals(&[view, greet(user, 1 + round / 3 % 3)]).unwrap();
    }
}

/// G100: each entity once, the newest first, with this user's score; what others did, what
/// nobody did and what is not kept is in none.
#[test]
fn a_history_has_what_its_user_did() {
    let dir = tempfile::tempdir().unwrap();
    let db = open(dir.path());
    let late = Event::new("view", id(7), 4.0, ago(7200)).by(id(1));
    let nobody = Event::new("view", id(9), 1.0, ago(5));
    let not_kept = Event::new("skip", id(9), 1.0, ago(5)).by(id(1));
    db.signals(&[view(1, 7, 0), view(1, 8, 0), late, view(2, 9, 3), nobody, not_kept]).unwrap();
    let expected = |checked: &TidalDB| {
        let history = checked.history("view", id(1), 9).unwrap();
        let seven = Seen { id: id(7), score: 2.0, newest: NOW };
        let eight = Seen { id: id(8), score: 1.0, newest: NOW };
        assert_eq!(history, [seven, eight]);
        let later = NOW.saturating_add(HOUR);
        assert_eq!(checked.history_at("view", id(1), 1, later).unwrap()[0].score, 1.0);
        assert_eq!(checked.history("view", id(5), 9).unwrap(), []);
        assert_eq!(checked.history("greet", id(1), 9).unwrap(), []);
        assert!(checked.has_seen("view", id(2), id(9)).unwrap());
        assert!(!checked.has_seen("view", id(1), id(9)).unwrap());
        assert!(!checked.has_seen("greet", id(2), id(9)).unwrap());
    };
    expected(&db);
    let error = db.history_at("view", id(1), 9, ago(1)).unwrap_err();
    assert!(matches!(error, TidalError::BeforeNewest { .. }), "{error}");
    let error = db.has_seen("skip", id(1), id(9)).unwrap_err();
    assert!(matches!(error, TidalError::Query(QueryError::NotKept { .. })), "{error}");
    assert_eq!(error.kind(), ErrorKind::Input);
    assert_eq!(db.history("sip", id(1), 9).unwrap_err().kind(), ErrorKind::Input);
    // From the log, from storage, and from both.
    drop(db);
    let db = open(dir.path());
    expected(&db);
    db.shutdown().unwrap();
    let db = open(dir.path());
    expected(&db);
    db.signals(&[view(1, 9, 0)]).unwrap();
    assert_eq!(seen(&db, "view", 1), [7, 8, 9]);
    db.shutdown().unwrap();
    let error = db.has_seen("view", id(1), id(9)).unwrap_err();
    assert!(matches!(error, TidalError::Closed), "{error}");
}

/// G100: what is sent again counts once.
#[test]
fn repeats_are_not_done_twice() {
    let dir = tempfile::tempdir().unwrap();
    let producer = Producer { id: ProducerId::from_bytes([7; 16]), epoch: 0, seq: 1 };
    let sent = view(1, 5, 0).from_producer(producer);
    let keyed = view(1, 5, 0).key(DedupKey::Client([1; 16]));
    let repeats = [Outcome::Duplicate { seq: None }, Outcome::Duplicate { seq: Some(Seq::new(3)) }];
    for round in 0..3 {
        let db = builder(dir.path()).dedup(DedupOptions::default()).open().unwrap();
        let outcomes = db.signals(&[sent, keyed]).unwrap().outcomes;
        assert_eq!(outcomes == repeats, round > 0, "{outcomes:?}");
        assert_eq!(db.history("view", id(1), 9).unwrap()[0].score, 2.0);
        if round == 1 {
            db.shutdown().unwrap();
        }
    }
}

/// How many entities the rows in a storage have, by user and signal type.
fn rows(storage: &dyn Storage) -> BTreeMap<(u64, u8), usize> {
    let snapshot = storage.snapshot().unwrap();
    let entries = snapshot.scan_prefix(KeyspaceName::from(USER), &[]).unwrap();
    let mut rows = BTreeMap::new();
    for entry in entries {
        let (key, value) = entry.unwrap();
        let key = parse_key(&key).unwrap();
        if key.tag == Tag::Rel {
            // The number of entries, see history/codec.rs; all numbers here are small.
            let count = value[2..].iter().skip_while(|byte| **byte >= 0x80).nth(9).unwrap();
            rows.insert((key.id.get(), key.suffix[1]), usize::from(*count));
        }
    }
    rows
}

/// G80, G101: a forgotten entity is in no history, and a forgotten user has none, at once
/// and after reopening; their checksum is that of a database that never knew better.
#[test]
fn what_was_forgotten_is_in_no_history() {
    for checkpoint_before in [false, true] {
        let dir = tempfile::tempdir().unwrap();
        let db = open(dir.path());
        feed(&db);
        if checkpoint_before {
            db.checkpoint().unwrap();
        }
        let is_kept = |db: &TidalDB| {
            let kept = db.has_seen("view", id(2), id(5)).unwrap();
            (kept, db.has_seen("greet", id(2), id(3)).unwrap(), seen(db, "view", 3).len())
        };
        assert_eq!(is_kept(&db), (true, true, 3));
        db.forget(ITEM, id(5)).unwrap();
        db.forget(USER, id(3)).unwrap();
        assert_eq!(is_kept(&db), (false, false, 0));
        assert_eq!(seen(&db, "view", 2), [2, 8]);
        let checksum = db.checksum().unwrap();
        drop(db);
        for _ in 0..2 {
            let db = open(dir.path());
            assert_eq!((db.checksum().unwrap(), is_kept(&db)), (checksum, (false, false, 0)));
            db.shutdown().unwrap();
        }
    }
}

/// G82, G101: a purge takes it out of storage, whether or not there is anything else to
/// write, at whatever commit it is cut short; and whoever makes the state again comes to
/// the same.
#[test]
fn a_purge_takes_what_was_forgotten_out_of_the_rows() {
    let mut failures = 0;
    for commits in 0.. {
        let dir = tempfile::tempdir().unwrap();
        let memory = Arc::new(MemoryStorage::new());
        let open = |storage| builder(dir.path()).storage(storage).open().unwrap();
        let db = open(Interrupted::never(&memory));
        feed(&db);
        db.forget(ITEM, id(5)).unwrap();
        db.forget(USER, id(3)).unwrap();
        let checksum = db.checksum().unwrap();
        db.shutdown().unwrap();
        drop(db);
        // User 2 viewed items 2, 5 and 8, which are in storage as they were written.
        assert_eq!(
            rows(&*memory),
            BTreeMap::from([((1, 0), 3), ((2, 0), 3), ((1, 1), 3), ((2, 1), 3)])
        );
        let db = open(Interrupted::after(&memory, commits));
        let purged = db.purge_forgotten();
        failures += u64::from(purged.is_err());
        assert_eq!(db.checksum().unwrap(), checksum);
        drop(db);
        let db = open(Interrupted::never(&memory));
        assert_eq!(db.checksum().unwrap(), checksum, "after {commits} commits");
        assert!(db.purge_forgotten().unwrap().is_complete);
        assert_eq!(
            rows(&*memory),
            BTreeMap::from([((1, 0), 3), ((2, 0), 2), ((1, 1), 2), ((2, 1), 2)])
        );
        assert_eq!(seen(&db, "view", 2), [2, 8]);
        db.shutdown().unwrap();
        // From what is left of the log.
        let db = open(Interrupted::never(&Arc::new(MemoryStorage::new())));
        assert_eq!(db.checksum().unwrap(), checksum);
        if purged.is_ok() {
            break;
        }
    }
    assert!(failures >= 2, "only {failures} purges were cut short");
}

fn deep(dir: &Path) -> tidal_db::DeepState {
    let scratch = tempfile::tempdir().unwrap();
    verify_deep(dir, &DeepOptions::new(scratch.path().join("work"))).unwrap().state.unwrap()
}

/// G82, G101: the base of a log that was cut by age loses it too, and goes on to the same
/// state.
#[test]
fn a_purge_takes_what_was_forgotten_out_of_the_base() {
    let dir = tempfile::tempdir().unwrap();
    for day in 0..9 {
        let db = on_day(dir.path(), day).retain(Retention::For(DAY * 3)).open().unwrap();
        for number in 0..12_u64 {
            let index = u64::from(day) * 12 + number;
            let view =
                Event { timestamp: NOW.saturating_add(DAY * day), ..view(index % 4, index % 9, 0) };
            let batch = Batch::new().event(view).write_item(id(index % 9), vec![b'm'; 900]);
            db.commit(batch).unwrap();
        }
        db.shutdown().unwrap();
    }
    let in_base = || {
        let storage = FjallStorage::open(dir.path().join("base")).unwrap();
        let rows = rows(&storage);
        storage.close().unwrap();
        rows
    };
    assert_eq!(in_base(), (0..4).map(|user| ((user, 0), 9)).collect());
    let db = on_day(dir.path(), 9).open().unwrap();
    db.forget(ITEM, id(5)).unwrap();
    db.forget(USER, id(3)).unwrap();
    let checksum = db.checksum().unwrap();
    assert!(db.purge_forgotten().unwrap().is_complete);
    assert_eq!(db.checksum().unwrap(), checksum);
    db.shutdown().unwrap();
    assert_eq!(in_base(), (0..3).map(|user| ((user, 0), 8)).collect());
    let state = deep(dir.path());
    assert!(state.ok() && state.from > Seq::FIRST);
    assert_eq!(state.recomputed, checksum);
}

/// G76, G102: what is stored is compared with what the log comes to, and named.
#[test]
fn a_history_that_differs_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let db = open(dir.path());
    feed(&db);
    let checksum = db.checksum().unwrap();
    db.shutdown().unwrap();
    assert_eq!(deep(dir.path()).stored, Some(checksum));
    let storage = FjallStorage::open(dir.path().join("storage")).unwrap();
    let users = storage.backend(USER);
    let place = |user: u64| tidal_keys::encode_key(id(user), Tag::Rel, &[0, 0]).unwrap();
    let second = users.get(&place(2)).unwrap().unwrap();
    users.put(&place(1), &second).unwrap();
    users.delete(&place(3)).unwrap();
    storage.flush_all().unwrap();
    storage.close().unwrap();
    drop(storage);
    let differences = deep(dir.path()).differences;
    let told: Vec<_> = differences.first.iter().map(|one| one.what.clone()).collect();
    let expected = [1, 3].map(|user| Differing::History("view".into(), id(user)));
    assert_eq!(told, expected);
    assert_eq!(told[0].to_string(), "history view of user 1");
    let third = &differences.first[1];
    assert!(third.recomputed.as_ref().is_some_and(|told| told.starts_with("3 entities")));
    assert_eq!(third.stored, None);
}

/// G77, G78, G100: under its own schema on every engine, from a backup and in a copy, a
/// database has its histories; under another half-life, those of a database with that.
#[test]
fn a_history_is_made_again_of_its_events() {
    let dir = tempfile::tempdir().unwrap();
    let source = dir.path().join("source");
    let db = open(&source);
    feed(&db);
    let checksum = db.checksum().unwrap();
    let expected = db.history("view", id(1), 9).unwrap();
    assert_eq!(expected.len(), 3);
    db.backup(dir.path().join("backup")).unwrap();
    db.shutdown().unwrap();
    for &engine in Engine::ALL {
        let path = |what: &str| dir.path().join(format!("{what}-{}", engine.name()));
        assert_eq!(
            replay(&source, path("replayed"), &schema(HOUR), engine).unwrap().checksum,
            checksum
        );
        restore(dir.path().join("backup"), path("restored"), engine).unwrap();
        migrate(&source, path("copied"), engine).unwrap();
        for what in ["replayed", "restored", "copied"] {
            let db = open(&path(what));
            assert_eq!(db.checksum().unwrap(), checksum, "{what} {engine:?}");
            assert_eq!(db.history("view", id(1), 9).unwrap(), expected, "{what} {engine:?}");
            db.shutdown().unwrap();
        }
    }
    let slower = TidalDB::in_memory(schema(HOUR * 9)).unwrap();
    feed(&slower);
    let made =
        replay(&source, dir.path().join("slower"), &schema(HOUR * 9), Engine::Fjall).unwrap();
    assert_eq!(made.checksum, slower.checksum().unwrap());
    assert_ne!(made.checksum, checksum);
}

/// G100: what each user answered or commented on, against sums made of the file. The
/// busiest is compared entity by entity, at two times.
#[test]
fn sx_mathoverflow_histories_equal_the_definitions() {
    let mut rows = Vec::new();
    for signal in ["a2q", "c2q"] {
        let Some(path) = real_data(&format!("sx-mathoverflow/sx-mathoverflow-{signal}.txt.gz"))
        else {
            return;
        };
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(b' ')
            .has_headers(false)
            .from_reader(GzDecoder::new(File::open(path).unwrap()));
        for record in reader.records() {
            let record = record.unwrap();
            let number = |field: usize| record[field].parse::<u64>().unwrap();
            rows.push((signal, number(0), number(1), Timestamp::from_secs(number(2))));
        }
    }
    let half_life = DAY * 30;
    let mut builder = SchemaBuilder::new();
    for (name, decay) in
        [("a2q", DecaySpec::Exponential { half_life }), ("c2q", DecaySpec::Permanent)]
    {
        builder.signal(name, ITEM, decay).history(true).add();
    }
    let schema = builder.build().unwrap();
    let newest = rows.iter().map(|row| row.3).max().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let open = || {
        let config = Config { data_dir: dir.path().into(), schema: schema.clone() };
        let clock = Arc::new(ManualClock::new(newest));
        TidalDB::builder(config).clock(clock).checkpoint_every(100_000).open().unwrap()
    };
    let db = open();
    for chunk in rows.chunks(10_000) {
        let events = chunk
            .iter()
            .map(|&(signal, from, to, at)| Event::new(signal, id(to), 1.0, at).by(id(from)));
        db.commit(events.fold(Batch::new(), Batch::event)).unwrap();
    }
    let checksum = db.checksum().unwrap();
    db.shutdown().unwrap();
    let db = open();
    assert_eq!(db.checksum().unwrap(), checksum);
    let mut expected: BTreeMap<(&str, u64), BTreeMap<u64, Vec<Timestamp>>> = BTreeMap::new();
    for &(signal, from, to, at) in &rows {
        expected.entry((signal, from)).or_default().entry(to).or_default().push(at);
    }
    for at in [newest, newest.saturating_add(DAY * 30)] {
        for (&(signal, user), acts) in &expected {
            let history = db.history_at(signal, id(user), usize::MAX, at).unwrap();
            assert_eq!(history.len(), acts.len(), "{signal} of {user}");
            for Seen { id, score, newest } in history {
                let times = &acts[&id.get()];
                assert_eq!(Some(&newest), times.iter().max());
                let left = |time: &Timestamp| match signal {
                    "a2q" => {
                        let age = (at.as_nanos() - time.as_nanos()) as f64;
                        libm::exp2(-age / half_life.as_nanos() as f64)
                    }
                    _ => 1.0,
                };
                let expected: f64 = times.iter().map(left).sum();
                assert!((score - expected).abs() <= 1e-9 * expected, "{score} {expected}");
            }
        }
    }
    let entries: usize = expected.values().map(BTreeMap::len).sum();
    let storage = {
        db.shutdown().unwrap();
        FjallStorage::open(dir.path().join("storage")).unwrap()
    };
    let snapshot = storage.snapshot().unwrap();
    let stored = snapshot.scan_prefix(KeyspaceName::from(USER), &[]).unwrap();
    let sizes: Vec<usize> = stored
        .map(Result::unwrap)
        .filter(|(key, _)| parse_key(key).unwrap().tag == Tag::Rel)
        .map(|(_, value)| value.len())
        .collect();
    assert_eq!(sizes.len(), expected.len());
    let bytes: usize = sizes.iter().sum();
    println!("{} rows, {entries} entities, {bytes} bytes", sizes.len());
    assert!(bytes < entries * 22 + sizes.len() * 32, "the bytes that the layout states");
}

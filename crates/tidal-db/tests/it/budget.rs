//! Databases that have less memory than cells.

use std::fs::File;
use std::io::Read as _;
use std::time::Duration;

use flate2::read::GzDecoder;
use tidal_db::{
    Batch, By, Config, DecaySpec, EntityKind, Event, SchemaBuilder, Seq, TidalDB, Timestamp, Window,
};

use crate::fixture::{ago, builder, id, real_data};

const ENTITIES: u64 = 60_000;

/// Events of many entities, a few of which have most of them.
fn write(db: &TidalDB) {
    for round in 0..60_u64 {
        let events = (0..2000_u64).map(|index| {
            let hash = (round * 2000 + index).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
            let entity = if index % 4 == 0 { hash % 100 } else { hash % ENTITIES };
            Event::new("view", id(entity), 1.0, ago(hash % 1_000_000))
        });
        db.commit(events.collect::<Batch<'_>>()).unwrap();
    }
}

/// G86: a tenth of the memory, the same answers, to the checksum; also after opening
/// again, which loads nothing.
#[test]
fn a_budget_changes_no_answer() {
    let (whole_dir, small_dir) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let open = |small: bool| {
        let dir = if small { &small_dir } else { &whole_dir };
        let builder = builder(dir.path()).checkpoint_interval(Duration::MAX);
        if small {
            builder.memory_budget(1_500_000).open().unwrap()
        } else {
            builder.open().unwrap()
        }
    };
    let (whole, small) = (open(false), open(true));
    write(&whole);
    write(&small);
    let stats = small.stats().unwrap();
    assert!(stats.resident.evictions > 0 && stats.resident.loads > 0, "{stats:?}");
    assert!(stats.resident.cells < stats.cells, "{stats:?}");
    let check = |small: &TidalDB| {
        assert_eq!(small.checksum().unwrap(), whole.checksum().unwrap());
        let (seen, expected) = (small.stats().unwrap(), whole.stats().unwrap());
        assert_eq!((seen.cells, seen.entities), (expected.cells, expected.entities));
        let kind = EntityKind::Item;
        assert_eq!(small.entities(kind).unwrap(), whole.entities(kind).unwrap());
        let by = By::Count(Window::SevenDays);
        assert_eq!(small.top("view", by, 50).unwrap(), whole.top("view", by, 50).unwrap());
        for entity in (0..ENTITIES).step_by(7) {
            let score = |db: &TidalDB| db.decay_score("view", id(entity)).unwrap().to_bits();
            assert_eq!(score(small), score(&whole), "{entity}");
        }
    };
    check(&small);
    small.shutdown().unwrap();
    let small = open(true);
    assert_eq!(small.stats().unwrap().resident.cells, 0);
    check(&small);
    assert!(small.stats().unwrap().resident.bytes < 1_500_000 * 5 / 4);
}

/// What happened to whom, and when, in the order of time.
struct Row {
    signal: &'static str,
    target: u64,
    source: u64,
    secs: u64,
}

/// The answers and comments of a site, or `None` where they are not there.
fn mathoverflow() -> Option<Vec<Row>> {
    let mut rows = Vec::new();
    for (signal, file) in [("answer", "a2q"), ("comment", "c2q"), ("reply", "c2a")] {
        let path = real_data(&format!("sx-mathoverflow/sx-mathoverflow-{file}.txt.gz"))?;
        let mut text = String::new();
        GzDecoder::new(File::open(path).unwrap()).read_to_string(&mut text).unwrap();
        rows.extend(text.lines().map(|line| {
            let mut numbers = line.split_whitespace().map(|number| number.parse::<u64>().unwrap());
            let mut next = || numbers.next().unwrap();
            let (source, target, secs) = (next(), next(), next());
            Row { signal, target, source, secs }
        }));
    }
    rows.sort_by_key(|row| row.secs);
    Some(rows)
}

/// G86: with a tenth of the memory, the state of every event of the site is the same to the
/// bit, as it was fed and after opening again.
#[test]
fn mathoverflow_with_a_tenth_of_the_memory_is_the_same() {
    let Some(rows) = mathoverflow() else { return };
    let mut schema = SchemaBuilder::new();
    let half_life = Duration::from_secs(7 * 24 * 3600);
    for signal in ["answer", "comment", "reply"] {
        let decay = DecaySpec::Exponential { half_life };
        schema.signal(signal, EntityKind::User, decay).windows(&Window::ALL).sums(true).add();
    }
    let schema = schema.build().unwrap();
    let feed = |db: &TidalDB| {
        for rows in rows.chunks(1000) {
            let events = rows.iter().map(|row| {
                let time = Timestamp::from_secs(row.secs);
                Event::new(row.signal, id(row.target), 1.0, time).by(id(row.source))
            });
            db.commit(events.collect::<Batch<'_>>()).unwrap();
        }
    };
    let whole = TidalDB::in_memory(schema.clone()).unwrap();
    feed(&whole);
    let budget = whole.stats().unwrap().resident.bytes / 10;
    let dir = tempfile::tempdir().unwrap();
    let open = || {
        let config = Config { data_dir: dir.path().into(), schema: schema.clone() };
        TidalDB::builder(config).memory_budget(budget).open().unwrap()
    };
    let small = open();
    feed(&small);
    assert_eq!(small.checksum().unwrap(), whole.checksum().unwrap());
    let resident = small.stats().unwrap().resident;
    println!("{} bytes for {} cells: {resident:?}", budget, whole.stats().unwrap().cells);
    assert!(resident.evictions > 0 && resident.loads > 0, "{resident:?}");
    small.shutdown().unwrap();
    let small = open();
    assert_eq!(small.checksum().unwrap(), whole.checksum().unwrap());
}

/// G86: opening that replays it all keeps to the budget too, since it writes cells to
/// storage on its way.
#[test]
fn replay_keeps_to_the_budget() {
    const BUDGET: u64 = 1_500_000;
    let dir = tempfile::tempdir().unwrap();
    let whole = builder(dir.path()).checkpoint_interval(Duration::MAX).open().unwrap();
    write(&whole);
    let (checksum, cells) = (whole.checksum().unwrap(), whole.stats().unwrap().cells);
    // Without a shutdown, so that no checkpoint has anything.
    drop(whole);
    let small = builder(dir.path())
        .checkpoint_interval(Duration::MAX)
        .memory_budget(BUDGET)
        .open()
        .unwrap();
    let stats = small.stats().unwrap();
    assert!(stats.resident.evictions > 0, "{stats:?}");
    assert!(stats.resident.bytes < BUDGET * 5 / 4, "{stats:?}");
    assert_eq!((stats.checkpointed, stats.cells), (Seq::ZERO, cells));
    assert_eq!(small.checksum().unwrap(), checksum);
}

/// With less memory than one commit needs, commits wait for write-back and go on.
#[test]
fn a_tiny_budget_holds_nobody_up() {
    for budget in [0, 200_000] {
        let dir = tempfile::tempdir().unwrap();
        let db = builder(dir.path())
            .checkpoint_interval(Duration::MAX)
            .memory_budget(budget)
            .open()
            .unwrap();
        write(&db);
        let stats = db.stats().unwrap();
        assert_eq!(stats.records, 120_000 + 1, "{stats:?}");
        assert!(stats.resident.evictions > 0, "{stats:?}");
        db.shutdown().unwrap();
    }
}

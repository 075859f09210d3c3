//! From an event to an answer: schema, log, sync, ledger.

use std::collections::VecDeque;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use tidal_benches::{Stream, schema};
use tidal_db::{Batch, Config, Event, TidalDB};

const EVENTS: usize = 200_000;
const BATCH: usize = 1000;
const IN_FLIGHT: usize = 8;

fn open() -> (tempfile::TempDir, TidalDB) {
    let dir = tempfile::tempdir().expect("a temporary directory can be made");
    let schema = schema().expect("the schema is sound");
    let config = Config { data_dir: dir.path().into(), schema };
    let db = TidalDB::open(config).expect("a new database opens");
    (dir, db)
}

fn ingest(db: &TidalDB, events: &[Event<'static>]) {
    let mut in_flight = VecDeque::new();
    for chunk in events.chunks(BATCH) {
        let batch: Batch<'_> = chunk.iter().copied().collect();
        in_flight.push_back(db.submit(batch).expect("the database takes events"));
        if in_flight.len() > IN_FLIGHT {
            let ticket = in_flight.pop_front().expect("there are several");
            ticket.wait().expect("the database is sound");
        }
    }
    for ticket in in_flight {
        ticket.wait().expect("the database is sound");
    }
}

fn durable(criterion: &mut Criterion) {
    let events: Vec<_> = Stream::new(100_000).take(EVENTS).collect();
    let mut group = criterion.benchmark_group("durable ingest");
    group.sample_size(10).throughput(Throughput::Elements(EVENTS as u64));
    group.bench_function("200,000 events, batches of 1000, 8 in flight", |bencher| {
        bencher.iter_batched(
            open,
            |(dir, db)| {
                ingest(&db, &events);
                (dir, db)
            },
            BatchSize::PerIteration,
        );
    });
    group.finish();
}

fn single(criterion: &mut Criterion) {
    let (_dir, db) = open();
    let mut stream = Stream::new(100_000);
    criterion.bench_function("one durable signal", |bencher| {
        bencher.iter(|| {
            let event = stream.next().expect("the stream has no end");
            db.signals(&[event]).expect("the database is sound")
        });
    });
}

criterion_group!(benches, durable, single);
criterion_main!(benches);

//! Folding events into cells, and reading them.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use tidal_benches::{Stream, schema};
use tidal_db::{
    AcceptedEvent, By, DecaySpec, EntityId, EntityKind, Event, Schema, SchemaBuilder, Seq,
    SignalLedger, Timestamp, Window,
};

const EVENTS: usize = 100_000;
const ENTITIES: u64 = 10_000;

fn accepted() -> (Arc<tidal_db::Schema>, Vec<AcceptedEvent>) {
    let schema = Arc::new(schema().expect("the schema is sound"));
    let events = Stream::new(ENTITIES)
        .take(EVENTS)
        .map(|event| schema.accept(&event).expect("the events are sound"))
        .collect();
    (schema, events)
}

fn fill(ledger: &SignalLedger, events: &[AcceptedEvent]) {
    let mut seq = Seq::FIRST;
    for event in events {
        ledger.apply(seq, event).expect("every cell is in memory");
        seq = seq.next();
    }
}

const RUN: usize = 1_000_000;

/// A long run over many cells, as replay has it.
fn run(criterion: &mut Criterion) {
    let schema = Arc::new(schema().expect("the schema is sound"));
    let accept = |event| schema.accept(&event).expect("the events are sound");
    let seqs = (1..).map(Seq::new);
    let run: Vec<_> = seqs.zip(Stream::new(100_000).take(RUN).map(accept)).collect();
    let mut group = criterion.benchmark_group("run of 1,000,000 events to 100,000 cells");
    group.sample_size(10).throughput(Throughput::Elements(RUN as u64));
    group.bench_function("one by one", |bencher| {
        bencher.iter_batched_ref(
            || SignalLedger::new(Arc::clone(&schema)),
            |ledger| {
                for (seq, event) in &run {
                    ledger.apply(*seq, event).expect("every cell is in memory");
                }
            },
            BatchSize::PerIteration,
        );
    });
    group.bench_function("at once", |bencher| {
        bencher.iter_batched_ref(
            || SignalLedger::new(Arc::clone(&schema)),
            |ledger| ledger.apply_all(&run).expect("every cell is in memory"),
            BatchSize::PerIteration,
        );
    });
    group.finish();
}

fn apply(criterion: &mut Criterion) {
    let (schema, events) = accepted();
    let mut group = criterion.benchmark_group("apply");
    group.throughput(Throughput::Elements(EVENTS as u64));
    group.bench_function("100,000 events to 10,000 cells", |bencher| {
        bencher.iter_batched_ref(
            || SignalLedger::new(Arc::clone(&schema)),
            |ledger| fill(ledger, &events),
            BatchSize::LargeInput,
        );
    });
    group.finish();
}

fn read(criterion: &mut Criterion) {
    let (schema, events) = accepted();
    let ledger = SignalLedger::new(Arc::clone(&schema));
    fill(&ledger, &events);
    let signal = schema.signal("view").expect("it is declared");
    let at = ledger.newest_event().unwrap_or(Timestamp::MAX);
    let mut index = 0;
    let mut next = || {
        // Jumps about, so that the cells are not simply those of the last read.
        index = (index + 7919) % ENTITIES;
        EntityId::new(index)
    };
    criterion.bench_function("score of one entity", |bencher| {
        bencher.iter(|| black_box(ledger.score(signal, next(), at)));
    });
    for window in [Window::TwentyFourHours, Window::AllTime] {
        criterion.bench_function(&format!("count over {window} of one entity"), |bencher| {
            bencher.iter(|| black_box(ledger.count(signal, next(), window, at)));
        });
    }
    criterion.bench_function("top 100 of 10,000 by a scan", |bencher| {
        bencher.iter(|| black_box(ledger.top(signal, By::Score, 100, at)));
    });
}

const HALF_MONTH: Duration = Duration::from_secs(15 * 24 * 3600);

/// How many events are folded at a time.
const FOLDED: u64 = 200;

/// The schemas of the largest cells: all four windows and the count of all time.
fn busy_schemas() -> [(&'static str, Arc<Schema>); 3] {
    let month = HALF_MONTH * 2;
    let schema = |decay, sums| {
        let mut builder = SchemaBuilder::new();
        let view = builder.signal("view", EntityKind::Item, decay);
        view.windows(&Window::ALL).velocity(true).sums(sums).add();
        Arc::new(builder.build().expect("the schema is sound"))
    };
    [
        ("exponential", schema(DecaySpec::Exponential { half_life: HALF_MONTH }, false)),
        ("exponential, sums", schema(DecaySpec::Exponential { half_life: HALF_MONTH }, true)),
        ("linear, sums", schema(DecaySpec::Linear { lifetime: month }, true)),
    ]
}

/// An event of an entity at a time, so many seconds after the first.
fn accepted_at(schema: &Schema, id: u64, secs: u64) -> AcceptedEvent {
    let at = tidal_benches::START.saturating_add(Duration::from_secs(secs));
    let event = Event::new("view", EntityId::new(id), 1.5, at);
    schema.accept(&event).expect("the event is sound")
}

/// So many cells in which every bucket is in use, and the seq behind the last event.
fn busy_ledger(schema: &Arc<Schema>, cells: u64) -> (SignalLedger, Seq) {
    let ledger = SignalLedger::new(Arc::clone(schema));
    let mut seq = Seq::FIRST;
    // Once an hour for a month, and then every half minute for two days.
    let hours = (0..720).map(|hour| hour * 3600);
    for secs in hours.chain((0..5760).map(|half| 720 * 3600 + half * 30)) {
        for id in 0..cells {
            ledger.apply(seq, &accepted_at(schema, id, secs)).expect("every cell is in memory");
            seq = seq.next();
        }
    }
    (ledger, seq)
}

/// Reads and folds of busy cells: one, which stays in the cache, and 200, which the
/// first level of it does not hold.
fn busy(criterion: &mut Criterion) {
    for (name, schema) in busy_schemas() {
        for cells in [1, 200] {
            let mut group = criterion.benchmark_group(format!("{cells} busy, {name}"));
            let (ledger, mut seq) = busy_ledger(&schema, cells);
            let signal = schema.signal("view").expect("it is declared");
            let newest = ledger.newest_event().unwrap_or(Timestamp::MAX);
            let half_later = newest.saturating_add(HALF_MONTH);
            let mut id = 0;
            let mut next = || {
                id = (id + 7919) % cells;
                EntityId::new(id)
            };
            group.bench_function("score", |bencher| {
                bencher.iter(|| black_box(ledger.score(signal, next(), newest)));
            });
            group.bench_function("score half a lifetime later", |bencher| {
                bencher.iter(|| black_box(ledger.score(signal, next(), half_later)));
            });
            group.bench_function("count over 7d", |bencher| {
                bencher.iter(|| black_box(ledger.count(signal, next(), Window::SevenDays, newest)));
            });
            group.bench_function("count over 30d half of it later", |bencher| {
                bencher.iter(|| {
                    black_box(ledger.count(signal, next(), Window::ThirtyDays, half_later))
                });
            });
            group.bench_function("velocity over 1h", |bencher| {
                bencher
                    .iter(|| black_box(ledger.velocity(signal, next(), Window::OneHour, newest)));
            });
            let mut secs = 722 * 3600;
            group.throughput(Throughput::Elements(FOLDED));
            for (what, step) in [("a second", 1), ("a minute", 60), ("an hour", 3600)] {
                group.bench_function(format!("200 events, each {what} later"), |bencher| {
                    let events = || {
                        let of = |index: u64| {
                            let later = secs + (index / cells + 1) * step;
                            accepted_at(&schema, index % cells, later)
                        };
                        let events: Vec<_> = (0..FOLDED).map(of).collect();
                        secs += FOLDED / cells * step;
                        events
                    };
                    let mut fold = |events: &mut Vec<AcceptedEvent>| {
                        for event in events {
                            ledger.apply(seq, event).expect("every cell is in memory");
                            seq = seq.next();
                        }
                    };
                    bencher.iter_batched_ref(events, |events| fold(events), BatchSize::LargeInput);
                });
            }
            group.finish();
        }
    }
}

criterion_group!(benches, apply, run, read, busy);
criterion_main!(benches);

//! Folding events into cells, and reading them.

use std::hint::black_box;
use std::sync::Arc;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use tidal_benches::{Stream, schema};
use tidal_db::{AcceptedEvent, By, EntityId, Seq, SignalLedger, Timestamp, Window};

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

criterion_group!(benches, apply, run, read);
criterion_main!(benches);

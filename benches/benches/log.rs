//! Appending to the log, beside a bare loop that writes and syncs the same bytes;
//! opening it, and reading it. `cargo xtask bench --logs` compares it with other logs.

use std::fs::File;
use std::io::Write as _;
use std::os::unix::fs::FileExt as _;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use tidal_wal::{Batch, Durability, RecordKind, Seq, Wal, WalOptions};

const RECORDS: usize = 1000;
const PAYLOAD: [u8; 32] = [7; 32];
/// What a group of these records takes on disk: a header, three bytes a record, and
/// the padding to 512.
const GROUP_BYTES: usize = (88 + RECORDS * (PAYLOAD.len() + 3)).next_multiple_of(512);
const FILE_BYTES: usize = 64 << 20;
/// How many batches the log holds that is opened and read.
const BATCHES: usize = 1000;

fn batch(records: usize) -> Batch {
    let mut batch = Batch::new();
    for _ in 0..records {
        batch.push(RecordKind(1), &PAYLOAD).expect("a small record fits");
    }
    batch
}

fn append(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("append 1000 x 32 B");
    group.throughput(Throughput::Elements(RECORDS as u64));
    for (name, durability) in [("durable", Durability::Durable), ("written", Durability::Written)] {
        let dir = tempfile::tempdir().expect("a temporary directory can be made");
        let options = WalOptions { durability, ..WalOptions::default() };
        let log = Wal::open(dir.path(), options).expect("a new log opens");
        let batch = batch(RECORDS);
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let ticket = log.append(&batch).expect("the log takes records");
                ticket.wait().expect("the log is sound")
            });
        });
    }
    let mut file = tempfile::tempfile().expect("a temporary file can be made");
    file.write_all(&vec![0; FILE_BYTES]).expect("there is room");
    file.sync_all().expect("the file syncs");
    let bytes = vec![7; GROUP_BYTES];
    let mut offset = 0;
    group.bench_function("bare write and sync", |bencher| {
        bencher.iter(|| {
            write_and_sync(&file, &bytes, offset);
            offset = (offset + GROUP_BYTES as u64) % (FILE_BYTES - GROUP_BYTES) as u64;
        });
    });
    group.finish();
}

fn write_and_sync(file: &File, bytes: &[u8], offset: u64) {
    file.write_all_at(bytes, offset).expect("there is room");
    file.sync_data().expect("the file syncs");
}

fn append_one(criterion: &mut Criterion) {
    let dir = tempfile::tempdir().expect("a temporary directory can be made");
    let log = Wal::open(dir.path(), WalOptions::default()).expect("a new log opens");
    let batch = batch(1);
    criterion.bench_function("append one durable record", |bencher| {
        bencher.iter(|| {
            let ticket = log.append(&batch).expect("the log takes records");
            ticket.wait().expect("the log is sound")
        });
    });
}

fn open_and_read(criterion: &mut Criterion) {
    let dir = tempfile::tempdir().expect("a temporary directory can be made");
    let open = || Wal::open(dir.path(), WalOptions::default()).expect("the log opens");
    let log = open();
    let batch = batch(RECORDS);
    for _ in 0..BATCHES {
        log.append(&batch).expect("the log takes records").wait().expect("the log is sound");
    }
    log.close().expect("the log is sound");
    let mut group = criterion.benchmark_group("1000000 x 32 B");
    group.sample_size(10).throughput(Throughput::Elements((RECORDS * BATCHES) as u64));
    group.bench_function("open", |bencher| bencher.iter_with_large_drop(open));
    let log = open();
    group.bench_function("read", |bencher| {
        bencher.iter(|| read_all(&log));
    });
    group.finish();
}

/// An event as a database has it: a signal, an entity, a time that grows, a weight.
fn event(index: u64) -> [u8; 24] {
    let draw = index.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20;
    let mut payload = [0; 24];
    let fields = [draw % 4, 1 << (draw % 17), 1_700_000_000 + index / 50];
    for (room, field) in payload.chunks_exact_mut(8).zip(fields) {
        room.copy_from_slice(&field.to_le_bytes());
    }
    payload
}

/// The same log, sealed and not.
fn read_sealed(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("1000000 x 24 B");
    group.sample_size(10).throughput(Throughput::Elements((RECORDS * BATCHES) as u64));
    for name in ["read", "read sealed"] {
        let dir = tempfile::tempdir().expect("a temporary directory can be made");
        let log = Wal::open(dir.path(), WalOptions::default()).expect("the log opens");
        for first in (0..(RECORDS * BATCHES) as u64).step_by(RECORDS) {
            let mut batch = Batch::new();
            for index in first..first + RECORDS as u64 {
                batch.push(RecordKind(1), &event(index)).expect("a small record fits");
            }
            log.append(&batch).expect("the log takes records").wait().expect("the log is sound");
        }
        log.rotate().expect("there is room");
        if name == "read sealed" {
            log.seal_before(Seq::new(u64::MAX)).expect("the log is sound");
        }
        group.bench_function(name, |bencher| bencher.iter(|| read_all(&log)));
    }
    group.finish();
}

fn read_all(log: &Wal) {
    let mut reader = log.reader(Seq::FIRST);
    let mut records = 0;
    while reader.next_record().expect("the log is sound").is_some() {
        records += 1;
    }
    assert_eq!(records, RECORDS * BATCHES);
}

criterion_group!(benches, append, append_one, open_and_read, read_sealed);
criterion_main!(benches);

//! Appending to the log, beside a bare loop that writes and syncs the same bytes.

use std::fs::File;
use std::io::Write as _;
use std::os::unix::fs::FileExt as _;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use tidal_wal::{Batch, Durability, RecordKind, Wal, WalOptions};

const RECORDS: usize = 1000;
const PAYLOAD: [u8; 32] = [7; 32];
/// What a group of these records takes on disk: a header, two bytes a record, and
/// the padding to 512.
const GROUP_BYTES: usize = (88 + RECORDS * (PAYLOAD.len() + 2)).next_multiple_of(512);
const FILE_BYTES: usize = 64 << 20;

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

criterion_group!(benches, append, append_one);
criterion_main!(benches);

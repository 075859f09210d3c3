//! Durable appends: every system in turn, round by round, each round in another order.

use std::path::Path;
use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use tidal_bench_measure::{Result, Samples, Short, Table, complain, now, turns};

use crate::options::Options;
use crate::payloads::Payloads;
use crate::size;
use crate::sync;
use crate::systems::{Log, System};

/// The most threads that append at once.
pub(crate) const WRITERS_MAX: usize = 64;

/// How much longer a sync takes on the slow disk.
const SLOW_SYNC: Duration = Duration::from_millis(2);

/// What is appended, by how many.
struct Workload {
    name: &'static str,
    records: usize,
    writers: usize,
    sync_delay: Duration,
}

const PAYLOAD_BYTES: usize = 32;

const BATCHES: Workload = Workload {
    name: "1,000 records a batch, 1 thread",
    records: 1000,
    writers: 1,
    sync_delay: Duration::ZERO,
};
const ONE: Workload =
    Workload { name: "1 record, 1 thread", records: 1, writers: 1, sync_delay: Duration::ZERO };
const MANY: Workload = Workload {
    name: "1 record, 64 threads",
    records: 1,
    writers: WRITERS_MAX,
    sync_delay: Duration::ZERO,
};
const SLOW_ONE: Workload =
    Workload { name: "1 record, 1 thread, slow disk", sync_delay: SLOW_SYNC, ..ONE };
const SLOW_MANY: Workload =
    Workload { name: "1 record, 64 threads, slow disk", sync_delay: SLOW_SYNC, ..MANY };

/// What one workload came to, for each system in the order of [`systems`].
struct Outcome {
    records: Vec<Samples>,
    syncs: Vec<Samples>,
}

pub(crate) fn measure(dir: &Path, options: &Options) -> Result<Vec<String>> {
    let mut headings = vec!["32-byte records"];
    headings.extend(System::LOGS.map(System::name));
    headings.push("bare loop");
    let mut ratio_headings = headings.clone();
    ratio_headings.retain(|&heading| heading != "tidal-wal");
    ratio_headings.push("best rival");
    let mut records = Table::new(&headings);
    let mut syncs = Table::new(&headings);
    let mut ratios = Table::new(&ratio_headings);
    let mut gains = Vec::new();
    for workloads in [&[BATCHES][..], &[ONE, MANY], &[SLOW_ONE, SLOW_MANY]] {
        let mut one_thread = None;
        for workload in workloads {
            let outcome = run(dir, workload, options)?;
            records.row(&row(workload.name, &outcome.records, |samples| samples.to_string()));
            syncs.row(&row(workload.name, &outcome.syncs, |samples| {
                Short(samples.median()).to_string()
            }));
            ratios.row(&ratio_row(workload, &outcome.records));
            let Some(tidal) = outcome.records.first() else { continue };
            match &one_thread {
                None => one_thread = Some(tidal.median()),
                Some(one) => gains.push(format!(
                    "{}: {} times the rate of one thread.",
                    workload.name,
                    Short(tidal.median() / one)
                )),
            }
        }
    }
    Ok(vec![
        "Durable records a second: the median, and the middle half of the rounds.\n".into(),
        records.finish(),
        "How many times as fast tidal-wal is: the median of the rounds' ratios.\n".into(),
        ratios.finish(),
        gains.join("\n") + "\n",
        "Syncs a second.\n".into(),
        syncs.finish(),
    ])
}

/// The systems that can do it; the bare loop has no threads to share a sync.
fn systems(workload: &Workload, block_bytes: usize) -> Vec<System> {
    let mut systems = System::LOGS.to_vec();
    if workload.writers == 1 {
        systems.push(System::Bare(block_bytes));
    }
    systems
}

fn run(dir: &Path, workload: &Workload, options: &Options) -> Result<Outcome> {
    complain(&format!("appending: {}", workload.name));
    let payloads = Payloads::new(workload.records, PAYLOAD_BYTES);
    let payloads = payloads.as_slices();
    let block_bytes = size::bytes_per_batch(System::Tidal, dir, &payloads)?;
    let systems = systems(workload, block_bytes);
    let homes: Vec<_> =
        systems.iter().map(|_| tempfile::tempdir_in(dir)).collect::<std::io::Result<_>>()?;
    let logs = systems
        .iter()
        .zip(&homes)
        .map(|(system, home)| system.create(home.path()))
        .collect::<Result<Vec<_>>>()?;
    let mut outcome = Outcome {
        records: vec![Samples::default(); logs.len()],
        syncs: vec![Samples::default(); logs.len()],
    };
    sync::slow_down(workload.sync_delay);
    // The first round is for warming up.
    for round in 0..=options.rounds() {
        for index in turns(round, logs.len()) {
            let Some(log) = logs.get(index) else { continue };
            let (records, syncs) = slice(&**log, workload, &payloads, options.slice())?;
            if round > 0 {
                outcome.records.get_mut(index).into_iter().for_each(|s| s.push(records));
                outcome.syncs.get_mut(index).into_iter().for_each(|s| s.push(syncs));
            }
        }
    }
    sync::slow_down(Duration::ZERO);
    logs.into_iter().try_for_each(Log::close)?;
    Ok(outcome)
}

/// Appends for a while; returns records and syncs a second.
fn slice(
    log: &dyn Log,
    workload: &Workload,
    payloads: &[&[u8]],
    length: Duration,
) -> Result<(f64, f64)> {
    let barrier = Barrier::new(workload.writers + 1);
    let (batches, seconds, syncs) = thread::scope(|scope| {
        let writers: Vec<_> = (0..workload.writers)
            .map(|writer| {
                let barrier = &barrier;
                scope.spawn(move || -> Result<u64> {
                    barrier.wait();
                    let started = now();
                    let mut batches = 0;
                    while started.elapsed() < length {
                        log.append(writer, payloads)?;
                        batches += 1;
                    }
                    Ok(batches)
                })
            })
            .collect();
        barrier.wait();
        let (started, syncs) = (now(), sync::count());
        let mut batches = 0;
        for writer in writers {
            batches += writer.join().map_err(|_| "a writer panicked")??;
        }
        Result::Ok((batches, started.elapsed().as_secs_f64(), sync::count() - syncs))
    })?;
    Ok((batches as f64 * workload.records as f64 / seconds, syncs as f64 / seconds))
}

/// A row with one cell for each log and one for the bare loop.
fn row(name: &str, samples: &[Samples], show: impl Fn(&Samples) -> String) -> Vec<String> {
    let mut cells = vec![name.to_owned()];
    cells.extend(samples.iter().map(show));
    cells.resize(System::LOGS.len() + 2, String::new());
    cells
}

fn ratio_row(workload: &Workload, samples: &[Samples]) -> Vec<String> {
    let Some((tidal, others)) = samples.split_first() else { return Vec::new() };
    let ratio = |other: &Samples| Short(tidal.over(other).median()).to_string();
    let mut cells = vec![workload.name.to_owned()];
    cells.extend(others.iter().map(ratio));
    cells.resize(System::LOGS.len() + 1, String::new());
    let rivals = others.iter().take(System::LOGS.len() - 1);
    let best = rivals.max_by(|a, b| a.median().total_cmp(&b.median()));
    cells.push(best.map(ratio).unwrap_or_default());
    cells
}

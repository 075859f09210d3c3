//! Opening a log, and reading it, beside reading the same bytes from the disk.
//!
//! Before each measurement the system's page cache is asked to forget the files, so
//! every byte comes from the disk. What the disk or its host caches it keeps; so it does
//! for all.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use rustix::fs::{Advice, fadvise};
use tempfile::TempDir;
use tidal_bench_measure::{Result, Samples, Short, Table, complain, now};

use crate::options::Options;
use crate::payloads::Payloads;
use crate::systems::System;
use crate::systems::tidal::Tidal;

const RIVALS: [System; 2] = [System::RaftEngine, System::OkayWal];
const READ_BYTES: usize = 1 << 20;

/// What the log holds.
struct Content {
    name: &'static str,
    payload_bytes: usize,
    batch_records: usize,
    batches: usize,
}

const CONTENTS: [Content; 2] = [
    Content {
        name: "10 million records of 32 bytes",
        payload_bytes: 32,
        batch_records: 10_000,
        batches: 1000,
    },
    Content {
        name: "1 GiB in records of 4 KiB",
        payload_bytes: 4096,
        batch_records: 256,
        batches: 1024,
    },
];

/// The seconds that each way took.
#[derive(Default)]
struct Outcome {
    sequential: Samples,
    tidal: Samples,
    rivals: [Samples; RIVALS.len()],
    reader: Samples,
}

pub(crate) fn measure(dir: &Path, options: &Options) -> Result<Vec<String>> {
    let mut table = Table::new(&["", "records a second", "MB a second", "share of the disk"]);
    for content in &CONTENTS {
        let batches = content.batches / options.share();
        complain(&format!("opening: {}", content.name));
        let tidal = written(System::Tidal, dir, content, batches)?;
        let rivals = RIVALS
            .iter()
            .map(|&rival| Ok((rival, written(rival, dir, content, batches)?)))
            .collect::<Result<Vec<_>>>()?;
        let mut outcome = Outcome::default();
        for _ in 0..options.openings() {
            round(&tidal, &rivals, &mut outcome)?;
        }
        let records = (batches * content.batch_records) as f64;
        let bytes = records * content.payload_bytes as f64;
        let file_bytes = files(tidal.path())?.iter().map(|(_, bytes)| *bytes as f64).sum::<f64>();
        let disk = file_bytes / outcome.sequential.median();
        let mut row = |name: String, seconds: &Samples, bytes: f64| {
            let rate = bytes / seconds.median();
            table.row(&[
                name,
                Short(records / seconds.median()).to_string(),
                Short(rate / 1e6).to_string(),
                format!("{:.0} %", 100.0 * rate / disk),
            ]);
        };
        let name = content.name;
        row(
            format!("{name}: the disk, from one end to the other"),
            &outcome.sequential,
            file_bytes,
        );
        row(format!("{name}: tidal-wal opens"), &outcome.tidal, file_bytes);
        row(format!("{name}: tidal-wal reads by a `Reader`"), &outcome.reader, file_bytes);
        for (rival, seconds) in RIVALS.iter().zip(&outcome.rivals) {
            row(format!("{name}: {} opens", rival.name()), seconds, bytes);
        }
    }
    Ok(vec!["Opening and reading, with nothing in the page cache.\n".into(), table.finish()])
}

/// A closed log with that content.
fn written(system: System, dir: &Path, content: &Content, batches: usize) -> Result<TempDir> {
    let home = tempfile::tempdir_in(dir)?;
    let payloads = Payloads::new(content.batch_records, content.payload_bytes);
    let payloads = payloads.as_slices();
    let log = system.create_to_keep(home.path())?;
    for _ in 0..batches {
        log.append(0, &payloads)?;
    }
    log.close()?;
    Ok(home)
}

fn round(tidal: &TempDir, rivals: &[(System, TempDir)], outcome: &mut Outcome) -> Result<()> {
    forget(tidal.path())?;
    let started = now();
    read_sequentially(tidal.path())?;
    outcome.sequential.push(started.elapsed().as_secs_f64());

    forget(tidal.path())?;
    outcome.tidal.push(open(System::Tidal, tidal.path())?);

    for ((rival, home), seconds) in rivals.iter().zip(&mut outcome.rivals) {
        forget(home.path())?;
        seconds.push(open(*rival, home.path())?);
    }

    let log = Tidal::open(tidal.path())?;
    forget(tidal.path())?;
    let started = now();
    log.read_all()?;
    outcome.reader.push(started.elapsed().as_secs_f64());
    Ok(())
}

/// The seconds until the log is open.
fn open(system: System, dir: &Path) -> Result<f64> {
    let started = now();
    let (log, records) = system.open(dir)?;
    let seconds = started.elapsed().as_secs_f64();
    if records == 0 {
        return Err(format!("{} has found no records", system.name()).into());
    }
    log.close()?;
    Ok(seconds)
}

fn read_sequentially(dir: &Path) -> Result<()> {
    let mut buffer = vec![0; READ_BYTES];
    for (path, _) in files(dir)? {
        let mut file = File::open(path)?;
        while file.read(&mut buffer)? > 0 {
            std::hint::black_box(&buffer);
        }
    }
    Ok(())
}

/// Lets the page cache forget the files. Pages that were not written yet cannot be
/// forgotten, so they are first.
fn forget(dir: &Path) -> Result<()> {
    for (path, _) in files(dir)? {
        let file = File::open(path)?;
        file.sync_all()?;
        fadvise(&file, 0, None, Advice::DontNeed)?;
    }
    Ok(())
}

/// The files of a log with their lengths, in the order of their names.
fn files(dir: &Path) -> Result<Vec<(PathBuf, u64)>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            files.push((entry.path(), entry.metadata()?.len()));
        }
    }
    files.sort();
    Ok(files)
}

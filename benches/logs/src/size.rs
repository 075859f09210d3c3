//! How many bytes on disk a record takes, as the files say.

use std::fs;
use std::path::Path;

use tidal_bench_measure::{Result, Short, Table};

use crate::payloads::Payloads;
use crate::systems::System;

const RECORDS: usize = 1000;
const PAYLOAD_BYTES: usize = 24;

/// Two logs of so many batches are compared, so that what every log has once does not
/// count. Both fit into the first segment of each system.
const FEWER_BATCHES: usize = 8;
const MORE_BATCHES: usize = 24;

/// A record never takes a part of a sector.
const SECTOR_BYTES: u64 = 512;

pub(crate) fn measure(dir: &Path) -> Result<String> {
    let payloads = Payloads::new(RECORDS, PAYLOAD_BYTES);
    let payloads = payloads.as_slices();
    let mut headings = vec!["bytes on disk a record"];
    headings.extend(System::LOGS.map(System::name));
    let mut table = Table::new(&headings);
    let mut cells = vec!["24-byte records in batches of 1,000".to_owned()];
    for system in System::LOGS {
        let bytes = bytes_per_batch(system, dir, &payloads)?;
        cells.push(Short(bytes as f64 / RECORDS as f64).to_string());
    }
    table.row(&cells);
    Ok(table.finish())
}

/// What a batch of these records takes in the files, with its header and padding.
pub(crate) fn bytes_per_batch(system: System, dir: &Path, payloads: &[&[u8]]) -> Result<usize> {
    let fewer = bytes_of(system, dir, payloads, FEWER_BATCHES)?;
    let more = bytes_of(system, dir, payloads, MORE_BATCHES)?;
    let batches = (MORE_BATCHES - FEWER_BATCHES) as u64;
    Ok(usize::try_from((more - fewer) / batches)?)
}

fn bytes_of(system: System, dir: &Path, payloads: &[&[u8]], batches: usize) -> Result<u64> {
    let dir = tempfile::tempdir_in(dir)?;
    let log = system.create(dir.path())?;
    for _ in 0..batches {
        log.append(0, payloads)?;
    }
    let bytes = used_bytes(dir.path())?;
    log.close()?;
    Ok(bytes)
}

/// The sectors of all files up to the last byte that is not zero: what lies behind has
/// only been made ahead.
fn used_bytes(dir: &Path) -> Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        bytes += if entry.file_type()?.is_dir() {
            used_bytes(&entry.path())?
        } else {
            let content = fs::read(entry.path())?;
            let used = content.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
            (used as u64).next_multiple_of(SECTOR_BYTES)
        };
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zeros_at_the_end_of_a_file_do_not_count() {
        let dir = tempfile::tempdir().unwrap();
        let mut content = vec![0; 5000];
        content[700] = 1;
        fs::write(dir.path().join("a"), &content).unwrap();
        fs::create_dir(dir.path().join("b")).unwrap();
        fs::write(dir.path().join("b/c"), [1]).unwrap();
        fs::write(dir.path().join("d"), [0; 9]).unwrap();
        assert_eq!(used_bytes(dir.path()).unwrap(), 1024 + 512);
    }

    #[test]
    fn a_group_is_its_header_its_records_and_padding() {
        let dir = tempfile::tempdir().unwrap();
        let bytes = bytes_per_batch(System::Tidal, dir.path(), &[&[7; 32]]).unwrap();
        assert_eq!(bytes, 512);
    }
}

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;

use super::*;
use crate::disk::{Disk, DiskFile, read_all};

const NAME: &str = "file";

fn create(disk: &SimDisk, bytes: u64) -> Arc<dyn DiskFile> {
    disk.create(NAME, bytes).unwrap()
}

/// A file of 4,096 times `a` that is durable, with its name.
fn durable(seed: u64) -> (SimDisk, Arc<dyn DiskFile>) {
    let disk = SimDisk::new(seed);
    let file = create(&disk, 4096);
    file.write_all_at(&[b'a'; 4096], 0).unwrap();
    file.sync().unwrap();
    disk.sync_dir().unwrap();
    (disk, file)
}

#[test]
fn what_was_synced_survives_a_power_cut() {
    for seed in 0..100 {
        let (disk, _) = durable(seed);
        disk.power_cut();
        assert_eq!(disk.cached(NAME).unwrap(), [b'a'; 4096]);
    }
}

#[test]
fn a_power_cut_keeps_any_sectors_and_any_prefix_of_what_was_not_synced() {
    let (mut none, mut all, mut torn, mut within) = (0, 0, 0, 0);
    for seed in 0..400 {
        let (disk, file) = durable(seed);
        file.write_all_at(&[b'b'; 2048], 1024).unwrap();
        disk.power_cut();
        let bytes = disk.cached(NAME).unwrap();
        assert!(bytes[..1024].iter().chain(&bytes[3072..]).all(|&byte| byte == b'a'));
        match bytes.iter().filter(|&&byte| byte == b'b').count() {
            0 => none += 1,
            2048 => all += 1,
            count if count % 512 == 0 => torn += 1,
            _ => within += 1,
        }
    }
    assert!(none > 10 && all > 10 && torn > 10 && within > 10, "{none} {all} {torn} {within}");
}

#[test]
fn a_kill_keeps_what_was_written() {
    let (disk, file) = durable(1);
    file.write_all_at(b"new", 0).unwrap();
    disk.die();
    assert!(file.write_all_at(b"late", 0).is_err());
    disk.kill();
    assert_eq!(&disk.cached(NAME).unwrap()[..4], b"newa");
}

#[test]
fn names_that_were_not_synced_are_lost_or_kept() {
    let mut outcomes = BTreeSet::new();
    for seed in 0..100 {
        let (disk, _) = durable(seed);
        disk.create("other", 0).unwrap();
        disk.rename("other", "renamed").unwrap();
        disk.remove(NAME).unwrap();
        disk.power_cut();
        outcomes.insert(disk.names());
    }
    // With and without each of: the file, and the new one under either name.
    assert_eq!(outcomes.len(), 6, "{outcomes:?}");
}

#[test]
fn a_failed_sync_leaves_clean_pages() {
    let mut old = 0;
    for seed in 0..100 {
        let (disk, file) = durable(seed);
        file.write_all_at(&[b'b'; 512], 0).unwrap();
        disk.arm(0, Fault::Fail);
        assert!(file.sync().is_err());
        assert_eq!(disk.faults(), 1);
        file.sync().unwrap();
        assert_eq!(read_all(&*file).unwrap()[..512], [b'b'; 512]);
        disk.evict();
        old += usize::from(read_all(&*file).unwrap()[..512] != [b'b'; 512]);
    }
    assert!((10..90).contains(&old), "{old}");
}

#[test]
fn a_full_disk_says_so_and_has_room_again() {
    let (disk, _) = durable(1);
    disk.limit_space(6000);
    let error = disk.create("other", 4096).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    disk.remove("other").unwrap();
    disk.create("other", 1000).unwrap();
}

/// R11: what is interrupted or does only a part goes on.
#[test]
fn interrupted_and_short_operations_go_on() {
    for seed in 0..100 {
        let disk = SimDisk::new(seed);
        let file = create(&disk, 4096);
        disk.disturb(2);
        let bytes: Vec<u8> = (0..4096_u32).map(|index| index as u8).collect();
        file.write_all_at(&bytes, 0).unwrap();
        assert_eq!(read_all(&*file).unwrap(), bytes);
        assert!(file.read_exact_at(&mut [0; 10], 4090).is_err());
    }
}

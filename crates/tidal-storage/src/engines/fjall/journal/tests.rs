use std::fs;

use tidal_types::EntityKind;

use super::*;
use crate::{FjallStorage, Storage};

/// Commits so many entries of a kibibyte, whose keys begin with this byte.
fn fill(storage: &FjallStorage, first: u8, entries: u16) {
    let items = storage.backend(EntityKind::Item);
    for entry in 0..entries {
        let [high, low] = entry.to_le_bytes();
        items.put(&[first, high, low], &[first; 1024]).unwrap();
    }
}

fn has(storage: &FjallStorage, first: u8, entries: u16) -> bool {
    let items = storage.backend(EntityKind::Item);
    let found = items.scan_prefix(&[first]).unwrap().collect::<crate::Result<Vec<_>>>().unwrap();
    found.len() == usize::from(entries) && found.iter().all(|(_, value)| *value == [first; 1024])
}

/// The bytes that opening reads: whole batches in all journals.
fn read_at_opening(directory: &Path) -> u64 {
    let journals = journals(directory).unwrap();
    let bytes = journals.into_iter().map(|journal| {
        let mut walk = Walk::over(&path(directory, journal), 0).unwrap();
        while walk.next().unwrap().is_some() {}
        walk.at
    });
    bytes.sum()
}

/// What a process that is killed leaves: a copy of the files while the storage is open.
fn killed(storage: &Path) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    copy_files(storage, copy.path());
    copy
}

fn copy_files(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            fs::create_dir(&target).unwrap();
            copy_files(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[test]
fn opening_reads_what_came_after_the_last_shortening_and_nothing_is_lost() {
    let directory = tempfile::tempdir().unwrap();
    let storage = FjallStorage::open(directory.path()).unwrap();
    fill(&storage, 1, 500);
    storage.shorten_recovery().unwrap();
    fill(&storage, 2, 10);
    assert!(read_at_opening(directory.path()) > 500 * 1024);
    let copy = killed(directory.path());
    drop(storage);
    for directory in [directory.path(), copy.path()] {
        for round in 0..3 {
            let storage = FjallStorage::open(directory).unwrap();
            let read = read_at_opening(directory);
            assert!((10 * 1024..20 * 1024).contains(&read), "{read} bytes in round {round}");
            assert!(has(&storage, 1, 500) && has(&storage, 2, 10));
            assert!(!directory.join(FLOOR).exists());
        }
        // It goes on from there, through shortenings of a journal that was cut before.
        for first in 3..6 {
            let storage = FjallStorage::open(directory).unwrap();
            fill(&storage, first, 100);
            storage.shorten_recovery().unwrap();
            storage.shorten_recovery().unwrap();
        }
        let storage = FjallStorage::open(directory).unwrap();
        assert_eq!(read_at_opening(directory), 0);
        assert!((1..6).all(|first| has(
            &storage,
            first,
            [500, 10, 100, 100, 100][first as usize - 1]
        )));
    }
}

#[test]
fn every_keyspace_is_in_tables_before_anything_is_cut() {
    let directory = tempfile::tempdir().unwrap();
    let storage = FjallStorage::open(directory.path()).unwrap();
    let other = storage.keyspace("other").unwrap();
    other.put(b"few", b"writes").unwrap();
    fill(&storage, 1, 200);
    storage.shorten_recovery().unwrap();
    other.put(b"few", b"more").unwrap();
    drop((storage, other));
    let storage = FjallStorage::open(directory.path()).unwrap();
    assert_eq!(storage.keyspace("other").unwrap().get(b"few").unwrap().unwrap(), b"more");
    assert!(has(&storage, 1, 200) && read_at_opening(directory.path()) < 200);
}

#[test]
fn cutting_that_is_cut_short_loses_nothing_j2() {
    let directory = tempfile::tempdir().unwrap();
    let storage = FjallStorage::open(directory.path()).unwrap();
    fill(&storage, 1, 200);
    storage.shorten_recovery().unwrap();
    fill(&storage, 2, 200);
    drop(storage);
    let floor = Floor::read(directory.path()).unwrap().unwrap();
    let journal = path(Path::new(""), floor.journal);
    let steps: [&dyn Fn(&Path); 3] = [
        &|dir| copy_rest(&dir.join(&journal), floor.offset, &dir.join(UNFINISHED)).unwrap(),
        &|dir| fs::remove_file(dir.join(FLOOR)).unwrap(),
        &|dir| fs::rename(dir.join(UNFINISHED), dir.join(&journal)).unwrap(),
    ];
    for done in 0..=steps.len() {
        let copy = killed(directory.path());
        steps.iter().take(done).for_each(|step| step(copy.path()));
        let storage = FjallStorage::open(copy.path()).unwrap();
        assert!(has(&storage, 1, 200) && has(&storage, 2, 200), "after {done} steps");
    }
}

/// J3: a note of another journal, of a place in the middle of a batch, of the future, or a
/// damaged one cuts nothing.
#[test]
fn nothing_is_cut_where_something_is_not_as_it_was_noted_j3() {
    let directory = tempfile::tempdir().unwrap();
    let storage = FjallStorage::open(directory.path()).unwrap();
    fill(&storage, 1, 200);
    storage.shorten_recovery().unwrap();
    fill(&storage, 2, 200);
    drop(storage);
    let floor = Floor::read(directory.path()).unwrap().unwrap();
    let wrong = [
        Floor { journal: floor.journal + 1, ..floor },
        Floor { offset: floor.offset + 1, ..floor },
        Floor { offset: u64::MAX, ..floor },
        Floor { last_begin: floor.last_begin + 1, ..floor },
        Floor { last_begin: u64::MAX - 1, offset: u64::MAX, ..floor },
        Floor { last_number: floor.last_number + 1, ..floor },
    ];
    let mut notes: Vec<_> = wrong.iter().map(Floor::encode).collect();
    for byte in 0..FLOOR_BYTES {
        let mut changed = floor.encode();
        changed[byte] ^= 1;
        notes.push(changed);
    }
    notes.extend([Vec::new(), floor.encode()[1..].to_vec(), [floor.encode(), vec![0]].concat()]);
    let whole = read_at_opening(directory.path());
    for note in notes {
        fs::write(directory.path().join(FLOOR), &note).unwrap();
        cut(directory.path()).unwrap();
        assert_eq!(read_at_opening(directory.path()), whole, "{note:?}");
    }
    // And the right one does.
    floor.write(directory.path()).unwrap();
    cut(directory.path()).unwrap();
    assert!(read_at_opening(directory.path()) < whole - 200 * 1024);
}

/// R25: a note of version 1 is read for ever.
#[test]
fn the_note_is_what_it_was() {
    let floor = Floor { journal: 1, offset: 0x0203, last_begin: 0x04, last_number: 0x05 };
    let hex: String = floor.encode().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(
        hex,
        "54444a4601010000000000000003020000000000000400000000000000050000000000000006c3e80a4965c961"
    );
    assert_eq!(Floor::decode(&floor.encode()), Some(floor));
}

#[test]
fn what_follows_an_unknown_entry_stays_j4() {
    let directory = tempfile::tempdir().unwrap();
    let (journal, copy) = (path(directory.path(), 0), directory.path().join("copy"));
    let storage = FjallStorage::open(directory.path()).unwrap();
    fill(&storage, 1, 3);
    drop(storage);
    let end = read_at_opening(directory.path());
    let mut bytes = fs::read(&journal).unwrap();
    bytes[end as usize] = 9;
    fs::write(&journal, &bytes).unwrap();
    copy_rest(&journal, 0, &copy).unwrap();
    assert_eq!(fs::read(&copy).unwrap(), bytes);
    bytes[end as usize] = 0;
    fs::write(&journal, &bytes).unwrap();
    copy_rest(&journal, 0, &copy).unwrap();
    assert_eq!(fs::read(&copy).unwrap(), bytes[..end as usize]);
}

//! "G47": a closed database whose files are damaged, then opened and read to the end.
//!
//! Every batch writes an applied position beside its data, as tidalDB does. What is read
//! back is judged by it:
//!
//! | judgement | what was read                                                         |
//! |-----------|-----------------------------------------------------------------------|
//! | refused   | an error, at opening or at reading                                    |
//! | whole     | everything                                                            |
//! | older     | the state as of an earlier batch, and its position says so            |
//! | hole      | something else, without an error: nobody can tell from storage alone  |
//! | died      | nothing: the process that read panicked or was ended by a signal      |
//!
//! Each damaged copy is read by a process of its own, since an engine that maps its file
//! may be ended by a signal.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tidal_storage::{AtomicBatch, Durability, KeyValue, Result, Storage};
use tidal_types::EntityKind;

use crate::kill::opener;

const ENGINE: &str = "TIDAL_TEST_DAMAGED_ENGINE";
const DIR: &str = "TIDAL_TEST_DAMAGED_DIR";
const BATCHES: u64 = 24;
/// Written by the first batch and never again, so that most of a file is in use.
const BASE_KEYS: u64 = 2_000;
/// How many bytes of a file are flipped, one in each copy, and at how many places it is
/// cut; of a file of a few kilobytes, a third of that.
const FLIPS_IN_A_FILE: usize = 24;
const CUTS_OF_A_FILE: usize = 9;
const SMALL_FILE_BYTES: usize = 4_096;

/// What one batch writes: a key of its own, one that all of them set, and the position.
fn batch(number: u64) -> AtomicBatch {
    let mut batch = AtomicBatch::new();
    let value = format!("{number:03}").repeat(30);
    batch.put(EntityKind::Item, format!("item/{number:03}"), value.clone());
    batch.put(EntityKind::User, "newest", value);
    if let Some(old) = number.checked_sub(10) {
        batch.delete(EntityKind::Item, format!("item/{old:03}"));
    }
    if number == 1 {
        for key in 0..BASE_KEYS {
            let value = key.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_le_bytes().repeat(10);
            batch.put(EntityKind::Creator, format!("base/{key:05}"), value);
        }
    }
    batch.put("system", "applied", number.to_le_bytes());
    batch
}

type State = [Vec<KeyValue>; 4];

fn read(storage: &dyn Storage) -> Result<State> {
    let of = |name| storage.keyspace(name)?.scan_prefix(b"")?.collect::<Result<_>>();
    Ok([of("items")?, of("users")?, of("creators")?, of("system")?])
}

/// The state after a batch.
fn state_after(last: u64) -> State {
    let storage = tidal_storage::MemoryStorage::new();
    for number in 1..=last {
        storage.commit(batch(number), Durability::Buffer).unwrap();
    }
    read(&storage).unwrap()
}

fn judge(state: &State) -> &'static str {
    let position = match state[3].first() {
        None => Some(0),
        Some((_, value)) => value.as_slice().try_into().ok().map(u64::from_le_bytes),
    };
    match position.filter(|position| *position <= BATCHES) {
        Some(position) if state_after(position) != *state => "hole",
        Some(BATCHES) => "whole",
        Some(_) => "older",
        None => "hole",
    }
}

/// Not a test of its own: what the others have read a damaged copy.
#[test]
fn child_process() {
    let (Ok(engine), Some(dir)) = (std::env::var(ENGINE), std::env::var_os(DIR)) else {
        return;
    };
    let opened = opener(&engine)(Path::new(&dir));
    let judgement = match opened.and_then(|storage| read(&*storage)) {
        Ok(state) => judge(&state),
        Err(_) => "refused",
    };
    println!("\njudgement {judgement}");
}

fn judgement_of(engine: &str, dir: &Path) -> &'static str {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "damage::child_process", "--nocapture", "--test-threads=1"])
        .env(ENGINE, engine)
        .env(DIR, dir)
        .stderr(Stdio::null())
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    let told = told.lines().find_map(|line| line.strip_prefix("judgement "));
    ["refused", "whole", "older", "hole"]
        .into_iter()
        .find(|judgement| told == Some(judgement))
        .unwrap_or("died")
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() { files(&path, found)? } else { found.push(path) }
    }
    found.sort();
    Ok(())
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(&path, &target).unwrap();
        }
    }
}

/// A file with one byte flipped, each time another.
fn flipped(bytes: &[u8], flips: usize) -> Vec<Vec<u8>> {
    // Where something is written; the room behind it is of no interest.
    let written = bytes.iter().enumerate().filter(|(_, byte)| **byte != 0);
    let written: Vec<usize> = written.map(|(at, _)| at).collect();
    let step = written.len().div_ceil(flips).max(1);
    let places = written.into_iter().skip(step / 2).step_by(step);
    let flip = |at: usize| {
        let mut flipped = bytes.to_vec();
        flipped[at] ^= 0x55;
        flipped
    };
    places.map(flip).collect()
}

/// A file that ends too early, each time elsewhere.
fn cut(bytes: &[u8], cuts: usize) -> Vec<Vec<u8>> {
    let end = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    (0..cuts).map(|part| bytes[..end * part / cuts].to_vec()).collect()
}

/// How often each judgement was given.
type Judgements = BTreeMap<&'static str, usize>;

/// The judgements over flipped bytes, and over files that were cut.
fn judge_damages(engine: &str) -> [Judgements; 2] {
    let directory = tempfile::tempdir().unwrap();
    let sound = directory.path().join("sound");
    let storage = opener(engine)(&sound).unwrap();
    for number in 1..=BATCHES {
        let durability = if number % 4 == 0 { Durability::Sync } else { Durability::Buffer };
        storage.commit(batch(number), durability).unwrap();
    }
    storage.close().unwrap();
    drop(storage);
    assert_eq!(judgement_of(engine, &sound), "whole");
    let mut names = Vec::new();
    files(&sound, &mut names).unwrap();
    let mut judgements = [Judgements::new(), Judgements::new()];
    for name in names {
        let bytes = fs::read(&name).unwrap();
        let share = if bytes.len() < SMALL_FILE_BYTES { 3 } else { 1 };
        let flipped = flipped(&bytes, FLIPS_IN_A_FILE / share);
        let cut = cut(&bytes, CUTS_OF_A_FILE / share);
        for (judgements, damages) in judgements.iter_mut().zip([flipped, cut]) {
            for damage in damages {
                let damaged = directory.path().join("damaged");
                copy(&sound, &damaged);
                let name = name.strip_prefix(&sound).unwrap();
                fs::write(damaged.join(name), &damage).unwrap();
                let judgement = judgement_of(engine, &damaged);
                if !TOLD.contains(&judgement) {
                    let (kept, all) = (damage.len(), bytes.len());
                    println!(
                        "{engine}: {judgement} by {kept} of {all} bytes of {}",
                        name.display()
                    );
                }
                *judgements.entry(judgement).or_default() += 1;
                fs::remove_dir_all(&damaged).unwrap();
            }
        }
    }
    println!("{engine}: flipped {:?}, cut {:?}", judgements[0], judgements[1]);
    judgements
}

const TOLD: &[&str] = &["refused", "whole", "older"];

fn assert_only(judgements: &Judgements, allowed: &[&str]) {
    assert!(judgements.keys().all(|judgement| allowed.contains(judgement)), "{judgements:?}");
}

#[cfg(feature = "fjall")]
#[test]
fn fjall_refuses_damage_or_shows_a_state_that_tells_its_position() {
    let [flipped, cut] = judge_damages("fjall");
    assert_only(&flipped, TOLD);
    assert_only(&cut, TOLD);
    assert!(flipped.contains_key("refused") && cut.contains_key("older"), "{cut:?}");
}

/// LMDB has no checksums: of flipped bytes the counts are printed, and nothing can be
/// promised. What it misses of a file that was cut may end the process, and is never
/// passed over.
#[cfg(feature = "lmdb")]
#[test]
fn lmdb_passes_over_nothing_in_a_file_that_was_cut() {
    let [_, cut] = judge_damages("lmdb");
    assert_only(&cut, &["refused", "whole", "older", "died"]);
    assert!(cut.contains_key("refused"), "{cut:?}");
}

/// redb looks at its checksums after a crash and not after a clean close: of flipped
/// bytes the counts are printed, and nothing can be promised.
#[cfg(feature = "redb")]
#[test]
fn redb_refuses_a_file_that_was_cut() {
    let [_, cut] = judge_damages("redb");
    assert_only(&cut, TOLD);
    assert!(cut.contains_key("refused"), "{cut:?}");
}

/// What is in hybrid's files is fjall's and redb's, and so is what it notices.
#[cfg(feature = "hybrid")]
#[test]
fn hybrid_refuses_a_file_that_was_cut_or_shows_a_state_that_tells_its_position() {
    let [_, cut] = judge_damages("hybrid");
    assert_only(&cut, TOLD);
    assert!(cut.contains_key("refused"), "{cut:?}");
}

#[cfg(feature = "rocksdb")]
#[test]
fn rocksdb_refuses_damage_or_shows_a_state_that_tells_its_position() {
    let [flipped, cut] = judge_damages("rocksdb");
    assert_only(&flipped, TOLD);
    assert_only(&cut, TOLD);
    assert!(flipped.contains_key("refused") && cut.contains_key("refused"), "{cut:?}");
}

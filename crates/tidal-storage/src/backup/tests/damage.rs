//! Damage to a backup: nothing of it is ever restored as if it were whole.

use std::fs;
use std::path::PathBuf;

use proptest::prelude::*;
use tidal_types::StorageError;

use super::*;
use crate::backup::folder::chunk_name;

/// A backup of several chunks, with bodies that were compressed and such that could
/// not be.
fn written(dir: &Path) -> Vec<PathBuf> {
    let storage = small();
    let mut batch = AtomicBatch::new();
    for index in 0..3_u8 {
        // Each is a chunk by itself.
        batch.put("large", [index], vec![index; chunk::BODY_BYTES]);
    }
    storage.commit(batch, Durability::Sync).unwrap();
    backup(&storage, dir, &options()).unwrap();
    let mut files: Vec<_> = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert_eq!(files.len(), 6);
    files
}

/// The backup is refused, and a storage that it was restored into is too.
fn assert_refused(dir: &Path, what: &str) -> StorageError {
    let error = verify_backup(dir).expect_err(what);
    let target = MemoryStorage::new();
    restore(dir, &target).expect_err(what);
    let items = target.backend(EntityKind::Item);
    let is_marked = is_unfinished(|key| items.get(key)).unwrap();
    assert!(is_marked || everything(&target).is_empty(), "{what}");
    error
}

/// G52: every bit of every file counts.
#[test]
fn a_flipped_bit_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let good = written(dir.path());
    for path in &good {
        let bytes = fs::read(path).unwrap();
        for bit in 0..bytes.len() * 8 {
            // All bits of small files, and of the others every thousandth.
            if bytes.len() > 2_000 && bit % 997 != 0 {
                continue;
            }
            let mut damaged = bytes.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            fs::write(path, &damaged).unwrap();
            let what = format!("{} bit {bit}", path.display());
            // Restoring goes the same way, so it is tried less often.
            let error = if bit % 32 == 0 {
                assert_refused(dir.path(), &what)
            } else {
                verify_backup(dir.path()).expect_err(&what)
            };
            assert!(
                matches!(&error, StorageError::BackupDamaged { path: told, .. } if told == path),
                "{error}"
            );
        }
        fs::write(path, &bytes).unwrap();
    }
    verify_backup(dir.path()).unwrap();
}

/// G52: a file that is cut short, or longer than it was.
#[test]
fn a_file_of_another_length_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    for path in &written(dir.path()) {
        let bytes = fs::read(path).unwrap();
        for length in [0, 1, 15, 16, bytes.len() / 2, bytes.len() - 1] {
            fs::write(path, &bytes[..length]).unwrap();
            assert_refused(dir.path(), &format!("{} of {length}", path.display()));
        }
        fs::write(path, [bytes.as_slice(), &[0]].concat()).unwrap();
        assert_refused(dir.path(), "longer");
        fs::write(path, &bytes).unwrap();
    }
}

/// G52: files that are missing, exchanged, or too many.
#[test]
fn other_files_than_the_manifests_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let files = written(dir.path());
    let beside = tempfile::tempdir().unwrap();
    for path in &files {
        let aside = beside.path().join("aside");
        fs::rename(path, &aside).unwrap();
        assert_refused(dir.path(), "missing");
        fs::rename(&aside, path).unwrap();
    }
    let [one, other] = [2, 3].map(|index| dir.path().join(chunk_name(index)));
    assert_eq!(fs::metadata(&one).unwrap().len(), fs::metadata(&other).unwrap().len());
    let swap = beside.path().join("swap");
    for (from, to) in [(&one, &swap), (&other, &one), (&swap, &other)] {
        fs::rename(from, to).unwrap();
    }
    let error = assert_refused(dir.path(), "swapped");
    assert!(error.to_string().contains("checksum"), "{error}");
    for (from, to) in [(&one, &swap), (&other, &one), (&swap, &other)] {
        fs::rename(from, to).unwrap();
    }
    for extra in ["chunk-00000009", "MANIFEST.tmp", "notes"] {
        fs::write(dir.path().join(extra), b"").unwrap();
        assert_refused(dir.path(), extra);
        fs::remove_file(dir.path().join(extra)).unwrap();
    }
    verify_backup(dir.path()).unwrap();
}

/// Writes a manifest and the file of its first chunk anew, with right digests, as
/// damage never would.
fn forged(change: impl FnOnce(&mut BackupManifest, &mut Vec<u8>)) -> StorageError {
    let dir = tempfile::tempdir().unwrap();
    let options = BackupOptions { compression: Compression::None, ..options() };
    backup(&small(), dir.path(), &options).unwrap();
    let mut manifest = read_manifest(dir.path()).unwrap();
    let path = dir.path().join(chunk_name(0));
    let mut chunk = fs::read(&path).unwrap();
    change(&mut manifest, &mut chunk);
    if let Some(first) = manifest.chunks.first_mut() {
        first.file_bytes = u32::try_from(chunk.len()).unwrap();
        first.digest = *blake3::hash(&chunk).as_bytes();
    }
    fs::write(&path, &chunk).unwrap();
    fs::write(dir.path().join("MANIFEST"), manifest.encode()).unwrap();
    assert_refused(dir.path(), "forged")
}

/// G52: bytes whose checksums are right are not believed either: no panic, no memory
/// that they choose.
#[test]
fn a_forged_backup_is_refused() {
    type Change = fn(&mut BackupManifest, &mut Vec<u8>);
    let changes: [(&str, Change); 14] = [
        ("add up", |manifest, _| manifest.keyspaces[1].keys += 1),
        ("add up", |manifest, _| manifest.keyspaces[1].bytes += 1),
        ("fewer chunks", |manifest, _| manifest.keyspaces[3].chunks = u32::MAX),
        ("more chunks", |manifest, _| {
            manifest.keyspaces.remove(2);
        }),
        ("in order", |manifest, _| manifest.keyspaces.swap(0, 3)),
        ("none can have", |manifest, _| manifest.keyspaces[0].name = "../items".into()),
        ("other entries", |manifest, _| {
            manifest.chunks[0].entries += 1;
            manifest.keyspaces[1].keys += 1;
        }),
        ("or none", |manifest, _| {
            manifest.chunks[0].entries = 0;
            manifest.keyspaces[1].keys = 0;
        }),
        ("longer than a body", |_, chunk| chunk[12..16].fill(0xff)),
        ("unpack", |_, chunk| chunk[12] += 1),
        ("unpack", |_, chunk| chunk[10] = 1),
        ("unpack", |_, chunk| chunk[10] = 9),
        // The length of the first key: none, and more than there is.
        ("cannot be read", |_, chunk| chunk[16] = 0),
        ("not in order", |_, chunk| chunk[16 + 2 + 5] = b'3'),
    ];
    for (expected, change) in changes {
        let error = forged(change);
        assert!(error.to_string().contains(expected), "{expected}: {error}");
    }
}

/// A backup cannot carry the mark that refuses storage.
#[test]
fn the_mark_is_neither_backed_up_nor_restored() {
    let storage = small();
    mark::set(&storage).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let error = backup(&storage, dir.path(), &options()).unwrap_err();
    assert!(matches!(error, StorageError::RestoreUnfinished { .. }), "{error}");
    // Copied, it would be whole to all appearances.
    let target = MemoryStorage::new();
    let error = copy_storage(&storage, &target, &mut |_| ()).unwrap_err();
    assert!(matches!(error, StorageError::RestoreUnfinished { .. }), "{error}");
    assert_eq!(everything(&target), []);
    let error = forged(|manifest, file| {
        let marked = MemoryStorage::new();
        mark::set(&marked).unwrap();
        let items = marked.backend(EntityKind::Item);
        let (key, value) = items.scan_prefix(&[]).unwrap().next().unwrap().unwrap();
        let mut chunk = chunk::Builder::default();
        chunk.push(&key, &value);
        *file = chunk.encode(Compression::None);
        (manifest.chunks[0].entries, manifest.chunks[0].bytes) = (1, chunk.bytes());
        (manifest.keyspaces[1].keys, manifest.keyspaces[1].bytes) = (1, chunk.bytes());
    });
    assert!(error.to_string().contains("mark"), "{error}");
}

proptest! {
    /// R19 of the log, here: no bytes make decoding panic.
    #[test]
    fn any_bytes_are_refused_or_read(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let path = Path::new("any");
        prop_assert!(BackupManifest::decode(path, &bytes).is_err());
        let mut sealed = bytes.clone();
        sealed.extend_from_slice(blake3::hash(&bytes).as_bytes());
        prop_assert!(BackupManifest::decode(path, &sealed).is_err());
        drop(chunk::decode(path, bytes.clone()));
        let header = [b"TIDALCHK\x01\x00\x00\x00".as_slice(), &(bytes.len() as u32).to_le_bytes()];
        let body = chunk::decode(path, [header.concat(), bytes.clone()].concat()).unwrap();
        prop_assert_eq!(&body, &bytes);
        let entries: Vec<_> = chunk::Entries::new(&body).collect();
        prop_assert!(entries.len() <= bytes.len());
    }

    /// What is put in comes out, however it is compressed.
    #[test]
    fn chunks_round_trip(pairs in prop::collection::btree_map(prop::collection::vec(any::<u8>(), 1..20), prop::collection::vec(0_u8..3, 0..500), 0..20)) {
        let mut chunk = chunk::Builder::default();
        for (key, value) in &pairs {
            chunk.push(key, value);
        }
        for compression in [Compression::None, Compression::Lz4, #[cfg(feature = "compression")] Compression::Zstd] {
            let body = chunk::decode(Path::new("any"), chunk.encode(compression)).unwrap();
            let entries: Vec<_> = chunk::Entries::new(&body).map(Result::unwrap).collect();
            let expected: Vec<_> = pairs.iter().map(|(key, value)| (key.as_slice(), value.as_slice())).collect();
            prop_assert_eq!(entries, expected);
        }
    }
}

//! The bytes of a backup, as version 1 wrote them.

use std::fmt::Write as _;
use std::fs;

use tidal_types::StorageError;

use super::*;

const MANIFEST_HEX: &str = include_str!("../fixtures/manifest-v1.hex");
const CHUNK_HEX: &str = include_str!("../fixtures/chunk-v1.hex");

fn hex(bytes: &[u8]) -> String {
    let mut text = String::new();
    for line in bytes.chunks(32) {
        for byte in line {
            write!(text, "{byte:02x}").unwrap();
        }
        text.push('\n');
    }
    text
}

fn bytes_of(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

/// R25: what version 1 wrote is what is written today.
#[test]
fn the_bytes_are_those_of_version_1() {
    let dir = tempfile::tempdir().unwrap();
    let options = BackupOptions { compression: Compression::None, ..options() };
    backup(&small(), dir.path(), &options).unwrap();
    assert_eq!(hex(&fs::read(dir.path().join("MANIFEST")).unwrap()), MANIFEST_HEX);
    assert_eq!(hex(&fs::read(dir.path().join("chunk-00000000")).unwrap()), CHUNK_HEX);
}

/// R25: what version 1 wrote is read.
#[test]
fn version_1_is_read() {
    let path = std::path::Path::new("MANIFEST");
    let (manifest, _) = BackupManifest::decode(path, &bytes_of(MANIFEST_HEX)).unwrap();
    assert_eq!(manifest.created, Timestamp::from_secs(1_000));
    assert_eq!(manifest.engine, "memory");
    assert_eq!(manifest.position, options().position);
    assert_eq!(manifest.extras, b"kept beside");
    let keyspaces: Vec<_> =
        manifest.keyspaces.iter().map(|k| (k.name.as_str(), k.keys, k.bytes, k.chunks)).collect();
    let expected =
        [("creators", 0, 0, 0), ("items", 2, 19, 1), ("notes", 1, 301, 1), ("users", 0, 0, 0)];
    assert_eq!(keyspaces, expected);
    assert_eq!(manifest.keys(), 3);
    let body = chunk::decode(path, bytes_of(CHUNK_HEX)).unwrap();
    let entries: Vec<_> = chunk::Entries::new(&body).map(Result::unwrap).collect();
    let expected: [chunk::Entry<'_>; 2] = [(b"song/1", b"So What"), (b"song/2", b"")];
    assert_eq!(entries, expected);
}

/// R25: what a later version wrote is refused by its version, not as damage.
#[test]
fn a_newer_version_is_refused_by_its_version() {
    let path = std::path::Path::new("MANIFEST");
    let mut newer = bytes_of(MANIFEST_HEX);
    newer.truncate(newer.len() - 32);
    newer[8] = 2;
    newer.extend_from_slice(blake3::hash(&newer).as_bytes());
    let error = BackupManifest::decode(path, &newer).unwrap_err();
    assert!(matches!(error, StorageError::BackupVersion { found: 2, supported: 1, .. }), "{error}");
    let mut newer = bytes_of(CHUNK_HEX);
    newer[8] = 2;
    let error = chunk::decode(path, newer).unwrap_err();
    assert!(matches!(error, StorageError::BackupVersion { found: 2, supported: 1, .. }), "{error}");
}

//! What cannot be opened or written is refused with a typed error, and loses
//! nothing.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use tidal_db::{
    Batch, Config, ErrorKind, FjallStorage, MemoryStorage, Storage, TidalDB, TidalError, WalError,
    Window,
};

use crate::fixture::{NOW, builder, config, event, id, open, schema};
use crate::kill::child;

fn fed() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let db = open(dir.path());
    db.signals(&(0..50).map(event).collect::<Vec<_>>()).unwrap();
    db.shutdown().unwrap();
    dir
}

/// Every file below a directory, with its bytes.
fn snapshot(dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(snapshot(&path));
        } else {
            files.push((path.clone(), fs::read(&path).unwrap()));
        }
    }
    files.sort();
    files
}

/// Opening fails and leaves every file as it was.
fn refused(dir: &Path) -> TidalError {
    let before = snapshot(dir);
    let error = builder(dir).open().unwrap_err();
    assert_eq!(snapshot(dir), before, "{error}");
    error
}

/// G18
#[test]
fn a_directory_of_something_else_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("thesis.tex"), "precious").unwrap();
    let error = refused(dir.path());
    assert!(matches!(error, TidalError::NotADatabase { .. }), "{error}");
    assert_eq!(error.kind(), ErrorKind::Input);
    assert!(!dir.path().join("TIDALDB").exists());
    let file = dir.path().join("thesis.tex");
    assert!(TidalDB::open(config(&file)).is_err());
    assert_eq!(fs::read(file).unwrap(), b"precious");
}

#[test]
fn open_existing_creates_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let missing = dir.path().join("missing");
    for path in [dir.path(), &missing] {
        let error = TidalDB::open_existing(path).unwrap_err();
        assert!(matches!(error, TidalError::NotFound { .. }), "{error}");
        let error = tidal_db::verify(path).unwrap_err();
        assert!(matches!(error, TidalError::NotFound { .. }), "{error}");
    }
    assert!(!missing.exists());

    // A marker without anything behind it, as a crash may leave it.
    let torn = tempfile::tempdir().unwrap();
    fs::write(torn.path().join("TIDALDB"), "tidalDB format 1\nengine fjall\n").unwrap();
    let error = TidalDB::open_existing(torn.path()).unwrap_err();
    assert!(matches!(error, TidalError::NotFound { .. }), "{error}");
    assert!(!torn.path().join("log").exists() && !torn.path().join("storage").exists());
    drop(open(torn.path()));
    assert!(snapshot(dir.path()).is_empty());
}

/// G18
#[test]
fn another_format_and_another_engine_are_refused() {
    let dir = fed();
    let marker = dir.path().join("TIDALDB");
    let text = fs::read_to_string(&marker).unwrap();
    assert_eq!(text, "tidalDB format 1\nengine fjall\n");

    fs::write(&marker, "tidalDB format 99\nengine fjall\nsomething new\n").unwrap();
    let error = refused(dir.path());
    assert!(
        matches!(&error, TidalError::UnsupportedFormat { found, .. } if found == "99"),
        "{error}"
    );
    let error = tidal_db::verify(dir.path()).unwrap_err();
    assert!(matches!(error, TidalError::UnsupportedFormat { .. }), "{error}");

    for garbage in ["", "hello", "tidalDB format 1\n", "tidalDB format 1\nmotor fjall\n"] {
        fs::write(&marker, garbage).unwrap();
        let error = refused(dir.path());
        assert!(matches!(error, TidalError::Damaged { .. }), "{garbage:?}: {error}");
    }
    fs::write(&marker, text).unwrap();

    let error = builder(dir.path()).storage(Arc::new(MemoryStorage::new())).open().unwrap_err();
    assert!(matches!(error, TidalError::EngineMismatch { .. }), "{error}");
    assert_eq!(open(dir.path()).stats().unwrap().records, 51);
}

/// G6
#[test]
fn a_changed_schema_is_refused_and_names_the_field() {
    let dir = fed();
    let mut builder = tidal_db::SchemaBuilder::new();
    builder.signal("view", tidal_db::EntityKind::Item, tidal_db::DecaySpec::Permanent).add();
    let changed = Config { data_dir: dir.path().into(), schema: builder.build().unwrap() };
    let error = TidalDB::open(changed).unwrap_err();
    assert!(error.to_string().contains("decay"), "{error}");
    assert_eq!(error.kind(), ErrorKind::Input);
    assert_eq!(open(dir.path()).stats().unwrap().records, 51);
}

#[test]
fn a_corrupt_schema_in_storage_is_refused() {
    let dir = fed();
    let key = tidal_keys::composite_key(&[b"schema"]).unwrap();
    let tamper = |change: &dyn Fn(&mut Vec<u8>)| {
        let storage = FjallStorage::open(dir.path().join("storage")).unwrap();
        let system = storage.keyspace("system").unwrap();
        let mut value = system.get(&key).unwrap().unwrap();
        change(&mut value);
        system.put(&key, &value).unwrap();
        system.flush().unwrap();
        drop(system);
        storage.close().unwrap();
    };
    tamper(&|value| value.push(0));
    let error = builder(dir.path()).open().unwrap_err();
    assert!(
        matches!(&error, TidalError::Damaged { location, .. } if location.contains("schema")),
        "{error}"
    );
    assert_eq!(error.kind(), ErrorKind::Damage);
    tamper(&|value| {
        value.pop();
    });
    assert_eq!(open(dir.path()).stats().unwrap().records, 51);
}

/// The schema is the first record of the log: a flipped bit in it is refused by
/// the log, with file and offset, even when a checkpoint has the schema too and
/// the log is verified.
#[test]
fn a_corrupt_schema_in_the_log_is_refused() {
    let dir = fed();
    fs::remove_dir_all(dir.path().join("storage")).unwrap();
    let segment = dir.path().join("log").join("wal-0000000000000000.seg");
    let mut bytes = fs::read(&segment).unwrap();
    bytes[4096 + 100] ^= 1;
    fs::write(&segment, &bytes).unwrap();
    let error = builder(dir.path()).open().unwrap_err();
    assert!(
        matches!(&error, TidalError::Wal(WalError::Damaged { path, offset: 4096, .. }) if *path == segment),
        "{error}"
    );
    let report = tidal_db::verify(dir.path()).unwrap();
    assert!(!report.ok());
    assert_eq!(
        (report.problems[0].path.as_path(), report.problems[0].offset),
        (segment.as_path(), 4096)
    );
    bytes[4096 + 100] ^= 1;
    fs::write(&segment, &bytes).unwrap();
    assert_eq!(open(dir.path()).stats().unwrap().records, 51);
}

/// G19
#[test]
fn verify_finds_nothing_wrong_with_what_was_written_and_writes_nothing() {
    let dir = fed();
    let before = snapshot(dir.path());
    let report = tidal_db::verify(dir.path()).unwrap();
    assert_eq!(report.problems, []);
    assert_eq!((report.segments, report.records), (1, 51));
    assert_eq!(report.torn_tail, None);
    assert_eq!(snapshot(dir.path()), before);
    let db = open(dir.path());
    let error = tidal_db::verify(dir.path()).unwrap_err();
    assert!(matches!(error, TidalError::Locked { .. }), "{error}");
    drop(db);
}

#[test]
fn a_second_process_is_told_that_the_directory_is_taken() {
    let dir = fed();
    let db = open(dir.path());
    let error = builder(dir.path()).open().unwrap_err();
    assert!(matches!(error, TidalError::Locked { .. }), "{error}");
    assert_eq!(error.kind(), ErrorKind::Retry);
    let output = child("open", dir.path()).output().unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(told.contains("refused Retry"), "{told}");
    db.signal("view", id(1), 1.0, NOW).unwrap();
    db.shutdown().unwrap();
    let output = child("open", dir.path()).output().unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(told.contains("opened 52"), "{told}");
}

/// A file system of a few MiB in memory, which only root can mount.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn mount(options: &str) -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", options, "tmpfs"])
            .arg(dir.path())
            .output()
            .is_ok_and(|output| output.status.success());
        if !mounted {
            println!("skipped: mounting a small file system takes root");
            return None;
        }
        Some(Self(dir))
    }

    fn remount(&self, options: &str) {
        let status = Command::new("mount")
            .args(["-o", &format!("remount,{options}")])
            .arg(self.0.path())
            .status()
            .unwrap();
        assert!(status.success());
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let status = Command::new("umount").arg(self.0.path()).status();
        assert!(status.is_ok_and(|status| status.success()), "the small disk stays mounted");
    }
}

/// R10: a full disk is told as such; what was answered stays, and writing goes
/// on when there is room.
#[test]
fn a_full_disk_is_told_and_loses_nothing() {
    let Some(disk) = SmallDisk::mount("size=64m") else {
        return;
    };
    let ballast = disk.0.path().join("ballast");
    fs::write(&ballast, vec![0; 40 << 20]).unwrap();
    let dir = disk.0.path().join("db");
    let open = || TidalDB::builder(Config { data_dir: dir.clone(), schema: schema() }).open();
    let db = open().unwrap();
    let batch = |start: u64| -> Batch<'static> { (start..start + 1000).map(event).collect() };
    let mut answered = 0;
    let error = loop {
        match db.commit(batch(answered)) {
            Ok(_) => answered += 1000,
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind(), ErrorKind::Space, "{error}");
    assert!(answered >= 1000, "{answered}");
    let again = db.commit(batch(answered)).unwrap_err();
    assert_eq!(again.kind(), ErrorKind::Space, "{again}");

    fs::remove_file(&ballast).unwrap();
    db.commit(batch(answered)).unwrap();
    answered += 1000;
    let checksum = db.checksum().unwrap();
    drop(db);
    let db = open().unwrap();
    assert_eq!(db.stats().unwrap().records, answered + 1);
    assert_eq!(db.checksum().unwrap(), checksum);
}

#[test]
fn a_read_only_directory_is_told_and_loses_nothing() {
    let Some(disk) = SmallDisk::mount("size=64m") else {
        return;
    };
    let dir = disk.0.path().join("db");
    let db = open(&dir);
    db.signal("view", id(1), 1.0, NOW).unwrap();
    db.shutdown().unwrap();
    drop(db);
    disk.remount("ro");
    for error in
        [builder(&dir).open().unwrap_err(), builder(&disk.0.path().join("new")).open().unwrap_err()]
    {
        assert_eq!(error.kind(), ErrorKind::Environment, "{error}");
        assert!(error.to_string().to_lowercase().contains("read-only"), "{error}");
    }
    assert!(tidal_db::verify(&dir).unwrap().ok());
    disk.remount("rw");
    let db = open(&dir);
    assert_eq!(db.windowed_count("view", id(1), Window::AllTime).unwrap(), 1);
}

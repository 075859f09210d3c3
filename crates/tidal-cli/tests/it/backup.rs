//! backup, restore, verify-backup and migrate.

use std::fs;

use crate::runner::{Bench, Ran, keys};

/// A database with a few purchases.
fn shop() -> Bench {
    let bench = Bench::new();
    for weight in ["1", "2", "3"] {
        bench.run(&["signal", "purchase", "85123A", "--weight", weight]).ok();
    }
    bench
}

/// The program without `--db`.
fn run(bench: &Bench, args: &[&str]) -> Ran {
    Ran::of(&mut bench.command(args))
}

fn checksum(bench: &Bench, db: &str) -> String {
    let stats = run(bench, &["--db", db, "--json", "stats"]).ok().json();
    stats["checksum"].as_str().unwrap().to_owned()
}

/// G54
#[test]
fn a_backup_is_checked_and_restored() {
    let bench = shop();
    let (db, dest, new) = ("db", "backup", "new");
    let made = run(&bench, &["backup", db, dest, "--json"]).ok().json();
    let fields = [
        "created",
        "engine",
        "log_id",
        "first_seq",
        "applied_seq",
        "last_seq",
        "digest",
        "keys",
        "disk_bytes",
    ];
    assert_eq!(keys(&made), fields);
    assert_eq!(run(&bench, &["--json", "verify-backup", dest]).ok().json(), made);
    let text = run(&bench, &["verify-backup", dest]).ok();
    assert!(text.stdout.contains("ok") && text.stdout.contains("last record"), "{text:?}");
    let restored = run(&bench, &["--json", "restore", dest, new]).ok().json();
    assert_eq!(restored["parent"]["log_id"], made["log_id"]);
    assert_eq!(restored["parent"]["seq"], made["last_seq"]);
    assert_ne!(restored["log_id"], made["log_id"]);
    assert_eq!(checksum(&bench, new), checksum(&bench, db));
}

/// G52
#[test]
fn a_damaged_backup_is_told_and_not_restored() {
    let bench = shop();
    let (db, dest, new) = ("db", "backup", "new");
    run(&bench, &["backup", db, dest]).ok();
    let manifest = bench.path("backup/storage/MANIFEST");
    let mut bytes = fs::read(&manifest).unwrap();
    bytes[20] ^= 1;
    fs::write(&manifest, bytes).unwrap();
    for args in [&["verify-backup", dest][..], &["restore", dest, new]] {
        let ran = run(&bench, args);
        assert_eq!(ran.code, Some(1), "{ran:?}");
        assert!(ran.stderr.contains("MANIFEST") && ran.stderr.contains("checksum"), "{ran:?}");
    }
    assert!(!bench.path(new).exists());
    let ran = run(&bench, &["backup", db, dest]);
    assert!(ran.stderr.contains("not empty"), "{ran:?}");
}

/// G55
#[test]
fn a_time_before_the_backup_is_refused_with_the_earliest() {
    let bench = shop();
    let (db, dest, new) = ("db", "backup", "new");
    run(&bench, &["backup", db, dest]).ok();
    let ran = run(&bench, &["restore", dest, new, "--until", "1970-01-02T00:00:00Z"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.stderr.contains("nothing before 20"), "{ran:?}");
    let later = "later";
    run(&bench, &["restore", dest, later, "--until", "2100-01-01"]).ok();
    assert_eq!(checksum(&bench, later), checksum(&bench, db));
    let ran = run(&bench, &["restore", dest, new, "--until", "last"]);
    assert_eq!(ran.code, Some(2), "{ran:?}");
}

/// G56: on each engine that the program was built with.
#[test]
fn a_database_is_migrated() {
    let bench = shop();
    let db = "db";
    for engine in tidal_db::Engine::ALL.iter().map(|engine| engine.name()) {
        let new = &format!("on-{engine}");
        let made = run(&bench, &["--json", "migrate", db, new, "--to", engine]).ok().json();
        assert_eq!((&made["from"], &made["to"]), (&"fjall".into(), &engine.into()));
        assert_eq!(checksum(&bench, new), checksum(&bench, db));
        run(&bench, &["verify", "--db", new]).ok();
    }
    for engine in ["lmdb", "redb"] {
        if tidal_db::Engine::from_name(engine).is_none() {
            let ran = run(&bench, &["migrate", db, "x", "--to", engine]);
            assert_eq!(ran.code, Some(2), "{ran:?}");
            assert!(ran.stderr.contains(&format!("feature \"{engine}\"")), "{ran:?}");
        }
    }
    let ran = run(&bench, &["migrate", db, "x", "--to", "pebble"]);
    assert!(ran.stderr.contains("fjall"), "{ran:?}");
}

/// These name their directories themselves.
#[test]
fn an_option_that_would_do_nothing_is_refused() {
    let bench = shop();
    let ran = run(&bench, &["--db", "x", "verify-backup", "y"]);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.stderr.contains("without --db"), "{ran:?}");
}

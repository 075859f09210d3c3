use super::*;

const LAYOUT: Layout = Layout { data: "data", beside: &["beside"], making: "making" };

fn make(making: &Path) -> Result<()> {
    fs::write(making.join("data"), "whole").map_err(|error| io_error(making, "make", error))
}

#[test]
fn every_row_of_the_table() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    assert_eq!(LAYOUT.inspect(&path.join("nowhere")).unwrap(), Verdict::Create);
    assert_eq!(LAYOUT.inspect(path).unwrap(), Verdict::Create);
    fs::write(path.join("beside"), "").unwrap();
    fs::write(path.join(LOCK_FILE), "").unwrap();
    // O1: a creation that was cut short.
    fs::create_dir(path.join("making")).unwrap();
    fs::write(path.join("making/data"), "ha").unwrap();
    assert_eq!(LAYOUT.inspect(path).unwrap(), Verdict::Create);
    let error = LAYOUT.require(path).unwrap_err();
    assert!(matches!(error, StorageError::NotStorage { .. }), "{error}");

    fs::write(path.join("thesis.tex"), "text").unwrap();
    let error = LAYOUT.inspect(path).unwrap_err();
    assert!(matches!(error, StorageError::NotStorage { .. }), "{error}");
    fs::remove_file(path.join("thesis.tex")).unwrap();

    LAYOUT.create(path, make).unwrap();
    assert_eq!(fs::read(path.join("data")).unwrap(), b"whole");
    assert!(!path.join("making").exists());
    fs::write(path.join("thesis.tex"), "text").unwrap();
    assert_eq!(LAYOUT.inspect(path).unwrap(), Verdict::Open);
    LAYOUT.require(path).unwrap();

    // A creation that was cut short once the file had its name.
    fs::create_dir(path.join("making")).unwrap();
    assert_eq!(LAYOUT.inspect(path).unwrap(), Verdict::Open);
    LAYOUT.finish(path).unwrap();
    assert!(!path.join("making").exists());
    assert_eq!(fs::read(path.join("data")).unwrap(), b"whole");
}

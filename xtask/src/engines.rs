//! The storage engines that are built for the checks: all of them, where that can be
//! done.
//!
//! E1. RocksDB is built from C++, and its bindings are made by libclang. Where one of
//!     the two is missing it is left out, and the run says so before and after.
//! E2. Every command that builds engines names the same features of the same
//!     packages, so RocksDB is compiled once.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{self, Stdio};

use crate::console;
use crate::failure::{Failure, Result};
use crate::steps::Step;

/// The crates that hand the engines on.
const CRATES: [&str; 4] = ["tidal-storage", "tidal-db", "tidal-cli", "tidal-kvdb-tests"];

/// The features beside the default one, of all engines but RocksDB.
const WITHOUT_ROCKSDB: &[&str] = &["hybrid", "lmdb", "redb"];

/// Says to leave RocksDB out.
pub(crate) const FAST: &str = "--fast";

/// Says to fail where RocksDB would have to be left out.
pub(crate) const ALL: &str = "--all";

/// Which engines are built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Engines {
    All,
    /// All but one, and why.
    WithoutRocksDb(String),
}

impl Engines {
    /// Those that the words after a command ask for.
    pub(crate) fn asked_for(words: &[&str]) -> Result<Self> {
        match words {
            [] => Ok(Self::possible()),
            [FAST] => Ok(Self::WithoutRocksDb(format!("{FAST} was asked for"))),
            [ALL] => match Self::possible() {
                Self::All => Ok(Self::All),
                Self::WithoutRocksDb(why) => {
                    Err(Failure::failed(format!("RocksDB cannot be built: {why}")))
                }
            },
            words => Err(Failure::Usage(format!("`{}` is not an option", words.join(" ")))),
        }
    }

    /// Those that can be built on this machine.
    pub(crate) fn possible() -> Self {
        match missing() {
            None => Self::All,
            Some(missing) => Self::WithoutRocksDb(missing),
        }
    }

    /// The features, as arguments of cargo.
    pub(crate) fn arguments(&self) -> String {
        let features: &[&str] = match self {
            Self::All => &["all-backends"],
            Self::WithoutRocksDb(_) => WITHOUT_ROCKSDB,
        };
        let of = |name: &&str| features.iter().map(|feature| format!("{name}/{feature}")).collect();
        let features: Vec<String> = CRATES.iter().flat_map::<Vec<String>, _>(of).collect();
        format!("--features {}", features.join(","))
    }

    /// What says that an engine is left out, if one is.
    pub(crate) fn left_out(&self) -> Option<Step> {
        match self {
            Self::All => None,
            Self::WithoutRocksDb(why) => Some(Step::left_out("rocksdb", why.clone())),
        }
    }
}

/// Says whether every engine can be built here.
pub(crate) fn report() -> Result<()> {
    match missing() {
        None => {
            console::say("every engine can be built");
            Ok(())
        }
        Some(missing) => Err(Failure::failed(format!("RocksDB cannot be built: {missing}"))),
    }
}

/// What building RocksDB lacks; `None` if nothing.
fn missing() -> Option<String> {
    let libraries = library_folders();
    if !libraries.iter().any(|folder| has_libclang(folder)) {
        return Some("libclang is not found (on Debian: apt-get install libclang-dev)".into());
    }
    if !starts("clang") && !libraries.iter().any(|folder| has_headers_of_clang(folder)) {
        let problem = "libclang has no headers (on Debian: apt-get install libclang-dev)";
        return Some(problem.into());
    }
    let compiler = env::var("CXX").ok().filter(|set| !set.is_empty());
    let compiler = compiler.as_deref().unwrap_or("c++");
    if !starts(compiler) {
        return Some(format!(
            "the C++ compiler {compiler} does not start (on Debian: apt-get install g++)"
        ));
    }
    None
}

/// Where libraries lie, in the order in which the bindings look for libclang.
fn library_folders() -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> =
        env::var_os("LIBCLANG_PATH").into_iter().map(PathBuf::from).collect();
    folders.extend(libdir_of_llvm());
    for roots in ["/usr/lib", "/usr/local", "/opt/homebrew/opt", "/usr/local/opt"] {
        let llvms = entries(Path::new(roots)).into_iter().filter(|path| named(path, "llvm"));
        folders.extend(llvms.map(|llvm| llvm.join("lib")));
    }
    folders.extend(entries(Path::new("/usr/lib")).into_iter().filter(|path| {
        path.file_name().is_some_and(|name| name.to_string_lossy().ends_with("-linux-gnu"))
    }));
    let fixed =
        ["/usr/lib64", "/usr/lib", "/usr/local/lib", "/Library/Developer/CommandLineTools/usr/lib"];
    folders.extend(fixed.map(PathBuf::from));
    folders
}

fn libdir_of_llvm() -> Option<PathBuf> {
    let output = process::Command::new("llvm-config").arg("--libdir").output().ok()?;
    let folder = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| PathBuf::from(folder.trim()))
}

fn has_libclang(folder: &Path) -> bool {
    // The variable may also name the file itself.
    named(folder, "libclang") && folder.is_file()
        || entries(folder).iter().any(|path| {
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
            let name = name.unwrap_or_default();
            let library = name.starts_with("libclang.") || name.starts_with("libclang-");
            library
                && [".so", ".dylib", ".dll"].iter().any(|kind| name.contains(kind))
                && !name.contains("-cpp")
        })
}

fn has_headers_of_clang(folder: &Path) -> bool {
    let versions = entries(&folder.join("clang"));
    versions.iter().any(|version| version.join("include/stddef.h").exists())
}

fn named(path: &Path, beginning: &str) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(beginning))
}

/// What is in a folder; nothing if it cannot be read.
fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    entries.filter_map(|entry| Some(entry.ok()?.path())).collect()
}

fn starts(program: &str) -> bool {
    // A compiler may be named with its first arguments.
    let mut words = program.split_whitespace();
    let Some(program) = words.next() else { return false };
    process::Command::new(program)
        .args(words)
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_crate_has_the_same_engines_and_fast_is_without_one() {
        assert_eq!(
            Engines::All.arguments(),
            "--features tidal-storage/all-backends,tidal-db/all-backends,tidal-cli/all-backends,\
             tidal-kvdb-tests/all-backends"
        );
        assert!(Engines::All.left_out().is_none());
        let fast = Engines::asked_for(&[FAST]).unwrap();
        assert!(!fast.arguments().contains("rocksdb") && !fast.arguments().contains("all"));
        for name in CRATES {
            for engine in WITHOUT_ROCKSDB {
                assert!(fast.arguments().contains(&format!("{name}/{engine}")));
            }
        }
        assert!(fast.left_out().unwrap().to_string().contains(FAST));
        let wrong = Engines::asked_for(&["--slow"]).unwrap_err();
        assert!(matches!(wrong, Failure::Usage(_)), "{wrong:?}");
    }

    /// What the features without RocksDB are is said twice; here is what keeps them
    /// equal.
    #[test]
    fn all_engines_are_these_and_rocksdb() {
        let root = crate::workspace::root().unwrap();
        for (folder, more) in [
            ("crates/tidal-storage", "\"fjall\", "),
            ("crates/tidal-db", ""),
            ("crates/tidal-cli", ""),
            ("benches/kvdb", ""),
        ] {
            let manifest = fs::read_to_string(root.join(folder).join("Cargo.toml"));
            let names: Vec<String> =
                WITHOUT_ROCKSDB.iter().map(|engine| format!("\"{engine}\"")).collect();
            let line = format!("all-backends = [{more}{}, \"rocksdb\"]", names.join(", "));
            assert!(manifest.unwrap().lines().any(|found| found == line), "{folder}: {line}");
        }
    }

    #[test]
    fn libclang_is_known_by_its_file() {
        let folder = env::temp_dir().join(format!("tidal-xtask-engines-{}", process::id()));
        let libraries = folder.join("lib");
        fs::create_dir_all(&libraries).unwrap();
        assert!(!has_libclang(&folder) && !has_libclang(&libraries));
        for (name, is) in [
            ("libclang-cpp.so.14", false),
            ("libclang.txt", false),
            ("libclang-14.so.1", true),
            ("libclang.so", true),
            ("libclang.dylib", true),
        ] {
            let file = libraries.join(name);
            fs::write(&file, "").unwrap();
            assert_eq!(has_libclang(&libraries), is, "{name}");
            assert!(!is || has_libclang(&file), "{name}");
            fs::remove_file(file).unwrap();
        }
        assert!(!has_headers_of_clang(&libraries));
        fs::create_dir_all(libraries.join("clang/14/include")).unwrap();
        fs::write(libraries.join("clang/14/include/stddef.h"), "").unwrap();
        assert!(has_headers_of_clang(&libraries));
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_program_that_is_not_there_does_not_start() {
        assert!(!starts("no-such-program") && !starts(""));
        assert!(starts(&crate::workspace::cargo().to_string_lossy()));
    }
}

//! Where the workspace and its cache folder are.

use std::env;
use std::path::PathBuf;

use crate::failure::{Failure, Result};

/// The name of the cache folder; `.ci/run` keeps the build output in it too.
const CACHE_NAME: &str = "tidaldb-ci";

/// The folder of the workspace. It is asked of cargo when the chore runs and not
/// when it is compiled, so that a program built in one checkout never checks
/// another one.
pub(crate) fn root() -> Result<PathBuf> {
    let manifest = env::var_os("CARGO_MANIFEST_DIR")
        .map(PathBuf::from)
        .ok_or_else(|| Failure::failed("cargo has to start this program: `cargo xtask`"))?;
    manifest
        .parent()
        .map(PathBuf::from)
        .ok_or_else(|| Failure::failed(format!("{} has no parent", manifest.display())))
}

/// The cargo that started this program, or the one on the path.
pub(crate) fn cargo() -> PathBuf {
    env::var_os("CARGO").map_or_else(|| "cargo".into(), PathBuf::from)
}

/// The folder that cargo builds into.
pub(crate) fn target() -> Result<PathBuf> {
    let set = env::var_os("CARGO_TARGET_DIR").filter(|value| !value.is_empty());
    let root = root()?;
    Ok(set.map_or_else(|| root.join("target"), |target| root.join(target)))
}

/// A folder outside the checkout for what is costly to make:
/// `$XDG_CACHE_HOME/tidaldb-ci`, by default `~/.cache/tidaldb-ci`.
pub(crate) fn cache() -> Result<PathBuf> {
    let set = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    set("XDG_CACHE_HOME")
        .filter(|path| path.is_absolute())
        .or_else(|| env::home_dir().map(|home| home.join(".cache")))
        .map(|caches| caches.join(CACHE_NAME))
        .ok_or_else(|| Failure::failed("no home folder to keep a cache in: set XDG_CACHE_HOME"))
}

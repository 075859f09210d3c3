//! Opening LMDB, which the compiler cannot check. Nothing else in this package is
//! unsafe.
#![expect(unsafe_code, reason = "LMDB maps a file into memory, which only its user can keep sound")]

use std::path::Path;

use heed::{Env, EnvFlags, EnvOpenOptions, WithoutTls};
use tidal_bench_measure::Result;
use tidal_storage::LmdbOptions;

use crate::engine::MAP_BYTES;

/// Opens a new environment with the settings of tidal-storage, in an empty folder that
/// belongs to this program.
pub(super) fn open(dir: &Path) -> Result<Env<WithoutTls>> {
    let mut options = EnvOpenOptions::new().read_txn_without_tls();
    options.map_size(usize::try_from(MAP_BYTES)?).max_dbs(64);
    options.max_readers(LmdbOptions::default().readers_max);
    // SAFETY: NO_META_SYNC leaves every file that a crash can leave one that LMDB
    // opens: it delays a sync, and reorders nothing.
    unsafe { options.flags(EnvFlags::NO_META_SYNC) };
    // SAFETY: the mapped file must not change but through LMDB. It lies in a temporary
    // folder that nobody else knows, is opened once, and was just made.
    Ok(unsafe { options.open(dir) }?)
}

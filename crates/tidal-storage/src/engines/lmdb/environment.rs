//! The two calls of LMDB that the compiler cannot check. Nothing else in tidalDB
//! is unsafe; the record is docs/adr/0007-unsafe-for-lmdb.md.
#![expect(unsafe_code, reason = "LMDB maps a file into memory, which only its user can keep sound")]

use std::path::Path;

use heed::{Env, EnvFlags, EnvOpenOptions, WithoutTls};

use super::gate::Idle;
use crate::DirectoryLock;

/// What an environment is opened with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sizes {
    pub(super) map_bytes: usize,
    pub(super) readers_max: u32,
    pub(super) keyspaces_max: u32,
}

/// Opens the environment in a folder. `_lock` is held for as long as it is open.
pub(super) fn open(
    folder: &Path,
    sizes: Sizes,
    read_only: bool,
    _lock: &DirectoryLock,
) -> heed::Result<Env<WithoutTls>> {
    let mut options = EnvOpenOptions::new().read_txn_without_tls();
    options.map_size(sizes.map_bytes).max_readers(sizes.readers_max).max_dbs(sizes.keyspaces_max);
    let flags =
        if read_only { EnvFlags::READ_ONLY | EnvFlags::NO_LOCK } else { EnvFlags::NO_META_SYNC };
    // SAFETY: NO_META_SYNC leaves every file that a crash can leave one that LMDB
    // opens: it delays a sync, and reorders nothing. NO_LOCK asks that nobody
    // writes beside the readers: they hold the directory's lock shared, and a
    // writer needs it alone.
    unsafe { options.flags(flags) };
    // SAFETY: the mapped file must not change but through LMDB. The lock of the
    // directory keeps out every other storage, in this process and in others, and
    // `meta::check` has seen that the file is LMDB's and as long as it says. That
    // nobody else writes to the files of an open storage, and that they are on a
    // local disk, is asked of the user where the engine is documented.
    unsafe { options.open(folder) }
}

/// Maps the file anew, with another size.
pub(super) fn resize(
    env: &Env<WithoutTls>,
    map_bytes: usize,
    _idle: &Idle<'_>,
) -> heed::Result<()> {
    // SAFETY: no transaction may be open meanwhile. Every transaction is begun with
    // a pass of the gate, which `Idle` says are all back, and none is given out
    // before it is dropped.
    unsafe { env.resize(map_bytes) }
}

//! Opening the database that the command line names.

use std::path::PathBuf;

use tidal_db::TidalDB;

use crate::args::Global;
use crate::failure::Failure;

/// The database at `--db`, which must exist.
pub(crate) fn open(global: &Global) -> Result<TidalDB, Failure> {
    Ok(TidalDB::open_existing(data_dir(global)?)?)
}

/// The directory at `--db`, which need not exist.
///
/// # Errors
/// Nothing is named, or a file.
pub(crate) fn data_dir(global: &Global) -> Result<PathBuf, Failure> {
    let path = global.db()?;
    if path.is_file() {
        return Err(Failure::failed(format!(
            "{} is a file and not a database directory; name a directory with --db, and give files to `import`",
            path.display()
        )));
    }
    Ok(path)
}

/// Ends a command that wrote: the state goes to storage, so that the next
/// opening is fast. What was acknowledged is durable with or without it.
pub(crate) fn close(db: &TidalDB) -> Result<(), Failure> {
    db.shutdown().map_err(|error| {
        Failure::from(error).within("what was written is safe, but the database did not close well")
    })
}

//! Opening the database that the command line names.

use tidal_db::TidalDB;

use crate::args::Global;
use crate::failure::Failure;

/// The database at `--db`, which must exist.
pub(crate) fn open(global: &Global) -> Result<TidalDB, Failure> {
    Ok(TidalDB::open_existing(global.db()?)?)
}

/// Ends a command that wrote: the state goes to storage, so that the next
/// opening is fast. What was acknowledged is durable with or without it.
pub(crate) fn close(db: &TidalDB) -> Result<(), Failure> {
    db.shutdown().map_err(|error| {
        Failure::from(error).within("what was written is safe, but the database did not close well")
    })
}

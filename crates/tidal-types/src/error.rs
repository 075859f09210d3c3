//! Every error of tidalDB.
//!
//! An error says what went wrong and where (path, offset, key, name); its
//! [`ErrorKind`] says what the caller should do. Errors can be cloned, since one
//! failed sync is told to everyone who waited for it.

mod key;
mod kind;
mod query;
mod schema;
mod storage;
mod tidal;
mod wal;

use std::error::Error;
use std::sync::Arc;

pub use key::KeyError;
pub use kind::ErrorKind;
pub use query::QueryError;
pub use schema::SchemaError;
pub use storage::StorageError;
pub use tidal::TidalError;
pub use wal::WalError;

/// An error of another crate, shared.
pub type SharedError = Arc<dyn Error + Send + Sync>;

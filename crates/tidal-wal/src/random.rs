//! Randomness of the operating system, for identities.

use std::io;
use std::sync::Arc;

use tidal_types::{LogId, WalError};

pub(crate) fn log_id() -> Result<LogId, WalError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(unavailable)?;
    Ok(LogId::from_bytes(bytes))
}

pub(crate) fn nonce() -> Result<u64, WalError> {
    getrandom::u64().map_err(unavailable)
}

fn unavailable(error: getrandom::Error) -> WalError {
    let source = Arc::new(io::Error::other(error.to_string()));
    WalError::Io {
        operation: "read random bytes from",
        path: "the operating system".into(),
        source,
    }
}

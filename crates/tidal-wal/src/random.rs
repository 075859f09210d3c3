//! Identities, made of the random bits of the machine.

use tidal_types::{LogId, WalError};

use crate::disk::{Disk, failed};

pub(crate) fn log_id(disk: &dyn Disk) -> Result<LogId, WalError> {
    let mut bytes = [0; 16];
    for half in bytes.chunks_exact_mut(8) {
        half.copy_from_slice(&nonce(disk)?.to_le_bytes());
    }
    Ok(LogId::from_bytes(bytes))
}

pub(crate) fn nonce(disk: &dyn Disk) -> Result<u64, WalError> {
    disk.random_u64().map_err(failed("draw random bits for", disk.path("")))
}

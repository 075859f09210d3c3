//! What the caller should do about an error.

use std::io;

/// What the caller should do about an error. Two errors have different kinds
/// only if the caller would act differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// Fix the input: the same call can never succeed.
    Input,
    /// Try again later: someone else is in the way.
    Retry,
    /// Free space on the disk, then try again; nothing was lost.
    Space,
    /// Fix the surroundings: a permission, a path, a device.
    Environment,
    /// Open the database again: this handle is closed or no longer sound.
    Reopen,
    /// Restore from a backup: bytes on disk are damaged or missing.
    Damage,
    /// Report a bug in tidalDB.
    Bug,
}

impl ErrorKind {
    /// What an error of the operating system calls for.
    #[must_use]
    pub fn of_io(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull
            | io::ErrorKind::QuotaExceeded
            | io::ErrorKind::FileTooLarge => Self::Space,
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => Self::Retry,
            _ => Self::Environment,
        }
    }
}

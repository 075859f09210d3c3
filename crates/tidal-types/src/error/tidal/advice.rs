//! What the caller should do about what went wrong in the database.

use super::super::ErrorKind;
use super::TidalError;

impl TidalError {
    /// What the caller should do.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Schema(error) => error.kind(),
            Self::Query(error) => error.kind(),
            Self::Key(error) => error.kind(),
            Self::Storage(error) => error.kind(),
            Self::Wal(error) => error.kind(),
            Self::Closed | Self::NotFolded { .. } => ErrorKind::Reopen,
            Self::CheckpointerDied { .. } => ErrorKind::Bug,
            Self::Locked { .. } | Self::ProducerBehind { .. } => ErrorKind::Retry,
            Self::NotFound { .. }
            | Self::NotADatabase { .. }
            | Self::EngineMismatch { .. }
            | Self::InMemory
            | Self::BeforeNewest { .. }
            | Self::PastNotKept { .. }
            | Self::SignalOfOtherKind { .. }
            | Self::HistoryCut { .. }
            | Self::FutureTimestamp { .. }
            | Self::WindowNotDeclared { .. }
            | Self::VelocityNotDeclared { .. }
            | Self::SumsNotDeclared { .. }
            | Self::KindIsNumeric { .. }
            | Self::KindIsNamed { .. }
            | Self::Forgotten { .. }
            | Self::NameLength { .. }
            | Self::Fenced { .. }
            | Self::ProducerAndKey { .. }
            | Self::NoteLength { .. }
            | Self::MetadataLength { .. } => ErrorKind::Input,
            Self::UnsupportedFormat { .. } | Self::EngineMissing { .. } => ErrorKind::Environment,
            Self::LogMismatch { .. }
            | Self::StorageAhead { .. }
            | Self::SalvagedShort { .. }
            | Self::SalvageInterrupted { .. }
            | Self::RestoreUnfinished { .. }
            | Self::LogTooShort { .. }
            | Self::Damaged { .. } => ErrorKind::Damage,
            Self::Io { source, .. } => ErrorKind::of_io(source),
        }
    }
}

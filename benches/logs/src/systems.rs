//! The logs that are compared, behind one small trait.

mod bare;
mod fjall;
mod okaywal;
mod raft_engine;
pub(crate) mod tidal;

use std::path::Path;

use tidal_bench_measure::Result;

/// What can be asked of each.
pub(crate) trait Log: Send + Sync {
    /// Appends the records as one batch and returns once they survive a power cut.
    /// `writer` tells threads apart.
    fn append(&self, writer: usize, records: &[&[u8]]) -> Result<()>;

    /// Closes it, with everything in it written.
    fn close(self: Box<Self>) -> Result<()>;
}

/// Which one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum System {
    Tidal,
    RaftEngine,
    OkayWal,
    Fjall,
    /// A loop that writes blocks of this many bytes to a file of zeros and syncs each.
    Bare(usize),
}

impl System {
    /// The logs, without the bare loop.
    pub(crate) const LOGS: [Self; 4] = [Self::Tidal, Self::RaftEngine, Self::OkayWal, Self::Fjall];

    /// Its name, and the version that this package asks for.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Tidal => "tidal-wal",
            Self::RaftEngine => "raft-engine",
            Self::OkayWal => "okaywal",
            Self::Fjall => "fjall",
            Self::Bare(_) => "bare loop",
        }
    }

    /// A new one in an empty folder, for appending.
    pub(crate) fn create(self, dir: &Path) -> Result<Box<dyn Log>> {
        Ok(match self {
            Self::Tidal => Box::new(tidal::Tidal::open(dir)?),
            Self::RaftEngine => Box::new(raft_engine::RaftEngine::open(dir)?),
            Self::OkayWal => Box::new(okaywal::OkayWal::create(dir, okaywal::Segments::Recycled)?),
            Self::Fjall => Box::new(fjall::Fjall::open(dir)?),
            Self::Bare(block_bytes) => Box::new(bare::Bare::create(dir, block_bytes)?),
        })
    }

    /// A new one whose records are all kept, to be opened later.
    pub(crate) fn create_to_keep(self, dir: &Path) -> Result<Box<dyn Log>> {
        match self {
            Self::OkayWal => {
                Ok(Box::new(okaywal::OkayWal::create(dir, okaywal::Segments::OneForAll)?))
            }
            _ => self.create(dir),
        }
    }

    /// Opens what [`System::create_to_keep`] and appends have left, with everything
    /// that opening it takes. Returns it with the number of records it has found.
    pub(crate) fn open(self, dir: &Path) -> Result<(Box<dyn Log>, u64)> {
        Ok(match self {
            Self::Tidal => {
                let log = tidal::Tidal::open(dir)?;
                let records = log.record_count();
                (Box::new(log), records)
            }
            Self::RaftEngine => {
                let log = raft_engine::RaftEngine::open(dir)?;
                let records = log.record_count();
                (Box::new(log), records)
            }
            Self::OkayWal => {
                let (log, records) = okaywal::OkayWal::recover(dir)?;
                (Box::new(log), records)
            }
            Self::Fjall | Self::Bare(_) => return Err("is not opened again here".into()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_opened_again_has_every_record() {
        for system in [System::Tidal, System::RaftEngine, System::OkayWal] {
            let dir = tempfile::tempdir().unwrap();
            let log = system.create_to_keep(dir.path()).unwrap();
            for _ in 0..3 {
                log.append(0, &[&[7; 32], &[8; 32]]).unwrap();
            }
            log.close().unwrap();
            for _ in 0..2 {
                let (log, records) = system.open(dir.path()).unwrap();
                assert_eq!(records, 6, "{}", system.name());
                log.close().unwrap();
            }
        }
    }

    #[test]
    fn each_syncs_for_each_append() {
        for system in System::LOGS.into_iter().chain([System::Bare(512)]) {
            let dir = tempfile::tempdir().unwrap();
            let log = system.create(dir.path()).unwrap();
            let before = crate::sync::count();
            for _ in 0..10 {
                log.append(0, &[&[7; 32]]).unwrap();
            }
            assert!(crate::sync::count() >= before + 10, "{}", system.name());
        }
    }
}

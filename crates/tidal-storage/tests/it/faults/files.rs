//! Engines on disk that get wrong what is on disk, and who may open it.

use super::Faulty;

#[cfg(not(feature = "fjall"))]
pub(super) fn faulty_engines() -> Vec<Faulty> {
    Vec::new()
}

#[cfg(feature = "fjall")]
pub(super) fn faulty_engines() -> Vec<Faulty> {
    let faulty = |fault: &FileFault| Faulty {
        name: format!("{fault:?}"),
        factory: Box::new(Engine(*fault)),
        group: Some("durability"),
    };
    FileFault::ALL.iter().map(faulty).collect()
}

#[cfg(feature = "fjall")]
use sound_but_for_files::{Engine, FileFault};

#[cfg(feature = "fjall")]
mod sound_but_for_files {
    use std::fs;
    use std::path::Path;

    use tidal_storage::conformance::Factory;
    use tidal_storage::{Capabilities, MemoryStorage, Result, Storage, StorageError};

    use crate::conformance::FJALL;

    /// What it gets wrong.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub(in super::super) enum FileFault {
        KeepsNothing,
        LosesAKeyWhenReopened,
        BringsBackWhatWasDeleted,
        AcceptsASecondOpen,
        StaysLocked,
        WritesLate,
        ClearsFolders,
        ClearsFiles,
    }

    impl FileFault {
        pub(in super::super) const ALL: &[Self] = &[
            Self::KeepsNothing,
            Self::LosesAKeyWhenReopened,
            Self::BringsBackWhatWasDeleted,
            Self::AcceptsASecondOpen,
            Self::StaysLocked,
            Self::WritesLate,
            Self::ClearsFolders,
            Self::ClearsFiles,
        ];
    }

    /// Opens the engine with the fault.
    pub(in super::super) struct Engine(pub(in super::super) FileFault);

    impl Factory for Engine {
        fn capabilities(&self) -> Capabilities {
            FJALL.capabilities()
        }

        fn open(&self, directory: &Path) -> Result<Box<dyn Storage>> {
            match self.0 {
                FileFault::ClearsFolders if directory.join("thesis.tex").exists() => {
                    fs::remove_dir_all(directory).unwrap();
                    FJALL.open(directory)
                }
                FileFault::ClearsFiles if directory.is_file() => {
                    fs::remove_file(directory).unwrap();
                    FJALL.open(directory)
                }
                FileFault::AcceptsASecondOpen => match FJALL.open(directory) {
                    Err(StorageError::Locked { .. }) => Ok(Box::new(MemoryStorage::new())),
                    opened => opened,
                },
                FileFault::StaysLocked if directory.exists() => {
                    Err(StorageError::Locked { path: directory.to_path_buf() })
                }
                // What is copied was never written to.
                FileFault::WritesLate => {
                    let elsewhere = directory.with_extension("elsewhere");
                    drop(FJALL.open(directory));
                    FJALL.open(&elsewhere)
                }
                _ => FJALL.open(directory),
            }
        }

        fn reopen(&self, storage: Box<dyn Storage>, directory: &Path) -> Result<Box<dyn Storage>> {
            storage.close()?;
            drop(storage);
            if self.0 == FileFault::KeepsNothing {
                fs::remove_dir_all(directory).unwrap();
            }
            let storage = self.open(directory)?;
            for name in storage.stats()?.keyspaces.into_keys() {
                let keyspace = storage.keyspace(&name)?;
                match self.0 {
                    FileFault::LosesAKeyWhenReopened => {
                        let first = keyspace.scan_prefix(b"")?.next().transpose()?;
                        first.map_or(Ok(()), |(key, _)| keyspace.delete(&key))?;
                    }
                    FileFault::BringsBackWhatWasDeleted => {
                        for key in [&b"gone"[..], b"a", b"never"] {
                            keyspace.put(key, b"again")?;
                        }
                    }
                    _ => {}
                }
            }
            Ok(storage)
        }
    }
}

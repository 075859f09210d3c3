//! The integration tests of tidal-storage: one suite of named cases that every
//! engine passes, a differential test against a model, interleaved
//! transactions against another, and backups between engines.

#[cfg(test)]
mod backup;
#[cfg(test)]
mod differential;
#[cfg(test)]
mod engines;
#[cfg(test)]
mod interleavings;
#[cfg(test)]
#[cfg(any(feature = "fjall", feature = "lmdb", feature = "redb"))]
mod kill;
#[cfg(test)]
#[cfg(any(feature = "lmdb", feature = "redb"))]
mod read_only;
#[cfg(test)]
mod suite;

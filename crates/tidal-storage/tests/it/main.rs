//! The integration tests of tidal-storage: the conformance suite over every engine and
//! over faulty ones, a state machine against a model, interleaved transactions against
//! another, backups between engines, and processes that are killed.

#[cfg(test)]
mod backup;
#[cfg(test)]
mod conformance;
#[cfg(test)]
#[cfg(any(feature = "fjall", feature = "lmdb", feature = "redb"))]
mod damage;
#[cfg(test)]
mod engines;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod fixture;
#[cfg(test)]
mod interleavings;
#[cfg(test)]
#[cfg(any(feature = "fjall", feature = "lmdb", feature = "redb", feature = "rocksdb"))]
mod kill;
#[cfg(test)]
#[cfg(any(feature = "lmdb", feature = "redb", feature = "rocksdb"))]
mod read_only;
#[cfg(test)]
mod state_machine;

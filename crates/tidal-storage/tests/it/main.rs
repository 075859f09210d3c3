//! The integration tests of tidal-storage: one suite of named cases that every
//! engine passes, and a differential test against a model.

#[cfg(test)]
mod differential;
#[cfg(test)]
mod engines;
#[cfg(test)]
mod suite;

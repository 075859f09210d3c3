//! The demonstration: a made-up video site, its events, and what tidalDB makes
//! of them.

mod catalog;
mod home;
mod proof;
mod random;
mod report;
mod stream;

pub(crate) use catalog::{Catalog, schema};
pub(crate) use home::Home;
pub(crate) use proof::Fingerprint;
pub(crate) use report::Report;
pub(crate) use stream::Stream;

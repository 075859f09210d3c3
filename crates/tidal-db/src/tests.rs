//! Tests of the whole that need what is not public, and what they share.

mod acceptance;
pub(crate) mod crash_storage;
mod life;
mod model;
pub(crate) mod reference;
mod storage_trouble;

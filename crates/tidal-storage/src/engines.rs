//! One file, or folder, for each engine.

#[cfg(feature = "fjall")]
pub(crate) mod fjall;
pub(crate) mod memory;

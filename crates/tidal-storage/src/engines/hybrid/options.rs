//! How the two engines are tuned.

use crate::{FjallOptions, RedbOptions};

/// How a [`HybridStorage`](crate::HybridStorage) is tuned: each engine as it would
/// be alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct HybridOptions {
    /// For the keys with the tags `Evt`, `Sig` and `Meta`.
    pub fjall: FjallOptions,
    /// For every other key.
    pub redb: RedbOptions,
}

//! What a write survives.

/// What has survived when a write returns. Whatever the level, a batch is there
/// whole or not at all, and a crash never takes a write and leaves a later one
/// of the same storage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Durability {
    /// The write is with the operating system. It survives a crash or a kill of
    /// the process; a power cut or a crash of the operating system may take it,
    /// together with everything written since the last sync. Costs no sync, unless
    /// [`Capabilities::buffer_syncs`](crate::Capabilities::buffer_syncs).
    #[default]
    Buffer,
    /// The write, and everything written before it, is on the disk: it survives
    /// a power cut too, as far as the disk tells the truth. Costs one sync.
    Sync,
}

//! The chain of digests that runs through a log.
//!
//! Each group carries `BLAKE3(previous digest || header fields || body)` under a
//! key derived from a context string of this format. So a group that is missing,
//! swapped or taken from elsewhere breaks the chain, even where its checksum is
//! right. Whoever keeps a digest elsewhere can later prove that the log still
//! says the same; the chain alone cannot prove that against someone who rewrites
//! the whole log.
//!
//! The chain begins with a digest of the LogId, and where the log has a parent, of the
//! parent too: `LogId || parent's LogId || last seq taken over, 8 bytes || the parent's
//! digest there`, under a context of its own. So whoever knows the head of a salvaged
//! log knows which history it goes on from.

use std::fmt;

use tidal_types::LogId;

use super::Parent;

const GROUP_CONTEXT: &str = "tidal-wal v1 group chain";
const GENESIS_CONTEXT: &str = "tidal-wal v1 genesis";
const CHILD_CONTEXT: &str = "tidal-wal v1 genesis of a log with a parent";

/// The digest of everything in a log up to the end of a group.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    pub(crate) const ZERO: Self = Self([0; 32]);

    /// The digest with these bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; 32] {
        self.0
    }

    /// The digest of an empty log.
    pub(crate) fn genesis(log_id: LogId, parent: Option<&Parent>) -> Self {
        let log_id = log_id.to_bytes();
        match parent {
            None => Self(blake3::derive_key(GENESIS_CONTEXT, &log_id)),
            Some(parent) => {
                let parent = Parent::encode(Some(parent));
                Self(blake3::derive_key(CHILD_CONTEXT, &[log_id.as_slice(), &parent].concat()))
            }
        }
    }

    /// The digest after one more group.
    pub(crate) fn after(self, group: ChainInput<'_>) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key(GROUP_CONTEXT);
        hasher.update(&self.0).update(group.header_fields).update(group.body);
        Self(*hasher.finalize().as_bytes())
    }
}

/// The parts of a group that the chain covers.
#[derive(Clone, Copy)]
pub(crate) struct ChainInput<'a> {
    pub(crate) header_fields: &'a [u8],
    pub(crate) body: &'a [u8],
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

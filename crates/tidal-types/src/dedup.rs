//! Deduplication keys: what a record is known by when it is sent again.

/// What a record is known by when it is sent again within the log's window.
///
/// A producer that numbers its events needs no window, see
/// [`Producer`](crate::Producer); a key is for senders without memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DedupKey {
    /// 16 bytes that the sender chose, and that no other record has: a UUID, or a
    /// digest of what the record is about. Two records with one key and other
    /// content are refused.
    Client([u8; 16]),
    /// The content itself: two records of the same bytes are taken for one, even
    /// when both happened. So something in them, such as a precise time, must tell
    /// apart what is to count twice.
    Content,
}

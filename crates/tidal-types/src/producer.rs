//! Producers: who sends events, so that what is sent again counts once.

use std::fmt;

/// The identity of a producer: 16 bytes that its owner chose, such as a random
/// number it keeps or a digest of the file it reads.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProducerId([u8; 16]);

impl ProducerId {
    /// The identity with these bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; 16] {
        self.0
    }
}

impl fmt::Display for ProducerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ProducerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ProducerId({self})")
    }
}

/// Where an event comes from: the producer, and the event's number there.
///
/// A producer numbers its events upwards, with gaps if it likes, and sends them in
/// that order. An event whose number is not above the last one taken in the same
/// epoch is a repeat. A newer epoch starts the numbers over and fences off
/// whoever still sends in an older one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Producer {
    /// Who.
    pub id: ProducerId,
    /// Which life of it; each is newer than the one before.
    pub epoch: u32,
    /// The number of the event in that life.
    pub seq: u64,
}

impl Producer {
    /// The producer of the event that follows directly; `None` at the end of the
    /// numbers.
    #[must_use]
    pub const fn next(self) -> Option<Self> {
        match self.seq.checked_add(1) {
            Some(seq) => Some(Self { seq, ..self }),
            None => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_event_has_the_next_number() {
        let last = Producer { id: ProducerId::from_bytes([1; 16]), epoch: 2, seq: u64::MAX - 1 };
        let next = last.next().unwrap();
        assert_eq!(next, Producer { seq: u64::MAX, ..last });
        assert_eq!(next.next(), None);
        assert_eq!(last.id.to_string(), "01".repeat(16));
    }
}

//! The bytes of one simulated file, in two layers.

use super::rng::Rng;

/// What a disk writes whole or not at all.
const SECTOR_BYTES: usize = 512;

/// The bytes of one file.
#[derive(Debug, Clone, Default)]
pub(super) struct Content {
    /// What survives a power cut.
    durable: Vec<u8>,
    /// What a read sees.
    cached: Vec<u8>,
    /// What was written since the last sync, in order.
    unsynced: Vec<Write>,
}

#[derive(Debug, Clone)]
struct Write {
    offset: usize,
    bytes: Vec<u8>,
}

impl Content {
    /// A file that was synced.
    pub(super) fn of(bytes: &[u8]) -> Self {
        Self { durable: bytes.to_vec(), cached: bytes.to_vec(), unsynced: Vec::new() }
    }

    pub(super) fn cached(&self) -> &[u8] {
        &self.cached
    }

    pub(super) fn durable(&self) -> &[u8] {
        &self.durable
    }

    pub(super) fn write(&mut self, bytes: &[u8], offset: usize) {
        put(&mut self.cached, bytes, offset);
        self.unsynced.push(Write { offset, bytes: bytes.to_vec() });
    }

    /// Cuts the file to nothing, at once in both layers.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Makes durable what was written since the last sync, and nothing else: pages
    /// that a failed sync has marked clean stay as they are (S3).
    pub(super) fn sync(&mut self) {
        for write in std::mem::take(&mut self.unsynced) {
            put(&mut self.durable, &write.bytes, write.offset);
        }
    }

    /// A sync that fails (S3).
    pub(super) fn fail_sync(&mut self, rng: &mut Rng) {
        self.tear(rng);
    }

    /// A power cut (S1).
    pub(super) fn lose(&mut self, rng: &mut Rng) {
        self.tear(rng);
        self.cached.clone_from(&self.durable);
    }

    /// Reads what is on the disk again, except where a write still waits.
    pub(super) fn evict(&mut self) {
        let length = self.cached.len();
        self.cached.clone_from(&self.durable);
        for write in &self.unsynced {
            put(&mut self.cached, &write.bytes, write.offset);
        }
        // The length is no page: it is never forgotten.
        if self.cached.len() < length {
            self.cached.resize(length, 0);
        }
    }

    /// Lets some of what was written reach the disk, and forgets the rest.
    fn tear(&mut self, rng: &mut Rng) {
        let mut writes = std::mem::take(&mut self.unsynced);
        if let Some(last) = writes.last_mut()
            && rng.one_in(2)
        {
            last.bytes.truncate(rng.below_len(last.bytes.len() + 1));
        }
        let Some(end) = writes.iter().map(Write::end).max() else {
            return;
        };
        let before = self.durable.len();
        let after = match end.saturating_sub(before) {
            0 => before,
            growth if rng.one_in(2) => before + rng.below_len(growth + 1),
            growth => before + growth,
        };
        let loss = Loss::draw(rng);
        for sector in (0..end).step_by(SECTOR_BYTES) {
            let touching: Vec<_> = writes.iter().filter(|write| write.touches(sector)).collect();
            let arrived = loss.arrived(touching.len(), rng);
            for write in touching.into_iter().take(arrived) {
                let (bytes, offset) = write.within(sector);
                put(&mut self.durable, bytes, offset);
            }
        }
        self.durable.resize(after.max(before), 0);
    }
}

impl Write {
    const fn end(&self) -> usize {
        self.offset + self.bytes.len()
    }

    const fn touches(&self, sector: usize) -> bool {
        self.offset < sector + SECTOR_BYTES && self.end() > sector
    }

    /// The part of it in one sector that it touches.
    fn within(&self, sector: usize) -> (&[u8], usize) {
        let from = self.offset.max(sector);
        let to = self.end().min(sector + SECTOR_BYTES);
        let bytes = self.bytes.get(from - self.offset..to - self.offset);
        (bytes.unwrap_or_default(), from)
    }
}

/// How much of what was written is lost.
#[derive(Debug, Clone, Copy)]
enum Loss {
    Everything,
    Nothing,
    /// One sector in eight.
    Some,
    /// Any sector, as of any of the writes to it.
    Any,
}

impl Loss {
    fn draw(rng: &mut Rng) -> Self {
        match rng.below(4) {
            0 => Self::Everything,
            1 => Self::Nothing,
            2 => Self::Some,
            _ => Self::Any,
        }
    }

    /// How many of the writes to a sector have reached it.
    fn arrived(self, writes: usize, rng: &mut Rng) -> usize {
        match self {
            Self::Everything => 0,
            Self::Nothing => writes,
            Self::Some if rng.one_in(8) => 0,
            Self::Some => writes,
            Self::Any => rng.below_len(writes + 1),
        }
    }
}

/// Writes into bytes that grow as needed.
fn put(target: &mut Vec<u8>, bytes: &[u8], offset: usize) {
    let end = offset + bytes.len();
    if target.len() < end {
        target.resize(end, 0);
    }
    let place = target.get_mut(offset..end).expect("there is room up to the end");
    place.copy_from_slice(bytes);
}

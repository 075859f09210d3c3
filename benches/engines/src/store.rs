//! What is asked of an engine, whichever way.

use tidal_bench_measure::Result;

/// A key and a value.
pub(crate) type Entry<'a> = (&'a [u8], &'a [u8]);

/// What a scan has come across.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Scanned {
    pub(crate) entries: usize,
    pub(crate) bytes: usize,
}

impl Scanned {
    /// Counts an entry, having looked at it.
    pub(crate) fn see(&mut self, key: &[u8], value: &[u8]) {
        self.entries += 1;
        self.bytes += looked_at(key) + looked_at(value);
    }
}

/// One keyspace of one engine, reached by its own interface or through tidal-storage.
/// Either way a call does the same work and has the same durability; a read sees every
/// write that has returned, and a scan one moment.
pub(crate) trait Store {
    /// Writes a batch, which a crash of the process does not take.
    fn write(&self, entries: &mut dyn Iterator<Item = Entry<'_>>) -> Result<()>;

    /// Writes an entry, which a power cut does not take.
    fn write_durably(&self, entry: Entry<'_>) -> Result<()>;

    /// Makes durable what was written.
    fn sync(&self) -> Result<()>;

    /// Looks at the value of a key, and returns its length.
    fn read(&self, key: &[u8]) -> Result<Option<usize>>;

    /// Looks at the entries whose keys begin so.
    fn scan(&self, prefix: &[u8]) -> Result<Scanned>;
}

/// The length of bytes, which the compiler has to have ready in memory.
pub(crate) fn looked_at(bytes: &[u8]) -> usize {
    std::hint::black_box(bytes).len()
}

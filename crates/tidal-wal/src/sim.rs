//! A simulated disk, for tests of a log that crashes.
//!
//! [`SimDisk`] keeps two layers of everything: what the operating system knows,
//! and what would survive a power cut. It is deterministic: the same seed and the
//! same calls give the same bytes, so a failing run is replayed by its seed.
//!
//! S1. What was synced, contents of files and names in the directory, survives a
//!     power cut. Of what was not, any 512-byte sectors survive, any prefix of the
//!     last write, any length, and any names, as long as operations on one name
//!     keep their order.
//! S2. What was written survives the end of the process.
//! S3. A sync that fails leaves part of the bytes on the disk and all of them in
//!     the page cache, marked clean: the next sync says that all is well, and an
//!     eviction brings the old bytes back. So does Linux.
//!
//! ```
//! # #[cfg(feature = "sim")] {
//! use tidal_wal::sim::SimDisk;
//! use tidal_wal::{Batch, RecordKind, Seq, Wal, WalOptions};
//!
//! let disk = SimDisk::new(7);
//! let log = Wal::open_simulated(&disk, WalOptions::default())?;
//! let mut batch = Batch::new();
//! batch.push(RecordKind(1), b"first")?;
//! let ticket = log.append(&batch)?;
//! assert!(!ticket.is_done());
//! log.step();
//! ticket.wait()?;
//! disk.die();
//! drop(log);
//! disk.power_cut();
//! let log = Wal::open_simulated(&disk, WalOptions::default())?;
//! assert_eq!(log.head().position.seq, Seq::FIRST);
//! # }
//! # Ok::<(), tidal_wal::WalError>(())
//! ```

mod content;
mod directory;
mod faults;
mod files;
mod rng;

use std::sync::Arc;

pub use faults::Fault;
pub use rng::Rng;

use content::Content;
use directory::Directory;
use faults::Faults;

use crate::sync::{Mutex, MutexGuard};

/// A disk in memory. Clones are the same disk.
#[derive(Debug, Clone)]
pub struct SimDisk {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Clone)]
struct State {
    rng: Rng,
    /// By the number that the directory knows a file by.
    contents: Vec<Content>,
    directory: Directory,
    faults: Faults,
    /// How many bytes all files may have.
    space: u64,
}

impl SimDisk {
    /// An empty disk.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self::of(State {
            rng: Rng::new(seed),
            contents: Vec::new(),
            directory: Directory::default(),
            faults: Faults::default(),
            space: u64::MAX,
        })
    }

    fn of(state: State) -> Self {
        Self { state: Arc::new(Mutex::new(state)) }
    }

    /// Another disk that holds the same.
    #[must_use]
    pub fn copy(&self) -> Self {
        Self::of(self.lock().clone())
    }

    /// The operation after the next `count` ones suffers from `fault`.
    pub fn arm(&self, count: u64, fault: Fault) {
        self.lock().faults.arm(count, fault);
    }

    /// One in so many reads and writes is interrupted, or does only a part, or finds
    /// the page cache evicted (S3); zero for none, as at first.
    pub fn disturb(&self, one_in: u64) {
        self.lock().faults.disturb(one_in);
    }

    /// How many faults there were, apart from disturbances.
    #[must_use]
    pub fn faults(&self) -> u64 {
        self.lock().faults.suffered()
    }

    /// How many bytes all files have together.
    #[must_use]
    pub fn used(&self) -> u64 {
        self.lock().used()
    }

    /// From now on there is room for so many bytes in all files together.
    pub fn limit_space(&self, bytes: u64) {
        self.lock().space = bytes;
    }

    /// Every operation fails, until a [power cut](Self::power_cut) or a
    /// [kill](Self::kill).
    pub fn die(&self) {
        self.lock().faults.die();
    }

    /// The power was cut (S1), and is back.
    pub fn power_cut(&self) {
        let state = &mut *self.lock();
        state.directory.lose(&mut state.rng);
        for content in &mut state.contents {
            content.lose(&mut state.rng);
        }
        state.faults.restart("power cut");
    }

    /// The process was killed (S2), and another begins.
    pub fn kill(&self) {
        self.lock().faults.restart("kill");
    }

    /// The page cache forgets what it holds as clean (S3).
    pub fn evict(&self) {
        self.lock().contents.iter_mut().for_each(Content::evict);
    }

    /// The names of all files.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.lock().directory.names()
    }

    /// What a file holds for who reads it; `None` when there is none.
    #[must_use]
    pub fn cached(&self, name: &str) -> Option<Vec<u8>> {
        self.lock().content(name).map(|content| content.cached().to_vec())
    }

    /// What a file certainly holds after a power cut, if its name survives.
    #[must_use]
    pub fn durable(&self, name: &str) -> Option<Vec<u8>> {
        self.lock().content(name).map(|content| content.durable().to_vec())
    }

    /// Puts a file there, durably, in place of any of that name.
    pub fn put(&self, name: &str, bytes: &[u8]) {
        let state = &mut *self.lock();
        let content = Content::of(bytes);
        if let Some(file) = state.directory.find(name) {
            *state.content_mut(file) = content;
        } else {
            state.contents.push(content);
            state.directory.put(name, state.contents.len() - 1);
        }
    }

    /// Takes a file away, durably.
    pub fn take(&self, name: &str) {
        self.lock().directory.take(name);
    }

    /// The last operations, one a line, for who looks for the cause of a failure.
    #[must_use]
    pub fn trace(&self) -> String {
        self.lock().faults.trace()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no thread panics while it holds the disk")
    }
}

impl State {
    fn content(&self, name: &str) -> Option<&Content> {
        self.contents.get(self.directory.find(name)?)
    }

    fn content_mut(&mut self, file: usize) -> &mut Content {
        self.contents.get_mut(file).expect("contents are never taken away")
    }

    fn used(&self) -> u64 {
        let files = self.directory.files().filter_map(|file| self.contents.get(file));
        files.map(|content| content.cached().len() as u64).sum()
    }

    /// How many more bytes there is room for.
    fn room(&self) -> u64 {
        self.space.saturating_sub(self.used())
    }
}

#[cfg(test)]
mod tests;

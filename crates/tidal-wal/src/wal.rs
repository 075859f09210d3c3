//! The handle of an open log.

mod cursors;
mod redacting;
mod retention;
mod sealing;
mod stats;
mod waiting;

use std::path::Path;
use std::sync::Arc;

use tidal_types::{Position, Seq, WalError};

use crate::batch::Batch;
use crate::completion::completion;
#[cfg(test)]
use crate::disk::Disk;
use crate::disk::{RealDisk, failed};
use crate::format::{Digest, Parent, SegmentNumber};
use crate::names;
use crate::open::open;
use crate::options::{Durability, WalOptions};
use crate::queue::WhenFull;
use crate::reader::Reader;
use crate::runner::Runner;
use crate::shared::Shared;
#[cfg(any(test, feature = "sim"))]
use crate::sim::SimDisk;
use crate::sync::{Mutex, MutexGuard};
use crate::ticket::{Appended, Ticket, writer_gone};
use crate::writer::fail_all;

pub use redacting::Redacted;
pub use sealing::Sealed;
pub use stats::WalStats;

/// The end of a log: which record comes next, and the digest of all before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// The last durable record; [`Seq::ZERO`] in an empty log.
    pub position: Position,
    /// The digest of the chain after it. Kept elsewhere, it later proves that
    /// the log still says the same.
    pub digest: Digest,
}

/// An open log.
///
/// Every method takes `&self`; share the log between threads in an
/// [`Arc`](std::sync::Arc). Dropping it writes and syncs what was appended.
#[derive(Debug)]
pub struct Wal {
    pub(crate) shared: Arc<Shared>,
    durability: Durability,
    /// `None` once the log is closed. Held by who closes it or removes segments.
    runner: Mutex<Option<Runner>>,
}

impl Wal {
    /// Opens the log in `dir`, or creates one there. See the crate's
    /// documentation for what opening a log after a crash does.
    ///
    /// # Errors
    /// [`WalError::Locked`] when it is open elsewhere; [`WalError::Damaged`],
    /// [`WalError::Missing`], [`WalError::Foreign`] and
    /// [`WalError::UnsupportedVersion`] when what lies there is not the log that
    /// was written, and then nothing is changed; [`WalError::NoSpace`];
    /// [`WalError::InvalidOption`]; [`WalError::Io`].
    pub fn open(dir: &Path, options: WalOptions) -> Result<Self, WalError> {
        options.check()?;
        if options.continues.is_some() && !dir.is_dir() {
            // Not even the directory is made where a log was expected.
            let first = names::segment(SegmentNumber::FIRST);
            return Err(WalError::Missing { path: dir.join(first) });
        }
        let disk = RealDisk::create(dir)?;
        let lock = disk.lock()?;
        let (shared, mut writer) = open(Arc::new(disk), Some(lock), &options)?;
        writer.spares().start_thread(dir.into())?;
        let runner = Runner::spawn(writer, dir.into())?;
        Ok(Self::new(shared, options.durability, runner))
    }

    /// Opens the log on any disk. No thread makes segments ahead, so that the
    /// operations on the disk have one order.
    #[cfg(test)]
    pub(crate) fn open_on(disk: Arc<dyn Disk>, options: WalOptions) -> Result<Self, WalError> {
        let (shared, writer) = open(disk, None, &options)?;
        let runner = Runner::spawn(writer, shared.disk.path(""))?;
        Ok(Self::new(shared, options.durability, runner))
    }

    /// Opens the log on a simulated disk with all the threads of a real one.
    #[cfg(all(test, any(loom, shuttle)))]
    pub(crate) fn open_threaded(
        disk: &SimDisk,
        options: WalOptions,
        makes_spares: bool,
    ) -> Result<Self, WalError> {
        let (shared, mut writer) = open(Arc::new(disk.clone()), None, &options)?;
        if makes_spares {
            writer.spares().start_thread(shared.disk.path(""))?;
        }
        let runner = Runner::spawn(writer, shared.disk.path(""))?;
        Ok(Self::new(shared, options.durability, runner))
    }

    fn new(shared: Arc<Shared>, durability: Durability, runner: Runner) -> Self {
        Self { shared, durability, runner: Mutex::new(Some(runner)) }
    }

    /// Appends the records of a batch: after a crash all of them are there, or
    /// none. Waits while too much is queued. The ticket answers once the records
    /// are as durable as the log was opened for.
    ///
    /// A record whose key is in the [window](crate::DedupOptions) is not written
    /// again: it is answered [`Outcome::Duplicate`](crate::Outcome::Duplicate), and not
    /// before the original is as durable. The others of its batch are written.
    ///
    /// # Errors
    /// [`WalError::EmptyBatch`]; [`WalError::KeyReused`] when a key is that of a record
    /// with other content, and [`WalError::WindowFull`] when there are too many keys:
    /// nothing of the batch was appended; [`WalError::Poisoned`] after a failed write or
    /// sync; [`WalError::Closed`].
    pub fn append(&self, batch: &Batch) -> Result<Ticket, WalError> {
        self.push(batch, None, WhenFull::Wait)
    }

    /// Appends like [`Wal::append`], if the first record gets the number
    /// `expected`. So a caller who counts along knows that everything it appended
    /// before is in the log if this is: after [`WalError::NoSpace`] the numbers of
    /// what was not written are given out again. It is the first new record that counts;
    /// when none is new, the one that comes next.
    ///
    /// # Errors
    /// [`WalError::OutOfPlace`]: nothing was appended. Those of [`Wal::append`].
    pub fn append_at(&self, batch: &Batch, expected: Seq) -> Result<Ticket, WalError> {
        self.push(batch, Some(expected), WhenFull::Wait)
    }

    /// Appends like [`Wal::append`], but never waits: not for room in the queue, nor
    /// for the disk.
    ///
    /// # Errors
    /// [`WalError::WouldBlock`] when
    /// [`QUEUE_BYTES_MAX`](crate::limits::QUEUE_BYTES_MAX) are queued: nothing was
    /// appended, and a later call may succeed. Those of [`Wal::append`].
    pub fn try_append(&self, batch: &Batch) -> Result<Ticket, WalError> {
        self.push(batch, None, WhenFull::Refuse)
    }

    /// Appends like [`Wal::append_at`], but never waits.
    ///
    /// # Errors
    /// Those of [`Wal::try_append`] and [`Wal::append_at`].
    pub fn try_append_at(&self, batch: &Batch, expected: Seq) -> Result<Ticket, WalError> {
        self.push(batch, Some(expected), WhenFull::Refuse)
    }

    fn push(
        &self,
        batch: &Batch,
        expected: Option<Seq>,
        when_full: WhenFull,
    ) -> Result<Ticket, WalError> {
        if batch.is_empty() {
            return Err(WalError::EmptyBatch);
        }
        let (answer, pending) = match self.durability {
            Durability::Buffered => (None, None),
            Durability::Written | Durability::Durable => {
                let (completer, pending) = completion();
                (Some(completer), Some(pending))
            }
        };
        // Digests are computed before the queue is locked, and only where there are keys.
        let stamps = batch.stamps(&self.shared.hasher);
        let placed = self.shared.queue.push(batch, &stamps, expected, answer, when_full)?;
        Ok(Ticket::new(Appended::new(placed), pending))
    }

    pub(crate) const fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Makes everything appended before durable, whatever the log was opened
    /// for.
    ///
    /// # Errors
    /// Those of [`Wal::append`] and [`Ticket::wait`]; also when records of an
    /// append that nobody waited for were not written.
    pub fn sync(&self) -> Result<(), WalError> {
        let (completer, pending) = completion();
        self.shared.queue.push(&Batch::new(), &[], None, Some(completer), WhenFull::Wait)?;
        #[cfg(any(test, feature = "sim"))]
        self.step();
        let synced = pending.wait().unwrap_or_else(|| Err(writer_gone()));
        // Told here at the latest, so taken in any case.
        let unheard = self.shared.queue.take_unheard();
        synced.and(unheard.map_or(Ok(()), Err))
    }

    /// How far the log is durable.
    #[must_use]
    pub fn head(&self) -> Head {
        let durable = self.shared.durable();
        let seq = durable.next_seq.previous();
        Head { position: Position { log_id: self.shared.log_id, seq }, digest: durable.digest }
    }

    /// The log whose records this one took over when that was salvaged, and how far;
    /// `None` for a log that began by itself.
    #[must_use]
    pub fn parent(&self) -> Option<Parent> {
        self.shared.segments().parent()
    }

    /// The first record the log still has, or will have.
    #[must_use]
    pub fn first_seq(&self) -> Seq {
        self.shared.segments().first_seq()
    }

    /// How many bytes the segments take on disk.
    #[must_use]
    pub fn bytes_on_disk(&self) -> u64 {
        self.shared.segments().total_bytes()
    }

    /// How many segments there are.
    #[must_use]
    pub fn segment_count(&self) -> usize {
        self.shared.segments().len()
    }

    /// A reader from record `from` on, which follows the log as it grows.
    #[must_use]
    pub fn reader(&self, from: Seq) -> Reader {
        Reader::new(Arc::clone(&self.shared), from)
    }

    /// Removes the segments that hold only records before `seq`, and none that a
    /// [cursor](Wal::cursor) has not come past or a [hold](Wal::hold) has, oldest first, and returns how many. The caller vouches that it can do without them, also
    /// after a power cut. The last segment always stays, so that numbers are
    /// never given out twice; so does what the older of two [checkpoints](Self::checkpoint)
    /// needs, and everything as long as there is only one. A log without checkpoints
    /// whose window has keys in those segments writes two for itself first.
    ///
    /// # Errors
    /// [`WalError::Io`]; the log then takes no more records. [`WalError::NoSpace`] when
    /// there was no room for such a checkpoint; nothing was removed.
    pub fn truncate_before(&self, seq: Seq) -> Result<usize, WalError> {
        let mut checkpoints = self.shared.checkpoints();
        let seq = self.hold_back(&mut checkpoints, seq)?;
        // Held throughout: once the log is closed, its files are someone else's.
        let runner = self.lock_runner();
        if runner.is_none() {
            return Err(WalError::Closed { path: self.shared.disk.path("") });
        }
        if let Some(cause) = self.shared.queue.failure() {
            return Err(WalError::Poisoned { cause });
        }
        self.remove_before(seq).inspect_err(|error| {
            fail_all(&self.shared, Arc::new(error.clone()), Vec::new());
        })
    }

    fn remove_before(&self, seq: Seq) -> Result<usize, WalError> {
        // Held throughout, so that no cursor is made at a record that is being removed.
        let cursors = self.shared.cursor_file();
        let needed = cursors.places().values().min().map_or(seq, |place| place.next());
        let held = self.shared.progress.lock().holds.values().min().copied();
        let seq = seq.min(needed).min(held.unwrap_or(seq));
        let (removable, oldest) = self.shared.segments().before(seq);
        let Some(oldest) = oldest.filter(|_| !removable.is_empty()) else {
            return Ok(0);
        };
        self.shared.floor().forget_before(oldest)?;
        self.shared.segments().forget_before(oldest);
        let disk = &self.shared.disk;
        for &number in &removable {
            let name = names::segment(number);
            disk.remove(&name).map_err(failed("remove", disk.path(&name)))?;
        }
        disk.sync_dir().map_err(failed("sync", disk.path("")))?;
        Ok(removable.len())
    }

    /// Writes and syncs what was appended, and releases the log. Whoever calls
    /// while another thread does waits for it; calling it again does nothing.
    ///
    /// # Errors
    /// [`WalError::Poisoned`] when the log failed at any time before or now;
    /// [`WalError::NoSpace`] when records of an append that nobody waited for were
    /// not written.
    pub fn close(&self) -> Result<(), WalError> {
        self.shared.queue.close();
        let mut guard = self.lock_runner();
        let Some(runner) = guard.take() else {
            return Ok(());
        };
        // A waker that holds the last reference drops the log on the writer's own
        // thread, which ends by itself once the queue is empty.
        if runner.is_this_thread() {
            return Ok(());
        }
        let outcome = runner.finish();
        drop(guard);
        outcome
    }

    pub(crate) fn lock_runner(&self) -> MutexGuard<'_, Option<Runner>> {
        self.runner.lock().expect("no thread panics while it closes the log")
    }
}

#[cfg(any(test, feature = "sim"))]
impl Wal {
    /// Opens the log on a simulated disk. No thread is started: nothing is written
    /// but by [`Wal::step`], [`Wal::step_preallocator`], [`Wal::sync`] and
    /// [`Wal::close`], so that a run can be replayed. Waiting for a ticket that is not done would wait for ever.
    ///
    /// # Errors
    /// Those of [`Wal::open`].
    pub fn open_simulated(disk: &SimDisk, options: WalOptions) -> Result<Self, WalError> {
        options.check()?;
        Self::open_stepped(disk, options)
    }

    /// The same with any options, for logs that are smaller than anyone wants.
    pub(crate) fn open_stepped(disk: &SimDisk, options: WalOptions) -> Result<Self, WalError> {
        let (shared, writer) = open(Arc::new(disk.clone()), None, &options)?;
        Ok(Self::new(shared, options.durability, Runner::Stepped(Box::new(writer))))
    }

    /// What the writer of a simulated log does next: writes what is queued, or
    /// what an idle log does. Does nothing in any other log.
    pub fn step(&self) {
        if let Some(runner) = &mut *self.lock_runner() {
            runner.step();
        }
    }

    /// Makes the next segment of a simulated log ahead, if it is time for that. Does
    /// nothing in any other log.
    pub fn step_preallocator(&self) {
        if let Some(runner) = &mut *self.lock_runner() {
            runner.make_spare();
        }
    }
}

impl Drop for Wal {
    fn drop(&mut self) {
        if let Err(error) = self.close() {
            tracing::error!(%error, "the log was dropped after it had failed");
        }
    }
}

//! A cursor: a reader with a durable place.
//!
//! C1. A place is durable before anyone is told that it is, and never falls.
//! C2. No place is above the last durable record.
//! C3. A cursor has at most one handle.

use std::sync::Arc;
use std::time::Duration;

use tidal_types::{Seq, WalError};

use crate::shared::Shared;
use crate::writer::mark_failed;
use crate::{LogRecord, Reader};

/// Where a cursor begins that the log does not have yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CursorStart {
    /// At the first record that is kept.
    #[default]
    FirstKept,
    /// Behind the last durable record.
    Head,
}

/// How a cursor stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CursorStats {
    /// Its name.
    pub name: String,
    /// The last record that it committed, or that it began behind.
    pub place: Seq,
    /// How many durable records lie behind that.
    pub records_behind: u64,
    /// How many bytes of the log it holds on to: from the beginning of the segment with
    /// its next record to the last durable one; zero when there is none.
    pub bytes_behind: u64,
    /// Whether it has a handle in this process.
    pub in_use: bool,
}

/// A reader whose place survives crashes, and holds truncation back.
///
/// It reads like a [`Reader`]. What it has read it [commits](Cursor::commit) when it
/// is done with it; after a crash it goes on behind the last place that it committed,
/// so it sees each record at least once.
///
/// Dropping the handle leaves the place where it is, and truncation held back;
/// [`Wal::remove_cursor`](crate::Wal::remove_cursor) lets go.
///
/// ```
/// use tidal_wal::{Batch, RecordKind, Wal, WalOptions};
///
/// # let dir = tempfile::tempdir()?;
/// let log = Wal::open(dir.path(), WalOptions::default())?;
/// let mut batch = Batch::new();
/// batch.push(RecordKind(1), b"first")?;
/// log.append(&batch)?.wait()?;
///
/// let mut cursor = log.cursor("search-index")?;
/// while let Some(record) = cursor.next_record()? {
///     let seq = record.seq; // after indexing its payload
///     cursor.commit(seq)?;
/// }
/// assert_eq!(log.cursors()[0].records_behind, 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Cursor {
    shared: Arc<Shared>,
    name: String,
    reader: Reader,
}

impl Cursor {
    /// The handle of a cursor that is marked as in use.
    pub(crate) fn new(shared: Arc<Shared>, name: String, place: Seq) -> Self {
        let reader = Reader::new(Arc::clone(&shared), place.next());
        Self { shared, name, reader }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The last record that was committed, or that it began behind.
    #[must_use]
    pub fn place(&self) -> Seq {
        let state = self.shared.progress.lock();
        state.cursors.get(&self.name).map_or(Seq::ZERO, |cursor| cursor.place)
    }

    /// The next record, as [`Reader::next_record`] gives it.
    ///
    /// # Errors
    /// Those of [`Reader::next_record`].
    pub fn next_record(&mut self) -> Result<Option<LogRecord<'_>>, WalError> {
        self.reader.next_record()
    }

    /// The next record, waiting for it, as [`Reader::wait_record`] gives it.
    ///
    /// # Errors
    /// Those of [`Reader::wait_record`].
    pub fn wait_record(&mut self, timeout: Duration) -> Result<Option<LogRecord<'_>>, WalError> {
        self.reader.wait_record(timeout)
    }

    /// Makes it durable that the records up to `seq` are done with: truncation may
    /// remove them, and the next handle reads on behind them. It costs a sync; a
    /// place that is not ahead of the last one costs nothing and changes nothing.
    ///
    /// # Errors
    /// [`WalError::CursorAhead`] when `seq` is not durable;
    /// [`WalError::Closed`]; [`WalError::Poisoned`]. After [`WalError::Io`] the log
    /// takes no more records, and the place is this or the one before.
    pub fn commit(&self, seq: Seq) -> Result<(), WalError> {
        // Held throughout: while it is free the log may be closed, and its files are
        // someone else's.
        let mut file = self.shared.cursor_file();
        self.shared.progress.check()?;
        let durable = self.shared.progress.lock().head();
        if seq > durable {
            return Err(WalError::CursorAhead { name: self.name.clone(), seq, durable });
        }
        let mut places = file.places().clone();
        match places.get_mut(&self.name) {
            Some(place) if *place < seq => *place = seq,
            _ => return Ok(()),
        }
        if let Err(error) = file.move_to(places) {
            let waiting = mark_failed(&self.shared, Arc::new(error.clone()));
            drop(file);
            waiting.tell();
            return Err(error);
        }
        self.shared.progress.change_cursors(|cursors| {
            if let Some(cursor) = cursors.get_mut(&self.name) {
                cursor.place = seq;
            }
        });
        Ok(())
    }
}

impl Drop for Cursor {
    fn drop(&mut self) {
        self.shared.progress.change_cursors(|cursors| {
            if let Some(cursor) = cursors.get_mut(&self.name) {
                cursor.in_use = false;
            }
        });
    }
}

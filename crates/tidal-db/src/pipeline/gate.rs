//! The gate: where commits get their place in the log.
//!
//! Under one lock a commit is checked against what is decided or about to be,
//! appended, and put into the applier's queue; so the queue has the order of the
//! log.

mod assigning;

use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex, MutexGuard};

use tidal_types::{Seq, TidalError, WalError};
use tidal_wal::{Batch, completion};

use super::applier::Progress;
use super::door::{Door, Inside};
use super::forgetting;
use super::pending::{Pending, UsedId, UsedIds};
use super::repeats::{self, Known, Repeat, Verdict};
use super::{PendingCommit, Setbacks, Ticket, WhenFull, Work};
use crate::Result;
use crate::change::{Change, Entry};
use crate::kinds::IdMode;
use crate::log::{Appending, RecordLog};
use crate::state::State;

/// Where commits get their place in the log.
#[derive(Debug)]
pub(crate) struct Gate {
    parts: GateParts,
    /// Beside the lock, so that a read never waits behind a writer.
    closed: AtomicBool,
    /// Taken before the lock, so that it is known whether whoever has that is held up.
    door: Door,
    inner: Mutex<Inner>,
}

/// What the gate shares with the applier.
#[derive(Debug)]
pub(crate) struct GateParts {
    pub(crate) log: Arc<dyn RecordLog>,
    pub(crate) state: Arc<State>,
    pub(crate) progress: Arc<Progress>,
    pub(crate) setbacks: Arc<Setbacks>,
}

#[derive(Debug)]
struct Inner {
    /// `None` once the database is shut down.
    queue: Option<SyncSender<Work>>,
    pending: Pending,
    /// The number that the next record gets, if everything appended before comes
    /// to be in the log.
    next_seq: Seq,
    /// The log has given numbers out again, and what failed may still be pending.
    has_rewound: bool,
}

impl Gate {
    pub(crate) fn new(parts: GateParts, queue: SyncSender<Work>) -> Self {
        let next_seq = parts.log.head().seq.next();
        let inner =
            Inner { queue: Some(queue), pending: Pending::default(), next_seq, has_rewound: false };
        let closed = AtomicBool::new(false);
        Self { parts, closed, door: Door::default(), inner: Mutex::new(inner) }
    }

    fn lock(&self) -> Entered<'_> {
        self.inside(self.door.enter())
    }

    /// The same, unless whoever is in waits for room.
    fn try_lock(&self) -> Result<Entered<'_>> {
        let inside = self.door.try_enter().ok_or_else(|| self.parts.progress.would_block())?;
        Ok(self.inside(inside))
    }

    fn inside<'a>(&'a self, inside: Inside<'a>) -> Entered<'a> {
        let mut inner = self.inner.lock().expect("no thread panics in the gate");
        if self.parts.progress.is_idle() {
            // Everything is folded or has failed: nothing is pending.
            inner.pending = Pending::default();
            inner.has_rewound = false;
        }
        Entered { inner, _inside: inside }
    }

    /// Appends changes that use ids the application chose or was given before. When
    /// there is no room it waits or is refused, as asked.
    pub(crate) fn commit(
        &self,
        batch: Batch,
        entries: Vec<Entry>,
        used: UsedIds,
        when_full: WhenFull,
    ) -> Result<Ticket> {
        let mut inner = match when_full {
            WhenFull::Wait => self.lock(),
            WhenFull::Refuse => self.try_lock()?,
        };
        let (batch, entries) =
            self.settle_forgotten(&mut inner, (batch, entries), used, when_full)?;
        for (kind, UsedId { id, has_name }) in used.iter() {
            let mode = self.parts.state.kinds.mode(kind).or_else(|| inner.pending.mode(kind));
            // The kind may have come to be named since the ids were looked at.
            if mode == Some(IdMode::Named) && !has_name {
                return Err(TidalError::KindIsNamed { kind, id });
            }
        }
        let has_producer = |entry: &Entry| {
            entry.producer.is_some() || matches!(entry.change, Change::ProducerNote { .. })
        };
        let ticket = if entries.iter().any(has_producer) {
            self.append_new(&mut inner, batch, entries, when_full)?
        } else {
            forgetting::check(&self.parts.state, &entries)?;
            self.append_all(&mut inner, &batch, entries, when_full)?
        };
        for (kind, _) in used.iter() {
            if self.parts.state.kinds.mode(kind).is_none() {
                inner.pending.set_mode(kind, IdMode::Numeric);
            }
        }
        Ok(ticket)
    }

    /// Sees to it that nothing a commit depends on is still on its way: whether an entity
    /// that it uses comes to be forgotten, and, when it forgets one itself, what the
    /// records before have settled. That is written down in the commit's own records.
    fn settle_forgotten(
        &self,
        inner: &mut Inner,
        (batch, entries): (Batch, Vec<Entry>),
        used: UsedIds,
        when_full: WhenFull,
    ) -> Result<(Batch, Vec<Entry>)> {
        let forgets = forgetting::is_in(&entries);
        if forgets || forgetting::concerns(&inner.pending.forgotten, &entries) {
            self.drain(inner, when_full)?;
        }
        if !forgets {
            return Ok((batch, entries));
        }
        let filled = forgetting::fill_in(self.parts.state.kinds.modes(), used, entries)?;
        inner.pending.forgotten.extend(forgetting::of(&filled.1));
        Ok(filled)
    }

    /// Appends what producers did not send before.
    fn append_new(
        &self,
        inner: &mut Inner,
        batch: Batch,
        entries: Vec<Entry>,
        when_full: WhenFull,
    ) -> Result<Ticket> {
        if inner.has_rewound || self.parts.setbacks.concern(&entries) {
            self.drain(inner, when_full)?;
        }
        loop {
            let Verdict { repeats, fresh } = Known {
                folded: &self.parts.state.producers(),
                pending: &inner.pending.producers,
                setbacks: &self.parts.setbacks,
            }
            .judge(&entries)?;
            let kept =
                if repeats.is_empty() { None } else { Some(repeats::without(&entries, &repeats)?) };
            let new = kept.as_ref().map_or(&batch, |(batch, _)| batch);
            let new_entries = kept.as_ref().map_or(&entries, |(_, entries)| entries);
            forgetting::check(&self.parts.state, new_entries)?;
            // What follows on commits that fail must fail too.
            match self.append(inner, new, Some(inner.next_seq), when_full) {
                Err(TidalError::Wal(WalError::OutOfPlace { next, .. })) => {
                    self.drain(inner, when_full)?;
                    inner.next_seq = next;
                }
                Err(error) => return Err(error),
                Ok(appending) => {
                    let bytes = new.byte_len();
                    self.parts.setbacks.forget(&fresh);
                    inner.pending.producers.extend(fresh);
                    let entries = kept.map_or(entries, |(_, entries)| entries);
                    return inner.send(appending, entries, repeats, bytes);
                }
            }
        }
    }

    /// Waits until everything on its way is folded or has failed. Nothing is
    /// pending then.
    fn drain(&self, inner: &mut Inner, when_full: WhenFull) -> Result<()> {
        if when_full == WhenFull::Wait {
            self.door.held_up(|| {
                let (answer, drained) = completion();
                drop(inner.queue()?.send(Work::Inspect(Box::new(move |_| answer.complete(())))));
                drained.wait().ok_or(TidalError::Closed)
            })?;
        } else if !self.parts.progress.is_idle() {
            return Err(self.parts.progress.would_block());
        }
        inner.pending = Pending::default();
        inner.has_rewound = false;
        Ok(())
    }

    /// Appends all of a commit.
    fn append_all(
        &self,
        inner: &mut Inner,
        batch: &Batch,
        entries: Vec<Entry>,
        when_full: WhenFull,
    ) -> Result<Ticket> {
        let appending = self.append(inner, batch, None, when_full)?;
        inner.send(appending, entries, Vec::new(), batch.byte_len())
    }

    /// Counts a commit in and appends it, at this number if one is given; nothing
    /// when it has no records.
    fn append(
        &self,
        inner: &mut Inner,
        batch: &Batch,
        at: Option<Seq>,
        when_full: WhenFull,
    ) -> Result<Option<Appending>> {
        inner.queue()?;
        if let Some(stuck) = self.parts.progress.stuck() {
            return Err(stuck.clone());
        }
        let bytes = batch.byte_len();
        let progress = &self.parts.progress;
        if !progress.try_begin(bytes) {
            if when_full == WhenFull::Refuse {
                return Err(progress.would_block());
            }
            self.door.held_up(|| progress.begin(bytes));
        }
        let appending = if batch.is_empty() {
            Ok(None)
        } else {
            match self.parts.log.try_append(batch, at) {
                Err(TidalError::Wal(WalError::WouldBlock { .. }))
                    if when_full == WhenFull::Wait =>
                {
                    self.door.held_up(|| match at {
                        Some(at) => self.parts.log.append_at(batch, at),
                        None => self.parts.log.append(batch),
                    })
                }
                appending => appending,
            }
            .map(Some)
        };
        let appending = appending.inspect_err(|_| self.parts.progress.end(bytes))?;
        if let Some(appending) = &appending {
            // A commit that may go anywhere hides from the next one that it did.
            inner.has_rewound |= appending.first != inner.next_seq;
            inner.next_seq = appending.first.plus(appending.new_count);
        }
        Ok(appending)
    }

    /// Has the applier do something while the state stands still, and returns
    /// what it came to.
    pub(crate) fn inspect<T: Send + 'static>(
        &self,
        inspect: impl FnOnce(&mut super::Applier) -> T + Send + 'static,
    ) -> Result<T> {
        let (answer, pending) = completion();
        {
            let inner = self.lock();
            let work = Work::Inspect(Box::new(move |applier| answer.complete(inspect(applier))));
            let queue = inner.queue()?;
            drop(self.door.held_up(|| queue.send(work)));
        }
        pending.wait().ok_or(TidalError::Closed)
    }

    /// Lets nothing more in; the applier ends once it has done what is queued.
    /// False when that had happened before.
    pub(crate) fn close(&self) -> bool {
        self.closed.store(true, Ordering::Release);
        self.lock().queue.take().is_some()
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }
}

/// The gate's inside, for as long as this is kept.
struct Entered<'a> {
    // Given up in this order.
    inner: MutexGuard<'a, Inner>,
    _inside: Inside<'a>,
}

impl Deref for Entered<'_> {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.inner
    }
}

impl DerefMut for Entered<'_> {
    fn deref_mut(&mut self) -> &mut Inner {
        &mut self.inner
    }
}

impl Inner {
    fn queue(&self) -> Result<&SyncSender<Work>> {
        self.queue.as_ref().ok_or(TidalError::Closed)
    }

    /// Hands a commit that was counted in to the applier.
    fn send(
        &self,
        appending: Option<Appending>,
        entries: Vec<Entry>,
        repeats: Vec<Repeat>,
        bytes: usize,
    ) -> Result<Ticket> {
        let (answer, pending) = completion();
        let commit = PendingCommit { appending, entries, repeats, bytes, answer };
        // The applier lives as long as this sender, unless it panicked; then the
        // commit comes back and its answer is dropped, which tells the caller.
        drop(self.queue()?.send(Work::Commit(commit)));
        Ok(Ticket::new(pending))
    }
}

//! Rows in, durable commits out, several of them under way at once.
//!
//! While the log syncs one batch, the next is read. Batches are settled in the
//! order of the file, so what is reported as durable is a beginning of it.

use std::collections::VecDeque;
use std::ops::Range;

use tidal_db::{Batch, EntityKind, ErrorKind, Ticket, TidalDB, TidalError};

use super::chunk::Chunk;
use super::interpreter::Reading;
use super::{Identities, Origin, Tally};
use crate::failure::{Failure, explain};
use crate::input::Rejects;
use crate::output::count;

/// How many commits may be under way.
const COMMITS_AHEAD: usize = 8;

/// Commits rows in batches.
pub(crate) struct Pipeline<'d> {
    db: &'d TidalDB,
    /// Says a line to the person.
    say: &'d dyn Fn(&str),
    identities: Identities,
    /// `None` when it cannot be told whether rows come again.
    origin: Option<Origin>,
    rejects: Rejects,
    batch_rows: usize,
    chunk: Chunk<'d>,
    under_way: VecDeque<Commit<'d>>,
    tally: Tally,
    /// Every row up to this line is durable or rejected.
    settled_line: u64,
}

#[derive(Debug)]
struct Commit<'d> {
    chunk: Chunk<'d>,
    /// Nothing when every row of the chunk was rejected.
    submitted: Option<Result<Ticket, TidalError>>,
}

impl<'d> Pipeline<'d> {
    pub(crate) fn new(
        db: &'d TidalDB,
        identities: Identities,
        origin: Option<Origin>,
        rejects: Rejects,
        batch_rows: usize,
        say: &'d dyn Fn(&str),
    ) -> Self {
        Self {
            db,
            say,
            identities,
            origin,
            rejects,
            batch_rows,
            chunk: Chunk::default(),
            under_way: VecDeque::new(),
            tally: Tally::default(),
            settled_line: 0,
        }
    }

    /// Takes one row, unless it was taken before; answers whether that filled a
    /// batch, or would have.
    ///
    /// # Errors
    /// The database failed; the message says how much of the file is in. The
    /// source is not the one that it was.
    pub(crate) fn add(
        &mut self,
        line: u64,
        raw: &[u8],
        reading: Result<Reading<'d, '_>, String>,
    ) -> Result<bool, Failure> {
        let reading = reading.and_then(|reading| self.checked(reading));
        let was_taken = match &mut self.origin {
            Some(origin) => origin.next_row(raw, reading.is_ok())?,
            None => false,
        };
        match reading {
            Ok(_) if was_taken => {
                self.tally.duplicates += 1;
                self.chunk.last_line = line;
                return Ok(self.tally.duplicates.is_multiple_of(self.batch_rows as u64));
            }
            Ok(reading) => {
                let producer = self.origin.as_ref().map(Origin::producer);
                let entity = self.identities.identify(reading.signal.kind(), reading.entity);
                let actor = reading.actor.map(|a| self.identities.identify(EntityKind::User, a));
                self.chunk.push(line, raw, &reading, entity, actor, producer);
            }
            Err(reason) => self.chunk.reject(line, raw, reason),
        }
        if self.chunk.len() < self.batch_rows {
            return Ok(false);
        }
        self.send()?;
        Ok(true)
    }

    /// Says whether the whole input was what it was before, as far as it goes.
    ///
    /// # Errors
    /// The source has fewer rows than were taken from it.
    pub(crate) fn check_whole(&self) -> Result<(), Failure> {
        self.origin.as_ref().map_or(Ok(()), Origin::check_whole)
    }

    /// Commits what is left and waits for everything. Answers the counts, and
    /// the rejected rows.
    ///
    /// # Errors
    /// As for [`Pipeline::add`].
    pub(crate) fn finish(&mut self) -> Result<Tally, Failure> {
        if self.chunk.len() > 0 {
            self.send()?;
        }
        while let Some(commit) = self.under_way.pop_front() {
            self.settle(commit)?;
        }
        self.rejects.finish(self.say)?;
        Ok(self.tally)
    }

    /// The counts so far.
    pub(crate) const fn tally(&self) -> Tally {
        self.tally
    }

    /// Where rejected rows went.
    pub(crate) const fn rejects(&self) -> &Rejects {
        &self.rejects
    }

    /// The same reading, if its entity and its actor can be identified. Both are
    /// checked before the name of either is taken up.
    fn checked<'f>(&self, reading: Reading<'d, 'f>) -> Result<Reading<'d, 'f>, String> {
        self.identities.check(reading.signal.kind(), reading.entity)?;
        reading.actor.map_or(Ok(()), |actor| self.identities.check(EntityKind::User, actor))?;
        Ok(reading)
    }

    fn send(&mut self) -> Result<(), Failure> {
        let mut chunk = std::mem::take(&mut self.chunk);
        if let Err(error) = self.identities.assign_new(self.db) {
            return Err(self.stopped(&error, true));
        }
        for row in &mut chunk.rows {
            row.event.entity = self.identities.id(row.kind, row.entity);
            row.event.actor = row.actor.map(|actor| self.identities.id(EntityKind::User, actor));
        }
        chunk.note = self.origin.as_ref().and_then(Origin::note);
        let all = 0..chunk.rows.len();
        let submitted = (!all.is_empty()).then(|| self.db.submit(batch(&chunk, all)));
        // What is refused is tried again before anything later is sent: a producer
        // sends in its order.
        let ahead = if matches!(submitted, Some(Err(_))) { 0 } else { COMMITS_AHEAD };
        self.under_way.push_back(Commit { chunk, submitted });
        while self.under_way.len() > ahead {
            if let Some(commit) = self.under_way.pop_front() {
                self.settle(commit)?;
            }
        }
        Ok(())
    }

    /// Waits for a commit. One that the database refuses because of its input is
    /// tried again in parts, down to the very row.
    fn settle(&mut self, commit: Commit<'d>) -> Result<(), Failure> {
        let Commit { mut chunk, submitted } = commit;
        match submitted.map(|submitted| submitted.and_then(Ticket::wait)) {
            None => {}
            Some(Ok(committed)) => self.tally.add(&committed, chunk.rows.len()),
            Some(Err(error)) if error.kind() == ErrorKind::Input => {
                self.halve(&mut chunk, error)?
            }
            Some(Err(error)) => return Err(self.stopped(&error, false)),
        }
        self.report(&mut chunk)
    }

    /// Tells of a chunk whose rows are all durable or rejected.
    fn report(&mut self, chunk: &mut Chunk<'d>) -> Result<(), Failure> {
        self.settled_line = chunk.last_line;
        for (rejected, raw) in chunk.rejected() {
            self.tally.rejected += 1;
            self.rejects.add(rejected.line, raw, &rejected.reason, self.say)?;
        }
        Ok(())
    }

    /// Commits the rows of a chunk that was refused as a whole, in ever smaller
    /// parts and in their order, and rejects those that are refused alone.
    fn halve(&mut self, chunk: &mut Chunk<'d>, refusal: TidalError) -> Result<(), Failure> {
        let mut refused = Some((0..chunk.rows.len(), refusal));
        let mut parts: Vec<Range<usize>> = Vec::new();
        loop {
            if let Some((part, refusal)) = refused.take() {
                if part.len() <= 1 {
                    chunk.reject_row(part.start, explain(&refusal));
                } else {
                    let middle = part.start + part.len() / 2;
                    parts.extend([middle..part.end, part.start..middle]);
                }
            }
            let Some(part) = parts.pop() else {
                return Ok(());
            };
            match self.db.commit(batch(chunk, part.clone())) {
                Ok(committed) => self.tally.add(&committed, part.len()),
                Err(error) if error.kind() == ErrorKind::Input => refused = Some((part, error)),
                Err(error) => return Err(self.stopped(&error, false)),
            }
        }
    }

    /// What to say when the database fails on the way: what is durable so far.
    ///
    /// `in_order` says that the commits under way stand before the one that
    /// failed. A smaller batch may fit on a full disk where one before it did
    /// not; its rows are counted apart, so that nobody takes them for missing.
    fn stopped(&mut self, error: &TidalError, mut in_order: bool) -> Failure {
        let mut out_of_order = 0;
        while let Some(Commit { mut chunk, submitted }) = self.under_way.pop_front() {
            match submitted.map(|submitted| submitted.and_then(Ticket::wait)) {
                Some(Ok(committed)) if in_order => self.tally.add(&committed, chunk.rows.len()),
                Some(Ok(_)) => out_of_order += chunk.rows.len(),
                Some(Err(_)) => in_order = false,
                None => {}
            }
            if in_order && let Err(failure) = self.report(&mut chunk) {
                return failure;
            }
        }
        let durable = count(self.tally.accepted + self.tally.duplicates);
        let line = count(self.settled_line);
        let more = match out_of_order {
            0 => String::new(),
            rows => format!(" (and {rows} behind that line)"),
        };
        Failure::failed(format!(
            "the import stopped behind line {line}, {durable} rows are acknowledged and durable{more}: {}",
            explain(error),
        ))
    }
}

fn batch<'d>(chunk: &Chunk<'d>, rows: Range<usize>) -> Batch<'d> {
    let is_last = rows.end == chunk.rows.len();
    let rows = chunk.rows.get(rows).unwrap_or_default();
    let batch: Batch<'d> = rows.iter().map(|row| row.event).collect();
    match &chunk.note {
        Some((id, note)) if is_last => batch.producer_note(*id, note.as_slice()),
        _ => batch,
    }
}

#[cfg(test)]
mod tests;

//! Taking records out of a log that is open.
//!
//! Y4. What is written anew is exactly what [`Wal::redact`] was told, and doing it again
//!     changes nothing. So one that was cut short is finished by calling it again.
//! Y5. A key goes with its record: out of the log, then out of the window, then out of
//!     the checkpoints, in this order. Until the last of them it may still be known.

use std::sync::Arc;

use tidal_types::{Seq, WalError};

use super::Wal;
use crate::completion::completion;
use crate::disk::failed;
use crate::format::SegmentHeader;
use crate::names;
use crate::seal::{Judge, check_end, open_whole};
use crate::tail::TailError;
use crate::ticket::writer_gone;
use crate::walk::Walk;
use crate::writer::fail_all;
use crate::{LogRecord, RecordKind, Redaction};

/// What [`Wal::redact`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Redacted {
    /// How many segments were written anew.
    pub segments: usize,
    /// How many records became tombstones.
    pub tombstones: u64,
    /// How many records were replaced.
    pub replaced: u64,
    /// How many keys left the window of deduplication before their time.
    pub keys: usize,
    /// How many files with torn tails were removed.
    pub torn_tails: usize,
}

/// A segment, and the one behind it.
type Pair<'a> = (&'a SegmentHeader, &'a SegmentHeader);

/// Stretches of records without keys, in order.
#[derive(Debug, Default)]
struct Keyless(Vec<(Seq, Seq)>);

impl Keyless {
    fn add(&mut self, seq: Seq) {
        match self.0.last_mut() {
            Some((_, last)) if last.next() == seq => *last = seq,
            _ => self.0.push((seq, seq)),
        }
    }

    fn contains(&self, seq: Seq) -> bool {
        let after = self.0.partition_point(|(first, _)| *first <= seq);
        after.checked_sub(1).and_then(|at| self.0.get(at)).is_some_and(|(_, last)| seq <= *last)
    }
}

impl Wal {
    /// Goes on in a new segment, unless there is nothing in the last one: what was
    /// appended before is then in segments that take no more groups. It is durable too.
    ///
    /// # Errors
    /// Those of [`Wal::sync`]; [`WalError::NoSpace`].
    pub fn rotate(&self) -> Result<(), WalError> {
        let (completer, pending) = completion();
        self.shared.queue.push_rotation(completer)?;
        #[cfg(any(test, feature = "sim"))]
        self.step();
        pending.wait().unwrap_or_else(|| Err(writer_gone()))
    }

    /// Takes records out of the log, or puts others in their place: asks `judge` about
    /// every record up to `through` that is not a tombstone, and writes each segment anew
    /// that has a record concerned. When the call returns, nothing of what went is in a
    /// file of the log, and a power cut does not bring it back.
    ///
    /// A tombstone is read as a record of the kind
    /// [`RecordKind::TOMBSTONE`](crate::RecordKind::TOMBSTONE) with an empty payload. It
    /// has its number, log time and producer. The segment keeps the digest that it ended
    /// with beside that of what is in it now, so [`verify`](crate::verify) still checks
    /// that it lies between its neighbours, and tells that its own digests cannot be
    /// computed any more.
    ///
    /// `judge` may be asked about a record more than once, has to answer the same, and must
    /// not seal or redact itself.
    /// When the call fails or the process ends, calling it again finishes it. When the
    /// last segment has a record concerned, the log goes on in a new one first. Appends go
    /// on meanwhile.
    ///
    /// # What goes along
    /// The keys of the records leave the window and the checkpoints: what is sent again
    /// with such a key is written again. Torn tails that openings kept for inspection
    /// are removed, all of them, since nobody can say what is in them.
    ///
    /// # What stays
    /// How many records there were, their times and their producers. The digest of the
    /// segment as it was, which can confirm a guess of all that was in it. The state that
    /// the owner keeps in checkpoints: who has something of the records there writes two
    /// others. A checkpoint that is damaged, until the next ones take its place. A reader
    /// that is in the middle of a segment reads that to its end as it was. Copies,
    /// backups, and the logs that took this one over or were taken over by it. And what
    /// the disk keeps of deleted files: they are replaced, not overwritten.
    ///
    /// # Errors
    /// [`WalError::RecordTooLarge`], [`WalError::BatchTooLarge`] and
    /// [`WalError::ReservedKind`] for a record that cannot take the place of another.
    /// Those of [`Wal::seal_before`], [`Wal::rotate`] and [`Wal::checkpoint`].
    pub fn redact(
        &self,
        through: Seq,
        judge: &mut dyn FnMut(&LogRecord<'_>) -> Redaction,
    ) -> Result<Redacted, WalError> {
        let _alone = self.shared.rewrites();
        self.sync()?;
        let judge: Judge<'_> = &mut |record| {
            let is_asked = record.seq <= through && record.kind != RecordKind::TOMBSTONE;
            if is_asked { judge(record).of(record) } else { Ok(Redaction::Keep) }
        };
        self.rotate_if_concerned(through, judge)?;
        let mut redacted = Redacted::default();
        let mut keyless = Keyless::default();
        let segments = self.shared.segments().pairs_before(Seq::new(u64::MAX));
        for (header, next) in segments {
            let mut header = header;
            if header.first_seq <= through && self.concerns((&header, &next), judge)? {
                let Some(new) = self.rewrite(&header, &next, judge)? else {
                    continue;
                };
                redacted.segments += 1;
                redacted.tombstones += gained(&header, &new, |seal| seal.tombstones);
                redacted.replaced += gained(&header, &new, |seal| seal.replaced);
                header = new;
            }
            if header.seal.is_some_and(|seal| seal.is_rewritten()) {
                self.visit((&header, &next), &mut |record| {
                    if record.key.is_none() {
                        keyless.add(record.seq);
                    }
                    Ok(true)
                })?;
            }
        }
        redacted.keys = self.forget_keys(&keyless)?;
        redacted.torn_tails = self.remove_torn_tails()?;
        Ok(redacted)
    }

    /// No record concerned is in the last segment.
    fn rotate_if_concerned(&self, through: Seq, judge: Judge<'_>) -> Result<(), WalError> {
        let Some(first) = self.shared.segments().last_first_seq() else {
            return Ok(());
        };
        let mut reader = self.reader(first);
        while first <= through
            && let Some(record) = reader.next_record()?
            && record.seq <= through
        {
            if judge(&record)? != Redaction::Keep {
                return self.rotate();
            }
        }
        Ok(())
    }

    /// Whether the segment has a record that changes.
    fn concerns(&self, segment: Pair<'_>, judge: Judge<'_>) -> Result<bool, WalError> {
        let mut is_concerned = false;
        self.visit(segment, &mut |record| {
            is_concerned = judge(record)? != Redaction::Keep;
            Ok(!is_concerned)
        })?;
        Ok(is_concerned)
    }

    /// Shows the records of a segment until `visit` has seen enough. None is shown when it
    /// was truncated.
    fn visit(
        &self,
        (header, next): Pair<'_>,
        visit: &mut dyn FnMut(&LogRecord<'_>) -> Result<bool, WalError>,
    ) -> Result<(), WalError> {
        let disk = &*self.shared.disk;
        let mut buffer = match open_whole(disk, header) {
            Err(_) if !self.shared.segments().holds(header.number) => return Ok(()),
            other => other?,
        };
        let path = disk.path(&names::segment(header.number));
        let mut walk = Walk::before(header);
        let mut goes_on = Ok(true);
        while let Some(group) = walk
            .next(&mut buffer, header, None, &mut |_, _| ())
            .map_err(failed("read", path.clone()))?
        {
            group.show(&mut |record| {
                if matches!(goes_on, Ok(true)) {
                    goes_on = visit(record);
                }
            });
            if !matches!(goes_on, Ok(true)) {
                return goes_on.map(|_| ());
            }
        }
        check_end(disk, &walk, header, next)
    }

    /// Y5, behind the log.
    fn forget_keys(&self, keyless: &Keyless) -> Result<usize, WalError> {
        if keyless.0.is_empty() {
            return Ok(0);
        }
        let is_gone = |seq| keyless.contains(seq);
        let forgotten = self.shared.queue.with_dedup(|dedup| dedup.forget(&is_gone));
        let mut checkpoints = self.shared.checkpoints();
        let open = self.lock_open()?;
        let rewritten = checkpoints.forget_keys(&*self.shared.disk, &is_gone);
        rewritten.map_err(|error| match error {
            TailError::NoRoom(error) => error,
            TailError::Unsound(error) => {
                fail_all(&self.shared, Arc::new(error.clone()), Vec::new());
                error
            }
        })?;
        drop(open);
        Ok(forgotten)
    }

    /// The log is open, so what was torn is cut, and synced; nothing relies on the copies.
    fn remove_torn_tails(&self) -> Result<usize, WalError> {
        let disk = &*self.shared.disk;
        let open = self.lock_open()?;
        let mut names = disk.list().map_err(failed("list", disk.path("")))?;
        names.retain(|name| names::is_set_aside(name));
        for name in &names {
            disk.remove(name).map_err(failed("remove", disk.path(name)))?;
        }
        if !names.is_empty() {
            disk.sync_dir().map_err(failed("sync", disk.path(""))).inspect_err(|error| {
                fail_all(&self.shared, Arc::new(error.clone()), Vec::new());
            })?;
        }
        drop(open);
        Ok(names.len())
    }
}

fn gained(
    before: &SegmentHeader,
    after: &SegmentHeader,
    count: impl Fn(&crate::format::Seal) -> u64,
) -> u64 {
    let count = |header: &SegmentHeader| header.seal.as_ref().map_or(0, &count);
    count(after).saturating_sub(count(before))
}

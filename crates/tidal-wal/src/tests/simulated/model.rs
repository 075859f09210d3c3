//! What the log must hold, kept beside it.

use std::collections::{BTreeMap, BTreeSet};

use tidal_types::{Seq, Timestamp};

use super::keys::Identity;
use crate::{LogRecord, RecordKind};

/// The records that were sent, and what is known of them.
#[derive(Debug)]
pub(super) struct Model {
    /// Record 1 is the first.
    sent: Vec<Sent>,
    /// After which records a batch ends.
    ends: BTreeSet<usize>,
    /// So many must survive a power cut.
    durable: usize,
    /// So many must survive the end of the process.
    written: usize,
    /// So many may have been cut off the front.
    truncated: usize,
    /// The time by the log, in seconds.
    time: u64,
    /// The last record that each cursor is past.
    cursors: BTreeMap<&'static str, usize>,
    /// Where a cursor is instead, or `None` for nowhere, if what failed was done.
    unsure: BTreeMap<&'static str, Option<usize>>,
}

/// A record.
#[derive(Debug, Clone)]
pub(super) struct Sent {
    pub(super) payload: Vec<u8>,
    pub(super) identity: Option<Identity>,
    /// When it was written, in seconds; `None` as long as it was not.
    pub(super) log_time: Option<u64>,
    pub(super) forgotten: Forgotten,
}

/// Whether a record is a tombstone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Forgotten {
    #[default]
    No,
    /// That failed, and may be done or not.
    Perhaps,
    Yes,
}

impl Model {
    pub(super) fn new() -> Self {
        Self {
            sent: Vec::new(),
            ends: [0].into(),
            durable: 0,
            written: 0,
            truncated: 0,
            cursors: BTreeMap::new(),
            unsure: BTreeMap::new(),
            time: 0,
        }
    }

    pub(super) fn durable(&self) -> usize {
        self.durable
    }

    pub(super) fn truncated(&self) -> usize {
        self.truncated
    }

    pub(super) fn len(&self) -> usize {
        self.sent.len()
    }

    pub(super) fn sent(&self) -> &[Sent] {
        &self.sent
    }

    /// Of the records up to `last`: which are forgotten when somebody asks for that. None
    /// with a key, whose fate would be unsure too.
    pub(super) fn concerned(&self, last: usize) -> BTreeSet<usize> {
        let sent = self.sent.iter().take(last).zip(1..);
        let concerned = sent.filter(|(sent, at)| sent.identity.is_none() && at % 3 == 0);
        concerned.map(|(_, at)| at).collect()
    }

    /// G63, G64: these were forgotten, or perhaps.
    pub(super) fn forget(&mut self, records: &BTreeSet<usize>, how: Forgotten) {
        for at in records {
            let sent = self.sent.get_mut(at - 1).expect("only what was sent is forgotten");
            if sent.forgotten != Forgotten::Yes {
                sent.forgotten = how;
            }
        }
    }

    pub(super) fn time(&self) -> u64 {
        self.time
    }

    /// R26: the log asks the clock, and its time never goes back.
    pub(super) fn tick(&mut self, now: u64) {
        self.time = self.time.max(now);
    }

    /// The writer writes what was sent, if anything was.
    pub(super) fn write(&mut self, now: u64) {
        let first = self.sent.partition_point(|sent| sent.log_time.is_some());
        if first < self.sent.len() {
            self.tick(now);
            self.sent.iter_mut().skip(first).for_each(|sent| sent.log_time = Some(self.time));
        }
    }

    /// R26: the log was opened at this time.
    pub(super) fn open_at(&mut self, time: u64) {
        let newest = self.sent.iter().rev().find_map(|sent| sent.log_time);
        assert!(newest <= Some(time), "R26: log time goes back to {time} from {newest:?}");
        self.time = time;
    }

    /// R22: a batch was sent, and must have the next number.
    pub(super) fn send(&mut self, batch: Vec<Sent>, first: Seq) {
        assert_eq!(index(first), self.len() + 1, "R22: the number of a new record");
        self.sent.extend(batch);
        self.ends.insert(self.len());
    }

    /// The records up to `last` survive the end of the process.
    pub(super) fn acknowledge_written(&mut self, last: usize) {
        assert!(last <= self.len(), "R22: record {last} is acknowledged and was given up");
        self.written = self.written.max(last);
    }

    /// The records up to `last` survive a power cut: they were acknowledged, or
    /// shown.
    pub(super) fn acknowledge_durable(&mut self, last: usize) {
        self.acknowledge_written(last);
        self.durable = self.durable.max(last);
    }

    /// R10: records behind `last` were given up, and never acknowledged.
    pub(super) fn give_up(&mut self, last: usize) {
        assert!(last >= self.written, "R10: record {} is given up", last + 1);
        self.cut(last.min(self.len()));
    }

    /// What is not durable may be gone.
    pub(super) fn lose_written(&mut self) {
        self.written = self.durable;
    }

    pub(super) fn truncate(&mut self, last: usize) {
        let last = self.hindmost().map_or(last, |place| place.min(last));
        self.truncated = self.truncated.max(last);
    }

    /// What the cursor that is last behind is past.
    pub(super) fn hindmost(&self) -> Option<usize> {
        self.cursors.values().min().copied()
    }

    pub(super) fn cursor(&self, name: &str) -> Option<usize> {
        self.cursors.get(name).copied()
    }

    /// A cursor was made, moved, or removed.
    pub(super) fn set_cursor(&mut self, name: &'static str, place: Option<usize>) {
        match place {
            Some(place) => self.cursors.insert(name, place),
            None => self.cursors.remove(name),
        };
    }

    /// The same, but that failed, and may be done or not.
    pub(super) fn try_cursor(&mut self, name: &'static str, place: Option<usize>) {
        self.unsure.insert(name, place);
    }

    /// G29: where a cursor is after the log was opened.
    pub(super) fn open_cursor(&mut self, name: &'static str, found: Option<usize>) {
        let sure = self.cursor(name);
        let other = self.unsure.remove(name).unwrap_or(sure);
        assert!(
            found == sure || found == other,
            "G29: cursor {name} is at {found:?}, not at {sure:?} or {other:?}"
        );
        self.set_cursor(name, found);
    }

    /// The log was opened and ends with record `last`.
    pub(super) fn open(&mut self, last: usize) {
        assert!(last >= self.durable, "R1: {} records durable, {last} there", self.durable);
        assert!(last >= self.written, "R1: {} records written, {last} there", self.written);
        assert!(last <= self.len(), "R2: {} records sent, {last} there", self.len());
        assert!(self.ends.contains(&last), "R3: the log ends in a batch, with record {last}");
        self.cut(last);
        self.durable = last;
        self.written = last;
    }

    /// R2, R4, R26: what a record must be.
    pub(super) fn expect(&self, record: &LogRecord<'_>) {
        let seq = record.seq;
        let sent = self.sent.get(index(seq) - 1).expect("R2: a record was sent");
        if record.kind == RecordKind::TOMBSTONE {
            assert_ne!(sent.forgotten, Forgotten::No, "G63: record {seq} is forgotten");
            assert!(record.payload.is_empty(), "G63: record {seq} is forgotten");
        } else {
            assert_ne!(sent.forgotten, Forgotten::Yes, "G64: record {seq} is back");
            assert!(sent.payload == record.payload, "R2, R4: record {seq} is not what was sent");
        }
        assert_eq!(sent.key().is_some(), record.key.is_some(), "R20: the key of record {seq}");
        let log_time = sent.log_time.map(Timestamp::from_secs);
        assert_eq!(Some(record.log_time), log_time, "R26: the log time of record {seq}");
    }

    fn cut(&mut self, last: usize) {
        self.sent.truncate(last);
        self.ends.retain(|&end| end <= last);
    }
}

/// A number as an index that counts from one.
pub(super) fn index(seq: Seq) -> usize {
    usize::try_from(seq.get()).unwrap()
}

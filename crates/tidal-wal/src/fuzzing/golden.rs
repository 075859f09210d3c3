//! A small sound log with keys, checkpoints and cursors, to be damaged: the same in every
//! run.

use std::sync::{Arc, OnceLock};

use tidal_types::{DedupKey, ManualClock, Producer, ProducerId, Seq, Timestamp, WalError};

use crate::sim::SimDisk;
use crate::{Batch, Record, RecordKind, Wal, WalOptions};

const SEGMENTS: usize = 3;

/// The log and the payloads of its records, from the first on.
#[derive(Debug)]
pub(super) struct Golden {
    disk: SimDisk,
    pub(super) payloads: Vec<Vec<u8>>,
}

impl Golden {
    /// One that was closed, with its first segment sealed, or one that was killed and so has a floor that lags.
    pub(super) fn get(is_closed: bool) -> &'static Self {
        static LOGS: OnceLock<[Golden; 2]> = OnceLock::new();
        let [killed, closed] = LOGS.get_or_init(|| {
            [false, true].map(|is_closed| Self::new(is_closed).expect("a sound disk holds a log"))
        });
        if is_closed { closed } else { killed }
    }

    fn new(is_closed: bool) -> Result<Self, WalError> {
        let disk = SimDisk::new(1);
        let log = Wal::open_stepped(&disk, options())?;
        let mut payloads = Vec::new();
        while log.segment_count() < SEGMENTS || payloads.len() % 2 == 1 {
            let mut batch = Batch::new();
            for _ in 0..3 {
                let seq = payloads.len() as u64 + 1;
                let payload = payload(seq);
                batch.push_record(record(seq, &payload))?;
                payloads.push(payload);
            }
            let ticket = log.append(&batch)?;
            log.step();
            let last = ticket.wait()?.last;
            let cursor = log.cursor("reader")?;
            cursor.commit(last.previous())?;
            match payloads.len() {
                6 => log.checkpoint(last, b"first")?,
                12 => log.checkpoint(last.previous(), b"second")?,
                _ => {}
            }
        }
        if is_closed {
            // The first one; so there are sealed segments and others.
            let second = log.shared.segments().pairs_before(Seq::new(u64::MAX));
            let second = second.first().map_or(Seq::FIRST, |(_, next)| next.first_seq);
            log.seal_before(second)?;
            log.close()?;
        } else {
            disk.die();
            drop(log);
            disk.kill();
        }
        Ok(Self { disk, payloads })
    }

    /// A disk with a copy of it.
    pub(super) fn disk(&self) -> SimDisk {
        self.disk.copy()
    }
}

fn payload(seq: u64) -> Vec<u8> {
    let mut payload = seq.to_string().into_bytes();
    payload.resize(200, b'.');
    payload
}

/// The record of this number: every fourth by nothing, the others by a key of its client,
/// by its content, or from a producer.
pub(super) fn record(seq: u64, payload: &[u8]) -> Record<'_> {
    let record = Record::new(RecordKind(7), payload);
    match seq % 4 {
        0 => record,
        1 => record.key(DedupKey::Client(u128::from(seq).to_le_bytes())),
        2 => record.key(DedupKey::Content),
        _ => record.from_producer(Producer { id: ProducerId::from_bytes([1; 16]), epoch: 1, seq }),
    }
}

/// Options for a log of segments that hold a few groups.
pub(super) fn options() -> WalOptions {
    let clock = Arc::new(ManualClock::new(Timestamp::from_secs(1000)));
    WalOptions { segment_bytes: 6 << 10, clock, ..WalOptions::default() }
}

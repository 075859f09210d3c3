//! A small sound log, to be damaged: the same in every run.

use std::sync::{Arc, OnceLock};

use tidal_types::{ManualClock, Producer, ProducerId, Timestamp, WalError};

use crate::sim::SimDisk;
use crate::{Batch, RecordKind, Wal, WalOptions};

const SEGMENTS: usize = 3;

/// The log and the payloads of its records, from the first on.
#[derive(Debug)]
pub(super) struct Golden {
    disk: SimDisk,
    pub(super) payloads: Vec<Vec<u8>>,
}

impl Golden {
    /// One that was closed, or one that was killed and so has a floor that lags.
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
                let mut payload = seq.to_string().into_bytes();
                payload.resize(200, b'.');
                let producer = Producer { id: ProducerId::from_bytes([1; 16]), epoch: 1, seq };
                match seq % 4 {
                    0 => batch.push(RecordKind(7), &payload)?,
                    _ => batch.push_from(producer, RecordKind(7), &payload)?,
                }
                payloads.push(payload);
            }
            let ticket = log.append(&batch)?;
            log.step();
            ticket.wait()?;
        }
        if is_closed {
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

/// Options for a log of segments that hold a few groups.
pub(super) fn options() -> WalOptions {
    let clock = Arc::new(ManualClock::new(Timestamp::from_secs(1000)));
    WalOptions { segment_bytes: 6 << 10, clock, ..WalOptions::default() }
}

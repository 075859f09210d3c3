//! The log under model checkers, which try the orders in which its threads can run.
//!
//! loom tries all of them, up to a number of preemptions, so it is given little: the
//! completion, and a few appends. shuttle draws them, and is given whole lives of a
//! log. Either reports a lost wake-up as a deadlock. `cargo xtask models` runs both.

#[cfg(shuttle)]
mod beside;
#[cfg(loom)]
mod completing;
#[cfg(loom)]
mod durable_position;
#[cfg(shuttle)]
mod group_commit;

use std::sync::Arc;

use tidal_types::{ManualClock, Seq, Timestamp};

use crate::names;
use crate::sim::SimDisk;
use crate::sync::{JoinHandle, spawn};
use crate::testing::{numbered, read_from};
use crate::{Wal, WalOptions};

/// Options for a log of segments that hold a few hundred bytes of groups.
fn tiny() -> WalOptions {
    let clock = Arc::new(ManualClock::new(Timestamp::from_secs(1000)));
    WalOptions { segment_bytes: 6 << 10, clock, ..WalOptions::default() }
}

/// A thread of the model.
fn start<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
    spawn("model", work).unwrap()
}

/// Whether a power cut now would leave these bytes in a segment.
fn is_durable(disk: &SimDisk, payload: &[u8]) -> bool {
    disk.names()
        .iter()
        .filter(|name| names::parse_segment(name).is_some())
        .filter_map(|name| disk.durable(name))
        .any(|bytes| bytes.windows(payload.len()).any(|window| window == payload))
}

/// What the log holds after the power was cut.
fn after_power_cut(disk: &SimDisk) -> Vec<Vec<u8>> {
    disk.die();
    disk.power_cut();
    let log = Wal::open_stepped(disk, tiny()).unwrap();
    read_from(&log, Seq::FIRST).unwrap()
}

/// The payload of one append: no two of a model are alike, nor a part of another.
fn payload(appender: usize, index: usize, bytes: usize) -> Vec<u8> {
    let mut payload = b"<".to_vec();
    payload.extend(numbered(appender * 1000 + 1000 + index, bytes));
    payload.push(b'>');
    payload
}

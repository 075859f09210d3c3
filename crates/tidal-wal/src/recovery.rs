//! Opening a log that exists: look, decide, then repair.
//!
//! [`inspect`](inspect::inspect) reads everything and changes nothing;
//! [`decide`](decide::decide) is a pure function of what was read;
//! [`repair`](repair::repair) carries the decision out and can itself be cut
//! short at any point: the next opening decides again and comes to the same
//! log.

mod beside;
mod checkpoints;
mod decide;
mod inspect;
mod repair;
mod window;

pub(crate) use beside::of_beside;
pub(crate) use checkpoints::damage as checkpoint_damage;
pub(crate) use decide::{
    Decision, Plan, decide, findings, log_id, missing, of_floor, of_link, of_segment, of_tail,
    oldest, split_stale,
};
pub(crate) use inspect::{
    FoundFloor, FoundSegment, Inspection, inspect, inspect_with_window, look,
};
pub(crate) use repair::repair;

#[cfg(test)]
mod tests;

#[cfg(test)]
pub(crate) use tests::test_segments;

//! A scan of two engines as one. No key is in both.

use std::iter::Peekable;

use crate::engines::fjall::Fjall;
use crate::engines::redb::Redb;
use crate::{Direction, Driver, KeyValue, Result};

/// The entries of one moment of both engines, in the order of their keys.
pub struct HybridScan {
    /// `None` where an engine has no key of the range.
    fjall: Option<Peekable<<Fjall as Driver>::Scan>>,
    redb: Option<Peekable<<Redb as Driver>::Scan>>,
    direction: Direction,
}

impl HybridScan {
    pub(super) fn new(
        fjall: Option<<Fjall as Driver>::Scan>,
        redb: Option<<Redb as Driver>::Scan>,
        direction: Direction,
    ) -> Self {
        let (fjall, redb) = (fjall.map(Iterator::peekable), redb.map(Iterator::peekable));
        Self { fjall, redb, direction }
    }
}

impl Iterator for HybridScan {
    type Item = Result<KeyValue>;

    fn next(&mut self) -> Option<Self::Item> {
        let fjalls = self.fjall.as_mut().and_then(Peekable::peek);
        let redbs = self.redb.as_mut().and_then(Peekable::peek);
        let fjall_first = match (fjalls, redbs) {
            (Some(Ok((fjall, _))), Some(Ok((redb, _)))) => match self.direction {
                Direction::Forward => fjall < redb,
                Direction::Backward => fjall > redb,
            },
            // What cannot be read is told at once, whatever the other has.
            (Some(Err(_)), _) | (_, None) => true,
            (_, Some(_)) => false,
        };
        if fjall_first { self.fjall.as_mut()?.next() } else { self.redb.as_mut()?.next() }
    }
}

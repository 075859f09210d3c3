//! A scan of a transaction: the snapshot and the transaction's own writes, merged
//! in order.

use std::cell::RefCell;
use std::cmp::Ordering;
use std::iter::{FusedIterator, Peekable};
use std::sync::Arc;

use super::reads::Reads;
use super::writes::{SpaceWrites, Value};
use crate::{Direction, KeyRange, KeyValue, KeyspaceName, PrefixIterator, Result};

/// Entries of the snapshot under the writes that the transaction had made when
/// the scan began.
pub(super) struct TransactionScan<'a> {
    snapshot: Peekable<PrefixIterator<'a>>,
    own: Peekable<OwnWrites>,
    direction: Direction,
    covered: Option<Covered<'a>>,
    ended: bool,
}

impl<'a> TransactionScan<'a> {
    pub(super) fn new(
        snapshot: PrefixIterator<'a>,
        own: Option<Arc<SpaceWrites>>,
        range: KeyRange,
        direction: Direction,
        covered: Option<Covered<'a>>,
    ) -> Self {
        let own = OwnWrites { writes: own.unwrap_or_default(), rest: Some(range), direction };
        Self {
            snapshot: snapshot.peekable(),
            own: own.peekable(),
            direction,
            covered,
            ended: false,
        }
    }

    fn merge(&mut self) -> Option<Result<KeyValue>> {
        loop {
            let order = match (self.snapshot.peek(), self.own.peek()) {
                (None, None) => return None,
                (Some(Err(_)), _) | (_, None) => Ordering::Less,
                (None, _) => Ordering::Greater,
                (Some(Ok((below, _))), Some((own, _))) => match self.direction {
                    Direction::Forward => below.as_slice().cmp(own),
                    Direction::Backward => (**own).cmp(below),
                },
            };
            if order == Ordering::Less {
                return self.snapshot.next();
            }
            if order == Ordering::Equal {
                // The transaction has overwritten or deleted it.
                self.snapshot.next();
            }
            if let Some((key, Some(value))) = self.own.next() {
                return Some(Ok((key.to_vec(), value.to_vec())));
            }
        }
    }
}

impl Iterator for TransactionScan<'_> {
    type Item = Result<KeyValue>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let entry = self.merge();
        self.ended = !matches!(entry, Some(Ok(_)));
        if let Some(covered) = &mut self.covered {
            match &entry {
                Some(Ok((key, _))) => covered.until = Until::Key(key.clone()),
                Some(Err(_)) | None => covered.until = Until::End,
            }
        }
        entry
    }
}

impl FusedIterator for TransactionScan<'_> {}

/// The writes to one keyspace at the moment when a scan began, one by one.
struct OwnWrites {
    writes: Arc<SpaceWrites>,
    /// What has not been handed out; `None` at the end.
    rest: Option<KeyRange>,
    direction: Direction,
}

impl Iterator for OwnWrites {
    type Item = (Arc<[u8]>, Value);

    fn next(&mut self) -> Option<Self::Item> {
        let range = self.rest.take()?;
        let mut writes = self.writes.range::<[u8], _>(range.bounds());
        let (key, value) = match self.direction {
            Direction::Forward => writes.next(),
            Direction::Backward => writes.next_back(),
        }?;
        let write = (Arc::clone(key), value.clone());
        self.rest = range.beyond(key.to_vec(), self.direction);
        Some(write)
    }
}

/// What a scan has gone through, told to the transaction when the scan is
/// dropped, which is before the transaction can commit.
pub(super) struct Covered<'a> {
    reads: &'a RefCell<Reads>,
    keyspace: String,
    range: KeyRange,
    direction: Direction,
    until: Until,
}

enum Until {
    Nothing,
    Key(Vec<u8>),
    End,
}

impl<'a> Covered<'a> {
    pub(super) fn new(
        reads: &'a RefCell<Reads>,
        keyspace: KeyspaceName<'_>,
        range: KeyRange,
        direction: Direction,
    ) -> Self {
        let keyspace = keyspace.as_str().to_owned();
        Self { reads, keyspace, range, direction, until: Until::Nothing }
    }
}

impl Drop for Covered<'_> {
    fn drop(&mut self) {
        let range = std::mem::replace(&mut self.range, KeyRange::all());
        let covered = match std::mem::replace(&mut self.until, Until::Nothing) {
            Until::Nothing => return,
            Until::Key(key) => range.through(key, self.direction),
            Until::End => range,
        };
        self.reads.borrow_mut().add_range(KeyspaceName::from(&self.keyspace), covered);
    }
}

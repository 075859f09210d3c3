//! A driver over the one in memory that gets one thing wrong.

use std::collections::BTreeSet;
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, ThreadId};

use tidal_storage::conformance::Factory;
use tidal_storage::{
    BatchOp, Capabilities, Direction, Driver, DriverStorage, Durability, KeyRange, KeyValue,
    Memory, Result, SpaceId, SpaceOp, SpaceSize, Storage,
};

/// What it gets wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DriverFault {
    LosesDeletes,
    DeletesTheNextKeyToo,
    ForgetsThatItDeleted,
    LosesEmptyValues,
    KeepsTheFirstValue,
    ReadsBehindWrites,
    LosesWritesOfOtherThreads,
    ContainsEverything,
    ContainsNothing,
    OneKeyspaceForAll,
    StartsWithAKey,
    CutsKeys,
    CutsValues,
    FoldsCase,
    DropsZeroBytes,
    LosesHalfOfABatch,
    LosesOtherKeyspaces,
    LosesHugeBatches,
    LosesLargeValues,
    LosesEveryHundredthWrite,
    CommitsOneByOne,
    ScansUnordered,
    ScansSignedBytes,
    ScansForwardOnly,
    ScansLaterWrites,
    ScansAtMostAThousand,
    ScansKeysOnly,
    ScansTheEndToo,
    ScansPastTheEnd,
    SkipsTheStart,
    SkipsTheLast,
    SnapshotsMove,
    CountsTwice,
    PanicsOnCompact,
    LosesAKeyOnCompact,
    LosesAKeyOnSync,
}

impl DriverFault {
    pub(super) const ALL: &[Self] = &[
        Self::LosesDeletes,
        Self::DeletesTheNextKeyToo,
        Self::ForgetsThatItDeleted,
        Self::LosesEmptyValues,
        Self::KeepsTheFirstValue,
        Self::ReadsBehindWrites,
        Self::LosesWritesOfOtherThreads,
        Self::ContainsEverything,
        Self::ContainsNothing,
        Self::OneKeyspaceForAll,
        Self::StartsWithAKey,
        Self::CutsKeys,
        Self::CutsValues,
        Self::FoldsCase,
        Self::DropsZeroBytes,
        Self::LosesHalfOfABatch,
        Self::LosesOtherKeyspaces,
        Self::LosesHugeBatches,
        Self::LosesLargeValues,
        Self::LosesEveryHundredthWrite,
        Self::CommitsOneByOne,
        Self::ScansUnordered,
        Self::ScansSignedBytes,
        Self::ScansForwardOnly,
        Self::ScansLaterWrites,
        Self::ScansAtMostAThousand,
        Self::ScansKeysOnly,
        Self::ScansTheEndToo,
        Self::ScansPastTheEnd,
        Self::SkipsTheStart,
        Self::SkipsTheLast,
        Self::SnapshotsMove,
        Self::CountsTwice,
        Self::PanicsOnCompact,
        Self::LosesAKeyOnCompact,
        Self::LosesAKeyOnSync,
    ];
}

/// Opens the engine, with the fault or without any.
pub(super) struct Engine(pub(super) Option<DriverFault>);

impl Factory for Engine {
    fn capabilities(&self) -> Capabilities {
        Memory::CAPABILITIES
    }

    fn open(&self, _directory: &Path) -> Result<Box<dyn Storage>> {
        let driver = FaultyDriver {
            inner: Arc::default(),
            fault: self.0,
            before: Mutex::new(None),
            opener: thread::current().id(),
            writes: AtomicUsize::new(0),
        };
        Ok(Box::new(DriverStorage::over(driver, PathBuf::from("faulty"))?))
    }

    fn reopen(&self, storage: Box<dyn Storage>, _directory: &Path) -> Result<Box<dyn Storage>> {
        Ok(storage)
    }
}

type Moment = <Memory as Driver>::Snapshot;

#[derive(Debug)]
pub(super) struct FaultyDriver {
    inner: Arc<Memory>,
    fault: Option<DriverFault>,
    /// The moment before the last commit.
    before: Mutex<Option<Moment>>,
    opener: ThreadId,
    writes: AtomicUsize,
}

impl FaultyDriver {
    fn has(&self, fault: DriverFault) -> bool {
        self.fault == Some(fault)
    }

    fn key(&self, key: &[u8]) -> Vec<u8> {
        let mut key = key.to_vec();
        match self.fault {
            Some(DriverFault::CutsKeys) => key.truncate(255),
            Some(DriverFault::FoldsCase) => key.make_ascii_lowercase(),
            Some(DriverFault::DropsZeroBytes) if key.len() > 1 => {
                while key.len() > 1 && key.last() == Some(&0) {
                    key.pop();
                }
            }
            _ => {}
        }
        key
    }

    fn moment<'m>(&self, at: Option<&'m Moment>) -> Option<&'m Moment> {
        at.filter(|_| !self.has(DriverFault::SnapshotsMove))
    }

    /// What becomes of a write.
    fn changed(&self, op: BatchOp) -> Vec<BatchOp> {
        use DriverFault as F;
        match (self.fault, op) {
            (Some(F::LosesDeletes), BatchOp::Delete { .. }) => Vec::new(),
            (Some(F::ForgetsThatItDeleted), BatchOp::Delete { key }) => {
                vec![BatchOp::Put { key, value: Vec::new() }]
            }
            (Some(F::DeletesTheNextKeyToo), BatchOp::Delete { key }) => {
                let next = [key.as_slice(), b"\0"].concat();
                vec![BatchOp::Delete { key }, BatchOp::Delete { key: next }]
            }
            (Some(F::LosesEmptyValues), BatchOp::Put { value, .. }) if value.is_empty() => {
                Vec::new()
            }
            (Some(F::LosesLargeValues), BatchOp::Put { value, .. }) if value.len() > 200_000 => {
                Vec::new()
            }
            (Some(F::CutsValues), BatchOp::Put { key, mut value }) => {
                value.truncate(65_535);
                vec![BatchOp::Put { key, value }]
            }
            (_, BatchOp::Put { key, value }) => vec![BatchOp::Put { key: self.key(&key), value }],
            (_, BatchOp::Delete { key }) => vec![BatchOp::Delete { key: self.key(&key) }],
        }
    }

    fn lose_a_key(&self, space: SpaceId) -> Result<()> {
        let first = self
            .inner
            .scan(None, space, KeyRange::all(), Direction::Forward)?
            .next()
            .transpose()?;
        match first {
            Some((key, _)) => self
                .inner
                .commit(vec![SpaceOp { space, op: BatchOp::Delete { key } }], Durability::Buffer),
            None => Ok(()),
        }
    }
}

impl Driver for FaultyDriver {
    type Snapshot = Moment;
    type Scan = Box<dyn Iterator<Item = Result<KeyValue>>>;

    const NAME: &'static str = "faulty";
    const CAPABILITIES: Capabilities = Memory::CAPABILITIES;

    fn keyspace_names(&self) -> Vec<String> {
        self.inner.keyspace_names()
    }

    fn open_keyspace(&mut self, name: &str) -> Result<SpaceId> {
        if self.has(DriverFault::OneKeyspaceForAll) && name != "items" {
            return Ok(SpaceId::new(0));
        }
        let inner = Arc::get_mut(&mut self.inner);
        let space = match inner {
            Some(inner) => inner.open_keyspace(name)?,
            // Scans hold on to it.
            None => return Ok(SpaceId::new(0)),
        };
        if self.has(DriverFault::StartsWithAKey) {
            let op = BatchOp::Put { key: b"version".to_vec(), value: b"1".to_vec() };
            self.inner.commit(vec![SpaceOp { space, op }], Durability::Buffer)?;
        }
        Ok(space)
    }

    fn get(&self, at: Option<&Moment>, space: SpaceId, key: &[u8]) -> Result<Option<Vec<u8>>> {
        let key = self.key(key);
        if self.has(DriverFault::ReadsBehindWrites) && at.is_none() {
            let before = self.before.lock().unwrap();
            return self.inner.get(before.as_ref(), space, &key);
        }
        self.inner.get(self.moment(at), space, &key)
    }

    fn contains(&self, at: Option<&Moment>, space: SpaceId, key: &[u8]) -> Result<bool> {
        match self.fault {
            Some(DriverFault::ContainsEverything) => Ok(true),
            Some(DriverFault::ContainsNothing) => Ok(false),
            _ => self.inner.contains(self.moment(at), space, &self.key(key)),
        }
    }

    fn scan(
        &self,
        at: Option<&Moment>,
        space: SpaceId,
        range: KeyRange,
        direction: Direction,
    ) -> Result<Self::Scan> {
        use DriverFault as F;
        let (start, end) = range.bounds();
        let (start, end) = (start.map(<[u8]>::to_vec), end.map(<[u8]>::to_vec));
        let (range, direction) = match (self.fault, start, end) {
            (Some(F::ScansForwardOnly), ..) => (range, Direction::Forward),
            (Some(F::ScansTheEndToo), start, Bound::Excluded(end)) => {
                (KeyRange::new(start, Bound::Included(end)), direction)
            }
            (Some(F::ScansPastTheEnd), start, _) => {
                (KeyRange::new(start, Bound::Unbounded), direction)
            }
            (Some(F::SkipsTheStart), Bound::Included(start), end) => {
                (KeyRange::new(Bound::Excluded(start), end), direction)
            }
            _ => (range, direction),
        };
        let Some(range) = range.normalized() else {
            return Ok(Box::new(std::iter::empty()));
        };
        let at = self.moment(at);
        if self.has(F::ScansLaterWrites) && at.is_none() {
            let inner = Arc::clone(&self.inner);
            let mut rest = Some(range);
            return Ok(Box::new(std::iter::from_fn(move || {
                let range = rest.take()?;
                let mut scan = inner.scan(None, space, range.clone(), direction).ok()?;
                let entry = scan.next()?;
                let (key, _) = entry.as_ref().ok()?;
                let (start, end) = range.bounds();
                let beyond = Bound::Excluded(key.clone());
                let left = match direction {
                    Direction::Forward => KeyRange::new(beyond, end.map(<[u8]>::to_vec)),
                    Direction::Backward => KeyRange::new(start.map(<[u8]>::to_vec), beyond),
                };
                rest = left.normalized();
                Some(entry)
            })));
        }
        let scan = self.inner.scan(at, space, range, direction)?;
        let mut entries: Vec<KeyValue> = match self.fault {
            None => return Ok(Box::new(scan)),
            Some(_) => scan.collect::<Result<_>>()?,
        };
        match self.fault {
            Some(F::ScansUnordered) if entries.len() > 1 => entries.swap(0, 1),
            Some(F::ScansSignedBytes) => {
                let signed =
                    |key: &[u8]| key.iter().map(|byte| byte.cast_signed()).collect::<Vec<i8>>();
                entries.sort_by_key(|(key, _)| signed(key));
                if direction == Direction::Backward {
                    entries.reverse();
                }
            }
            Some(F::ScansAtMostAThousand) => entries.truncate(1_000),
            Some(F::ScansKeysOnly) => entries.iter_mut().for_each(|(_, value)| value.clear()),
            Some(F::SkipsTheLast) => drop(entries.pop()),
            _ => {}
        }
        Ok(Box::new(entries.into_iter().map(Ok)))
    }

    fn commit(&self, ops: Vec<SpaceOp>, durability: Durability) -> Result<()> {
        use DriverFault as F;
        let mut ops: Vec<SpaceOp> = ops
            .into_iter()
            .flat_map(|SpaceOp { space, op }| {
                self.changed(op).into_iter().map(move |op| SpaceOp { space, op })
            })
            .collect();
        let write = self.writes.fetch_add(1, Ordering::Relaxed);
        match self.fault {
            Some(F::LosesHalfOfABatch) if ops.len() > 1 => ops.truncate(ops.len() / 2),
            Some(F::LosesOtherKeyspaces) => {
                let first = ops.first().map(|op| op.space);
                ops.retain(|op| Some(op.space) == first);
            }
            Some(F::LosesHugeBatches) => ops.truncate(65_536),
            Some(F::LosesEveryHundredthWrite) if write % 100 == 99 => ops.clear(),
            Some(F::LosesWritesOfOtherThreads) if thread::current().id() != self.opener => {
                ops.clear();
            }
            Some(F::KeepsTheFirstValue) => {
                let mut there = BTreeSet::new();
                for op in &ops {
                    if self.inner.contains(None, op.space, op.op.key())? {
                        there.insert((op.space, op.op.key().to_vec()));
                    }
                }
                ops.retain(|op| {
                    matches!(op.op, BatchOp::Delete { .. })
                        || !there.contains(&(op.space, op.op.key().to_vec()))
                });
            }
            Some(F::ReadsBehindWrites) => {
                *self.before.lock().unwrap() = Some(self.inner.snapshot()?);
            }
            Some(F::CommitsOneByOne) => {
                for op in ops {
                    self.inner.commit(vec![op], durability)?;
                    thread::yield_now();
                }
                return Ok(());
            }
            _ => {}
        }
        if ops.is_empty() { Ok(()) } else { self.inner.commit(ops, durability) }
    }

    fn snapshot(&self) -> Result<Moment> {
        self.inner.snapshot()
    }

    fn sync(&self) -> Result<()> {
        if self.has(DriverFault::LosesAKeyOnSync) {
            self.lose_a_key(SpaceId::new(0))?;
        }
        self.inner.sync()
    }

    fn compact(&self, space: SpaceId) -> Result<()> {
        match self.fault {
            Some(DriverFault::PanicsOnCompact) => panic!("out of ideas"),
            Some(DriverFault::LosesAKeyOnCompact) => self.lose_a_key(space),
            _ => self.inner.compact(space),
        }
    }

    fn size(&self, space: SpaceId) -> Result<SpaceSize> {
        let mut size = self.inner.size(space)?;
        if self.has(DriverFault::CountsTwice) {
            size.keys *= 2;
        }
        Ok(size)
    }

    fn disk_bytes(&self) -> Result<u64> {
        self.inner.disk_bytes()
    }
}

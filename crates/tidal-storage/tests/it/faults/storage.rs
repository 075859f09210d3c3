//! A storage over the one in memory that gets one thing wrong which the shell over the
//! drivers gets right, as somebody could who implements [`Storage`] by hand.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

use tidal_storage::conformance::Factory;
use tidal_storage::{
    AtomicBatch, BatchOp, Capabilities, Direction, Driver, Durability, EngineStats, Isolation,
    KEY_BYTES_MAX, KeyRange, KeyspaceName, Memory, MemoryStorage, PrefixIterator, Result, Snapshot,
    Storage, StorageEngine, StorageError, StorageStats, Transaction, WriteBatch,
};
use tidal_types::EntityKind;

/// What it gets wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StorageFault {
    FirstOperationWins,
    SortsOperations,
    LosesTheFirstOperation,
    EmptyBatchesFail,
    EmptyBatchesClear,
    AcceptsBadKeys,
    AcceptsLargeValues,
    AcceptsBadNames,
    RefusesLongNames,
    RefusesLongKeys,
    AppliesRefusedBatches,
    ClosedReadsEmpty,
    CloseDoesNothing,
    ClosingTwiceFails,
    SwapsBlindly,
    SwapsInTwoSteps,
    SwapsNothing,
    StopsAtTheHighestByte,
    TurnsInvertedRanges,
    FailsOnInvertedRanges,
    FailsOnLongBounds,
    RefusesManyKeyspaces,
    RefusesNewKeyspacesInBatches,
    CreatesKeyspacesThatAreRead,
    StatisticsForgetKeyspaces,
    CountsNothing,
    CountsForEver,
    NeverSerializable,
    AlwaysSerializable,
    DeletingNothingFails,
    HidesErrorsOfScans,
    LosesSequences,
    TransactionsElsewhere,
    ScansAgainAfterTheEnd,
}

impl StorageFault {
    pub(super) const ALL: &[Self] = &[
        Self::FirstOperationWins,
        Self::SortsOperations,
        Self::LosesTheFirstOperation,
        Self::EmptyBatchesFail,
        Self::EmptyBatchesClear,
        Self::AcceptsBadKeys,
        Self::AcceptsLargeValues,
        Self::AcceptsBadNames,
        Self::RefusesLongNames,
        Self::RefusesLongKeys,
        Self::AppliesRefusedBatches,
        Self::ClosedReadsEmpty,
        Self::CloseDoesNothing,
        Self::ClosingTwiceFails,
        Self::SwapsBlindly,
        Self::SwapsInTwoSteps,
        Self::SwapsNothing,
        Self::StopsAtTheHighestByte,
        Self::TurnsInvertedRanges,
        Self::FailsOnInvertedRanges,
        Self::FailsOnLongBounds,
        Self::RefusesManyKeyspaces,
        Self::RefusesNewKeyspacesInBatches,
        Self::CreatesKeyspacesThatAreRead,
        Self::StatisticsForgetKeyspaces,
        Self::CountsNothing,
        Self::CountsForEver,
        Self::NeverSerializable,
        Self::AlwaysSerializable,
        Self::DeletingNothingFails,
        Self::HidesErrorsOfScans,
        Self::LosesSequences,
        Self::TransactionsElsewhere,
        Self::ScansAgainAfterTheEnd,
    ];
}

/// Opens the engine, with the fault or without any.
pub(super) struct Engine(pub(super) Option<StorageFault>);

impl Factory for Engine {
    fn capabilities(&self) -> Capabilities {
        Memory::CAPABILITIES
    }

    fn open(&self, _directory: &Path) -> Result<Box<dyn Storage>> {
        let inner = Arc::new(MemoryStorage::new());
        let keyspaces = EntityKind::ALL.map(|kind| {
            let name = KeyspaceName::from(kind).as_str();
            FaultyEngine { inner: inner.keyspace(name).unwrap(), fault: self.0 }
        });
        Ok(Box::new(FaultyStorage {
            inner,
            elsewhere: MemoryStorage::new(),
            keyspaces,
            fault: self.0,
        }))
    }

    fn reopen(&self, storage: Box<dyn Storage>, _directory: &Path) -> Result<Box<dyn Storage>> {
        Ok(storage)
    }
}

fn other(problem: &'static str) -> StorageError {
    StorageError::Busy { path: PathBuf::from("faulty"), problem }
}

fn key_is_bad(key: &[u8]) -> bool {
    !(1..=KEY_BYTES_MAX).contains(&key.len())
}

/// What becomes of the operations of a batch in one keyspace.
fn changed(fault: Option<StorageFault>, batch: &WriteBatch) -> WriteBatch {
    let mut ops = batch.ops().to_vec();
    match fault {
        Some(StorageFault::FirstOperationWins) => {
            let mut seen = BTreeSet::new();
            ops.retain(|op| seen.insert(op.key().to_vec()));
        }
        // Puts before deletes, as if a batch were two sets.
        Some(StorageFault::SortsOperations) => {
            ops.sort_by_key(|op| matches!(op, BatchOp::Delete { .. }));
        }
        Some(StorageFault::LosesTheFirstOperation) if ops.len() > 2 => drop(ops.remove(0)),
        Some(StorageFault::AcceptsBadKeys) => ops.retain(|op| !key_is_bad(op.key())),
        _ => {}
    }
    let mut batch = WriteBatch::new();
    for op in ops {
        batch.push(op);
    }
    batch
}

#[derive(Debug)]
struct FaultyStorage {
    inner: Arc<MemoryStorage>,
    elsewhere: MemoryStorage,
    keyspaces: [FaultyEngine; 3],
    fault: Option<StorageFault>,
}

impl FaultyStorage {
    fn has(&self, fault: StorageFault) -> bool {
        self.fault == Some(fault)
    }
}

impl Storage for FaultyStorage {
    fn name(&self) -> &'static str {
        "faulty"
    }

    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }

    fn backend(&self, kind: EntityKind) -> &dyn StorageEngine {
        let name = KeyspaceName::from(kind).as_str();
        self.keyspaces.iter().find(|keyspace| keyspace.name() == name).unwrap()
    }

    fn keyspace(&self, name: &str) -> Result<Arc<dyn StorageEngine>> {
        let refused = (self.has(StorageFault::RefusesLongNames) && name.len() > 32)
            || (self.has(StorageFault::RefusesManyKeyspaces)
                && self.inner.stats()?.keyspaces.len() > 16);
        if refused {
            return Err(other("out of keyspaces"));
        }
        let engine = match self.inner.keyspace(name) {
            Err(StorageError::KeyspaceName { .. }) if self.has(StorageFault::AcceptsBadNames) => {
                self.inner.keyspace("other")?
            }
            Ok(engine) if self.has(StorageFault::LosesSequences) && name == "tidal_sequences" => {
                // As if it were made anew each time.
                engine.delete(b"orders")?;
                engine
            }
            opened => opened?,
        };
        Ok(Arc::new(FaultyEngine { inner: engine, fault: self.fault }))
    }

    fn commit(&self, batch: AtomicBatch, durability: Durability) -> Result<()> {
        if batch.is_empty() && self.has(StorageFault::EmptyBatchesFail) {
            return Err(other("nothing to do"));
        }
        let known = self.inner.stats()?.keyspaces;
        let mut ops = AtomicBatch::new();
        for (keyspace, part) in batch.parts() {
            if self.has(StorageFault::RefusesNewKeyspacesInBatches)
                && !known.contains_key(keyspace.as_str())
            {
                return Err(other("no such keyspace"));
            }
            for op in changed(self.fault, part).ops() {
                ops.push(keyspace, op.clone());
            }
        }
        if self.has(StorageFault::AppliesRefusedBatches) {
            for (keyspace, part) in ops.parts() {
                let engine = self.inner.keyspace(keyspace.as_str())?;
                for op in part.ops() {
                    let mut one = WriteBatch::new();
                    one.push(op.clone());
                    engine.write_batch(one)?;
                }
            }
            return if durability == Durability::Sync { self.inner.flush_all() } else { Ok(()) };
        }
        if self.has(StorageFault::AcceptsBadNames) {
            return self.inner.commit(ops, durability).or_else(|error| match error {
                StorageError::KeyspaceName { .. } => Ok(()),
                error => Err(error),
            });
        }
        self.inner.commit(ops, durability)
    }

    fn snapshot(&self) -> Result<Box<dyn Snapshot + '_>> {
        if self.has(StorageFault::CreatesKeyspacesThatAreRead) {
            self.inner.keyspace("nowhere")?;
        }
        self.inner.snapshot()
    }

    fn begin_with(&self, isolation: Isolation) -> Result<Transaction<'_>> {
        if self.has(StorageFault::CreatesKeyspacesThatAreRead) {
            self.inner.keyspace("fresh")?;
        }
        if self.has(StorageFault::TransactionsElsewhere) {
            return self.elsewhere.begin_with(isolation);
        }
        self.inner.begin_with(match self.fault {
            Some(StorageFault::NeverSerializable) => Isolation::Snapshot,
            Some(StorageFault::AlwaysSerializable) => Isolation::Serializable,
            _ => isolation,
        })
    }

    fn flush_all(&self) -> Result<()> {
        self.inner.flush_all()
    }

    fn stats(&self) -> Result<StorageStats> {
        let mut stats = self.inner.stats()?;
        if self.has(StorageFault::StatisticsForgetKeyspaces) {
            stats.keyspaces.remove("extra");
        }
        Ok(stats)
    }

    fn close(&self) -> Result<()> {
        match self.fault {
            Some(StorageFault::CloseDoesNothing) => Ok(()),
            Some(StorageFault::ClosingTwiceFails) => {
                self.inner.stats()?;
                self.inner.close()
            }
            _ => self.inner.close(),
        }
    }
}

impl Drop for FaultyStorage {
    fn drop(&mut self) {
        // Its keyspaces hold on to the storage.
        if !self.has(StorageFault::CloseDoesNothing) {
            self.inner.close().unwrap();
        }
    }
}

#[derive(Debug)]
struct FaultyEngine {
    inner: Arc<dyn StorageEngine>,
    fault: Option<StorageFault>,
}

impl FaultyEngine {
    fn has(&self, fault: StorageFault) -> bool {
        self.fault == Some(fault)
    }

    /// Whether a call with this key answers as if nothing were wrong.
    fn ignores(&self, key: &[u8]) -> bool {
        self.has(StorageFault::AcceptsBadKeys) && key_is_bad(key)
    }

    fn check(&self, key: &[u8]) -> Result<()> {
        if self.has(StorageFault::RefusesLongKeys) && key.len() > 255 {
            return Err(other("too long"));
        }
        Ok(())
    }

    fn unless_closed<T: Default>(&self, result: Result<T>) -> Result<T> {
        match result {
            Err(StorageError::Closed { .. }) if self.has(StorageFault::ClosedReadsEmpty) => {
                Ok(T::default())
            }
            result => result,
        }
    }
}

impl StorageEngine for FaultyEngine {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>> {
        self.check(key)?;
        if self.ignores(key) { Ok(None) } else { self.unless_closed(self.inner.get(key)) }
    }

    fn contains(&self, key: &[u8]) -> Result<bool> {
        if self.ignores(key) { Ok(false) } else { self.unless_closed(self.inner.contains(key)) }
    }

    fn put(&self, key: &[u8], value: &[u8]) -> Result<()> {
        self.check(key)?;
        match self.inner.put(key, value) {
            Err(StorageError::KeyLength { .. }) if self.ignores(key) => Ok(()),
            Err(StorageError::ValueLength { .. }) if self.has(StorageFault::AcceptsLargeValues) => {
                Ok(())
            }
            result => result,
        }
    }

    fn delete(&self, key: &[u8]) -> Result<()> {
        if self.has(StorageFault::DeletingNothingFails) && !self.inner.contains(key)? {
            return Err(other("no such key"));
        }
        if self.ignores(key) { Ok(()) } else { self.inner.delete(key) }
    }

    fn scan_prefix(&self, prefix: &[u8]) -> Result<PrefixIterator<'_>> {
        if self.has(StorageFault::StopsAtTheHighestByte) && prefix.last() == Some(&0xff) {
            return Ok(Box::new(std::iter::empty()));
        }
        if self.has(StorageFault::FailsOnLongBounds) && prefix.len() > KEY_BYTES_MAX {
            return Err(other("too long"));
        }
        let scan = self.inner.scan_prefix(prefix)?;
        Ok(match self.fault {
            Some(StorageFault::HidesErrorsOfScans) => Box::new(scan.filter(Result::is_ok)),
            _ => scan,
        })
    }

    fn scan_range(&self, range: KeyRange, direction: Direction) -> Result<PrefixIterator<'_>> {
        let bounds = range.bounds();
        let keys = |bound: std::ops::Bound<&[u8]>| match bound {
            std::ops::Bound::Included(key) | std::ops::Bound::Excluded(key) => Some(key.to_vec()),
            std::ops::Bound::Unbounded => None,
        };
        let (start, end) = (keys(bounds.0), keys(bounds.1));
        let inverted = start.is_some() && end.is_some() && start > end;
        let empty = start.is_some() && start == end;
        match self.fault {
            Some(StorageFault::TurnsInvertedRanges) if inverted || empty => {
                let (from, to) = (end.unwrap(), start.unwrap());
                return self.inner.scan_range((from..=to).into(), direction);
            }
            Some(StorageFault::FailsOnInvertedRanges) if inverted => {
                return Err(other("inverted"));
            }
            Some(StorageFault::FailsOnLongBounds)
                if start.iter().chain(&end).any(|key| key_is_bad(key)) =>
            {
                return Err(other("no such key"));
            }
            _ => {}
        }
        let mut scan = self.inner.scan_range(range.clone(), direction)?;
        if !self.has(StorageFault::ScansAgainAfterTheEnd) {
            return Ok(scan);
        }
        Ok(Box::new(std::iter::from_fn(move || {
            let next = scan.next();
            if next.is_none() {
                scan = self.inner.scan_range(range.clone(), direction).ok()?;
            }
            next
        })))
    }

    fn write_batch(&self, batch: WriteBatch) -> Result<()> {
        if batch.is_empty() && self.has(StorageFault::EmptyBatchesFail) {
            return Err(other("nothing to do"));
        }
        if batch.is_empty() && self.has(StorageFault::EmptyBatchesClear) {
            for entry in self.inner.scan_prefix(b"")? {
                self.inner.delete(&entry?.0)?;
            }
        }
        let batch = changed(self.fault, &batch);
        if self.has(StorageFault::AppliesRefusedBatches) {
            for op in batch.ops() {
                let mut one = WriteBatch::new();
                one.push(op.clone());
                self.inner.write_batch(one)?;
            }
            return Ok(());
        }
        self.inner.write_batch(batch)
    }

    fn compare_and_swap(
        &self,
        key: &[u8],
        expected: Option<&[u8]>,
        new: Option<&[u8]>,
        durability: Durability,
    ) -> Result<bool> {
        let write = || match new {
            Some(value) => self.inner.put(key, value).map(|()| true),
            None => self.inner.delete(key).map(|()| true),
        };
        match self.fault {
            Some(StorageFault::SwapsBlindly) => write(),
            Some(StorageFault::SwapsInTwoSteps) => {
                if self.inner.get(key)?.as_deref() != expected {
                    return Ok(false);
                }
                thread::yield_now();
                write()
            }
            Some(StorageFault::SwapsNothing) => Ok(true),
            _ => self.inner.compare_and_swap(key, expected, new, durability),
        }
    }

    fn flush(&self) -> Result<()> {
        self.inner.flush()
    }

    fn compact(&self) -> Result<()> {
        self.inner.compact()
    }

    fn stats(&self) -> Result<EngineStats> {
        let mut stats = self.inner.stats()?;
        match self.fault {
            Some(StorageFault::CountsNothing) => stats.reads = 0,
            Some(StorageFault::CountsForEver) => stats.writes += 1,
            _ => {}
        }
        Ok(stats)
    }
}

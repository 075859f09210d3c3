//! What tests of the log share: small logs, and a disk that fails on demand.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use tidal_types::{Seq, WalError};

use crate::disk::{Disk, DiskFile, RealDisk};
use crate::{Batch, RecordKind, Wal, WalOptions};

/// Options that make segments small.
pub(crate) fn small() -> WalOptions {
    WalOptions { segment_bytes: 16 << 10, ..WalOptions::default() }
}

pub(crate) fn batch(payloads: &[&[u8]]) -> Batch {
    let mut batch = Batch::new();
    for payload in payloads {
        batch.push(RecordKind(7), payload).unwrap();
    }
    batch
}

/// Appends each payload on its own and waits for it.
pub(crate) fn append_each(log: &Wal, payloads: impl IntoIterator<Item = Vec<u8>>) {
    for payload in payloads {
        log.append(&batch(&[&payload])).unwrap().wait().unwrap();
    }
}

/// Every record from `from` on.
pub(crate) fn read_from(log: &Wal, from: Seq) -> Result<Vec<Vec<u8>>, WalError> {
    let mut reader = log.reader(from);
    let mut payloads = Vec::new();
    let mut expected = from.max(Seq::FIRST);
    while let Some(record) = reader.next_record()? {
        assert_eq!(record.seq, expected);
        assert_eq!(record.kind, RecordKind(7));
        payloads.push(record.payload.to_vec());
        expected = expected.next();
    }
    Ok(payloads)
}

/// Every record of the log in `dir`, which is opened and closed.
pub(crate) fn contents(dir: &Path) -> Result<Vec<Vec<u8>>, WalError> {
    let log = Wal::open(dir, small())?;
    let payloads = read_from(&log, log.first_seq())?;
    log.close()?;
    Ok(payloads)
}

/// Payloads that can be told apart: `index` in decimal, padded to `bytes`.
pub(crate) fn numbered(index: usize, bytes: usize) -> Vec<u8> {
    let mut payload = index.to_string().into_bytes();
    payload.resize(bytes.max(payload.len()), b'.');
    payload
}

/// The operations that can be made to fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    Create,
    Write,
    Sync,
    Rename,
    Remove,
    SyncDir,
}

/// A real directory whose n-th operation of a kind fails.
#[derive(Debug)]
pub(crate) struct FailingDisk {
    real: RealDisk,
    faults: Arc<Faults>,
}

#[derive(Debug)]
struct Faults {
    operation: Operation,
    error: io::ErrorKind,
    /// How many more operations succeed; `u64::MAX` for all.
    countdown: AtomicU64,
    /// How many operations of the kind were tried.
    tried: AtomicU64,
    log: Mutex<Vec<Operation>>,
}

impl Faults {
    fn pass(&self, operation: Operation) -> io::Result<()> {
        self.log.lock().unwrap().push(operation);
        if operation != self.operation {
            return Ok(());
        }
        self.tried.fetch_add(1, Ordering::SeqCst);
        let left = self.countdown.load(Ordering::SeqCst);
        if left == u64::MAX {
            return Ok(());
        }
        if left == 0 {
            self.countdown.store(u64::MAX, Ordering::SeqCst);
            return Err(self.error.into());
        }
        self.countdown.store(left - 1, Ordering::SeqCst);
        Ok(())
    }
}

impl FailingDisk {
    /// Once armed, the n-th operation (from zero) of this kind fails, and only
    /// that one.
    pub(crate) fn new(dir: &Path, operation: Operation, error: io::ErrorKind) -> Self {
        let faults = Faults {
            operation,
            error,
            countdown: AtomicU64::new(u64::MAX),
            tried: AtomicU64::new(0),
            log: Mutex::new(Vec::new()),
        };
        Self { real: RealDisk::create(dir).unwrap(), faults: Arc::new(faults) }
    }

    pub(crate) fn arm(&self, countdown: u64) {
        self.faults.countdown.store(countdown, Ordering::SeqCst);
    }

    /// Whether the failure has happened.
    pub(crate) fn fired(&self) -> bool {
        self.faults.countdown.load(Ordering::SeqCst) == u64::MAX
    }

    pub(crate) fn operations(&self) -> Vec<Operation> {
        self.faults.log.lock().unwrap().clone()
    }

    fn file(&self, file: Arc<dyn DiskFile>) -> Arc<dyn DiskFile> {
        Arc::new(FailingFile { file, faults: Arc::clone(&self.faults) })
    }
}

impl Disk for FailingDisk {
    fn path(&self, name: &str) -> PathBuf {
        self.real.path(name)
    }

    fn list(&self) -> io::Result<Vec<String>> {
        self.real.list()
    }

    fn create(&self, name: &str, bytes: u64) -> io::Result<Arc<dyn DiskFile>> {
        self.faults.pass(Operation::Create)?;
        Ok(self.file(self.real.create(name, bytes)?))
    }

    fn open_read(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        self.real.open_read(name)
    }

    fn open_write(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        Ok(self.file(self.real.open_write(name)?))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.faults.pass(Operation::Rename)?;
        self.real.rename(from, to)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.faults.pass(Operation::Remove)?;
        self.real.remove(name)
    }

    fn sync_dir(&self) -> io::Result<()> {
        self.faults.pass(Operation::SyncDir)?;
        self.real.sync_dir()
    }

    fn random_u64(&self) -> io::Result<u64> {
        self.real.random_u64()
    }
}

#[derive(Debug)]
struct FailingFile {
    file: Arc<dyn DiskFile>,
    faults: Arc<Faults>,
}

impl DiskFile for FailingFile {
    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }

    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
        self.file.read_at(bytes, offset)
    }

    /// A write that fails leaves half of its bytes behind.
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        if let Err(error) = self.faults.pass(Operation::Write) {
            self.file.write_all_at(&bytes[..bytes.len() / 2], offset)?;
            return Err(error);
        }
        self.file.write_at(bytes, offset)
    }

    fn sync(&self) -> io::Result<()> {
        self.faults.pass(Operation::Sync)?;
        self.file.sync()
    }
}

//! The files of a simulated disk, as a log sees them.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use super::faults::{Fault, Passage};
use super::{SimDisk, State};
use crate::disk::{Disk, DiskFile};
use crate::sim::content::Content;

#[derive(Debug)]
struct SimFile {
    disk: SimDisk,
    name: String,
    file: usize,
}

impl SimDisk {
    fn open(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        let state = self.lock();
        state.faults.check()?;
        let file = state.directory.find(name).ok_or(io::ErrorKind::NotFound)?;
        Ok(Arc::new(SimFile { disk: self.clone(), name: name.into(), file }))
    }

    /// Does something to the directory, which when it fails may be done or not.
    fn change(&self, operation: String, change: impl FnOnce(&mut State)) -> io::Result<()> {
        let state = &mut *self.lock();
        match state.faults.pass(operation)? {
            Passage::Whole => {
                change(state);
                Ok(())
            }
            Passage::Part(_, error) => {
                if state.rng.one_in(2) {
                    change(state);
                }
                Err(error)
            }
        }
    }
}

impl Disk for SimDisk {
    fn path(&self, name: &str) -> PathBuf {
        PathBuf::from("sim").join(name)
    }

    fn list(&self) -> io::Result<Vec<String>> {
        let state = self.lock();
        state.faults.check()?;
        Ok(state.directory.names())
    }

    fn create(&self, name: &str, bytes: u64) -> io::Result<Arc<dyn DiskFile>> {
        let state = &mut *self.lock();
        let passage = state.faults.pass(format!("create {name} {bytes}"))?;
        let file = if let Some(file) = state.directory.find(name) {
            state.content_mut(file).clear();
            file
        } else {
            state.contents.push(Content::default());
            let file = state.contents.len() - 1;
            state.directory.create(name, file);
            file
        };
        let (length, failure) = match passage {
            Passage::Part(_, error) => (state.rng.below(bytes + 1), Some(error)),
            Passage::Whole if bytes > state.room() => {
                state.faults.suffer("  no space");
                (state.room(), Some(io::ErrorKind::StorageFull.into()))
            }
            Passage::Whole => (bytes, None),
        };
        let zeros = vec![0; usize::try_from(length).map_err(io::Error::other)?];
        state.content_mut(file).write(&zeros, 0);
        match failure {
            Some(error) => Err(error),
            None => Ok(Arc::new(SimFile { disk: self.clone(), name: name.into(), file })),
        }
    }

    fn open_read(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        self.open(name)
    }

    fn open_write(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        self.open(name)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.change(format!("rename {from} {to}"), |state| state.directory.rename(from, to))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        if self.lock().directory.find(name).is_none() {
            return Err(io::ErrorKind::NotFound.into());
        }
        self.change(format!("remove {name}"), |state| state.directory.remove(name))
    }

    fn sync_dir(&self) -> io::Result<()> {
        self.change("sync directory".into(), |state| state.directory.sync())
    }

    fn random_u64(&self) -> io::Result<u64> {
        Ok(self.lock().rng.next_u64())
    }
}

impl DiskFile for SimFile {
    fn len(&self) -> io::Result<u64> {
        let state = &mut *self.disk.lock();
        state.faults.check()?;
        Ok(state.content_mut(self.file).cached().len() as u64)
    }

    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
        let state = &mut *self.disk.lock();
        state.faults.check()?;
        let asked = state.disturb(bytes.len())?;
        if state.rng.one_in(state.faults.disturbed_one_in()) {
            state.content_mut(self.file).evict();
        }
        let offset = usize::try_from(offset).map_err(io::Error::other)?;
        let there = state.content_mut(self.file).cached().get(offset..).unwrap_or_default();
        let count = there.len().min(asked);
        if let (Some(target), Some(source)) = (bytes.get_mut(..count), there.get(..count)) {
            target.copy_from_slice(source);
        }
        Ok(count)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        let state = &mut *self.disk.lock();
        state.faults.check()?;
        let asked = state.disturb(bytes.len())?;
        let what = format!("write {} {offset} {asked}", self.name);
        let (count, failure) = match state.faults.pass(what)? {
            Passage::Whole => (asked, None),
            Passage::Part(_, error) => (state.rng.below_len(asked + 1), Some(error)),
        };
        let offset = usize::try_from(offset).map_err(io::Error::other)?;
        let bytes = bytes.get(..count).unwrap_or_default();
        state.content_mut(self.file).write(bytes, offset);
        failure.map_or(Ok(count), Err)
    }

    fn sync(&self) -> io::Result<()> {
        let state = &mut *self.disk.lock();
        match state.faults.pass(format!("sync {}", self.name))? {
            Passage::Whole => {
                state.content_mut(self.file).sync();
                Ok(())
            }
            Passage::Part(fault, error) => {
                if fault == Fault::Fail {
                    let mut rng = state.rng.clone();
                    state.content_mut(self.file).fail_sync(&mut rng);
                    state.rng = rng;
                }
                Err(error)
            }
        }
    }
}

impl State {
    /// How many of the bytes are read or written, or an interruption.
    fn disturb(&mut self, bytes: usize) -> io::Result<usize> {
        if bytes < 2 || !self.rng.one_in(self.faults.disturbed_one_in()) {
            return Ok(bytes);
        }
        if self.rng.one_in(2) {
            return Err(io::ErrorKind::Interrupted.into());
        }
        Ok(1 + self.rng.below_len(bytes - 1))
    }
}

//! Room: for keyspaces and for data, both of which LMDB wants to know when it
//! opens.

use std::io::ErrorKind;
use std::path::Path;
use std::sync::atomic::Ordering;

use heed::types::{Bytes, DecodeIgnore};
use heed::{CommitOrAbort, Database, Env, MdbError, WithoutTls};
use tidal_types::StorageError;

use super::environment::{self, Sizes};
use super::errors::storage_error;
use super::options::MAP_BYTES_MIN;
use super::{Lmdb, Space};
use crate::{DirectoryLock, Result};

/// Opens the environment, with a smaller map where there is no address space for
/// that large a one.
pub(super) fn open_largest(
    path: &Path,
    sizes: &mut Sizes,
    read_only: bool,
    lock: &DirectoryLock,
) -> Result<Env<WithoutTls>> {
    loop {
        match environment::open(path, *sizes, read_only, lock) {
            Err(heed::Error::Io(error))
                if error.kind() == ErrorKind::OutOfMemory
                    && u64::try_from(sizes.map_bytes / 2)
                        .is_ok_and(|half| half >= MAP_BYTES_MIN) =>
            {
                sizes.map_bytes /= 2;
            }
            opened => return opened.map_err(|error| storage_error(path, "open", error)),
        }
    }
}

impl Lmdb {
    /// The names of the keyspaces that are there: the keys of the unnamed one.
    pub(super) fn list(&self) -> heed::Result<Vec<String>> {
        let env = self.env();
        let unnamed = env.open_databases_and_commit(env.read_txn()?, |opener, transaction| {
            let unnamed = opener.open_database::<Bytes, DecodeIgnore>(transaction, None)?;
            heed::Result::Ok(CommitOrAbort::<_, ()>::Commit(unnamed))
        })?;
        let Some(unnamed) = unnamed.commit().flatten() else { return Ok(Vec::new()) };
        let transaction = env.read_txn()?;
        let names = unnamed.iter(&transaction)?.map(|entry| Ok(text(entry?.0)));
        names.collect()
    }

    /// Opens a keyspace, and creates it if it is new and may be.
    pub(super) fn add_space(&mut self, name: &str) -> Result<()> {
        loop {
            let growths = self.growths();
            let pass = self.enter()?;
            let opened = self.open_database(name);
            drop(pass);
            match opened {
                Ok(database) => {
                    self.spaces.push(Space { name: name.to_owned(), database });
                    return Ok(());
                }
                Err(heed::Error::Mdb(MdbError::MapFull)) => self.grow(growths)?,
                Err(heed::Error::Mdb(MdbError::DbsFull)) => self.make_room_for_keyspaces()?,
                Err(error) => return Err(storage_error(&self.path, "open a keyspace", error)),
            }
        }
    }

    fn open_database(&self, name: &str) -> heed::Result<Option<Database<'static, Bytes, Bytes>>> {
        let env = self.env();
        if self.read_only || self.existing.iter().any(|known| known == name) {
            let opened =
                env.open_databases_and_commit(env.read_txn()?, |opener, transaction| {
                    let database = opener.open_database::<Bytes, Bytes>(transaction, Some(name))?;
                    heed::Result::Ok(CommitOrAbort::<_, ()>::Commit(database))
                })?;
            return Ok(opened.commit().flatten());
        }
        let created =
            env.create_databases_and_commit(env.write_txn()?, |opener, transaction| {
                let database = opener.create_database::<Bytes, Bytes>(transaction, Some(name))?;
                heed::Result::Ok(CommitOrAbort::<_, ()>::Commit(database))
            })?;
        Ok(created.commit())
    }

    /// How often the map has grown.
    pub(super) fn growths(&self) -> u64 {
        self.growths.load(Ordering::Acquire)
    }

    /// Doubles the map, unless someone has done so since it had grown `seen` times.
    pub(super) fn grow(&self, seen: u64) -> Result<()> {
        let Some(idle) = self.gate.idle_within(self.options.busy_timeout) else {
            return Err(storage_error(&self.path, "grow", MdbError::MapFull.into()));
        };
        if idle.is_closed() {
            // Whoever tried before us has lost the map, which must not be looked at.
            return Err(StorageError::Poisoned { path: self.path.clone() });
        }
        if self.growths() != seen {
            return Ok(());
        }
        let map_bytes = self.env().info().map_size.saturating_mul(2);
        if let Err(error) = environment::resize(self.env(), map_bytes, &idle) {
            // The map that was there is gone, and LMDB must not be called without.
            idle.close();
            return Err(self.give_up("grow the map of", error));
        }
        self.growths.fetch_add(1, Ordering::Release);
        Ok(())
    }

    /// Opens the environment again, with room for twice as many keyspaces.
    fn make_room_for_keyspaces(&mut self) -> Result<()> {
        let Some(idle) = self.gate.idle_within(self.options.busy_timeout) else {
            return Err(StorageError::Busy {
                path: self.path.clone(),
                problem: "it makes room for more keyspaces, which open snapshots and scans forbid",
            });
        };
        self.sizes.map_bytes = self.env().info().map_size;
        drop(idle);
        self.sizes.keyspaces_max *= 2;
        // Nobody can begin a transaction meanwhile: a keyspace is opened alone (D3).
        // The old environment is closed before the new one opens.
        self.env = None;
        let mut sizes = self.sizes;
        match open_largest(&self.path, &mut sizes, self.read_only, &self.lock) {
            Ok(env) => self.env = Some(env),
            Err(error) => {
                self.gate.idle().close();
                return Err(error);
            }
        }
        self.sizes = sizes;
        for index in 0..self.spaces.len() {
            let Some(name) = self.spaces.get(index).map(|space| space.name.clone()) else { break };
            let database = self.open_database(&name).map_err(self.error("open a keyspace"))?;
            if let Some(space) = self.spaces.get_mut(index) {
                space.database = database;
            }
        }
        Ok(())
    }
}

/// A name of another program may be any bytes.
fn text(name: &[u8]) -> String {
    String::from_utf8_lossy(name).into_owned()
}

//! LMDB by the interface of its binding. A read begins a transaction, since one that is
//! kept does not see what is written later.

use std::path::Path;

use heed::types::Bytes;
use heed::{CommitOrAbort, Database, Env, WithoutTls};
use tidal_bench_measure::Result;

use super::environment;
use crate::store::{Entry, Scanned, Store, looked_at};

pub(crate) struct Lmdb {
    env: Env<WithoutTls>,
    database: Database<'static, Bytes, Bytes>,
}

impl Lmdb {
    pub(crate) fn open(dir: &Path) -> Result<Self> {
        let env = environment::open(dir)?;
        let created =
            env.create_databases_and_commit(env.write_txn()?, |opener, transaction| {
                let database =
                    opener.create_database::<Bytes, Bytes>(transaction, Some("bench"))?;
                heed::Result::Ok(CommitOrAbort::<_, ()>::Commit(database))
            })?;
        let database = created.commit().ok_or("LMDB has created no database")?;
        Ok(Self { env, database })
    }
}

impl Store for Lmdb {
    fn write(&self, entries: &mut dyn Iterator<Item = Entry<'_>>) -> Result<()> {
        let mut transaction = self.env.write_txn()?;
        for (key, value) in entries {
            self.database.put(&mut transaction, key, value)?;
        }
        Ok(transaction.commit()?)
    }

    fn write_durably(&self, entry: Entry<'_>) -> Result<()> {
        self.write(&mut std::iter::once(entry))?;
        self.sync()
    }

    fn sync(&self) -> Result<()> {
        Ok(self.env.force_sync()?)
    }

    fn read(&self, key: &[u8]) -> Result<Option<usize>> {
        let transaction = self.env.read_txn()?;
        Ok(self.database.get(&transaction, key)?.map(looked_at))
    }

    fn scan(&self, prefix: &[u8]) -> Result<Scanned> {
        let transaction = self.env.read_txn()?;
        let mut scanned = Scanned::default();
        for entry in self.database.prefix_iter(&transaction, prefix)? {
            let (key, value) = entry?;
            scanned.see(key, value);
        }
        Ok(scanned)
    }
}

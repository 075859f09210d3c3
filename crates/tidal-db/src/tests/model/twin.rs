//! A database in memory that nothing happens to.

use super::history::{Record, Sent};
use super::{schemas, world};
use crate::{Checksum, TidalDB};

/// A database that is fed the records of another one.
pub(super) struct Twin {
    db: TidalDB,
    schema: usize,
    fed: usize,
}

impl Twin {
    fn new(schema: usize) -> Self {
        Self { db: TidalDB::in_memory(schemas::schema(schema)).unwrap(), schema, fed: 0 }
    }

    /// The checksum of a database that was fed these records, under the schema of this
    /// number. What was fed before is used where it can be; the caller says by `slot`.
    pub(super) fn checksum(slot: &mut Option<Self>, sent: &[Sent], schema: usize) -> Checksum {
        let mut twin = slot
            .take()
            .filter(|twin| twin.schema == schema && twin.fed <= sent.len())
            .unwrap_or_else(|| Self::new(schema));
        twin.feed(sent);
        let checksum = twin.db.checksum().unwrap();
        *slot = Some(twin);
        checksum
    }

    fn feed(&mut self, sent: &[Sent]) {
        let mut batch = Vec::new();
        for Sent { record, .. } in &sent[self.fed..] {
            match record {
                Record::Schema(_) => {}
                Record::Name { kind, id, name } => {
                    self.commit(&mut batch);
                    assert_eq!(self.db.entity_id(*kind, name).unwrap(), *id);
                }
                Record::Forget { kind, id } => {
                    self.commit(&mut batch);
                    self.db.forget(*kind, *id).unwrap();
                }
                _ => batch.push(record.clone()),
            }
        }
        self.commit(&mut batch);
        self.fed = sent.len();
    }

    fn commit(&self, batch: &mut Vec<Record>) {
        self.db.commit(world::batch(batch, false)).unwrap();
        batch.clear();
    }
}

//! Forgetting entities.

use std::collections::HashSet;
use std::sync::PoisonError;

use tidal_storage::KeyspaceName;
use tidal_types::{EntityId, EntityKind, Seq};

use super::TidalDB;
use crate::Result;
use crate::batch::Batch;
use crate::checkpoint;
use crate::redaction::{Redacted, Redactor};

/// A checkpoint is written in between once this many bytes of rows wait for one.
const FRESH_BYTES_MAX: u64 = 64 << 20;

/// For so many entities whose attributes are written anew the fold waits at once.
const SCRUBBED_AT_ONCE: usize = 256;

/// What [`TidalDB::purge_forgotten`] has done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Purged {
    /// How many entities had been forgotten and not been purged.
    pub entities: u64,
    /// Records of the log of which only number, log time and producer are left.
    pub tombstones: u64,
    /// Events that no longer say which user caused them, and count as before, and records
    /// of attributes that no longer say which entity one was.
    pub without_actor: u64,
    /// Segments of the log that were written anew.
    pub segments: u64,
    /// Whether neither the log nor the base holds any of it. They do where the log cannot
    /// be written anew, and where [`TidalDB::as_of`] was reading the base; the entities
    /// then count as not purged.
    pub is_complete: bool,
}

impl TidalDB {
    /// Forgets an entity: its cells of every signal type, its metadata, its attributes, its
    /// name, and what it did as a user are gone from state, and so are attributes of others
    /// whose value it was and its place in what others did, by a record in the log whose
    /// number is returned. When it returns,
    /// that record survives a power cut, whatever the database was opened for, and no
    /// read finds the entity, also none of the past: [`TidalDB::as_of`] answers zeros.
    ///
    /// The id is never used again, whether tidalDB gave it to a name or the application
    /// chose it: whatever names it from then on, also as the user who caused an event, is
    /// refused. A name that comes back gets another id. Events that the entity caused as
    /// a user still count for others. Forgetting an entity again writes nothing and
    /// returns the number of the first record.
    ///
    /// What the log holds of the entity, and what the storage engine has not reclaimed,
    /// goes with [`TidalDB::purge_forgotten`], and so do its entries in the histories of
    /// users, which nobody sees any more. The kind and id of a forgotten entity stay,
    /// in this record and in storage.
    ///
    /// ```
    /// # use tidal_db::{DecaySpec, EntityKind, SchemaBuilder, TidalDB, TidalError, Timestamp};
    /// # let mut schema = SchemaBuilder::new();
    /// # schema.signal("follow", EntityKind::User, DecaySpec::Permanent).add();
    /// # let db = TidalDB::in_memory(schema.build()?)?;
    /// let ada = db.entity_id(EntityKind::User, "ada")?;
    /// db.signal("follow", ada, 1.0, Timestamp::now())?;
    /// db.forget(EntityKind::User, ada)?;
    /// assert_eq!(db.decay_score("follow", ada)?, 0.0);
    /// assert_eq!(db.find_entity(EntityKind::User, "ada")?, None);
    /// let refused = db.signal("follow", ada, 1.0, Timestamp::now());
    /// assert!(matches!(refused, Err(TidalError::Forgotten { .. })));
    /// assert_ne!(db.entity_id(EntityKind::User, "ada")?, ada);
    /// # Ok::<(), tidal_db::TidalError>(())
    /// ```
    ///
    /// # Errors
    /// [`KindIsNamed`](crate::TidalError::KindIsNamed) when the kind has names and none
    /// ever had the id. An id that the application may choose is forgotten whether or not
    /// it was ever used: users are named by events that no state tells of. Else those of
    /// [`Ticket::wait`](crate::Ticket::wait).
    pub fn forget(&self, kind: EntityKind, id: EntityId) -> Result<Seq> {
        if self.state()?.forgotten.seq(kind, id).is_none() {
            self.commit(Batch::new().forget(kind, id))?;
        }
        self.parts.log.sync()?;
        let seq = self.state()?.forgotten.seq(kind, id);
        Ok(seq.expect("what was committed is folded"))
    }

    /// Whether an entity was forgotten, so that nothing can be written about it.
    ///
    /// # Errors
    /// [`Closed`](crate::TidalError::Closed).
    pub fn is_forgotten(&self, kind: EntityKind, id: EntityId) -> Result<bool> {
        Ok(self.state()?.forgotten.contains(kind, id))
    }

    /// Takes what there still is of forgotten entities out of the files: takes them out of
    /// the histories of users; writes a checkpoint, so that storage deletes it, and another
    /// one, if their ids are among the unique actors of others, where they go on to count
    /// without a name; writes those segments of the log anew that
    /// have records of them; takes it out of the base, where the log was cut by age; and
    /// has the storage engine reclaim what was deleted. What is forgotten while it goes on
    /// is left to the next call.
    ///
    /// In the log, events, metadata, attributes and names of a forgotten entity become
    /// tombstones, which keep number, log time and producer. Events about others that it
    /// caused lose the actor and nothing else, and attributes of others whose value it was
    /// are removed, so replay comes to the same state, but for
    /// [unique actors](TidalDB::unique_actors), of whom it no longer knows. Producers are
    /// unaffected: what they sent before is still a repeat.
    ///
    /// It reads the whole log and rewrites every keyspace of storage, while reads and
    /// writes go on; only reads of the past of a log that was cut by age wait while the
    /// base is rewritten, and where one is under way the base stays as it is and the purge
    /// is not complete. So choose the moment and purge many at once;
    /// [`Stats::unpurged`](crate::Stats::unpurged) says how many wait. What is left to
    /// purge is known after a crash, and purging again finishes what was cut short. When
    /// nothing is left to purge it does nothing.
    ///
    /// It does not reach: backups and other copies, and what a restore to a time before
    /// the record that forgets brings back from them; logs that a salvage put aside, what
    /// consumers of cursors have read, a disk's own copies of blocks that were given back;
    /// what the engine has freed in its files and not used again; and that an entity of
    /// that kind and id was forgotten; nor the bits that the registers of
    /// [unique actors](TidalDB::unique_actors) have of a user's hash. The keys of the records go with them: an event that
    /// is sent again with one, and names nobody who was forgotten, counts again.
    ///
    /// # Errors
    /// What log or storage say; [`Closed`](crate::TidalError::Closed). What was not done
    /// counts as not purged.
    pub fn purge_forgotten(&self) -> Result<Purged> {
        // What a purge leaves undone is known in storage, so one that panicked does no harm.
        let _alone = self.parts.purging.lock().unwrap_or_else(PoisonError::into_inner);
        let forgotten = &self.state()?.forgotten;
        let (entities, through) = forgotten.unpurged();
        if entities == 0 {
            return Ok(Purged { is_complete: true, ..Purged::default() });
        }
        self.scrub_attributes(&forgotten.up_to(through))?;
        self.purge_histories(&forgotten.up_to(through))?;
        // Storage first: while it may need a record, the log has that whole.
        self.checkpoint()?;
        if self.unname(&forgotten.up_to(through))? {
            self.checkpoint()?;
        }
        let redactor = Redactor::new(&self.parts.state, through);
        let redacted = self.parts.log.redact(through, &mut |record| redactor.judge(record))?;
        // Then the base, which is brought forward from the log.
        let log = &*self.parts.log;
        let is_base_purged = self.parts.retained.base.purge(log, &forgotten.up_to(through))?;
        for kind in EntityKind::ALL {
            self.parts.storage.backend(kind).compact()?;
        }
        self.parts.storage.keyspace(KeyspaceName::SYSTEM.as_str())?.compact()?;
        let is_complete = redacted.is_some() && is_base_purged;
        if is_complete {
            checkpoint::note_purged(&*self.parts.storage, through)?;
            forgotten.set_purged(through);
        }
        let Redacted { tombstones, replaced, segments } = redacted.unwrap_or_default();
        Ok(Purged { entities, tombstones, without_actor: replaced, segments, is_complete })
    }

    /// Has attributes written anew that name one of these entities, with the next
    /// checkpoint. The fold does it, since nobody else may change them.
    fn scrub_attributes(&self, entities: &HashSet<(EntityKind, EntityId)>) -> Result<()> {
        let found = self.state()?.attributes.naming(entities)?;
        for some in found.chunks(SCRUBBED_AT_ONCE) {
            let some = some.to_vec();
            self.parts.gate.inspect(move |applier| {
                some.iter().try_for_each(|&(kind, id)| applier.state.attributes.scrub(kind, id))
            })??;
            self.write_if_many()?;
        }
        Ok(())
    }

    /// Writes a checkpoint if a purge has changed so many rows that memory should not hold
    /// more of them.
    pub(crate) fn write_if_many(&self) -> Result<()> {
        if self.parts.state.overlay_bytes() >= FRESH_BYTES_MAX {
            self.checkpoint()?;
        }
        Ok(())
    }
}

//! Storages that are others but for their commits.

/// What a `Storage` leaves to its field `storage`: everything but commits and closing.
macro_rules! forward_to_storage {
    () => {
        fn name(&self) -> &'static str {
            self.storage.name()
        }

        fn capabilities(&self) -> tidal_storage::Capabilities {
            self.storage.capabilities()
        }

        fn backend(&self, kind: tidal_db::EntityKind) -> &dyn tidal_storage::StorageEngine {
            self.storage.backend(kind)
        }

        fn keyspace(
            &self,
            name: &str,
        ) -> tidal_storage::Result<std::sync::Arc<dyn tidal_storage::StorageEngine>> {
            self.storage.keyspace(name)
        }

        fn snapshot(&self) -> tidal_storage::Result<Box<dyn tidal_storage::Snapshot + '_>> {
            self.storage.snapshot()
        }

        fn begin_with(
            &self,
            isolation: tidal_storage::Isolation,
        ) -> tidal_storage::Result<tidal_storage::Transaction<'_>> {
            self.storage.begin_with(isolation)
        }

        fn flush_all(&self) -> tidal_storage::Result<()> {
            self.storage.flush_all()
        }

        fn shorten_recovery(&self) -> tidal_storage::Result<()> {
            self.storage.shorten_recovery()
        }

        fn stats(&self) -> tidal_storage::Result<tidal_storage::StorageStats> {
            self.storage.stats()
        }
    };
}

pub(crate) use forward_to_storage;

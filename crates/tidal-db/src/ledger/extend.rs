//! A ledger takes up a schema that extends its own.

use std::sync::Arc;

use tidal_types::Schema;

use super::{Kept, SignalLedger};

impl SignalLedger {
    /// The same cells under `schema`, which extends the ledger's own: the signal
    /// types it had keep their ids, so their cells stay where they are.
    ///
    /// # Panics
    /// When `schema` does not extend the ledger's own.
    #[must_use]
    pub fn extended(self, schema: Arc<Schema>) -> Self {
        let extends = schema.signals().starts_with(self.schema.signals());
        assert!(extends, "a schema is only ever extended, so a cell keeps its form");
        let mut shards = self.shards;
        shards.extend(schema.signal_count());
        let mut signals = self.signals.into_vec();
        let new = schema.signals().iter().skip(signals.len());
        signals.extend(new.map(Kept::of));
        Self { signals: signals.into(), shards, schema, ..self }
    }
}

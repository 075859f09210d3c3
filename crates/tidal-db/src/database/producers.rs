//! How far producers are.

use tidal_types::ProducerId;

use super::TidalDB;
use crate::Result;
use crate::producers::ProducerState;

impl TidalDB {
    /// How far a producer is: its newest epoch, the number of its last event there,
    /// and its note. `None` when it never sent any. What it says is durable and
    /// folded, so a producer that starts again goes on behind it.
    ///
    /// # Errors
    /// [`Closed`](crate::TidalError::Closed).
    pub fn producer(&self, id: ProducerId) -> Result<Option<ProducerState>> {
        Ok(self.state()?.producers().get(id).cloned())
    }
}

//! What came before the log that is kept.

use std::fmt::Debug;

use tidal_types::{EntityId, Seq, SignalTypeDefinition, Timestamp};

use super::AsOfClock;
use super::features::FeatureValue;
use super::request::Measure;
use crate::Result;

/// The state as of a record, from which features go on where the log before that record
/// was cut.
///
/// It holds the present of its own end: it can be read at times that are not before the
/// newest event in it, as exactly as the ledger can.
pub(crate) trait Base: Debug + Send + Sync {
    /// The first record that it does not hold. The log begins there or before.
    fn next_seq(&self) -> Seq;
    /// The earliest time it can be read at: that of the newest event in it; by known
    /// time also that at which its last record was logged, if that is later.
    fn answers_from(&self, clock: AsOfClock) -> Timestamp;
    /// What its events add to a feature: a count is [`FeatureValue::Whole`], all else
    /// is [`FeatureValue::Real`]. For a velocity it is asked for the count.
    fn value(
        &self,
        signal: &SignalTypeDefinition,
        id: EntityId,
        measure: Measure,
        at: Timestamp,
    ) -> Result<FeatureValue>;
}

//! Sketches as rows over storage.

use tidal_types::{EntityId, EntityKind, SignalTypeId, TidalError};

use super::codec;
use super::sketch::Sketch;
use crate::Result;
use crate::checkpoint::{parse_uniques_key, uniques_key};
use crate::overlay::Rows;

/// Of which entity and signal type a sketch is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct UniqueKey {
    pub(crate) kind: EntityKind,
    pub(crate) id: EntityId,
    pub(crate) signal: SignalTypeId,
}

impl UniqueKey {
    /// What an entry in the keyspace of a kind is of, if it is a sketch.
    pub(crate) fn parse(kind: EntityKind, key: &[u8]) -> Option<Self> {
        parse_uniques_key(key).map(|(id, signal)| Self { kind, id, signal })
    }
}

/// The sketches of unique actors.
#[derive(Debug)]
pub(crate) struct UniqueRows;

impl Rows for UniqueRows {
    type Key = UniqueKey;
    type Row = Sketch;

    /// A sketch with registers takes some ten thousand bytes.
    const CACHED: usize = 32;

    fn place(key: &UniqueKey) -> Result<(EntityKind, Vec<u8>)> {
        Ok((key.kind, uniques_key(key.id, key.signal)?))
    }

    fn encode(row: &Sketch) -> Vec<u8> {
        codec::encode(row)
    }

    fn decode(key: &UniqueKey, bytes: &[u8]) -> Result<Sketch> {
        codec::decode(bytes).map_err(|problem| TidalError::Damaged {
            location: format!(
                "unique actors of signal type {}, {} {} in storage",
                key.signal, key.kind, key.id
            ),
            problem: problem.into(),
        })
    }

    fn bytes(row: &Sketch) -> usize {
        row.bytes()
    }
}

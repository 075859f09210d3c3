//! What tidalDB keeps in storage: keys and values. Integers little-endian,
//! except in keys.
//!
//! In the keyspace of each entity kind (`items`, `users`, `creators`), with keys
//! of tidal-keys:
//!
//! | tag  | suffix                  | value                             |
//! |------|-------------------------|-----------------------------------|
//! | Sig  | signal type, 2 bytes BE | a cell, see `ledger/cell/codec.rs` |
//! | Meta | none                    | the metadata of an item           |
//! | Meta | 1, 1 byte               | the attributes of an entity, see `attributes/row.rs`; from version 2 of the schema on |
//! | Mv   | signal type, 2 bytes BE | unique actors, see `uniques/codec.rs` |
//! | Rel  | signal type, 2 bytes BE | of a user, what the user did by it, see `history/codec.rs` |
//!
//! In the keyspace `system`, with composite keys, of which the last ends in a name as it
//! is, since an escaped one could be too long for a key:
//!
//! | key                          | value                                    |
//! |------------------------------|------------------------------------------|
//! | ("head")                     | the head, see below                      |
//! | ("reach")                    | the last record that anything here may come from, 8 bytes: the head's, or a later one after a checkpoint that was cut short |
//! | ("schema")                   | the schema, see `record/schema.rs`       |
//! | ("name", kind, id 8 bytes BE) | the name of that id                     |
//! | ("named", kind) and the name | the id that the name has, 8 bytes; from version 2 on |
//! | ("cells")                    | how many cells there are, see below; from version 2 on |
//! | ("producer", id 16 bytes)    | how far that producer is, see below      |
//! | ("forgotten", kind, id 8 bytes BE) | the record that forgot that entity, 8 bytes |
//! | ("purged")                   | log and storage are rid of what was forgotten up to this record, 8 bytes |
//!
//! The head:
//!
//! | offset | size | field                                                |
//! |--------|------|------------------------------------------------------|
//! | 0      | 1    | version, 1 or 2: they say what else is there         |
//! | 1      | 16   | LogId of the log that the state was folded from      |
//! | 17     | 8    | applied seq: the state is as of this record          |
//! | 25     | 1    | 1 when there was an event, else 0                    |
//! | 26     | 8    | time of the newest event, nanoseconds                |
//! | 34     | 3    | id mode of items, users, creators: 0 undecided, 1 numeric, 2 named |
//! | 37     | 24   | last id given to a name of items, users, creators    |
//!
//! The number of cells, written with the cells themselves, so that it is exact at any
//! moment:
//!
//! | offset | size | field                                                |
//! |--------|------|------------------------------------------------------|
//! | 0      | 1    | version, 1                                           |
//! | 1      | 8 n  | of each signal type, by its id; types behind the last have none |
//!
//! A producer:
//!
//! | offset | size | field                                                |
//! |--------|------|------------------------------------------------------|
//! | 0      | 1    | version, 1                                           |
//! | 1      | 4    | epoch                                                |
//! | 5      | 8    | number of its last event in that epoch               |
//! | 13     | n    | note, to the end, at most 64 bytes                   |

use std::ops::Bound;

use tidal_keys::{
    Tag, composite_key, encode_key, encode_u64, parse_key, prefix_range, split_composite,
};
use tidal_storage::{KeyRange, KeyspaceName};
use tidal_types::{
    ByteReader, EntityId, EntityKind, KeyError, LogId, Position, ProducerId, Seq, SignalTypeId,
    Timestamp,
};

use crate::Result;
use crate::kinds::IdMode;
use crate::ledger::StoredCounts;
use crate::producers::{NOTE_BYTES_MAX, ProducerState};
use crate::record::{kind_byte, kind_of};

/// Names are found by their ids only, and nobody has counted the cells.
pub(super) const HEAD_VERSION_1: u8 = 1;
/// Names are found by name, too, and the cells are counted.
pub(crate) const HEAD_VERSION: u8 = 2;
const CELLS_VERSION: u8 = 1;
const PRODUCER_VERSION: u8 = 1;
const KINDS: usize = EntityKind::ALL.len();

/// The keyspace of an entity kind.
pub(crate) fn keyspace(kind: EntityKind) -> KeyspaceName<'static> {
    KeyspaceName::from(kind)
}

/// The head of a checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) version: u8,
    pub(crate) position: Position,
    pub(crate) newest: Option<Timestamp>,
    pub(crate) modes: [Option<IdMode>; KINDS],
    pub(crate) last_ids: [u64; KINDS],
}

impl Head {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![self.version];
        bytes.extend_from_slice(&self.position.log_id.to_bytes());
        bytes.extend_from_slice(&self.position.seq.get().to_le_bytes());
        bytes.push(u8::from(self.newest.is_some()));
        bytes.extend_from_slice(&self.newest.unwrap_or_default().as_nanos().to_le_bytes());
        bytes.extend(self.modes.map(IdMode::to_byte));
        bytes.extend(self.last_ids.iter().flat_map(|id| id.to_le_bytes()));
        bytes
    }

    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut reader = ByteReader::new(bytes);
        let version = reader.u8()?;
        if !(HEAD_VERSION_1..=HEAD_VERSION).contains(&version) {
            return None;
        }
        let log_id = LogId::from_bytes(reader.array()?);
        let seq = Seq::new(reader.u64()?);
        let has_newest = reader.u8()?;
        let newest = Timestamp::from_nanos(reader.u64()?);
        let newest = match has_newest {
            0 if newest == Timestamp::MIN => None,
            1 => Some(newest),
            _ => return None,
        };
        let mut modes = [None; KINDS];
        for mode in &mut modes {
            *mode = IdMode::from_byte(reader.u8()?)?;
        }
        let mut last_ids = [0; KINDS];
        for id in &mut last_ids {
            *id = reader.u64()?;
        }
        let position = Position { log_id, seq };
        reader.is_empty().then_some(Self { version, position, newest, modes, last_ids })
    }
}

pub(crate) fn head_key() -> Result<Vec<u8>, KeyError> {
    composite_key(&[b"head"])
}

pub(crate) fn reach_key() -> Result<Vec<u8>, KeyError> {
    composite_key(&[b"reach"])
}

/// A record, as it stands at the keys of reach, of what was forgotten and of what was
/// purged.
pub(crate) fn encode_seq(seq: Seq) -> Vec<u8> {
    seq.get().to_le_bytes().to_vec()
}

pub(crate) fn decode_seq(bytes: &[u8]) -> Option<Seq> {
    Some(Seq::new(u64::from_le_bytes(bytes.try_into().ok()?)))
}

pub(crate) fn schema_key() -> Result<Vec<u8>, KeyError> {
    composite_key(&[b"schema"])
}

pub(crate) fn name_key(kind: EntityKind, id: EntityId) -> Result<Vec<u8>, KeyError> {
    composite_key(&[NAME, &[kind_byte(kind)], &encode_u64(id.get())])
}

/// The key under which a name finds its id.
pub(crate) fn named_id_key(kind: EntityKind, name: &[u8]) -> Result<Vec<u8>, KeyError> {
    let mut key = composite_key(&[b"named", &[kind_byte(kind)]])?;
    key.extend_from_slice(name);
    Ok(key)
}

pub(crate) fn encode_named_id(id: EntityId) -> Vec<u8> {
    id.get().to_le_bytes().to_vec()
}

pub(crate) fn decode_named_id(bytes: &[u8]) -> Option<EntityId> {
    Some(EntityId::new(u64::from_le_bytes(bytes.try_into().ok()?)))
}

pub(crate) fn cells_key() -> Result<Vec<u8>, KeyError> {
    composite_key(&[b"cells"])
}

pub(crate) fn encode_cells(counts: &StoredCounts) -> Vec<u8> {
    let mut bytes = vec![CELLS_VERSION];
    bytes.extend(counts.as_slice().iter().flat_map(|count| count.to_le_bytes()));
    bytes
}

/// No storage has more cells.
const CELLS_MAX: u64 = u64::MAX >> 1;

pub(crate) fn decode_cells(bytes: &[u8]) -> Option<StoredCounts> {
    let mut reader = ByteReader::new(bytes);
    if reader.u8()? != CELLS_VERSION {
        return None;
    }
    let mut counts = Vec::new();
    let mut total = 0_u64;
    while !reader.is_empty() {
        let count = reader.u64()?;
        // A bound far above what a storage holds, so that counting on does not overflow.
        total = total.checked_add(count).filter(|total| *total <= CELLS_MAX)?;
        counts.push(count);
    }
    Some(StoredCounts::new(counts))
}

pub(crate) const NAME: &[u8] = b"name";

pub(crate) const FORGOTTEN: &[u8] = b"forgotten";

pub(crate) fn forgotten_key(kind: EntityKind, id: EntityId) -> Result<Vec<u8>, KeyError> {
    composite_key(&[FORGOTTEN, &[kind_byte(kind)], &encode_u64(id.get())])
}

pub(crate) fn purged_key() -> Result<Vec<u8>, KeyError> {
    composite_key(&[b"purged"])
}

pub(crate) const PRODUCER: &[u8] = b"producer";

pub(crate) fn producer_key(id: ProducerId) -> Result<Vec<u8>, KeyError> {
    composite_key(&[PRODUCER, &id.to_bytes()])
}

/// The producer that a key belongs to.
pub(crate) fn parse_producer_key(key: &[u8]) -> Option<ProducerId> {
    match split_composite(key).ok()?.as_slice() {
        [producer, id] if producer.as_slice() == PRODUCER => {
            Some(ProducerId::from_bytes(id.as_slice().try_into().ok()?))
        }
        _ => None,
    }
}

pub(crate) fn encode_producer(producer: &ProducerState) -> Vec<u8> {
    let mut bytes = vec![PRODUCER_VERSION];
    bytes.extend_from_slice(&producer.epoch.to_le_bytes());
    bytes.extend_from_slice(&producer.seq.to_le_bytes());
    bytes.extend_from_slice(&producer.note);
    bytes
}

pub(crate) fn decode_producer(bytes: &[u8]) -> Option<ProducerState> {
    let mut reader = ByteReader::new(bytes);
    if reader.u8()? != PRODUCER_VERSION {
        return None;
    }
    let (epoch, seq) = (reader.u32()?, reader.u64()?);
    let note = reader.rest();
    (note.len() <= NOTE_BYTES_MAX).then(|| ProducerState { epoch, seq, note: note.to_vec() })
}

/// Where the names of a kind are, by id.
pub(crate) fn names_range(kind: EntityKind) -> Result<KeyRange, KeyError> {
    let (start, end) = prefix_range(&[NAME, &[kind_byte(kind)]])?;
    Ok(KeyRange::new(Bound::Included(start), Bound::Excluded(end)))
}

/// The kind and id of which a key holds the name.
pub(crate) fn parse_name_key(key: &[u8]) -> Option<(EntityKind, EntityId)> {
    parse_entity_key(NAME, key)
}

/// The kind and id that a key says to be forgotten.
pub(crate) fn parse_forgotten_key(key: &[u8]) -> Option<(EntityKind, EntityId)> {
    parse_entity_key(FORGOTTEN, key)
}

fn parse_entity_key(family: &[u8], key: &[u8]) -> Option<(EntityKind, EntityId)> {
    let parts = split_composite(key).ok()?;
    let [found, kind, id] = parts.as_slice() else {
        return None;
    };
    let [kind] = kind.as_slice() else {
        return None;
    };
    if found.as_slice() != family {
        return None;
    }
    Some((kind_of(*kind)?, EntityId::from_be_bytes(id.as_slice().try_into().ok()?)))
}

#[expect(clippy::big_endian_bytes, reason = "keys sort by these bytes")]
pub(crate) fn cell_key(id: EntityId, signal: SignalTypeId) -> Result<Vec<u8>, KeyError> {
    encode_key(id, Tag::Sig, &signal.get().to_be_bytes())
}

/// The key of the sketch of unique actors.
#[expect(clippy::big_endian_bytes, reason = "keys sort by these bytes")]
pub(crate) fn uniques_key(id: EntityId, signal: SignalTypeId) -> Result<Vec<u8>, KeyError> {
    encode_key(id, Tag::Mv, &signal.get().to_be_bytes())
}

pub(crate) fn metadata_key(id: EntityId) -> Result<Vec<u8>, KeyError> {
    encode_key(id, Tag::Meta, &[])
}

/// The item of which a key holds the metadata.
pub(crate) fn metadata_id(key: &[u8]) -> Option<EntityId> {
    parse_meta_key(key, &[])
}

/// What stands behind the tag in the key of attributes, where metadata has nothing.
const ATTRIBUTES: &[u8] = &[1];

pub(crate) fn attributes_key(id: EntityId) -> Result<Vec<u8>, KeyError> {
    encode_key(id, Tag::Meta, ATTRIBUTES)
}

/// The entity of which a key holds the attributes.
pub(crate) fn attributes_id(key: &[u8]) -> Option<EntityId> {
    parse_meta_key(key, ATTRIBUTES)
}

fn parse_meta_key(key: &[u8], suffix: &[u8]) -> Option<EntityId> {
    let key = parse_key(key).ok().filter(|key| key.tag == Tag::Meta)?;
    (key.suffix == suffix).then_some(key.id)
}

/// The entity and signal type of which a key holds the cell.
pub(crate) fn parse_cell_key(key: &[u8]) -> Option<(EntityId, SignalTypeId)> {
    parse_signal_key(Tag::Sig, key)
}

/// The entity and signal type of which a key holds the unique actors.
pub(crate) fn parse_uniques_key(key: &[u8]) -> Option<(EntityId, SignalTypeId)> {
    parse_signal_key(Tag::Mv, key)
}

#[expect(clippy::big_endian_bytes, reason = "keys sort by these bytes")]
fn parse_signal_key(tag: Tag, key: &[u8]) -> Option<(EntityId, SignalTypeId)> {
    let key = parse_key(key).ok().filter(|key| key.tag == tag)?;
    let signal = SignalTypeId::new(u16::from_be_bytes(key.suffix.try_into().ok()?));
    Some((key.id, signal))
}

/// The key of what a user did by a signal type.
#[expect(clippy::big_endian_bytes, reason = "keys sort by these bytes")]
pub(crate) fn history_key(user: EntityId, signal: SignalTypeId) -> Result<Vec<u8>, KeyError> {
    encode_key(user, Tag::Rel, &signal.get().to_be_bytes())
}

/// The user and the signal type of which a key holds the history.
#[expect(clippy::big_endian_bytes, reason = "keys sort by these bytes")]
pub(crate) fn parse_history_key(key: &[u8]) -> Option<(EntityId, SignalTypeId)> {
    let key = parse_key(key).ok().filter(|key| key.tag == Tag::Rel)?;
    let signal = SignalTypeId::new(u16::from_be_bytes(key.suffix.try_into().ok()?));
    Some((key.id, signal))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head() -> Head {
        Head {
            version: HEAD_VERSION,
            position: Position { log_id: LogId::from_bytes([7; 16]), seq: Seq::new(258) },
            newest: Some(Timestamp::from_nanos(3)),
            modes: [None, Some(IdMode::Numeric), Some(IdMode::Named)],
            last_ids: [1, 2, 3],
        }
    }

    /// R25: the bytes of versions 1 and 2 do not change.
    #[test]
    fn the_head_is_what_it_was() {
        let rest = [
            "07070707070707070707070707070707",
            "0201000000000000",
            "01",
            "0300000000000000",
            "000102",
            "010000000000000002000000000000000300000000000000",
        ];
        let rest = rest.concat();
        for (version, first) in [(HEAD_VERSION_1, "01"), (HEAD_VERSION, "02")] {
            let head = Head { version, ..head() };
            let hex: String = head.encode().iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(hex, format!("{first}{rest}"));
            assert_eq!(Head::decode(&head.encode()), Some(head));
        }
    }

    /// R25: the bytes of version 1 do not change.
    #[test]
    fn the_number_of_cells_is_what_it_was() {
        let counts = StoredCounts::new(vec![258, 0, 3]);
        let bytes = encode_cells(&counts);
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(
            hex,
            ["01", "0201000000000000", "0000000000000000", "0300000000000000"].concat()
        );
        assert_eq!(decode_cells(&bytes), Some(counts));
        assert_eq!(decode_cells(&bytes[..bytes.len() - 1]), None);
        assert_eq!(decode_cells(&[]), None);
        assert_eq!(decode_cells(&[2]), None);
        for counts in [vec![CELLS_MAX + 1], vec![CELLS_MAX, 1], vec![u64::MAX, 2]] {
            assert_eq!(decode_cells(&encode_cells(&StoredCounts::new(counts))), None);
        }
    }

    /// R25: the bytes of version 1 do not change. A name of any bytes fits a key.
    #[test]
    fn the_key_of_a_name_is_what_it_was() {
        let key = named_id_key(EntityKind::User, b"a\x00").unwrap();
        assert_eq!(key, b"named\x00\x01\x01\x00\x01a\x00");
        let longest = named_id_key(EntityKind::Item, &[0; crate::names::NAME_BYTES_MAX]).unwrap();
        assert!(longest.len() <= tidal_keys::MAX_KEY_LEN, "{} bytes", longest.len());
        assert_eq!(encode_named_id(EntityId::new(258)), [2, 1, 0, 0, 0, 0, 0, 0]);
        assert_eq!(decode_named_id(&[2, 1, 0, 0, 0, 0, 0, 0]), Some(EntityId::new(258)));
        assert_eq!(decode_named_id(&[0; 7]), None);
    }

    #[test]
    fn heads_round_trip_and_malformed_ones_are_refused() {
        let bytes = head().encode();
        assert_eq!(Head::decode(&bytes), Some(head()));
        let empty = Head { newest: None, ..head() };
        assert_eq!(Head::decode(&empty.encode()), Some(empty));
        for length in 0..bytes.len() {
            assert_eq!(Head::decode(&bytes[..length]), None);
        }
        for (offset, value) in [(0, 0), (0, 3), (25, 2), (34, 3)] {
            let mut bytes = bytes.clone();
            bytes[offset] = value;
            assert_eq!(Head::decode(&bytes), None, "{offset}");
        }
    }

    #[test]
    fn keys_parse_back() {
        let (id, signal) = (EntityId::new(300), SignalTypeId::new(258));
        assert_eq!(parse_cell_key(&cell_key(id, signal).unwrap()), Some((id, signal)));
        let history = history_key(id, signal).unwrap();
        assert_eq!(history, [0, 0, 0, 0, 0, 0, 1, 44, 0, 4, 1, 2]);
        assert_eq!(parse_history_key(&history), Some((id, signal)));
        assert_eq!(parse_history_key(&cell_key(id, signal).unwrap()), None);
        assert_eq!(metadata_id(&metadata_key(id).unwrap()), Some(id));
        assert_eq!(metadata_id(&cell_key(id, signal).unwrap()), None);
        let uniques = uniques_key(id, signal).unwrap();
        assert_eq!(parse_uniques_key(&uniques), Some((id, signal)));
        assert_eq!(parse_cell_key(&uniques), None);
        assert_eq!(parse_uniques_key(&cell_key(id, signal).unwrap()), None);
        let key = name_key(EntityKind::User, id).unwrap();
        assert_eq!(parse_name_key(&key), Some((EntityKind::User, id)));
        assert_eq!(parse_name_key(&head_key().unwrap()), None);
        let forgotten = forgotten_key(EntityKind::Creator, id).unwrap();
        assert_eq!(parse_forgotten_key(&forgotten), Some((EntityKind::Creator, id)));
        assert_eq!(parse_forgotten_key(&key), None);
        assert_eq!(parse_name_key(&forgotten), None);
        let producer = ProducerId::from_bytes(*b"\x00\xffproducer-tests");
        assert_eq!(parse_producer_key(&producer_key(producer).unwrap()), Some(producer));
        assert_eq!(parse_producer_key(&key), None);
    }

    /// R25: the bytes of version 1 do not change.
    #[test]
    fn the_key_of_unique_actors_is_what_it_was() {
        let key = uniques_key(EntityId::new(258), SignalTypeId::new(259)).unwrap();
        assert_eq!(key, b"\0\0\0\0\0\0\x01\x02\0\x05\x01\x03");
    }

    /// R25: the bytes of version 1 do not change.
    #[test]
    fn a_reach_is_what_it_was() {
        assert_eq!(encode_seq(Seq::new(258)), [2, 1, 0, 0, 0, 0, 0, 0]);
        assert_eq!(decode_seq(&encode_seq(Seq::new(258))), Some(Seq::new(258)));
        assert_eq!(decode_seq(&[0; 7]), None);
        assert_eq!(decode_seq(&[0; 9]), None);
    }

    /// R25: the bytes of version 1 do not change.
    #[test]
    fn the_key_of_what_was_forgotten_is_what_it_was() {
        let key = forgotten_key(EntityKind::User, EntityId::new(258)).unwrap();
        assert_eq!(
            key,
            b"forgotten\0\x01\x01\0\x01\0\xff\0\xff\0\xff\0\xff\0\xff\0\xff\x01\x02\0\x01"
        );
        assert_eq!(purged_key().unwrap(), b"purged\0\x01");
    }

    /// R25: the bytes of version 1 do not change.
    #[test]
    fn a_producer_is_what_it_was() {
        let producer = ProducerState { epoch: 3, seq: 258, note: b"note".to_vec() };
        let bytes = encode_producer(&producer);
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, ["01", "03000000", "0201000000000000", "6e6f7465"].concat());
        assert_eq!(decode_producer(&bytes), Some(producer));
        for length in 0..13 {
            assert_eq!(decode_producer(&bytes[..length]), None);
        }
        assert_eq!(decode_producer(&[&[2], &bytes[1..]].concat()), None);
        assert_eq!(decode_producer(&[1; 13 + 65]), None);
    }
}

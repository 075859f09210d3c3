//! The redo record: what a batch in both engines writes to redb, kept in fjall from
//! its first commit on, so that opening can do the second.
//!
//! Each engine has a keyspace of this name of its own, which no keyspace of a user
//! can have. fjall's holds the newest record, in chunks: chunk n is at the key that
//! is n in eight hexadecimal digits. Little-endian:
//!
//! | offset | size | field                                        |
//! |--------|------|----------------------------------------------|
//! | 0      | 1    | version, 1                                   |
//! | 1      | 8    | number of the record, from 1                 |
//! | 9      | 4    | number of chunks, the same in each           |
//! | 13     | n    | operations, one or more, each as follows     |
//!
//! | offset | size | field                                        |
//! |--------|------|----------------------------------------------|
//! | 0      | 1    | 0 deletes, 1 puts                            |
//! | 1      | 1    | length of the name of the keyspace           |
//! | 2      | 2    | length of the key                            |
//! | 4      | 4    | length of the value, 0 if it deletes         |
//! | 8      | n    | name, key, value                             |
//!
//! redb's holds, at the key `applied`, the number of the last record that it has,
//! in 8 bytes.
//!
//! Neither has a checksum of its own: fjall checks its journal and its tables, redb
//! its pages.

use crate::{BatchOp, KEY_BYTES_MAX, KeyspaceName, SpaceId, SpaceOp, VALUE_BYTES_MAX};

/// The keyspace of the record, in both engines.
pub(super) const REDO: &str = "Redo";

/// Where redb says what it has.
pub(super) const APPLIED: &[u8] = b"applied";

const VERSION: u8 = 1;
const DELETE: u8 = 0;
const PUT: u8 = 1;

/// A chunk ends with the operation that takes it here.
const CHUNK_BYTES: usize = 1024 * 1024;

/// The key of a chunk.
pub(super) fn chunk_key(chunk: u32) -> Vec<u8> {
    format!("{chunk:08x}").into_bytes()
}

/// What puts a record in the place of the one before, and its number of chunks.
pub(super) fn record<'a>(
    space: SpaceId,
    number: u64,
    ops: impl Iterator<Item = (&'a str, &'a BatchOp)>,
) -> (Vec<SpaceOp>, u32) {
    let mut bodies = Vec::new();
    let mut body = Vec::new();
    for (keyspace, op) in ops {
        push(&mut body, keyspace, op);
        if body.len() >= CHUNK_BYTES {
            bodies.push(std::mem::take(&mut body));
        }
    }
    if !body.is_empty() {
        bodies.push(body);
    }
    let chunks = u32::try_from(bodies.len()).expect("four thousand terabytes fit no memory");
    let chunk = |(key, body): (u32, Vec<u8>)| {
        let header = [&[VERSION][..], &number.to_le_bytes(), &chunks.to_le_bytes()].concat();
        let op = BatchOp::Put { key: chunk_key(key), value: [header, body].concat() };
        SpaceOp { space, op }
    };
    ((0..).zip(bodies).map(chunk).collect(), chunks)
}

/// What says in redb that a record was done.
pub(super) fn done(space: SpaceId, number: u64) -> SpaceOp {
    let (key, value) = (APPLIED.to_vec(), number.to_le_bytes().to_vec());
    SpaceOp { space, op: BatchOp::Put { key, value } }
}

fn push(body: &mut Vec<u8>, keyspace: &str, op: &BatchOp) {
    const CHECKED: &str = "names, keys and values are checked before they are written";
    let (kind, key, value) = match op {
        BatchOp::Put { key, value } => (PUT, key, value.as_slice()),
        BatchOp::Delete { key } => (DELETE, key, &[][..]),
    };
    body.extend([kind, u8::try_from(keyspace.len()).expect(CHECKED)]);
    body.extend(u16::try_from(key.len()).expect(CHECKED).to_le_bytes());
    body.extend(u32::try_from(value.len()).expect(CHECKED).to_le_bytes());
    body.extend([keyspace.as_bytes(), key, value].concat());
}

/// A chunk taken apart.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Chunk {
    pub(super) number: u64,
    pub(super) chunks: u32,
    pub(super) ops: Vec<(String, BatchOp)>,
}

/// Why bytes are no chunk.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Problem {
    Version(u8),
    /// What is wrong, and at which byte.
    Damaged(&'static str, usize),
}

impl Chunk {
    pub(super) fn decode(bytes: &[u8]) -> Result<Self, Problem> {
        let at = |rest: &[u8]| bytes.len() - rest.len();
        let cut = |rest: &[u8]| Problem::Damaged("it ends early", at(rest));
        let (&[version], rest) = bytes.split_first_chunk().ok_or_else(|| cut(bytes))?;
        if version != VERSION {
            return Err(Problem::Version(version));
        }
        let (number, rest) = rest.split_first_chunk().ok_or_else(|| cut(rest))?;
        let (chunks, mut rest) = rest.split_first_chunk().ok_or_else(|| cut(rest))?;
        let (number, chunks) = (u64::from_le_bytes(*number), u32::from_le_bytes(*chunks));
        if number == 0 || chunks == 0 {
            return Err(Problem::Damaged("a number is 0 that begins at 1", 1));
        }
        let mut ops = Vec::new();
        while !rest.is_empty() {
            let here = at(rest);
            let wrong = |problem| Problem::Damaged(problem, here);
            let (&[kind, name], after) = rest.split_first_chunk().ok_or_else(|| cut(rest))?;
            let (key, after) = after.split_first_chunk().ok_or_else(|| cut(after))?;
            let (value, after) = after.split_first_chunk().ok_or_else(|| cut(after))?;
            let key = usize::from(u16::from_le_bytes(*key));
            let value = usize::try_from(u32::from_le_bytes(*value)).unwrap_or(usize::MAX);
            if !(1..=KEY_BYTES_MAX).contains(&key) || value > VALUE_BYTES_MAX {
                return Err(wrong("a key or a value is longer than any"));
            }
            let split = |bytes, length| <[u8]>::split_at_checked(bytes, length);
            let (name, after) = split(after, usize::from(name)).ok_or_else(|| cut(after))?;
            let (key, after) = split(after, key).ok_or_else(|| cut(after))?;
            let (value, after) = split(after, value).ok_or_else(|| cut(after))?;
            let name = std::str::from_utf8(name).ok();
            let name = name.filter(|name| KeyspaceName::from(*name).check().is_ok());
            let name = name.ok_or_else(|| wrong("a keyspace has no name of one"))?.to_owned();
            let key = key.to_vec();
            ops.push(match kind {
                PUT => (name, BatchOp::Put { key, value: value.to_vec() }),
                DELETE if value.is_empty() => (name, BatchOp::Delete { key }),
                _ => return Err(wrong("an operation is of no kind that there is")),
            });
            rest = after;
        }
        if ops.is_empty() {
            return Err(cut(rest));
        }
        Ok(Self { number, chunks, ops })
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn put(key: &[u8], value: &[u8]) -> BatchOp {
        BatchOp::Put { key: key.to_vec(), value: value.to_vec() }
    }

    fn chunks_of(ops: &[(&str, BatchOp)], number: u64) -> Vec<Vec<u8>> {
        let (puts, count) =
            record(SpaceId::new(0), number, ops.iter().map(|(name, op)| (*name, op)));
        assert_eq!(puts.len(), usize::try_from(count).unwrap());
        let value = |(chunk, put): (u32, SpaceOp)| match put.op {
            BatchOp::Put { key, value } => {
                assert_eq!(key, chunk_key(chunk));
                value
            }
            BatchOp::Delete { key } => panic!("{key:?} is deleted"),
        };
        (0..).zip(puts).map(value).collect()
    }

    /// The bytes of version 1.
    #[test]
    fn the_golden_record() {
        let ops = [("items", put(b"key", b"ab")), ("x", BatchOp::Delete { key: b"k".to_vec() })];
        let golden = b"\x01\x02\x01\0\0\0\0\0\0\x01\0\0\0\
            \x01\x05\x03\0\x02\0\0\0itemskeyab\
            \0\x01\x01\0\0\0\0\0xk";
        let chunks = chunks_of(&ops, 0x102);
        assert_eq!(chunks, [golden.to_vec()]);
        let ops = ops.map(|(name, op)| (name.to_owned(), op)).to_vec();
        assert_eq!(Chunk::decode(golden), Ok(Chunk { number: 0x102, chunks: 1, ops }));
        assert_eq!(chunk_key(0x1f), b"0000001f");
        assert_eq!(done(SpaceId::new(0), 0x102).op, put(b"applied", b"\x02\x01\0\0\0\0\0\0"));
    }

    #[test]
    fn a_large_record_is_cut_between_operations() {
        let value = vec![7; CHUNK_BYTES / 2];
        let ops: Vec<_> = (0..5u8).map(|key| ("items", put(&[key], &value))).collect();
        let chunks = chunks_of(&ops, 3);
        assert_eq!(chunks.len(), 3);
        let decoded: Vec<Chunk> =
            chunks.iter().map(|chunk| Chunk::decode(chunk).unwrap()).collect();
        assert!(decoded.iter().all(|chunk| chunk.number == 3 && chunk.chunks == 3));
        let back: Vec<BatchOp> =
            decoded.into_iter().flat_map(|chunk| chunk.ops).map(|(_, op)| op).collect();
        assert_eq!(back, ops.into_iter().map(|(_, op)| op).collect::<Vec<_>>());
    }

    #[test]
    fn what_is_no_chunk_is_refused() {
        let sound = chunks_of(&[("items", put(b"key", b"value"))], 1).remove(0);
        for length in 0..sound.len() {
            assert!(Chunk::decode(&sound[..length]).is_err(), "cut to {length} bytes");
        }
        let with = |offset: usize, byte: u8| {
            let mut bytes = sound.clone();
            bytes[offset] = byte;
            Chunk::decode(&bytes)
        };
        assert_eq!(with(0, 2), Err(Problem::Version(2)));
        // The numbers, the kind, the lengths, the name.
        for (offset, byte) in [(1, 0), (9, 0), (13, 2), (13, 0), (14, 0), (15, 0), (21, b'I')] {
            let decoded = with(offset, byte);
            assert!(matches!(decoded, Err(Problem::Damaged(..))), "{offset}: {decoded:?}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_taken_apart_or_refused(tail in vec(any::<u8>(), 0..60)) {
            let bytes = [&b"\x01\x01\0\0\0\0\0\0\0\x01\0\0\0"[..], &tail].concat();
            if let Ok(chunk) = Chunk::decode(&bytes) {
                let ops: Vec<_> =
                    chunk.ops.iter().map(|(name, op)| (name.as_str(), op.clone())).collect();
                prop_assert_eq!(chunks_of(&ops, 1), [bytes]);
            }
        }
    }
}

//! Cursors: what a client hands back to get the next page. Opaque text, safe in a URL.
//!
//! The text is base64 of RFC 4648 for URLs, without padding, of these bytes:
//!
//! | bytes  | field                                                               |
//! |--------|---------------------------------------------------------------------|
//! | 1      | version, 1                                                          |
//! | 4      | checksum: the first bytes of a keyed BLAKE3 digest of all that follows |
//! | 8      | the query: the first bytes of the digest of what must stay the same |
//! | varint | how many entities were shown                                        |
//! | varint | the lowest id shown, then for each further one its distance to the one before |
//!
//! U1. A cursor holds what was shown, and nothing of where that stood. The next page has
//!     the best of what was not, whatever moved meanwhile: no page repeats an entity, and
//!     none that stands still is passed over.
//! U2. The text is untrusted: it is refused, or gives rising ids, at most
//!     [`PLACES_MAX`] of them. The checksum finds accidents and stops nobody who means to
//!     forge one; a forged cursor leaves out what it likes of an answer to who forged it.

mod base64;

use tidal_types::{ByteReader, EntityId, QueryError, put_varint};

use super::query::Query;
use crate::Result;

/// As far as the pages of a ranking reach.
pub(crate) const PLACES_MAX: usize = 10_000;

const VERSION: u8 = 1;

/// How long a cursor can be: the ids, ten bytes each, and what is before them.
const BYTES_MAX: usize = 1 + 4 + 8 + 3 + 10 * PLACES_MAX;

const CHECKSUM_CONTEXT: &str = "tidalDB 2026 checksum of a cursor";
const QUERY_CONTEXT: &str = "tidalDB 2026 query of a cursor";

/// The cursor behind the pages that have shown these, which rise.
pub(crate) fn encode(query: &Query, shown: &[EntityId]) -> String {
    let mut body = digest(query).to_vec();
    put_varint(&mut body, shown.len() as u64);
    let mut before = 0;
    for id in shown {
        put_varint(&mut body, id.get() - before);
        before = id.get();
    }
    let mut bytes = vec![VERSION];
    bytes.extend_from_slice(&first::<4>(CHECKSUM_CONTEXT, &body));
    bytes.append(&mut body);
    base64::encode(&bytes)
}

/// What the pages before have shown, in rising order.
///
/// # Errors
/// [`QueryError::Cursor`] for what is no cursor, or one of another query.
pub(crate) fn decode(query: &Query, text: &str) -> Result<Vec<EntityId>, QueryError> {
    let refused = |problem: &str| QueryError::Cursor { problem: problem.into() };
    let damaged = || refused("it is damaged");
    if text.len() > base64::chars(BYTES_MAX) {
        return Err(refused("it is too long"));
    }
    let bytes = base64::decode(text).ok_or_else(damaged)?;
    let mut reader = ByteReader::new(&bytes);
    if reader.u8().ok_or_else(damaged)? != VERSION {
        return Err(refused("it is of a version that this program does not know"));
    }
    let checksum: [u8; 4] = reader.array().ok_or_else(damaged)?;
    if checksum != first(CHECKSUM_CONTEXT, reader.rest()) {
        return Err(damaged());
    }
    if reader.array() != Some(digest(query)) {
        return Err(refused("it is of another query"));
    }
    let count = reader.varint().ok_or_else(damaged)?;
    let count = usize::try_from(count).ok().filter(|count| *count <= PLACES_MAX);
    let mut shown = Vec::new();
    let mut last: Option<u64> = None;
    for _ in 0..count.ok_or_else(damaged)? {
        let step = reader.varint().ok_or_else(damaged)?;
        let id = match last {
            Some(last) if step > 0 => last.checked_add(step),
            Some(_) => None,
            None => Some(step),
        };
        shown.push(EntityId::new(id.ok_or_else(damaged)?));
        last = id;
    }
    if reader.is_empty() { Ok(shown) } else { Err(damaged()) }
}

/// What of a query all its pages have in common. It goes by how the query is shown for
/// debugging, which names every field and every bit of a number; a program that shows it
/// otherwise takes the cursors of others for those of other queries.
fn digest(query: &Query) -> [u8; 8] {
    let mut same = query.clone();
    same.limit = 0;
    same.at = None;
    same.cursor = None;
    same.explain = false;
    first(QUERY_CONTEXT, format!("{same:?}").as_bytes())
}

fn first<const N: usize>(context: &str, bytes: &[u8]) -> [u8; N] {
    let mut hasher = blake3::Hasher::new_derive_key(context);
    hasher.update(bytes);
    let mut first = [0; N];
    hasher.finalize_xof().fill(&mut first);
    first
}

#[cfg(test)]
mod tests;

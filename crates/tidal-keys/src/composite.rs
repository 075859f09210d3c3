//! Keys of several parts, each with any bytes.
//!
//! Each part is escaped and ended, one after the other:
//!
//! | in the part      | in the key |
//! |------------------|------------|
//! | 0x00             | 0x00 0xff  |
//! | any other byte   | that byte  |
//! | the part's end   | 0x00 0x01  |
//!
//! FoundationDB's tuple layer escapes the same way but ends a part with a single
//! zero byte, which works there because a type code follows, never 0xff. Here a
//! part may follow that begins with 0xff, so the end takes two bytes, as in
//! CockroachDB's key encoding.
//!
//! P1. The byte order of keys is the order of their lists of parts: part by part,
//!     and a list before every longer one that begins with it. An end (0x00 0x01)
//!     sorts before an escaped zero (0x00 0xff) and before every other byte.
//! P2. Different lists of parts have different keys.
//! P3. A list begins with other parts exactly when its key begins with theirs.

use tidal_types::KeyError;

use crate::{MAX_KEY_LEN, check_length};

const ESCAPE: u8 = 0x00;
const ESCAPED_ZERO: u8 = 0xff;
const END: u8 = 0x01;

/// The key of these parts.
///
/// # Errors
///
/// [`KeyError::NoParts`] without parts, [`KeyError::TooLong`] if the key would
/// have more than [`MAX_KEY_LEN`] bytes: the bytes of all parts, two for each
/// part, and one for each zero byte in them.
pub fn composite_key(parts: &[&[u8]]) -> Result<Vec<u8>, KeyError> {
    if parts.is_empty() {
        return Err(KeyError::NoParts);
    }
    encode_parts(parts)
}

/// The key of these parts, each anything that is bytes: a string, a slice, an
/// array, an encoded number. A macro of the same name as the function
/// [`composite_key()`](composite_key()), with the same result.
///
/// ```
/// use tidal_keys::{composite_key, encode_u64};
///
/// let key = composite_key!("oslo", encode_u64(7))?;
/// assert_eq!(key, composite_key(&[b"oslo", &encode_u64(7)])?);
/// # Ok::<(), tidal_types::KeyError>(())
/// ```
#[macro_export]
macro_rules! composite_key {
    ($($part:expr),+ $(,)?) => {
        $crate::composite_key(&[$(::core::convert::AsRef::<[u8]>::as_ref(&$part)),+])
    };
}

/// The parts of a composite key, in order.
///
/// # Errors
///
/// [`KeyError`] if `key` is not one that [`composite_key()`](composite_key())
/// can make; it says at which byte.
pub fn split_composite(key: &[u8]) -> Result<Vec<Vec<u8>>, KeyError> {
    check_length(key.len())?;
    if key.is_empty() {
        return Err(KeyError::NoParts);
    }
    let mut parts = Vec::new();
    let mut part = Vec::new();
    let mut ended = true;
    let mut bytes = key.iter().copied().enumerate();
    while let Some((_, byte)) = bytes.next() {
        ended = false;
        if byte != ESCAPE {
            part.push(byte);
            continue;
        }
        match bytes.next() {
            Some((_, ESCAPED_ZERO)) => part.push(ESCAPE),
            Some((_, END)) => {
                parts.push(std::mem::take(&mut part));
                ended = true;
            }
            Some((offset, found)) => return Err(KeyError::BadEscape { offset, found }),
            None => break,
        }
    }
    if ended { Ok(parts) } else { Err(KeyError::Unterminated { bytes: key.len() }) }
}

/// The range of the keys that begin with these parts, the start included and the
/// end not. It contains exactly the composite keys whose first parts equal
/// `parts`, also the one that has no others; without parts, every key there is.
///
/// # Errors
///
/// [`KeyError::TooLong`] if the parts alone are longer than a key can be.
pub fn prefix_range(parts: &[&[u8]]) -> Result<(Vec<u8>, Vec<u8>), KeyError> {
    let start = encode_parts(parts)?;
    let mut end = start.clone();
    match end.last_mut() {
        // Every key that begins with these parts begins with these bytes, and the
        // last of them ends a part: one more is the first byte string after all.
        Some(last) => *last = END + 1,
        // No key is as long as this, so every key sorts before it.
        None => end = vec![u8::MAX; MAX_KEY_LEN + 1],
    }
    Ok((start, end))
}

fn encode_parts(parts: &[&[u8]]) -> Result<Vec<u8>, KeyError> {
    let bytes = parts.iter().map(|part| encoded_len(part)).fold(0, usize::saturating_add);
    check_length(bytes)?;
    let mut key = Vec::with_capacity(bytes);
    for part in parts {
        for &byte in *part {
            key.push(byte);
            if byte == ESCAPE {
                key.push(ESCAPED_ZERO);
            }
        }
        key.extend_from_slice(&[ESCAPE, END]);
    }
    Ok(key)
}

fn encoded_len(part: &[u8]) -> usize {
    let zeros = part.iter().filter(|&&byte| byte == ESCAPE).count();
    part.len().saturating_add(zeros).saturating_add(2)
}

#[cfg(test)]
mod tests;

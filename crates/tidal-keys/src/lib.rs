//! Keys that sort as what they stand for.
//!
//! An ordered store knows one order, that of bytes. This crate builds keys whose
//! byte order is the order that the application means: entities by id, the parts
//! of a composite key one after the other, numbers by value. So a range of bytes
//! is a range of meaning, and a scan needs no sorting.
//!
//! - [`encode_key`] and [`parse_key`]: what tidalDB keeps about one entity lies
//!   together, under the entity's id.
//! - [`composite_key()`](composite_key()), [`split_composite`], [`prefix_range`]:
//!   any number of parts with any bytes, ordered part by part.
//! - [`encode_u64`], [`encode_i64`], [`encode_f64`] and back: numbers as parts.
//!
//! No key is longer than [`MAX_KEY_LEN`] bytes, which every engine takes; a
//! longer one is an error here, before any engine sees it.
//!
//! ```
//! use tidal_keys::{Tag, composite_key, encode_i64, encode_key, entity_tag_prefix, parse_key, prefix_range};
//! use tidal_types::EntityId;
//!
//! let key = encode_key(EntityId::new(42), Tag::Sig, b"view")?;
//! assert!(key.starts_with(&entity_tag_prefix(EntityId::new(42), Tag::Sig)));
//! assert_eq!(parse_key(&key)?.suffix, b"view");
//!
//! let cold = composite_key!("oslo", encode_i64(-12))?;
//! let warm = composite_key!("oslo", encode_i64(21))?;
//! let elsewhere = composite_key!("oslofjord", encode_i64(-30))?;
//! assert!(cold < warm && warm < elsewhere);
//!
//! let (start, end) = prefix_range(&[b"oslo"])?;
//! assert!((start..end).contains(&cold));
//! # Ok::<(), tidal_types::KeyError>(())
//! ```

mod composite;
mod entity_key;
mod number;
mod tag;

use tidal_types::KeyError;

pub use composite::{composite_key, prefix_range, split_composite};
pub use entity_key::{ParsedKey, encode_key, entity_prefix, entity_tag_prefix, parse_key};
pub use number::{decode_f64, decode_i64, decode_u64, encode_f64, encode_i64, encode_u64};
pub use tag::Tag;

/// The longest key, in bytes: the most that every engine takes. LMDB's limit is
/// the lowest of all.
pub const MAX_KEY_LEN: usize = 511;

/// Refuses a key that would have too many bytes.
fn check_length(bytes: usize) -> Result<(), KeyError> {
    if bytes > MAX_KEY_LEN {
        return Err(KeyError::TooLong { bytes, max: MAX_KEY_LEN });
    }
    Ok(())
}

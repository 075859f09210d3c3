//! Numbers as eight bytes that sort as the numbers do.
//!
//! | type | bytes, most significant first                                    |
//! |------|------------------------------------------------------------------|
//! | u64  | the number                                                       |
//! | i64  | the number with its sign bit flipped, so negatives come first    |
//! | f64  | the IEEE 754 bits; all flipped if negative, else the sign bit    |
//!
//! N1. For u64 and i64 the byte order is the numeric order; for f64 it is
//!     [`f64::total_cmp`], which places -0 before +0 and every NaN too.
//! N2. Every bit pattern survives the round trip, NaN payloads included.

#![expect(
    clippy::big_endian_bytes,
    reason = "the most significant byte first is what makes numbers sort"
)]

use tidal_types::KeyError;

const NUMBER_BYTES: usize = 8;
const SIGN_BIT: u64 = 1 << 63;

/// The bytes of an unsigned number, sorting by value.
#[must_use]
pub const fn encode_u64(number: u64) -> [u8; NUMBER_BYTES] {
    number.to_be_bytes()
}

/// The number that [`encode_u64`] made these bytes of.
///
/// # Errors
///
/// [`KeyError::NumberLength`] unless there are eight bytes.
pub fn decode_u64(bytes: &[u8]) -> Result<u64, KeyError> {
    let bytes = <[u8; NUMBER_BYTES]>::try_from(bytes)
        .map_err(|_| KeyError::NumberLength { bytes: bytes.len(), expected: NUMBER_BYTES })?;
    Ok(u64::from_be_bytes(bytes))
}

/// The bytes of a signed number, sorting by value.
#[must_use]
pub const fn encode_i64(number: i64) -> [u8; NUMBER_BYTES] {
    encode_u64(number.cast_unsigned() ^ SIGN_BIT)
}

/// The number that [`encode_i64`] made these bytes of.
///
/// # Errors
///
/// [`KeyError::NumberLength`] unless there are eight bytes.
pub fn decode_i64(bytes: &[u8]) -> Result<i64, KeyError> {
    Ok((decode_u64(bytes)? ^ SIGN_BIT).cast_signed())
}

/// The bytes of a floating-point number, sorting as [`f64::total_cmp`] does.
#[must_use]
pub const fn encode_f64(number: f64) -> [u8; NUMBER_BYTES] {
    let bits = number.to_bits();
    encode_u64(if bits & SIGN_BIT == 0 { bits ^ SIGN_BIT } else { !bits })
}

/// The number that [`encode_f64`] made these bytes of, bit by bit.
///
/// # Errors
///
/// [`KeyError::NumberLength`] unless there are eight bytes.
pub fn decode_f64(bytes: &[u8]) -> Result<f64, KeyError> {
    let sortable = decode_u64(bytes)?;
    Ok(f64::from_bits(if sortable & SIGN_BIT == 0 { !sortable } else { sortable ^ SIGN_BIT }))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Every bit pattern, and often one of those where an encoding breaks.
    fn any_f64() -> impl Strategy<Value = f64> {
        const EDGES: [f64; 8] =
            [0.0, -0.0, f64::INFINITY, f64::NEG_INFINITY, f64::NAN, f64::MIN, f64::MAX, 5e-324];
        prop_oneof![
            proptest::sample::select(EDGES.as_slice()),
            any::<u64>().prop_map(f64::from_bits)
        ]
    }

    proptest! {
        #[test]
        fn unsigned_numbers_survive_and_sort(a: u64, b: u64) {
            prop_assert_eq!(decode_u64(&encode_u64(a))?, a);
            prop_assert_eq!(encode_u64(a).cmp(&encode_u64(b)), a.cmp(&b));
        }

        #[test]
        fn signed_numbers_survive_and_sort(a: i64, b: i64) {
            prop_assert_eq!(decode_i64(&encode_i64(a))?, a);
            prop_assert_eq!(encode_i64(a).cmp(&encode_i64(b)), a.cmp(&b));
        }

        #[test]
        fn floats_survive_bit_by_bit_and_sort_totally(a in any_f64(), b in any_f64()) {
            prop_assert_eq!(decode_f64(&encode_f64(a))?.to_bits(), a.to_bits());
            prop_assert_eq!(encode_f64(a).cmp(&encode_f64(b)), a.total_cmp(&b));
        }
    }

    #[test]
    fn the_edges_of_floats_are_in_line() {
        let line = [
            -f64::NAN,
            f64::NEG_INFINITY,
            -1.0,
            -5e-324,
            -0.0,
            0.0,
            5e-324,
            1.0,
            f64::INFINITY,
            f64::NAN,
        ];
        assert!(line.map(encode_f64).is_sorted_by(|a, b| a < b));
    }

    #[test]
    fn a_number_has_eight_bytes() {
        let seven = Err(KeyError::NumberLength { bytes: 7, expected: 8 });
        assert_eq!(decode_u64(&[0; 7]), seven);
        assert_eq!(decode_i64(&[0; 9]), Err(KeyError::NumberLength { bytes: 9, expected: 8 }));
        assert!(decode_f64(&[]).is_err());
    }
}

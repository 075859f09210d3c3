//! The numbers that a cell's bytes are made of.
//!
//! | number    | bytes                                                          |
//! |-----------|----------------------------------------------------------------|
//! | unsigned  | LEB128: seven bits a byte, least significant first, 1 to 10    |
//! | signed    | zigzag (0, -1, 1, -2, ...), then as unsigned                   |
//! | `f64`     | its bits with the order of the bytes reversed, then as unsigned|
//!
//! A whole number has most of its `f64` bits zero at the low end; reversed, 1.0
//! takes three bytes.
//!
//! V1. Each number has one encoding, and a reader takes no other.

use tidal_types::{ByteReader, VARINT_BYTES_MAX};

use super::damage::CellDamage;

pub(super) use tidal_types::put_varint as put_u64;

pub(super) fn put_i64(out: &mut Vec<u8>, value: i64) {
    put_u64(out, ((value << 1) ^ (value >> 63)).cast_unsigned());
}

pub(super) fn put_f64(out: &mut Vec<u8>, value: f64) {
    put_u64(out, value.to_bits().swap_bytes());
}

/// Reads what was put, from the front.
#[derive(Debug)]
pub(super) struct Reader<'a>(ByteReader<'a>);

impl<'a> Reader<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self(ByteReader::new(bytes))
    }

    pub(super) fn u8(&mut self) -> Result<u8, CellDamage> {
        self.0.u8().ok_or(CellDamage::Truncated)
    }

    pub(super) fn u64(&mut self) -> Result<u64, CellDamage> {
        let number = self.0.rest();
        self.0.varint().ok_or_else(|| {
            let goes_on = number.iter().all(|&byte| byte >= 0x80);
            if goes_on && number.len() < VARINT_BYTES_MAX {
                CellDamage::Truncated
            } else {
                CellDamage::Number
            }
        })
    }

    pub(super) fn i64(&mut self) -> Result<i64, CellDamage> {
        let value = self.u64()?;
        Ok((value >> 1).cast_signed() ^ -(value & 1).cast_signed())
    }

    /// A finite number of at most `max` in either direction.
    pub(super) fn f64(&mut self, max: f64) -> Result<f64, CellDamage> {
        let value = f64::from_bits(self.u64()?.swap_bytes());
        // NaN fails the comparison too.
        if (-max..=max).contains(&value) { Ok(value) } else { Err(CellDamage::OutOfRange) }
    }

    pub(super) fn finish(&self) -> Result<(), CellDamage> {
        if self.0.is_empty() { Ok(()) } else { Err(CellDamage::Trailing) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn bytes(put: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
        let mut out = Vec::new();
        put(&mut out);
        out
    }

    proptest! {
        #[test]
        fn numbers_survive(unsigned: u64, signed: i64, number in -1e300..1e300_f64) {
            let all = bytes(|out| {
                put_u64(out, unsigned);
                put_i64(out, signed);
                put_f64(out, number);
            });
            let mut reader = Reader::new(&all);
            prop_assert_eq!(reader.u64(), Ok(unsigned));
            prop_assert_eq!(reader.i64(), Ok(signed));
            prop_assert_eq!(reader.f64(f64::MAX), Ok(number));
            prop_assert_eq!(reader.finish(), Ok(()));
        }

        #[test]
        fn what_is_read_is_what_would_be_written_v1(any in proptest::collection::vec(any::<u8>(), 0..12)) {
            let mut reader = Reader::new(&any);
            if let Ok(value) = reader.u64() {
                let read = any.len() - reader.0.rest().len();
                prop_assert_eq!(bytes(|out| put_u64(out, value)), &any[..read]);
            }
        }
    }

    #[test]
    fn common_numbers_are_short() {
        assert_eq!(bytes(|out| put_u64(out, 300)), [0xac, 0x02]);
        assert_eq!(bytes(|out| put_i64(out, -1)), [0x01]);
        assert_eq!(bytes(|out| put_f64(out, 0.0)), [0x00]);
        assert_eq!(bytes(|out| put_f64(out, 1.0)).len(), 3);
        assert_eq!(bytes(|out| put_u64(out, u64::MAX)).len(), 10);
    }

    #[test]
    fn a_second_way_to_say_a_number_is_damage_v1() {
        for long in [
            &[0x80, 0x00][..],
            &[0xff; 10],
            &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02],
        ] {
            assert_eq!(Reader::new(long).u64(), Err(CellDamage::Number), "{long:?}");
        }
        assert_eq!(Reader::new(&[0x80]).u64(), Err(CellDamage::Truncated));
    }

    #[test]
    fn a_number_that_is_none_is_damage() {
        for number in [f64::NAN, f64::INFINITY, -f64::INFINITY, 11.0] {
            let bytes = bytes(|out| put_f64(out, number));
            assert_eq!(Reader::new(&bytes).f64(10.0), Err(CellDamage::OutOfRange), "{number}");
        }
    }
}

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::*;

/// Parts made mostly of the bytes that the encoding gives a meaning to.
fn any_part() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        vec(select([0x00, 0x01, 0x02, 0xfe, 0xff].as_slice()), 0..5),
        vec(any::<u8>(), 0..20)
    ]
}

fn any_parts() -> impl Strategy<Value = Vec<Vec<u8>>> {
    vec(any_part(), 1..5)
}

fn encode(parts: &[Vec<u8>]) -> Result<Vec<u8>, KeyError> {
    composite_key(&parts.iter().map(Vec::as_slice).collect::<Vec<_>>())
}

proptest! {
    #[test]
    fn parts_come_back_as_they_were_given(parts in any_parts()) {
        prop_assert_eq!(split_composite(&encode(&parts)?)?, parts);
    }

    #[test]
    fn keys_sort_part_by_part(a in any_parts(), b in any_parts()) {
        prop_assert_eq!(encode(&a)?.cmp(&encode(&b)?), a.cmp(&b));
    }

    #[test]
    fn a_prefix_range_contains_exactly_the_keys_that_begin_so(
        parts in any_parts(), more in vec(any_part(), 0..3), stranger in any_parts(), shared in 0..5usize,
    ) {
        let borrowed: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
        let (start, end) = prefix_range(&borrowed)?;
        let longer = [parts.clone(), more].concat();
        prop_assert!((&start..&end).contains(&&encode(&longer)?));
        // A stranger that has some of the parts comes close to the edges.
        let near = [parts.iter().take(shared).cloned().collect(), stranger].concat();
        prop_assert_eq!((&start..&end).contains(&&encode(&near)?), near.starts_with(&parts));
    }

    #[test]
    fn bytes_that_split_are_the_key_of_their_parts(bytes in vec(select([0x00, 0x01, 0x7f, 0xff].as_slice()), 0..12)) {
        if let Ok(parts) = split_composite(&bytes) {
            prop_assert_eq!(encode(&parts)?, bytes);
        }
    }
}

#[test]
fn a_plain_length_prefix_would_order_these_otherwise() {
    let keys = [
        composite_key!("a", "b"),
        composite_key!("a", "c"),
        composite_key!("a", "c", ""),
        composite_key!("a\0", "b"),
        composite_key!("ab", ""),
    ];
    assert!(keys.map(Result::unwrap).is_sorted_by(|a, b| a < b));
}

#[test]
fn an_end_before_0xff_is_not_an_escaped_zero() {
    let two = composite_key(&[b"a", b"\xff"]).unwrap();
    let one = composite_key(&[b"a\0"]).unwrap();
    assert_eq!(two, b"a\x00\x01\xff\x00\x01");
    assert_eq!(one, b"a\x00\xff\x00\x01");
    assert_eq!(split_composite(&two).unwrap(), [b"a".to_vec(), b"\xff".to_vec()]);
}

#[test]
fn without_parts_the_range_is_everything() {
    let (start, end) = prefix_range(&[]).unwrap();
    let greatest = composite_key(&[&[0xff; MAX_KEY_LEN - 2]]).unwrap();
    assert_eq!(greatest.len(), MAX_KEY_LEN);
    assert!((&start..&end).contains(&&greatest));
    assert!((&start..&end).contains(&&vec![0xff; MAX_KEY_LEN]));
    assert!((&start..&end).contains(&&composite_key!("").unwrap()));
}

#[test]
fn escaped_bytes_count_towards_the_limit() {
    assert_eq!(composite_key(&[&[0; 254]]).unwrap().len(), 510);
    assert_eq!(composite_key(&[&[0; 255]]), Err(KeyError::TooLong { bytes: 512, max: 511 }));
    assert_eq!(prefix_range(&[&[1; 600]]), Err(KeyError::TooLong { bytes: 602, max: 511 }));
}

#[test]
fn what_is_not_a_composite_key_says_why() {
    assert_eq!(composite_key(&[]), Err(KeyError::NoParts));
    assert_eq!(split_composite(b""), Err(KeyError::NoParts));
    assert_eq!(split_composite(b"a"), Err(KeyError::Unterminated { bytes: 1 }));
    assert_eq!(split_composite(b"a\x00"), Err(KeyError::Unterminated { bytes: 2 }));
    assert_eq!(split_composite(b"a\x00\x01b"), Err(KeyError::Unterminated { bytes: 4 }));
    assert_eq!(split_composite(b"a\x00\x02"), Err(KeyError::BadEscape { offset: 2, found: 2 }));
    assert_eq!(split_composite(&[0x61; 512]), Err(KeyError::TooLong { bytes: 512, max: 511 }));
}

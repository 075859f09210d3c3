use proptest::prelude::*;

use super::*;
use crate::ledger::RawEvent;

const SECOND: u64 = 1_000_000_000;

fn row(acts: &[(u64, u64, f64)], rate: f64) -> Row {
    let mut row = Row::default();
    for (&(id, time, weight), seq) in acts.iter().zip(1..) {
        let act = (EntityId::new(id), RawEvent { time, weight });
        row.apply(Seq::new(seq), rate, act, HISTORY_ENTITIES_MAX);
    }
    row
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn same(a: &Row, b: &Row) -> bool {
    a.applied == b.applied && a.entries == b.entries
}

/// R25: the bytes of version 1 do not change, nor what the checksum covers.
#[test]
fn a_history_is_what_it_was() {
    let row = row(&[(7, 5 * SECOND, 1.0), (300, 3 * SECOND, -2.5), (7, 9 * SECOND, 0.0)], 0.0);
    let head = ["01", "03", "03", "001a711802000000", "02"].concat();
    let entries = ["07", "00", "04", "bfe003", "a402", "06", "00", "c009"].concat();
    assert_eq!(hex(&encode(&row)), head + &entries);
    let canonical = canonical(&row, |_| false).unwrap();
    let expected = [
        "0200000000000000",
        "0700000000000000",
        "001a711802000000",
        "000000000000f03f",
        "00f2052a01000000",
        "2c01000000000000",
        "005ed0b200000000",
        "00000000000004c0",
        "005ed0b200000000",
    ];
    assert_eq!(hex(&canonical), expected.concat());
    assert!(same(&decode(&encode(&row)).unwrap(), &row));
}

/// G102: the same entries have the same canonical bytes, whatever record came last, and
/// what was forgotten is in none.
#[test]
fn the_canonical_form_is_of_what_is_seen() {
    let one = row(&[(1, SECOND, 1.0), (2, SECOND, 1.0)], 0.0);
    let mut other = row(&[(2, SECOND, 1.0)], 0.0);
    let seen = |row: &Row| canonical(row, |id| id == EntityId::new(1));
    other.applied = Seq::new(77);
    assert_eq!(seen(&one), canonical(&other, |_| false));
    assert_eq!(canonical(&one, |_| true), None);
}

#[test]
fn an_entity_seen_once_takes_few_bytes() {
    let whole: Vec<_> =
        (0..1000).map(|n| (n * 50, (1_700_000_000 + n * 7919) * SECOND, 1.0)).collect();
    let per_entity = encode(&row(&whole, 1e-6)).len() / 1000;
    assert!(per_entity <= 8, "{per_entity} bytes");
    let ragged: Vec<_> =
        whole.iter().map(|&(id, time, _)| (id << 12, time + id * 31, 0.1)).collect();
    let per_entity = encode(&row(&ragged, 1e-6)).len() / 1000;
    assert!(per_entity <= 22, "{per_entity} bytes");
}

fn acts() -> impl Strategy<Value = Vec<(u64, u64, f64)>> {
    let id = prop_oneof![0..6_u64, Just(u64::MAX), any::<u64>()];
    let time = prop_oneof![
        (0..100_u64).prop_map(|secs| (1_700_000_000 + secs) * SECOND),
        (0..100_u64).prop_map(|millis| millis * 1_000_000),
        any::<u64>(),
    ];
    let weight = prop_oneof![Just(1.0), Just(0.0), -1e15..1e15_f64];
    prop::collection::vec((id, time, weight), 1..12)
}

proptest! {
    #[test]
    fn histories_survive(acts in acts(), rate in prop_oneof![Just(0.0), 1e-9..1e3_f64]) {
        let row = row(&acts, rate);
        let bytes = encode(&row);
        prop_assert!(same(&decode(&bytes).unwrap(), &row));
        for length in 0..bytes.len() {
            prop_assert!(decode(&bytes[..length]).is_err(), "{length} bytes");
        }
        prop_assert!(decode(&[bytes.as_slice(), &[0]].concat()).is_err());
    }

    /// Each row has one encoding: what is read of any bytes is what would be written.
    #[test]
    fn what_is_read_is_what_would_be_written(
        acts in acts(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut bytes = encode(&row(&acts, 0.0));
        for (index, value) in changes {
            let index = index.index(bytes.len());
            bytes[index] = value;
        }
        if let Ok(row) = decode(&bytes) {
            prop_assert_eq!(encode(&row), bytes);
        }
    }
}

#[test]
fn damage_is_named() {
    let bytes = encode(&row(&[(7, 5 * SECOND, 1.0), (8, 3 * SECOND, 1.0)], 0.0));
    let with = |index: usize, value: u8| {
        let mut bytes = bytes.clone();
        bytes[index] = value;
        decode(&bytes).map(drop).unwrap_err()
    };
    assert!(with(0, 2).contains("format 2"));
    assert!(with(1, 4).contains("unit"));
    assert!(with(2, 0).contains("no record"));
    assert!(with(11, 0).contains("no entries"));
    assert!(with(11, 127).contains("too early"), "nothing is made room for by a count");
    assert!(with(13, 1).contains("times"), "none is the newest");
    assert!(with(13, 120).contains("out of range"), "before the epoch");
    let mut short = encode(&row(&[(7, 5 * SECOND, 1.0)], 0.0));
    short[1] = 2;
    assert!(decode(&short).unwrap_err().contains("times"), "a longer unit would do");
    let mut infinite = bytes.clone();
    infinite.truncate(15);
    put_varint(&mut infinite, f64::INFINITY.to_bits().swap_bytes());
    infinite[11] = 1;
    assert!(decode(&infinite).unwrap_err().contains("sum"));
    let mut beyond = encode(&row(&[(u64::MAX, 0, 1.0)], 0.0));
    beyond[11] = 2;
    beyond.extend_from_slice(&[0, 0, 0, 0]);
    assert!(decode(&beyond).unwrap_err().contains("out of range"), "an id behind the last");
}

/// H5, G100: with the ids, times and sums that take the most room, too; and one entity more
/// makes the row shorter.
#[test]
fn a_full_history_fits_into_a_value() {
    let most = HISTORY_ENTITIES_MAX as u64;
    let act = |number: u64| {
        let time = (u64::MAX >> 1).wrapping_add(number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 1);
        (number * (u64::MAX >> 20), time, 0.1)
    };
    let acts: Vec<_> = (0..most).map(act).collect();
    let mut full = row(&acts, 0.0);
    assert_eq!(full.entries.len() as u64, most);
    let bytes = encode(&full).len();
    assert!((20 * HISTORY_ENTITIES_MAX..=ROW_BYTES_MAX).contains(&bytes), "{bytes} bytes");
    assert!(bytes <= VALUE_BYTES_MAX);
    let event = RawEvent { time: 1, weight: 1.0 };
    full.apply(Seq::new(most + 1), 0.0, (EntityId::new(1), event), HISTORY_ENTITIES_MAX);
    assert_eq!(full.entries.len() as u64, most - most / 8 + 1);
}

#[test]
fn a_history_beyond_the_bound_is_damaged() {
    let mut bytes = encode(&row(&[(7, 5 * SECOND, 1.0)], 0.0));
    bytes.truncate(11);
    put_varint(&mut bytes, HISTORY_ENTITIES_MAX as u64 + 1);
    assert!(decode(&bytes).unwrap_err().contains("1048577 entries"));
}

//! Ranges, in both directions.

use std::ops::Bound;

use tidal_storage::{Direction, KEY_BYTES_MAX, KeyRange, StorageEngine, WriteBatch};

use super::{Fixture, keys};

fn put_all(engine: &dyn StorageEngine, keys: &[Vec<u8>]) {
    let mut batch = WriteBatch::new();
    for key in keys {
        batch.put(key.clone(), "value");
    }
    engine.write_batch(batch).unwrap();
}

/// Scans both ways, checks that they agree, and gives the ascending one.
fn both_ways(engine: &dyn StorageEngine, range: &KeyRange) -> Vec<Vec<u8>> {
    let forward = keys(engine.scan_range(range.clone(), Direction::Forward));
    let mut backward = keys(engine.scan_range(range.clone(), Direction::Backward));
    backward.reverse();
    assert_eq!(forward, backward, "{range:?}");
    forward
}

pub(crate) fn every_kind_of_bound_in_either_direction(fixture: Fixture) {
    let stored: Vec<Vec<u8>> =
        [&b"b"[..], b"d", b"d\0", b"dd", b"f\xff"].map(<[u8]>::to_vec).into();
    put_all(fixture.items(), &stored);
    let mut bounds = vec![Bound::Unbounded];
    for key in [&b"a"[..], b"b", b"c", b"d", b"d\0", b"dd", b"f", b"f\xff", b"g"] {
        bounds.extend([Bound::Included(key.to_vec()), Bound::Excluded(key.to_vec())]);
    }
    for start in &bounds {
        for end in &bounds {
            let range = KeyRange::new(start.clone(), end.clone());
            let expected: Vec<Vec<u8>> =
                stored.iter().filter(|key| range.contains(key)).cloned().collect();
            assert_eq!(both_ways(fixture.items(), &range), expected, "{range:?}");
        }
    }
}

pub(crate) fn inverted_ranges_are_empty(fixture: Fixture) {
    put_all(fixture.items(), &[b"a".to_vec(), b"b".to_vec(), b"c".to_vec()]);
    let excluded = |key: &[u8]| Bound::Excluded(key.to_vec());
    let ranges = [
        KeyRange::from(b"c"..b"a"),
        KeyRange::from(b"c"..=b"a"),
        KeyRange::from(b"b"..b"b"),
        KeyRange::new(excluded(b"b"), excluded(b"b")),
        KeyRange::new(excluded(b"b"), Bound::Included(b"b".to_vec())),
        KeyRange::new(excluded(b"c"), excluded(b"a")),
    ];
    for range in ranges {
        assert!(both_ways(fixture.items(), &range).is_empty(), "{range:?}");
    }
}

pub(crate) fn bounds_may_be_any_bytes(fixture: Fixture) {
    let longest = vec![b'm'; KEY_BYTES_MAX];
    let stored = [b"a".to_vec(), longest.clone(), b"z".to_vec()];
    put_all(fixture.items(), &stored);
    let too_long = vec![b'm'; KEY_BYTES_MAX + 1];
    let below = [b"a".to_vec(), longest];
    assert_eq!(both_ways(fixture.items(), &KeyRange::from(b""..)), stored);
    assert!(both_ways(fixture.items(), &KeyRange::from(..b"")).is_empty());
    assert!(both_ways(fixture.items(), &KeyRange::from(..=b"")).is_empty());
    assert_eq!(both_ways(fixture.items(), &KeyRange::from(..too_long.clone())), below);
    assert_eq!(both_ways(fixture.items(), &KeyRange::from(..=too_long.clone())), below);
    assert_eq!(both_ways(fixture.items(), &KeyRange::from(too_long..)), [b"z".to_vec()]);
}

pub(crate) fn a_long_scan_is_in_order(fixture: Fixture) {
    let stored: Vec<Vec<u8>> = (0..20_000u32).map(|n| format!("{n:06}").into_bytes()).collect();
    put_all(fixture.items(), &stored);
    assert_eq!(both_ways(fixture.items(), &KeyRange::all()), stored);
    let middle = KeyRange::from(b"001000".as_slice()..b"019000".as_slice());
    assert_eq!(both_ways(fixture.items(), &middle), stored[1_000..19_000]);
}

pub(crate) fn a_dropped_scan_is_no_trouble(fixture: Fixture) {
    let stored: Vec<Vec<u8>> = (0..100u8).map(|n| vec![n]).collect();
    put_all(fixture.items(), &stored);
    for _ in 0..100 {
        let mut scan = fixture.items().scan_range(KeyRange::all(), Direction::Backward).unwrap();
        assert_eq!(scan.next().unwrap().unwrap().0, [99]);
    }
    fixture.items().put(b"later", b"value").unwrap();
    assert_eq!(keys(fixture.items().scan_prefix(b"later")), [b"later"]);
}

//! Scans of ranges, in both directions, at one moment.

use std::ops::Bound;

use super::{Subject, Verdict, holds, keys, same, shown};
use crate::{
    Direction, Durability, KEY_BYTES_MAX, KeyRange, KeyValue, Result, StorageEngine, WriteBatch,
};

fn put_all<'k>(engine: &dyn StorageEngine, keys: impl IntoIterator<Item = &'k [u8]>) -> Result<()> {
    let mut batch = WriteBatch::new();
    for key in keys {
        batch.put(key, key);
    }
    engine.write_batch(batch)
}

/// The keys "b", "d", "f", "h".
fn with_letters(on: &Subject<'_>) -> Result<()> {
    put_all(on.items(), [&b"b"[..], b"d", b"f", b"h"])
}

/// Scans both ways, compares each with what is expected in ascending order.
fn scans(on: &Subject<'_>, range: impl Into<KeyRange>, expected: &str) -> Verdict {
    let range = range.into();
    let forward = on.items().scan_range(range.clone(), Direction::Forward);
    same(&format!("{range:?} forward"), keys(forward)?, expected)?;
    let backward = keys(on.items().scan_range(range.clone(), Direction::Backward))?;
    let reversed: Vec<&str> = expected.split_terminator(' ').rev().collect();
    same(&format!("{range:?} backward"), backward, reversed.join(" "))
}

fn excluded(key: &[u8]) -> Bound<Vec<u8>> {
    Bound::Excluded(key.to_vec())
}

pub(super) fn the_whole_range_is_everything_in_order(on: Subject<'_>) -> Verdict {
    put_all(on.items(), [&b"m"[..], b"\xff\xff", b"a", b"\0", b"ab", b"b"])?;
    scans(&on, .., "\\x00 a ab b m \\xff\\xff")
}

pub(super) fn a_scan_gives_keys_with_their_values(on: Subject<'_>) -> Verdict {
    on.items().put(b"a", b"1")?;
    on.items().put(b"b", b"2")?;
    same("forward", shown(on.items().scan_range(KeyRange::all(), Direction::Forward))?, "a=1 b=2")?;
    same("backward", shown(on.items().scan_range(KeyRange::all(), Direction::Backward))?, "b=2 a=1")
}

pub(super) fn an_included_start_is_in_the_range(on: Subject<'_>) -> Verdict {
    with_letters(&on)?;
    scans(&on, b"d".as_slice().., "d f h")
}

pub(super) fn an_excluded_start_is_not_in_the_range(on: Subject<'_>) -> Verdict {
    with_letters(&on)?;
    scans(&on, KeyRange::new(excluded(b"d"), Bound::Unbounded), "f h")
}

pub(super) fn an_included_end_is_in_the_range(on: Subject<'_>) -> Verdict {
    with_letters(&on)?;
    scans(&on, ..=b"f".as_slice(), "b d f")
}

pub(super) fn an_excluded_end_is_not_in_the_range(on: Subject<'_>) -> Verdict {
    with_letters(&on)?;
    scans(&on, ..b"f".as_slice(), "b d")
}

pub(super) fn bounds_need_not_be_keys(on: Subject<'_>) -> Verdict {
    with_letters(&on)?;
    scans(&on, b"c".as_slice()..b"g", "d f")?;
    scans(&on, KeyRange::new(excluded(b"c"), Bound::Included(b"g".to_vec())), "d f")
}

pub(super) fn a_range_of_one_key(on: Subject<'_>) -> Verdict {
    with_letters(&on)?;
    scans(&on, b"d".as_slice()..=b"d", "d")?;
    scans(&on, b"e".as_slice()..=b"e", "")
}

pub(super) fn a_range_between_two_keys_is_empty(on: Subject<'_>) -> Verdict {
    with_letters(&on)?;
    scans(&on, KeyRange::new(excluded(b"d"), excluded(b"f")), "")?;
    scans(&on, KeyRange::new(excluded(b"d"), excluded(b"d\0")), "")
}

pub(super) fn every_pair_of_bounds_agrees_with_the_definition(on: Subject<'_>) -> Verdict {
    let stored: [&[u8]; 5] = [b"b", b"d", b"d\0", b"dd", b"f\xff"];
    put_all(on.items(), stored)?;
    let mut bounds = vec![Bound::Unbounded];
    for key in [&b"a"[..], b"b", b"c", b"d", b"d\0", b"dd", b"f", b"f\xff", b"g"] {
        bounds.extend([Bound::Included(key.to_vec()), excluded(key)]);
    }
    for start in &bounds {
        for end in &bounds {
            let range = KeyRange::new(start.clone(), end.clone());
            let inside = stored.iter().filter(|key| range.contains(key));
            let expected: Vec<String> = inside.map(|key| key.escape_ascii().to_string()).collect();
            scans(&on, range, &expected.join(" "))?;
        }
    }
    Ok(())
}

pub(super) fn an_inverted_range_is_empty(on: Subject<'_>) -> Verdict {
    with_letters(&on)?;
    scans(&on, b"f".as_slice()..b"b", "")?;
    scans(&on, b"f".as_slice()..=b"b", "")?;
    scans(&on, KeyRange::new(excluded(b"f"), excluded(b"b")), "")
}

pub(super) fn a_range_without_room_is_empty(on: Subject<'_>) -> Verdict {
    with_letters(&on)?;
    scans(&on, b"d".as_slice()..b"d", "")?;
    scans(&on, KeyRange::new(excluded(b"d"), excluded(b"d")), "")?;
    scans(&on, KeyRange::new(excluded(b"d"), Bound::Included(b"d".to_vec())), "")
}

pub(super) fn an_empty_bound_lies_before_every_key(on: Subject<'_>) -> Verdict {
    with_letters(&on)?;
    scans(&on, b"".as_slice().., "b d f h")?;
    scans(&on, ..b"".as_slice(), "")?;
    scans(&on, ..=b"".as_slice(), "")
}

pub(super) fn a_bound_longer_than_any_key_cuts_where_it_lies(on: Subject<'_>) -> Verdict {
    put_all(on.items(), [&b"a"[..], &[b'm'; KEY_BYTES_MAX], b"z"])?;
    let too_long = vec![b'm'; KEY_BYTES_MAX + 1];
    let below = format!("a {}", "m".repeat(KEY_BYTES_MAX));
    scans(&on, ..too_long.clone(), &below)?;
    scans(&on, ..=too_long.clone(), &below)?;
    scans(&on, too_long.., "z")
}

pub(super) fn an_empty_keyspace_has_empty_ranges(on: Subject<'_>) -> Verdict {
    on.users().put(b"key", b"value")?;
    scans(&on, .., "")?;
    scans(&on, b"a".as_slice()..b"z", "")
}

pub(super) fn keys_are_in_the_order_of_their_bytes(on: Subject<'_>) -> Verdict {
    put_all(
        on.items(),
        [&b"\x7f"[..], b"\x80", b"a", b"a\0", b"a\0\0", b"a\x01", b"aa", b"B", b"\xfe\xff"],
    )?;
    scans(&on, .., "B a a\\x00 a\\x00\\x00 a\\x01 aa \\x7f \\x80 \\xfe\\xff")
}

pub(super) fn a_long_scan_is_complete_and_in_order(on: Subject<'_>) -> Verdict {
    let stored: Vec<String> = (0..20_000u32).map(|n| format!("{n:06}")).collect();
    put_all(on.items(), stored.iter().map(String::as_bytes))?;
    scans(&on, .., &stored.join(" "))?;
    let middle = stored.get(1_000..19_000).unwrap_or_default();
    scans(&on, b"001000".as_slice()..b"019000", &middle.join(" "))
}

pub(super) fn a_scan_can_be_left_half_way(on: Subject<'_>) -> Verdict {
    put_all(
        on.items(),
        (0..100u8).map(|n| [n]).collect::<Vec<_>>().iter().map(<[u8; 1]>::as_slice),
    )?;
    for _ in 0..100 {
        let mut scan = on.items().scan_range(KeyRange::all(), Direction::Backward)?;
        same("the last key", scan.next().transpose()?.map(|(key, _)| key), Some(vec![99]))?;
    }
    on.items().put(b"later", b"value")?;
    same("a write afterwards", keys(on.items().scan_prefix(b"later"))?, "later")
}

pub(super) fn a_scan_that_has_ended_stays_ended(on: Subject<'_>) -> Verdict {
    with_letters(&on)?;
    for direction in [Direction::Forward, Direction::Backward] {
        let mut scan = on.items().scan_range(KeyRange::all(), direction)?;
        while scan.next().transpose()?.is_some() {}
        on.items().put(b"z", b"later")?;
        on.items().put(b"a", b"later")?;
        holds("there is nothing behind the end", scan.next().is_none())?;
    }
    Ok(())
}

/// Rewrites everything while a scan has handed out ten entries of a thousand.
pub(super) fn a_scan_sees_the_moment_when_it_began(on: Subject<'_>) -> Verdict {
    let mut before = WriteBatch::new();
    for n in 0..1_000u32 {
        before.put(format!("{n:04}"), "before").delete(format!("{n:04}x"));
    }
    for direction in [Direction::Forward, Direction::Backward] {
        on.items().write_batch(before.clone())?;
        let mut scan = on.items().scan_range(KeyRange::all(), direction)?;
        let mut seen: Vec<KeyValue> = scan.by_ref().take(10).collect::<Result<_>>()?;
        for n in (0..1_000u32).step_by(2) {
            let mut batch = WriteBatch::new();
            batch.put(format!("{n:04}"), "after").put(format!("{n:04}x"), "new");
            batch.delete(format!("{:04}", n + 1));
            on.items().write_batch(batch)?;
        }
        seen.extend(scan.collect::<Result<Vec<_>>>()?);
        same("how many entries it has", seen.len(), 1_000)?;
        let old = seen.iter().all(|(key, value)| key.len() == 4 && value == b"before");
        holds("all of them are of the moment when it began", old)?;
    }
    Ok(())
}

pub(super) fn two_scans_do_not_disturb_each_other(on: Subject<'_>) -> Verdict {
    with_letters(&on)?;
    let forward = on.items().scan_range(KeyRange::all(), Direction::Forward)?;
    let backward = on.items().scan_range(KeyRange::all(), Direction::Backward)?;
    let mut met = String::new();
    for (up, down) in forward.zip(backward) {
        met += &format!("{}{} ", up?.0.escape_ascii(), down?.0.escape_ascii());
    }
    same("the pairs", met, "bh df fd hb ")
}

pub(super) fn a_snapshot_stays_at_its_moment(on: Subject<'_>) -> Verdict {
    on.items().put(b"changed", b"1")?;
    on.items().put(b"deleted", b"1")?;
    let snapshot = on.storage().snapshot()?;
    on.items().put(b"changed", b"2")?;
    on.items().delete(b"deleted")?;
    on.items().put(b"new", b"2")?;
    on.storage().flush_all()?;
    let scan = snapshot.scan_range("items".into(), KeyRange::all(), Direction::Backward);
    same("its entries", shown(scan)?, "deleted=1 changed=1")?;
    same("a value", snapshot.get("items".into(), b"changed")?, Some(b"1".to_vec()))?;
    holds("a later key is not in it", !snapshot.contains("items".into(), b"new")?)?;
    same("the entries now", shown(on.items().scan_prefix(b""))?, "changed=2 new=2")
}

pub(super) fn a_snapshot_is_one_moment_of_all_keyspaces(on: Subject<'_>) -> Verdict {
    on.items().put(b"key", b"1")?;
    on.users().put(b"key", b"1")?;
    let snapshot = on.storage().snapshot()?;
    let mut batch = crate::AtomicBatch::new();
    batch.put("items", "key", "2").delete("users", "key").put("later", "key", "2");
    on.storage().commit(batch, Durability::Buffer)?;
    for (keyspace, expected) in [("items", "key=1"), ("users", "key=1"), ("later", "")] {
        same(keyspace, shown(snapshot.scan_prefix(keyspace.into(), b""))?, expected)?;
    }
    Ok(())
}

pub(super) fn a_keyspace_that_is_not_there_reads_as_empty(on: Subject<'_>) -> Verdict {
    let snapshot = on.storage().snapshot()?;
    same("a value", snapshot.get("nowhere".into(), b"key")?, None)?;
    holds("a key is not contained", !snapshot.contains("nowhere".into(), b"key")?)?;
    same("a scan", keys(snapshot.scan_prefix("nowhere".into(), b""))?, "")?;
    let stats = on.storage().stats()?;
    holds("reading creates no keyspace", !stats.keyspaces.contains_key("nowhere"))
}

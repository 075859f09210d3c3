//! Scans of what begins with some bytes.

use tidal_keys::{Tag, encode_key, entity_prefix, entity_tag_prefix};
use tidal_types::EntityId;

use super::{Failure, Subject, Verdict, keys, same, shown};
use crate::{KEY_BYTES_MAX, Result};

fn put_all(on: &Subject<'_>, keys: &[&[u8]]) -> Result<()> {
    keys.iter().try_for_each(|key| on.items().put(key, b"value"))
}

fn finds(on: &Subject<'_>, prefix: &[u8], expected: &str) -> Verdict {
    let what = format!("what begins with {}", prefix.escape_ascii());
    same(&what, keys(on.items().scan_prefix(prefix))?, expected)
}

pub(super) fn it_finds_what_begins_so(on: Subject<'_>) -> Verdict {
    put_all(&on, &[b"song/1", b"song/2", b"song/2/a"])?;
    finds(&on, b"song/", "song/1 song/2 song/2/a")
}

pub(super) fn it_finds_the_key_that_is_the_prefix(on: Subject<'_>) -> Verdict {
    put_all(&on, &[b"song", b"song/1"])?;
    finds(&on, b"song", "song song/1")?;
    finds(&on, b"song/1", "song/1")
}

pub(super) fn it_stops_at_the_neighbours(on: Subject<'_>) -> Verdict {
    put_all(&on, &[b"son", b"sonf/9", b"song/1", b"song0", b"sonh", b"t"])?;
    finds(&on, b"song/", "song/1")
}

pub(super) fn it_finds_nothing_where_nothing_begins_so(on: Subject<'_>) -> Verdict {
    put_all(&on, &[b"song/1", b"song/3"])?;
    finds(&on, b"song/2", "")?;
    finds(&on, b"song/11", "")
}

pub(super) fn the_empty_prefix_is_everything(on: Subject<'_>) -> Verdict {
    finds(&on, b"", "")?;
    put_all(&on, &[b"\0", b"m", b"\xff\xff"])?;
    finds(&on, b"", "\\x00 m \\xff\\xff")
}

pub(super) fn a_prefix_may_end_with_the_highest_byte(on: Subject<'_>) -> Verdict {
    put_all(&on, &[b"a\xff", b"a\xff\xff", b"a\xfe", b"b"])?;
    finds(&on, b"a\xff", "a\\xff a\\xff\\xff")
}

pub(super) fn a_prefix_may_be_highest_bytes_only(on: Subject<'_>) -> Verdict {
    put_all(&on, &[b"\xfe", b"\xff", b"\xff\xfe", b"\xff\xff\x00"])?;
    finds(&on, b"\xff", "\\xff \\xff\\xfe \\xff\\xff\\x00")?;
    finds(&on, b"\xff\xff", "\\xff\\xff\\x00")?;
    finds(&on, b"\xff\xff\xff", "")
}

pub(super) fn a_prefix_may_be_the_lowest_byte(on: Subject<'_>) -> Verdict {
    put_all(&on, &[b"\0", b"\0\0", b"\0\x01", b"\x01"])?;
    finds(&on, b"\0", "\\x00 \\x00\\x00 \\x00\\x01")?;
    finds(&on, b"\0\0", "\\x00\\x00")
}

pub(super) fn a_prefix_as_long_as_the_longest_key(on: Subject<'_>) -> Verdict {
    put_all(&on, &[&[b'm'; KEY_BYTES_MAX]])?;
    finds(&on, &[b'm'; KEY_BYTES_MAX], &"m".repeat(KEY_BYTES_MAX))
}

pub(super) fn a_prefix_longer_than_any_key_finds_nothing(on: Subject<'_>) -> Verdict {
    put_all(&on, &[&[0xff; KEY_BYTES_MAX], b"a"])?;
    finds(&on, &[0xff; KEY_BYTES_MAX + 1], "")?;
    finds(&on, &[b'a'; 70_000], "")
}

pub(super) fn it_gives_the_values_too(on: Subject<'_>) -> Verdict {
    on.items().put(b"a/1", b"one")?;
    on.items().put(b"a/2", b"")?;
    same("the entries", shown(on.items().scan_prefix(b"a/"))?, "a/1=one a/2=")
}

pub(super) fn it_sees_puts_and_deletes(on: Subject<'_>) -> Verdict {
    put_all(&on, &[b"a/1", b"a/2", b"a/3"])?;
    on.items().delete(b"a/2")?;
    finds(&on, b"a/", "a/1 a/3")?;
    on.items().put(b"a/0", b"value")?;
    finds(&on, b"a/", "a/0 a/1 a/3")
}

pub(super) fn it_is_of_one_keyspace(on: Subject<'_>) -> Verdict {
    put_all(&on, &[b"a/1"])?;
    on.users().put(b"a/2", b"value")?;
    finds(&on, b"a/", "a/1")
}

pub(super) fn it_sees_the_moment_when_it_began(on: Subject<'_>) -> Verdict {
    put_all(&on, &[b"a/1", b"a/2", b"a/3"])?;
    let scan = on.items().scan_prefix(b"a/");
    on.items().delete(b"a/3")?;
    on.items().put(b"a/4", b"value")?;
    same("the keys", keys(scan)?, "a/1 a/2 a/3")
}

pub(super) fn a_snapshot_has_prefixes_too(on: Subject<'_>) -> Verdict {
    put_all(&on, &[b"a", b"a/1", b"b"])?;
    let snapshot = on.storage().snapshot()?;
    on.items().put(b"a/2", b"value")?;
    same("the keys", keys(snapshot.scan_prefix("items".into(), b"a"))?, "a a/1")
}

/// The prefixes that tidalDB itself uses.
pub(super) fn an_entity_is_a_prefix(on: Subject<'_>) -> Verdict {
    let key = |id, tag, suffix: &[u8]| {
        encode_key(id, tag, suffix).map_err(|error| Failure::new(error.to_string()))
    };
    let ids = [0, 1, 255, 256, u64::MAX - 1, u64::MAX].map(EntityId::new);
    for id in ids {
        for tag in Tag::ALL {
            for suffix in [&b""[..], b"\xff", b"view"] {
                on.items().put(&key(id, tag, suffix)?, b"value")?;
            }
        }
    }
    for id in ids {
        let of_entity = on.items().scan_prefix(&entity_prefix(id))?.count();
        same("the keys of an entity", of_entity, Tag::ALL.len() * 3)?;
        for tag in Tag::ALL {
            let shown = |suffix| key(id, tag, suffix).map(|key| key.escape_ascii().to_string());
            let expected = [shown(b"")?, shown(b"view")?, shown(b"\xff")?];
            finds(&on, &entity_tag_prefix(id, tag), &expected.join(" "))?;
        }
    }
    Ok(())
}

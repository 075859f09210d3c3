//! Prefixes.

use tidal_keys::{Tag, encode_key, entity_prefix, entity_tag_prefix};
use tidal_storage::KEY_BYTES_MAX;
use tidal_types::EntityId;

use super::{Fixture, keys};

fn put_all(fixture: &Fixture, keys: &[&[u8]]) {
    for key in keys {
        fixture.items().put(key, b"value").unwrap();
    }
}

pub(crate) fn a_prefix_finds_exactly_what_begins_with_it(fixture: Fixture) {
    put_all(&fixture, &[b"song", b"song/", b"song/1", b"song/2", b"song0", b"sonf/9", b"t"]);
    let found = |prefix: &[u8]| keys(fixture.items().scan_prefix(prefix));
    assert_eq!(found(b"song/"), [&b"song/"[..], b"song/1", b"song/2"]);
    assert_eq!(found(b"song"), [&b"song"[..], b"song/", b"song/1", b"song/2", b"song0"]);
    assert_eq!(found(b"song/1"), [b"song/1"]);
    assert!(found(b"song/3").is_empty());
}

pub(crate) fn prefixes_of_the_highest_byte(fixture: Fixture) {
    let stored: [&[u8]; 6] = [b"a\xff", b"a\xff\xff", b"b", b"\xff", b"\xff\xfe", b"\xff\xff\x00"];
    put_all(&fixture, &stored);
    let found = |prefix: &[u8]| keys(fixture.items().scan_prefix(prefix));
    assert_eq!(found(b"a\xff"), [&b"a\xff"[..], b"a\xff\xff"]);
    assert_eq!(found(b"\xff"), [&b"\xff"[..], b"\xff\xfe", b"\xff\xff\x00"]);
    assert_eq!(found(b"\xff\xff"), [b"\xff\xff\x00"]);
    assert!(found(b"\xff\xff\xff").is_empty());
}

pub(crate) fn the_empty_prefix_is_everything(fixture: Fixture) {
    assert!(keys(fixture.items().scan_prefix(b"")).is_empty());
    put_all(&fixture, &[b"\0", b"m", b"\xff\xff"]);
    assert_eq!(keys(fixture.items().scan_prefix(b"")), [&b"\0"[..], b"m", b"\xff\xff"]);
}

pub(crate) fn a_prefix_longer_than_any_key_finds_nothing(fixture: Fixture) {
    let longest = [0xff; KEY_BYTES_MAX];
    put_all(&fixture, &[&longest]);
    assert_eq!(keys(fixture.items().scan_prefix(&longest)), [longest]);
    assert!(keys(fixture.items().scan_prefix(&[0xff; KEY_BYTES_MAX + 1])).is_empty());
}

pub(crate) fn an_entity_is_a_prefix(fixture: Fixture) {
    let ids = [0, 1, 255, 256, u64::MAX - 1, u64::MAX].map(EntityId::new);
    for id in ids {
        for tag in Tag::ALL {
            for suffix in [&b""[..], b"\xff", b"view"] {
                fixture.items().put(&encode_key(id, tag, suffix).unwrap(), b"value").unwrap();
            }
        }
    }
    for id in ids {
        assert_eq!(keys(fixture.items().scan_prefix(&entity_prefix(id))).len(), Tag::ALL.len() * 3);
        for tag in Tag::ALL {
            let expected =
                [&b""[..], b"view", b"\xff"].map(|suffix| encode_key(id, tag, suffix).unwrap());
            assert_eq!(keys(fixture.items().scan_prefix(&entity_tag_prefix(id, tag))), expected);
        }
    }
}

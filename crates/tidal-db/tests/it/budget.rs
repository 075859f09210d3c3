//! Databases that have less memory than cells.

use std::time::Duration;

use tidal_db::{Batch, By, EntityKind, Event, TidalDB, Window};

use crate::fixture::{ago, builder, id};

const ENTITIES: u64 = 60_000;

/// Events of many entities, a few of which have most of them.
fn write(db: &TidalDB) {
    for round in 0..60_u64 {
        let events = (0..2000_u64).map(|index| {
            let hash = (round * 2000 + index).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
            let entity = if index % 4 == 0 { hash % 100 } else { hash % ENTITIES };
            Event::new("view", id(entity), 1.0, ago(hash % 1_000_000))
        });
        db.commit(events.collect::<Batch<'_>>()).unwrap();
    }
}

/// G86: a tenth of the memory, the same answers, to the checksum; also after opening
/// again, which loads nothing.
#[test]
fn a_budget_changes_no_answer() {
    let (whole_dir, small_dir) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let open = |small: bool| {
        let dir = if small { &small_dir } else { &whole_dir };
        let builder = builder(dir.path()).checkpoint_interval(Duration::MAX);
        if small {
            builder.memory_budget(1_500_000).open().unwrap()
        } else {
            builder.open().unwrap()
        }
    };
    let (whole, small) = (open(false), open(true));
    write(&whole);
    write(&small);
    let stats = small.stats().unwrap();
    assert!(stats.resident.evictions > 0 && stats.resident.loads > 0, "{stats:?}");
    assert!(stats.resident.cells < stats.cells, "{stats:?}");
    let check = |small: &TidalDB| {
        assert_eq!(small.checksum().unwrap(), whole.checksum().unwrap());
        let (seen, expected) = (small.stats().unwrap(), whole.stats().unwrap());
        assert_eq!((seen.cells, seen.entities), (expected.cells, expected.entities));
        let kind = EntityKind::Item;
        assert_eq!(small.entities(kind).unwrap(), whole.entities(kind).unwrap());
        let by = By::Count(Window::SevenDays);
        assert_eq!(small.top("view", by, 50).unwrap(), whole.top("view", by, 50).unwrap());
        for entity in (0..ENTITIES).step_by(7) {
            let score = |db: &TidalDB| db.decay_score("view", id(entity)).unwrap().to_bits();
            assert_eq!(score(small), score(&whole), "{entity}");
        }
    };
    check(&small);
    small.shutdown().unwrap();
    let small = open(true);
    assert_eq!(small.stats().unwrap().resident.cells, 0);
    check(&small);
    assert!(small.stats().unwrap().resident.bytes < 1_500_000 * 5 / 4);
}

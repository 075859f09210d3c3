//! Seqs, dirty cells, and ledgers put back from bytes.

use tidal_types::{ErrorKind, SignalTypeId};

use super::*;
use crate::ledger::Which;

type Saved = Vec<(SignalTypeId, EntityId, Vec<u8>)>;

fn dirty(fixture: &Fixture) -> Saved {
    let mut saved = Vec::new();
    let mut chunks = Vec::new();
    let mut walk = fixture.ledger.walk_dirty(Which::All);
    while let Some(chunk) = walk.next(usize::MAX) {
        let cells = chunk.cells.iter();
        saved.extend(cells.map(|cell| (cell.signal, cell.id, cell.value.clone().unwrap())));
        chunks.push(chunk);
    }
    chunks.iter().for_each(|chunk| fixture.ledger.not_written(chunk));
    saved.sort();
    saved
}

fn mark_clean(fixture: &Fixture) {
    let mut walk = fixture.ledger.walk_dirty(Which::All);
    while let Some(chunk) = walk.next(1) {
        fixture.ledger.written(chunk);
    }
}

proptest! {
    #[test]
    fn replaying_a_prefix_changes_nothing_l3(
        decay in any_decay(),
        events in any_events(40),
        prefix in any::<prop::sample::Index>(),
    ) {
        let mut fixture = Fixture::new(decay);
        fixture.feed(&events);
        let (before, cells) = (fixture.canonical(), dirty(&fixture));
        let newest = fixture.ledger.newest_event();
        mark_clean(&fixture);
        for (seq, &(time, weight)) in (1..).zip(&events[..=prefix.index(events.len())]) {
            fixture.apply_as(Seq::new(seq), 1, time, weight);
        }
        prop_assert_eq!(fixture.canonical(), before);
        prop_assert_eq!(fixture.ledger.newest_event(), newest);
        prop_assert_eq!(fixture.ledger.cell_count(), 1);
        prop_assert_eq!(dirty(&fixture), Saved::new());
        prop_assert_eq!(cells.len(), 1);
    }

    /// A checkpoint in the middle, and a replay that begins before it: the state
    /// is that of a ledger that never stopped (L2, L3).
    #[test]
    fn a_restored_ledger_goes_on_as_if_it_had_not_stopped(
        decay in any_decay(),
        events in any_events(40),
        cut in any::<prop::sample::Index>(),
        overlap in 0..10_usize,
    ) {
        let mut whole = Fixture::new(decay);
        let mut stopped = Fixture::new(decay);
        let cut = cut.index(events.len());
        let id = |index: usize| index as u64 % 3;
        for (index, &(time, weight)) in events.iter().enumerate() {
            whole.apply(id(index), time, weight);
            if index < cut {
                stopped.apply(id(index), time, weight);
            }
        }
        let restored = Fixture::new(decay);
        for (signal, id, bytes) in dirty(&stopped) {
            restored.ledger.restore(signal, id, &bytes).unwrap();
        }
        prop_assert_eq!(restored.ledger.newest_event(), stopped.ledger.newest_event());
        prop_assert_eq!(dirty(&restored), Saved::new());
        for (index, &(time, weight)) in events.iter().enumerate().skip(cut.saturating_sub(overlap)) {
            restored.apply_as(Seq::new(index as u64 + 1), id(index), time, weight);
        }
        prop_assert_eq!(restored.canonical(), whole.canonical());
        prop_assert_eq!(restored.ledger.cell_count(), whole.ledger.cell_count());
        prop_assert_eq!(restored.ledger.newest_event(), whole.ledger.newest_event());
    }
}

#[test]
fn canonical_bytes_do_not_tell_the_seq() {
    let (near, far) = (Fixture::new(DecaySpec::Permanent), Fixture::new(DecaySpec::Permanent));
    for seq in 1..9 {
        near.apply_as(Seq::new(seq), 1, seq, 1.0);
        far.apply_as(Seq::new(seq * 1000), 1, seq, 1.0);
    }
    assert_eq!(near.canonical(), far.canonical());
    assert_ne!(dirty(&near), dirty(&far));
}

#[test]
fn a_cell_is_dirty_from_its_change_until_it_is_marked_clean() {
    let mut fixture = Fixture::new(DecaySpec::Permanent);
    fixture.apply(1, 0, 1.0);
    fixture.apply(2, 0, 1.0);
    fixture.apply(1, 1, 1.0);
    assert_eq!(dirty(&fixture).len(), 2);
    mark_clean(&fixture);
    assert_eq!(dirty(&fixture).len(), 0);
    fixture.apply(2, 2, 1.0);
    assert_eq!(dirty(&fixture).iter().map(|saved| saved.1.get()).collect::<Vec<_>>(), [2]);

    let mut restored = Fixture::new(DecaySpec::Permanent);
    for (signal, id, bytes) in dirty(&fixture) {
        restored.ledger.restore(signal, id, &bytes).unwrap();
    }
    std::mem::swap(&mut restored.log, &mut fixture.log);
    restored.apply(2, 3, 1.0);
    assert_eq!(dirty(&restored).len(), 1);
}

#[test]
fn the_seq_before_the_first_is_no_record() {
    let fixture = Fixture::new(DecaySpec::Permanent);
    fixture.apply_as(Seq::ZERO, 1, 7, 1.0);
    assert_eq!((fixture.ledger.cell_count(), fixture.ledger.newest_event()), (0, None));
}

#[test]
fn cells_stay_where_they_are_when_the_schema_extends() {
    let declare = |names: &[&str]| {
        let mut builder = SchemaBuilder::new();
        for name in names {
            builder.signal(name, EntityKind::Item, DecaySpec::Permanent).add();
        }
        builder.build().unwrap()
    };
    let mut fixture = Fixture::with_schema(declare(&["view"]));
    fixture.apply(1, 7, 2.0);
    let before = fixture.canonical();
    let mut extended = Fixture {
        ledger: fixture.ledger.extended(Arc::new(declare(&["view", "like"]))),
        ..fixture
    };
    assert_eq!(extended.canonical(), before);
    assert_eq!(extended.ledger.newest_event(), Some(Timestamp::from_nanos(7)));
    extended.apply(1, 8, 1.0);
    let like = extended.ledger.schema().signal("like").unwrap();
    assert_eq!(extended.score(1, 8), 3.0);
    assert_eq!(extended.ledger.score(like, EntityId::new(1), Timestamp::MAX).unwrap(), 0.0);
    assert_eq!(extended.ledger.cell_count(), 1);
}

#[test]
fn damaged_cells_are_refused_with_their_names() {
    let fixture = Fixture::new(DecaySpec::Permanent);
    let (view, id) = (fixture.signal().id(), EntityId::new(42));
    let error = fixture.ledger.restore(view, id, &[9]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Damage);
    assert_eq!(
        error.to_string(),
        "cell of signal \"view\", item 42: format 9 is not 1, the one this program knows; restore from a backup"
    );
    let error = fixture.ledger.restore(SignalTypeId::new(7), id, &[]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Damage);
    assert_eq!(fixture.ledger.cell_count(), 0);
}

#[test]
fn memory_stays_small() {
    // The schema of the largest cells, with all buckets in use.
    const BUSY: u64 = 64;
    let mut busy =
        Fixture::new(DecaySpec::Linear { lifetime: Duration::from_secs(30 * 24 * 3600) });
    let months = (0..4_320).map(|ten| ten * 10).chain(43_200..44_700);
    for minute in months {
        for id in 0..BUSY {
            busy.apply(id, minute * 60_000_000_000, 1.5);
        }
    }
    let empty = Fixture::new(DecaySpec::Permanent).ledger.memory_bytes();
    let busiest = (busy.ledger.memory_bytes() - empty) / BUSY;
    assert!((3_000..4_096).contains(&busiest), "{busiest}");

    let mut quiet = Fixture::new(DecaySpec::Permanent);
    for id in 0..10_000 {
        quiet.apply(id, id, 1.0);
    }
    let each = (quiet.ledger.memory_bytes() - empty) / 10_000;
    assert!(each < 160, "{each}");
}

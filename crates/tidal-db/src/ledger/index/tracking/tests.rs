use std::time::Duration;

use tidal_types::{DecaySpec, EntityKind, Event, SchemaBuilder, Seq, Timestamp};

use super::super::super::cell::RawEvent;
use super::*;

/// What is noted of a list that is being made.
struct Making {
    tracking: Tracking,
    shape: Shape,
    cell: Cell,
}

impl Making {
    fn new() -> Self {
        let mut schema = SchemaBuilder::new();
        let decay = DecaySpec::Exponential { half_life: Duration::from_secs(3600) };
        schema.signal("view", EntityKind::Item, decay).add();
        let schema = schema.build().unwrap();
        let event = Event::new("view", EntityId::new(1), 1.0, Timestamp::from_nanos(1));
        let event = RawEvent::of(&schema.accept(&event).unwrap());
        let shape = Shape::of(schema.signal("view").unwrap());
        let tracking = Tracking::new(16);
        tracking.begin(0, Gauge::Score);
        Self { tracking, shape, cell: Cell::first(Seq::FIRST, event) }
    }

    fn came_or_went(&self, id: u64) {
        self.tracking.came_or_went(Place::of(EntityId::new(id)));
    }

    fn changed(&self, id: u64) {
        self.tracking.changed(&self.shape, Place::of(EntityId::new(id)), &self.cell, 1.0);
    }

    fn take(&self) -> (Vec<u64>, Vec<u64>) {
        assert!(!self.tracking.is_lost());
        let Notes { changed, came_or_went, .. } = self.tracking.take();
        let sorted = |ids: Vec<EntityId>| {
            let mut ids: Vec<u64> = ids.into_iter().map(EntityId::get).collect();
            ids.sort_unstable();
            ids
        };
        (sorted(changed), sorted(came_or_went))
    }
}

/// So many entities of one shard that fewer than these are passed over in turn.
fn of_one_shard(entities: usize) -> Vec<u64> {
    let is_there = |id: &u64| Place::of(EntityId::new(*id)).shard() == 0;
    (0..).filter(is_there).take(entities).collect()
}

/// F3: what happens to few entities while a list is made takes little room, however often.
#[test]
fn entities_that_are_noted_again_take_no_room_f3() {
    let making = Making::new();
    let before = making.tracking.bytes();
    let ids = of_one_shard(1000);
    for _ in 0..100 {
        for id in &ids {
            making.came_or_went(*id);
            making.changed(*id);
        }
    }
    let room = making.tracking.bytes() - before;
    // Two lists of ids, each of which has doubled once more than it had to.
    assert!(room <= 2 * 2 * TIDIED_MIN * size_of::<EntityId>(), "{room}");
    assert_eq!(making.take(), (ids.clone(), ids));
}

/// F3, F4: nothing is lost while a list is made, however many entities are noted, in whatever
/// order and how often.
#[test]
fn notes_are_kept_while_a_list_is_made_f3() {
    let making = Making::new();
    let ids = of_one_shard(30_000);
    let (came, changed) = ids.split_at(10_000);
    for id in came {
        making.came_or_went(*id);
    }
    for round in 0..3 {
        for id in changed.iter().rev().chain(&came[..1000 * round]) {
            making.changed(*id);
        }
    }
    let mut expected = [&came[..2000], changed].concat();
    expected.sort_unstable();
    assert_eq!(making.take(), (expected, came.to_vec()));
    assert_eq!(making.take(), (vec![], vec![]), "taken once");
    making.changed(ids[0]);
    assert_eq!(making.take().0, [ids[0]], "passed over no more");
}

/// F3: notes are tidied once there are twice as many as behind the last time, so that a million
/// of them are sorted nine times.
#[test]
fn notes_are_tidied_when_they_have_doubled_f3() {
    let mut notes = Notes::default();
    let (mut next, mut tidied) = (0, Vec::new());
    while tidied.len() < 4 {
        for ids in [&mut notes.changed, &mut notes.came_or_went] {
            ids.push(EntityId::new(next));
            next += 1;
        }
        if notes.have_doubled() {
            tidied.push(notes.len());
            notes.tidy();
        }
    }
    assert_eq!(tidied, [2, 4, 8, 16].map(|times| times * TIDIED_MIN));
}

/// F3: the room that notes took while a list was made goes when they are taken.
#[test]
fn room_for_notes_goes_when_they_are_taken_f3() {
    let making = Making::new();
    let before = making.tracking.bytes();
    for id in of_one_shard(100_000) {
        making.came_or_went(id);
        making.changed(id);
    }
    assert!(making.tracking.bytes() - before >= 2 * 100_000 * size_of::<EntityId>());
    assert_eq!(making.take().0.len(), 100_000);
    let room = || making.tracking.bytes() - before;
    assert!(room() <= 2 * 2 * TIDIED_MIN * size_of::<EntityId>(), "{}", room());
    // And those that come next are tidied as if they were the first.
    (0..150_000).for_each(|_| making.came_or_went(0));
    assert!(room() <= 3 * 2 * TIDIED_MIN * size_of::<EntityId>(), "{}", room());
}

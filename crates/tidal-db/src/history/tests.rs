use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use tidal_storage::{MemoryStorage, Storage};
use tidal_types::{
    DecaySpec, EntityId, EntityKind, Event, LogId, Position, QueryError, Schema, SchemaBuilder,
    Seq, SignalTypeDefinition, TidalError, Timestamp,
};

use super::*;
use crate::change::Change;
use crate::checkpoint::{self, COMMIT_BYTES, Writer, bind};
use crate::checksum;
use crate::kinds::Modes;
use crate::ledger::StoredCounts;
use crate::state::State;
use crate::tests::reference::Reference;

const ITEM: EntityKind = EntityKind::Item;
const USER: EntityKind = EntityKind::User;

const HALF_LIFE: Duration = Duration::from_secs(3600);

fn schema() -> Arc<Schema> {
    let mut builder = SchemaBuilder::new();
    builder
        .signal("view", ITEM, DecaySpec::Exponential { half_life: HALF_LIFE })
        .history(true)
        .add()
        .signal("follow", USER, DecaySpec::Permanent)
        .history(true)
        .add()
        .signal("skip", ITEM, DecaySpec::Permanent)
        .add();
    Arc::new(builder.build().unwrap())
}

fn over(storage: &Arc<dyn Storage>) -> State {
    State::over(schema(), storage, None, StoredCounts::default())
}

/// Like [`over`], with so many entities in a history at most.
fn bounded(storage: &Arc<dyn Storage>, most: usize) -> State {
    let mut state = over(storage);
    state.history_entities_max = most;
    state
}

fn id(number: u64) -> EntityId {
    EntityId::new(number)
}

fn at(secs: u64) -> Timestamp {
    Timestamp::from_secs(1_000_000 + secs)
}

/// When everything is read.
fn end() -> Timestamp {
    at(100_000)
}

fn signal(state: &State, name: &str) -> SignalTypeDefinition {
    state.schema().signal(name).unwrap().clone()
}

fn act(state: &State, seq: u64, signal: &str, user: u64, entity: u64, secs: u64) {
    let event = Event::new(signal, id(entity), 1.0, at(secs)).by(id(user));
    let event = state.schema().accept(&event).unwrap();
    state.apply(Seq::new(seq), &Change::Event(event), None).unwrap();
}

fn forget(state: &State, seq: u64, kind: EntityKind, entity: u64) {
    let change = Change::Forget { kind, id: id(entity), modes: Modes::default() };
    state.apply(Seq::new(seq), &change, None).unwrap();
}

/// Writes the rows of a state to storage, and not the head.
fn write_rows(state: &State, storage: &dyn Storage, seq: u64) {
    let position = Position { log_id: LogId::from_bytes([1; 16]), seq: Seq::new(seq) };
    let frozen = state.freeze(position);
    let sync = || Ok(Seq::new(seq));
    let mut writer = Writer::new(storage, &sync, state, &|| true, COMMIT_BYTES);
    writer.rows::<HistoryRows>(&frozen.histories).unwrap();
    state.settle(&frozen);
}

fn seen(state: &State, name: &str, user: u64) -> Vec<u64> {
    let history = state.history_of(&signal(state, name), id(user)).unwrap();
    let scores: Vec<_> = history.iter().flat_map(|history| history.scores(end())).collect();
    for &(entity, _) in &scores {
        assert!(history.as_ref().is_some_and(|history| history.contains(entity)));
    }
    scores.into_iter().map(|(entity, _)| entity.get()).collect()
}

/// What a user did, as a test or a state has it: score and newest time by entity.
type Expected = BTreeMap<EntityId, Reference>;

#[derive(Debug, Clone)]
enum Step {
    Act {
        signal: usize,
        entity: u64,
        user: Option<u64>,
        secs: u64,
        weight: f64,
    },
    Forget {
        kind: usize,
        entity: u64,
    },
    /// The rows are written, and the process may end before the head is.
    Write {
        then_dies: bool,
    },
    Checkpoint,
    Purge,
}

/// A step, about so many entities.
fn step(entities: u64) -> impl Strategy<Value = Step> {
    let weight = prop_oneof![Just(1.0), Just(0.0), Just(-2.5), Just(1e6)];
    prop_oneof![
        12 => (0..3_usize, 0..entities, prop::option::weighted(0.8, 0..4_u64), 0..90_000_u64, weight)
            .prop_map(|(signal, entity, user, secs, weight)| {
                Step::Act { signal, entity, user, secs, weight }
            }),
        1 => (0..2_usize, 0..entities).prop_map(|(kind, entity)| Step::Forget { kind, entity }),
        2 => any::<bool>().prop_map(|then_dies| Step::Write { then_dies }),
        1 => Just(Step::Checkpoint),
        1 => Just(Step::Purge),
    ]
}

/// A state, the records since its last checkpoint, and what they come to.
struct Life {
    storage: Arc<dyn Storage>,
    state: State,
    tail: Vec<(Seq, Change)>,
    checkpointed: Vec<(EntityKind, EntityId)>,
    last: u64,
    forgotten: BTreeSet<(EntityKind, EntityId)>,
    expected: BTreeMap<(usize, EntityId), Expected>,
    entities: u64,
    /// How many entities a history has at most.
    most: usize,
}

const SIGNALS: [&str; 3] = ["view", "follow", "skip"];

impl Life {
    fn new(entities: u64, most: usize) -> Self {
        let storage: Arc<dyn Storage> = Arc::new(MemoryStorage::new());
        Self {
            state: bounded(&storage, most),
            storage,
            tail: Vec::new(),
            checkpointed: Vec::new(),
            last: 0,
            forgotten: BTreeSet::new(),
            expected: BTreeMap::new(),
            entities,
            most,
        }
    }

    fn record(&mut self, change: Change) {
        self.last += 1;
        let seq = Seq::new(self.last);
        self.state.apply(seq, &change, None).unwrap();
        self.tail.push((seq, change));
    }

    fn step(&mut self, step: &Step) {
        match *step {
            Step::Act { signal, entity, user, secs, weight } => {
                let kind = [ITEM, USER, ITEM][signal];
                let user = user.map(id);
                let gone = |kind, entity| self.forgotten.contains(&(kind, entity));
                if gone(kind, id(entity)) || user.is_some_and(|user| gone(USER, user)) {
                    return;
                }
                let event = Event::new(SIGNALS[signal], id(entity), weight, at(secs));
                let event = Event { actor: user, ..event };
                let event = self.state.schema().accept(&event).unwrap();
                self.record(Change::Event(event));
                if let Some(user) = user.filter(|_| signal < 2) {
                    let acts = self.expected.entry((signal, user)).or_default();
                    if acts.len() >= self.most && !acts.contains_key(&id(entity)) {
                        let oldest = |(id, acts): (&EntityId, &Reference)| (acts.newest(), *id);
                        for _ in 0..(self.most / 8).max(1) {
                            let (_, oldest) = acts.iter().map(oldest).min().unwrap();
                            acts.remove(&oldest);
                        }
                    }
                    acts.entry(id(entity)).or_default().push(at(secs).as_nanos(), weight);
                }
            }
            Step::Forget { kind, entity } => {
                let (kind, entity) = ([ITEM, USER][kind], id(entity));
                self.record(Change::Forget { kind, id: entity, modes: Modes::default() });
                self.forgotten.insert((kind, entity));
                self.expected.retain(|(_, user), _| (kind, entity) != (USER, *user));
                for ((signal, _), acts) in &mut self.expected {
                    if [ITEM, USER][*signal] == kind {
                        acts.remove(&entity);
                    }
                }
            }
            Step::Write { then_dies } => {
                write_rows(&self.state, &*self.storage, self.last);
                if then_dies {
                    self.die();
                }
            }
            Step::Checkpoint => {
                write_rows(&self.state, &*self.storage, self.last);
                self.tail.clear();
                self.checkpointed = self.forgotten.iter().copied().collect();
            }
            Step::Purge => {
                let mut keys = Vec::new();
                let mut push = |key, _: &Row| {
                    keys.push(key);
                    Ok(())
                };
                listing::each_row(&self.state, &*self.storage, &mut push).unwrap();
                keys.into_iter().for_each(|key| self.state.purge_history(key).unwrap());
            }
        }
    }

    /// Opens from the last checkpoint, with what was written behind it, and replays.
    fn die(&mut self) {
        self.state = bounded(&self.storage, self.most);
        for &(kind, entity) in &self.checkpointed {
            self.state.forgotten.insert(kind, entity, Seq::FIRST);
        }
        for (seq, change) in &self.tail {
            self.state.apply(*seq, change, None).unwrap();
        }
    }

    fn check(&self) {
        let state = &self.state;
        for (index, name) in SIGNALS.into_iter().enumerate().take(2) {
            let definition = signal(state, name);
            for user in (0..4).map(id) {
                let none = Expected::new();
                let expected = self.expected.get(&(index, user)).unwrap_or(&none);
                let history = state.history_of(&definition, user).unwrap();
                let newest = history.as_ref().map(|history| history.newest(99, end()));
                let newest = newest.unwrap_or_default();
                assert_eq!(newest.len(), expected.len(), "{name} of {user}: {expected:?}");
                let order = |seen: &Seen| (std::cmp::Reverse(seen.newest), seen.id);
                assert!(newest.is_sorted_by_key(order), "{newest:?}");
                for Seen { id: entity, score, newest } in newest {
                    let acts = &expected[&entity];
                    let nanos = end().as_nanos();
                    let (expected, scale) = match definition.decay() {
                        DecaySpec::Exponential { half_life } => acts.exponential(half_life, nanos),
                        _ => acts.permanent(),
                    };
                    assert!((score - expected).abs() <= 1e-9 * scale + f64::MIN_POSITIVE);
                    assert_eq!(newest.as_nanos(), acts.newest(), "late events are not newer");
                }
                for entity in (0..self.entities).map(id) {
                    let has = state.has_seen(&definition, user, entity).unwrap();
                    assert_eq!(has, expected.contains_key(&entity), "{name} {user} {entity}");
                }
            }
        }
    }
}

/// Lives these steps beside a twin that is fed the same records and never dies.
fn live(entities: u64, most: usize, steps: &[Step]) {
    let mut life = Life::new(entities, most);
    let fed: Arc<dyn Storage> = Arc::new(MemoryStorage::new());
    let twin = bounded(&fed, most);
    let mut applied = 0;
    for step in steps {
        life.step(step);
        life.check();
        if life.last > applied {
            applied = life.last;
            let (seq, change) = life.tail.last().unwrap();
            twin.apply(*seq, change, None).unwrap();
        }
    }
    let of = |state: &State, storage: &dyn Storage| {
        let mut listed = Vec::new();
        let mut show = |key, bytes: &[u8]| listed.push((key, bytes.to_vec()));
        let count = each(state, storage, &mut show).unwrap();
        assert_eq!(count, listed.len() as u64);
        assert!(listed.is_sorted_by_key(|(key, _)| *key));
        listed
    };
    assert_eq!(of(&twin, &*fed), of(&life.state, &*life.storage));
}

proptest! {
    /// G100, G101, H1 to H4: whatever is written early, lost or purged, a history is what
    /// the events of its user say, and has the checksum of a state that was fed the same.
    #[test]
    fn histories_are_what_the_events_say(steps in prop::collection::vec(step(5), 1..60)) {
        live(5, HISTORY_ENTITIES_MAX, &steps);
    }

    /// G100, H5: the same of histories that are full, which drop the same entities whenever
    /// their events are folded.
    #[test]
    fn full_histories_are_what_the_events_say(
        most in 1..5_usize,
        steps in prop::collection::vec(step(8), 1..100),
    ) {
        live(8, most, &steps);
    }
}

/// G100, H5
#[test]
fn a_full_history_drops_the_oldest_eighth() {
    let storage: Arc<dyn Storage> = Arc::new(MemoryStorage::new());
    let state = bounded(&storage, 16);
    // The higher the id, the older, but for the last three, which are as old; then an old
    // one is seen again.
    for entity in 0..16 {
        act(&state, entity + 1, "view", 1, entity, 100 - entity.min(13));
    }
    act(&state, 17, "view", 1, 13, 200);
    act(&state, 18, "view", 1, 12, 60);
    assert_eq!(seen(&state, "view", 1), Vec::from_iter(0..16), "it is full");
    act(&state, 19, "view", 1, 99, 1);
    let left: Vec<_> = (0..14).chain([99]).collect();
    assert_eq!(seen(&state, "view", 1), left, "two go, late or not");
    assert!(!state.has_seen(&signal(&state, "view"), id(1), id(14)).unwrap());
    act(&state, 20, "view", 1, 14, 300);
    act(&state, 21, "view", 1, 15, 2);
    let left: Vec<_> = (0..12).chain([13, 14, 15]).collect();
    assert_eq!(seen(&state, "view", 1), left, "one of them is back, and then it is full again");
}

#[test]
fn only_the_newest_are_listed() {
    let storage: Arc<dyn Storage> = Arc::new(MemoryStorage::new());
    let state = over(&storage);
    for (seq, entity, secs) in [(1, 5, 10), (2, 4, 30), (3, 9, 20), (4, 3, 30), (5, 5, 1)] {
        act(&state, seq, "view", 1, entity, secs);
    }
    let history = state.history_of(&signal(&state, "view"), id(1)).unwrap().unwrap();
    let listed = |limit| -> Vec<u64> {
        history.newest(limit, end()).iter().map(|seen| seen.id.get()).collect()
    };
    assert_eq!(listed(0), [0_u64; 0]);
    assert_eq!(listed(3), [3, 4, 9]);
    assert_eq!(listed(4), [3, 4, 9, 5]);
    assert_eq!(listed(usize::MAX), listed(4));
}

/// G101: what was forgotten leaves a row with its next change, and with a purge.
#[test]
fn a_row_is_rid_of_what_was_forgotten_when_it_changes() {
    let storage: Arc<dyn Storage> = Arc::new(MemoryStorage::new());
    let state = over(&storage);
    for (seq, user, entity) in [(1, 1, 5), (2, 1, 6), (3, 2, 5)] {
        act(&state, seq, "view", user, entity, 10);
    }
    forget(&state, 4, ITEM, 5);
    let key = |user| (id(user), signal(&state, "view").id());
    let held = |user| {
        let row = state.histories.get(key(user)).unwrap();
        row.map_or_else(Vec::new, |row| row.ids().map(EntityId::get).collect())
    };
    assert_eq!((seen(&state, "view", 1), seen(&state, "view", 2)), (vec![6], vec![]));
    assert_eq!((held(1), held(2)), (vec![5, 6], vec![5]), "nothing has changed them");
    act(&state, 5, "view", 1, 7, 20);
    assert_eq!(held(1), [6, 7]);
    state.purge_history(key(2)).unwrap();
    assert!(state.histories.get(key(2)).unwrap().is_none(), "H4");
    forget(&state, 6, USER, 1);
    assert!(state.histories.get(key(1)).unwrap().is_none(), "H3");
}

/// H6: a row that changes is not passed over for what it is rid of. An entry that no fold
/// leaves shows who looks at it.
#[test]
fn only_what_was_forgotten_since_is_looked_for_in_a_row() {
    let storage: Arc<dyn Storage> = Arc::new(MemoryStorage::new());
    let state = over(&storage);
    for entity in 0..5 {
        act(&state, entity + 1, "view", 1, entity, 10);
    }
    forget(&state, 6, ITEM, 3);
    act(&state, 7, "view", 1, 0, 20);
    let key = (id(1), signal(&state, "view").id());
    let held = || -> Vec<u64> {
        let row = state.histories.get(key).unwrap().unwrap();
        row.ids().map(EntityId::get).collect()
    };
    assert_eq!(held(), [0, 1, 2, 4]);
    let mark = |row: &mut Option<Arc<Row>>| {
        let row = Arc::make_mut(row.as_mut().unwrap());
        row.entries.insert(id(3), row::Acts::default());
    };
    state.histories.change(key, mark).unwrap();
    forget(&state, 8, ITEM, 4);
    forget(&state, 9, USER, 2);
    act(&state, 10, "view", 1, 0, 30);
    assert_eq!(held(), [0, 1, 2, 3]);
    // What comes from storage is looked at once.
    write_rows(&state, &*storage, 10);
    let again = over(&storage);
    again.forgotten.insert(ITEM, id(3), Seq::FIRST);
    assert_eq!(seen(&again, "view", 1), [0, 1, 2]);
    act(&again, 11, "view", 1, 0, 40);
    let row = again.histories.get(key).unwrap().unwrap();
    assert!(!row.contains(id(3)));
}

/// G101: in a checkpoint that is not written any more, too; and a row that goes with its
/// user does not come back.
#[test]
fn a_checkpoint_is_rid_of_what_was_forgotten() {
    for commit_bytes in [1, usize::MAX] {
        let storage: Arc<dyn Storage> = Arc::new(MemoryStorage::new());
        bind(&*storage, LogId::from_bytes([1; 16])).unwrap();
        let state = over(&storage);
        let acts = [(1, "view", 1, 5), (2, "view", 1, 6), (3, "view", 2, 5), (4, "view", 3, 5)];
        let follows = [(5, "follow", 1, 5), (6, "follow", 1, 3), (7, "view", 3, 6)];
        for (seq, signal, user, entity) in acts.into_iter().chain(follows) {
            act(&state, seq, signal, user, entity, 10);
        }
        write_rows(&state, &*storage, 7);
        let gone = HashSet::from([(ITEM, id(5)), (USER, id(3))]);
        checkpoint::erase(&*storage, &gone, commit_bytes).unwrap();
        let mut left = Vec::new();
        let mut show = |(user, signal): Key, row: &Row| {
            left.push((user.get(), signal.get(), row.ids().map(EntityId::get).collect()));
            Ok(())
        };
        listing::each_row(&over(&storage), &*storage, &mut show).unwrap();
        assert_eq!(left, [(1, 0, vec![6]), (1, 1, vec![5])], "{commit_bytes}");
    }
}

/// L2, L3: a run is folded as one by one is, and folding again changes nothing.
#[test]
fn a_run_is_folded_as_its_records_are() {
    let storages: [Arc<dyn Storage>; 2] =
        std::array::from_fn(|_| Arc::new(MemoryStorage::new()) as _);
    let [one, other] = storages.each_ref().map(over);
    let change = |seq: u64| {
        let event = Event::new(SIGNALS[(seq % 3) as usize], id(seq % 7), 1.0, at(seq % 50));
        Change::Event(one.schema().accept(&event.by(id(seq % 5))).unwrap())
    };
    let run: Vec<_> = (1..200).map(|seq| (Seq::new(seq), change(seq), None)).collect();
    for (seq, change, _) in &run {
        one.apply(*seq, change, None).unwrap();
    }
    other.apply_run(&run).unwrap();
    let sum = |state: &State, storage: &dyn Storage| checksum::of(state, storage).unwrap();
    let expected = sum(&one, &*storages[0]);
    assert_eq!(sum(&other, &*storages[1]), expected);
    other.apply_run(&run[..90]).unwrap();
    assert_eq!(sum(&other, &*storages[1]), expected);
}

/// A damaged row is refused by who reads it and by who changes it, and so is one that is
/// ahead of the log.
#[test]
fn what_storage_cannot_have_is_refused() {
    let storage: Arc<dyn Storage> = Arc::new(MemoryStorage::new());
    let state = over(&storage);
    act(&state, 9, "view", 1, 5, 10);
    write_rows(&state, &*storage, 9);
    let told = |state: &State| {
        let read = state.history_of(&signal(state, "view"), id(1)).map(drop);
        let event = Event::new("view", id(5), 1.0, at(11)).by(id(1));
        let event = state.schema().accept(&event).unwrap();
        let folded = state.apply(Seq::new(10), &Change::Event(event), None);
        [read, folded].map(|told| match told {
            Err(TidalError::Damaged { location, problem }) => {
                assert_eq!(location, "history of user 1 by signal type 0");
                problem
            }
            other => panic!("{other:?}"),
        })
    };
    let ahead = over(&storage);
    ahead.ledger.log_ends_at(Seq::new(8));
    for problem in told(&ahead) {
        assert!(problem.contains("record 9, and the log ends at 8"), "{problem}");
    }
    let (kind, place) = HistoryRows::place(&(id(1), signal(&state, "view").id())).unwrap();
    storage.backend(kind).put(&place, b"\x02").unwrap();
    for problem in told(&over(&storage)) {
        assert!(problem.contains("format 2"), "{problem}");
    }
}

#[test]
fn a_signal_type_that_keeps_none_says_so() {
    let storage: Arc<dyn Storage> = Arc::new(MemoryStorage::new());
    let state = over(&storage);
    act(&state, 1, "skip", 1, 5, 10);
    assert_eq!(state.histories.fresh_bytes(), 0);
    for told in [
        state.has_seen(&signal(&state, "skip"), id(1), id(5)).map(drop),
        state.history_of(&signal(&state, "skip"), id(1)).map(drop),
    ] {
        match told {
            Err(TidalError::Query(QueryError::NotKept { signal, what, .. })) => {
                assert_eq!((signal.as_str(), what), ("skip", "history"));
            }
            other => panic!("{other:?}"),
        }
    }
}

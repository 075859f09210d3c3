//! Cells in memory and in storage: whatever is where, the ledger is the same.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use super::store::Store;
use super::*;
use crate::ledger::clock;
use crate::ledger::shards::Place;
use crate::ledger::{By, DirtyChunk, StoredCounts, Which};

/// Two signal types of items and one of users, all quiet enough to have busy cells too.
fn schema() -> Arc<Schema> {
    let mut builder = SchemaBuilder::new();
    let half_life = Duration::from_secs(3600);
    builder.signal("view", EntityKind::Item, exponential(half_life)).windows(&Window::ALL).add();
    builder.signal("like", EntityKind::Item, DecaySpec::Permanent).sums(true).add();
    builder.signal("follow", EntityKind::User, DecaySpec::Permanent).add();
    Arc::new(builder.build().unwrap())
}

const SIGNALS: [&str; 3] = ["view", "like", "follow"];

/// What is folded.
#[derive(Debug, Clone, Copy)]
enum Record {
    Event { signal: usize, id: u64, time: u64 },
    Removal { id: u64 },
}

/// What happens to a ledger beside the walks.
#[derive(Debug, Clone)]
enum Step {
    Fold(Record),
    Read { signal: usize, id: u64 },
    FailingFold { record: Record, nth: u64 },
}

#[derive(Debug, Clone)]
enum Op {
    Step(Step),
    /// A walk; before each chunk is settled, one of the steps is done. The bits of
    /// `failures` say which commits fail.
    Walk {
        which: Which,
        bytes_max: usize,
        during: Vec<Step>,
        failures: u8,
    },
    /// The process ends; what is not in storage is folded again from the log.
    Reopen,
    Check,
}

/// A ledger over storage beside one that has everything in memory.
struct Pair {
    store: Arc<Store>,
    ledger: SignalLedger,
    budget: u64,
    whole: SignalLedger,
    log: Vec<Record>,
    /// Storage has every cell as of this record or later.
    checkpointed: usize,
}

impl Pair {
    fn new(budget: u64) -> Self {
        let store = Arc::new(Store::default());
        let ledger = open(&store, budget);
        Self {
            store,
            ledger,
            budget,
            whole: SignalLedger::new(schema()),
            log: Vec::new(),
            checkpointed: 0,
        }
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Fold(record) => self.fold(*record),
            Step::FailingFold { record, nth } => {
                self.store.fail_at(*nth);
                let seq = self.log.len() as u64 + 1;
                // Nothing is skipped and nothing is doubled: the same record again.
                let failed = fold(&self.ledger, seq, *record).is_err();
                self.store.fail_at(u64::MAX / 2);
                if failed {
                    fold(&self.ledger, seq, *record).unwrap();
                }
                fold(&self.whole, seq, *record).unwrap();
                self.log.push(*record);
            }
            Step::Read { signal, id } => {
                let at = Timestamp::MAX;
                let read = |ledger: &SignalLedger| {
                    let signal = ledger.schema().signal(SIGNALS[*signal]).unwrap();
                    ledger.score(signal, EntityId::new(*id), at).unwrap().to_bits()
                };
                assert_eq!(read(&self.ledger), read(&self.whole), "{step:?}");
            }
        }
    }

    fn fold(&mut self, record: Record) {
        self.log.push(record);
        let seq = self.log.len() as u64;
        fold(&self.ledger, seq, record).unwrap();
        fold(&self.whole, seq, record).unwrap();
    }

    fn run(&mut self, op: &Op) {
        match op {
            Op::Step(step) => self.step(step),
            Op::Walk { which, bytes_max, during, failures } => {
                self.walk(*which, *bytes_max, during, *failures);
            }
            Op::Reopen => {
                self.ledger = open(&self.store, self.budget);
                for (index, record) in self.log.iter().enumerate().skip(self.checkpointed) {
                    fold(&self.ledger, index as u64 + 1, *record).unwrap();
                }
                self.check();
            }
            Op::Check => self.check(),
        }
    }

    fn walk(&mut self, which: Which, bytes_max: usize, during: &[Step], failures: u8) {
        let began = self.log.len();
        let mut during = during.iter();
        let mut has_failed = false;
        // Taken out, so that steps can borrow the rest.
        let ledger = std::mem::replace(&mut self.ledger, SignalLedger::new(schema()));
        let ledger = Arc::new(ledger);
        let mut walk = ledger.walk_dirty(which);
        for turn in 0.. {
            let Some(chunk) = walk.next(bytes_max) else { break };
            if let Some(step) = during.next() {
                self.step_on(&ledger, step);
            }
            if failures >> (turn % 8) & 1 == 1 {
                has_failed = true;
                ledger.not_written(&chunk);
            } else {
                assert!(chunk.reach.get() <= self.log.len() as u64);
                self.store.commit(&chunk);
                ledger.written(chunk);
            }
        }
        drop(walk);
        self.ledger = Arc::into_inner(ledger).unwrap();
        if which == Which::All && !has_failed {
            self.checkpointed = began;
        }
    }

    fn step_on(&mut self, ledger: &SignalLedger, step: &Step) {
        match step {
            Step::Fold(record) | Step::FailingFold { record, .. } => {
                self.log.push(*record);
                let seq = self.log.len() as u64;
                fold(ledger, seq, *record).unwrap();
                fold(&self.whole, seq, *record).unwrap();
            }
            Step::Read { signal, id } => {
                let read = |ledger: &SignalLedger| {
                    let signal = ledger.schema().signal(SIGNALS[*signal]).unwrap();
                    ledger.score(signal, EntityId::new(*id), Timestamp::MAX).unwrap().to_bits()
                };
                assert_eq!(read(ledger), read(&self.whole), "{step:?}");
            }
        }
    }

    fn check(&self) {
        assert_eq!(canonical(&self.ledger), canonical(&self.whole));
        assert_eq!(self.ledger.cell_count(), self.whole.cell_count());
        for kind in EntityKind::ALL {
            assert_eq!(self.ledger.entities(kind).unwrap(), self.whole.entities(kind).unwrap());
        }
        for signal in self.whole.schema().signals() {
            let top =
                |ledger: &SignalLedger| ledger.top(signal, By::Score, 7, Timestamp::MAX).unwrap();
            assert_eq!(top(&self.ledger), top(&self.whole));
        }
    }
}

pub(super) fn open(store: &Arc<Store>, budget: u64) -> SignalLedger {
    SignalLedger::over(schema(), Arc::clone(store) as _, Some(budget), store.counts())
}

fn fold(ledger: &SignalLedger, seq: u64, record: Record) -> crate::Result<()> {
    match record {
        Record::Event { signal, id, time } => {
            let time = Timestamp::from_nanos(time);
            let event = Event::new(SIGNALS[signal], EntityId::new(id), 1.5, time);
            ledger.apply(Seq::new(seq), &ledger.schema().accept(&event).unwrap())
        }
        Record::Removal { id } => ledger.remove(Seq::new(seq), EntityKind::Item, EntityId::new(id)),
    }
}

fn any_record() -> impl Strategy<Value = Record> {
    prop_oneof![
        9 => (0..3_usize, 0..24_u64, 0..10_000_000_000_000_u64)
            .prop_map(|(signal, id, time)| Record::Event { signal, id, time }),
        1 => (0..24_u64).prop_map(|id| Record::Removal { id }),
    ]
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => any_record().prop_map(Step::Fold),
        4 => (0..3_usize, 0..24_u64).prop_map(|(signal, id)| Step::Read { signal, id }),
        1 => (any_record(), 1..3_u64).prop_map(|(record, nth)| Step::FailingFold { record, nth }),
    ]
}

fn any_op() -> impl Strategy<Value = Op> {
    let which = prop_oneof![Just(Which::All), Just(Which::Cold)];
    let failures = prop_oneof![3 => Just(0_u8), 1 => any::<u8>()];
    let during = prop::collection::vec(any_step(), 0..12);
    prop_oneof![
        20 => any_step().prop_map(Op::Step),
        4 => (which, prop_oneof![Just(1_usize), Just(100), Just(usize::MAX)], during, failures)
            .prop_map(|(which, bytes_max, during, failures)| Op::Walk { which, bytes_max, during, failures }),
        1 => Just(Op::Reopen),
        1 => Just(Op::Check),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    /// L2, L3: whatever is in memory, in storage, on its way there, failed or removed.
    #[test]
    fn a_ledger_over_storage_is_the_one_in_memory(
        budget in prop_oneof![Just(0_u64), 500..20_000_u64],
        ops in prop::collection::vec(any_op(), 1..120),
    ) {
        let mut pair = Pair::new(budget);
        ops.iter().for_each(|op| pair.run(op));
        pair.run(&Op::Check);
        pair.run(&Op::Reopen);
    }
}

pub(super) fn write_all(ledger: &SignalLedger, store: &Store) {
    let mut walk = ledger.walk_dirty(Which::All);
    while let Some(chunk) = walk.next(1000) {
        store.commit(&chunk);
        ledger.written(chunk);
    }
}

pub(super) fn view(ledger: &SignalLedger, seq: u64, id: u64) {
    fold(ledger, seq, Record::Event { signal: 0, id, time: seq }).unwrap();
}

fn views(ledger: &SignalLedger, id: u64) -> u64 {
    let signal = ledger.schema().signal("view").unwrap();
    ledger.count(signal, EntityId::new(id), Window::AllTime, Timestamp::MAX).unwrap()
}

/// Other entities of the same shard.
pub(super) fn neighbours(id: u64) -> impl Iterator<Item = u64> {
    let shard = Place::of(EntityId::new(id)).shard();
    (1000..).filter(move |other| Place::of(EntityId::new(*other)).shard() == shard)
}

/// P4: between a reader's miss and its answer the cell comes, changes, is written and
/// leaves again. What the reader has is old then, and must not stay in memory.
#[test]
fn a_reader_keeps_no_cell_that_may_be_old_p4() {
    let store = Arc::new(Store::default());
    let ledger = Arc::new(open(&store, u64::MAX));
    let evict = |ledger: &SignalLedger| {
        let place = Place::of(EntityId::new(1));
        let mut shard = ledger.shards.write(place.shard());
        let number = shard.tables()[0].find(place.hash, place.id).unwrap();
        clock::evict(&mut shard, 0, number, &ledger.usage);
    };
    view(&ledger, 1, 1);
    write_all(&ledger, &store);
    evict(&ledger);
    let gets = store.gets();
    store.during_next_get({
        let (ledger, store) = (Arc::clone(&ledger), Arc::clone(&store));
        move || {
            view(&ledger, 2, 1);
            write_all(&ledger, &store);
            evict(&ledger);
        }
    });
    assert_eq!(views(&ledger, 1), 1, "the reader began before the second view");
    assert!(store.gets() > gets + 1, "the cell was in memory");
    assert_eq!(views(&ledger, 1), 2);
    // Nothing has left since the last read, so that is in memory now.
    let gets = store.gets();
    assert_eq!((views(&ledger, 1), store.gets()), (2, gets));
}

/// P4, G86: between a reader's miss and its answer the cell is removed, and its mark is gone
/// from memory since storage has deleted it. Nobody may read it after that.
#[test]
fn a_reader_keeps_no_cell_that_was_removed_p4() {
    let store = Arc::new(Store::default());
    let before = open(&store, u64::MAX);
    view(&before, 1, 1);
    write_all(&before, &store);
    let ledger = Arc::new(open(&store, u64::MAX));
    store.during_next_get({
        let (ledger, store) = (Arc::clone(&ledger), Arc::clone(&store));
        move || {
            fold(&ledger, 2, Record::Removal { id: 1 }).unwrap();
            write_all(&ledger, &store);
            assert_eq!(ledger.resident_cells(), 0, "the mark is gone");
        }
    });
    assert_eq!(views(&ledger, 1), 1, "the reader began before the removal");
    assert_eq!((views(&ledger, 1), ledger.cell_count()), (0, 0));
}

/// L3: the mark of a removed cell knows the record that removed it, and takes none from
/// before, nor that one again.
#[test]
fn records_from_before_a_removal_change_nothing_again_l3() {
    let store = Arc::new(Store::default());
    let ledger = open(&store, u64::MAX);
    view(&ledger, 1, 1);
    write_all(&ledger, &store);
    let removal = Record::Removal { id: 1 };
    fold(&ledger, 3, removal).unwrap();
    for seq in 1..=3 {
        view(&ledger, seq, 1);
        assert_eq!((views(&ledger, 1), ledger.cell_count()), (0, 0), "record {seq} again");
    }
    view(&ledger, 4, 1);
    fold(&ledger, 3, removal).unwrap();
    assert_eq!((views(&ledger, 1), ledger.cell_count()), (1, 1));
}

/// A reader keeps the cell that the fold is loading: there is one of it, and it takes the
/// event.
#[test]
fn a_cell_comes_to_memory_once_whoever_asks_for_it() {
    let store = Arc::new(Store::default());
    let before = open(&store, u64::MAX);
    view(&before, 1, 1);
    write_all(&before, &store);
    let ledger = Arc::new(open(&store, u64::MAX));
    store.during_next_get({
        let ledger = Arc::clone(&ledger);
        move || assert_eq!(views(&ledger, 1), 1)
    });
    let gets = store.gets();
    view(&ledger, 2, 1);
    assert_eq!(store.gets(), gets + 2, "the fold asked storage, and so did the reader");
    assert_eq!((ledger.resident_cells(), views(&ledger, 1)), (1, 2));
    write_all(&ledger, &store);
    assert_eq!(views(&open(&store, 0), 1), 2);
}

/// D1: what is being written is in memory alone until its commit is done.
#[test]
fn a_cell_that_is_being_written_stays_d1() {
    let store = Arc::new(Store::default());
    let ledger = open(&store, 0);
    view(&ledger, 1, 1);
    write_all(&ledger, &store);
    view(&ledger, 2, 1);
    let mut walk = ledger.walk_dirty(Which::All);
    let chunk = walk.next(usize::MAX).unwrap();
    for (seq, id) in (3..).zip(neighbours(1).take(100)) {
        view(&ledger, seq, id);
    }
    assert_eq!(views(&ledger, 1), 2);
    store.commit(&chunk);
    ledger.written(chunk);
    assert_eq!(views(&ledger, 1), 2);
}

/// A fresh ledger does not ask storage for what was never there.
#[test]
fn a_shard_that_has_all_its_cells_asks_for_none() {
    let store = Arc::new(Store::default());
    let ledger = open(&store, u64::MAX);
    for id in 0..1000 {
        view(&ledger, id + 1, id);
    }
    write_all(&ledger, &store);
    assert_eq!((views(&ledger, 1), views(&ledger, 5000)), (1, 0));
    assert_eq!(store.gets(), 0);
    assert_eq!((ledger.resident_cells(), ledger.loads(), ledger.evictions()), (1000, 0, 0));
}

/// Memory stays within its budget as long as what has changed is written.
#[test]
fn clean_cells_leave_memory_for_others() {
    let budget = 4_000_000;
    let store = Arc::new(Store::default());
    let ledger = open(&store, budget);
    let mut most = 0;
    for seq in 1..=300_000 {
        view(&ledger, seq, seq % 100_000);
        most = most.max(ledger.resident_bytes());
        if ledger.needs_write_back() {
            let mut walk = ledger.walk_dirty(Which::Cold);
            while let Some(chunk) = walk.next(100_000) {
                store.commit(&chunk);
                ledger.written(chunk);
            }
        }
    }
    // Slots come by 64 in each of 64 shards, hence a little more than the budget.
    assert!(most < budget * 9 / 8, "{most}");
    assert!(ledger.evictions() > 100_000 && ledger.loads() > 100_000);
    assert_eq!((0..100_000).map(|id| views(&ledger, id)).sum::<u64>(), 300_000);
    write_all(&ledger, &store);
    assert_eq!((ledger.dirty_bytes(), store.counts().total()), (0, 100_000));
}

/// M2: a fold that is far over budget waits for the next chunk of a walk, and not once the
/// walk is over.
#[test]
fn a_fold_waits_for_write_back_only_while_there_is_any_m2() {
    let store = Arc::new(Store::default());
    let ledger = open(&store, 100);
    (1..200).for_each(|id| view(&ledger, id, id));
    assert!(ledger.needs_write_back());
    ledger.wait_for_write_back();
    thread::scope(|scope| {
        let mut walk = ledger.walk_dirty(Which::All);
        let chunk = walk.next(usize::MAX).unwrap();
        ledger.not_written(&chunk);
        let waits = scope.spawn(|| ledger.wait_for_write_back());
        // Whether it waits by now cannot be seen, so a chunk is settled until it did not.
        while !waits.is_finished() {
            ledger.usage.chunk_settled();
        }
        waits.join().unwrap();
        let waits = scope.spawn(|| ledger.wait_for_write_back());
        drop(walk);
        waits.join().unwrap();
    });
}

/// P1 over storage: readers beside the fold and the walks see no count that is older than
/// one that was answered, nor one that is not there yet.
#[test]
fn readers_never_see_a_lost_or_an_older_cell() {
    const IDS: usize = 40;
    const STEPS: u64 = 30_000;
    const STEPS_MAX: u64 = 1000 * STEPS;
    // All in one shard, where they drive each other out.
    let ids: Vec<u64> = neighbours(1).take(IDS).collect();
    let store = Arc::new(Store::default());
    let ledger = open(&store, 12_000);
    let (begun, done): (Vec<_>, Vec<_>) =
        (0..IDS).map(|_| (AtomicU64::new(0), AtomicU64::new(0))).unzip();
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        for start in 0..2 {
            let (ledger, begun, done, is_over) = (&ledger, &begun, &done, &is_over);
            let ids = &ids;
            scope.spawn(move || {
                let mut place = start;
                while !is_over.load(Ordering::Acquire) {
                    place = (place + 7) % IDS;
                    let least = done[place].load(Ordering::Acquire);
                    let seen = views(ledger, ids[place]);
                    let most = begun[place].load(Ordering::Acquire);
                    assert!((least..=most).contains(&seen), "{place}: {least} {seen} {most}");
                }
            });
        }
        scope.spawn(|| {
            while !is_over.load(Ordering::Acquire) {
                let mut walk = ledger.walk_dirty(Which::All);
                let settle = |chunk: DirtyChunk| {
                    store.commit(&chunk);
                    ledger.written(chunk);
                };
                while let Some(chunk) = walk.next(200) {
                    settle(chunk);
                }
            }
        });
        for seq in 1..=STEPS_MAX {
            let place = (seq * 7 / 5) as usize % IDS;
            begun[place].fetch_add(1, Ordering::Release);
            view(&ledger, seq, ids[place]);
            done[place].fetch_add(1, Ordering::Release);
            // The walks may be slow to begin.
            if seq >= STEPS && ledger.evictions() > STEPS / 10 && ledger.loads() > STEPS / 10 {
                break;
            }
        }
        is_over.store(true, Ordering::Release);
    });
    assert!(ledger.evictions() > 0 && ledger.loads() > 0);
    let folded: u64 = done.iter().map(|done| done.load(Ordering::Acquire)).sum();
    assert_eq!(ids.iter().map(|id| views(&ledger, *id)).sum::<u64>(), folded);
}

#[test]
fn a_store_that_fails_lets_reads_fail() {
    let store = Arc::new(Store::default());
    let ledger = open(&store, 0);
    view(&ledger, 1, 1);
    write_all(&ledger, &store);
    let ledger =
        SignalLedger::over(schema(), Arc::clone(&store) as _, None, StoredCounts::new(vec![1]));
    store.fail_at(1);
    let signal = ledger.schema().signal("view").unwrap();
    let read = || ledger.score(signal, EntityId::new(1), Timestamp::MAX);
    assert!(read().is_err());
    assert!(read().is_ok());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(50))]
    /// Y1, L2: by however many threads, with cells in memory and in storage.
    #[test]
    fn a_run_folded_by_several_threads_is_the_same(
        threads in 1..6_usize,
        budget in prop_oneof![Just(0_u64), Just(u64::MAX)],
        records in prop::collection::vec((0..3_usize, 0..200_u64, 0..10_000_000_000_000_u64), 1..2000),
    ) {
        let store = Arc::new(Store::default());
        let (ledger, whole) = (open(&store, budget), SignalLedger::new(schema()));
        let accept = |(signal, id, time): &(usize, u64, u64)| {
            let time = Timestamp::from_nanos(*time);
            let event = Event::new(SIGNALS[*signal], EntityId::new(*id), 0.1, time);
            whole.schema().accept(&event).unwrap()
        };
        let run: Vec<_> = (1..).map(Seq::new).zip(records.iter().map(accept)).collect();
        for part in run.chunks(700) {
            ledger.apply_by(part, threads).unwrap();
            write_all(&ledger, &store);
        }
        run.iter().for_each(|(seq, event)| whole.apply(*seq, event).unwrap());
        prop_assert_eq!(canonical(&ledger), canonical(&whole));
        prop_assert_eq!(ledger.cell_count(), whole.cell_count());
        prop_assert_eq!(ledger.newest_event(), whole.newest_event());
    }
}

/// D2: a commit that fails may have come to storage all the same, so a cell that is removed
/// afterwards is deleted there and does not come back.
#[test]
fn what_a_failed_commit_left_is_deleted_with_its_cell() {
    let store = Arc::new(Store::default());
    let ledger = open(&store, 1 << 20);
    view(&ledger, 1, 1);
    view(&ledger, 2, 2);
    let mut walk = ledger.walk_dirty(Which::All);
    let chunk = walk.next(usize::MAX).unwrap();
    store.commit(&chunk);
    ledger.not_written(&chunk);
    drop(walk);
    fold(&ledger, 3, Record::Removal { id: 1 }).unwrap();
    assert_eq!(ledger.cell_count(), 1);
    write_all(&ledger, &store);
    assert_eq!(store.counts().total(), 1);

    let reopened = open(&store, 1 << 20);
    assert_eq!(reopened.entities(EntityKind::Item).unwrap(), [EntityId::new(2)]);
    assert_eq!(reopened.cell_count(), 1);
}

/// L3: what a cell has applied is at most what was folded; beyond, it is damage.
#[test]
fn a_cell_may_have_applied_what_the_log_has_and_no_more_l3() {
    let store = Arc::new(Store::default());
    let ledger = open(&store, u64::MAX);
    view(&ledger, 7, 1);
    write_all(&ledger, &store);
    let ledger = open(&store, u64::MAX);
    let signal = ledger.schema().signal("view").unwrap();
    let read = || ledger.count(signal, EntityId::new(1), Window::AllTime, Timestamp::MAX);
    ledger.log_ends_at(Seq::new(6));
    assert_eq!(read().unwrap_err().kind(), tidal_types::ErrorKind::Damage);
    assert!(fold(&ledger, 6, Record::Event { signal: 0, id: 1, time: 1 }).is_err());
    assert!(ledger.top(signal, By::Score, 1, Timestamp::MAX).is_err());
    ledger.log_goes_to(Seq::new(7));
    assert_eq!(read().unwrap(), 1);
}

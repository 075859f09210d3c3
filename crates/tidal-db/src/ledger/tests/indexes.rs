//! Rankings by index against rankings by a scan, whatever happens between.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use super::residency::write_all;
use super::store::Store;
use super::*;
use crate::ledger::index::Limits;
use crate::ledger::shards::Place;
use crate::ledger::{By, Ends, Held, Measure, Ranked, What};

const SIGNALS: [&str; 3] = ["view", "watch", "like"];
const MINUTE: u64 = 60_000_000_000;

fn schema() -> Arc<Schema> {
    let mut builder = SchemaBuilder::new();
    let hour = Duration::from_secs(3600);
    let decays = [exponential(hour), DecaySpec::Linear { lifetime: hour }, DecaySpec::Permanent];
    for (name, decay) in SIGNALS.into_iter().zip(decays) {
        let signal = builder.signal(name, EntityKind::Item, decay);
        signal.windows(&Window::ALL).velocity(true).sums(true).add();
    }
    Arc::new(builder.build().unwrap())
}

fn measures(ledger: &SignalLedger) -> Vec<Measure> {
    let all = ledger.schema().signals().iter().flat_map(|signal| {
        let windows = Window::ALL.into_iter().flat_map(|window| {
            [Measure::count(signal, window).unwrap(), Measure::sum(signal, window).unwrap()]
        });
        std::iter::once(Measure::score(signal)).chain(windows)
    });
    all.collect()
}

fn any_by() -> impl Strategy<Value = By> {
    let window = prop::sample::select(Window::ALL.to_vec());
    prop_oneof![
        2 => Just(By::Score),
        2 => window.prop_map(By::Count),
        1 => prop::sample::select(SLIDING.to_vec()).prop_map(By::Velocity),
    ]
}

#[derive(Debug, Clone)]
enum Step {
    Event {
        signal: usize,
        id: u64,
        late: u64,
        weight: f64,
    },
    Pass {
        nanos: u64,
    },
    Forget {
        id: u64,
    },
    WriteBack,
    Top {
        signal: usize,
        by: By,
        limit: usize,
        delay: u64,
    },
    /// Holds some measures, chosen by the bits.
    Hold {
        which: u64,
        delay: u64,
    },
}

fn any_span_of_time() -> impl Strategy<Value = u64> {
    prop_oneof![
        3 => Just(0),
        3 => 0..3 * MINUTE,
        2 => 0..120 * MINUTE,
        1 => 0..40 * 24 * 60 * MINUTE,
    ]
}

fn any_step() -> impl Strategy<Value = Step> {
    let weight = prop_oneof![
        4 => Just(1.0),
        1 => Just(0.0),
        2 => Just(-1.0),
        1 => Just(0.1),
        2 => -3.0..3.0_f64,
    ];
    prop_oneof![
        24 => (0..3_usize, 0..24_u64, any_span_of_time(), weight)
            .prop_map(|(signal, id, late, weight)| Step::Event { signal, id, late, weight }),
        4 => any_span_of_time().prop_map(|nanos| Step::Pass { nanos }),
        1 => (0..24_u64).prop_map(|id| Step::Forget { id }),
        1 => Just(Step::WriteBack),
        6 => (0..3_usize, any_by(), 0..30_usize, any_span_of_time())
            .prop_map(|(signal, by, limit, delay)| Step::Top { signal, by, limit, delay }),
        2 => (any::<u64>(), any_span_of_time()).prop_map(|(which, delay)| Step::Hold { which, delay }),
    ]
}

struct Run {
    ledger: SignalLedger,
    store: Arc<Store>,
    seq: u64,
    now: u64,
}

impl Run {
    fn new(budget: u64, limits: Limits) -> Self {
        let store = Arc::new(Store::default());
        let over = Arc::clone(&store) as _;
        let mut ledger = SignalLedger::over(schema(), over, Some(budget), store.counts());
        ledger.index_limits = limits;
        Self { ledger, store, seq: 0, now: 1_700_000_000_000_000_000 }
    }

    fn step(&mut self, step: &Step) {
        match *step {
            Step::Event { signal, id, late, weight } => {
                let time = Timestamp::from_nanos(self.now - late);
                let event = Event::new(SIGNALS[signal], EntityId::new(id), weight, time);
                self.seq += 1;
                let event = self.ledger.schema().accept(&event).unwrap();
                self.ledger.apply(Seq::new(self.seq), &event).unwrap();
            }
            Step::Pass { nanos } => self.now += nanos,
            Step::Forget { id } => {
                self.seq += 1;
                let id = EntityId::new(id);
                self.ledger.remove(Seq::new(self.seq), EntityKind::Item, id).unwrap();
            }
            Step::WriteBack => write_all(&self.ledger, &self.store),
            Step::Top { signal, by, limit, delay } => self.top(signal, by, limit, delay),
            Step::Hold { which, delay } => self.hold(which, delay),
        }
    }

    /// A time that is not before the newest event.
    fn at(&self, delay: u64) -> Timestamp {
        Timestamp::from_nanos(self.now + delay)
    }

    fn top(&self, signal: usize, by: By, limit: usize, delay: u64) {
        let signal = self.ledger.schema().signal(SIGNALS[signal]).unwrap();
        let at = self.at(delay);
        let bits = |ranked: Vec<Ranked>| -> Vec<(usize, u64, u64)> {
            let all = ranked.into_iter();
            all.map(|one| (one.rank, one.id.get(), one.value.to_bits())).collect()
        };
        let found = self.ledger.top(signal, by, limit, at).unwrap();
        let scanned = self.ledger.top_by_scan(signal, by, limit, at).unwrap();
        assert_eq!(bits(found), bits(scanned), "{} {by:?} {limit} {delay}", signal.name());
    }

    fn hold(&self, which: u64, delay: u64) {
        let all = measures(&self.ledger).into_iter().enumerate();
        let some: Vec<Measure> =
            all.filter(|(number, _)| which >> number & 1 == 1).map(|(_, of)| of).collect();
        let held = self.ledger.hold(&some).unwrap();
        let at = held.moved_on(self.at(delay));
        assert_eq!(at, self.at(delay), "nothing is read of the past");
        for measure in &some {
            self.check(&held, *measure, at);
        }
    }

    /// The API's promises: no unmet entity beyond the bound, and all members there.
    fn check(&self, held: &Held<'_>, measure: Measure, at: Timestamp) {
        let value = |id: EntityId| self.ledger.measure(measure, id, at).unwrap();
        let all = (0..24).map(EntityId::new);
        let values: Vec<(EntityId, f64)> =
            all.filter_map(|id| value(id).map(|value| (id, value))).collect();
        let members: Vec<u64> = held.members(measure.signal).iter().collect();
        assert_eq!(members, values.iter().map(|(id, _)| id.get()).collect::<Vec<_>>());
        for sign in [1.0, -1.0] {
            let mut ends: Ends<'_> =
                if sign > 0.0 { held.highest(measure) } else { held.lowest(measure) };
            let mut met = BTreeSet::new();
            loop {
                let bound = ends.bound(at) * sign;
                assert!(bound >= 0.0, "an absent entity has 0");
                let bound_key = ends.bound_key();
                for (id, value) in values.iter().filter(|(id, _)| !met.contains(id)) {
                    let value = value * sign;
                    assert!(value <= bound, "{measure:?} {sign} {id}: {value} {bound}");
                    let (key, _) = self.ledger.measure_with_key(measure, *id, at).unwrap().unwrap();
                    assert!(if sign > 0.0 { key <= bound_key } else { key >= bound_key });
                }
                let Some(id) = ends.next() else { break };
                assert!(met.insert(id), "{id} twice");
            }
            if ends.is_complete() {
                assert_eq!(ends.bound(at), 0.0);
            }
            if let What::Count(_) = measure.what {
                assert!(sign > 0.0 || ends.is_complete() && met.is_empty());
            }
        }
    }
}

fn any_limits() -> impl Strategy<Value = Limits> {
    prop_oneof![
        1 => Just(Limits::DEFAULT),
        2 => (16..24_usize).prop_map(|entries| Limits { entries, notes: 100 }),
        3 => (1..16_usize, prop_oneof![1 => 1..4_usize, 1 => Just(100)])
            .prop_map(|(entries, notes)| Limits { entries, notes }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]
    /// G88: same entities, same order, same values, by every measure; H1, J1, J2, Q2.
    #[test]
    fn an_index_answers_as_a_scan_does(
        budget in prop_oneof![Just(u64::MAX), Just(0), 500..8000_u64],
        limits in any_limits(),
        steps in prop::collection::vec(any_step(), 1..200),
    ) {
        let mut run = Run::new(budget, limits);
        steps.iter().for_each(|step| run.step(step));
        for signal in 0..3 {
            run.top(signal, By::Score, 10, 0);
            run.top(signal, By::Count(Window::OneHour), 10, MINUTE);
        }
        run.hold(u64::MAX, 0);
    }
}

/// Two lists of a signal type with room for few, over storage that has all its cells.
fn small_run(entries: usize, notes: usize) -> Run {
    Run::new(u64::MAX, Limits { entries, notes })
}

impl Run {
    fn event(&mut self, signal: usize, id: u64, weight: f64) {
        self.step(&Step::Event { signal, id, late: 0, weight });
    }

    fn top_ids(&self, signal: usize, by: By, limit: usize) -> Vec<u64> {
        let signal = self.ledger.schema().signal(SIGNALS[signal]).unwrap();
        let ranked = self.ledger.top(signal, by, limit, self.at(0)).unwrap();
        ranked.iter().map(|ranked| ranked.id.get()).collect()
    }
}

/// G90: the second query scans nothing, in memory or in storage, whatever has left memory;
/// one for more than a list keeps does.
#[test]
fn a_list_is_made_once_and_asked_again_g90() {
    let mut run = Run::new(0, Limits { entries: 8, notes: 100 });
    for id in 0..20 {
        run.event(2, id, id as f64);
    }
    assert_eq!(run.ledger.index_size(), (0, 0), "nobody has asked");
    assert_eq!(run.top_ids(2, By::Score, 3), [19, 18, 17]);
    run.step(&Step::WriteBack);
    run.store.fail_scans();
    run.event(2, 3, 100.0);
    run.event(2, 18, -100.0);
    run.event(2, 30, 18.5);
    run.step(&Step::Forget { id: 17 });
    assert_eq!(run.top_ids(2, By::Score, 4), [3, 19, 30, 16]);
    assert_eq!(run.ledger.index_size().0, 1);
    let signal = run.ledger.schema().signal("like").unwrap();
    run.ledger.top(signal, By::Score, 9, run.at(0)).unwrap_err();
}

/// G90: an index takes no more memory for more cells, but for the set of these.
#[test]
fn a_list_keeps_so_many_at_each_end_g90() {
    let bytes_of = |cells: u64| {
        let mut run = small_run(64, 16);
        for id in 0..cells {
            run.event(0, id, if id % 2 == 0 { 1.0 } else { -1.0 });
        }
        assert_eq!(run.top_ids(0, By::Score, 2), [0, 2]);
        for id in 0..cells {
            run.event(0, id, 2.0);
        }
        assert_eq!(run.top_ids(0, By::Score, 2), [0, 2]);
        run.ledger.index_size().1
    };
    let (few, many) = (bytes_of(200), bytes_of(20_000));
    assert!(many < few + 20_000 / 4, "{few} {many}");
}

/// G91: nothing is done for an order that time does not change, and it is right where scores
/// read 0.
#[test]
fn time_changes_nothing_about_scores_that_halve_g91() {
    let mut run = Run::new(0, Limits { entries: 4, notes: 100 });
    for id in 0..6 {
        for _ in 0..=id {
            run.event(0, id, 1.0);
        }
    }
    assert_eq!(run.top_ids(0, By::Score, 2), [5, 4]);
    run.step(&Step::WriteBack);
    // One event lets cells leave memory, so that a scan would have to read storage.
    run.event(0, 9, 0.5);
    run.store.fail_scans();
    for days in [0, 1, 30, 3000] {
        run.now += days * 24 * 60 * MINUTE;
        assert_eq!(run.top_ids(0, By::Score, 4), [5, 4, 3, 2]);
    }
    run.event(0, 9, 1e-9);
    assert_eq!(run.top_ids(0, By::Score, 3), [9, 5, 4]);
}

/// G91: no read is so late that an event is taken for over that is not, although the list did
/// not have to hear of it.
#[test]
fn what_came_last_is_found_in_a_window_that_was_empty_g91() {
    let by = By::Count(Window::TwentyFourHours);
    let mut run = small_run(4, 100);
    for id in 0..6 {
        (0..=id).for_each(|_| run.event(0, id, 1.0));
    }
    assert_eq!(run.top_ids(0, by, 2), [5, 4]);
    run.now += 33 * 24 * 60 * MINUTE;
    run.event(0, 3, 1.0);
    assert_eq!(run.top_ids(0, by, 1), [3]);
    for days in [0, 1, 2, 30] {
        run.now += days * 24 * 60 * MINUTE;
        run.top(0, by, 4, 0);
        run.top(0, by, 4, 24 * 60 * MINUTE);
    }
}

/// J3: bounds are of what is there from the newest event on, and so is a read.
#[test]
fn a_read_of_an_earlier_time_moves_on_to_the_bounds_j3() {
    let mut run = small_run(4, 100);
    for id in 0..8 {
        (0..=id).for_each(|_| run.event(0, id, 1.0));
        run.now += 10 * MINUTE;
    }
    run.now += 90 * MINUTE;
    run.event(0, 9, 1.0);
    let signal = run.ledger.schema().signal("view").unwrap();
    let top = |at| run.ledger.top(signal, By::Count(Window::OneHour), 3, at).unwrap();
    assert_eq!(top(Timestamp::MIN), top(run.at(0)));
}

/// G88: a list of which much was lost by decreases is made anew.
#[test]
fn a_list_that_is_worn_out_is_made_anew_g88() {
    let mut run = Run::new(0, Limits { entries: 8, notes: 100 });
    for id in 0..24 {
        run.event(2, id, f64::from(id as u32));
    }
    assert_eq!(run.top_ids(2, By::Score, 2), [23, 22]);
    for id in 14..24 {
        run.event(2, id, -100.0);
    }
    assert_eq!(run.top_ids(2, By::Score, 3), [13, 12, 11], "three had to be looked for");
    run.step(&Step::WriteBack);
    run.event(2, 1, 0.5);
    run.store.fail_scans();
    assert_eq!(run.top_ids(2, By::Score, 8), [13, 12, 11, 10, 9, 8, 7, 6]);
}

/// Some time passes, and a query by the count of an hour walks the list to its end, which is
/// before those that it asked for.
fn fall_short(run: &mut Run) {
    let signal = Arc::clone(run.ledger.schema());
    let signal = signal.signal("view").unwrap();
    let measure = Measure::count(signal, Window::OneHour).unwrap();
    run.now += MINUTE / 15;
    run.event(0, 0, 1.0);
    let held = run.ledger.hold(&[measure]).unwrap();
    let mut ends = held.highest(measure);
    assert!(ends.by_ref().count() > 0 && !ends.is_complete());
}

/// After how many queries that fell short each of the next lists was made, of so many.
fn gaps(run: &mut Run, queries: usize) -> Vec<usize> {
    let (mut gaps, mut last, mut scans) = (Vec::new(), 0, run.store.scans());
    for query in 0..queries {
        fall_short(run);
        if run.store.scans() > scans {
            gaps.push(query - last);
            (last, scans) = (query, run.store.scans());
        }
    }
    gaps
}

/// A list with room for fewer than there are, of cells in storage.
fn run_that_falls_short() -> Run {
    let mut run = Run::new(0, Limits { entries: 8, notes: 100 });
    for id in 0..40 {
        run.event(0, id, 1.0);
    }
    run.step(&Step::WriteBack);
    run
}

/// G90: a query that needs more than any list has lets it be made again ever more rarely.
#[test]
fn a_list_that_always_falls_short_is_made_ever_more_rarely_g90() {
    let mut run = run_that_falls_short();
    // One falls short as it is made, and then twice as many as before.
    let expected = [0, 3, 5, 9, 17, 33, 65, 129, 257];
    assert_eq!(gaps(&mut run, 1 + expected.iter().sum::<usize>()), expected);
}

/// G90: what notes that overflowed have dropped is made again, and no more often than before.
#[test]
fn a_list_that_was_dropped_is_made_as_rarely_g90() {
    let mut run = run_that_falls_short();
    assert_eq!(gaps(&mut run, 1 + 3 + 5 + 9), [0, 3, 5, 9]);
    for _ in 0..2 {
        (0..20_000).for_each(|id| run.event(0, id, 1.0));
        run.step(&Step::WriteBack);
        assert_eq!(gaps(&mut run, 9), [0], "it was dropped");
    }
}

/// G90: a list that falls short for its age only is made again at once, whatever was before.
#[test]
fn a_list_that_is_in_vain_no_more_is_made_at_once_g90() {
    let mut run = run_that_falls_short();
    assert_eq!(gaps(&mut run, 1 + 3 + 5 + 9), [0, 3, 5, 9]);
    // It has lost too many to stay, and the next one is asked for no more than it has.
    (1..=5).for_each(|id| run.step(&Step::Forget { id }));
    run.step(&Step::WriteBack);
    fall_short(&mut run);
    let scans = run.store.scans();
    for _ in 0..2 {
        run.now += MINUTE / 15;
        run.event(0, 0, 1.0);
        let schema = Arc::clone(run.ledger.schema());
        let measure = Measure::count(schema.signal("view").unwrap(), Window::OneHour).unwrap();
        let held = run.ledger.hold(&[measure]).unwrap();
        assert_eq!(held.highest(measure).next().map(EntityId::get), Some(0));
    }
    assert_eq!(run.store.scans(), scans + 1);
    assert_eq!(gaps(&mut run, 1 + 1 + 3 + 5), [1, 3, 5], "patience begins anew");
}

/// F3, G88: whoever comes, changes or goes while a list is made is in it as it should, also
/// where there is so much to note that notes are tidied.
#[test]
fn a_list_hears_of_all_that_happens_while_it_is_made_f3_g88() {
    let store = Arc::new(Store::default());
    let over = Arc::clone(&store) as _;
    let mut ledger = SignalLedger::over(schema(), over, Some(0), store.counts());
    ledger.index_limits = Limits { entries: 12, notes: 100 };
    let (ledger, seq) = (Arc::new(ledger), Arc::new(AtomicU64::new(0)));
    let fold = {
        let (ledger, seq) = (Arc::clone(&ledger), Arc::clone(&seq));
        move |id: EntityId| {
            let seq = seq.fetch_add(1, Ordering::Relaxed) + 1;
            let time = Timestamp::from_nanos(1_700_000_000_000_000_000 + seq);
            let event = ledger.schema().accept(&Event::new("like", id, 1.0, time)).unwrap();
            ledger.apply(Seq::new(seq), &event).unwrap();
        }
    };
    // Of one shard, so that few events are many notes.
    let all = (0..).map(EntityId::new).filter(|id| Place::of(*id).shard() == 5);
    let ids: Vec<EntityId> = all.take(9000).collect();
    ids[..100].iter().for_each(|id| fold(*id));
    write_all(&ledger, &store);
    // One event lets the others leave memory.
    fold(ids[100]);
    let signal = Arc::clone(ledger.schema());
    let signal = signal.signal("like").unwrap();
    store.during_next_scan({
        let (ledger, ids, seq) = (Arc::clone(&ledger), ids.clone(), Arc::clone(&seq));
        move || {
            // Each comes, in turn; one in a thousand changes afterwards, and one in a hundred
            // is gone.
            ids.iter().for_each(|id| fold(*id));
            ids.iter().step_by(1000).for_each(|id| fold(*id));
            for _ in 0..3 {
                ids.iter().take(2500).for_each(|id| fold(*id));
            }
            for id in ids.iter().skip(50).step_by(100) {
                let seq = Seq::new(seq.fetch_add(1, Ordering::Relaxed) + 1);
                ledger.remove(seq, EntityKind::Item, *id).unwrap();
            }
        }
    });
    let at = Timestamp::from_nanos(1_800_000_000_000_000_000);
    let found = ledger.top(signal, By::Score, 8, at).unwrap();
    assert_eq!(store.scans(), 1);
    assert_eq!(found, ledger.top_by_scan(signal, By::Score, 8, at).unwrap());
    let held = ledger.hold(&[Measure::score(signal)]).unwrap();
    assert_eq!(held.members(signal.id()).len(), 9000 - 90);
}

/// G90: lists do not grow by how much there was to catch up with.
#[test]
fn a_list_that_catches_up_with_much_takes_no_more_g90() {
    const ENTRIES: usize = 16_384;
    let mut run = small_run(ENTRIES, 100_000);
    let all = || 0..100_000;
    all().for_each(|id| run.event(2, id, 1.0));
    assert_eq!(run.top_ids(2, By::Score, 2), [0, 1]);
    let before = run.ledger.index_size().1;
    all().for_each(|id| run.event(2, id, id as f64));
    let noted = run.ledger.index_size().1 - before;
    assert_eq!(run.top_ids(2, By::Score, 2), [99_999, 99_998]);
    let after = run.ledger.index_size().1;
    assert!(after <= before + noted + ENTRIES as u64, "{before} {noted} {after}");
}

/// G90: what an entry of a list takes in memory.
#[test]
fn an_entry_takes_so_many_bytes_g90() {
    let mut run = small_run(4096, 16);
    for id in 0..10_000 {
        run.event(2, id, if id % 2 == 0 { 1.0 } else { -1.0 });
    }
    let bytes = || run.ledger.index_size().1;
    assert_eq!(run.top_ids(2, By::Score, 2), [0, 2]);
    let before = bytes();
    let signal = run.ledger.schema().signal("like").unwrap();
    let measure = Measure::sum(signal, Window::AllTime).unwrap();
    {
        let held = run.ledger.hold(&[measure]).unwrap();
        assert_eq!(held.highest(measure).count(), 4096);
        assert_eq!(held.lowest(measure).count(), 4096);
    }
    let by_entry = (bytes() - before) / (2 * 4096);
    assert!((60..=110).contains(&by_entry), "{by_entry}");
}

/// What time has taken from bounds, one query looks at, and the next no more.
#[test]
fn a_query_looks_at_what_has_faded_once() {
    let mut run = small_run(100, 100);
    for id in 0..40 {
        (0..5).for_each(|_| run.event(0, id, 1.0));
    }
    let by = By::Count(Window::OneHour);
    assert_eq!(run.top_ids(0, by, 1), [0]);
    run.now += 90 * MINUTE;
    run.event(0, 50, 1.0);
    let measure =
        Measure::count(run.ledger.schema().signal("view").unwrap(), Window::OneHour).unwrap();
    let first = || {
        let held = run.ledger.hold(&[measure]).unwrap();
        held.highest(measure).next().map(EntityId::get)
    };
    assert_eq!(first(), Some(0), "its bound is too high by now");
    assert_eq!(run.top_ids(0, by, 1), [50]);
    assert_eq!(first(), Some(50));
}

/// X1 of linear scores: a bucket whose events came early adds more once the end of the
/// lifetime has reached it.
#[test]
fn a_linear_score_that_jumps_stays_within_its_bounds() {
    let lifetime = Duration::from_secs(3600);
    let mut fixture = Fixture::new(DecaySpec::Linear { lifetime });
    let begin = 1_000 * MINUTE;
    for _ in 0..10 {
        fixture.apply(1, begin, 1.0);
        fixture.apply(2, begin, -1.0);
    }
    fixture.apply(1, begin + 59 * MINUTE, 0.0);
    fixture.apply(2, begin + 59 * MINUTE, 0.0);
    let (ledger, signal) = (&fixture.ledger, fixture.signal());
    let (gauge, shape) = (ledger.gauge(Measure::score(signal)), &ledger.kept(signal.id()).shape);
    let from = begin + 60 * MINUTE - MINUTE / 100;
    let within = |cell: &Cell| {
        let (least, most) = gauge.bounds(shape, cell, Timestamp::from_nanos(from));
        let now = gauge.key(shape, cell, Timestamp::from_nanos(from));
        let jumped = gauge.key(shape, cell, Timestamp::from_nanos(from + MINUTE / 50));
        assert!(least <= jumped.min(now) && jumped.max(now) <= most);
        (now, jumped)
    };
    let [above, below] = [1, 2].map(|id| ledger.look(signal.id(), EntityId::new(id), within));
    let ((now, jumped), below) = (above.unwrap().unwrap(), below.unwrap().unwrap());
    assert!(jumped > now && below.1 < below.0, "they did jump");
}

/// Lists stay when the schema grows, and hear of what comes afterwards.
#[test]
fn lists_stay_when_the_schema_extends() {
    let mut run = small_run(8, 100);
    (0..4).for_each(|id| run.event(2, id, 1.0));
    assert_eq!(run.top_ids(2, By::Score, 2), [0, 1]);
    let mut builder = SchemaBuilder::new();
    for signal in run.ledger.schema().signals() {
        let new = builder.signal(signal.name(), signal.kind(), signal.decay());
        new.windows(signal.windows()).velocity(signal.velocity()).sums(signal.sums()).add();
    }
    builder.signal("share", EntityKind::Item, DecaySpec::Permanent).add();
    let schema = Arc::new(builder.build().unwrap());
    let ledger = std::mem::replace(&mut run.ledger, SignalLedger::new(Arc::clone(&schema)));
    run.ledger = ledger.extended(schema);
    assert_eq!(run.ledger.index_size().0, 1);
    run.event(2, 3, 1.0);
    assert_eq!(run.top_ids(2, By::Score, 2), [3, 0]);
    let share = run.ledger.schema().signal("share").unwrap();
    assert_eq!(run.ledger.top(share, By::Score, 2, run.at(0)).unwrap(), []);
}

#[test]
fn a_failing_scan_leaves_no_list_behind() {
    let mut run = Run::new(0, Limits::DEFAULT);
    for id in 0..20 {
        run.event(2, id, 1.0);
    }
    run.step(&Step::WriteBack);
    run.event(2, 40, 1.0);
    run.store.fail_scans();
    let signal = run.ledger.schema().signal("like").unwrap();
    run.ledger.top(signal, By::Score, 3, run.at(0)).unwrap_err();
    assert_eq!(run.ledger.index_size().0, 0);
}

/// The API of the executors: signal types in any order, measures more than once.
#[test]
fn several_signal_types_are_held_together() {
    let mut run = small_run(8, 100);
    for id in 0..12 {
        run.event(2, id, 1.0 - id as f64);
        run.event(0, 20 - id, 1.0);
    }
    let schema = Arc::clone(run.ledger.schema());
    let (view, like) = (schema.signal("view").unwrap(), schema.signal("like").unwrap());
    let (views, likes) = (Measure::score(view), Measure::score(like));
    let held = run.ledger.hold(&[likes, views, likes]).unwrap();
    let at = held.moved_on(Timestamp::MIN);
    assert_eq!(at, run.at(0), "a read is moved on to the newest event");
    assert_eq!(held.highest(likes).map(EntityId::get).collect::<Vec<_>>(), [0]);
    let mut lowest = held.lowest(likes);
    let met: Vec<u64> = lowest.by_ref().map(EntityId::get).collect();
    assert_eq!(met, [11, 10, 9, 8, 7, 6, 5, 4]);
    assert_eq!((lowest.bound(at), lowest.is_complete()), (-2.0, false));
    assert_eq!(held.members(view.id()).iter().collect::<Vec<_>>(), (9..=20).collect::<Vec<_>>());
    assert!(!held.highest(views).is_complete(), "there was room for eight of twelve");
    let measure = |id| run.ledger.measure(likes, EntityId::new(id), at).unwrap();
    assert_eq!((measure(3), measure(15)), (Some(-2.0), None));
}

/// G89: whoever has an answer finds it in the next ranking, beside any reader.
#[test]
fn readers_find_what_was_answered_g89() {
    const IDS: usize = 40;
    for notes in [2, 8, 1000] {
        let mut run = small_run(12, notes);
        let ledger = std::mem::replace(&mut run.ledger, SignalLedger::new(schema()));
        let answered: [AtomicU64; IDS] = std::array::from_fn(|_| AtomicU64::new(0));
        let done = AtomicBool::new(false);
        let signal = ledger.schema().signal("view").unwrap();
        let read = || {
            while !done.load(Ordering::Acquire) {
                for by in [By::Count(Window::AllTime), By::Count(Window::OneHour)] {
                    let before: Vec<u64> =
                        answered.iter().map(|count| count.load(Ordering::Acquire)).collect();
                    let at = ledger.newest_event().unwrap_or_default();
                    let top = ledger.top(signal, by, 5, at).unwrap();
                    let value = |id: u64| {
                        let found = top.iter().find(|ranked| ranked.id.get() == id);
                        found.map(|ranked| ranked.value as u64)
                    };
                    let last =
                        top.last().filter(|_| top.len() == 5).map_or(0, |one| one.value as u64);
                    for (id, count) in (0..).zip(before) {
                        assert!(value(id).unwrap_or(last) >= count, "{by:?} {id} {count}: {top:?}");
                    }
                }
            }
        };
        thread::scope(|scope| {
            let readers = [scope.spawn(read), scope.spawn(read)];
            let mut state = 7_u64;
            for seq in 1..40_000 {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                // Few entities have most of the events, and who is first changes.
                let id = ((state >> 40) % IDS as u64).min((state >> 50) % IDS as u64);
                let time = Timestamp::from_nanos(run.now + seq);
                let event = Event::new("view", EntityId::new(id), 1.0, time);
                let event = ledger.schema().accept(&event).unwrap();
                ledger.apply(Seq::new(seq), &event).unwrap();
                answered[id as usize].fetch_add(1, Ordering::Release);
                if readers.iter().any(|reader| reader.is_finished()) {
                    break;
                }
            }
            done.store(true, Ordering::Release);
        });
    }
}

/// G88: also where several threads fold, and the notes of all are too many.
#[test]
fn a_list_hears_of_what_several_threads_fold_g88() {
    let run = small_run(16, 8);
    let ledger = &run.ledger;
    let signal = ledger.schema().signal("view").unwrap();
    let mut seq = 0;
    for round in 0..50 {
        let events: Vec<_> = (0..400_u64)
            .map(|number| {
                seq += 1;
                let id = EntityId::new(number * number * (round + 1) % 97);
                let time = Timestamp::from_nanos(run.now + seq);
                let event = Event::new("view", id, (number % 7) as f64 - 2.0, time);
                (Seq::new(seq), ledger.schema().accept(&event).unwrap())
            })
            .collect();
        ledger.apply_by(&events, 3).unwrap();
        let at = ledger.newest_event().unwrap();
        let found = ledger.top(signal, By::Score, 9, at).unwrap();
        assert_eq!(found, ledger.top_by_scan(signal, By::Score, 9, at).unwrap(), "{round}");
    }
}

proptest! {
    /// Q2, Z1: nothing that a cell says later is outside of its bounds, or close to them only.
    #[test]
    fn what_a_cell_says_later_is_within_its_bounds(
        decay in any_decay(),
        events in any_events(24),
        first in any_delay(),
        delays in prop::collection::vec(any_delay(), 1..20),
    ) {
        let mut fixture = Fixture::new(decay);
        for &(time, weight) in &events {
            fixture.apply(1, time, weight);
        }
        let (ledger, signal) = (&fixture.ledger, fixture.signal());
        let newest = ledger.newest_event().unwrap().as_nanos();
        let from = newest.saturating_add(first);
        for measure in measures(ledger) {
            let gauge = ledger.gauge(measure);
            let shape = &ledger.kept(signal.id()).shape;
            let look = |cell: &Cell| {
                let (least, most) = gauge.bounds(shape, cell, Timestamp::from_nanos(from));
                let scale = gauge.scale(shape);
                for delay in delays.iter().chain(&[0]) {
                    let at = Timestamp::from_nanos(from.saturating_add(*delay));
                    let (key, value) = (gauge.key(shape, cell, at), gauge.value(shape, cell, at));
                    assert!(least <= key && key <= most, "{measure:?} {at}: {value}");
                    let outer = (scale.outer(least, at).min(0.0), scale.outer(most, at).max(0.0));
                    assert!(outer.0 <= value && value <= outer.1, "{value} {outer:?}");
                }
            };
            ledger.look(signal.id(), EntityId::new(1), look).unwrap().unwrap();
        }
    }
}

/// Z2: equal sums of whole weights have equal bounds, so that ties do not make a query look
/// at all of them; and bounds are reached where weights have one sign.
#[test]
fn bounds_of_whole_weights_are_the_values_themselves_z2() {
    let mut fixture = Fixture::new(DecaySpec::Permanent);
    for number in 0..100_u64 {
        fixture.apply(1, 1_000 * MINUTE + number * MINUTE / 4, 0.25);
    }
    let (ledger, signal) = (&fixture.ledger, fixture.signal());
    let shape = &ledger.kept(signal.id()).shape;
    let gauge = ledger.gauge(Measure::sum(signal, Window::OneHour).unwrap());
    let look = |cell: &Cell| gauge.bounds(shape, cell, cell.newest());
    let bounds = ledger.look(signal.id(), EntityId::new(1), look).unwrap().unwrap();
    let exact = |value: f64| crate::ledger::rank_key::RankKey::plain(value);
    assert_eq!(bounds, (exact(0.0), exact(25.0)));
}

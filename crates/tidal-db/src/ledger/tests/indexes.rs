//! Rankings by index against rankings by a scan, whatever happens between.

use std::collections::BTreeSet;

use super::residency::write_all;
use super::store::Store;
use super::*;
use crate::ledger::index::Limits;
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
                for (id, value) in values.iter().filter(|(id, _)| !met.contains(id)) {
                    let value = value * sign;
                    assert!(value <= bound, "{measure:?} {sign} {id}: {value} {bound}");
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

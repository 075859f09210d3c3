//! As-of reads against their definition, over random logs.

mod writers;

use std::time::Duration;

use proptest::prelude::*;
use tidal_types::{
    DecaySpec, EntityKind, Event, Schema, SchemaBuilder, Seq, SignalTypeDefinition, Window,
};

use super::request::{Feature, Measure};
use super::*;

const SIGNALS: [(&str, DecaySpec); 4] = [
    ("fast", DecaySpec::Exponential { half_life: Duration::from_secs(600) }),
    ("slow", DecaySpec::Exponential { half_life: Duration::from_secs(30 * 24 * 3600) }),
    ("linear", DecaySpec::Linear { lifetime: Duration::from_secs(5400) }),
    ("permanent", DecaySpec::Permanent),
];

fn schema() -> Schema {
    let mut builder = SchemaBuilder::new();
    for (name, decay) in SIGNALS {
        let signal = builder.signal(name, EntityKind::Item, decay);
        signal.windows(&Window::ALL).velocity(true).sums(true).add();
    }
    builder.build().unwrap()
}

/// A logged event.
#[derive(Debug, Clone)]
struct Logged {
    signal: usize,
    id: u64,
    weight: f64,
    time: u64,
    log_time: u64,
}

type Rows = Vec<(EntityId, Timestamp)>;

/// What the definition says of a feature, and the sum of the absolute contributions.
fn defined(
    events: &[Logged],
    definition: &SignalTypeDefinition,
    measure: Measure,
    clock: AsOfClock,
    (id, at): (EntityId, Timestamp),
) -> (f64, f64) {
    let at = at.as_nanos();
    let seen = events.iter().filter(|event| {
        let known = clock == AsOfClock::Event || event.log_time <= at;
        let of_cell = event.signal == usize::from(definition.id().get()) && event.id == id.get();
        of_cell && event.time <= at && known
    });
    let nanos = |span: Duration| span.as_nanos();
    let within = |event: &&Logged, window: Window| {
        let end = |span| u128::from(event.time) + nanos(span);
        window.duration().is_none_or(|span| u128::from(at) < end(span))
    };
    let contributions: Vec<f64> = match measure {
        Measure::Score => seen
            .map(|event| {
                let age = (at - event.time) as f64;
                event.weight
                    * match definition.decay() {
                        DecaySpec::Exponential { half_life } => {
                            libm::exp2(-age / nanos(half_life) as f64)
                        }
                        DecaySpec::Linear { lifetime } => {
                            let lifetime = nanos(lifetime) as u64;
                            lifetime.saturating_sub(at - event.time) as f64 / lifetime as f64
                        }
                        DecaySpec::Permanent => 1.0,
                    }
            })
            .collect(),
        Measure::Count(window) => seen.filter(|e| within(e, window)).map(|_| 1.0).collect(),
        Measure::Sum(window) => seen.filter(|e| within(e, window)).map(|e| e.weight).collect(),
        Measure::Velocity(window) => {
            let secs = window.duration().unwrap().as_secs_f64();
            return (seen.filter(|e| within(e, window)).count() as f64 / secs, 0.0);
        }
    };
    (contributions.iter().sum(), contributions.iter().map(|c| c.abs()).sum())
}

/// Compares every feature of every row with the definition. Returns the columns, by
/// bits.
fn check(
    events: &[Logged],
    rows: &Rows,
    clock: AsOfClock,
    rows_per_pass: usize,
    base: Option<&dyn Base>,
) -> Vec<FeatureColumn> {
    let schema = schema();
    let request = AsOf::declared(&schema, EntityKind::Item).clock(clock);
    let plan = Plan::of(&request, &schema).unwrap();
    let logged: Vec<(AcceptedEvent, Timestamp)> = events
        .iter()
        .map(|event| {
            let (signal, id) = (SIGNALS[event.signal].0, EntityId::new(event.id));
            let at = Timestamp::from_nanos(event.time);
            let accepted = schema.accept(&Event::new(signal, id, event.weight, at)).unwrap();
            (accepted, Timestamp::from_nanos(event.log_time))
        })
        .collect();
    let behind = base.map_or(0, |base| base.next_seq().get() as usize - 1);
    let scan = |take: Take<'_>| {
        logged[behind..].iter().for_each(|(event, log_time)| take(event, *log_time));
        Ok(())
    };
    let (columns, passes) = answer(&plan, rows, rows_per_pass, |_| false, base, scan).unwrap();
    assert!(passes >= rows.len().div_ceil(rows_per_pass), "{passes}");
    assert_eq!(columns.len(), request.features().len());
    for (column, Feature { signal, measure }) in columns.iter().zip(request.features()) {
        let definition = schema.signal(signal).unwrap();
        for (place, &row) in rows.iter().enumerate() {
            let value = column.values.get(place).unwrap();
            let (expected, size) = defined(events, definition, *measure, clock, row);
            let tolerance = 1e-12 * size + f64::MIN_POSITIVE;
            let is_near = match measure {
                Measure::Count(_) => value == FeatureValue::Whole(expected as u64),
                Measure::Velocity(_) => value == FeatureValue::Real(expected),
                _ => (value.as_f64() - expected).abs() <= tolerance,
            };
            assert!(is_near, "{} of {row:?}: {value:?}, not {expected}", column.name);
        }
    }
    columns
}

const HOUR: u64 = 3_600_000_000_000;
/// The span of the events: a window of an hour divides it, one of a month does not.
const SPAN: u64 = 3 * HOUR;

/// Times that are ties and edges of each other more often than not.
fn time() -> impl Strategy<Value = u64> {
    let start = 40 * 24 * HOUR;
    prop_oneof![
        4 => (0_u64..18).prop_map(move |tenth| start + tenth * SPAN / 18),
        2 => (0..SPAN).prop_map(move |nanos| start + nanos),
        1 => prop::sample::select(vec![0, 1, start - 1, start + 24 * HOUR, u64::MAX - 1, u64::MAX]),
    ]
}

fn weight() -> impl Strategy<Value = f64> {
    prop_oneof![
        3 => Just(1.0),
        2 => -5.0..5.0,
        1 => prop::sample::select(vec![0.0, -1.0, 1e15, -1e15, 1e-9]),
    ]
}

fn log() -> impl Strategy<Value = Vec<Logged>> {
    let event = (0..SIGNALS.len(), 1_u64..4, weight(), time(), 0_u64..4);
    (time(), prop::collection::vec(event, 0..60)).prop_map(|(start, events)| {
        let mut log_time = start.min(u64::MAX / 2);
        let logged = |(signal, id, weight, time, step): (usize, u64, f64, u64, u64)| {
            log_time += step * SPAN / 36;
            Logged { signal, id, weight, time, log_time }
        };
        events.into_iter().map(logged).collect()
    })
}

/// Rows at times of their own, and at the edges of the events and their windows.
fn rows(log: &[Logged], drawn: &[(u64, u64, usize)]) -> Rows {
    let row = |&(id, time, edge): &(u64, u64, usize)| {
        let near = log.get(edge % (2 * log.len().max(1)));
        let at = match (near, edge % 11) {
            (None, _) => time,
            (Some(event), 0) => event.time,
            (Some(event), 1) => event.time.saturating_sub(1),
            (Some(event), 2) => event.time.saturating_add(HOUR),
            (Some(event), 3) => event.time.saturating_add(HOUR - 1),
            (Some(event), 4) => event.time.saturating_add(24 * HOUR),
            (Some(event), 5) => event.time.saturating_add(HOUR + HOUR / 2),
            (Some(event), 6) => event.log_time,
            (Some(event), 7) => event.log_time.saturating_sub(1),
            (Some(event), 8) => event.time.saturating_add(30 * 24 * HOUR),
            (Some(event), 9) => event.time.saturating_add(7 * 24 * HOUR),
            (Some(event), _) => event.time.saturating_add(30 * 24 * HOUR - 1),
        };
        let id = near.filter(|_| edge % 3 > 0).map_or(id, |event| event.id);
        (EntityId::new(id), Timestamp::from_nanos(at))
    };
    drawn.iter().map(row).collect()
}

fn clock() -> impl Strategy<Value = AsOfClock> {
    prop::sample::select(vec![AsOfClock::Event, AsOfClock::Known])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    /// G65, G66, G67
    #[test]
    fn features_equal_the_definition_in_one_pass_and_in_many(
        log in log(),
        drawn in prop::collection::vec((0_u64..5, time(), 0_usize..1000), 0..40),
        rows_per_pass in 1_usize..8,
        clock in clock(),
    ) {
        let rows = rows(&log, &drawn);
        let whole = check(&log, &rows, clock, usize::MAX, None);
        check(&log, &rows, clock, rows_per_pass, None);
        // Backwards, and every row twice.
        let twice: Rows = rows.iter().rev().chain(&rows).copied().collect();
        let again = check(&log, &twice, clock, usize::MAX, None);
        for (one, other) in whole.iter().zip(&again) {
            for place in 0..rows.len() {
                prop_assert_eq!(one.values.get(place), other.values.get(rows.len() + place));
            }
        }
    }

    /// G65: the log begins anywhere, and a base has what was before.
    #[test]
    fn a_base_takes_the_place_of_what_was_cut(
        log in log(),
        drawn in prop::collection::vec((0_u64..5, time(), 0_usize..1000), 0..20),
        cut in 0_usize..60,
        clock in clock(),
    ) {
        let base = Cut { events: log[..cut.min(log.len())].to_vec() };
        let from = base.answers_from(clock);
        let rows: Rows = rows(&log, &drawn).into_iter().filter(|(_, at)| *at >= from).collect();
        check(&log, &rows, clock, 7, Some(&base));
    }
}

/// A base made of the events that were cut.
#[derive(Debug)]
struct Cut {
    events: Vec<Logged>,
}

impl Base for Cut {
    fn next_seq(&self) -> Seq {
        Seq::new(self.events.len() as u64 + 1)
    }

    fn answers_from(&self, clock: AsOfClock) -> Timestamp {
        let times = self.events.iter().map(|event| match clock {
            AsOfClock::Event => event.time,
            AsOfClock::Known => event.time.max(event.log_time),
        });
        Timestamp::from_nanos(times.max().unwrap_or_default())
    }

    fn value(
        &self,
        signal: &SignalTypeDefinition,
        id: EntityId,
        measure: Measure,
        at: Timestamp,
    ) -> Result<FeatureValue> {
        let (value, _) = defined(&self.events, signal, measure, AsOfClock::Event, (id, at));
        Ok(match measure {
            Measure::Count(_) => FeatureValue::Whole(value as u64),
            _ => FeatureValue::Real(value),
        })
    }
}

/// A4, G68
#[test]
fn what_neither_the_log_nor_a_base_reaches_is_refused() {
    let event = |time, log_time| Logged { signal: 0, id: 1, weight: 1.0, time, log_time };
    let base = Cut { events: vec![event(500, 700), event(600, 800)] };
    let check = |log_start, base, clock, at| {
        let rows = [(EntityId::new(1), Timestamp::from_nanos(at))];
        match check_reach(Seq::new(log_start), base, clock, &rows) {
            Err(TidalError::PastNotKept { from, .. }) => Err(from.map(Timestamp::as_nanos)),
            other => other.map_err(|error| panic!("{error}")),
        }
    };
    let (event, known) = (AsOfClock::Event, AsOfClock::Known);
    assert_eq!(check(1, None, event, 0), Ok(()));
    assert_eq!(check(2, None, event, u64::MAX), Err(None));
    for log_start in 1..=3 {
        assert_eq!(check(log_start, Some(&base), event, 600), Ok(()));
        assert_eq!(check(log_start, Some(&base), event, 599), Err(Some(600)));
        assert_eq!(check(log_start, Some(&base), known, 800), Ok(()));
        assert_eq!(check(log_start, Some(&base), known, 799), Err(Some(800)));
    }
    assert_eq!(check(4, Some(&base), event, u64::MAX), Err(None));
}

/// G65: a weight that has left a window leaves nothing behind in the sum.
#[test]
fn a_large_weight_leaves_no_rounding_behind() {
    let event = |signal, weight, time| Logged { signal, id: 1, weight, time, log_time: time };
    let log: Vec<Logged> = (0..2)
        .map(|half| 2 + half)
        .flat_map(|signal| [event(signal, 1e15, HOUR), event(signal, 1e-3, 4 * HOUR)])
        .collect();
    let row = |time| (EntityId::new(1), Timestamp::from_nanos(time));
    check(
        &log,
        &vec![row(HOUR), row(2 * HOUR), row(4 * HOUR), row(5 * HOUR - 1)],
        AsOfClock::Event,
        9,
        None,
    );
}

/// G65: an entity that is looked at a hundred thousand times loses no precision.
#[test]
fn many_moments_of_one_entity_stay_exact() {
    let log: Vec<Logged> = (0..200_u64)
        .map(|place| {
            let (signal, time) = ((place % 4) as usize, place * place * HOUR / 1000);
            Logged { signal, id: 1, weight: 1.0 + place as f64, time, log_time: time }
        })
        .collect();
    let schema = schema();
    let request = AsOf::declared(&schema, EntityKind::Item);
    let plan = Plan::of(&request, &schema).unwrap();
    let moments = 100_000;
    let rows: Rows = (0..moments)
        .map(|moment| (EntityId::new(1), Timestamp::from_nanos(moment * 40 * HOUR / moments)))
        .collect();
    let scan = |take: Take<'_>| {
        for event in &log {
            let at = Timestamp::from_nanos(event.time);
            let (signal, id) = (SIGNALS[event.signal].0, EntityId::new(event.id));
            take(&schema.accept(&Event::new(signal, id, event.weight, at)).unwrap(), at);
        }
        Ok(())
    };
    let (columns, _) = answer(&plan, &rows, usize::MAX, |_| false, None, scan).unwrap();
    for place in (0..rows.len()).step_by(997).chain([rows.len() - 1]) {
        for (column, Feature { signal, measure }) in columns.iter().zip(request.features()) {
            let definition = schema.signal(signal).unwrap();
            let (expected, size) =
                defined(&log, definition, *measure, AsOfClock::Event, rows[place]);
            let value = column.values.get(place).unwrap().as_f64();
            let tolerance = 1e-11 * size + f64::MIN_POSITIVE;
            assert!((value - expected).abs() <= tolerance, "{} {place}: {value}", column.name);
        }
    }
}

/// A2: rows of an entity stay together where they fit.
#[test]
fn passes_end_between_entities_where_they_can() {
    let rows = |counts: &[(u64, usize)]| -> Vec<PlacedRow> {
        let row = |id: u64| (EntityId::new(id), Timestamp::MIN, 0);
        counts.iter().flat_map(|&(id, count)| vec![row(id); count]).collect()
    };
    let lengths = |counts: &[(u64, usize)], max| -> Vec<usize> {
        passes(&rows(counts), max).iter().map(|part| part.len()).collect()
    };
    assert_eq!(lengths(&[(1, 3), (2, 3), (3, 3)], 4), [3, 3, 3]);
    assert_eq!(lengths(&[(1, 3), (2, 3), (3, 3)], 6), [6, 3]);
    assert_eq!(lengths(&[(1, 10), (2, 1)], 4), [4, 4, 3]);
    assert_eq!(lengths(&[(1, 2), (2, 10)], 4), [2, 4, 4, 2]);
    assert_eq!(lengths(&[(1, 2)], 0), [1, 1]);
    assert_eq!(lengths(&[], 4), [0; 0]);
}

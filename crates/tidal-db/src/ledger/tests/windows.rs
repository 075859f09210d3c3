//! Counts, sums and velocities against their definition, and what may be read.

use tidal_types::TidalError;

use super::*;

const MINUTE: u64 = 60_000_000_000;

/// A read time in which the given window, or none, ends among the events.
fn any_read() -> impl Strategy<Value = (Option<Window>, f64, u64)> {
    (prop::option::of(prop::sample::select(SLIDING.to_vec())), 0.0..1.1_f64, any_delay())
}

fn read_time(newest: u64, (window, fraction, delay): (Option<Window>, f64, u64)) -> u64 {
    let span = window.and_then(Window::duration);
    newest.saturating_add(span.map_or(delay, |span| (span.as_nanos() as f64 * fraction) as u64))
}

proptest! {
    #[test]
    fn counts_are_within_the_oldest_bucket_and_exact_while_sparse(events in any_events(80), read in any_read()) {
        let mut fixture = Fixture::new(DecaySpec::Permanent);
        let reference = fixture.feed(&events);
        let at = read_time(reference.newest(), read);
        for window in SLIDING {
            let (exact, got) = (reference.count(window, at), fixture.count(1, window, at));
            let bound = if events.len() <= 4 { 0 } else { reference.oldest_bucket(window, at).0 };
            prop_assert!(exact.abs_diff(got) <= bound, "{window}: {got} for {exact}, bound {bound}");
        }
        prop_assert_eq!(fixture.count(1, Window::AllTime, at), reference.len());
    }

    #[test]
    fn sums_are_within_the_oldest_bucket_and_exact_while_sparse(events in any_events(80), read in any_read()) {
        let mut fixture = Fixture::new(DecaySpec::Permanent);
        let reference = fixture.feed(&events);
        let at = read_time(reference.newest(), read);
        for window in SLIDING {
            let ((exact, scale), got) = (reference.sum(window, at), fixture.sum(1, window, at));
            let bound = if events.len() <= 4 { 0.0 } else { reference.oldest_bucket(window, at).1 };
            prop_assert!((exact - got).abs() <= bound + 1e-9 * (scale + bound), "{window}: {got} for {exact}");
        }
        let (exact, scale) = reference.permanent();
        prop_assert!((fixture.sum(1, Window::AllTime, at) - exact).abs() <= 1e-9 * scale);
    }

    #[test]
    fn velocity_is_count_over_length(events in any_events(20), read in any_read()) {
        let mut fixture = Fixture::new(DecaySpec::Permanent);
        let at = Timestamp::from_nanos(read_time(fixture.feed(&events).newest(), read));
        for window in SLIDING {
            let (signal, id) = (fixture.signal(), EntityId::new(1));
            let count = fixture.ledger.count(signal, id, window, at).unwrap();
            let velocity = fixture.ledger.velocity(signal, id, window, at).unwrap();
            prop_assert_eq!(velocity, count as f64 / window.duration().unwrap().as_secs_f64());
        }
    }

    /// Whole weights, seconds and widths, so that sums are exact in every order.
    #[test]
    fn buckets_do_not_depend_on_the_order_of_arrival(
        decay in prop_oneof![
            Just(DecaySpec::Permanent),
            (1..100_000_u64).prop_map(|minutes| DecaySpec::Linear { lifetime: Duration::from_secs(60 * minutes) }),
        ],
        (events, shuffled) in any_events(60)
            .prop_map(|events| events.into_iter().map(whole).collect::<Vec<_>>())
            .prop_filter("bucketed", |events| events.len() > 4)
            .prop_flat_map(|events| (Just(events.clone()), Just(events).prop_shuffle())),
        delay in any_delay(),
    ) {
        let (mut a, mut b) = (Fixture::new(decay), Fixture::new(decay));
        let at = a.feed(&events).newest().saturating_add(delay);
        b.feed(&shuffled);
        prop_assert_eq!(a.canonical(), b.canonical());
        prop_assert_eq!(a.score(1, at).to_bits(), b.score(1, at).to_bits());
        for window in Window::ALL {
            prop_assert_eq!(a.count(1, window, at), b.count(1, window, at));
            prop_assert_eq!(a.sum(1, window, at).to_bits(), b.sum(1, window, at).to_bits());
        }
    }

    /// An exponential score is folded, and so its last bits alone depend on it.
    #[test]
    fn an_exponential_score_depends_on_the_order_only_by_rounding(
        half_life in any_span(),
        (events, shuffled) in any_events(60).prop_flat_map(|events| (Just(events.clone()), Just(events).prop_shuffle())),
    ) {
        let (mut a, mut b) = (Fixture::new(exponential(half_life)), Fixture::new(exponential(half_life)));
        let reference = a.feed(&events);
        b.feed(&shuffled);
        let (_, scale) = reference.exponential(half_life, reference.newest());
        let off = (a.score(1, reference.newest()) - b.score(1, reference.newest())).abs();
        prop_assert!(off <= 1e-11 * scale + f64::MIN_POSITIVE);
    }
}

fn whole((time, weight): (u64, f64)) -> (u64, f64) {
    (time - time % 1_000_000_000, weight.clamp(-1e6, 1e6).round() + 0.0)
}

#[test]
fn a_cell_is_exact_up_to_its_fourth_event_and_bucketed_from_the_fifth() {
    let mut fixture = Fixture::new(DecaySpec::Permanent);
    // The cut will be in the middle of the minute, and all events after it.
    for second in [50, 51, 52, 53] {
        fixture.apply(1, second * 1_000_000_000, 1.0);
    }
    let at = 60 * MINUTE + MINUTE / 2;
    assert_eq!(fixture.count(1, Window::OneHour, at), 4);
    fixture.apply(1, 54_000_000_000, 1.0);
    assert_eq!(
        fixture.count(1, Window::OneHour, at),
        2,
        "half of five, less one of the bucket's instants"
    );
    assert_eq!(fixture.count(1, Window::TwentyFourHours, at), 5);
}

#[test]
fn a_window_is_open_at_its_old_end_and_closed_at_its_new_one() {
    let mut fixture = Fixture::new(DecaySpec::Permanent);
    fixture.apply(1, 0, 1.0);
    assert_eq!(fixture.count(1, Window::OneHour, 0), 1);
    assert_eq!(fixture.count(1, Window::OneHour, 60 * MINUTE - 1), 1);
    assert_eq!(fixture.count(1, Window::OneHour, 60 * MINUTE), 0);
}

#[test]
fn what_the_schema_does_not_declare_is_refused() {
    let mut builder = SchemaBuilder::new();
    builder
        .signal("view", EntityKind::Item, DecaySpec::Permanent)
        .windows(&[Window::OneHour])
        .add();
    builder
        .signal("like", EntityKind::Item, DecaySpec::Permanent)
        .windows(&[Window::OneHour, Window::AllTime])
        .velocity(true)
        .sums(true)
        .add();
    let fixture = Fixture::with_schema(builder.build().unwrap());
    let (ledger, id, at) = (&fixture.ledger, EntityId::new(1), Timestamp::MIN);
    let (view, like) = (fixture.signal(), ledger.schema().signal("like").unwrap());

    let declared = vec![Window::OneHour];
    match ledger.count(view, id, Window::AllTime, at) {
        Err(TidalError::WindowNotDeclared { signal, window: Window::AllTime, declared: known }) => {
            assert_eq!((signal.as_str(), known), ("view", declared));
        }
        other => panic!("{other:?}"),
    }
    let velocity =
        |signal, window| ledger.velocity(signal, id, window, at).map_err(|error| error.to_string());
    let not_declared = |window: Window| format!("{:?}", ledger.velocity(like, id, window, at));
    assert!(not_declared(Window::AllTime).contains("VelocityNotDeclared"));
    assert!(not_declared(Window::SevenDays).contains("WindowNotDeclared"));
    assert!(velocity(view, Window::OneHour).unwrap_err().contains("velocity"));
    assert_eq!(velocity(like, Window::OneHour), Ok(0.0));

    assert!(format!("{:?}", ledger.sum(view, id, Window::OneHour, at)).contains("SumsNotDeclared"));
    assert!(
        format!("{:?}", ledger.sum(like, id, Window::ThirtyDays, at)).contains("WindowNotDeclared")
    );
    assert_eq!(ledger.sum(like, id, Window::AllTime, at).unwrap(), 0.0);

    let top = |by| format!("{:?}", ledger.top(view, by, 1, at));
    assert!(top(crate::ledger::By::Count(Window::SevenDays)).contains("WindowNotDeclared"));
    assert!(top(crate::ledger::By::Velocity(Window::OneHour)).contains("VelocityNotDeclared"));
}

//! Readers beside the writer.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use super::*;
use crate::ledger::By;

#[test]
fn readers_see_cells_between_events_only_p1() {
    let mut fixture = Fixture::new(exponential(Duration::from_secs(1)));
    let mut builder = SchemaBuilder::new();
    builder
        .signal("view", EntityKind::Item, DecaySpec::Permanent)
        .windows(&Window::ALL)
        .sums(true)
        .add();
    fixture.ledger = SignalLedger::new(Arc::new(builder.build().unwrap()));
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let mut seen = 0;
                while !done.load(Ordering::Acquire) {
                    let at = fixture.ledger.newest_event().unwrap_or_default().as_nanos();
                    let count = fixture.count(1, Window::AllTime, at);
                    let (sum, later) =
                        (fixture.score(1, at), fixture.count(1, Window::AllTime, at));
                    assert!(
                        seen <= count && count as f64 * 2.0 <= sum && sum <= later as f64 * 2.0
                    );
                    assert!(
                        fixture.count(1, Window::OneHour, at)
                            <= fixture.count(1, Window::ThirtyDays, at)
                    );
                    let at = Timestamp::from_nanos(at);
                    let top = fixture.ledger.top(fixture.signal(), By::Score, 3, at).unwrap();
                    assert!(top.windows(2).all(|pair| pair[0].value >= pair[1].value));
                    seen = later;
                }
            });
        }
        for seq in 1..20_000 {
            fixture.apply_as(Seq::new(seq), seq % 5, seq * 1_000_000_000, 2.0);
        }
        done.store(true, Ordering::Release);
    });
    assert_eq!(fixture.score(1, u64::MAX), 8_000.0);
}

/// N1
#[test]
fn a_reading_is_of_one_moment_n1() {
    let mut builder = SchemaBuilder::new();
    builder.signal("view", EntityKind::Item, DecaySpec::Permanent).windows(&Window::ALL).add();
    let fixture = Fixture::with_schema(builder.build().unwrap());
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut last = 0;
            while !done.load(Ordering::Acquire) || last == 0 {
                let at = fixture.ledger.newest_event().unwrap_or_default();
                let windows = [Window::AllTime, Window::ThirtyDays, Window::AllTime];
                let id = EntityId::new(1);
                let read = fixture.ledger.reading(fixture.signal(), id, windows, at).unwrap();
                assert_eq!(read.counts, [read.score as u64; 3]);
                last = read.counts[0];
            }
        });
        for seq in 1..50_000 {
            fixture.apply_as(Seq::new(seq), 1, seq, 1.0);
        }
        done.store(true, Ordering::Release);
        reader.join().unwrap();
    });
}

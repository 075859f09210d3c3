//! What a quiet cell costs.

use super::*;

/// How many bytes a cell takes that has up to four events, everything counted.
const QUIET_BYTES_MAX: f64 = 96.0;

fn quiet_cells(ids: impl Iterator<Item = u64>) -> SignalLedger {
    let fixture = Fixture::new(DecaySpec::Permanent);
    for (seq, id) in (1..).zip(ids) {
        fixture.apply_as(Seq::new(seq), id, seq, 1.0);
    }
    fixture.ledger
}

/// G87: after a million cells, and with every index just before it grows and just after,
/// when half of it is empty.
#[test]
fn a_quiet_cell_takes_at_most_96_bytes_everything_counted() {
    let million = 1_000_000;
    let ledger = quiet_cells(0..million);
    let each = ledger.memory_bytes() as f64 / million as f64;
    println!("{each:.2} bytes a cell at 1,000,000");
    assert!(each <= QUIET_BYTES_MAX && each > 81.0, "{each}");

    let (mut least, mut most) = (f64::MAX, 0.0_f64);
    let fixture = Fixture::new(DecaySpec::Permanent);
    for seq in 1..=500_000_u64 {
        fixture.apply_as(Seq::new(seq), seq * 7919, seq, 1.0);
        if seq > 200_000 && seq % 500 == 0 {
            let each = fixture.ledger.memory_bytes() as f64 / seq as f64;
            (least, most) = (least.min(each), most.max(each));
        }
    }
    println!("{least:.2} to {most:.2} bytes a cell between 200,000 and 500,000");
    assert!(most <= QUIET_BYTES_MAX && most > least + 3.0, "{least} to {most}");
}

/// Four events take no more than one.
#[test]
fn a_quiet_cell_does_not_grow() {
    let ledger = quiet_cells((0..10_000).chain(0..10_000).chain(0..10_000).chain(0..10_000));
    assert_eq!(ledger.cell_count(), 10_000);
    assert_eq!(ledger.resident_bytes(), quiet_cells(0..10_000).resident_bytes());
}

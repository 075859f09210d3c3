use std::collections::{BTreeMap, BTreeSet};

use super::{Needs, cases};

/// What each group holds at least.
const AT_LEAST: [(&str, usize); 8] = [
    ("crud", 20),
    ("range_scans", 15),
    ("prefix_scans", 10),
    ("batches", 15),
    ("transactions", 15),
    ("durability", 10),
    ("concurrency", 10),
    ("errors", 10),
];

#[test]
fn every_group_has_its_cases_for_every_engine() {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for case in cases().iter().filter(|case| case.needs() == Needs::Nothing) {
        *counts.entry(case.group()).or_default() += 1;
    }
    assert_eq!(counts.len(), AT_LEAST.len());
    for (group, least) in AT_LEAST {
        assert!(counts[group] >= least, "{group} has {} cases of {least}", counts[group]);
    }
}

#[test]
fn a_case_has_one_name() {
    let names: BTreeSet<_> = cases().iter().map(|case| (case.group(), case.name())).collect();
    assert_eq!(names.len(), cases().len());
}

/// "G40": every row of the table of isolation levels has a case of its name, and the
/// other way round.
#[test]
fn the_table_of_anomalies_names_the_cases() {
    let rows = include_str!("../transaction/isolation.rs").lines();
    let rows = rows.filter_map(|line| line.strip_prefix("/// | "));
    let rows = rows.filter(|row| row.contains("prevented"));
    let named: BTreeSet<String> =
        rows.map(|row| row.split(" |").next().unwrap().trim().replace([' ', '-'], "_")).collect();
    let written = include_str!("transactions/anomalies.rs").lines().filter_map(|line| {
        line.strip_prefix("pub(in super::super) fn ")?.split('(').next().map(str::to_owned)
    });
    assert_eq!(named, written.collect());
    assert!(named.iter().all(|name| super::find("transactions", name).is_some()));
}

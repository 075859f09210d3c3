//! The proof of the conformance suite: engines that get one thing wrong, each of which
//! some case catches, and for each case an engine that it catches.
//!
//! The engines are sound ones behind a wrapper with one switch: at the driver, at the
//! storage, or where files are opened. With the switch off every case passes.

mod driver;
mod files;
mod storage;

use std::collections::BTreeSet;
use std::fmt::Debug;

use tidal_storage::conformance::{Case, Factory, Outcome, cases};

use self::driver::DriverFault;
use self::storage::StorageFault;
use crate::conformance::InMemory;

/// An engine with a fault.
struct Faulty {
    name: String,
    factory: Box<dyn Factory>,
    /// The only group whose cases look at what is wrong, if there is one: those of an
    /// engine on disk take long.
    group: Option<&'static str>,
}

impl Faulty {
    fn in_memory(fault: &impl Debug, factory: impl Factory + 'static) -> Self {
        Self { name: format!("{fault:?}"), factory: Box::new(factory), group: None }
    }

    fn is_caught_by(&self, case: &Case) -> bool {
        self.group.is_none_or(|group| group == case.group())
            && matches!(case.run(&*self.factory), Outcome::Failed(_))
    }
}

fn faulty_engines() -> Vec<Faulty> {
    let drivers = DriverFault::ALL.iter();
    let drivers = drivers.map(|fault| Faulty::in_memory(fault, driver::Engine(Some(*fault))));
    let storages = StorageFault::ALL.iter();
    let storages = storages.map(|fault| Faulty::in_memory(fault, storage::Engine(Some(*fault))));
    drivers.chain(storages).chain(files::faulty_engines()).collect()
}

#[test]
fn every_faulty_engine_is_caught() {
    let missed: Vec<String> = faulty_engines()
        .into_iter()
        .filter(|faulty| !cases().iter().any(|case| faulty.is_caught_by(case)))
        .map(|faulty| faulty.name)
        .collect();
    assert!(missed.is_empty(), "no case catches {missed:?}");
}

/// Cases that no wrapper here makes fail: what they look at is above the engines, in code
/// that all of them share and that has tests of its own.
#[cfg(feature = "fjall")]
const ABOVE_THE_ENGINES: &[&str] = &[
    "a_savepoint_that_is_gone_is_refused",
    "a_scan_shows_the_transaction_as_it_was",
    "a_transaction_conflicts",
    "a_transaction_without_writes_commits",
    "an_update_that_fails_writes_nothing",
    "nobody_else_sees_what_is_not_committed",
    "own_writes_are_not_reads",
    "own_writes_are_read",
    "sequences_do_not_share_ids",
    "transact_does_not_retry_what_its_work_fails_with",
    "what_was_rolled_back_does_not_conflict",
];

// Without an engine on disk nothing catches who opens a directory wrongly.
#[cfg(feature = "fjall")]
#[test]
fn every_case_catches_a_faulty_engine() {
    let faulty = faulty_engines();
    let idle: BTreeSet<&str> = cases()
        .iter()
        .filter(|case| !faulty.iter().any(|faulty| faulty.is_caught_by(case)))
        .map(Case::name)
        .collect();
    assert_eq!(idle, ABOVE_THE_ENGINES.iter().copied().collect());
}

#[test]
fn the_wrappers_are_sound_when_their_switch_is_off() {
    let sound: [(&str, &dyn Factory); 2] =
        [("driver", &driver::Engine(None)), ("storage", &storage::Engine(None))];
    for (wrapper, factory) in sound {
        for case in cases() {
            if let Outcome::Failed(failure) = case.run(factory) {
                panic!("{wrapper}: {failure}");
            }
        }
    }
}

#[test]
fn a_failure_names_the_case_and_what_was_seen() {
    let case = tidal_storage::conformance::find("crud", "deleting_removes").unwrap();
    let failure = case.run(&driver::Engine(Some(DriverFault::LosesDeletes))).into_result();
    let failure = failure.unwrap_err();
    assert_eq!(failure.message(), "a deleted key: seen \"value\", expected \"-\"");
    let told = failure.to_string();
    assert!(told.starts_with("conformance case crud::deleting_removes failed: "), "{told}");
    assert!(told.contains("crud.rs:"), "{told}");
}

#[test]
fn a_panic_of_the_engine_is_a_failure_of_the_case() {
    let case = tidal_storage::conformance::find("crud", "compacting_changes_nothing_that_is_read");
    let engine = driver::Engine(Some(DriverFault::PanicsOnCompact));
    let failure = case.unwrap().run(&engine).into_result().unwrap_err();
    assert_eq!(failure.message(), "the engine panicked: out of ideas");
}

#[test]
fn a_case_that_is_ruled_out_has_not_passed() {
    let case = tidal_storage::conformance::find("durability", "a_second_open_is_refused").unwrap();
    let outcome = case.run(&InMemory);
    assert!(
        matches!(outcome, Outcome::NotApplicable("the engine keeps nothing on disk")),
        "{outcome:?}"
    );
}

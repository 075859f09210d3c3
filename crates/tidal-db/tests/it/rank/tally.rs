//! What random questions have met on their way, which would prove little if it were not.

use std::collections::BTreeMap;

/// How often things were met.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) questions: u64,
    /// Pages behind the first.
    pub(crate) further_pages: u64,
    pub(crate) places: u64,
    /// Neighbours with the same value.
    pub(crate) ties: u64,
    pub(crate) filtered: u64,
    pub(crate) methods: BTreeMap<&'static str, u64>,
    /// Steps by kind.
    pub(crate) steps: BTreeMap<&'static str, u64>,
    pub(crate) cut_short: u64,
    /// Steps that were taken after cells had left memory.
    pub(crate) short_of_memory: u64,
}

impl Tally {
    pub(crate) fn add(&mut self, other: &Self) {
        self.questions += other.questions;
        self.further_pages += other.further_pages;
        self.places += other.places;
        self.ties += other.ties;
        self.filtered += other.filtered;
        self.cut_short += other.cut_short;
        self.short_of_memory += other.short_of_memory;
        for (mine, others) in [(&mut self.methods, &other.methods), (&mut self.steps, &other.steps)]
        {
            for (name, count) in others {
                *mine.entry(name).or_default() += count;
            }
        }
    }

    pub(crate) fn expect_all_kinds(&self) {
        for method in ["threshold", "candidates", "scan"] {
            assert!(self.methods.contains_key(method), "no page was found by {method}: {self:?}");
        }
        for step in ["events", "attributes", "forget", "checkpoint", "interrupted", "crash"] {
            assert!(self.steps.contains_key(step), "there was no {step}: {self:?}");
        }
        let Self { further_pages, ties, filtered, cut_short, short_of_memory, .. } = *self;
        let others = [further_pages, ties, filtered, cut_short, short_of_memory];
        assert!(others.iter().all(|count| *count > 50), "{self:?}");
    }
}

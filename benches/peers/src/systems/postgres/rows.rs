//! A batch, summed up into what it changes in each row, as the columns that are sent.
//!
//! P1. Rows are in the order of their keys, so that all clients lock them in one order.

use std::collections::HashMap;

use postgres::types::ToSql;
use tidal_bench_measure::Result;

use crate::job::{Decayed, Event, WINDOWS};

#[derive(Debug, Default)]
pub(super) struct Rows {
    sums: HashMap<i64, Decayed>,
    counts: HashMap<(i64, i16, i32), i32>,
    items: Vec<i64>,
    item_sums: Vec<f64>,
    item_times: Vec<i64>,
    bucket_items: Vec<i64>,
    bucket_spans: Vec<i16>,
    bucket_numbers: Vec<i32>,
    bucket_counts: Vec<i32>,
}

impl Rows {
    /// Replaces what there is by these events.
    pub(super) fn fill(&mut self, events: &[Event]) -> Result<()> {
        for event in events {
            let item = i64::try_from(event.item)?;
            self.sums.entry(item).or_default().add(event.weight, event.time);
            for (span, window) in (0..).zip(WINDOWS) {
                let number = i32::try_from(window.bucket(event.time))?;
                *self.counts.entry((item, span, number)).or_default() += 1;
            }
        }
        let mut sums: Vec<_> = self.sums.drain().collect();
        sums.sort_unstable_by_key(|&(item, _)| item);
        self.items = sums.iter().map(|&(item, _)| item).collect();
        self.item_sums = sums.iter().map(|(_, decayed)| decayed.sum).collect();
        self.item_times = sums.iter().map(|(_, decayed)| decayed.since as i64).collect();
        let mut counts: Vec<_> = self.counts.drain().collect();
        counts.sort_unstable();
        self.bucket_items = counts.iter().map(|&((item, ..), _)| item).collect();
        self.bucket_spans = counts.iter().map(|&((_, span, _), _)| span).collect();
        self.bucket_numbers = counts.iter().map(|&((.., number), _)| number).collect();
        self.bucket_counts = counts.iter().map(|&(_, count)| count).collect();
        Ok(())
    }

    /// The columns, in the order of the statement that writes.
    pub(super) fn parameters(&self) -> [&(dyn ToSql + Sync); 7] {
        [
            &self.items,
            &self.item_sums,
            &self.item_times,
            &self.bucket_items,
            &self.bucket_spans,
            &self.bucket_numbers,
            &self.bucket_counts,
        ]
    }
}

//! The definitions, taken literally: a list of events and one pass over it per
//! read. It shares no code with the ledger.

use std::time::Duration;

use tidal_types::Window;

/// The events of one entity.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reference {
    events: Vec<(u64, f64)>,
}

impl Reference {
    pub(crate) fn push(&mut self, time: u64, weight: f64) {
        self.events.push((time, weight));
    }

    pub(crate) fn len(&self) -> u64 {
        self.events.len() as u64
    }

    pub(crate) fn newest(&self) -> u64 {
        self.events.iter().map(|event| event.0).max().unwrap()
    }

    /// The score and the sum of the absolute contributions to it.
    pub(crate) fn exponential(&self, half_life: Duration, at: u64) -> (f64, f64) {
        let half_life = half_life.as_nanos() as f64;
        self.total(|time, weight| weight * (-((at - time) as f64) / half_life).exp2())
    }

    /// The score and the sum of the absolute contributions to it.
    pub(crate) fn permanent(&self) -> (f64, f64) {
        self.total(|_, weight| weight)
    }

    /// The score and the sum of the absolute contributions to it.
    pub(crate) fn linear(&self, lifetime: Duration, at: u64) -> (f64, f64) {
        let lifetime = lifetime.as_nanos();
        self.total(|time, weight| {
            let left = lifetime.saturating_sub(u128::from(at - time));
            weight * (left as f64 / lifetime as f64)
        })
    }

    /// The absolute weights of the events in the bucket that holds `at - span`.
    pub(crate) fn edge_weight(&self, span: Duration, width: u64, at: u64) -> f64 {
        self.edge(span, width, at).map(|weight| weight.abs()).sum()
    }

    pub(crate) fn count(&self, window: Window, at: u64) -> u64 {
        self.within(window, at).count() as u64
    }

    /// The sum and the sum of the absolute weights.
    pub(crate) fn sum(&self, window: Window, at: u64) -> (f64, f64) {
        let weights: Vec<f64> = self.within(window, at).collect();
        (weights.iter().sum(), weights.iter().map(|weight| weight.abs()).sum())
    }

    /// How many events are in the bucket, a sixtieth of the window, that holds
    /// the time at which the window begins.
    pub(crate) fn oldest_bucket(&self, window: Window, at: u64) -> (u64, f64) {
        let span = window.duration().unwrap();
        let width = (span / 60).as_nanos() as u64;
        (self.edge(span, width, at).count() as u64, self.edge_weight(span, width, at))
    }

    fn total(&self, contribution: impl Fn(u64, f64) -> f64) -> (f64, f64) {
        let contributions = || self.events.iter().map(|&(time, weight)| contribution(time, weight));
        (contributions().sum(), contributions().map(f64::abs).sum())
    }

    fn edge(&self, span: Duration, width: u64, at: u64) -> impl Iterator<Item = f64> {
        let begin =
            u128::from(at).checked_sub(span.as_nanos()).map(|begin| begin / u128::from(width));
        let inside = move |time: u64| Some(u128::from(time / width)) == begin;
        self.events.iter().filter(move |event| inside(event.0)).map(|event| event.1)
    }

    fn within(&self, window: Window, at: u64) -> impl Iterator<Item = f64> {
        let span = window.duration().map_or(u128::MAX, |span| span.as_nanos());
        let inside = move |time: u64| time <= at && u128::from(at - time) < span;
        self.events.iter().filter(move |event| inside(event.0)).map(|event| event.1)
    }
}

//! Clients at work beside each other.
//!
//! A1. The events of a data set are sent once each: clients take the next ones in turns.
//! A2. What is counted is an operation that was answered: of a batch each event, a reading.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use tidal_bench_measure::{Random, Result, now};

use crate::data::Popular;
use crate::job::{BATCH, Event};
use crate::system::{Client, System};

/// What clients do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Load {
    /// Batches, several on their way.
    Batches { clients: u64 },
    /// Event by event, each answered before the next.
    OneByOne { clients: u64 },
    /// The same, and nine readings for each event, of items that are popular or not.
    Mixed { clients: u64 },
}

impl Load {
    /// What is measured after the first batches, in this order.
    pub(crate) const ALL: [Self; 5] = [
        Self::Batches { clients: 8 },
        Self::OneByOne { clients: 1 },
        Self::OneByOne { clients: 8 },
        Self::Mixed { clients: 1 },
        Self::Mixed { clients: 8 },
    ];

    const fn clients(self) -> u64 {
        match self {
            Self::Batches { clients } | Self::OneByOne { clients } | Self::Mixed { clients } => {
                clients
            }
        }
    }
}

/// Events that are still to be sent.
#[derive(Debug)]
pub(crate) struct Source<'a> {
    events: &'a [Event],
    next: AtomicUsize,
    end: u64,
}

impl<'a> Source<'a> {
    /// These, of items that are read just before `end`.
    pub(crate) const fn new(events: &'a [Event], end: u64) -> Self {
        Self { events, next: AtomicUsize::new(0), end }
    }

    /// The next ones; fewer or none at the end.
    pub(crate) fn take(&self, count: usize) -> &'a [Event] {
        let next = self.next.fetch_add(count, Ordering::Relaxed).min(self.events.len());
        self.events.get(next..(next + count).min(self.events.len())).unwrap_or_default()
    }

    /// How many are left.
    pub(crate) fn left(&self) -> usize {
        self.events.len().saturating_sub(self.next.load(Ordering::Relaxed))
    }
}

/// A load and the clients that carry it.
#[derive(Debug)]
pub(crate) struct Crew {
    load: Load,
    members: Vec<Member>,
}

#[derive(Debug)]
struct Member {
    client: Box<dyn Client>,
    popular: Popular,
    dice: Random,
}

impl Crew {
    /// New clients of a system.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub(crate) fn new(load: Load, system: &dyn System, items: u64) -> Result<Self> {
        let member = |number| {
            Ok(Member {
                client: system.client()?,
                popular: Popular::seeded(items, number),
                dice: Random::new(number + 1),
            })
        };
        Ok(Self { load, members: (0..load.clients()).map(member).collect::<Result<_>>()? })
    }

    /// Works for so long, or until so many events are left, and says how many operations a second
    /// that were.
    ///
    /// # Errors
    ///
    /// What the system says to any client.
    pub(crate) fn work(&mut self, source: &Source<'_>, kept: usize, time: Duration) -> Result<f64> {
        let (load, started) = (self.load, now());
        let counts: Vec<Result<u64>> = thread::scope(|scope| {
            let at_work: Vec<_> = self
                .members
                .iter_mut()
                .map(|member| scope.spawn(move || member.work(load, source, kept, time)))
                .collect();
            let answer = |thread: thread::ScopedJoinHandle<'_, _>| {
                thread.join().unwrap_or_else(|_| Err("a client panicked".into()))
            };
            at_work.into_iter().map(answer).collect()
        });
        let elapsed = started.elapsed().as_secs_f64();
        Ok(counts.into_iter().sum::<Result<u64>>()? as f64 / elapsed)
    }
}

impl Member {
    fn work(
        &mut self,
        load: Load,
        source: &Source<'_>,
        kept: usize,
        time: Duration,
    ) -> Result<u64> {
        let (started, mut done) = (now(), 0);
        while started.elapsed() < time && source.left() > kept {
            done += match load {
                Load::Batches { .. } => self.send(source.take(BATCH))?,
                Load::Mixed { .. } if self.dice.below(10) > 0 => {
                    std::hint::black_box(self.client.read(self.popular.item(), source.end)?);
                    1
                }
                Load::OneByOne { .. } | Load::Mixed { .. } => {
                    let sent = self.send(source.take(1))?;
                    self.client.settle()?;
                    sent
                }
            };
        }
        self.client.settle()?;
        Ok(done)
    }

    fn send(&mut self, events: &[Event]) -> Result<u64> {
        if !events.is_empty() {
            self.client.send(events)?;
        }
        Ok(events.len() as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_event_is_given_out_once() {
        let events: Vec<_> = (0..10).map(|item| Event { item, weight: 1.0, time: 0 }).collect();
        let source = Source::new(&events, 0);
        let items = |events: &[Event]| events.iter().map(|event| event.item).collect::<Vec<_>>();
        assert_eq!(items(source.take(4)), [0, 1, 2, 3]);
        assert_eq!(source.left(), 6);
        assert_eq!(items(source.take(8)), [4, 5, 6, 7, 8, 9]);
        assert_eq!((items(source.take(8)), source.left()), (vec![], 0));
    }
}

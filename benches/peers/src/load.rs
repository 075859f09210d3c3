//! Clients at work beside each other.
//!
//! A1. The events of a data set are sent once each: clients take the next ones in turns.
//! A2. Time is from when the first client begins, all being ready, until the last one's
//!     events are in.
//! A3. What is counted is an operation that was answered: of a batch each event, a reading.

use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

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

    /// How much of all events it is given: batches take them in fastest.
    pub(crate) const fn share(self) -> f64 {
        match self {
            Self::Batches { .. } => 0.25,
            Self::OneByOne { .. } | Self::Mixed { .. } => 0.05,
        }
    }

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

    /// The next ones, fewer or none where only `kept` are to be left.
    pub(crate) fn take(&self, count: usize, kept: usize) -> &'a [Event] {
        let end = self.events.len().saturating_sub(kept);
        let after = |next: usize| Some((next + count).min(end).max(next));
        let (Ok(next) | Err(next)) =
            self.next.fetch_update(Ordering::Relaxed, Ordering::Relaxed, after);
        self.events.get(next..after(next).unwrap_or(next)).unwrap_or_default()
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
        let load = self.load;
        // Where events are few, starting threads would take longer than their work.
        let ready = &Barrier::new(self.members.len());
        let shifts: Vec<Result<Shift>> = thread::scope(|scope| {
            let at_work = self.members.iter_mut().map(|member| {
                scope.spawn(move || {
                    ready.wait();
                    let begun = now();
                    let done = member.work(load, source, kept, time)?;
                    Ok(Shift { done, begun, ended: now() })
                })
            });
            let answer = |thread: thread::ScopedJoinHandle<'_, _>| {
                thread.join().unwrap_or_else(|_| Err("a client panicked".into()))
            };
            at_work.collect::<Vec<_>>().into_iter().map(answer).collect()
        });
        let shifts = shifts.into_iter().collect::<Result<Vec<_>>>()?;
        Ok(rate(&shifts))
    }
}

/// What a member did, and when.
struct Shift {
    done: u64,
    begun: Instant,
    ended: Instant,
}

/// How much was done a second, from when the first began until the last ended.
fn rate(shifts: &[Shift]) -> f64 {
    let done: u64 = shifts.iter().map(|shift| shift.done).sum();
    let begun = shifts.iter().map(|shift| shift.begun).min();
    let ended = shifts.iter().map(|shift| shift.ended).max();
    let elapsed = ended.zip(begun).map(|(ended, begun)| ended - begun).unwrap_or_default();
    done as f64 / elapsed.as_secs_f64()
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
                Load::Batches { .. } => self.send(source.take(BATCH, kept))?,
                Load::Mixed { .. } if self.dice.below(10) > 0 => {
                    std::hint::black_box(self.client.read(self.popular.item(), source.end)?);
                    1
                }
                Load::OneByOne { .. } | Load::Mixed { .. } => {
                    let sent = self.send(source.take(1, kept))?;
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
    fn a_rate_is_from_the_first_beginning_to_the_last_end() {
        let start = now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let shift = |done, begun, ended| Shift { done, begun: at(begun), ended: at(ended) };
        assert_eq!(rate(&[shift(10, 1, 3), shift(20, 0, 2), shift(30, 2, 4)]), 15.0);
    }

    #[test]
    fn each_event_is_given_out_once() {
        let events: Vec<_> = (0..10).map(|item| Event { item, weight: 1.0, time: 0 }).collect();
        let source = Source::new(&events, 0);
        let items = |events: &[Event]| events.iter().map(|event| event.item).collect::<Vec<_>>();
        assert_eq!(items(source.take(4, 5)), [0, 1, 2, 3]);
        assert_eq!(source.left(), 6);
        assert_eq!(items(source.take(4, 5)), [4]);
        assert_eq!((items(source.take(4, 5)), items(source.take(4, 8))), (vec![], vec![]));
        assert_eq!(items(source.take(8, 0)), [5, 6, 7, 8, 9]);
        assert_eq!((items(source.take(8, 0)), source.left()), (vec![], 0));
    }
}

//! Opens what a killed process left behind, checks the answers, and asks for many.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tidal_bench_measure::{Result, Samples, now};

use super::{Order, ROUNDS, Task};
use crate::data::{Data, Popular};
use crate::job::PLACES;
use crate::oracle::Oracle;
use crate::system::System;

/// What was found after a kill.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Served {
    /// From the beginning of opening to the first answer, in milliseconds.
    pub(crate) opening: f64,
    /// Whether the answers were compared with those that they have to be.
    pub(crate) checked: bool,
    /// What was wrong with the answers.
    pub(crate) wrong: Option<String>,
    /// The score and the counts of an item.
    pub(crate) read: Latency,
    /// The ranking.
    pub(crate) top: Latency,
}

/// What a question takes, in microseconds.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Latency {
    /// Of each round.
    pub(crate) medians: Vec<f64>,
    /// What 99 of 100 are below, over all rounds.
    pub(crate) p99: f64,
}

pub(super) fn run(order: &Order, data: &Data) -> Result<(Box<dyn System>, Served)> {
    let item = data.events.first().map(|event| event.item).unwrap_or_default();
    let started = now();
    let system = order.system.open(&order.dir)?;
    let mut client = system.client()?;
    std::hint::black_box(client.read(item, data.end)?);
    let opening = started.elapsed().as_secs_f64() * 1e3;
    let mut served = Served { opening, ..Served::default() };
    if order.task == Task::Open {
        return Ok((system, served));
    }
    served.checked = true;
    if let Err(wrong) = Oracle::new(data).check(&mut *client) {
        served.wrong = Some(wrong.to_string());
        return Ok((system, served));
    }
    let mut popular = Popular::new(data.items);
    let round = Duration::from_secs_f64(order.round);
    served.read = latency(round, || client.read(popular.item(), data.end))?;
    served.top = latency(round, || client.top(PLACES, data.end))?;
    Ok((system, served))
}

/// Asks a question again and again, and measures once it was asked for a round.
fn latency<T>(round: Duration, mut ask: impl FnMut() -> Result<T>) -> Result<Latency> {
    let mut all = Samples::default();
    let mut medians = Vec::new();
    for number in 0..=ROUNDS {
        let (started, mut samples) = (now(), Samples::default());
        while started.elapsed() < round || samples.is_empty() {
            let asked = now();
            std::hint::black_box(ask()?);
            let micros = asked.elapsed().as_secs_f64() * 1e6;
            samples.push(micros);
            if number > 0 {
                all.push(micros);
            }
        }
        if number > 0 {
            medians.push(samples.median());
        }
    }
    Ok(Latency { medians, p99: all.quantile(0.99) })
}

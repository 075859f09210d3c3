//! The simulated crashes of the log and of the whole database, and the log's lives under
//! shuttle, seed after seed, until one fails or the time is over.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::console;
use crate::failure::{Failure, Result};
use crate::models;
use crate::steps::Command;
use crate::workspace;

/// How many seeds one start of the tests tries.
const SEEDS: u64 = 5000;

/// How many of them shuttle tries too.
const MODEL_SEEDS: u64 = 500;

const USAGE: &str = "soak takes --minutes N and --seed S, each a whole number";

/// What was asked for.
#[derive(Debug, Default, PartialEq, Eq)]
struct Soak {
    /// Without it, until someone ends it.
    minutes: Option<u64>,
    /// The first seed; without it, another one each time.
    seed: Option<u64>,
}

/// Runs what the words on the command line ask for.
pub(crate) fn run(words: &[&str]) -> Result<()> {
    let soak = Soak::parse(words).ok_or_else(|| Failure::Usage(USAGE.into()))?;
    let root = workspace::root()?;
    let started = now();
    let end = soak.minutes.map(|minutes| Duration::from_secs(minutes.saturating_mul(60)));
    let mut first = soak.seed.unwrap_or_else(fresh_seed);
    let mut tried = 0;
    while end.is_none_or(|end| started.elapsed() < end) {
        for command in [log(first), database(first), models::soak(first, MODEL_SEEDS)?] {
            command.run(&root).map_err(|_| {
                let problem = "a seed fails, see above; it was among those of";
                Failure::failed(format!("{problem}: {command}"))
            })?;
        }
        first = first.wrapping_add(SEEDS);
        tried += SEEDS;
    }
    console::say(&format!("{tried} seeds passed; the next is {first}"));
    Ok(())
}

impl Soak {
    fn parse(mut words: &[&str]) -> Option<Self> {
        let mut soak = Self::default();
        while let [name, value, rest @ ..] = words {
            let place = match *name {
                "--minutes" => &mut soak.minutes,
                "--seed" => &mut soak.seed,
                _ => return None,
            };
            *place = Some(value.parse().ok()?);
            words = rest;
        }
        words.is_empty().then_some(soak)
    }
}

/// The log on a simulated disk, with the seeds from `first` on.
fn log(first: u64) -> Command {
    simulated("-p tidal-wal --lib simulated::the_log", first)
}

/// The whole database on one.
fn database(first: u64) -> Command {
    simulated("-p tidal-db --lib model::the_database", first)
}

fn simulated(tests: &str, first: u64) -> Command {
    Command::cargo(&format!("test --quiet --release {tests} -- --nocapture"))
        .variable("TIDAL_SIM_SEED", first.to_string())
        .variable("TIDAL_SIM_SEEDS", SEEDS.to_string())
}

/// A seed that nobody has tried: the time, with room for a day's seeds.
#[expect(clippy::disallowed_methods, reason = "each soak is to try other seeds")]
fn fresh_seed() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    now.as_secs() << 24
}

#[expect(clippy::disallowed_methods, reason = "a soak takes as long as was asked for")]
fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minutes_and_seed_are_understood() {
        let soak = |minutes, seed| Some(Soak { minutes, seed });
        assert_eq!(Soak::parse(&[]), soak(None, None));
        assert_eq!(Soak::parse(&["--seed", "7", "--minutes", "10"]), soak(Some(10), Some(7)));
        for words in [&["--minutes"][..], &["--minutes", "x"], &["10"], &["--hours", "1"]] {
            assert_eq!(Soak::parse(words), None, "{words:?}");
        }
    }

    #[test]
    fn a_seed_can_be_replayed_as_it_is_shown() {
        for command in [log(40), database(40)] {
            let shown = command.to_string();
            let expected = "TIDAL_SIM_SEED=40 TIDAL_SIM_SEEDS=5000 cargo test ";
            assert!(shown.starts_with(expected), "{shown}");
        }
    }
}

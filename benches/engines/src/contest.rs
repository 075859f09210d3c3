//! The rounds: in each, every engine does every work both ways, one after the other, so
//! that what else the machine does hits all alike. The order is another one each round.

use std::path::{Path, PathBuf};

use tempfile::TempDir;
use tidal_bench_measure::{Result, Samples, complain, turns};

use crate::data::Data;
use crate::engine::{Engine, Way};
use crate::scale::Scale;
use crate::store::Store;
use crate::work::{self, Work};

/// What one engine came to by one way.
pub(crate) struct Outcome {
    pub(crate) engine: Engine,
    pub(crate) way: Way,
    rates: [Samples; Work::ALL.len()],
    /// What reads take, in microseconds.
    pub(crate) latencies: Samples,
}

impl Outcome {
    /// How much of a work was done a second, round by round; `None` if the engine
    /// cannot do it.
    pub(crate) fn rates(&self, work: Work) -> Option<&Samples> {
        let place = Work::ALL.iter().position(|&known| known == work)?;
        self.rates.get(place).filter(|_| can_do(self.engine, work))
    }
}

fn can_do(engine: Engine, work: Work) -> bool {
    engine.is_durable() || work != Work::Commits
}

struct Contender {
    outcome: Outcome,
    store: Box<dyn Store>,
    // Removed after the store is closed.
    _home: TempDir,
}

pub(crate) struct Contest {
    contenders: Vec<Contender>,
    data: Data,
    dir: PathBuf,
    scale: Scale,
}

impl Contest {
    /// Opens the engines both ways, each with all the keys.
    pub(crate) fn prepare(dir: &Path, engines: &[Engine], scale: Scale) -> Result<Self> {
        let data = Data::new(scale.keys)?;
        let mut contenders = Vec::new();
        for &engine in engines {
            for way in [Way::Native, Way::Through] {
                let home = tempfile::tempdir_in(dir)?;
                let Some(store) = engine.open(way, home.path())? else { continue };
                complain(&format!("filling: {}, {way:?}", engine.name()));
                work::load(&*store, &data, scale.keys)?;
                let outcome = Outcome {
                    engine,
                    way,
                    rates: Default::default(),
                    latencies: Samples::default(),
                };
                contenders.push(Contender { outcome, store, _home: home });
            }
        }
        Ok(Self { contenders, data, dir: dir.to_path_buf(), scale })
    }

    pub(crate) fn run(&mut self) -> Result<()> {
        // The first round is for warming up.
        for round in 0..=self.scale.rounds {
            complain(&format!("round {round} of {}", self.scale.rounds));
            let mut order: Vec<_> = turns(round / 2, self.contenders.len()).collect();
            if round % 2 == 1 {
                order.reverse();
            }
            for (place, work) in Work::ALL.into_iter().enumerate() {
                for &index in &order {
                    self.turn(round, index, place, work)?;
                }
            }
        }
        Ok(())
    }

    fn turn(&mut self, round: usize, index: usize, place: usize, work: Work) -> Result<()> {
        let Some(Contender { outcome, store, .. }) = self.contenders.get_mut(index) else {
            return Ok(());
        };
        if !can_do(outcome.engine, work) {
            return Ok(());
        }
        let rate = if work.is_on_a_new_store() {
            let home = tempfile::tempdir_in(&self.dir)?;
            let opened = outcome.engine.open(outcome.way, home.path())?;
            let store = opened.ok_or("a contender can be opened")?;
            work.run(&*store, &self.data, self.scale, round)?
        } else {
            work.run(&**store, &self.data, self.scale, round)?
        };
        if round == 0 {
            return Ok(());
        }
        outcome.rates.get_mut(place).into_iter().for_each(|rates| rates.push(rate));
        if work == Work::Reads {
            for taken in work::latencies(&**store, &self.data, self.scale.reads, round)? {
                outcome.latencies.push(taken.as_secs_f64() * 1e6);
            }
        }
        Ok(())
    }

    pub(crate) fn results(self) -> Vec<Outcome> {
        self.contenders.into_iter().map(|contender| contender.outcome).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_contender_has_a_sample_of_each_round() {
        let dir = tempfile::tempdir().unwrap();
        let scale = Scale { keys: 1_000, loaded_entries: 500, ..Scale::of(true) };
        let mut contest = Contest::prepare(dir.path(), Engine::ALL, scale).unwrap();
        contest.run().unwrap();
        let results = contest.results();
        assert_eq!(results.len(), 2 * Engine::ALL.len() - 2);
        for outcome in &results {
            for work in Work::ALL {
                let expected =
                    (outcome.engine.is_durable() || work != Work::Commits).then_some(scale.rounds);
                assert_eq!(outcome.rates(work).map(Samples::len), expected, "{work:?}");
            }
            assert_eq!(outcome.latencies.len(), scale.rounds * scale.reads);
        }
    }
}

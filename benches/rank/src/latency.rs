//! How long a question takes, asked again and again at moments that move on.

use std::time::Duration;

use tidal_bench_measure::{Result, Samples, now};
use tidal_db::{RankStatistics, TidalDB, Timestamp};

use crate::question::Question;

/// So much later is a question asked than the one before it.
const STEP: Duration = Duration::from_millis(10);

/// What was measured of a question.
#[derive(Debug, Clone)]
pub(crate) struct Latency {
    /// In microseconds.
    pub(crate) micros: Samples,
    /// Of the last answer.
    pub(crate) statistics: RankStatistics,
}

/// Asks it `times` times, after it was asked once.
pub(crate) fn measure(
    db: &TidalDB,
    question: Question,
    from: Timestamp,
    times: u32,
) -> Result<Latency> {
    let mut statistics = question.ask(db, from)?.statistics;
    let mut micros = Samples::default();
    for number in 1..=times {
        let query = question.query().at(from.saturating_add(number * STEP));
        let started = now();
        let page = db.rank(&query)?;
        micros.push(started.elapsed().as_secs_f64() * 1e6);
        statistics = std::hint::black_box(page).statistics;
    }
    Ok(Latency { micros, statistics })
}

/// The number of times that takes about as long for each question.
pub(crate) const fn times(question: Question, is_quick: bool) -> u32 {
    if is_quick {
        return 20;
    }
    match question {
        Question::Top => 20_000,
        Question::Mixture => 4_000,
        Question::Filter | Question::Filter10 | Question::Window => 1_000,
    }
}

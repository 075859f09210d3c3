//! The first hundred of ten thousand items: by a score, and by a mixture of three.

use std::path::Path;

use tidal_bench_measure::{Result, Zipf};
use tidal_db::{By, Query, TidalDB, Timestamp, score};

use crate::Work;
use crate::world::{LIKE, SHARE, VIEW, event, schema, send};

const ITEMS: u64 = 10_000;
const EVENTS: usize = 40_000;
const PLACES: usize = 100;
const QUESTIONS: u64 = 200;

pub(crate) fn top(_dir: &Path) -> Result<Work> {
    ask(|db, at| Ok(db.top_at(VIEW, By::Score, PLACES, at)?.len()))
}

pub(crate) fn mixture(_dir: &Path) -> Result<Work> {
    ask(|db, at| {
        let by = score(VIEW) + 3.0 * score(LIKE) + 10.0 * score(SHARE);
        Ok(db.rank(&Query::items().by(by).limit(PLACES).at(at))?.entries.len())
    })
}

/// An operation is a question. The first one, which makes the indexes, is asked before.
fn ask(question: fn(&TidalDB, Timestamp) -> Result<usize>) -> Result<Work> {
    let db = TidalDB::in_memory(schema()?)?;
    // Each item has a view first. Of ten others two are not views.
    let mut events: Vec<_> = (1..=ITEMS).map(|item| event(VIEW, item, item)).collect();
    for (item, index) in Zipf::new(ITEMS, 1.0).take(EVENTS).zip(0_u64..) {
        let signal = match index % 10 {
            3 => LIKE,
            7 => SHARE,
            _ => VIEW,
        };
        events.push(event(signal, item, ITEMS + index));
    }
    send(&db, &events)?;
    let at = db.newest_event().ok_or("the database has no event")?;
    let ask = move || match question(&db, at)? {
        PLACES => Ok(()),
        places => Err(format!("{places} places instead of {PLACES}").into()),
    };
    ask()?;
    let run = move || (0..QUESTIONS).try_for_each(|_| ask());
    Ok(Work { operations: QUESTIONS, run: Box::new(run) })
}

//! `tidal rank`: a ranking by what a query makes up.

mod asked;
mod shown;

use tidal_db::{RankedEntity, TidalDB, Timestamp};

use super::staleness;
use crate::args::{Global, RankArgs};
use crate::database;
use crate::failure::Failure;
use crate::moment::Moment;
use crate::output::{print, print_json};

use asked::Asked;

pub(super) fn run(global: &Global, args: &RankArgs) -> Result<(), Failure> {
    let read = asked::read(args)?;
    let db = database::open(global)?;
    let asked = Asked::of(&db, args, read)?;
    let page = db.rank(&asked.query)?;
    let entries = page
        .entries
        .iter()
        .map(|ranked| Entry::read(&db, &asked, ranked))
        .collect::<Result<Vec<_>, _>>()?;
    hint(&db, &asked, page.at);
    if global.json {
        print_json(&shown::json(&page, &entries))
    } else {
        print(&shown::text(&asked, &page, &entries))
    }
}

/// A place in the ranking, with the name of who has it.
struct Entry<'p> {
    ranked: &'p RankedEntity,
    name: Option<Vec<u8>>,
}

impl<'p> Entry<'p> {
    fn read(db: &TidalDB, asked: &Asked, ranked: &'p RankedEntity) -> Result<Self, Failure> {
        Ok(Self { ranked, name: db.entity_name(asked.kind, ranked.id)? })
    }
}

/// Says that nothing recent is there, where that matters to the signals of the score.
fn hint(db: &TidalDB, asked: &Asked, at: Timestamp) {
    let words = || asked.by.split(|one: char| !one.is_ascii_alphanumeric() && one != '_');
    let signals = db.schema().signals().iter();
    let decays: Vec<_> = signals
        .filter(|signal| words().any(|word| word == signal.name()))
        .map(|signal| signal.decay())
        .collect();
    if !decays.is_empty() {
        let moment = if asked.at_is_now { Moment::Now } else { Moment::At(at) };
        staleness::hint(db, moment, at, &decays);
    }
}

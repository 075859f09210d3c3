//! The questions that are asked, each with what it may take.

use tidal_bench_measure::Result;
use tidal_db::{Expr, Filter, Page, Query, TidalDB, Timestamp, Window, attribute, count, score};

use crate::world::{LIKE, SHARE, VIEW};

/// How many places a page has.
pub(crate) const PLACES: usize = 100;

/// Something that is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Question {
    Top,
    Mixture,
    Filter,
    Filter10,
    Window,
}

impl Question {
    pub(crate) const ALL: [Self; 5] =
        [Self::Top, Self::Mixture, Self::Filter, Self::Filter10, Self::Window];

    /// Its name on the command line.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Top => "top",
            Self::Mixture => "mixture",
            Self::Filter => "filter",
            Self::Filter10 => "filter10",
            Self::Window => "window",
        }
    }

    /// What it asks, for the tables.
    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::Top => "one signal",
            Self::Mixture => "three signals",
            Self::Filter => "three signals, of 1% of the items",
            Self::Filter10 => "three signals, of 10% of the items",
            Self::Window => "events of the last 24 h",
        }
    }

    /// What the median may be with a million items, in microseconds.
    pub(crate) const fn target(self) -> Option<f64> {
        match self {
            Self::Top => Some(20.0),
            Self::Mixture => Some(300.0),
            Self::Filter => Some(2000.0),
            Self::Filter10 | Self::Window => None,
        }
    }

    fn by(self) -> Expr {
        match self {
            Self::Top => score(VIEW),
            Self::Mixture | Self::Filter | Self::Filter10 => {
                score(VIEW) + 3.0 * score(LIKE) + 10.0 * score(SHARE)
            }
            Self::Window => count(VIEW, Window::TwentyFourHours),
        }
    }

    fn filter(self) -> Option<Filter> {
        match self {
            Self::Filter => Some(attribute("percent").equals("v7")),
            Self::Filter10 => Some(attribute("tenth").equals("v7")),
            Self::Top | Self::Mixture | Self::Window => None,
        }
    }

    /// The query for the first page.
    pub(crate) fn query(self) -> Query {
        let query = Query::items().by(self.by()).limit(PLACES);
        match self.filter() {
            Some(filter) => query.filter(filter),
            None => query,
        }
    }

    /// Asks it.
    pub(crate) fn ask(self, db: &TidalDB, at: Timestamp) -> Result<Page> {
        Ok(db.rank(&self.query().at(at))?)
    }
}

#[cfg(test)]
mod tests {
    use tidal_db::TidalDB;

    use super::*;
    use crate::world::{Traffic, describe, schema};

    #[test]
    fn every_question_has_an_answer() {
        let db = TidalDB::in_memory(schema().unwrap()).unwrap();
        let mut traffic = Traffic::new(2000, 2000);
        traffic.send(&db, 4000).unwrap();
        describe(&db, 2000).unwrap();
        for question in Question::ALL {
            let page = question.ask(&db, traffic.newest()).unwrap();
            let expected =
                if question == Question::Filter { 5..PLACES } else { PLACES..PLACES + 1 };
            assert!(expected.contains(&page.entries.len()), "{}: {page:?}", question.title());
        }
    }
}

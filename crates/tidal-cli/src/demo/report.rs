//! What the demonstration shows of a database: rankings and windows.

use serde_json::{Value, json};
use tidal_db::{By, EntityId, EntityKind, Ranked, TidalDB, Timestamp, Window};

use super::stream::VIRAL;
use crate::entity;
use crate::output::{Align, Table, count, decimal};

/// How many videos a table shows.
const SHOWN: usize = 8;

/// How many leaders of a window it shows.
const LEADERS_SHOWN: usize = 5;

/// Reads a database at one time.
#[derive(Debug)]
pub(crate) struct Report<'d> {
    db: &'d TidalDB,
    at: Timestamp,
    /// The ids of the videos that went viral.
    viral: Vec<EntityId>,
}

impl<'d> Report<'d> {
    /// A report on `db` at `at`; `ids` has the videos by popularity.
    pub(crate) fn new(db: &'d TidalDB, at: Timestamp, ids: &[EntityId]) -> Self {
        let viral = VIRAL.iter().filter_map(|(rank, _, _)| ids.get(*rank).copied()).collect();
        Self { db, at, viral }
    }

    /// The hottest videos, with everything that is known of them.
    pub(crate) fn hottest(&self) -> tidal_db::Result<String> {
        let mut table = Table::new(&[
            ("", Align::Right),
            ("video", Align::Left),
            ("score", Align::Right),
            ("views 1h", Align::Right),
            ("24h", Align::Right),
            ("7d", Align::Right),
            ("all", Align::Right),
            ("likes 24h", Align::Right),
            ("skips 24h", Align::Right),
            ("sales 7d", Align::Right),
        ]);
        let ranking = self.top("view", By::Score)?;
        if ranking.is_empty() {
            return Ok("  no views yet\n".into());
        }
        for ranked in ranking {
            let views = |window| self.count("view", ranked.id, window);
            table.row(vec![
                ranked.rank.to_string(),
                self.title(ranked.id)?,
                decimal(ranked.value),
                views(Window::OneHour)?,
                views(Window::TwentyFourHours)?,
                views(Window::SevenDays)?,
                views(Window::AllTime)?,
                self.count("like", ranked.id, Window::TwentyFourHours)?,
                self.count("skip", ranked.id, Window::TwentyFourHours)?,
                decimal(self.db.windowed_sum_at(
                    "purchase",
                    ranked.id,
                    Window::SevenDays,
                    self.at,
                )?),
            ]);
        }
        Ok(table.render(2))
    }

    /// The videos seen most often in the last hour, beside their pace of the
    /// last day.
    pub(crate) fn fastest(&self) -> tidal_db::Result<String> {
        let mut table = Table::new(&[
            ("", Align::Right),
            ("video", Align::Left),
            ("views/h now", Align::Right),
            ("views/h today", Align::Right),
            ("now/today", Align::Right),
        ]);
        let ranking = self.top("view", By::Velocity(Window::OneHour))?;
        let moving: Vec<_> = ranking.into_iter().filter(|ranked| ranked.value > 0.0).collect();
        if moving.is_empty() {
            return Ok("  no views in the last hour\n".into());
        }
        for ranked in moving {
            let today = self.db.velocity_at("view", ranked.id, Window::TwentyFourHours, self.at)?;
            let ratio =
                if today > 0.0 { format!("{:.1}x", ranked.value / today) } else { "-".into() };
            let per_hour = |per_second: f64| count((per_second * 3600.0).round() as u64);
            table.row(vec![
                ranked.rank.to_string(),
                self.title(ranked.id)?,
                per_hour(ranked.value),
                per_hour(today),
                ratio,
            ]);
        }
        Ok(table.render(2))
    }

    /// The leaders over four windows, side by side.
    pub(crate) fn windows(&self) -> tidal_db::Result<String> {
        let windows =
            [Window::OneHour, Window::TwentyFourHours, Window::SevenDays, Window::AllTime];
        let titles = ["last hour", "last 24 hours", "last 7 days", "all time"];
        let columns: Vec<_> = std::iter::once(("", Align::Right))
            .chain(titles.map(|title| (title, Align::Left)))
            .collect();
        let mut table = Table::new(&columns);
        let liked = |window| {
            let mut ranking = self.top("like", By::Count(window))?;
            ranking.retain(|ranked| ranked.value > 0.0);
            Ok(ranking)
        };
        let rankings = windows.into_iter().map(liked).collect::<tidal_db::Result<Vec<_>>>()?;
        let longest = rankings.iter().map(Vec::len).max().unwrap_or(0);
        if longest == 0 {
            return Ok("  no likes yet\n".into());
        }
        for place in 0..longest.min(LEADERS_SHOWN) {
            let mut cells = vec![(place + 1).to_string()];
            for ranking in &rankings {
                cells.push(
                    ranking
                        .get(place)
                        .map_or(Ok(String::new()), |ranked| self.title_and_count(ranked))?,
                );
            }
            table.row(cells);
        }
        Ok(table.render(2))
    }

    /// The hottest videos as JSON.
    pub(crate) fn json(&self) -> tidal_db::Result<Value> {
        let entry = |ranked: Ranked| {
            Ok(json!({ "rank": ranked.rank, "name": self.name(ranked.id)?, "value": ranked.value }))
        };
        self.top("view", By::Score)?
            .into_iter()
            .map(entry)
            .collect::<tidal_db::Result<Vec<_>>>()
            .map(Value::Array)
    }

    fn top(&self, signal: &str, by: By) -> tidal_db::Result<Vec<Ranked>> {
        self.db.top_at(signal, by, SHOWN, self.at)
    }

    fn count(&self, signal: &str, id: EntityId, window: Window) -> tidal_db::Result<String> {
        Ok(count(self.db.windowed_count_at(signal, id, window, self.at)?))
    }

    fn name(&self, id: EntityId) -> tidal_db::Result<String> {
        let name = self.db.entity_name(EntityKind::Item, id)?;
        Ok(entity::label(id, name.as_deref()))
    }

    /// The title, with a star if the video went viral.
    fn title(&self, id: EntityId) -> tidal_db::Result<String> {
        let star = if self.viral.contains(&id) { " *" } else { "" };
        Ok(format!("{}{star}", self.name(id)?))
    }

    fn title_and_count(&self, ranked: &Ranked) -> tidal_db::Result<String> {
        Ok(format!("{} ({})", self.title(ranked.id)?, count(ranked.value as u64)))
    }
}

//! `tidal top`: a ranking.

use serde_json::{Map, Value, json};
use tidal_db::{Ranked, SignalTypeDefinition, TidalDB, Window};

use super::staleness;
use crate::args::{By, Global, TopArgs};
use crate::failure::{Failure, explain};
use crate::output::{Align, Bytes, Table, count, decimal, print, print_json, rfc3339};
use crate::{database, entity};

pub(super) fn run(global: &Global, args: &TopArgs) -> Result<(), Failure> {
    check_usage(args.by, args.window)?;
    let db = database::open(global)?;
    let signal = db
        .schema()
        .require(&args.signal)
        .map_err(|error| Failure::failed(explain(&error.into())))?;
    let by = ranking(args.by, args.window, signal)?;
    let at = args.at.of_read(&db)?;
    let ranked = db.top_at(signal.name(), by, args.limit, at)?;
    let entries = ranked
        .iter()
        .map(|ranked| Entry::read(&db, signal, ranked))
        .collect::<Result<Vec<_>, _>>()?;
    staleness::hint(&db, args.at, at, &[signal.decay()]);
    if global.json {
        return print_json(&json!({
            "signal": signal.name(),
            "by": args.by.as_str(),
            "window": args.window.map(Window::as_str),
            "at": rfc3339(at),
            "results": entries.iter().map(Entry::json).collect::<Vec<_>>(),
        }));
    }
    print(&text(args, signal, &rfc3339(at), &entries))
}

/// A ranked entity with its name.
struct Entry {
    rank: usize,
    id: tidal_db::EntityId,
    name: Option<Vec<u8>>,
    value: f64,
}

impl Entry {
    fn read(db: &TidalDB, signal: &SignalTypeDefinition, ranked: &Ranked) -> Result<Self, Failure> {
        let name = db.entity_name(signal.kind(), ranked.id)?;
        Ok(Self { rank: ranked.rank, id: ranked.id, name, value: ranked.value })
    }

    fn json(&self) -> Value {
        let mut object = Map::new();
        object.insert("rank".into(), self.rank.into());
        object.insert("id".into(), self.id.get().into());
        Bytes(self.name.as_deref()).set(&mut object, "name");
        object.insert("value".into(), self.value.into());
        Value::Object(object)
    }
}

/// What can be said without the database.
pub(super) fn check_usage(by: By, window: Option<Window>) -> Result<(), Failure> {
    match (by, window) {
        (By::Score, Some(_)) => Err(Failure::usage(
            "a score has no window; leave --window out, or add --by count or --by velocity",
        )),
        (By::Count | By::Velocity, None) => Err(Failure::usage(format!(
            "--by {} needs a window; add --window, such as --window 24h",
            by.as_str()
        ))),
        (By::Velocity, Some(Window::AllTime)) => {
            Err(Failure::usage("a velocity needs a window that ends; `all` does not"))
        }
        _ => Ok(()),
    }
}

pub(super) fn ranking(
    by: By,
    window: Option<Window>,
    signal: &SignalTypeDefinition,
) -> Result<tidal_db::By, Failure> {
    let Some(window) = window else {
        return Ok(tidal_db::By::Score);
    };
    let name = signal.name();
    if !signal.has_window(window) {
        let declared: Vec<&str> = signal.windows().iter().map(|window| window.as_str()).collect();
        let declared = if declared.is_empty() { "none".into() } else { declared.join(", ") };
        return Err(Failure::usage(format!(
            "signal type {name:?} has no window {window}; declared: {declared}"
        )));
    }
    match by {
        By::Score => Ok(tidal_db::By::Score),
        By::Count => Ok(tidal_db::By::Count(window)),
        By::Velocity if !signal.velocity() => Err(Failure::usage(format!(
            "signal type {name:?} has no velocity in its schema; rank by count, which orders the same"
        ))),
        By::Velocity => Ok(tidal_db::By::Velocity(window)),
    }
}

fn text(args: &TopArgs, signal: &SignalTypeDefinition, at: &str, entries: &[Entry]) -> String {
    if args.limit == 0 {
        return String::new();
    }
    if entries.is_empty() {
        return format!("no {} has a {} yet\n", signal.kind(), signal.name());
    }
    let title = match (args.by, args.window) {
        (By::Count, Some(window)) => format!("count {window}"),
        (By::Velocity, Some(window)) => format!("per second, {window}"),
        _ => "score".into(),
    };
    let mut table = Table::new(&[
        ("rank", Align::Right),
        (signal.kind().as_str(), Align::Left),
        (&title, Align::Right),
    ]);
    for entry in entries {
        table.row(vec![
            entry.rank.to_string(),
            entity::label(entry.id, entry.name.as_deref()),
            shown(args.by, entry.value),
        ]);
    }
    format!("{} at {at}\n\n{}", signal.name(), table.render(0))
}

/// A value as it is shown in a ranking of that kind.
pub(super) fn shown(by: By, value: f64) -> String {
    if by == By::Count { whole(value) } else { decimal(value) }
}

fn whole(value: f64) -> String {
    count(value as u64)
}

//! `tidal diff`: how the top of a ranking moved between two databases.

use serde_json::{Map, Value, json};
use tidal_db::{Moved, Ranked, RankingDiff, SignalTypeDefinition, TidalDB, Timestamp, Window};

use super::top;
use crate::args::{DiffArgs, Global};
use crate::entity;
use crate::failure::{Failure, explain};
use crate::moment::Moment;
use crate::output::{Align, Bytes, Table, count, decimal, note, print, print_json, rfc3339};

pub(super) fn run(global: &Global, args: &DiffArgs) -> Result<(), Failure> {
    top::check_usage(args.by, args.window)?;
    let [a, b] = [&args.a, &args.b].map(TidalDB::open_existing);
    let (a, b) = (a?, b?);
    let at = time(args, &a, &b);
    let mut found = Vec::new();
    for signal in signals(args, &a, &b)? {
        let by = top::ranking(args.by, args.window, signal)?;
        let other = b.schema().require(signal.name());
        let other = other.map_err(|error| Failure::failed(explain(&error.into())))?;
        top::ranking(args.by, args.window, other)?;
        found.push((signal, tidal_db::diff(&a, &b, signal.name(), by, args.top, at)?));
    }
    if global.json {
        let diffs: Vec<Value> =
            found.iter().map(|(signal, diff)| json(args, signal, diff)).collect();
        return print_json(&json!({ "diffs": diffs }));
    }
    let texts: Vec<String> = found.iter().map(|(signal, diff)| text(args, signal, diff)).collect();
    print(&texts.join("\n"))
}

/// The time of both reads; the library takes the newest event of the two for `None`.
fn time(args: &DiffArgs, a: &TidalDB, b: &TidalDB) -> Option<Timestamp> {
    match args.at {
        Moment::Now => Some(a.now().max(b.now())),
        Moment::Last => None,
        Moment::At(time) => Some(time),
    }
}

fn signals<'a>(
    args: &DiffArgs,
    a: &'a TidalDB,
    b: &TidalDB,
) -> Result<Vec<&'a SignalTypeDefinition>, Failure> {
    if let Some(name) = &args.signal {
        let signal = a.schema().require(name);
        return signal
            .map(|signal| vec![signal])
            .map_err(|error| Failure::failed(explain(&error.into())));
    }
    let (shared, alone): (Vec<_>, Vec<_>) = a.schema().signals().iter().partition(|signal| {
        b.schema().signal(signal.name()).is_some_and(|other| other.kind() == signal.kind())
    });
    for signal in alone {
        note(&format!("signal type {:?} is not in {}", signal.name(), args.b.display()));
    }
    if shared.is_empty() {
        return Err(Failure::failed("the two databases have no signal type in common"));
    }
    Ok(shared)
}

fn json(args: &DiffArgs, signal: &SignalTypeDefinition, diff: &RankingDiff) -> Value {
    json!({
        "signal": signal.name(),
        "by": args.by.as_str(),
        "window": args.window.map(Window::as_str),
        "at": rfc3339(diff.at),
        "in_both": diff.in_both,
        "left": diff.left,
        "entered": diff.entered,
        "mean_move": diff.mean_move,
        "kendall_tau": diff.kendall_tau,
        "moved": diff.moved.iter().map(row_json).collect::<Vec<_>>(),
    })
}

fn row_json(moved: &Moved) -> Value {
    let mut object = Map::new();
    Bytes(moved.name.as_deref()).set(&mut object, "name");
    for (side, ranked) in [("a", &moved.a), ("b", &moved.b)] {
        let value = ranked.as_ref().map(
            |ranked| json!({ "rank": ranked.rank, "id": ranked.id.get(), "value": ranked.value }),
        );
        object.insert(side.into(), value.into());
    }
    object.insert("rise".into(), moved.rise().into());
    Value::Object(object)
}

fn text(args: &DiffArgs, signal: &SignalTypeDefinition, diff: &RankingDiff) -> String {
    let title = format!("{} at {}", signal.name(), rfc3339(diff.at));
    if diff.moved.is_empty() {
        return format!("{title}\n\nno {} has one yet\n", signal.kind());
    }
    let mut table = Table::new(&[
        ("rank A", Align::Right),
        ("rank B", Align::Right),
        ("move", Align::Right),
        (signal.kind().as_str(), Align::Left),
        ("value A", Align::Right),
        ("value B", Align::Right),
    ]);
    for moved in &diff.moved {
        let rank = |ranked: &Option<Ranked>| {
            ranked.as_ref().map_or_else(|| "-".into(), |ranked| ranked.rank.to_string())
        };
        let value = |ranked: &Option<Ranked>| {
            ranked.as_ref().map_or_else(|| "-".into(), |ranked| top::shown(args.by, ranked.value))
        };
        let id = moved.a.as_ref().or(moved.b.as_ref()).map(|ranked| ranked.id);
        let label = id.map_or_else(String::new, |id| entity::label(id, moved.name.as_deref()));
        table.row(vec![
            rank(&moved.a),
            rank(&moved.b),
            step(moved),
            label,
            value(&moved.a),
            value(&moved.b),
        ]);
    }
    let tau = diff.kendall_tau.map_or_else(|| "none".into(), decimal);
    format!(
        "{title}\n\n{}\nin both {}, left {}, entered {}, mean move {}, Kendall's tau {tau}\n",
        table.render(0),
        count(diff.in_both as u64),
        count(diff.left as u64),
        count(diff.entered as u64),
        decimal(diff.mean_move),
    )
}

fn step(moved: &Moved) -> String {
    match (moved.rise(), &moved.a) {
        (Some(0), _) => "0".into(),
        (Some(rise), _) => format!("{rise:+}"),
        (None, Some(_)) => "left".into(),
        (None, None) => "entered".into(),
    }
}

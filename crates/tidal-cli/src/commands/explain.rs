//! `tidal explain`: what a score is made of.

use serde_json::{Map, Value, json};
use tidal_db::{
    DecaySpec, DividedBucket, EntityId, EntityKind, Explanation, Part, PartKind, Timestamp,
    WindowPart,
};

use super::staleness;
use crate::args::{ExplainArgs, Global};
use crate::failure::{Failure, explain};
use crate::output::{Align, Bytes, Table, count, decimal, print, print_json, rfc3339};
use crate::{database, entity};

/// How far the sum of the parts may be from the score, relative to the absolute
/// contributions.
const TOLERANCE: f64 = 1e-9;

pub(super) fn run(global: &Global, args: &ExplainArgs) -> Result<(), Failure> {
    let db = database::open(global)?;
    let signal = db
        .schema()
        .require(&args.signal)
        .map_err(|error| Failure::failed(explain(&error.into())))?;
    let kind = signal.kind();
    let id = entity::find(&db, kind, &args.entity)?
        .ok_or_else(|| entity::unknown(&db, kind, &args.entity))?;
    let at = args.at.of_read(&db)?;
    let mut explanation = if args.from_log {
        db.explain_from_log(signal.name(), id, at, args.parts)?
    } else {
        db.explain(signal.name(), id, at)?
    };
    let sum = checked_sum(&explanation)?;
    explanation.parts.sort_by(|a, b| b.contribution.total_cmp(&a.contribution));
    staleness::hint(&db, args.at, at, &[signal.decay()]);
    let entity = Entity { kind, id, name: db.entity_name(kind, id)? };
    if global.json {
        print_json(&json(&entity, &explanation, sum))
    } else {
        print(&text(&entity, &explanation, sum))
    }
}

/// The entity that is spoken of.
struct Entity {
    kind: EntityKind,
    id: EntityId,
    name: Option<Vec<u8>>,
}

/// The sum of the contributions, which is the score.
fn checked_sum(explanation: &Explanation) -> Result<f64, Failure> {
    let contributions = || explanation.parts.iter().map(|part| part.contribution);
    let scale: f64 = contributions().map(f64::abs).sum();
    // A sum of nothing is a negative zero.
    let sum = contributions().sum::<f64>() + 0.0;
    if (sum - explanation.score).abs() <= TOLERANCE * scale.max(explanation.score.abs()) {
        return Ok(sum);
    }
    Err(Failure::failed(format!(
        "the parts sum to {sum} and the score is {}; this is a bug, please report it",
        explanation.score
    )))
}

fn json(entity: &Entity, explanation: &Explanation, sum: f64) -> Value {
    let mut object = Map::new();
    object.insert("signal".into(), explanation.signal.as_str().into());
    object.insert("kind".into(), entity.kind.as_str().into());
    object.insert("id".into(), entity.id.get().into());
    Bytes(entity.name.as_deref()).set(&mut object, "name");
    object.insert("at".into(), rfc3339(explanation.at).into());
    object.insert("score".into(), explanation.score.into());
    object.insert("sum".into(), sum.into());
    object.insert("events".into(), explanation.events.into());
    let grouped = explanation.grouped.map(
        |grouped| json!({ "events": grouped.events, "width_seconds": grouped.width.as_secs() }),
    );
    object.insert("grouped".into(), grouped.into());
    object.insert("parts".into(), explanation.parts.iter().map(json_of_part).collect());
    let windows = explanation.windows.iter().map(|window| {
        let divided = window.divided.as_ref().map(json_of_bucket);
        let value = json!({ "count": window.count, "whole": window.whole, "divided": divided });
        (window.window.as_str().to_owned(), value)
    });
    object.insert("windows".into(), Value::Object(windows.collect()));
    Value::Object(object)
}

fn json_of_part(part: &Part) -> Value {
    json!({
        "part": name(part.kind),
        "from": part.from.map(rfc3339),
        "to": part.to.map(rfc3339),
        "events": part.events,
        "weight": part.weight,
        "factor": part.factor,
        "contribution": part.contribution,
    })
}

fn json_of_bucket(divided: &DividedBucket) -> Value {
    json!({
        "from": rfc3339(divided.from),
        "to": rfc3339(divided.to),
        "events": divided.events,
        "share": divided.share,
        "counted": divided.counted,
    })
}

fn text(entity: &Entity, explanation: &Explanation, sum: f64) -> String {
    let mut text = format!(
        "{} of {} {} at {}: {}\n",
        explanation.signal,
        entity.kind,
        entity::label(entity.id, entity.name.as_deref()),
        rfc3339(explanation.at),
        decimal(explanation.score),
    );
    text.push_str(&format!("{} events, {}\n", count(explanation.events), decay(explanation.decay)));
    if let Some(grouped) = explanation.grouped {
        text.push_str(&format!(
            "{} of them in the log, in groups of {} h\n",
            count(grouped.events),
            count(grouped.width.as_secs() / 3600),
        ));
    }
    if !explanation.parts.is_empty() {
        text.push('\n');
        text.push_str(&parts_table(&explanation.parts, sum).render(0));
    }
    if !explanation.windows.is_empty() {
        text.push('\n');
        text.push_str(&windows_table(&explanation.windows).render(0));
    }
    text
}

fn decay(decay: DecaySpec) -> String {
    match decay {
        DecaySpec::Exponential { half_life } => {
            format!("halved every {} h", decimal(half_life.as_secs_f64() / 3600.0))
        }
        DecaySpec::Linear { lifetime } => {
            format!("fading evenly over {} h", decimal(lifetime.as_secs_f64() / 3600.0))
        }
        DecaySpec::Permanent => "never fading".into(),
    }
}

fn parts_table(parts: &[Part], sum: f64) -> Table {
    let mut table = Table::new(&[
        ("part", Align::Left),
        ("from", Align::Left),
        ("to", Align::Left),
        ("events", Align::Right),
        ("weight", Align::Right),
        ("factor", Align::Right),
        ("contribution", Align::Right),
    ]);
    let time = |time: Option<Timestamp>| time.map_or_else(|| "-".into(), rfc3339);
    for part in parts {
        table.row(vec![
            name(part.kind).into(),
            time(part.from),
            time(part.to),
            part.events.map_or_else(|| "-".into(), count),
            decimal(part.weight),
            part.factor.map_or_else(|| "-".into(), decimal),
            decimal(part.contribution),
        ]);
    }
    let blank = || String::new();
    table.row(vec!["sum".into(), blank(), blank(), blank(), blank(), blank(), decimal(sum)]);
    table
}

fn windows_table(windows: &[WindowPart]) -> Table {
    let mut table = Table::new(&[
        ("window", Align::Left),
        ("count", Align::Right),
        ("whole", Align::Right),
        ("divided bucket", Align::Left),
    ]);
    for window in windows {
        let divided = window.divided.map_or_else(|| "-".into(), |divided| bucket(&divided));
        let (all, whole) = (count(window.count), count(window.whole));
        table.row(vec![window.window.as_str().into(), all, whole, divided]);
    }
    table
}

fn bucket(divided: &DividedBucket) -> String {
    format!(
        "{} of {} from {} on, for {} of its time",
        count(divided.counted),
        count(divided.events),
        rfc3339(divided.from),
        decimal(divided.share),
    )
}

/// What a part is called, in JSON too.
const fn name(kind: PartKind) -> &'static str {
    match kind {
        PartKind::Event => "event",
        PartKind::Events => "events",
        PartKind::Bucket => "bucket",
        PartKind::DividedBucket => "divided bucket",
        PartKind::DecayedSum => "decayed sum",
        PartKind::Total => "total",
        PartKind::BeforeLog => "before the kept log",
        PartKind::Rest => "rest",
    }
}

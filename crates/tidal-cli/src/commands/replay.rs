//! `tidal replay`: the same log under another schema.

use serde_json::{Map, Value, json};
use tidal_db::{Engine, ReplayProgress, TidalError, replay_with};

use super::backup::show;
use crate::args::{Global, ReplayArgs};
use crate::database;
use crate::failure::{Failure, explain};
use crate::output::{Progress, count};
use crate::schema_file;

pub(super) fn run(global: &Global, args: &ReplayArgs) -> Result<(), Failure> {
    let data_dir = database::data_dir(global)?;
    let schema = schema_file::read(&args.schema)?;
    let engine = args.engine.unwrap_or(Engine::Fjall);
    let mut bar = None;
    let replayed = replay_with(&data_dir, &args.to, &schema, engine, &mut |step| {
        let ReplayProgress { records, records_total } = step;
        let bar = bar.get_or_insert_with(|| Progress::over_bytes(Some(records_total)));
        bar.advance(records, || format!("{} records", count(records)));
    });
    drop(bar);
    let replayed = replayed.map_err(|error| failure(args, &error))?;
    let mut rows = vec![
        ("made", args.to.display().to_string()),
        ("engine", engine.name().to_owned()),
        ("records read", count(replayed.records)),
        ("events", count(replayed.events)),
        ("records written", count(replayed.written)),
        ("checksum", replayed.checksum.to_string()),
    ];
    let mut left_out = Map::new();
    for left in &replayed.left_out {
        rows.push(("left out", format!("{} of {}", count(left.events), left.signal)));
        left_out.insert(left.signal.clone(), Value::from(left.events));
    }
    if replayed.attributes_left_out > 0 {
        rows.push(("attributes left out", count(replayed.attributes_left_out)));
    }
    let json = json!({
        "made": args.to.to_string_lossy(),
        "engine": engine.name(),
        "records": replayed.records,
        "events": replayed.events,
        "written": replayed.written,
        "checksum": replayed.checksum.to_string(),
        "left_out": left_out,
        "attributes_left_out": replayed.attributes_left_out,
    });
    show(global, &[], rows, json)
}

fn failure(args: &ReplayArgs, error: &TidalError) -> Failure {
    match error {
        TidalError::RestoreUnfinished { .. } => Failure::failed(format!(
            "an earlier replay or restore to {} was cut short; remove it and start again",
            args.to.display()
        )),
        TidalError::HistoryCut { .. } => {
            Failure::failed(explain(error)).hinting("a replay needs the whole log")
        }
        other => Failure::from(other.clone()),
    }
}

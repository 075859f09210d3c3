//! `tidal wal salvage`: what lies before the damage of a log.
//!
//! Nothing is changed before what will be given up has been told, and `--yes` was said.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tidal_db::{
    Beside, Position, SalvageOptions, SalvagePlan, SalvageReport, Salvaged, Seq, StorageFit,
    TidalError,
};

use super::{parent_json, problem_json, problem_text};
use crate::args::{Global, SalvageArgs};
use crate::failure::Failure;
use crate::output::{Align, Table, bytes, count, print, print_json};

pub(super) fn run(global: &Global, args: &SalvageArgs) -> Result<(), Failure> {
    let dir = super::dir(global, args.dir.as_ref())?;
    match (&args.to, args.yes) {
        (Some(_), false) => {
            show(global, &Outcome::of(&tidal_db::survey_log(&dir)?))?;
            Err(unchanged("say --yes to do it"))
        }
        (Some(to), true) => {
            let report = tidal_db::salvage_log(&dir, to)?;
            show(global, &Outcome { made: Some(to.clone()), ..Outcome::of(&report) })
        }
        (None, false) => {
            let plan = tidal_db::survey(&dir).map_err(|error| explain(&dir, &error))?;
            show(global, &Outcome::planned(&plan))?;
            Err(unchanged(advice(plan.fit)))
        }
        (None, true) => {
            let options = SalvageOptions { rebuild_storage: args.rebuild_storage };
            let done = tidal_db::salvage(&dir, options).map_err(|error| explain(&dir, &error))?;
            let Salvaged { plan, log_aside, storage_aside } = &done;
            let aside = [log_aside, storage_aside].into_iter().flatten().cloned().collect();
            let made = log_aside.as_ref().map(|_| dir.join("log"));
            show(global, &Outcome { aside, made, ..Outcome::planned(plan) })?;
            if log_aside.is_some() { Ok(()) } else { Err(unchanged(advice(plan.fit))) }
        }
    }
}

fn unchanged(advice: &str) -> Failure {
    Failure::failed(format!("nothing was changed; {advice}"))
}

fn explain(dir: &Path, error: &TidalError) -> Failure {
    match error {
        TidalError::NotADatabase { .. } => Failure::failed(format!(
            "{} is not a database; to salvage a log alone, say where to with --to DIR",
            dir.display()
        )),
        other => Failure::from(other.clone()),
    }
}

const fn advice(fit: StorageFit) -> &'static str {
    match fit {
        StorageFit::Fits => "say --yes to do it",
        StorageFit::MustBeRebuilt => {
            "storage holds more than is left of the log; to have it made again from the log, say --yes --rebuild-storage"
        }
        StorageFit::Unusable => {
            "storage and what is left of the log do not go together; restore from a backup"
        }
    }
}

/// What is told.
#[derive(Default)]
struct Outcome<'a> {
    log: Option<&'a SalvageReport>,
    storage: Option<Position>,
    fit: Option<StorageFit>,
    /// Where the new log is.
    made: Option<PathBuf>,
    /// What was put aside.
    aside: Vec<PathBuf>,
}

impl<'a> Outcome<'a> {
    fn of(log: &'a SalvageReport) -> Self {
        Self { log: Some(log), ..Self::default() }
    }

    fn planned(plan: &'a SalvagePlan) -> Self {
        Self { storage: plan.storage, fit: Some(plan.fit), ..Self::of(&plan.log) }
    }
}

fn show(global: &Global, outcome: &Outcome<'_>) -> Result<(), Failure> {
    let Some(log) = outcome.log else {
        return Ok(());
    };
    if global.json { print_json(&json(log, outcome)) } else { print(&text(log, outcome)) }
}

fn json(log: &SalvageReport, outcome: &Outcome<'_>) -> Value {
    let range = |(first, last): (Seq, Seq)| json!([first.get(), last.get()]);
    let fit = outcome.fit.map(|fit| match fit {
        StorageFit::Fits => "fits",
        StorageFit::MustBeRebuilt => "must be rebuilt",
        StorageFit::Unusable => "unusable",
    });
    json!({
        "done": outcome.made.is_some(),
        "log_id": log.log_id.map(|log_id| log_id.to_string()),
        "parent": parent_json(&log.parent),
        "first_seq": log.first_seq.get(),
        "records": log.records,
        "groups": log.groups,
        "damage": problem_json(&log.damage),
        "lost": {
            "known": log.lost.known.map(range),
            "readable_groups": log.lost.readable_groups,
            "readable_records": log.lost.readable_records,
            "readable": log.lost.readable.iter().copied().map(range).collect::<Vec<_>>(),
            "bytes": log.lost.bytes,
        },
        "checkpoints_and_cursors": beside_json(&log.beside),
        "storage_seq": outcome.storage.map(|position| position.seq.get()),
        "storage": fit,
        "made": outcome.made.as_ref().map(|path| path.to_string_lossy()),
        "set_aside": outcome.aside.iter().map(|path| path.to_string_lossy()).collect::<Vec<_>>(),
    })
}

fn beside_json(beside: &Beside) -> Value {
    let cursors = beside.cursors.iter().map(|cursor| {
        json!({ "name": cursor.name, "was": cursor.was.get(), "place": cursor.place.get() })
    });
    json!({
        "owner_state": beside.owner_state.map(Seq::get),
        "owner_state_lost": beside.owner_state_lost.map(Seq::get),
        "cut_off_keys": beside.cut_off_keys,
        "knows_all_keys": beside.knows_all_keys,
        "cursors": cursors.collect::<Vec<_>>(),
        "problems": beside.problems.iter().map(problem_json).collect::<Vec<_>>(),
    })
}

/// What becomes of checkpoints and cursors, as far as there is something to tell.
fn beside_rows(beside: &Beside) -> Vec<(&'static str, String)> {
    let mut rows = Vec::new();
    let states =
        [("state goes through", beside.owner_state), ("state given up", beside.owner_state_lost)];
    for (what, through) in states {
        rows.extend(through.map(|through| (what, count(through.get()))));
    }
    if beside.cut_off_keys > 0 {
        rows.push(("keys of older records", count(beside.cut_off_keys)));
    }
    if !beside.knows_all_keys {
        rows.push(("keys given up", "those of records that were cut off".into()));
    }
    for cursor in &beside.cursors {
        let (was, place) = (count(cursor.was.get()), count(cursor.place.get()));
        let place = if was == place { place } else { format!("{place}, was {was}") };
        rows.push(("cursor", format!("{} at {place}", cursor.name)));
    }
    rows.extend(beside.problems.iter().map(|problem| ("left behind", problem_text(problem))));
    rows
}

fn text(log: &SalvageReport, outcome: &Outcome<'_>) -> String {
    let range =
        |(first, last): (Seq, Seq)| format!("{} to {}", count(first.get()), count(last.get()));
    let last = log.parent.position.seq;
    let kept = if log.records == 0 {
        "none".into()
    } else {
        format!("{} ({})", count(log.records), range((log.first_seq, last)))
    };
    let lost = &log.lost;
    let readable: Vec<_> = lost.readable.iter().copied().map(range).collect();
    let readable = if readable.is_empty() {
        "none".into()
    } else {
        format!("{} ({})", count(lost.readable_records), readable.join(", "))
    };
    let mut rows = vec![
        ("damage", problem_text(&log.damage)),
        ("records taken over", kept),
        ("records given up", lost.known.map_or_else(|| "none known".into(), range)),
        ("of these readable", readable),
        ("bytes given up", bytes(lost.bytes)),
    ];
    rows.extend(beside_rows(&log.beside));
    if let Some(storage) = outcome.storage {
        rows.push(("storage reaches", count(storage.seq.get())));
    }
    if let Some(log_id) = log.log_id.filter(|_| outcome.made.is_some()) {
        rows.push(("new log", log_id.to_string()));
    }
    rows.extend(outcome.made.iter().map(|path| ("made", path.display().to_string())));
    rows.extend(outcome.aside.iter().map(|path| ("put aside", path.display().to_string())));
    let mut table = Table::new(&[("", Align::Left), ("", Align::Left)]);
    for (what, value) in rows {
        table.row(vec![what.into(), value]);
    }
    table.render(0)
}

//! `tidal verify`: is every byte of the log what was written?

use serde_json::{Value, json};
use tidal_db::{Problem, VerifyReport};

use crate::args::Global;
use crate::database;
use crate::failure::Failure;
use crate::output::{count, note, print, print_json};

pub(super) fn run(global: &Global) -> Result<(), Failure> {
    let data_dir = database::data_dir(global)?;
    let report = tidal_db::verify(&data_dir)?;
    if let Some(tail) = &report.torn_tail {
        let place = format!("{} at byte {}", tail.path.display(), tail.offset);
        note(&format!(
            "{place}: an unfinished write ({}); it was never acknowledged, and the next opening cuts it off",
            tail.problem
        ));
    }
    if global.json {
        print_json(&json(&report))?
    } else {
        print(&text(&report))?
    }
    if report.ok() {
        return Ok(());
    }
    let problems = report.problems.len();
    let noun = if problems == 1 { "problem" } else { "problems" };
    Err(Failure::failed(format!(
        "{problems} {noun} in {0}; restore it from a backup, or see what `tidal wal salvage {0}` would take over",
        data_dir.display()
    )))
}

fn json(report: &VerifyReport) -> Value {
    let problem = |problem: &Problem| json!({ "path": problem.path.to_string_lossy(), "offset": problem.offset, "problem": problem.problem });
    json!({
        "ok": report.ok(),
        "segments": report.segments,
        "groups": report.groups,
        "records": report.records,
        "log_id": report.head.map(|head| head.position.log_id.to_string()),
        "last_seq": report.head.map(|head| head.position.seq.get()),
        "digest": report.head.map(|head| head.digest.to_string()),
        "problems": report.problems.iter().map(problem).collect::<Vec<_>>(),
    })
}

fn text(report: &VerifyReport) -> String {
    let mut text = String::new();
    for problem in &report.problems {
        text.push_str(&format!(
            "{} at byte {}: {}\n",
            problem.path.display(),
            problem.offset,
            problem.problem
        ));
    }
    let verdict = if report.ok() { "ok" } else { "damaged" };
    let (segments, groups, records) =
        (count(report.segments), count(report.groups), count(report.records));
    text.push_str(&format!("{verdict}: segments {segments}, groups {groups}, records {records}\n"));
    if let Some(head) = &report.head {
        let last = count(head.position.seq.get());
        text.push_str(&format!("head: record {last}, digest {}\n", head.digest));
    }
    text
}

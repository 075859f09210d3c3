//! `tidal verify`: is every byte of the log what was written?

use serde_json::{Value, json};
use tidal_db::{DeepOptions, DeepState, Difference, Problem, RewrittenSegment, VerifyReport};

use crate::args::{Global, VerifyArgs};
use crate::database;
use crate::failure::Failure;
use crate::output::{count, note, print, print_json};

pub(super) fn run(global: &Global, args: &VerifyArgs) -> Result<(), Failure> {
    let data_dir = database::data_dir(global)?;
    let (report, deep) = if args.deep {
        let report = tidal_db::verify_deep(&data_dir, &options(args))?;
        (report.log, report.state)
    } else {
        (tidal_db::verify(&data_dir)?, None)
    };
    if let Some(tail) = &report.torn_tail {
        let place = format!("{} at byte {}", tail.path.display(), tail.offset);
        note(&format!(
            "{place}: an unfinished write ({}); it was never acknowledged, and the next opening cuts it off",
            tail.problem
        ));
    }
    if global.json {
        let mut value = json(&report);
        if let (Some(object), Some(state)) = (value.as_object_mut(), &deep) {
            object.insert("state".into(), state_json(state));
        }
        print_json(&value)?
    } else {
        print(&(text(&report) + &deep.as_ref().map(state_text).unwrap_or_default()))?
    }
    if report.ok() {
        return match deep {
            Some(state) if !state.ok() => Err(Failure::failed(format!(
                "what {} stores is not what its log comes to; restore it from a backup",
                data_dir.display()
            ))),
            _ => Ok(()),
        };
    }
    let problems = report.problems.len();
    let noun = if problems == 1 { "problem" } else { "problems" };
    Err(Failure::failed(format!(
        "{problems} {noun} in {0}; restore it from a backup, or see what `tidal wal salvage {0}` would take over",
        data_dir.display()
    )))
}

/// A directory for temporary files that nobody else has: it is named by the process.
fn options(args: &VerifyArgs) -> DeepOptions {
    let scratch = args.scratch.clone().unwrap_or_else(|| {
        std::env::temp_dir().join(format!("tidal-verify-{}", std::process::id()))
    });
    DeepOptions { differences_max: args.differences, ..DeepOptions::new(scratch) }
}

fn state_json(state: &DeepState) -> Value {
    let difference = |one: &Difference| {
        json!({
            "what": one.what.to_string(),
            "recomputed": one.recomputed,
            "stored": one.stored,
        })
    };
    json!({
        "ok": state.ok(),
        "from": state.from.get(),
        "through": state.through.get(),
        "recomputed": state.recomputed.to_string(),
        "stored": state.stored.map(|checksum| checksum.to_string()),
        "differences": state.differences.count,
        "exact": state.differences.is_exact,
        "first": state.differences.first.iter().map(difference).collect::<Vec<_>>(),
    })
}

fn state_text(state: &DeepState) -> String {
    let verdict = if state.ok() { "ok" } else { "different" };
    let (from, through) = (count(state.from.get()), count(state.through.get()));
    let mut text = format!(
        "state {verdict}: records {from} to {through} come to checksum {}\n",
        state.recomputed
    );
    match state.stored {
        None => text.push_str("nothing is stored to compare it with\n"),
        Some(stored) if !state.ok() => {
            text.push_str(&format!("what is stored comes to {stored}\n"));
        }
        Some(_) => {}
    }
    let none = || "nothing".to_owned();
    for one in &state.differences.first {
        text.push_str(&format!(
            "{}: {} by the log, {} stored\n",
            one.what,
            one.recomputed.clone().unwrap_or_else(none),
            one.stored.clone().unwrap_or_else(none),
        ));
    }
    let told = state.differences.first.len() as u64;
    if state.differences.count > told {
        let least = if state.differences.is_exact { "" } else { "at least " };
        let more = count(state.differences.count - told);
        text.push_str(&format!("and {least}{more} more\n"));
    }
    text
}

fn json(report: &VerifyReport) -> Value {
    let problem = |problem: &Problem| json!({ "path": problem.path.to_string_lossy(), "offset": problem.offset, "problem": problem.problem });
    let rewritten = |segment: &RewrittenSegment| {
        json!({
            "path": segment.path.to_string_lossy(),
            "first_seq": segment.records.0.get(),
            "last_seq": segment.records.1.get(),
            "tombstones": segment.tombstones,
            "replaced": segment.replaced,
        })
    };
    json!({
        "ok": report.ok(),
        "segments": report.segments,
        "sealed": report.sealed,
        "rewritten": report.rewritten.iter().map(rewritten).collect::<Vec<_>>(),
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
    if report.sealed > 0 {
        text.push_str(&format!("sealed: segments {}\n", count(report.sealed)));
    }
    for segment in &report.rewritten {
        let (first, last) = segment.records;
        text.push_str(&format!(
            "rewritten: {}, records {} to {}, of which {} are tombstones and {} were replaced\n",
            segment.path.display(),
            count(first.get()),
            count(last.get()),
            count(segment.tombstones),
            count(segment.replaced)
        ));
    }
    if let Some(head) = &report.head {
        let last = count(head.position.seq.get());
        text.push_str(&format!("head: record {last}, digest {}\n", head.digest));
    }
    text
}

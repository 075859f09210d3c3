//! `tidal wal stat`: what a log is made of.

use serde_json::{Value, json};
use tidal_db::{CheckpointStat, LogStat, SealStat, SegmentStat, Seq};

use super::{parent_json, problem_json, problem_text};
use crate::args::{Global, StatArgs};
use crate::failure::Failure;
use crate::output::{Align, Table, bytes, count, note, print, print_json};

pub(super) fn run(global: &Global, args: &StatArgs) -> Result<(), Failure> {
    let dir = super::dir(global, args.dir.as_ref())?;
    let stat = tidal_db::inspect_log(&dir)?;
    if global.json {
        print_json(&json(&stat))?;
    } else {
        print(&text(&stat))?;
    }
    if let Some(tail) = &stat.torn_tail {
        let tail = problem_text(tail);
        note(&format!("an unfinished write, which the next opening sets aside: {tail}"));
    }
    match &stat.problem {
        None => Ok(()),
        Some(problem) => Err(Failure::failed(format!(
            "the log is damaged: {}; restore it from a backup, or see `tidal wal salvage {}`",
            problem_text(problem),
            dir.display()
        ))),
    }
}

fn json(stat: &LogStat) -> Value {
    let seal = |seal: SealStat| {
        json!({
            "original_bytes": seal.original_bytes,
            "tombstones": seal.tombstones,
            "replaced": seal.replaced,
        })
    };
    let segment = |segment: &SegmentStat| {
        json!({
            "path": segment.path.to_string_lossy(),
            "bytes": segment.bytes,
            "seal": segment.seal.map(seal),
            "first_seq": segment.first_seq.map(Seq::get),
            "last_seq": segment.content.map(|content| content.last_seq.get()),
            "groups": segment.content.map(|content| content.groups),
            "records": segment.content.map(|content| content.records),
            "used_bytes": segment.content.map(|content| content.bytes),
        })
    };
    let checkpoint = |checkpoint: &CheckpointStat| {
        let content = checkpoint.content;
        json!({
            "path": checkpoint.path.to_string_lossy(),
            "owner_state": content.and_then(|content| content.owner_state).map(Seq::get),
            "state_bytes": content.map(|content| content.state_bytes),
            "last_seq": content.map(|content| content.last_seq.get()),
            "keys": content.map(|content| content.keys),
        })
    };
    json!({
        "log_id": stat.log_id.map(|log_id| log_id.to_string()),
        "parent": stat.parent.as_ref().map(parent_json),
        "first_seq": stat.first_seq.map(Seq::get),
        "last_seq": stat.head.map(|head| head.position.seq.get()),
        "digest": stat.head.map(|head| head.digest.to_string()),
        "synced": stat.floor.map(|floor| json!({ "seq": floor.last_seq.get(), "offset": floor.offset })),
        "segments": stat.segments.iter().map(segment).collect::<Vec<_>>(),
        "checkpoints": stat.checkpoints.iter().map(checkpoint).collect::<Vec<_>>(),
        "cursors": stat
            .cursors
            .iter()
            .map(|(name, place)| json!({ "name": name, "place": place.get() }))
            .collect::<Vec<_>>(),
        "set_aside": stat
            .set_aside
            .iter()
            .map(|file| json!({ "path": file.path.to_string_lossy(), "bytes": file.bytes }))
            .collect::<Vec<_>>(),
        "problem": stat.problem.as_ref().map(problem_json),
        "torn_tail": stat.torn_tail.as_ref().map(problem_json),
    })
}

fn text(stat: &LogStat) -> String {
    let unknown = || "unknown".to_owned();
    let seq = |seq: Option<Seq>| seq.map_or_else(unknown, |seq| count(seq.get()));
    let mut table = Table::new(&[("", Align::Left), ("", Align::Left)]);
    let last_seq = stat.head.map(|head| head.position.seq);
    let mut rows = vec![
        ("log", stat.log_id.map_or_else(unknown, |log_id| log_id.to_string())),
        ("first record", seq(stat.first_seq)),
        ("last record", seq(last_seq)),
        ("digest", stat.head.map_or_else(unknown, |head| head.digest.to_string())),
        ("known synced", seq(stat.floor.map(|floor| floor.last_seq))),
        ("segments", format!("{}, {}", stat.segments.len(), bytes(stat.segment_bytes()))),
    ];
    if let Some(parent) = &stat.parent {
        let taken_over = count(parent.position.seq.get());
        let parent = format!("{} up to record {taken_over}", parent.position.log_id);
        rows.insert(1, ("salvaged from", parent));
    }
    for (what, value) in rows {
        table.row(vec![what.into(), value]);
    }
    let mut text = table.render(0);
    text.push('\n');
    text.push_str(&segments(stat).render(0));
    for checkpoint in &stat.checkpoints {
        text.push_str(&format!("{}\n", checkpoint_text(checkpoint)));
    }
    for (name, place) in &stat.cursors {
        text.push_str(&format!("cursor {name}: committed up to record {}\n", count(place.get())));
    }
    for file in &stat.set_aside {
        text.push_str(&format!(
            "torn, set aside: {} ({})\n",
            file.path.display(),
            bytes(file.bytes)
        ));
    }
    text
}

fn checkpoint_text(checkpoint: &CheckpointStat) -> String {
    let name = checkpoint.path.file_name().unwrap_or_default().to_string_lossy();
    let Some(content) = checkpoint.content else {
        return format!("checkpoint {name}: cannot be read");
    };
    let (keys, last) = (count(content.keys), count(content.last_seq.get()));
    let keys = format!("{keys} keys as of record {last}");
    match content.owner_state {
        Some(through) => {
            let state = bytes(content.state_bytes);
            format!("checkpoint {name}: {keys}, state through {} ({state})", count(through.get()))
        }
        None => format!("checkpoint {name}: {keys}"),
    }
}

/// What a sealed segment was, and what was taken out of it.
fn seal_text(seal: &SealStat) -> String {
    let original = bytes(seal.original_bytes);
    match (seal.tombstones, seal.replaced) {
        (0, 0) => format!("from {original}"),
        (tombstones, replaced) => format!(
            "from {original}, {} tombstones, {} replaced",
            count(tombstones),
            count(replaced)
        ),
    }
}

fn segments(stat: &LogStat) -> Table {
    let mut table = Table::new(&[
        ("segment", Align::Left),
        ("first", Align::Right),
        ("last", Align::Right),
        ("groups", Align::Right),
        ("used", Align::Right),
        ("size", Align::Right),
        ("sealed", Align::Left),
    ]);
    for segment in &stat.segments {
        let name = segment.path.file_name().unwrap_or_default().to_string_lossy();
        let first = segment.first_seq.map_or_else(|| "?".into(), |seq| count(seq.get()));
        let content = |show: &dyn Fn(&tidal_db::ContentStat) -> String| {
            segment.content.as_ref().map_or_else(|| "?".into(), show)
        };
        table.row(vec![
            name.into_owned(),
            first,
            content(&|content| count(content.last_seq.get())),
            content(&|content| count(content.groups)),
            content(&|content| bytes(content.bytes)),
            bytes(segment.bytes),
            segment.seal.map_or_else(String::new, |seal| seal_text(&seal)),
        ]);
    }
    table
}

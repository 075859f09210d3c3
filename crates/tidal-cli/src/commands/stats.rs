//! `tidal stats`: how much there is, and the checksum of it.

use serde_json::{Value, json};
use tidal_db::{CheckpointFailure, CursorStats, Retention, Schema, WalStats};

use super::init::attribute;
use crate::args::Global;
use crate::database;
use crate::failure::Failure;
use crate::output::{Align, Table, bytes, count, print, print_json, rfc3339};
use crate::schema_file::describe_span;

pub(super) fn run(global: &Global) -> Result<(), Failure> {
    let db = database::open(global)?;
    let stats = db.stats()?;
    let checksum = db.checksum()?.to_string();
    let newest_event = stats.newest_event.map(rfc3339);
    if global.json {
        return print_json(&json!({
            "entities": stats.entities,
            "cells": stats.cells,
            "records": stats.records,
            "log_bytes": stats.log_bytes,
            "storage_bytes": stats.storage_bytes,
            "memory_bytes": stats.memory_bytes,
            "unique_actors_bytes": stats.unique_actors_bytes,
            "newest_event": newest_event,
            "engine": stats.engine,
            "checksum": checksum,
            "schema": schema(db.schema()),
            "forgotten": stats.forgotten,
            "unpurged": stats.unpurged,
            "checkpoint_failure": stats.checkpoint_failure.map(|failure| json!({
                "problem": failure.problem,
                "at": rfc3339(failure.at),
                "in_a_row": failure.in_a_row,
            })),
            "log": {
                "id": stats.log.head.log_id.to_string(),
                "first_seq": stats.log.first_seq.get(),
                "durable_seq": stats.log.head.seq.get(),
                "checkpointed_seq": stats.checkpointed.get(),
                "segments": stats.log.segments,
                "bytes": stats.log.bytes_on_disk,
                "sealed_segments": stats.log.sealed_segments,
                "sealed_bytes": stats.log.sealed_bytes,
                "original_bytes": stats.log.original_bytes,
                "queued_bytes": stats.log.queued_bytes,
                "held_by": stats.log.held_by,
                "cursors": stats.log.cursors.iter().map(cursor).collect::<Vec<_>>(),
                "bytes_per_million": stats.log_bytes_per_million,
                "retain": retention(stats.retention),
            },
        }));
    }
    let log = stats.log;
    let mut table = Table::new(&[("", Align::Left), ("", Align::Left)]);
    let rows = [
        ("signal types", listed(db.schema().signals().iter().map(|signal| signal.name()))),
        ("attributes", listed(db.schema().attributes().iter().map(|one| one.name()))),
        ("profiles", listed(db.schema().profiles().map(|(name, _)| name))),
        ("entities", count(stats.entities)),
        ("cells", count(stats.cells)),
        ("records", count(stats.records)),
        ("log", bytes(stats.log_bytes)),
        ("log per million", stats.log_bytes_per_million.map_or_else(|| "none".into(), bytes)),
        ("log kept", retention(stats.retention)),
        ("storage", bytes(stats.storage_bytes)),
        ("memory", bytes(stats.memory_bytes)),
        ("unique actors", bytes(stats.unique_actors_bytes)),
        ("newest event", newest_event.unwrap_or_else(|| "none".into())),
        ("engine", stats.engine),
        ("checksum", checksum),
        ("forgotten", count(stats.forgotten)),
        ("to be purged", count(stats.unpurged)),
        ("checkpoint failed", failed(stats.checkpoint_failure)),
        ("log begins at", count(log.first_seq.get())),
        ("log durable to", count(log.head.seq.get())),
        ("log segments", count(log.segments as u64)),
        ("log sealed", sealed(&log)),
        ("log queued", bytes(log.queued_bytes as u64)),
        ("log held by", log.held_by.unwrap_or_else(|| "none".into())),
    ];
    for (what, value) in rows {
        table.row(vec![what.into(), value]);
    }
    let mut text = table.render(0);
    if !log.cursors.is_empty() {
        text.push('\n');
        text.push_str(&cursor_table(log.cursors));
    }
    print(&text)
}

/// Names in a row.
fn listed<'s>(names: impl Iterator<Item = &'s str>) -> String {
    let names: Vec<&str> = names.collect();
    if names.is_empty() { "none".into() } else { names.join(", ") }
}

/// What is declared. A profile is the JSON of its query.
fn schema(schema: &Schema) -> Value {
    let profile = |(name, text): (&str, &str)| {
        (name.to_owned(), serde_json::from_str(text).unwrap_or_else(|_| text.into()))
    };
    json!({
        "signals": schema.signals().iter().map(|signal| signal.name()).collect::<Vec<_>>(),
        "attributes": schema.attributes().iter().map(attribute).collect::<Vec<_>>(),
        "profiles": Value::Object(schema.profiles().map(profile).collect()),
    })
}

/// As it is said on the command line.
fn retention(retention: Retention) -> String {
    match retention {
        Retention::Forever => "forever".into(),
        Retention::UntilCheckpoint => "until-checkpoint".into(),
        Retention::For(span) => describe_span(span),
    }
}

/// Why storage does not have what was to be written to it.
fn failed(failure: Option<CheckpointFailure>) -> String {
    failure.map_or_else(
        || "no".into(),
        |failure| {
            let CheckpointFailure { problem, at, in_a_row } = failure;
            format!("{} times in a row, last at {}: {problem}", count(in_a_row), rfc3339(at))
        },
    )
}

/// How many segments are compressed, and how much smaller that has made the log.
fn sealed(log: &WalStats) -> String {
    let (now, before) = (bytes(log.bytes_on_disk), bytes(log.original_bytes));
    format!("{}, the log takes {now} of {before}", count(log.sealed_segments as u64))
}

fn cursor_table(cursors: Vec<CursorStats>) -> String {
    let mut table = Table::new(&[
        ("cursor", Align::Left),
        ("place", Align::Right),
        ("behind", Align::Right),
        ("bytes behind", Align::Right),
    ]);
    for cursor in cursors {
        table.row(vec![
            cursor.name,
            count(cursor.place.get()),
            count(cursor.records_behind),
            bytes(cursor.bytes_behind),
        ]);
    }
    table.render(0)
}

fn cursor(cursor: &CursorStats) -> Value {
    json!({
        "name": cursor.name,
        "place": cursor.place.get(),
        "records_behind": cursor.records_behind,
        "bytes_behind": cursor.bytes_behind,
    })
}

#[cfg(test)]
mod tests {
    use tidal_db::Seq;

    use super::*;

    #[test]
    fn a_failure_of_checkpoints_is_shown() {
        let at = tidal_db::Timestamp::from_secs(1_700_000_000);
        let failure = CheckpointFailure { problem: "no room".into(), at, in_a_row: 3 };
        let expected = "3 times in a row, last at 2023-11-14T22:13:20Z: no room";
        assert_eq!(failed(Some(failure)), expected);
        assert_eq!(failed(None), "no");
    }

    #[test]
    fn cursors_are_shown_with_how_far_behind_they_are() {
        let feed = CursorStats {
            name: "feed".into(),
            place: Seq::new(7),
            records_behind: 3,
            bytes_behind: 999,
            in_use: false,
        };
        let expected = json!({
            "name": "feed",
            "place": 7,
            "records_behind": 3,
            "bytes_behind": 999,
        });
        assert_eq!(cursor(&feed), expected);
        let table = cursor_table(vec![feed]);
        let rows: Vec<Vec<_>> =
            table.lines().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(rows[0], ["cursor", "place", "behind", "bytes", "behind"]);
        assert_eq!(rows[1][..3], ["feed", "7", "3"]);
    }
}

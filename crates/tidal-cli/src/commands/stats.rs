//! `tidal stats`: how much there is, and the checksum of it.

use serde_json::json;

use crate::args::Global;
use crate::database;
use crate::failure::Failure;
use crate::output::{Align, Table, bytes, count, print, print_json, rfc3339};

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
            "newest_event": newest_event,
            "engine": stats.engine,
            "checksum": checksum,
        }));
    }
    let mut table = Table::new(&[("", Align::Left), ("", Align::Left)]);
    let rows = [
        ("entities", count(stats.entities)),
        ("cells", count(stats.cells)),
        ("records", count(stats.records)),
        ("log", bytes(stats.log_bytes)),
        ("storage", bytes(stats.storage_bytes)),
        ("memory", bytes(stats.memory_bytes)),
        ("newest event", newest_event.unwrap_or_else(|| "none".into())),
        ("engine", stats.engine),
        ("checksum", checksum),
    ];
    for (what, value) in rows {
        table.row(vec![what.into(), value]);
    }
    print(&table.render(0))
}

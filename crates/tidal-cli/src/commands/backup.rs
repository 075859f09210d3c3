//! `tidal backup`, and how commands about backups show what they do.

use serde_json::{Value, json};
use tidal_db::{BackupInfo, Progress, TidalDB};

use crate::args::{BackupArgs, Global};
use crate::failure::Failure;
use crate::output::{self, Align, Table, bytes, count, print, print_json, rfc3339};

pub(super) fn run(global: &Global, args: &BackupArgs) -> Result<(), Failure> {
    let db = TidalDB::open_existing(&args.database)?;
    let mut bar = Bar::default();
    let info = db.backup_with(&args.dest, args.compression, &mut |step| bar.show(step))?;
    drop(bar);
    // Nothing was written, so there is nothing for a checkpoint.
    drop(db);
    show(global, &[], info_rows(&info), info_json(&info))
}

/// A bar over the keys of storage, once it is known how many there are.
#[derive(Default)]
pub(super) struct Bar(Option<output::Progress>);

impl Bar {
    pub(super) fn show(&mut self, step: Progress) {
        let bar = self.0.get_or_insert_with(|| output::Progress::over_bytes(step.entries_total));
        bar.advance(step.entries, || {
            format!("{} keys, {}", count(step.entries), bytes(step.bytes))
        });
    }
}

/// What is told of something: a name and a value in a row.
pub(super) type Rows = Vec<(&'static str, String)>;

pub(super) fn info_rows(info: &BackupInfo) -> Rows {
    vec![
        ("created", rfc3339(info.created)),
        ("engine", info.engine.clone()),
        ("log", info.head.position.log_id.to_string()),
        ("last record", count(info.head.position.seq.get())),
        ("checkpoint", count(info.applied.seq.get())),
        ("digest", info.head.digest.to_string()),
        ("keys in storage", count(info.keys)),
        ("bytes on disk", bytes(info.disk_bytes)),
    ]
}

pub(super) fn info_json(info: &BackupInfo) -> Value {
    json!({
        "created": rfc3339(info.created),
        "engine": info.engine,
        "log_id": info.head.position.log_id.to_string(),
        "first_seq": info.first_seq.get(),
        "applied_seq": info.applied.seq.get(),
        "last_seq": info.head.position.seq.get(),
        "digest": info.head.digest.to_string(),
        "keys": info.keys,
        "disk_bytes": info.disk_bytes,
    })
}

pub(super) fn show(
    global: &Global,
    first: &[(&'static str, String)],
    rows: Rows,
    json: Value,
) -> Result<(), Failure> {
    if global.json {
        return print_json(&json);
    }
    let mut table = Table::new(&[("", Align::Left), ("", Align::Left)]);
    for (what, value) in first.iter().cloned().chain(rows) {
        table.row(vec![what.into(), value]);
    }
    print(&table.render(0))
}

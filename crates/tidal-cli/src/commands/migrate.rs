//! `tidal migrate`: a copy of a database on another engine.

use serde_json::json;
use tidal_db::migrate_with;

use super::backup::{Bar, show};
use crate::args::{Global, MigrateArgs};
use crate::failure::Failure;
use crate::output::count;

pub(super) fn run(global: &Global, args: &MigrateArgs) -> Result<(), Failure> {
    let mut bar = Bar::default();
    let migrated = migrate_with(&args.database, &args.new, args.to, &mut |step| bar.show(step))?;
    drop(bar);
    let log = &migrated.log;
    let rows = vec![
        ("made", args.new.display().to_string()),
        ("from engine", migrated.from.name().to_owned()),
        ("to engine", migrated.to.name().to_owned()),
        ("keys in storage", count(migrated.keys)),
        ("records in the log", count(log.records)),
        ("log", log.log_id.to_string()),
        ("parent", log.parent.position.log_id.to_string()),
    ];
    let json = json!({
        "made": args.new.to_string_lossy(),
        "from": migrated.from.name(),
        "to": migrated.to.name(),
        "keys": migrated.keys,
        "records": log.records,
        "log_id": log.log_id.to_string(),
        "parent": {
            "log_id": log.parent.position.log_id.to_string(),
            "seq": log.parent.position.seq.get(),
        },
    });
    show(global, &[], rows, json)
}

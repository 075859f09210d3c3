//! `tidal restore`: a database out of a backup.

use tidal_db::{Engine, TidalError, WalError, read_backup, restore_with};

use super::backup::{Bar, info_json, show};
use crate::args::{Global, RestoreArgs};
use crate::failure::Failure;
use crate::output::{count, rfc3339};

pub(super) fn run(global: &Global, args: &RestoreArgs) -> Result<(), Failure> {
    let engine = match args.engine {
        Some(engine) => engine,
        None => Engine::require(&read_backup(&args.backup)?.engine)
            .map_err(|error| Failure::from(error).hinting("or choose another with --engine"))?,
    };
    let mut bar = Bar::default();
    let restored =
        restore_with(&args.backup, &args.database, engine, args.until, &mut |step| bar.show(step));
    drop(bar);
    let restored = restored.map_err(|error| explain(&error))?;
    let log = &restored.log;
    let rows = vec![
        ("made", args.database.display().to_string()),
        ("engine", engine.name().to_owned()),
        ("log", log.log_id.to_string()),
        ("parent", log.parent.position.log_id.to_string()),
        ("last record", count(log.parent.position.seq.get())),
        ("written at", log.log_time.map_or_else(|| "never".into(), rfc3339)),
    ];
    let json = serde_json::json!({
        "made": args.database.to_string_lossy(),
        "engine": engine.name(),
        "log_id": log.log_id.to_string(),
        "parent": {
            "log_id": log.parent.position.log_id.to_string(),
            "seq": log.parent.position.seq.get(),
            "digest": log.parent.digest.to_string(),
        },
        "records": log.records,
        "log_time": log.log_time.map(rfc3339),
        "backup": info_json(&restored.backup),
    });
    show(global, &[], rows, json)
}

fn explain(error: &TidalError) -> Failure {
    match error {
        TidalError::Wal(WalError::BeforeBackup { until, earliest }) => Failure::failed(format!(
            "the backup holds nothing before {}, and {} was asked for; name a later time, or restore an older backup",
            rfc3339(*earliest),
            rfc3339(*until),
        )),
        other => Failure::from(other.clone()),
    }
}
